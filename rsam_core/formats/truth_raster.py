"""Truth as a raster: masks, label images and colour pictures, placed by their georeference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.formats.placement import (
    Place,
    beside,
    circle_of,
    converted,
    footprint,
    middle_of,
    same_system,
    share_text,
    to_map,
    to_pixels,
    where_text,
)
from rsam_core.formats.truth_soft import jpeg_mask, soft_pixels, without_borders
from rsam_core.objects.checks import check_same_size
from rsam_core.scene.checks import check_content
from rsam_core.scene.crs_text import crs_of
from rsam_core.scene.longitudes import wrap_longitudes_near
from rsam_core.scene.raster_file import RasterFile

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.io import DatasetReader

_SAME_GRID = 0.01
"""Pixels by which two grids may differ and still be the same."""
_NO_NUMBER = 1e37
"""From here on a value means "no data": 1.70141e38 in Surfer grids, 3.4028e38 in others."""


Others = list[tuple[str, str, str]]


def read_raster(
    file: RasterFile, place: Place, *, fit: bool = False, values: str | None = None
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None, list[str], Others]:
    """Read the labels of a mask file in the pixels of a scene.

    Parameters
    ----------
    file : RasterFile
    place : Place
        The scene's size and georeference.
    fit : bool
        Whether a mask without georeference and of another size, but of the same proportions, is
        stretched to the scene (nearest pixel).
    values : {"labels", "mask"}, optional
        What values mean; see :func:`rsam_core.formats.truth.read_truth`.

    Returns
    -------
    labels : ndarray of int32, shape (H, W)
    covered : ndarray of bool, shape (H, W), or None
        Where the file says something; None if everywhere.
    notes : list of str
        What was done to make it fit.
    others : list of (str, str, str)
        Other readings where this one is a guess: option, value, words.

    Raises
    ------
    MetricError
        If it is no mask, or does not fit the scene.
    """
    if values not in (None, "labels", "mask"):
        raise MetricError(f"Values are read as “labels” or as a “mask”, not as {values!r}.")
    if file.driver not in ("PNG", "GTiff"):
        raise MetricError(wrong_format(file.name, file.driver))
    with file.open() as dataset:
        own = _place_of(dataset, file.name)
        if place.transform is not None and own.transform is not None and (own.crs or not place.crs):
            return _aligned(file, dataset, own, place, values)
        # Sizes come from the header, so that a huge file costs nothing before it is refused.
        size = dataset.height, dataset.width
        stretch = fit and size != place.shape and same_proportions(size, place.shape)
        if not stretch:
            check_same_size(place.shape, size, "ground-truth mask", reference="image")
        check_content(file, dataset)
        held = read_values(dataset, file.name)
    labels, notes, others = sharp_labels(held, file.name, values)
    if not stretch:
        return labels, None, notes, others
    note = f"The mask was stretched from {size[1]} × {size[0]} pixels to the size of the image."
    return _stretched(labels, place.shape), None, [note, *notes], others


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
    transform = dataset.transform
    determinant = transform.a * transform.e - transform.b * transform.d
    if transform.is_identity or not np.isfinite(transform[:6]).all() or determinant == 0:
        return Place(dataset.shape, name=name)
    return Place(dataset.shape, crs_of(dataset), transform, name)


def _aligned(
    file: RasterFile, dataset: DatasetReader, own: Place, place: Place, values: str | None
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None, list[str], Others]:
    """Read a georeferenced mask where it lies on the ground, nearest pixel."""
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT

    if _same_grid(own, place):
        check_content(file, dataset)
        labels, notes, others = sharp_labels(read_values(dataset, file.name), file.name, values)
        return labels, None, notes, others
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
        # An image that lies somewhere, but does not say in which system, is taken for the mask's.
        crs=place.crs or own.crs,
        transform=_turned(own, place),
        width=width,
        height=height,
        resampling=Resampling.nearest,
    ) as warped:
        held = read_values(warped, file.name, dataset)
    labels, notes, others = sharp_labels(replace(held, outside=~covered), file.name, values)
    notes = [_how(own, place), *notes]
    if covered.all():
        return labels, None, notes, others
    notes.append(f"The mask covers {share_text(covered)} of the image; only this part is compared.")
    return labels, covered, notes, others


def _turned(own: Place, place: Place) -> Affine:
    """The image's transform, its longitudes counted as the mask's are."""
    circle = circle_of(place.crs)
    if circle is None or circle_of(own.crs) != circle:
        return place.transform
    middle = middle_of(place)
    shift = float(wrap_longitudes_near(middle, middle_of(own), circle)) - middle
    return place.transform.translation(shift, 0) @ place.transform


def _same_grid(own: Place, place: Place) -> bool:
    """Whether the pixels are the same, whatever the systems are called."""
    if own.shape != place.shape:
        return False
    height, width = place.shape
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)], dtype=float)
    there = to_pixels(beside(converted(to_map(corners, own), own.crs, place.crs), place), place)
    return bool(np.isfinite(there).all() and np.abs(there - corners).max() <= _SAME_GRID)


def _how(own: Place, place: Place) -> str:
    if place.crs and not same_system(own.crs, place.crs):
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
    is_palette : bool
        Whether the values are numbers of colours, which do not mix.
    """

    pixels: NDArray
    ignored: NDArray[np.bool_]
    background: int = 0
    are_colors: bool = False
    outside: NDArray[np.bool_] | None = None
    is_palette: bool = False


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
    # In colours, a value that marks "no data" in each band alone is a colour like others.
    nodata = described.nodatavals[bands[0] - 1] if len(bands) == 1 else None
    read = [_whole_numbers(dataset.read(band), name, nodata) for band in bands]
    for _, missing in read:
        ignored |= missing
    planes = [pixels for pixels, _ in read]
    if len(planes) == 3 and not all(np.array_equal(planes[0], other) for other in planes[1:]):
        bits = 8 * max(plane.dtype.itemsize for plane in planes)
        red, green, blue = (plane.astype(np.uint64) for plane in planes)
        if bits > 16:
            raise MetricError(f"“{name}” has colours of {bits} bits. Save it with 8 bits a colour.")
        return Values(red << 2 * bits | green << bits | blue, ignored, are_colors=True)
    background, palette = 0, kinds[0] == ColorInterp.palette
    if palette:
        background, transparent = _palette_background(described.colormap(1), planes[0])
        ignored |= np.isin(planes[0], transparent)
    return Values(planes[0], ignored | (planes[0] < 0), background, is_palette=palette)


def _whole_numbers(
    band: NDArray, name: str, nodata: float | None = None
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Return a band as whole numbers, and where it has none."""
    if band.dtype.kind in "ui":
        missing = band == nodata if nodata is not None else np.zeros(band.shape, dtype=bool)
        return band, missing
    if band.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            # Some programs mark "no data" by the largest number there is, and do not say so.
            missing = ~(np.abs(band) < _NO_NUMBER)
            if nodata is not None and np.isfinite(nodata):
                # Written with a few digits, it may differ in the last one.
                missing |= np.isclose(band, nodata, rtol=1e-6, atol=0)
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
    """Turn the values of a mask file into labels; see `read_truth`."""
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
        return _pieces((pixels == objects[0]) & ~ignored)
    # In eight bits, the number after the last one would be 0.
    objects = objects.astype(np.uint64 if objects.dtype == np.uint64 else np.int64)
    numbers = np.arange(1, len(objects) + 1)
    if not values.are_colors and objects[-1] < np.iinfo(np.int32).max:
        # Index 0 is an object only where a palette has its background elsewhere.
        numbers = np.where(objects == 0, objects[-1] + 1, objects)
    all_numbers = np.zeros(len(found), dtype=np.int32)
    all_numbers[~background] = numbers
    labels = all_numbers[np.searchsorted(found, pixels).clip(0, len(found) - 1)]
    labels[ignored] = 0
    return labels


def sharp_labels(
    values: Values, name: str, wanted: str | None = None
) -> tuple[NDArray[np.int32], list[str], Others]:
    """Turn values into labels, without the grey borders of smooth resizing and of JPEG.

    Parameters
    ----------
    values : Values
    name : str
        Of the file, for messages.
    wanted : {"labels", "mask"}, optional
        What values mean, if it is known.

    Returns
    -------
    labels : ndarray of int32, shape (H, W)
    notes : list of str
    others : list of (str, str, str)
    """
    if wanted == "mask":
        return labels_of(_thresholded(values)), ["Read as a mask, as asked."], []
    labels = labels_of(values)
    if wanted == "labels" or not _may_be_soft(labels):
        return labels, [], []
    ignored = values.ignored if values.outside is None else values.ignored | values.outside
    others: Others = [("values", "labels", "a label image in which each value is an object")]
    if not values.are_colors and not values.is_palette and jpeg_mask(values.pixels):
        note = (
            "Around the edges lie values in between, as JPEG and smooth resizing leave them; what "
            "is at least half as high as the highest value was taken as object."
        )
        return labels_of(_thresholded(values)), [note], others
    if values.is_palette:
        return labels, [], []
    soft = soft_pixels(_brightness(values), ignored)
    if soft is None:
        return labels, [], []
    clean = without_borders(np.where(soft, 0, labels), soft)
    kept = np.unique(clean[clean != 0])
    note = (
        f"The edges of “{name}” hold values in between, as smooth resizing leaves them. They were "
        "given to the object or background beside them; resize masks with “nearest neighbour”."
    )
    if len(kept) == 1:
        clean = _pieces(clean != 0)
    return clean, [note], others


def _may_be_soft(labels: NDArray[np.int32]) -> bool:
    return bool(labels.any()) and min(labels.shape) >= 4


def _thresholded(values: Values) -> Values:
    """What is at least half as high as the highest value, as 1."""
    pixels = values.pixels
    if values.are_colors:
        pixels = _brightness(values)
    used = pixels[~values.ignored]
    half = int(used.max()) / 2 if used.size else 1
    return Values((pixels >= max(half, 1)).astype(np.uint8), values.ignored, outside=values.outside)


def _brightness(values: Values) -> NDArray:
    """Values, or of colours a sum in which mixtures lie between what was mixed."""
    if not values.are_colors:
        return values.pixels
    bits = 8 if int(values.pixels.max()) < 1 << 24 else 16
    parts = [values.pixels >> np.uint64(shift * bits) & np.uint64((1 << bits) - 1)
             for shift in (2, 1, 0)]  # fmt: skip
    return (3 * parts[0] + 5 * parts[1] + 7 * parts[2]).astype(np.int64)


def _pieces(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the connected pieces of a mask."""
    from scipy import ndimage

    return ndimage.label(mask, structure=np.ones((3, 3)), output=np.int32)[0]


def wrong_format(name: str, driver: str) -> str:
    if driver == "JPEG":
        return (
            f"“{name}” is a JPG. JPG blurs the edges of a mask and changes its numbers, so it "
            "cannot be compared exactly. Save the mask as PNG or TIFF."
        )
    return f"“{name}” is a {driver} file. Save the mask as PNG or TIFF."
