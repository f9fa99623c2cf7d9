"""What the coordinates of outlines may mean, and which meaning fits a scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError, TruthChoice
from rsam_core.formats.placement import (
    Place,
    circle_of,
    converted,
    describe_point,
    middle_of,
    outline,
    same_system,
    to_pixels,
)
from rsam_core.formats.vector_geojson import LONGITUDE_LATITUDE
from rsam_core.formats.vector_layer import Layer
from rsam_core.scene.crs_text import plain_crs
from rsam_core.scene.longitudes import project_outlines, shapes_near

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_WGS84 = "EPSG:4326"
_SAMPLE = 2000
_FARTHEST_METRES = 1e8
_MAX_CORNERS = 20_000

PLACED: dict[str, str] = {
    "file": "the coordinate system that the file names",
    "map": "the coordinate system of the image",
    "degrees": "longitude and latitude",
    "pixels": "pixels of the image, y down from the top",
    "pixels-up": "pixels of the image, y up (minus the row), as a GIS draws over a plain picture",
}
"""What coordinates can mean, with words for people."""

_NOTES = {
    "file": "",
    "map": "The file does not name its coordinate system; that of the image was taken.",
    "degrees": "The file does not name its coordinate system; its coordinates were read as "
    "longitude and latitude, because they lie in the image that way.",
    "pixels": "Its coordinates were read as pixels of the image.",
    "pixels-up": "Its coordinates were read as pixels of the image, y being minus the row.",
}


_SWAPPED = (
    "With both coordinates of each point swapped they would meet it: save the file with x before "
    "y, longitude before latitude."
)


@dataclass(frozen=True)
class _Reading:
    """A possible meaning: its key in `PLACED`, and the coordinate system if it has one."""

    key: str
    crs: str | None = None


def in_pixels(
    layer: Layer, place: Place, name: str, placed: str | None = None
) -> tuple[list[BaseGeometry], list[str], list[tuple[str, str, str]]]:
    """Convert outlines to scene pixels.

    Parameters
    ----------
    layer : Layer
        With at least one outline.
    place : Place
    name : str
        For messages.
    placed : str, optional
        A key of `PLACED`, or a coordinate system; the first meaning that fits if not given.

    Returns
    -------
    shapes : list
    notes : list of str
    others : list of (str, str, str)
        Further meanings that fit, where this one is a guess: ``"placed"``, key, words.

    Raises
    ------
    TruthChoice
        If no likely meaning fits, and an unlikely one does.
    MetricError
        If none fits, or the wanted one is not possible.
    """
    shapes = np.array(layer.shapes, dtype=object)
    if placed is not None:
        reading = _wanted(placed, layer, place)
        pixels = _pixels(shapes, reading, place)
        if not _meets(pixels, place.shape):
            raise MetricError(_elsewhere(shapes, reading.crs, place, name))
        return list(pixels), [f"Its coordinates were read as {_words(reading)}, as asked."], []
    likely = list(_likely(layer, place, shapes))
    sample = shapes[:: max(1, len(shapes) // _SAMPLE)]
    fitting = [r for r in _every(layer, place) if _fits(sample, r, place)]
    for reading in likely:
        pixels = _pixels(shapes, reading, place)
        if not _meets(pixels, place.shape):
            continue
        if not _plausible(reading, layer, pixels, place, shapes):
            continue
        others = [r for r in fitting if r.key != reading.key and not _same(r, reading, place)]
        note, guessed = _note(reading, layer, place)
        choices = [("placed", r.key, PLACED[r.key]) for r in others] if guessed else []
        return list(pixels), [note] if note else [], choices
    message = _elsewhere(shapes, layer.crs or _presumed(layer, place, shapes), place, name)
    if _fits_swapped(sample, layer, place):
        message = f"{message} {_SWAPPED}"
    if not fitting:
        raise MetricError(message)
    offered = " or ".join(PLACED[r.key] for r in fitting)
    raise TruthChoice(
        f"{message} Read as {offered}, they would meet it.",
        "placed",
        [(r.key, PLACED[r.key]) for r in fitting],
    )


def _wanted(placed: str, layer: Layer, place: Place) -> _Reading:
    if placed in PLACED:
        known = {reading.key: reading for reading in _every(layer, place)}
        if placed in known:
            return known[placed]
        raise MetricError(
            f"The outlines cannot be read as {PLACED[placed]}: the image has no georeference, or "
            "the file names no coordinate system."
        )
    crs = plain_crs(placed)
    if crs is None or not place.crs:
        raise MetricError(
            f"“{placed[:60]}” is no coordinate system that is known here, or the image has none. "
            "Give a code such as EPSG:32737."
        )
    return _Reading(placed, crs)


def _words(reading: _Reading) -> str:
    return PLACED.get(reading.key, f"coordinates of {reading.crs}")


def _every(layer: Layer, place: Place) -> Iterator[_Reading]:
    """Every meaning that is possible at all."""
    if place.transform is not None:
        if layer.crs is not None and place.crs:
            yield _Reading("file", layer.crs)
        yield _Reading("map", place.crs)
        if place.crs and _could_be_degrees(np.array(layer.shapes, dtype=object)):
            yield _Reading("degrees", _WGS84)
    yield _Reading("pixels")
    yield _Reading("pixels-up")


def _likely(layer: Layer, place: Place, shapes: NDArray[Any]) -> Iterator[_Reading]:
    """Meanings that are taken without asking, most likely first."""
    if layer.axes:
        yield _Reading("pixels-up" if layer.axes == "up" else "pixels")
        return
    degrees = _could_be_degrees(shapes)
    # GeoJSON without a word is taken for longitude and latitude, which it need not be.
    bare = layer.crs is None or (layer.crs == LONGITUDE_LATITUDE and not degrees)
    lonlat = layer.crs == LONGITUDE_LATITUDE
    if place.transform is None:
        if bare or lonlat:
            yield from _two_ways(shapes, place)
        return
    if not bare and place.crs:
        yield _Reading("file", layer.crs)
        return
    yield _Reading("map", place.crs)
    if layer.crs is None and place.crs and degrees:
        yield _Reading("degrees", _WGS84)
    if bare or not place.crs:
        yield from _two_ways(shapes, place)


def _two_ways(shapes: NDArray[Any], place: Place) -> list[_Reading]:
    """Pixels with y down and up; first the one by which more outlines meet the image."""
    down, up = _Reading("pixels"), _Reading("pixels-up")
    counts = [_meeting(_pixels(shapes, reading, place), place.shape) for reading in (down, up)]
    return [up, down] if counts[1] > counts[0] else [down, up]


def _plausible(
    reading: _Reading, layer: Layer, pixels: NDArray[Any], place: Place, shapes: NDArray[Any]
) -> bool:
    """Whether a meaning is likely enough to be taken: specks of pixels are degrees elsewhere."""
    import shapely

    if reading.key not in ("pixels", "pixels-up") or layer.axes or place.transform is None:
        return True
    x0, y0, x1, y1 = shapely.bounds(pixels).T
    sides = np.maximum(x1 - x0, y1 - y0)
    return not (_could_be_degrees(shapes) and np.nanmedian(sides) < 1)


def _could_be_degrees(shapes: NDArray[Any]) -> bool:
    import shapely

    bounds = np.abs(shapely.total_bounds(shapes))
    return bool(bounds[[0, 2]].max() <= 360 and bounds[[1, 3]].max() <= 90)


def _presumed(layer: Layer, place: Place, shapes: NDArray[Any]) -> str | None:
    if place.transform is not None and layer.crs is None and _could_be_degrees(shapes):
        return _WGS84
    return None


def _note(reading: _Reading, layer: Layer, place: Place) -> tuple[str, bool]:
    """What to say of the meaning that was taken, and whether it is a guess."""
    if reading.key == "file":
        presumed = layer.crs == LONGITUDE_LATITUDE or same_system(layer.crs, place.crs)
        return ("", False) if presumed else (_moved(layer.crs, place), False)
    if reading.key in ("pixels", "pixels-up"):
        if layer.axes:
            return ("" if place.transform is None else _NOTES[reading.key]), False
        # Over a plain picture nothing but pixels is possible; which way up is the guess.
        quiet = place.transform is None and reading.key == "pixels"
        return ("" if quiet else _NOTES[reading.key]), True
    if reading.key == "map" and not place.crs:
        return "The image does not name its coordinate system; that of the outlines was taken.", (
            layer.crs is None
        )
    return _NOTES[reading.key], True


def _same(first: _Reading, second: _Reading, place: Place) -> bool:
    """Whether two meanings come to the same."""
    maps = ("file", "map", "degrees")
    if first.key not in maps or second.key not in maps:
        return False
    return same_system(first.crs, second.crs)


def _pixels(shapes: NDArray[Any], reading: _Reading, place: Place) -> NDArray[Any]:
    """Outlines in scene pixels by one meaning of their coordinates."""
    import shapely

    if reading.key == "pixels":
        return shapes
    if reading.key == "pixels-up":
        return shapely.transform(shapes, lambda xy: xy * np.array([1.0, -1.0]))
    crs = reading.crs if place.crs else None

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return _closed(converted(xy, crs, place.crs))

    shapes = _turned(shapes, crs, place, moved)
    return shapely.transform(shapes, lambda xy: _closed(to_pixels(xy, place)))


def _turned(shapes: NDArray[Any], crs: str | None, place: Place, moved: Any) -> NDArray[Any]:
    """Outlines in the image's coordinates; of longitudes by the names that it uses itself."""
    import shapely

    found = shapely.transform(shapes, moved)
    circle = circle_of(place.crs)
    if not circle:
        return found
    try:
        if crs and not circle_of(crs):
            # What reaches farther than around the Earth lies nowhere on it, and to cut an outline
            # of very many corners at the 180th meridian may take for ever.
            whole = np.abs(shapely.bounds(shapes)).max(axis=1) < _FARTHEST_METRES
            whole &= shapely.get_num_coordinates(shapes) < _MAX_CORNERS
            found[whole] = project_outlines(shapes[whole], moved)
        return shapes_near(found, middle_of(place), circle)
    except shapely.errors.GEOSException:
        # An outline that crosses itself cannot be cut; it stays as it is.
        return found


def _closed(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make what is no number infinite: it would equal nothing, and a ring would not be closed."""
    points = points.copy()
    points[~np.isfinite(points).all(axis=1)] = np.inf
    return points


def _moved(declared: str | None, place: Place) -> str:
    name = Place((1, 1), declared).crs_name
    return (
        f"The outlines were moved from their coordinate system ({name}) to that of the image "
        f"({place.crs_name})."
    )


def _meeting(pixels: NDArray[Any], shape: tuple[int, int]) -> int:
    """How many outlines meet the image."""
    import shapely

    bounds = shapely.bounds(pixels)
    with np.errstate(invalid="ignore"):
        x0, y0, x1, y1 = bounds[np.isfinite(bounds).all(axis=1)].T
    return int(((x1 > 0) & (y1 > 0) & (x0 < shape[1]) & (y0 < shape[0])).sum())


def _fits(shapes: NDArray[Any], reading: _Reading, place: Place) -> bool:
    try:
        return _meets(_pixels(shapes, reading, place), place.shape)
    except MetricError:
        # A local system has no way to another one.
        return False


def _fits_swapped(shapes: NDArray[Any], layer: Layer, place: Place) -> bool:
    """Whether outlines would meet the image if y came before x, as some programs write it."""
    import shapely

    turned = shapely.transform(shapes, lambda xy: xy[:, ::-1])
    maps = [r for r in _every(layer, place) if r.key in ("file", "map", "degrees")]
    return any(_fits(turned, reading, place) for reading in maps)


def _meets(pixels: NDArray[Any], shape: tuple[int, int]) -> bool:
    return _meeting(pixels, shape) > 0


def _elsewhere(shapes: NDArray[Any], declared: str | None, place: Place, name: str) -> str:
    import shapely

    x0, y0, x1, y1 = shapely.total_bounds(shapes)
    if place.transform is None:
        height, width = place.shape
        return (
            f"The outlines of “{name}” do not meet the image: they reach from ({x0:,.6g}, "
            f"{y0:,.6g}) to ({x1:,.6g}, {y1:,.6g}), and the image, which has no georeference, "
            f"has pixels from (0, 0) to ({width:,}, {height:,}). Open the georeferenced image "
            "(GeoTIFF), or give the outlines in its pixels."
        )
    edge = outline(place)
    here = describe_point((edge.min(axis=0) + edge.max(axis=0))[None] / 2, place.crs)
    there = describe_point(np.array([[(x0 + x1) / 2, (y0 + y1) / 2]]), declared)
    return (
        f"The outlines of “{name}” lie in another place than the image: they do not overlap (0 % "
        f"of the image is covered). The image lies near {here}, the outlines near {there}. Choose "
        "the file of this place, and check its coordinate system."
    )
