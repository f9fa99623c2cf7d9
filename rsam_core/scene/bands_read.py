"""Reading bands at any scale: averaged by area, complex numbers as magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rsam_core.scene.checks import dtype_of

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from rasterio.windows import Window as RasterWindow


_STRIP_PIXELS = 2**24


def read_bands(
    dataset: DatasetReader,
    bands: list[int],
    window: RasterWindow,
    shape: tuple[int, int],
    *,
    average: bool,
) -> np.ndarray:
    """Read a window of bands at another size.

    Parameters
    ----------
    dataset : rasterio.io.DatasetReader
    bands : list of int
    window : rasterio.windows.Window
    shape : (int, int)
        Height and width of the result.
    average : bool
        Average the area of each cell, where the window is reduced; otherwise take the nearest.

    Returns
    -------
    (bands, H, W) array
        Magnitudes of complex numbers; otherwise in the type of the file.
    """
    from rasterio.enums import Resampling

    average = average and shape != (round(window.height), round(window.width))
    target = (len(bands), *shape)
    nearest = {"window": window, "out_shape": target, "resampling": Resampling.nearest}
    dtype = dtype_of(dataset.dtypes[bands[0] - 1])
    if dtype.kind == "c":
        if average:
            return _means(dataset, bands, window, shape)
        return np.abs(dataset.read(bands, **nearest))
    if average and dtype in (np.uint16, np.int16) and _is_negative(dataset):
        # GDAL takes such values for grey levels of 8 bits, whatever they are.
        means = _means(dataset, bands, window, shape)
        empty = np.array([dataset.nodatavals[band - 1] or 0 for band in bands])[:, None, None]
        return np.rint(np.where(np.isnan(means), empty, means)).astype(dtype)
    if not average:
        return dataset.read(bands, **nearest)
    values = dataset.read(bands, window=window, out_shape=target, resampling=Resampling.average)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        # One NaN or infinite pixel spoils the mean of its whole cell; fall back on a real one.
        values = np.where(np.isfinite(values), values, dataset.read(bands, **nearest))
    return values


def _is_negative(dataset: DatasetReader) -> bool:
    """Whether low values are bright, as in scanned film."""
    if dataset.driver != "GTiff":
        return False
    return dataset.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") == "YES"


def _means(
    dataset: DatasetReader, bands: list[int], window: RasterWindow, shape: tuple[int, int]
) -> np.ndarray:
    """Average values, or the magnitudes of complex ones, whose phases have no mean.

    Returns
    -------
    (bands, H, W) array of float32
        NaN where nothing is known.
    """
    import cv2
    from rasterio.windows import Window

    height, width = max(1, round(window.height)), max(1, round(window.width))
    # As many rows at a time as fit into memory.
    rows = min(shape[0], max(1, int(_STRIP_PIXELS * shape[0] / (height * width))))
    result = np.empty((len(bands), *shape), np.float32)
    for top in range(0, shape[0], rows):
        bottom = min(top + rows, shape[0])
        first = round(top * height / shape[0])
        last = max(first + 1, round(bottom * height / shape[0]))
        strip = Window(
            window.col_off, window.row_off + first * window.height / height,
            window.width, (last - first) * window.height / height,
        )  # fmt: skip
        size = (shape[1], bottom - top)
        for place, band in enumerate(bands):
            values = dataset.read(band, window=strip, out_shape=(last - first, width), masked=True)
            amounts = np.abs(values.data) if values.dtype.kind == "c" else values.data
            amounts = amounts.astype(np.float32)
            known = np.isfinite(amounts) & ~np.ma.getmaskarray(values)
            weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            total = cv2.resize(np.where(known, amounts, 0), size, interpolation=cv2.INTER_AREA)
            with np.errstate(invalid="ignore", divide="ignore"):
                result[place, top:bottom] = np.where(weight > 0, total / weight, np.nan)
    return result
