"""Opening an image: what `open_scene` finds out before a `Scene` is made."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rsam_core.errors import SceneError
from rsam_core.runtime.visible import visible
from rsam_core.scene._default_view import Chosen, Layout, choose_first_view, survey
from rsam_core.scene._formats import PICTURE_DRIVERS
from rsam_core.scene.checks import dtype_of
from rsam_core.scene.examiners import examined
from rsam_core.scene.georeference import Place, checked_crs, georeference
from rsam_core.scene.raster_file import RasterFile, colours
from rsam_core.scene.sources import file_of
from rsam_core.scene.world_file import read_world_file, sibling

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

_OWNERS = ("TIFFTAG_COPYRIGHT", "EXIF_Copyright", "Copyright")
_LONGEST = 300


@dataclass(frozen=True, eq=False)
class Opened:
    """All that opening a file tells about it.

    Attributes
    ----------
    file : RasterFile
        What to read from: the file itself, or a picture turned upright.
    header : dict
        Width, height, count, dtype, nodata, band names and attribution.
    notes : tuple of str
        What was done to the file.
    place : Place
    layout : Layout
    chosen : Chosen
        Its first view.
    content_hash : str
    """

    file: RasterFile
    header: dict[str, Any]
    notes: tuple[str, ...]
    place: Place
    layout: Layout
    chosen: Chosen
    content_hash: str


def opened(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    name: str | None,
    world_file: bytes | str | os.PathLike[str] | BinaryIO | None,
    crs: str | None,
    examine: bool | None,
) -> Opened:
    """Check a file, place it on the map and choose its first view (see `open_scene`)."""
    original = file_of(source, name)
    if original.size == 0:
        raise SceneError(
            f"“{original.name}” is empty (0 bytes): it was not saved or copied completely. "
            "Copy or download it again."
        )
    typed_crs = None if crs is None else checked_crs(crs)
    world = None if world_file is None else read_world_file(world_file, original.name)
    if examine is None:
        examine = not isinstance(source, (str, os.PathLike))
    driver = original.driver
    picture = driver in PICTURE_DRIVERS
    beside = isinstance(original.source, Path) and sibling(original.source) is not None
    file, found = examined(original, elsewhere=examine, world=world is not None or beside)
    notes = list(found.notes)
    place, attribution = Place(), ""
    if driver != "GIF":  # Only Pillow composes the frames of a GIF, so GDAL never sees one.
        with original.open() as dataset:
            place = georeference(dataset, original, world)
            attribution = _attribution(dataset)
            pages = len(dataset.subdatasets)
        if pages > 1:
            notes.insert(0, f"The file holds {pages} images; the first one is shown.")
    with file.open() as dataset:
        if driver == "GIF":
            place = georeference(dataset, original, world)
        elif found.turned and place.transform is not None:
            place = Place()
            notes.append("Its world file was left out, because it fits the photo before turning.")
        layout, layout_notes = survey(dataset, picture=picture)
        chosen = choose_first_view(file.name, dataset, layout)
        header = {
            "width": dataset.width,
            "height": dataset.height,
            "count": dataset.count,
            "dtype": dtype_of(dataset.dtypes[0]).name,
            "nodata": dataset.nodata,
            "band_names": _band_names(dataset),
            "attribution": attribution,
        }
    if typed_crs is not None:
        place = _with_typed_crs(place, typed_crs, header["width"], header["height"])
    return Opened(
        file=file,
        header=header,
        notes=(*notes, *layout_notes),
        place=place,
        layout=layout,
        chosen=chosen,
        content_hash=original.content_hash(),
    )


def _with_typed_crs(place: Place, crs: str, width: int, height: int) -> Place:
    if place.transform is None:
        note = (
            "The coordinate system that was typed has no effect, because nothing says where the "
            "pixels lie: add the world file of the image."
        )
        return replace(place, notes=(*place.notes, note))
    return Place.of(place.transform, crs, width, height)


def _attribution(dataset: DatasetReader) -> str:
    """Return whom the file names as its owner, in one line."""
    tags = dataset.tags()
    for name in _OWNERS:
        # Exif keeps the owner's name after that of an editor, behind a zero.
        told = visible(tags.get(name, "").replace("\0", " "))
        if told:
            return told[:_LONGEST]
    return ""


def _band_names(dataset: DatasetReader) -> tuple[str, ...]:
    """Return the description of each band, else its colour, else its number."""
    names = []
    for index, description, colour in zip(dataset.indexes, dataset.descriptions, colours(dataset)):
        told = colour.name if colour.name in ("red", "green", "blue", "alpha", "nir") else None
        names.append(description or told or f"band {index}")
    return tuple(names)
