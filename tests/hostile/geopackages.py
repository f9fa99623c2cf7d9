"""GeoPackages whose pages, tables, views and geometries lie."""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import geopandas
import shapely

from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, cases_of, cuts


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("truth", "cut.gpkg", _cut(), REFUSED)
    yield from cases_of("truth", "lie.gpkg", _lies())


def frame() -> geopandas.GeoDataFrame:
    shapes = [shapely.Polygon(seeds.ring(10, 10, 20, 20)), shapely.Polygon(seeds.ring(50, 9, 9, 9))]
    return geopandas.GeoDataFrame({"label": ["house", "shed"]}, geometry=shapes, crs=32637)


@cache
def sound() -> bytes:
    """Return a GeoPackage of two outlines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sound.gpkg")
        frame().to_file(path, driver="GPKG", layer="houses")
        return path.read_bytes()


def changed(*statements: str) -> bytes:
    """Return the sound GeoPackage after statements in SQL, with its own triggers gone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "changed.gpkg")
        path.write_bytes(sound())
        database = sqlite3.connect(path)
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()
        return path.read_bytes()


def _cut() -> dict[str, bytes]:
    content = sound()
    return cuts(content, (16, 60, 100, 2000, 4096, 5000, len(content) // 2))


def _patched(at: int, data: bytes) -> bytes:
    out = bytearray(sound())
    out[at : at + len(data)] = data
    return bytes(out)


def _view(select: str) -> bytes:
    """Return the sound file whose layer is a view."""
    return changed(
        "ALTER TABLE houses RENAME TO hidden",
        f"CREATE VIEW houses AS {select}",
    )


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


def _blob(data: bytes) -> bytes:
    return changed(f"UPDATE houses SET geom = x'{data.hex()}' WHERE fid = 1")


def _geometry(body: bytes, flags: int = 1) -> bytes:
    return b"GP\0" + bytes([flags]) + struct.pack("<I", 32637) + body


def _lies() -> dict[str, object]:
    content = sound()
    page = struct.unpack_from(">H", content, 16)[0]
    found: dict[str, object] = {
        f"page {n} is noise": _patched(n * page, b"\xff" * page)
        for n in range(1, min(12, len(content) // page))
    }
    found |= {f"page of {n} bytes": _patched(16, struct.pack(">H", n)) for n in (0, 1, 511, 65535)}
    point = struct.pack("<BI", 1, 3)
    return found | {
        "pages of a later version": _patched(18, b"\xff\xff"),
        "four billion pages": _patched(28, b"\xff" * 4),
        "free pages that loop": _patched(32, struct.pack(">II", 2, 2**31)),
        "a schema that is text of another code": _patched(56, struct.pack(">I", 77)),
        "only its first page": content[:page],
        "only a start": b"SQLite format 3\0" + bytes(84),
        "no table": lambda: changed("DELETE FROM gpkg_contents", "DROP TABLE houses"),
        "a table that is not there": lambda: changed("DROP TABLE houses"),
        "no list of geometries": lambda: changed("DROP TABLE gpkg_geometry_columns"),
        "no system": lambda: changed("DELETE FROM gpkg_spatial_ref_sys"),
        "a system of nonsense": lambda: changed(
            "UPDATE gpkg_spatial_ref_sys SET definition = '<script>', organization_coordsys_id = 9"
        ),
        "a system of a megabyte": lambda: changed(
            "UPDATE gpkg_spatial_ref_sys SET definition = hex(zeroblob(500000))"
        ),
        "a view of a table": lambda: _view("SELECT * FROM hidden"),
        "a view that never ends": lambda: _view(
            f"{_ENDLESS} SELECT i AS fid, NULL AS geom, 'a' AS label FROM n"
        ),
        "a view that counts for ever": lambda: _view(
            f"{_ENDLESS} SELECT fid, geom, (SELECT max(i) FROM n) AS label FROM hidden"
        ),
        "a view of a gigabyte": lambda: _view(
            "SELECT fid, zeroblob(1000000000) AS geom, label FROM hidden"
        ),
        "a view of a billion letters": lambda: _view(
            "SELECT fid, geom, hex(zeroblob(400000000)) AS label FROM hidden"
        ),
        "a view that loads a library": lambda: _view(
            "SELECT fid, geom, load_extension('/opt/x.so') AS label FROM hidden"
        ),
        "a view that reads a file": lambda lure: _view(
            f"SELECT fid, geom, readfile('{lure.words}') AS label FROM hidden"
        ),
        "a view of GDAL's own functions": lambda lure: _view(
            f"SELECT fid, geom, gdal_get_pixel_value('{lure.raster}', 1, 'pixel', 1, 1) AS label "
            "FROM hidden"
        ),
        "a view of itself": lambda: changed(
            "ALTER TABLE houses RENAME TO hidden", "CREATE VIEW houses AS SELECT * FROM other",
            "CREATE VIEW other AS SELECT * FROM houses",
        ),
        "a product of a view": lambda: _view(
            "SELECT a.fid, a.geom, a.label FROM hidden a, hidden b, hidden c, hidden d, hidden e"
        ),
        "a virtual table of another file": lambda lure: changed(
            "PRAGMA writable_schema = ON",
            "INSERT INTO sqlite_master VALUES('table', 'v', 'v', 0, "
            f"'CREATE VIRTUAL TABLE v USING VirtualOGR(''{lure.words}'')')",
        ),
        "a table in the schema that is no SQL": lambda: changed(
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = 'CREATE TABLE houses(' WHERE name = 'houses'",
        ),
        "triggers": lambda: changed(
            "CREATE TRIGGER t AFTER UPDATE ON gpkg_contents BEGIN DELETE FROM houses; END"
        ),
        "500 layers": lambda: changed(*[
            part for n in range(500) for part in (
                f"CREATE TABLE l{n}(fid INTEGER PRIMARY KEY, geom BLOB)",
                f"INSERT INTO gpkg_contents(table_name, data_type, identifier, srs_id) "
                f"VALUES('l{n}', 'features', 'l{n}', 32637)",
                f"INSERT INTO gpkg_geometry_columns VALUES('l{n}', 'geom', 'POLYGON', 32637, 0, 0)",
            )
        ]),
        "900 columns": lambda: changed(
            *[f"ALTER TABLE houses ADD COLUMN c{n} TEXT" for n in range(900)]
        ),
        "a layer called as a path": lambda: changed(
            "ALTER TABLE houses RENAME TO \"../../etc/passwd\"",
            "UPDATE gpkg_contents SET table_name = '../../etc/passwd'",
            "UPDATE gpkg_geometry_columns SET table_name = '../../etc/passwd'",
        ),
        "a layer called as a statement": lambda: changed(
            "ALTER TABLE houses RENAME TO \"x'; DROP TABLE y; --\"",
            "UPDATE gpkg_contents SET table_name = 'x''; DROP TABLE y; --'",
            "UPDATE gpkg_geometry_columns SET table_name = 'x''; DROP TABLE y; --'",
        ),
        "metadata that name a file": lambda lure: changed(
            "CREATE TABLE gpkg_metadata(id INTEGER PRIMARY KEY, md_scope TEXT, "
            "md_standard_uri TEXT, mime_type TEXT, metadata TEXT)",
            f"INSERT INTO gpkg_metadata VALUES(1, 'dataset', 'http://gdal.org', 'text/xml', "
            f"'<GDALMultiDomainMetadata><Metadata domain=\"OVERVIEWS\"><MDI key=\"OVERVIEW_FILE\">"
            f"{lure.raster}</MDI></Metadata></GDALMultiDomainMetadata>')",
        ),
        "a geometry of nothing": lambda: _blob(b""),
        "a geometry of noise": lambda: _blob(b"\xff" * 60),
        "a geometry of four billion rings": lambda: _blob(
            _geometry(point + struct.pack("<I", 2**32 - 1))
        ),
        "a geometry of four billion corners": lambda: _blob(
            _geometry(point + struct.pack("<II", 1, 2**32 - 1))
        ),
        "a geometry nested 20,000 deep": lambda: _blob(
            _geometry(struct.pack("<BII", 1, 7, 1) * 20_000)
        ),
        "a geometry of an unknown kind": lambda: _blob(_geometry(struct.pack("<BI", 1, 9999))),
        "a geometry in another byte order": lambda: _blob(_geometry(b"\x07" + bytes(40))),
        "a geometry that is text": lambda: changed("UPDATE houses SET geom = 'POLYGON EMPTY'"),
        "a geometry that is a number": lambda: changed("UPDATE houses SET geom = 7"),
        "labels of every kind": lambda: changed("UPDATE houses SET label = x'ff00fe'"),
        "a write-ahead log that is not there": _patched(18, b"\x02\x02"),
    }  # fmt: skip
