"""The parts of a PNG: where they are, and how long their texts are once unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from rsam_core.errors import SceneError
from rsam_core.scene.raster_file import RasterFile

MAX_TEXTS = 2**24
"""Bytes of all texts of a PNG together, unpacked; every opening unpacks them again."""
_MAX_PARTS = 1_000_000
_STEP = 2**16
# Within these bytes the name of a text or profile ends, by a zero.
_NAME = 80


def png_parts(file: RasterFile) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each part, and the place and length of its content."""
    place = 8
    for _ in range(_MAX_PARTS):
        head = file.part(place, 8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[:4], "big")
        yield head[4:], place + 8, length
        place += 12 + length


def check_texts(file: RasterFile) -> None:
    """Refuse a PNG whose packed texts or profiles swell beyond what anybody writes.

    Raises
    ------
    SceneError
    """
    room = MAX_TEXTS
    for kind, place, length in png_parts(file):
        if kind not in (b"zTXt", b"iTXt", b"iCCP"):
            continue
        packed = _packed(kind, file.part(place, length))
        room -= _unpacked(packed, room)
        if room < 0:
            raise SceneError(
                f"“{file.name}” holds texts of more than {MAX_TEXTS >> 20} MB beside the picture, "
                "packed so that they do not show. Save the picture again without comments and "
                "metadata."
            )


def _packed(kind: bytes, content: bytes) -> bytes:
    """Return what of a part is packed; nothing if its text is plain."""
    at = content.find(b"\0", 0, _NAME) + 1
    if at == 0:
        return b""
    if kind != b"iTXt":
        # One byte says how it is packed; there is but one way.
        return content[at + 1 :]
    if content[at : at + 1] != b"\x01":
        return b""
    # Language and translated name, each with a zero at its end.
    at += 2
    for _ in range(2):
        end = content.find(b"\0", at)
        if end < 0:
            return b""
        at = end + 1
    return content[at:]


def _unpacked(packed: bytes, most: int) -> int:
    """Return how many bytes it unpacks to; it stops a little beyond the most that may be."""
    unpacker, count = zlib.decompressobj(), 0
    try:
        while packed and count <= most:
            count += len(unpacker.decompress(packed, _STEP))
            packed = unpacker.unconsumed_tail
    except zlib.error:
        # What comes after is not unpacked by anybody.
        return count
    return count
