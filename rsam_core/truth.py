"""Reading a ground-truth mask that somebody drew elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rsam_core._raster_io import check_content
from rsam_core._sources import file_of
from rsam_core.errors import MetricError, SceneError
from rsam_core.metrics import check_same_size

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

Source = str | os.PathLike[str] | bytes | BinaryIO


def read_truth(source: Source, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Read a ground-truth mask from a PNG or TIFF file.

    Parameters
    ----------
    source : path, bytes or binary file object
        The mask: one band of whole numbers, a palette, or colours; with or without transparency.
    shape : (int, int)
        Height and width that the mask must have: those of the image.

    Returns
    -------
    ndarray of int32, shape (H, W)
        0 is background, anything else is object.

    Raises
    ------
    MetricError
        If the file cannot be read as a mask, or its size is not `shape`.

    Notes
    -----
    Background is the value 0, or black in colours and palettes; failing that, index 0 of a
    palette; failing that, the most frequent value, unless it is the only one. Pixels that are
    transparent, marked "no data" or negative are background in any case.

    If one value besides the background occurs, each connected piece (pixels that touch by an
    edge or a corner) is an object, numbered from 1 from the top down. If several occur, each
    is an object that keeps its number; colours are numbered from 1 in ascending order of red,
    green and blue.
    """
    try:
        file = file_of(source, None)
        if file.size == 0:
            raise MetricError(f"“{file.name}” is empty (0 bytes). Save the mask again.")
        if file.driver not in ("PNG", "GTiff"):
            raise MetricError(_wrong_format(file.name, file.driver))
        with file.open() as dataset:
            # Sizes come from the header, so that a huge file costs nothing before it is refused.
            check_same_size(
                shape,
                (dataset.height, dataset.width),
                "ground-truth mask",
                reference="image",
            )
            check_content(file, dataset)
            values = _read(dataset, file.name)
    except SceneError as error:
        raise MetricError(str(error)) from error
    return _labels(values)


@dataclass(frozen=True)
class _Values:
    """What a mask file holds.

    Parameters
    ----------
    pixels : ndarray of whole numbers, shape (H, W)
    ignored : ndarray of bool, shape (H, W)
        Background whatever the value.
    background : int
        The value that means background, if it occurs.
    are_colors : bool
        Whether the values are packed colours, which make poor object numbers.
    """

    pixels: NDArray
    ignored: NDArray[np.bool_]
    background: int = 0
    are_colors: bool = False


def _read(dataset: DatasetReader, name: str) -> _Values:
    """Read the pixels of a mask file and find out what they mean."""
    from rasterio.enums import ColorInterp

    kinds = dataset.colorinterp
    ignored = np.zeros(dataset.shape, dtype=bool)
    bands = [band for band, kind in enumerate(kinds, start=1) if kind != ColorInterp.alpha]
    for band, kind in enumerate(kinds, start=1):
        if kind == ColorInterp.alpha:
            ignored |= dataset.read(band) == 0
    if len(bands) not in (1, 3):
        raise MetricError(
            f"“{name}” has {len(bands)} bands. A mask has one value a pixel, or red, green and "
            "blue. Export the mask alone as PNG or TIFF."
        )
    read = [_whole_numbers(dataset.read(band), name) for band in bands]
    for (_, missing), nodata in zip(read, dataset.nodatavals):
        ignored |= missing
        if nodata is not None and len(bands) == 1:
            ignored |= read[0][0] == nodata
    planes = [pixels for pixels, _ in read]
    if len(planes) == 3 and not all(np.array_equal(planes[0], other) for other in planes[1:]):
        bits = 8 * max(plane.dtype.itemsize for plane in planes)
        red, green, blue = (plane.astype(np.uint64) for plane in planes)
        if bits > 16:
            raise MetricError(f"“{name}” has colours of {bits} bits. Save it with 8 bits a colour.")
        return _Values(red << 2 * bits | green << bits | blue, ignored, are_colors=True)
    background = 0
    if kinds[0] == ColorInterp.palette:
        background, transparent = _palette_background(dataset.colormap(1), planes[0])
        ignored |= np.isin(planes[0], transparent)
    return _Values(planes[0], ignored | (planes[0] < 0), background)


def _whole_numbers(band: NDArray, name: str) -> tuple[NDArray, NDArray[np.bool_]]:
    """Return a band as whole numbers, and where it has none."""
    if band.dtype.kind in "ui":
        return band, np.zeros(band.shape, dtype=bool)
    missing = ~np.isfinite(band)
    if band.dtype.kind == "f":
        band = np.where(missing, 0, band)
        whole = np.clip(np.round(band), -1, 2**62).astype(np.int64)
        if (band[band >= 0] == whole[band >= 0]).all():
            return whole, missing
    raise MetricError(
        f"“{name}” holds decimal numbers, such as probabilities. Turn it into a mask of whole "
        "numbers first, 0 for the background."
    )


def _palette_background(
    colors: dict[int, tuple[int, int, int, int]], indices: NDArray
) -> tuple[int, list[int]]:
    """Return the index that is background, and those that are transparent."""
    used = [int(index) for index in np.unique(indices)]
    transparent = [index for index in used if colors.get(index, (0, 0, 0, 255))[3] == 0]
    black = [index for index in used if colors.get(index, (0, 0, 0))[:3] == (0, 0, 0)]
    # Editors sort a palette as they like, so black may have any index. Several black entries
    # are a palette that was never filled in: then the index itself is the label.
    return (black[0] if len(black) == 1 else 0), transparent


def _labels(values: _Values) -> NDArray[np.int32]:
    """Turn the values of a mask file into labels; see :func:`read_truth`."""
    pixels, ignored = values.pixels, values.ignored
    found, counts = np.unique(pixels[~ignored], return_counts=True)
    background = found == values.background
    if not background.any() and not values.are_colors:
        background = found == 0
    if not background.any() and not ignored.any() and len(found) > 1:
        background[np.argmax(counts)] = True
    objects = found[~background]
    if not len(objects):
        return np.zeros(pixels.shape, dtype=np.int32)
    if len(objects) == 1:
        from scipy import ndimage

        mask = (pixels == objects[0]) & ~ignored
        return ndimage.label(mask, structure=np.ones((3, 3)), output=np.int32)[0]
    numbers = np.arange(1, len(objects) + 1)
    if not values.are_colors and objects[-1] < np.iinfo(np.int32).max:
        # Index 0 is an object only where a palette has its background elsewhere.
        numbers = np.where(objects == 0, objects[-1] + 1, objects)
    all_numbers = np.zeros(len(found), dtype=np.int32)
    all_numbers[~background] = numbers
    labels = all_numbers[np.searchsorted(found, pixels).clip(0, len(found) - 1)]
    labels[ignored] = 0
    return labels


def _wrong_format(name: str, driver: str) -> str:
    if driver == "JPEG":
        return (
            f"“{name}” is a JPG. JPG blurs the edges of a mask and changes its numbers, so it "
            "cannot be compared exactly. Save the mask as PNG or TIFF."
        )
    return f"“{name}” is a {driver} file. Save the mask as PNG or TIFF."
