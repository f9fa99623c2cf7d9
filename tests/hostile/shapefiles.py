"""Shapefiles in archives, whose records and tables lie."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, cases_of, cuts
from tests.hostile.geopackages import frame
from tests.hostile.zips import entries


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("truth", "shapes.zip", _shapefiles())
    yield from cases_of("truth", "cut.zip", _cut_shapefiles(), REFUSED)


@cache
def parts() -> dict[str, bytes]:
    """Return the parts of a sound Shapefile by name."""
    with tempfile.TemporaryDirectory() as folder:
        frame().to_file(Path(folder, "houses.shp"))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def _packed(**replaced: bytes | None) -> bytes:
    files = {**parts(), **{f"houses.{key}": value for key, value in replaced.items()}}
    return seeds.packed({name: data for name, data in files.items() if data is not None})


def _in(part: str, at: int, shape: str, *values: float) -> bytes:
    out = bytearray(parts()[f"houses.{part}"])
    struct.pack_into(shape, out, at, *values)
    return _packed(**{part: bytes(out)})


def _cut_shapefiles() -> dict[str, bytes]:
    return {
        f"shapes {key}": _packed(shp=cut)
        for key, cut in cuts(parts()["houses.shp"], (3, 10, 50, 100)).items()
    } | {"no index": _packed(shx=None), "nothing but a place": seeds.packed({"a.prj": b"x"})}


def _shapefiles() -> dict[str, object]:
    record = 100 + 8  # the first shape, behind its number and length
    most = 2**31 - 1
    found: dict[str, object] = {}
    for part in ("shp", "shx", "dbf"):
        data = parts()[f"houses.{part}"]
        for key, cut in cuts(data, (104, 120, len(data) // 2, len(data) - 9)).items():
            found[f"{part} {key}"] = _packed(**{part: cut})
        found[f"{part} of noise"] = _packed(**{part: data[:60] + b"\xff" * (len(data) - 60)})
        found[f"{part} empty"] = _packed(**{part: b""})
    return found | {
        "length of 4 GB": _in("shp", 24, ">i", most),
        "negative length": _in("shp", 24, ">i", -9),
        "kind 99": _in("shp", 32, "<i", 99),
        "a bounding box of NaN": _in("shp", 36, "<4d", *[float("nan")] * 4),
        "a record of 4 GB": _in("shp", 104, ">i", most),
        "a record of 0 bytes": _in("shp", 104, ">i", 0),
        "a record of kind 99": _in("shp", record, "<i", 99),
        "a record of many patches": _in("shp", record, "<i", 31),
        "two billion rings": _in("shp", record + 36, "<i", most),
        "minus one ring": _in("shp", record + 36, "<i", -1),
        "two billion corners": _in("shp", record + 40, "<i", most),
        "minus one corner": _in("shp", record + 40, "<i", -1),
        "a ring that begins at 2^31": _in("shp", record + 44, "<i", most),
        "a corner of NaN": _in("shp", record + 48, "<2d", float("nan"), float("nan")),
        "a corner of 1e308": _in("shp", record + 48, "<2d", 1e308, -1e308),
        "an index beyond the end": _in("shx", 100, ">ii", most, most),
        "an index of itself": _in("shx", 100, ">ii", 0, 0),
        "an index of two billion": _in("shx", 24, ">i", most),
        "two billion rows": _in("dbf", 4, "<I", most),
        "rows of 0 bytes": _in("dbf", 10, "<H", 0),
        "a header of 0 bytes": _in("dbf", 8, "<H", 0),
        "a field of no length": _in("dbf", 32 + 16, "<B", 0),
        "a field of an unknown type": _in("dbf", 32 + 11, "<B", 7),
        "a place of noise": _packed(prj=b"\xff" * 9999),
        "a place of a megabyte": _packed(prj=b"PROJCS[" * 150_000),
        "a place that is a file": lambda lure: _packed(prj=lure.words.encode()),
        "a place at an address": lambda lure: _packed(prj=lure.address.encode()),
        "a place by a database": _packed(prj=b"+init=/etc/passwd:1"),
        "an unknown code page": _packed(cpg=b"<script>"),
        "a code page of a megabyte": _packed(cpg=b"x" * 1_000_000),
        "an index of places that lies": _packed(sbn=b"\xff" * 4000, qix=b"\xff" * 4000),
        "no table": _packed(dbf=None),
        "a virtual layer beside": lambda lure: seeds.packed(parts() | {"a.vrt": (
            f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{lure.words}'
            "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
        ).encode()}),
        "metadata beside": lambda lure: seeds.packed(parts() | {"houses.shp.xml": (
            f'<!DOCTYPE x [<!ENTITY y SYSTEM "{lure.words}">]><x>&y;</x>'
        ).encode()}),
        "900 of them": lambda: seeds.packed({
            f"h{n}.{name.partition('.')[2]}": data
            for n in range(900) for name, data in parts().items()
        }),
        "zeros that unpack to 300 MB": lambda: _bomb_beside(),
    }  # fmt: skip


def _bomb_beside() -> bytes:
    size = 300 << 20
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    crc, data, block = 0, b"", bytes(1 << 20)
    for _ in range(300):
        crc = zlib.crc32(block, crc)
        data += pack.compress(block)
    data += pack.flush()
    files = []
    for name, content in parts().items():
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = deflate.compress(content) + deflate.flush()
        files.append((name, body, zlib.crc32(content), len(content)))
    files = [f for f in files if not f[0].endswith(".dbf")]
    return entries([*files, ("houses.dbf", data, crc, size)])
