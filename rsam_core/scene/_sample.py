"""A sample of a raster's pixels, on which its contrast and its empty parts are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rsam_core.scene.rendering import Sample, View, opaque

if TYPE_CHECKING:
    from rasterio.io import DatasetReader
    from rasterio.windows import Window as RasterWindow

    Piece: TypeAlias = tuple[RasterWindow, tuple[int, int]]

# At most this many pixels a side: a reduced read, or, from a large raster without overviews (where
# that would decode every pixel), a grid of small windows.
SAMPLE_SIDE = 1024
SAMPLE_GRID = 8
SCATTER_ABOVE = 2**24
# Real transparency is nearly all on or off; a band with more values between is a measurement.
MAX_PARTLY_TRANSPARENT = 0.2


def sampled(view: View, dataset: DatasetReader) -> Sample:
    """Read the bands of a view all over the raster, one place beside the other in a single row.

    If the scattered places of a large raster are all empty, the whole of it is read reduced.
    """
    places = pieces(dataset)
    sample = _read(view, dataset, places)
    if not sample.valid.any() and len(places) > 1:
        sample = _read(view, dataset, [_reduced(dataset)])
    return sample


def is_measurement(dataset: DatasetReader, alpha: int) -> bool:
    """Tell whether a band marked as transparency holds too many values in between to be one."""
    parts = [
        dataset.read(alpha, window=window, out_shape=shape) for window, shape in pieces(dataset)
    ]
    values = np.concatenate([part.ravel() for part in parts])
    partly = (values > 0) & (values < opaque(values.dtype))
    return bool(partly.mean() > MAX_PARTLY_TRANSPARENT)


def pieces(dataset: DatasetReader) -> list[Piece]:
    """Return which windows to sample, and at what size."""
    height, width = dataset.shape
    side = SAMPLE_SIDE // SAMPLE_GRID
    if dataset.overviews(1) or height * width <= SCATTER_ABOVE or min(height, width) < side:
        return [_reduced(dataset)]
    lefts = np.linspace(0, width - side, SAMPLE_GRID).astype(int)
    tops = np.linspace(0, height - side, SAMPLE_GRID).astype(int)
    return [
        (_window(int(left), int(top), side, side), (side, side)) for top in tops for left in lefts
    ]


def _read(view: View, dataset: DatasetReader, places: list[Piece]) -> Sample:
    parts = [view.sample(dataset, window, shape, nearest=True) for window, shape in places]
    opacity = None
    if parts[0].opacity is not None:
        opacity = np.concatenate([part.opacity.reshape(1, -1) for part in parts], axis=-1)
    bands = len(view.bands)
    return Sample(
        np.concatenate([part.values.reshape(bands, 1, -1) for part in parts], axis=-1),
        np.concatenate([part.measured.reshape(1, -1) for part in parts], axis=-1),
        opacity,
    )


def _reduced(dataset: DatasetReader) -> Piece:
    """Return the whole raster at sample size."""
    height, width = dataset.shape
    scale = min(1.0, SAMPLE_SIDE / max(height, width))
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    return _window(0, 0, width, height), shape


def _window(left: int, top: int, width: int, height: int) -> RasterWindow:
    from rasterio.windows import Window

    return Window(left, top, width, height)
