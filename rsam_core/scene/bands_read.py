"""Reading bands at any scale: averaged by area, complex numbers as magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rsam_core.scene.checks import dtype_of

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from rasterio.windows import Window as RasterWindow


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
    if dtype_of(dataset.dtypes[bands[0] - 1]).kind == "c":
        if average:
            return _mean_magnitudes(dataset, bands, window, shape)
        return np.abs(dataset.read(bands, **nearest))
    if not average:
        return dataset.read(bands, **nearest)
    values = dataset.read(bands, window=window, out_shape=target, resampling=Resampling.average)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        # One NaN or infinite pixel spoils the mean of its whole cell; fall back on a real one.
        values = np.where(np.isfinite(values), values, dataset.read(bands, **nearest))
    return values


def _mean_magnitudes(
    dataset: DatasetReader, bands: list[int], window: RasterWindow, shape: tuple[int, int]
) -> np.ndarray:
    """Average magnitudes: phases of neighbours are random, so that their own mean is nothing."""
    import cv2

    whole = (max(1, round(window.height)), max(1, round(window.width)))
    result = np.empty((len(bands), *shape), np.float32)
    for place, band in enumerate(bands):
        values = dataset.read(band, window=window, out_shape=whole)
        size = np.abs(values).astype(np.float32)
        known = np.isfinite(size)
        weight = cv2.resize(known.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
        total = cv2.resize(np.where(known, size, 0), shape[::-1], interpolation=cv2.INTER_AREA)
        with np.errstate(invalid="ignore", divide="ignore"):
            result[place] = np.where(weight > 0, total / weight, np.nan)
    return result
