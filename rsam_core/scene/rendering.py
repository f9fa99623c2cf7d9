"""From the bands of a raster to the picture that people and models see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.scene.bands_read import read_bands
from rsam_core.scene.indices import INDICES

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from rasterio.windows import Window as RasterWindow

STRETCH_PERCENTILES = (2.0, 98.0)
# Large windows are coloured in strips of about this many pixels, in whole rows of common tiles.
STRIP_PIXELS = 2**22
STRIP_STEP = 256


@dataclass(frozen=True)
class Sample:
    """Pixels read for a view.

    Parameters
    ----------
    values : (bands, H, W) array
        The bands shown.
    measured : (H, W) array of bool
        Where they hold finite values other than nodata.
    opacity : (H, W) array of float32 or None
        From 0 (transparent or masked) to 1, where the file tells.
    """

    values: np.ndarray
    measured: np.ndarray
    opacity: np.ndarray | None

    @property
    def valid(self) -> np.ndarray:
        """Where something was measured and is not fully transparent, as (H, W) bool."""
        return self.measured if self.opacity is None else self.measured & (self.opacity > 0)


@dataclass(frozen=True)
class View:
    """How bands become the view image: which ones, how stretched, what counts as no data.

    Parameters
    ----------
    bands : tuple of int
        Bands shown, from 1: one (grey, or the indices of a palette) or three (red, green, blue).
    stretch : tuple of (float, float) or None
        For each band shown, the values that become black and white; None shows them unchanged.
    nodata : tuple of float or None
        For each band shown, the value that means "nothing measured here".
    alpha : int or None
        Band of transparency.
    masked : bool
        Whether the file carries a mask of valid pixels.
    palette : (N, 4) uint8 array or None
        Red, green, blue and alpha of each index.
    over_white : bool
        Lay transparent colours over white, as web browsers do; otherwise transparent is black.
    index : str or None
        Spectral index of the two bands to show in colours; `stretch` then holds one pair.
    gamma : float
        Above 1 brightens the middle tones.
    negative : bool
        Whether low values are bright, as in scanned film: the limits of the stretch change places.
    """

    bands: tuple[int, ...]
    stretch: tuple[tuple[float, float], ...] | None = None
    nodata: tuple[float | None, ...] = (None,)
    alpha: int | None = None
    masked: bool = False
    palette: np.ndarray | None = None
    over_white: bool = False
    index: str | None = None
    gamma: float = 1.0
    negative: bool = False

    def rgb(
        self,
        dataset: DatasetReader,
        window: RasterWindow,
        shape: tuple[int, int],
        progress: Callable[[float], None] | None = None,
    ) -> np.ndarray:
        """Return the view of a window as (H, W, 3) uint8, resampled to `shape` by area."""
        picture = np.empty((*shape, 3), np.uint8)
        for rows, strip in strips(window, shape):
            if progress is not None:
                progress(rows.start / shape[0])
            target = (rows.stop - rows.start, shape[1])
            picture[rows] = self.coloured(self.sample(dataset, strip, target))
        return picture

    def valid(self, dataset: DatasetReader, window: RasterWindow) -> np.ndarray:
        """Return where the view of a window shows a measurement, as (H, W) bool."""
        shape = (round(window.height), round(window.width))
        valid = np.empty(shape, bool)
        for rows, strip in strips(window, shape):
            target = (rows.stop - rows.start, shape[1])
            valid[rows] = self.sample(dataset, strip, target).valid
        return valid

    def index_map(self, dataset: DatasetReader, window: RasterWindow) -> np.ndarray:
        """Return the spectral index of a window as (H, W) float32, NaN where nothing is valid."""
        shape = (round(window.height), round(window.width))
        result = np.empty(shape, np.float32)
        for rows, strip in strips(window, shape):
            sample = self.sample(dataset, strip, (rows.stop - rows.start, shape[1]))
            result[rows] = np.where(sample.valid, self.index_values(sample.values), np.nan)
        return result

    def sample(
        self,
        dataset: DatasetReader,
        window: RasterWindow,
        shape: tuple[int, int],
        *,
        nearest: bool = False,
    ) -> Sample:
        """Read the bands shown, and what is known of each pixel, resampled by area or nearest."""
        values = self._values(dataset, window, shape, nearest=nearest)
        return Sample(values, self._measured(values), self._opacity(dataset, window, shape, values))

    def coloured(self, sample: Sample) -> np.ndarray:
        """Colour a sample as (H, W, 3) uint8."""
        shown = sample.measured
        picture = self._colours(sample.values)
        if sample.opacity is not None and self.over_white:
            weight = sample.opacity[..., None]
            picture = np.rint(picture * weight + 255 * (1 - weight)).astype(np.uint8)
        else:
            shown = sample.valid
        picture[~shown] = 255 if self.over_white else 0
        return picture

    def _colours(self, values: np.ndarray) -> np.ndarray:
        """Turn (bands, H, W) into (H, W, 3) uint8, whether measured or not."""
        if self.palette is not None:
            picture = self.palette[np.minimum(values[0], len(self.palette) - 1), :3]
            return picture if self.gamma == 1 else brightened(picture, self.gamma)
        if self.index is not None:
            index = INDICES[self.index]
            return index.colours[
                stretched(index.compute(*values), *self.stretch[0], gamma=self.gamma)
            ]
        if self.stretch is None:
            bands = values if self.gamma == 1 else brightened(values, self.gamma)
        else:
            bands = [
                stretched(band, *(limits[::-1] if self.negative else limits), gamma=self.gamma)
                for band, limits in zip(values, self.stretch)
            ]
        return np.stack([bands[min(i, len(bands) - 1)] for i in range(3)], axis=-1)

    def _values(
        self,
        dataset: DatasetReader,
        window: RasterWindow,
        shape: tuple[int, int],
        *,
        nearest: bool = False,
    ) -> np.ndarray:
        """Read the bands shown as (bands, H, W); magnitudes where they are complex."""
        # Neighbouring palette indices have no mean.
        average = not nearest and self.palette is None
        return read_bands(dataset, list(self.bands), window, shape, average=average)

    def _measured(self, values: np.ndarray) -> np.ndarray:
        """Return where all bands shown are finite and not all of them hold their nodata value."""
        if self.index is not None:
            return np.isfinite(self.index_values(values))
        # One band at nodata is not enough: a nodata of 0 also occurs as a dark colour.
        measured = np.zeros(values.shape[1:], bool)
        for band, nodata in zip(values, self.nodata):
            measured |= True if nodata is None or np.isnan(nodata) else band != nodata
        if values.dtype.kind == "f":
            for band in values:
                measured &= np.isfinite(band)
        return measured

    def index_values(self, values: np.ndarray) -> np.ndarray:
        """Return the spectral index of (2, H, W) values as (H, W) float32, NaN where unknown."""
        result = INDICES[self.index].compute(*values)
        for band, nodata in zip(values, self.nodata):
            # Of an index one band without a measurement leaves nothing.
            if nodata is not None and not np.isnan(nodata):
                result[band == nodata] = np.nan
        return result

    def _opacity(
        self,
        dataset: DatasetReader,
        window: RasterWindow,
        shape: tuple[int, int],
        values: np.ndarray,
    ) -> np.ndarray | None:
        """Return opacity from 0 to 1 as (H, W) float32, or None where the file has none."""
        from rasterio.enums import Resampling

        if self.palette is not None and (self.palette[:, 3] < 255).any():
            alpha = self.palette[np.minimum(values[0], len(self.palette) - 1), 3]
            return alpha.astype(np.float32) / 255
        if self.alpha is not None:
            alpha = dataset.read(
                self.alpha, window=window, out_shape=shape, resampling=Resampling.average
            )
            return np.clip(alpha / np.float32(opaque(alpha.dtype)), 0, 1)
        if self.masked:
            mask = dataset.read_masks(self.bands[0], window=window, out_shape=shape)
            return (mask > 0).astype(np.float32)
        return None


def stretched(band: np.ndarray, low: float, high: float, *, gamma: float = 1.0) -> np.ndarray:
    """Map `low` to 0 and `high` to 255, clipped; linearly unless gamma says otherwise.

    Parameters
    ----------
    band : array
        Values of any real dtype; NaN becomes 0.
    low, high : float
        Values that become black and white; they differ.
    gamma : float
        The result is ``255 * t ** (1 / gamma)`` for t from 0 to 1 between the limits.

    Returns
    -------
    array of uint8
        Same shape.
    """
    # Small integers are exact in single precision; others may differ only far behind the point.
    precision = np.float32 if band.dtype.itemsize <= 2 else np.float64
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.subtract(band, low, dtype=precision)
        scaled *= 255 / (high - low)
        np.clip(scaled, 0, 255, out=scaled)
        np.nan_to_num(scaled, copy=False)
    if gamma != 1:
        scaled = 255 * (scaled / 255) ** precision(1 / gamma)
    return np.rint(scaled).astype(np.uint8)


def brightened(values: np.ndarray, gamma: float) -> np.ndarray:
    """Apply gamma to colours of 8 bits, by a table of its 256 results."""
    table = stretched(np.arange(256, dtype=np.float32), 0, 255, gamma=gamma)
    return table[values]


def stretch_limits(
    values: np.ndarray, percentiles: tuple[float, float] = STRETCH_PERCENTILES
) -> tuple[float, float]:
    """Return the values to show as black and white: two percentiles of the finite values.

    Where those coincide (a mask with few objects) the extremes serve, and a constant band is shown
    as mid grey.
    """
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, percentiles))
    if low == high:
        low, high = float(values.min()), float(values.max())
    if low == high:
        half = max(0.5, abs(low) * 1e-6)
        low, high = low - half, high + half
    return low, high


def strips(window: RasterWindow, shape: tuple[int, int]) -> Iterator[tuple[slice, RasterWindow]]:
    """Split a window into strips of rows: the rows of the result and what to read for them.

    That bounds the memory at work. Of a reduced window it also spares time: GDAL averages band
    after band, and would decode a large file again for each, as it does not fit into its cache.
    """
    from rasterio.windows import Window as RasterWindow

    width, height = round(window.width), round(window.height)
    scale = height / shape[0]
    rows = max(1, STRIP_PIXELS // width // STRIP_STEP) * STRIP_STEP
    rows = max(1, round(rows / scale))
    for top in range(0, shape[0], rows):
        bottom = min(top + rows, shape[0])
        start, stop = top * scale, min(bottom * scale, height)
        part = RasterWindow(window.col_off, window.row_off + start, width, stop - start)
        yield slice(top, bottom), part


def opaque(dtype: np.dtype) -> float:
    """Return the alpha value that means fully opaque."""
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
