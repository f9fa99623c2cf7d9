"""JPEG 2000 whose boxes and code stream are cut, lie, nest or name others."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache

import numpy as np

from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, Lure, cases_of, cuts
from tests.hostile.tiff_places import laughs


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("image", "cut.jp2", dict(_cut()), REFUSED)
    yield from cases_of("image", "lie.jp2", _box_lies())
    yield from cases_of("image", "stream.jp2", _stream_lies())
    yield from cases_of("image", "names.jp2", _names())


@cache
def sound() -> bytes:
    """Return the common picture as JPEG 2000 with its place."""
    import rasterio

    values = np.moveaxis(seeds.pixels(), 2, 0)
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="JP2OpenJPEG", width=96, height=64, count=3, dtype="uint8",
            crs=seeds.UTM, transform=seeds.PLACE, QUALITY=100, REVERSIBLE="YES", CODEC="JP2",
        ) as target:  # fmt: skip
            target.write(values)
        return memory.read()


def boxes(content: bytes) -> list[tuple[bytes, int, int]]:
    """Return kind, start and end of each box."""
    found, at = [], 0
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = len(content) if length == 0 else at + length
        if length == 1:
            end = at + struct.unpack_from(">Q", content, at + 8)[0]
        found.append((kind, at, end))
        at = max(end, at + 8)
    return found


def box(kind: bytes, data: bytes, length: int | None = None) -> bytes:
    """Return a box, whose length may lie."""
    return struct.pack(">I4s", 8 + len(data) if length is None else length, kind) + data


def _start(kind: bytes) -> int:
    return next(start for name, start, _ in boxes(sound()) if name == kind)


def _marker(code: int) -> int:
    """Return where a marker of the code stream stands."""
    return sound().index(struct.pack(">H", code), _start(b"jp2c"))


def _cut() -> Iterator[tuple[str, bytes]]:
    content = sound()
    places = [start + 4 for _, start, _ in boxes(content)]
    places += [start + 12 for _, start, _ in boxes(content)]
    for code in (0xFF51, 0xFF52, 0xFF5C, 0xFF90, 0xFF93):
        places += [_marker(code) + 1, _marker(code) + 7]
    places += [_marker(0xFF93) + 400, len(content) // 2]
    yield from cuts(content, [p for p in places if p > 2]).items()


def _changed(at: int, shape: str, *values: int) -> bytes:
    out = bytearray(sound())
    struct.pack_into(shape, out, at, *values)
    return bytes(out)


def _with(extra: bytes, before: bytes = b"jp2c") -> bytes:
    """Return the sound file with more boxes before one."""
    at = _start(before)
    return sound()[:at] + extra + sound()[at:]


def _box_lies() -> dict[str, object]:
    header, stream, kind = _start(b"jp2h"), _start(b"jp2c"), _start(b"ftyp")
    size = header + 16  # of the image, in the box "ihdr"
    found: dict[str, object] = {}
    for length in (0, 1, 2, 7, 9, 2**31, 2**32 - 1):
        for name, at in (("header", header), ("image header", header + 8), ("stream", stream),
                         ("type", kind)):  # fmt: skip
            found[f"{name} of {length} bytes"] = lambda a=at, n=length: _changed(a, ">I", n)
    nested = b""
    for _ in range(3000):
        nested = box(b"asoc", nested)
    found |= {
        "header of 0 × 0": lambda: _changed(size, ">II", 0, 0),
        "header of four billion squared": lambda: _changed(size, ">II", 2**32 - 1, 2**32 - 1),
        "header of another size than the stream": lambda: _changed(size, ">II", 128, 300),
        "header of 65,535 bands": lambda: _changed(size + 8, ">H", 65535),
        "header of 255 bits": lambda: _changed(size + 10, ">B", 255),
        "no header": lambda: sound()[:header] + sound()[stream:],
        "no stream": lambda: sound()[:stream],
        "two streams": lambda: sound() + sound()[stream:],
        "stream before the header": lambda: sound()[:header] + sound()[stream:]
        + sound()[header:stream],
        "long length of 2^63": lambda: _with(struct.pack(">I4sQ", 1, b"free", 2**63)),
        "boxes nested 3,000 deep": lambda: _with(nested),
        "30,000 empty boxes": lambda: _with(box(b"free", b"") * 30_000),
        "palette of 65,535 columns": lambda: _with(
            box(b"pclr", struct.pack(">HB", 1024, 255) + b"\x07" * 255), b"jp2c"
        ),
        "channels that are none": lambda: _with(
            box(b"cdef", struct.pack(">H", 65535) + b"\xff" * 60)
        ),
        "colours in an unknown way": lambda: _with(
            box(b"colr", struct.pack(">BBBI", 1, 0, 0, 9999))
        ),
        "colour profile of nothing": lambda: _with(box(b"colr", b"\x02\0\0" + b"\xff" * 300)),
        "resolution of 0": lambda: _with(box(b"res ", box(b"resc", bytes(10)))),
        "place in a cut TIFF": lambda: _with(box(b"uuid", _GEOTIFF + b"II*\0\x08\0\0\0\xff\xff")),
        "place in a looping TIFF": lambda: _with(
            box(b"uuid", _GEOTIFF + b"II*\0\x08\0\0\0" + bytes(2) + struct.pack("<I", 8))
        ),
        "world in a short box": lambda: _with(box(b"uuid", _WORLD + b"\0\x01\0\0")),
    }  # fmt: skip
    return found


_GEOTIFF = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
_WORLD = bytes.fromhex("96a9f1f1dc9840 2da7aed68e34451809".replace(" ", ""))


def _stream_lies() -> dict[str, object]:
    siz, cod, qcd, sot = (_marker(code) for code in (0xFF51, 0xFF52, 0xFF5C, 0xFF90))
    most = 2**32 - 1
    raw = sound()[_start(b"jp2c") + 8 :]
    place = {
        "size 0 × 0": (siz + 6, ">II", 0, 0),
        "size of four billion": (siz + 6, ">II", most, most),
        "size of 100,000 × 100,000": (siz + 6, ">II", 100_000, 100_000),
        "size of 16,000 × 16,000": (siz + 6, ">II", 16_000, 16_000),
        "size smaller than its offset": (siz + 14, ">II", most, most),
        "tiles of 0": (siz + 22, ">II", 0, 0),
        "tiles of 1": (siz + 22, ">II", 1, 1),
        "tiles beyond the image": (siz + 30, ">II", most, most),
        "no band": (siz + 38, ">H", 0),
        "16,384 bands": (siz + 38, ">H", 16384),
        "65,535 bands": (siz + 38, ">H", 65535),
        "bands of 128 bits": (siz + 40, ">B", 127),
        "bands sampled by 0": (siz + 41, ">BB", 0, 0),
        "bands sampled by 255": (siz + 41, ">BB", 255, 255),
        "size of a marker of 65,535": (siz + 2, ">H", 65535),
        "size of a marker of 0": (siz + 2, ">H", 0),
        "no layer": (cod + 6, ">H", 0),
        "65,535 layers": (cod + 6, ">H", 65535),
        "33 levels": (cod + 9, ">B", 33),
        "255 levels": (cod + 9, ">B", 255),
        "blocks of 2^255": (cod + 10, ">BB", 255, 255),
        "an unknown wavelet": (cod + 13, ">B", 9),
        "an unknown order": (cod + 5, ">B", 77),
        "steps that are none": (qcd + 4, ">B", 255),
        "short steps": (qcd + 2, ">H", 3),
        "tile 65,535": (sot + 4, ">H", 65535),
        "part of four billion bytes": (sot + 6, ">I", most),
        "part of 1 byte": (sot + 6, ">I", 1),
        "part 255 of 255": (sot + 10, ">BB", 255, 255),
    }
    found: dict[str, object] = {
        key: (lambda p=told: _changed(p[0], p[1], *p[2:])) for key, told in place.items()
    }
    found["header and stream of 16,000 × 16,000"] = lambda: _sized(16_000, 16_000)
    found["header and stream of 9,000 × 9,000, one tile"] = lambda: _sized(9_000, 9_000, tile=True)
    found["header and stream of 100,000 × 100,000"] = lambda: _sized(100_000, 100_000)
    found["noise in its data"] = lambda: (
        sound()[: sot + 40] + bytes(np.random.default_rng(2).integers(0, 256, 3000, np.uint8))
    )
    found["raw"] = raw
    found["raw, cut"] = raw[: len(raw) // 2]
    found["raw, of four billion"] = lambda: raw.replace(
        raw[6:16], raw[6:8] + struct.pack(">II", most, most), 1
    )
    return found


def _sized(width: int, height: int, tile: bool = False) -> bytes:
    """Return the sound file with another size in header and stream alike."""
    out = bytearray(sound())
    siz = _marker(0xFF51)
    struct.pack_into(">II", out, _start(b"jp2h") + 16, height, width)
    struct.pack_into(">II", out, siz + 6, width, height)
    if tile:
        struct.pack_into(">II", out, siz + 22, width, height)
    return bytes(out)


def _names() -> dict[str, object]:
    """XML boxes that name another file or an address."""

    def described(inner: str, lure: Lure) -> bytes:
        inner = inner.format(raster=lure.raster, words=lure.words, address=lure.address)
        return _with(box(b"xml ", inner.encode()))

    def labelled(xml: str, lure: Lure) -> bytes:
        """Return it as a map in GML (GMLJP2)."""
        xml = xml.format(raster=lure.raster, words=lure.words, address=lure.address)
        instance = box(b"asoc", box(b"lbl ", b"gml.root-instance") + box(b"xml ", xml.encode()))
        return _with(box(b"asoc", box(b"lbl ", b"gml.data") + instance))

    domains = (
        '<GDALMultiDomainMetadata><Metadata domain="{domain}"><MDI key="{key}">{value}</MDI>'
        "</Metadata></GDALMultiDomainMetadata>"
    )
    coverage = (
        '<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml/3.2" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" {more}><gml:featureMember '
        'xlink:href="{target}"/><gml:RectifiedGrid dimension="2"><gml:limits><gml:GridEnvelope>'
        "<gml:low>0 0</gml:low><gml:high>95 63</gml:high></gml:GridEnvelope></gml:limits>"
        '<gml:origin><gml:Point srsName="{system}"><gml:pos>500000 4000000</gml:pos></gml:Point>'
        '</gml:origin><gml:offsetVector srsName="{system}">nan 0</gml:offsetVector>'
        '<gml:offsetVector srsName="{system}">0 nan</gml:offsetVector></gml:RectifiedGrid>'
        "</gml:FeatureCollection>"
    )
    found: dict[str, object] = {}
    for what, value in (("raster", "{raster}"), ("address", "/vsicurl/{address}/x.tif"),
                        ("words", "/vsisubfile/0_90,{words}")):  # fmt: skip
        for domain, key in (("OVERVIEWS", "OVERVIEW_FILE"), ("SUBDATASETS", "SUBDATASET_1_NAME"),
                            ("GEOLOCATION", "X_DATASET"), ("", "OVERVIEW_FILE")):  # fmt: skip
            text = domains.replace("{domain}", domain).replace("{key}", key)
            text = text.replace("{value}", value)
            found[f"{what} by {domain or 'default'}/{key}"] = lambda lure, t=text: described(
                t, lure
            )
    for what, target in (("address", "{address}/x.gml"), ("words", "file://{words}")):
        linked = coverage.replace("{target}", target).replace("{system}", target)
        linked = linked.replace("{more}", f'xsi:schemaLocation="a {target}"')
        found[f"{what} by a map in GML"] = lambda lure, t=linked: labelled(t, lure)
    found["words by a document type"] = lambda lure: described(
        '<!DOCTYPE x [<!ENTITY y SYSTEM "file://{words}">]><x>&y;</x>', lure
    )
    found["a billion laughs"] = lambda: _with(
        box(b"xml ", laughs("GDALMultiDomainMetadata").rstrip(b"\0"))
    )
    found["a virtual raster in its description"] = lambda lure: described(
        '<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand band="1"><SimpleSource>'
        "<SourceFilename>{raster}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
        lure,
    )
    found["description nested 20,000 deep"] = lambda: _with(box(b"xml ", b"<a>" * 20_000))
    found["description of 3 MB"] = lambda: _with(box(b"xml ", b"<a>" + b" " * 3_000_000 + b"</a>"))
    return found
