"""Outlines as KML for Google Earth and the like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from rsam_core.errors import ExportError
from rsam_core.formats.polygons import (
    OutlineSettings,
    attributes,
    is_placed,
    outlines,
    plain,
    to_wgs84,
)
from rsam_core.objects import palette
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instances

if TYPE_CHECKING:
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

_NAMESPACE = "http://www.opengis.net/kml/2.2"
_TAG = re.compile(r"(?<=<)(?=[A-Za-z/!?])")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_kml(
    instances: Instances,
    scene: Any,
    *,
    table: pd.DataFrame | None = None,
    settings: OutlineSettings | None = None,
    classes: ClassList | None = None,
    name: str = "Objects",
) -> bytes:
    """Return outlines and measures as KML 2.2 [1]_, in longitude and latitude (WGS 84).

    Parameters
    ----------
    instances : Instances
    scene : Scene
        With a georeference.
    table : pandas.DataFrame, optional
        One row an object; measured anew if not given.
    settings : OutlineSettings, optional
    classes : ClassList, optional
        Colours of the classes.
    name : str
        Of the document.

    Raises
    ------
    ExportError
        If the scene is not georeferenced: KML knows places on Earth only.

    References
    ----------
    .. [1] Open Geospatial Consortium, "OGC KML", version 2.2.0, 2008.
    """
    if not is_placed(scene):
        raise ExportError(
            "KML shows places on Earth, and this image has no georeference. Export GeoJSON or "
            "GeoPackage, which can also hold pixels."
        )
    classes = classes or ClassList()
    root = ET.Element("kml", xmlns=_NAMESPACE)
    document = ET.SubElement(root, "Document")
    _text(document, "name", name)
    labels = sorted({item.label or "" for item in instances})
    for index, label in enumerate(labels):
        _style(document, f"class-{index}", classes.color(label or None))
    drawn = outlines(instances, settings, scene)
    rows = attributes(instances, scene, table, drawn).to_dict(orient="records")
    shapes = to_wgs84(drawn, scene)
    for item, shape, row in zip(instances, shapes, rows):
        placemark = ET.SubElement(document, "Placemark", id=f"object-{item.id}")
        _text(placemark, "name", f"{item.label or 'object'} {item.id}")
        _text(placemark, "styleUrl", f"#class-{labels.index(item.label or '')}")
        extended = ET.SubElement(placemark, "ExtendedData")
        for key, value in row.items():
            simple = plain(value)
            if simple is not None:
                data = ET.SubElement(extended, "Data", name=str(key))
                _text(data, "value", str(simple))
        _geometry(placemark, shape)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="utf-8")


def _style(document: ET.Element, id: str, color: str) -> None:
    red, green, blue = palette.to_rgb(color)
    style = ET.SubElement(document, "Style", id=id)
    line = ET.SubElement(style, "LineStyle")
    # KML writes opacity, blue, green, red.
    _text(line, "color", f"ff{blue:02x}{green:02x}{red:02x}")
    _text(line, "width", "2")
    _text(ET.SubElement(style, "PolyStyle"), "color", f"66{blue:02x}{green:02x}{red:02x}")


def _geometry(parent: ET.Element, shape: BaseGeometry) -> None:
    if shape.geom_type == "MultiPolygon":
        parent = ET.SubElement(parent, "MultiGeometry")
    for piece in getattr(shape, "geoms", [shape]):
        polygon = ET.SubElement(parent, "Polygon")
        rings = [("outerBoundaryIs", piece.exterior)]
        rings += [("innerBoundaryIs", hole) for hole in piece.interiors]
        for tag, ring in rings:
            line = ET.SubElement(ET.SubElement(polygon, tag), "LinearRing")
            _text(line, "coordinates", " ".join(f"{x:.9f},{y:.9f}" for x, y in ring.coords))


def _text(parent: ET.Element, tag: str, text: str) -> None:
    # Google Earth draws texts as HTML: an invisible sign keeps "<" from opening a tag.
    ET.SubElement(parent, tag).text = _TAG.sub("\u2060", _FORBIDDEN.sub("", text))
