"""PNG, GIF, BMP and WEBP that are cut, lie or swell."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache

from PIL import Image

from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, cases_of, cuts

_SIGN = b"\x89PNG\r\n\x1a\n"


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("image", "cut.png", _cut_png(), REFUSED)
    yield from cases_of("image", "lie.png", pngs())
    yield from cases_of("image", "lie.gif", _gif())
    yield from cases_of("image", "lie.bmp", _bmp())
    yield from cases_of("image", "lie.webp", _webp())


# --- PNG ---------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes, length: int | None = None, crc: int | None = None) -> bytes:
    """Return a chunk, whose length and check sum may lie."""
    told = len(data) if length is None else length
    check = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", told) + kind + data + struct.pack(">I", check)


def header(width: int = 64, height: int = 64, bits: int = 8, colour: int = 0, *more: int) -> bytes:
    """Return the chunk of the size."""
    compression, filters, interlace = (*more, 0, 0, 0)[:3]
    return chunk(
        b"IHDR",
        struct.pack(">IIBBBBB", width, height, bits, colour, compression, filters, interlace),
    )


_ROWS = b"".join(b"\0" + bytes(range(64)) for _ in range(64))
_END = chunk(b"IEND", b"")


def png(*parts: bytes, head: bytes | None = None, rows: bytes = _ROWS, end: bytes = _END) -> bytes:
    """Return a PNG of 64 × 64 with more chunks before its data."""
    start = header() if head is None else head
    return _SIGN + start + b"".join(parts) + chunk(b"IDAT", zlib.compress(rows)) + end


def _cut_png() -> dict[str, bytes]:
    content = seeds.picture("PNG")
    places, at = [9, 12, 20], 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        places += [at + 3, at + 7, at + 8 + length // 2]
        at += 12 + length
    return cuts(content, [p for p in places if 4 < p < len(content) - 14])


@cache
def _zeros(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def pngs() -> dict[str, object]:
    big = 100_000_000
    exif = b"MM\0*" + struct.pack(">IHHHII", 8, 65535, 274, 3, 2**31, 2**31)
    return {
        "0 × 0": lambda: png(head=header(0, 0)),
        "2,147,483,647 squared": lambda: png(head=header(2**31 - 1, 2**31 - 1)),
        "four billion squared": lambda: png(head=header(2**32 - 1, 2**32 - 1)),
        "8 × 12,000,000": lambda: png(head=header(8, 12_000_000)),
        "9,999 × 9,999 of a few bytes": lambda: png(head=header(9_999, 9_999)),
        "9,999 × 9,999 of zeros": lambda: _SIGN + header(9_999, 9_999)
        + chunk(b"IDAT", _zeros(9_999 * 10_000)) + _END,
        "9,999 × 9,999 of 16 bits and four bands": lambda: _SIGN + header(9_999, 9_999, 16, 6)
        + chunk(b"IDAT", _zeros(big)) + _END,
        "9,999 × 9,999 interlaced": lambda: _SIGN + header(9_999, 9_999, 8, 6, 0, 0, 1)
        + chunk(b"IDAT", _zeros(big)) + _END,
        "100 MB behind 64 × 64": lambda: _SIGN + header() + chunk(b"IDAT", _zeros(big)) + _END,
        "3 bits": lambda: png(head=header(64, 64, 3)),
        "0 bits": lambda: png(head=header(64, 64, 0)),
        "colour 5": lambda: png(head=header(64, 64, 8, 5)),
        "colour 255": lambda: png(head=header(64, 64, 8, 255)),
        "compression 9": lambda: png(head=header(64, 64, 8, 0, 9)),
        "filter 9": lambda: png(head=header(64, 64, 8, 0, 0, 9)),
        "interlace 9": lambda: png(head=header(64, 64, 8, 0, 0, 0, 9)),
        "a filter of rows that does not exist": lambda: png(rows=b"\x09" + _ROWS[1:]),
        "header of 4 GB": lambda: _SIGN + chunk(b"IHDR", header()[8:21], 2**32 - 1) + _END,
        "header of 12 bytes": lambda: _SIGN + chunk(b"IHDR", header()[8:20]) + _END,
        "two headers": lambda: png(header(32, 32)),
        "no header": lambda: _SIGN + chunk(b"IDAT", zlib.compress(_ROWS)) + _END,
        "no data": lambda: _SIGN + header() + _END,
        "no end": lambda: png(end=b""),
        "data before the header": lambda: _SIGN + chunk(b"IDAT", zlib.compress(_ROWS)) + header(),
        "data of 2 GB": lambda: _SIGN + header()
        + chunk(b"IDAT", zlib.compress(_ROWS), 2**31 - 1) + _END,
        "data of 4 GB": lambda: _SIGN + header()
        + chunk(b"IDAT", zlib.compress(_ROWS), 2**32 - 1) + _END,
        "data that are no zlib": lambda: _SIGN + header() + chunk(b"IDAT", b"\xff" * 900) + _END,
        "half of its rows": lambda: png(rows=_ROWS[: len(_ROWS) // 2]),
        "wrong check sums": lambda: _SIGN + header()
        + chunk(b"IDAT", zlib.compress(_ROWS), crc=7) + _END,
        "text of 100 MB": lambda: png(chunk(b"zTXt", b"a\0\0" + _zeros(big))),
        "international text of 100 MB": lambda: png(
            chunk(b"iTXt", b"a\0\x01\0\0\0" + _zeros(big))
        ),
        "colour profile of 100 MB": lambda: png(chunk(b"iCCP", b"a\0\0" + _zeros(big))),
        "colour profile of 2 GB told": lambda: png(chunk(b"iCCP", b"a\0\0" * 40, 2**31 - 1)),
        "200 texts of 1 MB": lambda: png(*[chunk(b"zTXt", b"a\0\0" + _zeros(1 << 20))] * 200),
        "50,000 empty data": lambda: png(*[chunk(b"IDAT", b"")] * 50_000),
        "50,000 unknown chunks": lambda: png(*[chunk(b"abCd", b"x")] * 50_000),
        "palette without colours": lambda: png(head=header(64, 64, 8, 3)),
        "palette of 257 colours": lambda: png(
            chunk(b"PLTE", bytes(257 * 3)), head=header(64, 64, 8, 3)
        ),
        "palette of one and a half": lambda: png(
            chunk(b"PLTE", bytes(4)), head=header(64, 64, 8, 3)
        ),
        "palette shorter than its indices": lambda: png(
            chunk(b"PLTE", bytes(6)), head=header(64, 64, 8, 3)
        ),
        "transparency longer than its palette": lambda: png(
            chunk(b"PLTE", bytes(6)), chunk(b"tRNS", bytes(256)), head=header(64, 64, 8, 3)
        ),
        "transparency of a grey of 1 byte": lambda: png(chunk(b"tRNS", b"\0")),
        "animation of 2,147,483,647 frames": lambda: png(
            chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
        ),
        "frame outside the animation": lambda: png(
            chunk(b"acTL", struct.pack(">II", 1, 0)),
            chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 9999, 9999, 9999, 9999, 1, 0, 9, 9)),
        ),
        "camera data that lie": lambda: png(chunk(b"eXIf", exif)),
        "gamma of 0": lambda: png(chunk(b"gAMA", bytes(4)), chunk(b"cHRM", bytes(32))),
        "resolution of 0": lambda: png(chunk(b"pHYs", bytes(9))),
        "a chunk whose name is no name": lambda: png(chunk(b"\0\0\0\0", b"x" * 9)),
        "a page in its text": lambda: png(chunk(b"tEXt", b"Title\0<script>alert(1)</script>")),
        "a ZIP behind it": lambda: png() + seeds.packed({"images/a.png": png()}),
        "a script behind it": lambda: png() + b"<script>alert(document.cookie)</script>",
        "JPEG inside PNG": lambda: _SIGN + seeds.picture("JPEG"),
        "raised by an iPhone": lambda: _SIGN + chunk(b"CgBI", bytes(4)) + png()[8:],
    }  # fmt: skip


# --- GIF, BMP, WEBP ----------------------------------------------------------------------


@cache
def _frames(count: int) -> bytes:
    """Return an animation of so many frames, the last repeated."""
    frames = [Image.new("P", (64, 64), n) for n in range(2)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=50)
    content = stream.getvalue()
    start = content.rindex(b"\x21\xf9\x04")
    return content[:start] + content[start:-1] * count + b";"


def _gif() -> dict[str, object]:
    content = seeds.picture("GIF")
    image = content.index(b"\x2c", 13 + 3 * 256)

    def changed(at: int, shape: str, *values: int) -> bytes:
        out = bytearray(content)
        struct.pack_into(shape, out, at, *values)
        return bytes(out)

    found = {f"code size {size}": changed(image + 10, "<B", size) for size in (0, 1, 12, 13, 255)}
    return found | cuts(content, (6, 9, 12, 20, image, image + 6, image + 12, image + 200)) | {
        "0 × 0": changed(6, "<HH", 0, 0),
        "65,535 squared": changed(6, "<HH", 65535, 65535),
        "9,999 squared around a small frame": changed(6, "<HH", 9_999, 9_999),
        "frame of 65,535 squared": changed(image + 5, "<HH", 65535, 65535),
        "frame of 9,000 squared": changed(image + 5, "<HH", 9_000, 9_000),
        "frame outside": changed(image + 1, "<HHHH", 65000, 65000, 96, 64),
        "frame of 0": changed(image + 5, "<HH", 0, 0),
        "no palette": content[:10] + b"\0\0\0" + content[13 + 3 * 256 :],
        "background that is none": changed(11, "<B", 255),
        "blocks of length 255 only": content[: image + 11] + b"\xff" * 9000,
        "an extension without an end": content[:image] + b"\x21\xfe" + b"\xff" * 9000,
        "transparency of colour 255": content[:image] + b"\x21\xf9\x04\xff\0\0\xff\0"
        + content[image:],
        "20,000 frames": lambda: _frames(20_000),
        "a script that is a picture": content[:6] + b"/*" + content[8:] + b"*/=1;alert(1)",
        "nothing but the start": b"GIF89a",
    }  # fmt: skip


def _bmp() -> dict[str, object]:
    content = seeds.picture("BMP")

    def changed(at: int, shape: str, *values: int) -> bytes:
        out = bytearray(content)
        struct.pack_into(shape, out, at, *values)
        return bytes(out)

    found = {f"{bits} bits": changed(28, "<H", bits) for bits in (0, 3, 1, 16, 64, 65535)}
    found |= {f"packed by method {n}": changed(30, "<I", n) for n in (1, 2, 3, 4, 5, 99)}
    found |= {f"header of {n} bytes": changed(14, "<I", n) for n in (0, 12, 39, 124, 2**31)}
    return found | cuts(content, (2, 10, 20, 40, 53, 60, len(content) // 2)) | {
        "pixels beyond the end": changed(10, "<I", 2**31),
        "pixels in the header": changed(10, "<I", 0),
        "width 0": changed(18, "<i", 0),
        "negative width": changed(18, "<i", -96),
        "height of the least number": changed(22, "<i", -(2**31)),
        "height of the greatest": changed(22, "<i", 2**31 - 1),
        "upside down": changed(22, "<i", -64),
        "2,147,483,647 squared": changed(18, "<ii", 2**31 - 1, 2**31 - 1),
        "9,999 squared of a few bytes": changed(18, "<ii", 9_999, 9_999),
        "palette of four billion": changed(46, "<I", 2**32 - 1),
        "planes of 65,535": changed(26, "<H", 65535),
        "runs beyond the image": changed(28, "<HI", 8, 1)[:54] + b"\xff\x07" * 90_000,
        "jumps beyond the image": changed(28, "<HI", 8, 1)[:54] + b"\0\x02\xff\xff" * 9_000,
    }  # fmt: skip


def _webp() -> dict[str, object]:
    content = seeds.picture("WEBP")
    lossless = seeds.picture("WEBP", lossless=True)

    def riff(*parts: bytes, length: int | None = None) -> bytes:
        body = b"WEBP" + b"".join(parts)
        return b"RIFF" + struct.pack("<I", len(body) if length is None else length) + body

    def part(kind: bytes, data: bytes, length: int | None = None) -> bytes:
        told = len(data) if length is None else length
        return kind + struct.pack("<I", told) + data + bytes(len(data) % 2)

    def canvas(side: int, flags: int = 2) -> bytes:
        low = struct.pack("<I", side - 1)[:3]
        return part(b"VP8X", bytes([flags, 0, 0, 0]) + low + low)

    frame = part(b"ANMF", bytes(6) + b"\x0f\0\0\x0f\0\0\x64\0\0\0" + lossless[12:])
    return cuts(content, (8, 12, 16, 20, 26, 40, len(content) // 2)) | {
        "length 0": content[:4] + bytes(4) + content[8:],
        "length of 4 GB": content[:4] + b"\xff" * 4 + content[8:],
        "part of 4 GB": content[:16] + b"\xff" * 4 + content[20:],
        "16,384 squared": content[:26] + b"\xff\x3f\xff\x3f" + content[30:],
        "0 × 0": content[:26] + bytes(4) + content[30:],
        "canvas of 16,777,216 squared": riff(canvas(1 << 24), content[12:]),
        "canvas of 16,383 squared, animated": riff(
            canvas(16_383), part(b"ANIM", bytes(6)), frame
        ),
        "canvas of 9,000 squared, animated": riff(canvas(9_000), part(b"ANIM", bytes(6)), frame),
        "2,000 frames": lambda: riff(canvas(96), part(b"ANIM", bytes(6)), frame * 2000),
        "animated without a frame": riff(canvas(96), part(b"ANIM", bytes(6))),
        "transparency that is none": riff(
            canvas(96, 16), part(b"ALPH", b"\xff" * 60), content[12:]
        ),
        "lossless, noise": lossless[:30] + b"\xff" * 900,
        "lossless, 16,384 squared": lossless[:21] + b"\xff\xff\xff\x0f" + lossless[25:],
        "colour profile of 4 GB": riff(canvas(96, 32), part(b"ICCP", b"x" * 9, 2**32 - 1)),
        "no part": riff(),
        "sound, not a picture": b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        "parts that name themselves": riff(*[part(b"WEBP", b"RIFF" * 9)] * 900),
    }  # fmt: skip
