"""TIFF and BigTIFF that are cut, lie, loop or swell."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from functools import cache

import numpy as np

from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, cases_of, cuts
from tests.hostile.tiff_bytes import (
    ASCII,
    BYTE,
    DOUBLE,
    LONG,
    LONG8,
    SHORT,
    Entry,
    assemble,
    grey,
    image,
)
from tests.hostile.tiff_places import metadata, names, places

_ALL = 2**32 - 1
_SCALE = '<Item name="SCALE" sample="0" role="scale">nan</Item>'
_STRIP = bytes(range(64)) * 64


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("image", "cut.tif", dict(_cut()), REFUSED)
    yield from cases_of("image", "lie.tif", _lies())
    yield from cases_of("image", "loop.tif", _loops())
    yield from cases_of("image", "bomb.tif", bombs())
    yield from cases_of("image", "refused.tif", _refused(), REFUSED)
    yield from cases_of("image", "big.tif", _big())


def _cut() -> Iterator[tuple[str, bytes]]:
    """Cut a TIFF in its header, directory, arrays and data."""
    layouts = {
        "strips": {"compress": "deflate"},
        "tiles": {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "lzw"},
        "big": {"BIGTIFF": "YES"},
    }
    for name, options in layouts.items():
        content = seeds.geotiff(**options)
        wide = name == "big"
        start = struct.unpack_from("<Q" if wide else "<I", content, 8 if wide else 4)[0]
        count = struct.unpack_from("<Q" if wide else "<H", content, start)[0]
        entry, head = (20, 8) if wide else (12, 2)
        end = start + head + entry * count
        places = (2, 4, 7, 8, start + 1, start + head + 6, start + head + entry * 3, end, end + 2)
        for key, cut in cuts(content, places).items():
            yield f"{name}, {key} of the directory", cut
        for key, cut in cuts(content, (end + 40, len(content) // 2, len(content) - 99)).items():
            yield f"{name}, {key} of the data", cut


def _lies() -> dict[str, object]:
    """Single entries that say what is not so."""
    short = {
        "no strip offsets": {"t273": None},
        "no byte counts": {"t279": None},
        "no width": {"t256": None},
        "no bits": {"t258": None},
        "strip offset beyond the end": {"t273": Entry(273, LONG, 10**9)},
        "strip offset at the very end of 32 bits": {"t273": Entry(273, LONG, _ALL)},
        "strip that is the header": {"t273": Entry(273, LONG, 0)},
        "byte count of 4 GB": {"t279": Entry(279, LONG, _ALL)},
        "byte count of 0": {"t279": Entry(279, LONG, 0)},
        "two billion offsets": {"t273": Entry(273, LONG, count=2**31, raw=8)},
        "four billion byte counts": {"t279": Entry(279, LONG, count=_ALL, raw=8)},
        "no offset at all": {"t273": Entry(273, LONG, count=0, raw=8)},
        "offsets of an unknown type": {"t273": Entry(273, 99, 8, count=1)},
        "offsets of type 0": {"t273": Entry(273, 0, 8, count=1)},
        "width as text": {"t256": Entry(256, ASCII, b"64\0")},
        "width as a decimal": {"t256": Entry(256, DOUBLE, math.nan)},
        "negative width": {"t256": Entry(256, 9, -64)},
        "width 0": {"t256": Entry(256, LONG, 0)},
        "height 0": {"t257": Entry(257, LONG, 0)},
        "rows per strip 0": {"t278": Entry(278, LONG, 0)},
        "rows per strip beyond the image": {"t278": Entry(278, LONG, _ALL)},
        "one row per strip, one strip": {"t278": Entry(278, LONG, 1)},
        "no sample": {"t277": Entry(277, SHORT, 0)},
        "three samples, one told": {"t277": Entry(277, SHORT, 3)},
        "0 bits": {"t258": Entry(258, SHORT, 0)},
        "3 bits": {"t258": Entry(258, SHORT, 3)},
        "255 bits": {"t258": Entry(258, SHORT, 255)},
        "65,535 bits": {"t258": Entry(258, SHORT, 65535)},
        "65,535 counts of bits": {"t258": Entry(258, SHORT, count=65535, raw=8)},
        "an unknown sample format": {"t339": Entry(339, SHORT, 99)},
        "complex integers of 8 bits": {"t339": Entry(339, SHORT, 5)},
        "decimals of 8 bits": {"t339": Entry(339, SHORT, 3)},
        "planes in a third way": {"t284": Entry(284, SHORT, 3)},
        "a fill order of 7": {"t266": Entry(266, SHORT, 7)},
        "orientation 200": {"t274": Entry(274, SHORT, 200)},
        "palette without colours": {"t262": Entry(262, SHORT, 3)},
        "palette of two colours": {
            "t262": Entry(262, SHORT, 3), "t320": Entry(320, SHORT, (0, 65535) * 3),
        },
        "palette of four billion colours": {
            "t262": Entry(262, SHORT, 3), "t320": Entry(320, SHORT, count=_ALL, raw=8),
        },
        "colours in an unknown way": {"t262": Entry(262, SHORT, 60000)},
        "luminance of one band": {"t262": Entry(262, SHORT, 6)},
        "luminance subsampled by 0": {
            "t262": Entry(262, SHORT, 6), "t530": Entry(530, SHORT, (0, 0)),
        },
        "60,000 extra samples": {"t338": Entry(338, SHORT, count=60000, raw=8)},
        "tiles of width 0": {
            "t322": Entry(322, LONG, 0), "t323": Entry(323, LONG, 16),
            "t324": Entry(324, LONG, 8), "t325": Entry(325, LONG, 256),
        },
        "tiles of width 7": {
            "t273": None, "t279": None, "t322": Entry(322, LONG, 7), "t323": Entry(323, LONG, 7),
            "t324": Entry(324, LONG, 8), "t325": Entry(325, LONG, 49),
        },
        "tiles of a million": {
            "t273": None, "t279": None, "t322": Entry(322, LONG, 2**20),
            "t323": Entry(323, LONG, 2**20), "t324": Entry(324, LONG, 8),
            "t325": Entry(325, LONG, 4096),
        },
        "tiles of four billion": {
            "t273": None, "t279": None, "t322": Entry(322, LONG, _ALL - 15),
            "t323": Entry(323, LONG, _ALL - 15), "t324": Entry(324, LONG, 8),
            "t325": Entry(325, LONG, 4096),
        },
        "strips and tiles at once": {
            "t322": Entry(322, LONG, 16), "t323": Entry(323, LONG, 16),
            "t324": Entry(324, LONG, 8), "t325": Entry(325, LONG, 256),
        },
        "entries out of order": {"t254": Entry(65000, LONG, 1)},
        "text of four billion letters": {"t270": Entry(270, ASCII, count=_ALL, raw=8)},
        "text without an end": {"t270": Entry(270, ASCII, b"<script>alert(1)</script>" * 40)},
        "nodata that is a word": {"t42113": Entry(42113, ASCII, b"nothing\0")},
        "nodata beyond all numbers": {"t42113": Entry(42113, ASCII, b"1e999\0")},
        "nodata of a megabyte": {"t42113": Entry(42113, ASCII, b"9" * 2**20 + b"\0")},
        "metadata that is no XML": {"t42112": Entry(42112, ASCII, b"<GDALMetadata><Item\0")},
        "metadata nested 20,000 deep": {
            "t42112": Entry(42112, ASCII, b"<GDALMetadata>" + b"<Item>" * 20000 + b"\0"),
        },
        "scale that is not a number": {"t42112": Entry(42112, ASCII, metadata(_SCALE))},
        "positions that are not numbers": {"t50844": Entry(50844, DOUBLE, (math.nan,) * 92)},
        "colour profile of four billion bytes": {"t34675": Entry(34675, 7, count=_ALL, raw=8)},
        "subsets beyond the end": {"t330": Entry(330, LONG, 10**9)},
        "EXIF beyond the end": {"t34665": Entry(34665, LONG, 10**9)},
    }  # fmt: skip
    found: dict[str, object] = {
        key: (lambda changes=changes: image(**changes)) for key, changes in short.items()
    }
    for code in (0, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34676, 34712, 34887, 34925, 50000, 50001):
        found[f"garbage packed by method {code}"] = lambda code=code: image(
            b"\x55\xaa\x01\xff" * 200, t259=Entry(259, SHORT, code)
        )
    found["predictor 99"] = lambda: image(
        zlib.compress(_STRIP), t259=Entry(259, SHORT, 8), t317=Entry(317, SHORT, 99)
    )
    found["differences of 8-bit decimals"] = lambda: image(
        zlib.compress(_STRIP), t259=Entry(259, SHORT, 8), t317=Entry(317, SHORT, 3)
    )
    found |= {f"place: {key}": value for key, value in places().items()}
    found |= {f"names {key}": value for key, value in names().items()}
    found["JPEG whose tables are its header"] = lambda: image(
        seeds.picture("JPEG", 64, 64), t259=Entry(259, SHORT, 7),
        t347=Entry(347, 7, count=2**20, raw=0),
    )  # fmt: skip
    found["JPEG of another size than it says"] = lambda: image(
        seeds.picture("JPEG", 128, 200), t259=Entry(259, SHORT, 7)
    )
    return found


def _loops() -> dict[str, object]:
    one, stream = grey(), _STRIP
    reduced = grey(32, 32, stream[:1024], t254=Entry(254, LONG, 1))

    def chain(count: int) -> bytes:
        """Return so many directories of one entry each."""
        first = len(assemble([one], stream))
        out = bytearray(assemble([one], stream, following={0: first}))
        for number in range(count):
            out += struct.pack("<HHHI", 1, 256, 3, 1) + struct.pack("<I", 8)
            out += struct.pack("<I", len(out) + 4 if number + 1 < count else 0)
        return bytes(out)

    return {
        "a directory that follows itself": lambda: assemble([one], stream, following={0: -1}),
        "two that follow each other": lambda: assemble([one, reduced], stream, following={1: -1}),
        "the second follows itself": lambda: assemble([one, reduced], stream, following={1: -2}),
        "the next beyond the end": lambda: assemble([one], stream, following={0: 2**31}),
        "the next in the header": lambda: assemble([one], stream, following={0: 2}),
        "the next in the pixels": lambda: assemble([one], stream, following={0: 9}),
        "a subset that is its own parent": lambda: assemble(
            [grey(t330=Entry(330, LONG, 8 + len(stream)))], stream
        ),
        "2,000 images": lambda: assemble([one] * 2000, stream),
        "70,000 directories": lambda: chain(70_000),
        "the first directory beyond the end": lambda: b"II*\0" + struct.pack("<I", 10**9),
        "the first directory is the header": lambda: b"II*\0" + bytes(4) + stream,
        "65,535 entries told": lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(600),
        "no entry told": lambda: b"II*\0\x08\0\0\0\0\0" + bytes(600),
        "other byte order than it says": lambda: b"MM\0*" + assemble([one], stream)[4:],
    }


@cache
def _packed_zeros(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def lzw_zeros(count: int) -> bytes:
    """Return LZW of zeros as TIFF wants it, written by the library and cut out of the file."""
    values = np.zeros((1, 64, count // 64), np.uint8)
    content = seeds.geotiff(values, compress="lzw", blockysize=64)
    import rasterio

    with rasterio.MemoryFile(content) as memory, memory.open() as found:
        start = int(found.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
        length = int(found.get_tag_item("BLOCK_SIZE_0_0", "TIFF", bidx=1))
    return content[start : start + length]


def repeated(width: int, height: int, rows: int, stream: bytes, **changes: object) -> bytes:
    """Return a TIFF all of whose strips are the same few bytes."""
    strips = -(-height // rows)
    offsets = Entry(273, LONG, struct.pack("<I", 8) * strips)
    counts = Entry(279, LONG, struct.pack("<I", len(stream)) * strips)
    changes = {"t273": offsets, "t279": counts, "t278": Entry(278, LONG, rows), **changes}
    return assemble([grey(width, height, stream, **changes)], stream)


def bombs() -> dict[str, object]:
    deflate, lzw = Entry(259, SHORT, 8), Entry(259, SHORT, 5)

    def bands(count: int, kind: int, planes: int = 1, side: int = 64) -> bytes:
        bits = {8: (8,), 64: (64,)}[kind]
        return image(
            _packed_zeros(1 << 16), side, side, t258=Entry(258, SHORT, bits * count),
            t277=Entry(277, SHORT, count), t284=Entry(284, SHORT, planes), t259=deflate,
            t339=Entry(339, SHORT, (3 if kind == 64 else 1,) * count),
        )  # fmt: skip

    return {
        "100 MB behind 64 × 64 by deflate": lambda: image(_packed_zeros(100_000_000), t259=deflate),
        "16 MB behind 64 × 64 by LZW": lambda: image(lzw_zeros(1 << 24), t259=lzw),
        "deflate in deflate": lambda: image(
            zlib.compress(_packed_zeros(100_000_000)), t259=deflate
        ),
        "16,384² of one strip told 1,024 times": lambda: repeated(
            16384, 16384, 16, _packed_zeros(16384 * 16), t259=deflate
        ),
        "16,000² of 4 bands told 1,000 times": lambda: repeated(
            16000, 16000, 16, _packed_zeros(16000 * 16 * 4), t259=deflate,
            t277=Entry(277, SHORT, 4), t258=Entry(258, SHORT, (8,) * 4),
        ),
        "16,000² of decimals told 1,000 times": lambda: repeated(
            16000, 16000, 16, _packed_zeros(16000 * 16 * 8), t259=deflate,
            t258=Entry(258, SHORT, 64), t339=Entry(339, SHORT, 3),
        ),
        "16,000² by LZW, told 1,000 times": lambda: repeated(
            16000, 16000, 16, lzw_zeros(16000 * 16), t259=lzw
        ),
        "8 × 2,147,483,647 of one row a strip": lambda: image(
            width=8, height=2**31 - 1, t278=Entry(278, LONG, 1)
        ),
        "1 × 2,147,483,648 of one row a strip": lambda: image(
            width=1, height=2**31, t278=Entry(278, LONG, 1),
            t273=Entry(273, LONG, count=2**31, raw=8), t279=Entry(279, LONG, count=2**31, raw=8),
        ),
        "8 × 30,000,000 of one row a strip": lambda: image(
            width=8, height=30_000_000, t278=Entry(278, LONG, 1),
            t273=Entry(273, LONG, count=30_000_000, raw=8),
        ),
        "2,147,483,647 × 8": lambda: image(width=2**31 - 1, height=8),
        "four billion squared": lambda: image(width=_ALL, height=_ALL),
        "65,535 bands": lambda: bands(65535, 8),
        "65,535 bands of 64 bits": lambda: bands(65535, 64),
        "65,535 bands in planes": lambda: bands(65535, 8, planes=2),
        "2,000 bands of 64 bits, 1,000²": lambda: bands(2000, 64, side=1000),
        "one strip of 15,000²": lambda: image(_packed_zeros(1 << 20), 15000, 15000, t259=deflate),
        "one tile of 16,384²": lambda: image(
            _packed_zeros(1 << 20), 16384, 16384, t259=deflate, t273=None, t279=None,
            t322=Entry(322, LONG, 16384), t323=Entry(323, LONG, 16384), t324=Entry(324, LONG, 8),
            t325=Entry(325, LONG, len(_packed_zeros(1 << 20))),
        ),
        "a million tiles of 16²": lambda: image(
            width=16000, height=16000, t273=None, t279=None, t322=Entry(322, LONG, 16),
            t323=Entry(323, LONG, 16), t324=Entry(324, LONG, bytes(4_000_000)),
            t325=Entry(325, LONG, bytes(4_000_000)),
        ),
        "sparse, 16,000²": lambda: _sparse(16_000),
        "colour profile of 100 MB": lambda: image(
            t34675=Entry(34675, 7, bytes(4_000_000), count=100_000_000)
        ),
    }  # fmt: skip


def _sparse(side: int) -> bytes:
    """Return a TIFF without a single block, whose size was changed afterwards."""
    content = seeds.geotiff(np.zeros((1, 8, 8), np.uint8), tiled=True, sparse_ok=True)
    for tag in (256, 257):
        told = struct.pack("<HHIHH", tag, 3, 1, side, 0)
        content = content.replace(struct.pack("<HHIHH", tag, 3, 1, 8, 0), told)
    return content


def _refused() -> dict[str, object]:
    """What cannot be anything but refused, and polyglots that begin as something else."""
    good = seeds.geotiff()
    page = b"<html><script>alert(1)</script><!--"
    return {
        "a PDF around an image": b"%PDF-1.4\n" + good,
        "a ZIP before an image": seeds.packed({"a.txt": b"words"}) + good,
        "a page around an image": page + good,
        "a script around an image": b"#!/bin/sh\nrm -rf x\n" + good,
        "a pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93.",
        "a program": b"\x7fELF" + bytes(200),
        "only the start": b"II*\0",
        "only zeros": bytes(1 << 20),
        "only 0xFF": b"\xff" * 4096,
        "a virtual raster": b"<VRTDataset rasterXSize='9' rasterYSize='9'/>",
        "a virtual raster with a mark": b"\xef\xbb\xbf  <VRTDataset rasterXSize='9'/>",
        "a map service": b"<GDAL_WMS><Service name='TMS'><ServerUrl>x</ServerUrl></Service>",
        "a list of a map service": b"<WMTServiceExceptionReport/>",
        "a proxy": b"<GDALProxy/>",
    }  # fmt: skip


def _big() -> dict[str, object]:
    """BigTIFF that lie about what is big."""
    entries = [Entry(e.tag, LONG8 if e.tag in (273, 279) else e.kind, e.values) for e in grey()]
    entries = [Entry(e.tag, e.kind, 16) if e.tag == 273 else e for e in entries]
    sound = assemble([entries], _STRIP, big=True)

    def header(size: int, zero: int, first: int) -> bytes:
        return struct.pack("<2sHHHQ", b"II", 43, size, zero, first) + sound[16:]

    def changed(tag: int, **lie: int) -> bytes:
        kept = [Entry(e.tag, e.kind, e.values, **lie) if e.tag == tag else e for e in entries]
        return assemble([kept], _STRIP, big=True)

    (first,) = struct.unpack_from("<Q", sound, 8)
    return {
        "offsets of 4 bytes": header(4, 0, first),
        "offsets of 16 bytes": header(16, 0, first),
        "offsets of 0 bytes": header(0, 0, first),
        "its zero is not": header(8, 7, first),
        "first directory at 2^63": header(8, 0, 2**63),
        "first directory at 2^64 - 1": header(8, 0, 2**64 - 1),
        "2^63 entries": sound[:first] + struct.pack("<Q", 2**63) + sound[first + 8 :],
        "2^32 entries": sound[:first] + struct.pack("<Q", 2**32) + sound[first + 8 :],
        "2^62 offsets": changed(273, count=2**62, raw=16),
        "2^40 byte counts": changed(279, count=2**40, raw=16),
        "strip at 2^63": changed(273, raw=2**63),
        "strip at 2^64 - 1": changed(273, raw=2**64 - 1),
        "strip of 2^63 bytes": changed(279, raw=2**63),
        "strip of 2^40 bytes": changed(279, raw=2**40),
        "a directory that follows itself": assemble([entries], _STRIP, big=True, following={0: -1}),
        "the next at 2^62": assemble([entries], _STRIP, big=True, following={0: 2**62}),
        "width of 2^63": assemble([[Entry(256, LONG8, 2**63), *entries[1:]]], _STRIP, big=True),
        "bytes in place of offsets": assemble(
            [[Entry(273, BYTE, 16) if e.tag == 273 else e for e in entries]], _STRIP, big=True
        ),
    }
