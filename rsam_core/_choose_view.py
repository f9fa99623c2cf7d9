"""Choosing how to show a raster, from its colour tags and a sample of its pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rsam_core._raster_io import colours
from rsam_core._view import Sample, View, opaque, stretch_limits
from rsam_core.errors import SceneError

if TYPE_CHECKING:
    from rasterio.enums import ColorInterp
    from rasterio.io import DatasetReader
    from rasterio.windows import Window as RasterWindow

    Piece: TypeAlias = tuple[RasterWindow, tuple[int, int]]

# Percentiles, empty bands and false alpha are judged on a sample of at most this many pixels a
# side: a reduced read, or, from a large raster without overviews (where that would decode every
# pixel), a grid of small windows.
SAMPLE_SIDE = 1024
SAMPLE_GRID = 8
SCATTER_ABOVE = 2**24
# Real transparency is nearly all on or off; a band with more values between is a measurement.
MAX_PARTLY_TRANSPARENT = 0.2


def choose_view(
    name: str, dataset: DatasetReader, *, picture: bool
) -> tuple[View, tuple[str, ...]]:
    """Choose how to show a raster, going by its colour tags and a sample of its pixels.

    Parameters
    ----------
    name : str
        File name for messages.
    dataset : rasterio.io.DatasetReader
        The open raster.
    picture : bool
        Whether it comes from a web format (PNG, GIF, ...), whose transparency means just that.

    Returns
    -------
    view : View
        Three bands of uint8 (beside alpha) and palettes are shown unchanged, all else stretched.
    notes : tuple of str
        What the user should know about it.

    Raises
    ------
    SceneError
        No pixel holds data.
    """
    from rasterio.enums import ColorInterp, MaskFlags

    notes: list[str] = []
    tags = colours(dataset)
    pieces = _pieces(dataset)
    alpha = tags.index(ColorInterp.alpha) + 1 if ColorInterp.alpha in tags[1:] else None
    if alpha is not None and not picture and _is_measurement(dataset, alpha, pieces):
        notes.append(
            f"Band {alpha} is marked as transparency but holds measurements; it is treated as "
            "an ordinary band."
        )
        alpha = None
    data = [band for band in dataset.indexes if band != alpha]
    palette = _palette(dataset) if ColorInterp.palette in tags[:1] else None
    bands = (1,) if palette is not None else _colour_bands(data, tags)
    flags = dataset.mask_flag_enums[bands[0] - 1]
    view = View(
        bands=bands,
        nodata=tuple(dataset.nodatavals[band - 1] for band in bands),
        alpha=alpha,
        masked=MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags,
        palette=palette,
        over_white=picture,
    )
    unchanged = palette is not None or (
        len(data) == 3 and all(dataset.dtypes[band - 1] == "uint8" for band in bands)
    )
    complete = not view.masked and not alpha and palette is None and set(view.nodata) == {None}
    if unchanged and complete:
        return view, tuple(notes)
    sample = _sampled(view, dataset, pieces)
    if not sample.valid.any() and len(pieces) > 1:
        sample = _sampled(view, dataset, [_reduced(dataset)])
    values, valid = sample.values, sample.valid
    if not valid.any():
        raise SceneError(
            f"“{name}” holds no data: every pixel of the bands shown is empty (nodata, NaN or "
            "transparent). Check that the file was exported completely, or open another one."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        share = 1 - np.isfinite(values).all(axis=0).mean()
        notes.append(
            f"About {share:.1%} of the pixels are not numbers (NaN or infinite); they are shown "
            "black and left out."
        )
    if unchanged:
        return view, tuple(notes)
    limits = []
    for number, band, nodata in zip(bands, values, view.nodata):
        known = band[valid if nodata is None else valid & (band != nodata)]
        if known.size == 0:
            notes.append(f"Band {number} holds no data and is shown black.")
        limits.append(stretch_limits(known))
    return replace(view, stretch=tuple(limits)), tuple(notes)


def _pieces(dataset: DatasetReader) -> list[Piece]:
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


def _window(left: int, top: int, width: int, height: int) -> RasterWindow:
    from rasterio.windows import Window

    return Window(left, top, width, height)


def _reduced(dataset: DatasetReader) -> Piece:
    """Return the whole raster at sample size."""
    height, width = dataset.shape
    scale = min(1.0, SAMPLE_SIDE / max(height, width))
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    return _window(0, 0, width, height), shape


def _sampled(view: View, dataset: DatasetReader, pieces: list[Piece]) -> Sample:
    """Read all pieces, one beside the other as rows of a single line."""
    parts = [view.sample(dataset, window, shape, nearest=True) for window, shape in pieces]
    opacity = None
    if parts[0].opacity is not None:
        opacity = np.concatenate([part.opacity.reshape(1, -1) for part in parts], axis=-1)
    bands = len(view.bands)
    return Sample(
        np.concatenate([part.values.reshape(bands, 1, -1) for part in parts], axis=-1),
        np.concatenate([part.measured.reshape(1, -1) for part in parts], axis=-1),
        opacity,
    )


def _colour_bands(data: list[int], tags: tuple[ColorInterp, ...]) -> tuple[int, ...]:
    """Return the three bands marked red, green and blue, else the first three, or the first."""
    from rasterio.enums import ColorInterp

    if len(data) < 3:
        return (data[0],)
    wanted = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    if all(colour in tags for colour in wanted):
        return tuple(tags.index(colour) + 1 for colour in wanted)
    return tuple(data[:3])


def _is_measurement(dataset: DatasetReader, alpha: int, pieces: list[Piece]) -> bool:
    """Tell whether a band marked as transparency holds too many values in between to be one."""
    parts = [dataset.read(alpha, window=window, out_shape=shape) for window, shape in pieces]
    values = np.concatenate([part.ravel() for part in parts])
    partly = (values > 0) & (values < opaque(values.dtype))
    return bool(partly.mean() > MAX_PARTLY_TRANSPARENT)


def _palette(dataset: DatasetReader) -> np.ndarray | None:
    """Return the colour table as (N, 4) uint8, or None where band 1 has none."""
    try:
        entries = dataset.colormap(1)
    except ValueError:
        return None
    palette = np.zeros((max(entries) + 1, 4), np.uint8)
    for index, colour in entries.items():
        palette[index] = colour
    return palette
