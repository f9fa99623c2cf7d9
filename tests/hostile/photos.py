"""JPEG photos that are cut, lie or swell."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, cases_of, cuts


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("image", "cut.jpg", _cut_jpeg(), REFUSED)
    yield from cases_of("image", "lie.jpg", jpegs())


def segments(content: bytes) -> list[tuple[int, int, int]]:
    """Return marker, start and end of each segment before the data."""
    found, at = [], 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        (length,) = struct.unpack_from(">H", content, at + 2)
        found.append((content[at + 1], at, at + 2 + length))
        at += 2 + length
        if found[-1][0] == 0xDA:
            break
    return found


def _cut_jpeg() -> dict[str, bytes]:
    content = seeds.picture("JPEG")
    places = [at for _, start, end in segments(content) for at in (start + 3, (start + end) // 2)]
    return cuts(content, [4, *places, segments(content)[-1][2] + 30, len(content) * 3 // 4])


def _segment(marker: int, data: bytes, length: int | None = None) -> bytes:
    told = len(data) + 2 if length is None else length
    return struct.pack(">BBH", 0xFF, marker, told) + data


def _with(*extra: bytes) -> bytes:
    """Return the sound photo with more segments at its start."""
    content = seeds.picture("JPEG")
    return content[:2] + b"".join(extra) + content[2:]


def _changed(marker: int, offset: int, shape: str, *values: int, **options: object) -> bytes:
    out = bytearray(seeds.picture("JPEG", **options))
    start = next(at for found, at, _ in segments(bytes(out)) if found == marker)
    struct.pack_into(shape, out, start + offset, *values)
    return bytes(out)


def _without(marker: int) -> bytes:
    content = seeds.picture("JPEG")
    for found, start, end in reversed(segments(content)):
        if found == marker:
            content = content[:start] + content[end:]
    return content


def _scans(count: int, width: int, height: int) -> bytes:
    """Return a progressive photo whose last scan is there many times."""
    content = seeds.picture("JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    out = bytearray(content[:start] + content[start:-2] * count + content[-2:])
    frame = out.index(b"\xff\xc2")
    struct.pack_into(">HH", out, frame + 5, height, width)
    return bytes(out)


def jpegs() -> dict[str, object]:
    size = 5
    camera = b"Exif\0\0"
    entry = struct.pack(">HHHII", 1, 274, 3, 1, 6 << 16)
    loop = camera + b"MM\0*" + struct.pack(">I", 8) + entry + struct.pack(">I", 8)
    found: dict[str, object] = {
        f"size {height} × {width}": lambda h=height, w=width: _changed(0xC0, size, ">HH", h, w)
        for height, width in ((0, 0), (0, 96), (65535, 65535), (9_999, 9_999), (65, 97),
                              (30, 40), (65535, 8), (8, 65535), (5000, 20000))
    }  # fmt: skip
    for count in (0, 2, 4, 255):
        found[f"{count} components"] = lambda c=count: _changed(0xC0, 9, ">B", c)
    for sampling in (0, 0x44, 0xFF, 0x40):
        found[f"sampled by {sampling:02x}"] = lambda s=sampling: _changed(0xC0, 11, ">B", s)
    found |= {
        "16 bits": lambda: _changed(0xC0, 4, ">B", 16),
        "0 bits": lambda: _changed(0xC0, 4, ">B", 0),
        "lossless": lambda: _changed(0xC0, 1, ">B", 0xC3),
        "arithmetic": lambda: _changed(0xC0, 1, ">B", 0xC9),
        "hierarchical": lambda: _changed(0xC0, 1, ">B", 0xC5),
        "no quantisation": lambda: _without(0xDB),
        "no codes": lambda: _without(0xC4),
        "no frame": lambda: _without(0xC0),
        "a code longer than all": lambda: _changed(0xC4, 5, ">16B", *[255] * 16),
        "no code word": lambda: _changed(0xC4, 5, ">16B", *[0] * 16),
        "scan of an unknown component": lambda: _changed(0xDA, 5, ">B", 77),
        "scan of 255 components": lambda: _changed(0xDA, 4, ">B", 255),
        "a table of length 0": lambda: _changed(0xDB, 2, ">H", 0),
        "a table of length 65,535": lambda: _changed(0xDB, 2, ">H", 65535),
        "quantised by 0": lambda: _changed(0xDB, 5, ">64B", *[0] * 64),
        "two frames": lambda: _with(_segment(0xC0, bytes([8, 0, 9, 0, 9, 1, 1, 17, 0]))),
        "restart at each block": lambda: _with(_segment(0xDD, b"\0\x01")),
        "5,000 scans": lambda: _scans(5_000, 96, 64),
        "500 scans of 9,000 × 9,000": lambda: _scans(500, 9_000, 9_000),
        "200 comments": lambda: _with(*[_segment(0xFE, b"<script>alert(1)</script>" * 2000)] * 200),
        "camera data beyond the end": lambda: _with(
            _segment(0xE1, camera + b"II*\0\xff\xff\xff\x7f")
        ),
        "camera data that loop": lambda: _with(_segment(0xE1, loop)),
        "camera data of 65,535 entries": lambda: _with(
            _segment(0xE1, camera + b"MM\0*\0\0\0\x08\xff\xff" + bytes(600))
        ),
        "camera data that are no data": lambda: _with(_segment(0xE1, camera + b"\xff" * 4000)),
        "descriptions with a billion laughs": lambda: _with(
            _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;")
        ),
        "colour profile in 255 parts, one there": lambda: _with(
            _segment(0xE2, b"ICC_PROFILE\0\x01\xff" + b"\xff" * 900)
        ),
        "many pictures, of which none": lambda: _with(
            _segment(0xE2, b"MPF\0MM\0*" + struct.pack(">IHHHII", 8, 1, 0xB001, 4, 1, 2**31))
        ),
        "inks that are none": lambda: _with(_segment(0xEE, b"Adobe\0\x64\0\0\0\0\xff")),
        "a segment in a segment": lambda: _with(_segment(0xE5, _with(), 65535)),
        "only markers": lambda: b"\xff\xd8" + b"\xff\xd0" * 9000,
        "only filling": lambda: b"\xff\xd8" + b"\xff" * 90_000 + b"\xd9",
        "noise in its data": lambda: seeds.picture("JPEG")[:900] + bytes(range(256)) * 20,
        "a ZIP behind it": lambda: seeds.picture("JPEG") + seeds.packed({"a.txt": b"x"}),
        "a script behind it": lambda: seeds.picture("JPEG") + b"<script>alert(1)</script>",
    }  # fmt: skip
    return found
