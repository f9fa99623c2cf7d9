"""Layers of places for questions: tables of coordinates, KML and KMZ, GeoPackages, with lies."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import shapely

from tests.hostile import geopackages, seeds
from tests.hostile.case import OPENED, REFUSED, Case, Lure, cases_of
from tests.hostile.vectors import collection, feature, polygon

_RING = seeds.ring(10, 10, 20, 20)
_SOUND = shapely.Polygon(_RING).wkt


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("layer", "places.csv", _tables())
    yield from cases_of("layer", "places.csv", _sound_tables(), OPENED)
    yield from cases_of("layer", "places.csv", _refused(), REFUSED)
    yield from cases_of("layer", "places.kml", _kml())
    yield from cases_of("layer", "places.kmz", _kmz())
    yield from cases_of("layer", "places.gpkg", _geopackages())
    yield from cases_of("layer", "places.geojson", _geojson())


def nested(depth: int, inner: str = "POINT (1 1)") -> str:
    """Return a collection in a collection, so many deep, as well-known text."""
    return "GEOMETRYCOLLECTION (" * depth + inner + ")" * depth


def nested_binary(depth: int) -> bytes:
    """Return the same in its binary form."""
    return struct.pack("<BII", 1, 7, 1) * depth + struct.pack("<BIdd", 1, 1, 1.0, 1.0)


def table(*shapes: str) -> bytes:
    """Return a table of a sound area and others, as well-known text."""
    rows = "".join(f'{number};"{shape}"\n' for number, shape in enumerate((_SOUND, *shapes)))
    return ("id;wkt\n" + rows).encode()


def points(*rows: str, head: str = "name,x,y") -> bytes:
    """Return a table of a point in the picture and others."""
    x, y = _RING[0]
    return "\n".join([head, f"a,{x},{y}", *rows, ""]).encode()


def _tables() -> dict[str, object]:
    found: dict[str, object] = {}
    for word in ("NaN", "inf", "-1e308", "1e999", "0x10", "--1", "1_000", "٥", "", "a" * 100_000):
        found[f"place {word[:9]}"] = points(f"b,{word},1")
    shapes = {
        "empty": "POLYGON EMPTY",
        "with height": "POLYGON Z ((0 0 1, 0 9 1, 9 9 1, 0 0 1))",
        "with measures": "POLYGON M ((0 0 1, 0 9 1, 9 9 1, 0 0 1))",
        "a curve": "CURVEPOLYGON (CIRCULARSTRING (0 0, 4 0, 4 4, 0 4, 0 0))",
        "a compound curve": "COMPOUNDCURVE (CIRCULARSTRING (0 0, 1 1, 1 0), (1 0, 0 1))",
        "a surface": "POLYHEDRALSURFACE (((0 0 0, 0 1 0, 1 1 0, 0 0 0)))",
        "a triangle": "TRIANGLE ((0 0, 0 9, 9 0, 0 0))",
        "infinite": "POINT (inf nan)",
        "of an open ring": "POLYGON ((0 0, 0 9, 9 9))",
        "of a ring of two": "POLYGON ((0 0, 0 0))",
        "with its system": "SRID=32637;" + _SOUND,
        "of words": "POLYGON ((a b, c d))",
        "a program": "=cmd|'/c calc'!A0",
    }
    found |= {f"shape {word}": table(shape) for word, shape in shapes.items()}
    found |= {f"collections {n} deep": lambda n=n: table(nested(n)) for n in (40, 2900, 200_000)}
    found |= {f"brackets {n} deep": table("POLYGON " + "(" * n) for n in (300, 60_000)}
    return found | {
        "a zero byte far down": points(*["b,1,1"] * 900, "c\0,1,1"),
        "a quote that never ends": points('"b,1,1', *["c,1,1"] * 50),
        "a cell of 12 MB": lambda: points('"' + "x" * 12_000_000 + '",1,1'),
        "2,000 columns": lambda: points(head="name,x,y," + ",".join(f"c{n}" for n in range(1990))),
        "columns of one name": points(head="name,x,y,x,y,name,name"),
        "columns without name": points(head="name,x,y,,,,"),
        "columns that are formulas": points("=1+1,1,1", head='"=HYPERLINK(""http://x"")",x,y'),
        "columns that are SQL": points(head="name'); DROP TABLE x;--,x,y"),
        "a million empty lines": points() + b"\n" * 1_000_000,
        "lines without cells": points("b", "", ",", "c,1"),
        "half letters": points("b\\ud800,1,1") + b"\xff\xfe\x81,1,1\n",
        "letters that turn the line": points("\u202egnp.exe\u2066,500001,3999999"),
    }  # fmt: skip


def _sound_tables() -> dict[str, object]:
    x, y = _RING[0]
    plain = points("b,500009,3999990").decode()
    comma = f"name;x;y;height\na;{x:.2f};{y:.2f};3,5\n".replace(".", ",")
    return {
        "UTF-16 of a spreadsheet": plain.replace(",", "\t").encode("utf-16"),
        "a first line that names the separator": b"sep=,\r\n" + plain.encode(),
        "commas in numbers": comma.encode(),
        "Windows' lines and letters": f"name;x;y\r\nM\u00fcller;{x};{y}\r\n".encode("cp1252"),
        "lines of old Macs": plain.replace("\n", "\r").encode(),
        "a mark at the start": b"\xef\xbb\xbf" + plain.encode(),
        "blanks around numbers": f"name, x , y\na, {x} , {y} \n".encode(),
        "names of many scripts": f"name,x,y\n\u6a4b\U0001f3e0\u0301,{x},{y}\n".encode(),
    }


def _refused() -> dict[str, object]:
    return {
        "nothing": b"",
        "a head alone": b"name,x,y\n",
        "no head": b"1,2,3\n4,5,6\n",
        "one column": b"x\n1\n",
        "bytes": bytes(range(256)) * 20,
        "a page": b"<html><body>login</body></html>",
        "a database of a spreadsheet": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(900),
        "a picture": seeds.picture("PNG"),
        "a Shapefile's table": b"\x03\x79\x01\x01" + bytes(400),
        "elsewhere": b"name,lon,lat\na,1,1\n",
    }


def _named(lure: Lure, what: str) -> str:
    return f"{lure.address}/x" if what == "address" else f"file://{lure.words}"


def _document(*parts: str) -> str:
    # The picture lies near longitude 39, latitude 36.
    ring = "39.0001,36.1447,0 39.0002,36.1447,0 39.0002,36.1446,0 39.0001,36.1447,0"
    area = (
        "<Placemark><name>a</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2" '
        'xmlns:gx="http://www.google.com/kml/ext/2.2" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'xmlns:atom="http://www.w3.org/2005/Atom"><Document>'
        + area + "".join(parts) + "</Document></kml>"
    )  # fmt: skip


def _kml() -> dict[str, object]:
    links = {
        "a style": '<Placemark><styleUrl>{0}#s</styleUrl></Placemark>',
        "an icon": "<Style><IconStyle><Icon><href>{0}</href></Icon></IconStyle></Style>",
        "a model": '<Placemark><Model><Link><href>{0}</href></Link></Model></Placemark>',
        "a schema": '<SchemaData schemaUrl="{0}"/>',
        "an author": '<atom:link href="{0}"/><atom:author><atom:uri>{0}</atom:uri></atom:author>',
        "a tour": "<gx:Tour><gx:Playlist><gx:SoundCue><href>{0}</href></gx:SoundCue>"
        "</gx:Playlist></gx:Tour>",
        "a link of links": '<Placemark xlink:href="{0}" xlink:actuate="onLoad"/>',
        "an inclusion": '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{0}" '
        'parse="text"/>',
        "a place of a schema": '<x xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="urn:x {0}"/>',
    }  # fmt: skip
    found: dict[str, object] = {}
    for what in ("address", "words"):
        for word, text in links.items():
            found[f"{word} at {what}"] = lambda lure, t=text, w=what: _document(
                t.format(_named(lure, w))
            ).encode()
        found[f"an entity at {what}, in another code"] = lambda lure, w=what: (
            f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE kml [<!ENTITY y SYSTEM '
            f'"{_named(lure, w)}">]><kml><Document>&y;</Document></kml>'
        ).encode("utf-16")
        found[f"a style sheet at {what}"] = lambda lure, w=what: (
            _document().replace(
                "?><kml", f'?><?xml-stylesheet href="{_named(lure, w)}" type="text/xsl"?><kml'
            ).encode()
        )  # fmt: skip
    laughs = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(12)
    )
    mark = "<Placemark><name>b</name><Point><coordinates>{}</coordinates></Point></Placemark>"
    return found | {
        "a billion laughs": f"<!DOCTYPE kml [{laughs}]><kml>&l11;</kml>".encode(),
        "places in places, 3,000 deep": lambda: _document(
            "<Placemark>" * 3000 + "</Placemark>" * 3000
        ).encode(),
        "folders, 100,000 deep": lambda: _document(
            "<Folder>" * 100_000 + "</Folder>" * 100_000
        ).encode(),
        "100,000 names of one place": lambda: _document(
            "<Placemark>" + "<name>n</name>" * 100_000 + "</Placemark>"
        ).encode(),
        "an attribute of 5 MB": lambda: _document(f'<x a="{"y" * 5_000_000}"/>').encode(),
        "NaN": _document(mark.format("nan,nan")).encode(),
        "1e999": _document(mark.format("1e999,1e999")).encode(),
        "one number": _document(mark.format("39")).encode(),
        "words": _document(mark.format("a,b")).encode(),
        "blanks behind commas": _document(mark.format("39.0001, 36.1447, 0")).encode(),
        "the pole": _document(mark.format("0,90")).encode(),
        "beyond the pole": _document(mark.format("39,91")).encode(),
        "a script": _document(
            "<Placemark><name><![CDATA[<script>alert(1)</script>]]></name></Placemark>"
        ).encode(),
        "GeoRSS with a word of KML": b'<rss xmlns:k="<kml"><channel/></rss>',
        "a document that is not closed": _document()[:-12].encode(),
        "two documents": _document().encode() * 2,
        "an unknown code": _document().replace("UTF-8", "x-unknown").encode(),
        "Latin letters that say UTF-8": _document("<x>\xe9</x>").encode("latin-1"),
    }


def _kmz() -> dict[str, object]:
    def kmz(**files: bytes) -> bytes:
        return seeds.packed({name.replace("_", "."): data for name, data in files.items()})

    link = "<NetworkLink><Link><href>{0}</href></Link></NetworkLink>"
    inner = kmz(doc_kml=_document().encode())
    return {
        "a link within": lambda lure: kmz(doc_kml=_document(link.format(lure.address)).encode()),
        "a link to another archive": lambda: kmz(
            doc_kml=_document(link.format("inner.kmz/doc.kml")).encode(), inner_kmz=inner
        ),
        "an archive in an archive": lambda: kmz(doc_kmz=inner),
        "two documents": lambda: kmz(doc_kml=_document().encode(), other_kml=_document().encode()),
        "a picture alone": lambda: kmz(overlay_png=seeds.picture("PNG")),
        "a document that is none": lambda: kmz(doc_kml=b"PK\x03\x04"),
        "a million blanks first": lambda: kmz(doc_kml=b" " * 1_000_000 + _document().encode()),
    }


def _geopackages() -> dict[str, object]:
    def blob(body: bytes) -> object:
        data = b"GP\0\1" + struct.pack("<I", 32637) + body
        return lambda: geopackages.changed(
            f"UPDATE houses SET geom = x'{data.hex()}' WHERE fid = 1"
        )

    counts = struct.pack("<BII", 1, 3, 2**31 - 1)
    return {
        f"collections {n} deep": blob(nested_binary(n)) for n in (60, 2000, 300_000)
    } | {
        "two thousand million rings": blob(counts),
        "two thousand million points": blob(struct.pack("<BIII", 1, 3, 1, 2**31 - 1)),
        "a curve": blob(struct.pack("<BIIBII", 1, 10, 1, 1, 8, 3) + bytes(48)),
        "a triangle of measures": blob(struct.pack("<BIII", 1, 3017, 1, 4) + bytes(128)),
        "points in a polygon": blob(struct.pack("<BIIBIdd", 1, 6, 1, 1, 1, 1, 1)),
        "of no byte order": blob(struct.pack("<BII", 7, 3, 0)),
        "a column called like an order": lambda: geopackages.changed(
            'ALTER TABLE houses ADD COLUMN "label""; DROP TABLE houses;--" TEXT'
        ),
        "numbers of 64 bits": lambda: geopackages.changed(
            "ALTER TABLE houses ADD COLUMN big INTEGER",
            "UPDATE houses SET big = 9223372036854775807",
        ),
        "a column that is made up": lambda: geopackages.changed(
            "ALTER TABLE houses ADD COLUMN made TEXT AS (printf('%.*c', 100000000, 'x'))"
        ),
        "another database": lambda: geopackages.changed(
            "ALTER TABLE houses RENAME TO hidden",
            "CREATE VIEW houses AS SELECT * FROM pragma_database_list",
        ),
        "a layer called as another database": lambda: geopackages.changed(
            "UPDATE gpkg_geometry_columns SET table_name = 'main.sqlite_master'"
        ),
        "a layer that is the list of all": lambda: geopackages.changed(
            "UPDATE gpkg_geometry_columns SET table_name = 'sqlite_master', column_name = 'sql'"
        ),
        "10,000 layers": lambda: geopackages.changed(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) "
            "INSERT INTO gpkg_geometry_columns SELECT 'x' || i, 'geom', 'POLYGON', 32637, 0, 0 "
            "FROM n"
        ),
    }  # fmt: skip


def _geojson() -> dict[str, object]:
    house = polygon(_RING)
    values = {
        "a number of 400 digits": 10**400,
        "a number of 64 bits": 2**63 - 1,
        "a number beyond 64 bits": 2**64,
        "a large float": 1e308,
        "a list": [1, [2]],
        "a mapping": {"a": {"b": 1}},
        "half a letter": "\ud800",
        "a zero byte": "a\0b",
        "a formula": "=cmd|'/c calc'!A0",
        "letters that turn": "\u202egpj.exe",
    }
    found: dict[str, object] = {
        f"an attribute that is {word}": collection(
            feature(house, value=value), feature(house, value="other")
        )
        for word, value in values.items()
    }
    for word, value in values.items():
        if isinstance(value, str):
            found[f"a column that is {word}"] = collection(feature(house, **{value: 1}))
    return found | {
        "coordinates of 400 digits": collection(feature(polygon([[10**400, 0], [0, 9], [9, 9]]))),
        "a name of 400 digits": json.dumps(
            {**feature(house), "id": 10**400, "crs": {"properties": {"name": 10**400}}}
        ).encode(),
        "a name that is a list": json.dumps({**feature(house), "id": [1]}).encode(),
    }
