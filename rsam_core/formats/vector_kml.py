"""Outlines in KML; links in it are not followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np

from rsam_core.errors import MetricError
from rsam_core.formats.vector_geojson import LONGITUDE_LATITUDE
from rsam_core.formats.vector_layer import Layer, marks_of, polygon_of

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_LINKS = ("NetworkLink", "NetworkLinkControl", "GroundOverlay", "ScreenOverlay", "PhotoOverlay")


def is_kml(head: bytes) -> bool:
    """Whether the first few hundred bytes of a file begin like KML."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"<") and b"<kml" in text.lower()


def read_kml(content: bytes, name: str, areas: bool = True) -> list[Layer]:
    """Return the areas of all placemarks as one layer; lines and points, too, if wanted.

    Raises
    ------
    MetricError
        If it is no KML.
    """
    damaged = MetricError(f"“{name}” is damaged: it is no complete KML. Export it again.")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise MetricError(
            f"“{name}” defines texts of its own (DOCTYPE), which KML does not need. It was not "
            "opened. Export it again."
        )
    try:
        root = ET.fromstring(content)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise damaged from error
    if _tag(root) != "kml":
        raise damaged
    layer = Layer(name, crs=LONGITUDE_LATITUDE)
    links = 0
    for element in root.iter():
        tag = _tag(element)
        links += tag in _LINKS
        if tag == "Placemark":
            shape, reason = _shape(element, areas)
            layer.add(shape, _attributes(element), reason)
    if links:
        what = "link or picture" if links == 1 else "links or pictures"
        layer.notes.append(f"{links:,} {what} in the KML file {'was' if links == 1 else 'were'} "
                           "not followed.")  # fmt: skip
    return [layer]


def _tag(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _own(placemark: ET.Element) -> Iterator[ET.Element]:
    """All parts of a placemark but those of placemarks in it, which come for themselves."""
    waiting = [placemark]
    while waiting:
        element = waiting.pop()
        yield element
        waiting += [child for child in reversed(element) if _tag(child) != "Placemark"]


def _attributes(placemark: ET.Element) -> dict[str, Any]:
    row: dict[str, Any] = {}
    name = next((child for child in placemark if _tag(child) == "name"), None)
    if name is not None:
        row["name"] = (name.text or "").strip()
    for element in _own(placemark):
        tag = _tag(element)
        if tag == "Data":
            value = next((child for child in element if _tag(child) == "value"), None)
            row[element.get("name", "")] = (value.text or "").strip() if value is not None else None
        elif tag == "SimpleData":
            row[element.get("name", "")] = (element.text or "").strip()
    return row


def _shape(placemark: ET.Element, areas: bool) -> tuple[BaseGeometry | None, str]:
    import shapely

    found, kinds = [], set()
    for element in _own(placemark):
        kinds.add(_tag(element))
        if _tag(element) != "Polygon":
            continue
        rings = [
            _ring(line)
            for kind in ("outerBoundaryIs", "innerBoundaryIs")
            for boundary in element
            if _tag(boundary) == kind
            for line in boundary.iter()
            if _tag(line) == "coordinates"
        ]
        polygon = polygon_of(rings)
        if polygon is not None:
            found.append(polygon)
    if found:
        return (found[0] if len(found) == 1 else shapely.MultiPolygon(found)), ""
    if "Polygon" in kinds:
        return None, "with coordinates that are no places"
    if not areas and (marks := _marks(placemark)):
        return (marks[0] if len(marks) == 1 else shapely.GeometryCollection(marks)), ""
    if "Point" in kinds:
        return None, "points"
    return None, "lines" if kinds & {"LineString", "LinearRing"} else "without geometry"


def _marks(placemark: ET.Element) -> list[BaseGeometry]:
    """Lines and points of a placemark."""
    found = []
    for element in _own(placemark):
        kind = {"Point": "MultiPoint", "LineString": "LineString"}.get(_tag(element))
        for child in element if kind else ():
            if _tag(child) == "coordinates":
                shape = marks_of(kind, [list(point) for point in _ring(child)])
                found += [] if shape is None else [shape]
    return found


def _ring(element: ET.Element) -> Any:
    try:
        return [[float(v) for v in point.split(",")[:2]] for point in (element.text or "").split()]
    except ValueError:
        return np.empty((0, 2))
