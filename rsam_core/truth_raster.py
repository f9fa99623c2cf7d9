"""Truth as a raster: masks, label images and colour pictures, placed by their georeference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core._raster_io import RasterFile, check_content
from rsam_core.errors import MetricError
from rsam_core.metrics import check_same_size
from rsam_core.truth_place import (
    Place,
    footprint,
    share_text,
    to_map,
    to_pixels,
    where_text,
)

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

_SAME_GRID = 0.01
"""Pixels by which two grids may differ and still be the same."""


def read_raster(
    file: RasterFile, place: Place, *, fit: bool = False
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None, list[str]]:
    """Read the labels of a mask file in the pixels of a scene.

    Parameters
    ----------
    file : RasterFile
    place : Place
        The scene's size and georeference.
    fit : bool
        Whether a mask without georeference and of another size, but of the same proportions, is
        stretched to the scene (nearest pixel).

    Returns
    -------
    labels : ndarray of int32, shape (H, W)
    covered : ndarray of bool, shape (H, W), or None
        Where the file says something; None if everywhere.
    notes : list of str
        What was done to make it fit.

    Raises
    ------
    MetricError
        If it is no mask, or does not fit the scene.
    """
    if file.driver not in ("PNG", "GTiff"):
        raise MetricError(wrong_format(file.name, file.driver))
    with file.open() as dataset:
        own = _place_of(dataset, file.name)
        if place.transform is not None and own.transform is not None and (own.crs or not place.crs):
            return _aligned(file, dataset, own, place)
        # Sizes come from the header, so that a huge file costs nothing before it is refused.
        size = dataset.height, dataset.width
        stretch = fit and size != place.shape and same_proportions(size, place.shape)
        if not stretch:
            check_same_size(place.shape, size, "ground-truth mask", reference="image")
        check_content(file, dataset)
        values = read_values(dataset, file.name)
    labels = labels_of(values)
    if not stretch:
        return labels, None, []
    note = f"The mask was stretched from {size[1]} × {size[0]} pixels to the size of the image."
    return _stretched(labels, place.shape), None, [note]


def same_proportions(size: tuple[int, int], shape: tuple[int, int]) -> bool:
    """Whether two (height, width) differ by their scale only, up to a pixel of rounding."""
    return abs(size[0] * shape[1] - size[1] * shape[0]) <= max(*size, *shape)


def _stretched(labels: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for old, new in zip(labels.shape, shape)
    )
    return labels[np.ix_(rows, columns)]


def _place_of(dataset: DatasetReader, name: str) -> Place:
    """Where a raster lies, as far as its file tells."""
    from rasterio.errors import CRSError

    transform = dataset.transform
    determinant = transform.a * transform.e - transform.b * transform.d
    if transform.is_identity or not np.isfinite(transform[:6]).all() or determinant == 0:
        return Place(dataset.shape, name=name)
    try:
        crs = dataset.crs.to_string() if dataset.crs else None
    except CRSError:
        crs = None
    return Place(dataset.shape, crs, transform, name)


def _aligned(
    file: RasterFile, dataset: DatasetReader, own: Place, place: Place
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None, list[str]]:
    """Read a georeferenced mask where it lies on the ground, nearest pixel."""
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT

    if _same_grid(own, place):
        check_content(file, dataset)
        return labels_of(read_values(dataset, file.name)), None, []
    covered = footprint(own, place)
    if not covered.any():
        raise MetricError(
            f"“{file.name}” shows another place than the image: they do not overlap (0 % of the "
            f"image is covered). {where_text(own, place)} Choose the mask of this image; if only "
            "its georeference is wrong, save it as a PNG of the same size, which is laid onto the "
            "image as it is."
        )
    check_content(file, dataset)
    height, width = place.shape
    with WarpedVRT(
        dataset,
        src_crs=own.crs,
        crs=place.crs,
        transform=place.transform,
        width=width,
        height=height,
        resampling=Resampling.nearest,
    ) as warped:
        values = read_values(warped, file.name, dataset)
    labels = labels_of(replace(values, outside=~covered))
    notes = [_how(own, place)]
    if covered.all():
        return labels, None, notes
    notes.append(f"The mask covers {share_text(covered)} of the image; only this part is compared.")
    return labels, covered, notes


def _same_grid(own: Place, place: Place) -> bool:
    if own.shape != place.shape or own.crs != place.crs:
        return False
    height, width = place.shape
    corners = np.array([(0, 0), (width, 0), (0, height)], dtype=float)
    there = to_pixels(to_map(corners, own), place)
    return bool(np.abs(there - corners).max() <= _SAME_GRID)


def _how(own: Place, place: Place) -> str:
    if own.crs != place.crs:
        return (
            f"The mask was moved from its coordinate system ({own.crs_name}) to that of the "
            f"image ({place.crs_name}), nearest pixel."
        )
    return "The mask was laid onto the image by its georeference, nearest pixel."


@dataclass(frozen=True)
class Values:
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
    outside : ndarray of bool, shape (H, W), optional
        Where the file says nothing, because it does not reach there.
    """

    pixels: NDArray
    ignored: NDArray[np.bool_]
    background: int = 0
    are_colors: bool = False
    outside: NDArray[np.bool_] | None = None


def read_values(
    dataset: DatasetReader, name: str, described: DatasetReader | None = None
) -> Values:
    """Read the pixels of a mask file and find out what they mean.

    Parameters
    ----------
    dataset : DatasetReader
        Where to read.
    name : str
        For messages.
    described : DatasetReader, optional
        The file itself, if `dataset` is a warped view of it, for its colours.
    """
    from rasterio.enums import ColorInterp

    described = described or dataset
    kinds = described.colorinterp
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
    for (_, missing), nodata in zip(read, described.nodatavals):
        ignored |= missing
        if nodata is not None and len(bands) == 1:
            ignored |= read[0][0] == nodata
    planes = [pixels for pixels, _ in read]
    if len(planes) == 3 and not all(np.array_equal(planes[0], other) for other in planes[1:]):
        bits = 8 * max(plane.dtype.itemsize for plane in planes)
        red, green, blue = (plane.astype(np.uint64) for plane in planes)
        if bits > 16:
            raise MetricError(f"“{name}” has colours of {bits} bits. Save it with 8 bits a colour.")
        return Values(red << 2 * bits | green << bits | blue, ignored, are_colors=True)
    background = 0
    if kinds[0] == ColorInterp.palette:
        background, transparent = _palette_background(described.colormap(1), planes[0])
        ignored |= np.isin(planes[0], transparent)
    return Values(planes[0], ignored | (planes[0] < 0), background)


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


def labels_of(values: Values) -> NDArray[np.int32]:
    """Turn the values of a mask file into labels; see :func:`rsam_core.truth.read_truth`."""
    pixels, ignored, outside = values.pixels, values.ignored, values.outside
    # What the file does not reach must not make it look as if it had a background of its own.
    partly = ignored.any() if outside is None else (ignored & ~outside).any()
    ignored = ignored if outside is None else ignored | outside
    found, counts = np.unique(pixels[~ignored], return_counts=True)
    background = found == values.background
    if not background.any() and not values.are_colors:
        background = found == 0
    if not background.any() and not partly and len(found) > 1:
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


def wrong_format(name: str, driver: str) -> str:
    if driver == "JPEG":
        return (
            f"“{name}” is a JPG. JPG blurs the edges of a mask and changes its numbers, so it "
            "cannot be compared exactly. Save the mask as PNG or TIFF."
        )
    return f"“{name}” is a {driver} file. Save the mask as PNG or TIFF."
