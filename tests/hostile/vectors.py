"""Outlines as GeoJSON, and formats that name others under its name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, Lure, cases_of, cuts

_CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32637"}}
_RING = seeds.ring(10, 10, 20, 20)


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("truth", "cut.geojson", _cut(), REFUSED)
    yield from cases_of("truth", "lie.geojson", _lies())
    yield from cases_of("truth", "plain.geojson", _pixels())
    yield from cases_of("truth", "refused.geojson", _refused(), REFUSED)
    yield from cases_of("truth", "link.kml", _kml())
    yield from cases_of("truth", "other.geojson", _others(), REFUSED)


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    """Return a feature."""
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def polygon(*rings: Any) -> dict[str, Any]:
    """Return a polygon."""
    return {"type": "Polygon", "coordinates": list(rings)}


def collection(*features: Any, **more: Any) -> bytes:
    """Return features in the system of the common scene."""
    told = {"type": "FeatureCollection", "crs": _CRS, "features": list(features)}
    return json.dumps(told | more).encode()


def _shape(geometry: Any) -> bytes:
    """Return one sound outline and one shape."""
    return collection(feature(polygon(_RING), label="house"), feature(geometry))


def _cut() -> dict[str, bytes]:
    content = collection(feature(polygon(_RING), label="house"))
    return cuts(content, (1, 9, 40, len(content) // 2, len(content) - 30, len(content) - 1))


def _star(corners: int) -> list[list[float]]:
    """Return a ring that crosses itself everywhere."""
    x, y = seeds.LEFT + 24, seeds.TOP - 16
    turn = 2 * math.pi * (corners // 2 - 1) / corners
    ring = [[x + 14 * math.cos(n * turn), y + 14 * math.sin(n * turn)] for n in range(corners)]
    return [*ring, ring[0]]


def _zigzag(corners: int) -> list[list[float]]:
    """Return a ring that runs to and fro."""
    x, y = seeds.LEFT + 2, seeds.TOP - 2
    ring = [[x + 40 * (n % 2), y - 28 * n / corners] for n in range(corners)]
    ring += [[x + 28 * n / corners, y - 28 * (n % 2)] for n in range(corners)]
    return [*ring, ring[0]]


def _lies() -> dict[str, object]:
    far = {word: [[v, 0], [v, 9], [9, v], [v, 0]] for word, v in {
        "1e308": 1e308, "-1e308": -1e308, "1e12": 1e12, "NaN": math.nan, "infinite": math.inf,
        "1e-308": 1e-308,
    }.items()}  # fmt: skip
    shapes: dict[str, Any] = {f"corner {word}": polygon(ring) for word, ring in far.items()}
    deep: Any = polygon(_RING)
    for _ in range(60):
        deep = {"type": "GeometryCollection", "geometries": [deep]}
    shapes |= {
        "nothing": None,
        "no type": {},
        "an unknown type": {"type": "Blob", "coordinates": [1]},
        "type that is a list": {"type": [], "coordinates": []},
        "no coordinates": {"type": "Polygon"},
        "coordinates that are words": polygon([["a", "b"], ["c", "d"], ["e", "f"], ["a", "b"]]),
        "coordinates that are nothing": polygon([None, None, None, None]),
        "coordinates that are a number": {"type": "Polygon", "coordinates": 7},
        "coordinates one level too deep": polygon([_RING]),
        "coordinates one level too flat": {"type": "Polygon", "coordinates": _RING},
        "an empty polygon": polygon(),
        "an empty ring": polygon([]),
        "a ring of one corner": polygon(_RING[:1]),
        "a ring of two corners": polygon(_RING[:2]),
        "a ring that is open": polygon(_RING[:3]),
        "corners of one number": polygon([[1], [2], [3], [1]]),
        "corners of ten numbers": polygon([[*point, *range(8)] for point in _RING]),
        "corners of different length": polygon([_RING[0], [*_RING[1], 5], _RING[2], _RING[0]]),
        "a hole outside": polygon(_RING, seeds.ring(40, 40, 9, 9)),
        "a hole as large": polygon(_RING, _RING),
        "10,000 equal holes": polygon(_RING, *[_RING] * 10_000),
        "a bow tie": polygon([_RING[0], _RING[2], _RING[1], _RING[3], _RING[0]]),
        "a line": {"type": "LineString", "coordinates": _RING},
        "a point": {"type": "Point", "coordinates": _RING[0]},
        "an empty collection": {"type": "GeometryCollection", "geometries": []},
        "a collection nested 60 deep": deep,
        "an empty multipolygon": {"type": "MultiPolygon", "coordinates": []},
        "50,000 parts": {"type": "MultiPolygon", "coordinates": [[_RING]] * 50_000},
        "a star of 999 corners": polygon(_star(999)),
        "a zigzag of 600 corners": polygon(_zigzag(300)),
        "200,000 corners": polygon([[seeds.LEFT + n % 40, seeds.TOP - n // 9999] for n in
                                    range(200_000)] + [[seeds.LEFT, seeds.TOP]]),
        "a curve": {"type": "CurvePolygon", "coordinates": [_RING]},
    }  # fmt: skip
    found: dict[str, object] = {key: (lambda s=shape: _shape(s)) for key, shape in shapes.items()}
    house = feature(polygon(_RING))
    systems: dict[str, Any] = {
        "of no name": {"type": "name", "properties": {}},
        "that is a word": "EPSG:32637",
        "that is nothing": None,
        "of a strange name": {"type": "name", "properties": {"name": "moon"}},
        "of a long name": {"type": "name", "properties": {"name": "EPSG:" + "9" * 100_000}},
        "that is a file": {"type": "name", "properties": {"name": "/etc/passwd"}},
        "of a script": {"type": "name", "properties": {"name": "<script>alert(1)</script>"}},
        "nested": {"type": "name", "properties": {"name": [[[[]]]]}},
        "as a projection of NaN": {"type": "name", "properties": {"name": "+proj=tmerc +k=nan"}},
    }
    for word, told in systems.items():
        found[f"system {word}"] = lambda t=told: collection(house, crs=t)
    for what in ("address", "words"):
        found[f"system by a link to {what}"] = lambda lure, w=what: collection(
            house, crs={"type": "link", "properties": {"href": _of(lure, w), "type": "ogcwkt"}}
        )
        found[f"system named by {what}"] = lambda lure, w=what: collection(
            house, crs={"type": "name", "properties": {"name": _of(lure, w)}}
        )
        found[f"shape that is a link to {what}"] = lambda lure, w=what: _shape(
            {"$ref": _of(lure, w), "href": _of(lure, w)}
        )
    found |= {
        "an empty collection of geometries": b'{"type": "GeometryCollection", "geometries": []}',
        "features that are nothing": collection(None, house),
        "features that are words": collection("a", house),
        "features that are a mapping": collection(features={"a": 1}),
        "features in features": collection(json.loads(collection(house))),
        "features without properties": collection({"type": "Feature", "geometry": polygon(_RING)}),
        "properties that are a list": collection({**house, "properties": [1]}),
        "properties nested": collection({**house, "properties": {"label": {"a": [{}]}}}),
        "the same key twice": b'{"type": "FeatureCollection", "features": 1, "features": ['
        + json.dumps(house).encode() + b'], "type": "FeatureCollection"}',
        "labels of every kind": collection(
            *[feature(polygon(_RING), label=v) for v in (1, None, True, 1e308, [], {}, "", "a\0b",
                                                         "<script>", "x" * 100_000)]
        ),
        "20,000 columns": lambda: collection(
            feature(polygon(_RING), **{f"c{n}": n for n in range(20_000)})
        ),
        "columns called geometry and fid": collection(
            {**house, "properties": {"geometry": "a", "fid": "b", "id": [], "type": "Feature"}}
        ),
        "numbers of 100,000 digits": b'{"type": "Polygon", "coordinates": [[[' + b"9" * 100_000
        + b", 0], [0, 9], [9, 9], [0, 0]]]}",
        "numbers of 1e999": b'{"type": "Polygon", "coordinates": [[[1e999, 0], [0, 9], [9, 9], '
        b"[1e999, 0]]]}",
        "20,000 outlines all over the image": lambda: collection(
            *[feature(polygon(seeds.ring(0, 0, 96, 64)))] * 20_000
        ),
        "a foreign member of 5 MB": lambda: collection(house, foreign="x" * 5_000_000),
        "text around it": b"\xef\xbb\xbf \n\t" + collection(house) + b"   \n",
        "a comment behind it": collection(house) + b" // <script>",
    }  # fmt: skip
    return found


def _of(lure: Lure, what: str) -> str:
    return f"{lure.address}/x" if what == "address" else f"file://{lure.words}"


def _pixels() -> dict[str, object]:
    """Outlines for an image without georeference."""

    def told(*ring: list[float]) -> bytes:
        return json.dumps(polygon([*ring, ring[0]])).encode()

    return {
        "beyond the image": told([500, 500], [600, 500], [600, 600]),
        "at 1e12": told([1e12, 0], [1e12, 9], [2e12, 9]),
        "around the image": told([-1e9, -1e9], [1e9, -1e9], [1e9, 1e9], [-1e9, 1e9]),
        "at 1e308": told([-1e308, -1e308], [1e308, -1e308], [1e308, 1e308]),
        "at NaN": told([math.nan, 0], [1, 1], [2, 0]),
        "of no area": told([5, 5], [5, 5], [5, 5]),
        "thinner than a pixel": told([5, 5.2], [60, 5.2], [60, 5.2001], [5, 5.2001]),
    }


def _refused() -> dict[str, object]:
    return {
        "100,000 brackets": b"[" * 100_000,
        "100,000 braces": b'{"a":' * 100_000,
        "an outline 100,000 deep": b'{"type": "Polygon", "coordinates": ' + b"[" * 100_000
        + b"]" * 100_000 + b"}",
        "an outline 900 deep": b'{"type": "Polygon", "coordinates": ' + b"[" * 900 + b"]" * 900
        + b"}",
        "nothing": b"",
        "a zero byte": b"\0",
        "only a mark": b"\xef\xbb\xbf",
        "a number": b"7",
        "a list of numbers": b"[1, 2, 3]",
        "nothing in it": b"{}",
        "a type that is a list": b'{"type": ["Polygon"]}',
        "a type that is a mapping": b'{"type": {"a": 1}, "features": []}',
        "UTF-16": collection(feature(polygon(_RING))).decode().encode("utf-16"),
        "UTF-32": collection(feature(polygon(_RING))).decode().encode("utf-32"),
        "bytes in a text": b'{"type": "Polygon", "x": "\xff\xfe"}',
        "TopoJSON": b'{"type": "Topology", "objects": {}, "arcs": []}',
        "a list of Esri": b'{"geometryType": "esriGeometryPolygon", "features": []}',
        "STAC that names a file": b'{"type": "Catalog", "links": [{"href": "/etc/passwd"}]}',
        "a service of maps": b'{"type": "FeatureCollection"',
        "a program": b'{"type": "Polygon", "coordinates": alert(1)}',
    }  # fmt: skip


def _kml() -> dict[str, object]:
    """KML that names other files or addresses."""
    link = (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><NetworkLink><Link><href>{}</href></Link>'
        "</NetworkLink><GroundOverlay><Icon><href>{}</href></Icon></GroundOverlay></kml>"
    )
    return {
        f"a link to {what}": lambda lure, w=what: link.format(_of(lure, w), _of(lure, w)).encode()
        for what in ("address", "words")
    }


def _others() -> dict[str, object]:
    """Formats that name other files or addresses, called GeoJSON."""
    virtual = (
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    gml = (
        '<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" xsi:schemaLocation="x {0}">'
        '<gml:featureMember xlink:href="{0}"/></gml:FeatureCollection>'
    )
    found: dict[str, object] = {}
    for what in ("address", "words"):
        found |= {
            f"a virtual layer of {what}": lambda lure, w=what: virtual.format(
                _of(lure, w)
            ).encode(),
            f"GML with a link to {what}": lambda lure, w=what: gml.format(_of(lure, w)).encode(),
            f"GPX with a link to {what}": lambda lure, w=what: (
                f'<gpx version="1.1"><metadata><link href="{_of(lure, w)}"/></metadata></gpx>'
            ).encode(),
            f"GeoRSS with a link to {what}": lambda lure, w=what: (
                f'<rss version="2.0"><channel><link>{_of(lure, w)}</link></channel></rss>'
            ).encode(),
            f"a web feature service at {what}": lambda lure, w=what: (
                f"<OGRWFSDataSource><URL>{_of(lure, w)}</URL></OGRWFSDataSource>"
            ).encode(),
            f"a document type of {what}": lambda lure, w=what: (
                f'<!DOCTYPE kml [<!ENTITY y SYSTEM "{_of(lure, w)}">]><kml>&y;</kml>'
            ).encode(),
            f"only the name of {what}": lambda lure, w=what: _of(lure, w).encode(),
        }
    return found | {
        "DXF": b"0\nSECTION\n2\nENTITIES\n0\nEOF\n",
        "MapInfo": b'Version 300\nDelimiter ","\nColumns 0\nData\n',
        "FlatGeobuf": b"fgb\x03fgb\0" + b"\xff" * 99,
        "GeoParquet": b"PAR1" + b"\xff" * 99 + b"PAR1",
        "Arrow": b"ARROW1\0\0" + b"\xff" * 99,
        "a dump of PostgreSQL": b"COPY x FROM '/etc/passwd';\n",
        "a pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93.",
    }
