"""Archives that are cut, lie, swell or lead out of their folder, for every kind of upload."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache

from tests.hostile import seeds
from tests.hostile.case import cuts

_LOCAL, _CENTRAL, _LAST = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def cut(content: bytes) -> dict[str, bytes]:
    """Cut an archive in each of its structures."""
    central, last = content.index(_CENTRAL), content.rindex(_LAST)
    places = (5, 28, 60, central // 2, central, central + 20, central + 48, last, last + 12)
    return cuts(content, places)


def broken(content: bytes) -> dict[str, bytes]:
    """Let the directory of an archive lie."""
    central, last = content.index(_CENTRAL), content.rindex(_LAST)

    def changed(at: int, shape: str, *values: int) -> bytes:
        out = bytearray(content)
        struct.pack_into(shape, out, at, *values)
        return bytes(out)

    first = changed
    return {
        "directory beyond the end": changed(last + 16, "<I", 2**31),
        "directory of 4 GB": changed(last + 12, "<I", 2**32 - 1),
        "65,535 entries told": changed(last + 8, "<HH", 65535, 65535),
        "entry beyond the end": first(central + 42, "<I", 2**31),
        "entry that is the directory": first(central + 42, "<I", central),
        "name of 65,535 letters": first(central + 28, "<H", 65535),
        "more data than there are": first(central + 20, "<I", 2**31 - 1),
        "unpacks to 4 GB told": first(central + 24, "<I", 2**32 - 2),
        "unpacks to nothing told": first(central + 24, "<I", 0),
        "an unknown packing": first(central + 10, "<H", 99),
        "protected by a password": changed(central + 8, "<H", 1),
        "another check sum": first(central + 16, "<I", 7),
        "patched data": first(central + 8, "<H", 0x20),
        "on disk 7": changed(last + 4, "<HH", 7, 7),
        "64-bit sizes that lie": content[:last]
        + struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 2**62, 2**62, 2**62)
        + struct.pack("<4sIQI", b"PK\x06\x07", 0, last, 1)
        + content[last:],
    }


def escapes(around: Callable[[str], Mapping[str, bytes]]) -> dict[str, Callable[[], bytes]]:
    """Archives with a name that leads out of the folder.

    Parameters
    ----------
    around : callable
        Given the name, the files of the archive.
    """
    names = ("../x.png", "a/../../x.png", "/etc/x.png", "C:\\x.png", "..\\x.png", "//server/x.png",
             "a\\..\\..\\x.png", "\\\\server\\share\\x.png", "C:x.png")  # fmt: skip
    return {f"name {name}": lambda n=name: seeds.packed(around(n)) for name in names}


@cache
def bombs(size: int, name: str = "bomb/zeros.bi") -> bytes:
    """Return an archive of one file of so many zeros, written without unpacking them."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(1 << 20)
    crc, data = 0, b""
    for _ in range(size >> 20):
        crc = zlib.crc32(block, crc)
        data += pack.compress(block)
    data += pack.flush()
    return entries([(name, data, crc, size)])


def entries(
    files: list[tuple[str, bytes, int, int]], overlap: bool = False, method: int = 8
) -> bytes:
    """Return an archive of raw entries (name, packed data, check sum, size when unpacked).

    Parameters
    ----------
    files : list
    overlap : bool
        Whether all share the data of the first.
    method : int
        8 for deflate, 0 for stored.
    """
    out, central = bytearray(), bytearray()
    for number, (name, data, crc, size) in enumerate(files):
        encoded = name.encode()
        fields = (20, 0, method, 0, 0x21, crc, len(data), size, len(encoded), 0)
        at = 0 if overlap else len(out)
        if not overlap or number == 0:
            out += _LOCAL + struct.pack("<HHHHHIIIHH", *fields) + encoded + data
        central += _CENTRAL + struct.pack("<H", 20) + struct.pack("<HHHHHIIIHH", *fields)
        central += struct.pack("<HHHII", 0, 0, 0, 0, at) + encoded
    told = min(len(files), 65535)
    last = struct.pack("<4sHHHHIIH", _LAST, 0, 0, told, told, len(central), len(out), 0)
    return bytes(out + central) + last


def linked(name: str, target: str) -> bytes:
    """Return an archive with a symbolic link."""
    info = zipfile.ZipInfo(name, (1990, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o120777 << 16
    import io

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(info, target)
    return stream.getvalue()


def nested(depth: int, inner: Mapping[str, bytes], name: str = "inner.zip") -> bytes:
    """Return an archive in an archive, so many deep."""
    content = seeds.packed(inner)
    for _ in range(depth):
        content = seeds.packed({name: content})
    return content
