"""Outlines in GeoJSON: collections, single features, and one feature a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rsam_core.errors import MetricError
from rsam_core.formats.vector_layer import Layer, marks_of, polygon_of
from rsam_core.scene.crs_text import plain_crs

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

LONGITUDE_LATITUDE = "OGC:CRS84"
_GEOMETRIES = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)
_DEEPEST = 8


def is_geojson(data: Any) -> bool:
    """Whether parsed JSON is GeoJSON, or a list of its features."""
    if isinstance(data, list):
        return bool(data) and isinstance(data[0], Mapping) and data[0].get("type") == "Feature"
    kinds = ("FeatureCollection", "Feature", *_GEOMETRIES)
    return isinstance(data, Mapping) and data.get("type") in kinds


def lines_of(text: str) -> list[Any] | None:
    """Return the features of a text with one a line; None if it is something else.

    A line may begin with the record separator of RFC 8142.
    """
    found = []
    for line in text.splitlines():
        line = line.strip("\x1e \t")
        if not line:
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            if found:
                # A line that is damaged costs its feature only.
                entry = {"type": "Feature", "geometry": {"type": "damaged"}}
            else:
                return None
        found.append(entry)
    return found if is_geojson(found) or (found and is_geojson(found[0])) else None


def read_geojson(data: Any, name: str, areas: bool = True) -> list[Layer]:
    """Return the outlines of parsed GeoJSON as one layer.

    Parameters
    ----------
    data : dict or list
        A collection, a feature, a geometry, or a list of features.
    name : str
    areas : bool
        Whether only areas are wanted, or lines and points as well.

    Raises
    ------
    MetricError
        If there are too many.
    """
    layer = Layer(name)
    if isinstance(data, Mapping):
        layer.crs = _declared(data, layer)
        if "coordinates_note" in data:
            layer.axes = "down"
    else:
        layer.crs = LONGITUDE_LATITUDE
    for feature in _features(data):
        properties = feature.get("properties")
        row = dict(properties) if isinstance(properties, Mapping) else {}
        if "id" in feature and "id" not in row:
            row["id"] = feature["id"]
        shape, reason = _shape(feature.get("geometry"), areas)
        layer.add(shape, row, reason)
    return [layer]


def _declared(data: Mapping[str, Any], layer: Layer) -> str | None:
    """Coordinate system: longitude and latitude unless an older file says another one."""
    if "crs" not in data:
        return LONGITUDE_LATITUDE
    crs = data["crs"]
    if crs is None:
        return None
    kind = crs.get("type") if isinstance(crs, Mapping) else None
    properties = crs.get("properties") if isinstance(crs, Mapping) else None
    named = properties.get("name") if isinstance(properties, Mapping) else None
    if kind == "name" or (kind is None and named):
        found = plain_crs(named)
        if found is not None:
            return LONGITUDE_LATITUDE if found == "EPSG:4326" else found
    what = "is a link, which was not followed" if kind == "link" else "is not one that is known"
    layer.notes.append(f"The coordinate system that the file names {what}.")
    return None


def _features(data: Any) -> Iterator[Mapping[str, Any]]:
    nothing: Mapping[str, Any] = {}
    if isinstance(data, list):
        entries = data
    elif data.get("type") == "FeatureCollection":
        entries = data.get("features")
        if not isinstance(entries, list):
            raise MetricError(
                "The GeoJSON file is damaged: it has no list of features. Export it again."
            )
    else:
        entries = [data]
    for entry in entries:
        if not isinstance(entry, Mapping):
            yield nothing
        elif entry.get("type") == "FeatureCollection" and isinstance(entry.get("features"), list):
            yield from (e if isinstance(e, Mapping) else nothing for e in entry["features"])
        else:
            yield {"geometry": entry} if entry.get("type") in _GEOMETRIES else entry


def _shape(geometry: Any, areas: bool) -> tuple[BaseGeometry | None, str]:
    """Return the areas of a geometry, else its lines or points if wanted, or None and why."""
    import shapely

    if geometry is None:
        return None, "without geometry"
    found, reasons = [], []
    for polygon, reason in _polygons(geometry, 0):
        if polygon is None:
            reasons.append(reason)
        else:
            found.append(polygon)
    if found:
        return (found[0] if len(found) == 1 else shapely.MultiPolygon(found)), ""
    if not areas:
        marks = list(_marks(geometry, 0))
        if marks:
            return (marks[0] if len(marks) == 1 else shapely.GeometryCollection(marks)), ""
    return None, reasons[0] if reasons else "with an empty geometry"


def _marks(geometry: Any, depth: int) -> Iterator[BaseGeometry]:
    """Lines and points of a geometry."""
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind == "GeometryCollection" and depth < _DEEPEST:
        parts = geometry.get("geometries")
        for part in parts if isinstance(parts, list) else ():
            yield from _marks(part, depth + 1)
    elif kind in ("Point", "MultiPoint", "LineString", "MultiLineString"):
        found = marks_of(kind, geometry.get("coordinates"))
        if found is not None:
            yield found


def _polygons(geometry: Any, depth: int) -> Iterator[tuple[BaseGeometry | None, str]]:
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind == "GeometryCollection" and depth < _DEEPEST:
        parts = geometry.get("geometries")
        for part in parts if isinstance(parts, list) else ():
            yield from _polygons(part, depth + 1)
        return
    if kind not in ("Polygon", "MultiPolygon"):
        lower = str(kind).lower()
        yield (
            None,
            ("points" if "point" in lower else "lines" if "line" in lower else "with no geometry"),
        )
        return
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list) or not coordinates:
        return
    for rings in [coordinates] if kind == "Polygon" else coordinates:
        if not isinstance(rings, list) or not rings:
            continue
        polygon = polygon_of(rings)
        yield polygon, "with coordinates that are no places"
