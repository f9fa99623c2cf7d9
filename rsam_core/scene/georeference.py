"""Where the pixels of a raster lie on the ground, as far as its file tells."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rsam_core.errors import SceneError
from rsam_core.scene._beside import inside
from rsam_core.scene.crs_text import crs_of, names_files, plain_crs
from rsam_core.scene.ground_distance import ground_sample_distance, like_degrees
from rsam_core.scene.world_file import read_world_file, sibling

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.io import DatasetReader

    from rsam_core.scene.raster_file import RasterFile

_MAX_PROJECTION = 20_000
# From this difference in pixel size between top and bottom on, the user is told.
_NOTED_GSD_SPREAD = 0.02
# Ends the notes that a typed ground distance settles.
TYPE_GSD = "Type the ground distance of a pixel if you know it."
_DEGREES_UNNAMED = (
    "Its coordinates look like degrees. If they are, type EPSG:4326 as its coordinate system."
)
_DEGREES_NAMED = (
    "The coordinates of this file look like degrees, but its coordinate system counts in metres or "
    "feet, so sizes are probably wrong. If they are degrees, save the file with EPSG:4326 in the "
    "program it comes from. " + TYPE_GSD
)


@dataclass(frozen=True)
class Place:
    """Where a raster lies, and how large its pixels are on the ground.

    Attributes
    ----------
    crs : str or None
    transform : affine.Affine or None
    gsd : float or None
        Metres.
    notes : tuple of str
        What is missing or odd about it.
    """

    crs: str | None = None
    transform: Affine | None = None
    gsd: float | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, transform: Affine, crs: str | None, width: int, height: int) -> Place:
        """Place a raster of that size by its transform, and by its CRS if that is known."""
        if crs is None:
            note = (
                "The file does not name its coordinate system, so sizes in metres are unknown. "
                + TYPE_GSD
            )
            degrees = like_degrees(transform, None, width, height)
            return cls(None, transform, None, (note, _DEGREES_UNNAMED) if degrees else (note,))
        gsd, notes = measured_gsd(transform, crs, width, height)
        return cls(crs, transform, gsd, tuple(notes))


def georeference(dataset: DatasetReader, file: RasterFile, world: Affine | None = None) -> Place:
    """Place an open raster as far as its file, or a world file, tells.

    Parameters
    ----------
    dataset : rasterio.io.DatasetReader
    file : RasterFile
        Where it comes from; a world file beside it is used if it has no place of its own.
    world : affine.Affine, optional
        Transform of a world file that the user gave.
    """
    notes: list[str] = []
    crs = crs_of(dataset)
    transform = dataset.transform
    if transform.is_identity:
        transform = None
    elif not _has_area(transform):
        transform = None
        notes.append(
            "The georeference of this file is broken (its pixels have no size on the map), so it "
            "is treated as a plain image."
        )
    elif world is not None and not _same(transform, world, dataset.width, dataset.height):
        notes.append(
            "The world file and the image itself place it differently; the image's own place is "
            "used."
        )
    if transform is None and world is None and isinstance(file.source, Path):
        world, more = _world_file_beside(file.source)
        notes += more
    if transform is None and world is not None:
        transform, notes = world, []
    if transform is not None:
        if crs is None and isinstance(file.source, Path):
            crs = _projection_beside(file.source)
        place = Place.of(transform, crs, dataset.width, dataset.height)
        return replace(place, notes=(*notes, *place.notes))
    points = dataset.gcps[0]
    if points:
        notes.append(
            f"The file carries {len(points)} ground control points but is not rectified; it is "
            "treated as a plain image."
        )
    elif dataset.tags(ns="RPC"):
        notes.append(
            "The file carries the camera model of a satellite (RPC) but is not rectified; it is "
            "treated as a plain image. Rectify it in a GIS to measure in metres."
        )
    elif crs is not None and not notes:
        notes.append(
            "The file names a coordinate system but not where its pixels lie, so it is treated "
            "as a plain image."
        )
    return Place(notes=tuple(notes))


def checked_crs(crs: object) -> str:
    """Return a coordinate system that a user typed as "EPSG:32637", or WKT where it has no code.

    Raises
    ------
    SceneError
        There is no such system, or it has no ground to measure on.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    typed = str(crs).strip()
    try:
        if names_files(typed):
            raise ValueError("it names files")
        found = CRS.from_user_input(f"EPSG:{typed}" if typed.isdigit() else typed)
    except (CRSError, ValueError) as error:
        raise SceneError(
            f"There is no coordinate system “{typed[:40]}”. Type its EPSG code, for example "
            "EPSG:4326 for degrees or EPSG:32737 for UTM zone 37 south."
        ) from error
    if not (found.is_geographic or found.is_projected or found.is_compound):
        raise SceneError(
            f"{found.name} is no coordinate system of a map. Type the EPSG code of a map "
            "projection (such as UTM), or EPSG:4326 for degrees."
        )
    code = found.to_epsg()
    return f"EPSG:{code}" if code else found.to_wkt()


def _has_area(transform: Affine) -> bool:
    determinant = transform.a * transform.e - transform.b * transform.d
    return all(math.isfinite(value) for value in transform[:6]) and determinant != 0


def _same(one: Affine, other: Affine, width: int, height: int) -> bool:
    """Tell whether two transforms put the corners within half a pixel of each other."""
    side = math.sqrt(abs(one.a * one.e - one.b * one.d))
    difference = [here - there for here, there in zip(one[:6], other[:6])]
    a, b, c, d, e, f = difference
    return all(
        math.hypot(a * x + b * y + c, d * x + e * y + f) <= 0.5 * side
        for x in (0, width)
        for y in (0, height)
    )


def _world_file_beside(path: Path) -> tuple[Affine | None, list[str]]:
    """Return the transform of a world file that GDAL did not use, with a note if it is broken."""
    beside = sibling(path)
    if beside is None or inside(beside, path.parent) is None:
        return None, []
    try:
        return read_world_file(beside, path.name), []
    except SceneError as error:
        return None, [f"{error} Until then the image is treated as a plain one."]


def _projection_beside(path: Path) -> str | None:
    """Return the coordinate system in the Esri .prj file beside an image, if it is usable."""
    beside = inside(path.with_suffix(".prj"), path.parent)
    try:
        if beside is None or beside.stat().st_size > _MAX_PROJECTION:
            return None
        # From a file only what names no other file (of grids, say) is taken.
        text = plain_crs(beside.read_text("utf-8-sig"))
        return None if text is None else checked_crs(text)
    except (OSError, ValueError, SceneError):
        return None


def _local_unit(crs: str) -> float | None:
    """Return the metres in a unit of a local (engineering) grid; None for any other system."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        found = CRS.from_user_input(crs)
    except CRSError:
        return None
    if found.is_compound and found.sub_crs_list:
        found = found.sub_crs_list[0]
    axes = [axis for axis in found.axis_info if "angle" not in axis.unit_name]
    if "Engineering" not in found.type_name or len(axes) < 2 or "deg" in axes[0].unit_name:
        return None
    unit = axes[0].unit_conversion_factor
    return unit if 0 < unit < 1e6 and unit == axes[1].unit_conversion_factor else None


def measured_gsd(
    transform: Affine, crs: str, width: int, height: int
) -> tuple[float | None, list[str]]:
    """Return the ground sample distance at the centre, and notes where it is unknown or varies."""
    gsd = ground_sample_distance(transform, crs, width, height)
    local = _local_unit(crs) if gsd is None else None
    if local is not None:
        side = math.sqrt(abs(transform.a * transform.e - transform.b * transform.d)) * local
        return side, [
            "The file lies on a local grid that no map knows: sizes are taken from its unit of "
            "length, and there are no degrees of longitude and latitude."
        ]
    if gsd is None:
        return None, [
            "The coordinates of this file do not fit its coordinate system, so sizes in metres are "
            "unknown. " + TYPE_GSD
        ]
    notes = [_DEGREES_NAMED] if like_degrees(transform, crs, width, height) else []
    ends = [ground_sample_distance(transform, crs, width, height, y=y) for y in (0.5, height - 0.5)]
    known = [value for value in ends if value is not None]
    spread = (max(known) - min(known)) / gsd if known else 0.0
    if spread > _NOTED_GSD_SPREAD:
        notes.append(
            f"The size of a pixel on the ground varies by {spread:.0%} from top to bottom; each "
            "object is measured where it lies, and the ground distance shown is that of the centre."
        )
    return gsd, notes
