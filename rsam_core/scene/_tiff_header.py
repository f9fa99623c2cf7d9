"""The directories of a TIFF, read from its bytes: what GDAL does not tell, or tells too late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

ORIENTATION = 274
GDAL_METADATA = 42_112
_OFFSETS, _COUNTS = (273, 324), (279, 325)
_SUB_DIRECTORIES = 330

# Type code: numpy type of its numbers. Fractions are not needed and come as pairs.
_TYPES = {
    1: "u1", 2: "u1", 3: "u2", 4: "u4", 5: "u8", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 10: "i8",
    11: "f4", 12: "f8", 13: "u4", 16: "u8", 17: "i8", 18: "u8",
}  # fmt: skip
_MAX_DIRECTORIES = 10_000
_MAX_TAGS = 4096
# Of no tag more is read than a table of 32 million blocks takes.
_MAX_VALUE = 2**28


@dataclass(frozen=True)
class _Entry:
    """Where the values of a tag lie."""

    kind: str
    count: int
    at: int


class Directory:
    """The tags of one image in a TIFF; values are read when they are asked for."""

    def __init__(self, read: Callable[[int, int], bytes], entries: dict[int, _Entry]) -> None:
        self._read, self._entries = read, entries

    def values(self, tag: int) -> np.ndarray:
        """Return the numbers of a tag, as many as the file holds; empty if it is not there."""
        entry = self._entries.get(tag)
        if entry is None:
            return np.zeros(0, np.uint8)
        size = np.dtype(entry.kind).itemsize
        content = self._read(entry.at, min(entry.count * size, _MAX_VALUE))
        return np.frombuffer(content[: len(content) // size * size], entry.kind)

    def text(self, tag: int) -> bytes:
        """Return the bytes of a tag."""
        return self.values(tag).tobytes()

    @property
    def blocks(self) -> tuple[np.ndarray, np.ndarray]:
        """Offset and length in bytes of each strip or tile; lengths of 0 are empty blocks."""
        for offsets, counts in zip(_OFFSETS, _COUNTS):
            if offsets in self._entries and counts in self._entries:
                starts, lengths = self.values(offsets), self.values(counts)
                both = min(len(starts), len(lengths))
                return starts[:both].astype(np.float64), lengths[:both].astype(np.float64)
        return np.zeros(0), np.zeros(0)

    @property
    def wanted_blocks(self) -> int:
        """How many strips or tiles an image of this size has, going by its other tags."""
        width, height = self._number(256, 0), self._number(257, 0)
        if 322 in self._entries:
            across = -(-width // max(self._number(322, 1), 1))
            down = -(-height // max(self._number(323, 1), 1))
        else:
            across, down = 1, -(-height // max(min(self._number(278, height), height), 1))
        planes = self._number(277, 1) if self._number(284, 1) == 2 else 1
        return across * down * planes

    def _number(self, tag: int, default: int) -> int:
        values = self.values(tag)
        return int(values[0]) if len(values) else default


def directories(read: Callable[[int, int], bytes]) -> Iterator[Directory]:
    """Walk over all directories of a TIFF or BigTIFF, those below others included.

    Parameters
    ----------
    read : callable
        Takes where to start and how many bytes; returns fewer at the end of the file.

    Yields
    ------
    Directory
        The main image first. Whatever is cut short or leads astray is passed over: GDAL finds out.
    """
    head = read(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return
    byteorder = "little" if order == "<" else "big"
    big = int.from_bytes(head[2:4], byteorder) == 43
    # Sizes of an offset, of the number of tags, and of a tag.
    wide, number, tag_size = (8, 8, 20) if big else (4, 2, 12)

    def integer(content: bytes) -> int:
        return int.from_bytes(content, byteorder)

    waiting, seen = [integer(head[8:16] if big else head[4:8])], set()
    while waiting and len(seen) < _MAX_DIRECTORIES:
        start = waiting.pop(0)
        if start == 0 or start in seen:
            continue
        seen.add(start)
        count = min(integer(read(start, number)), _MAX_TAGS)
        table = read(start + number, count * tag_size + wide)
        entries: dict[int, _Entry] = {}
        for place in range(0, min(count * tag_size, len(table) - tag_size + 1), tag_size):
            tag = integer(table[place : place + 2])
            kind = _TYPES.get(integer(table[place + 2 : place + 4]))
            amount = integer(table[place + 4 : place + 4 + wide])
            if kind is None or tag in entries:
                continue
            inside = amount * np.dtype(kind).itemsize <= wide
            field = place + 4 + wide
            at = start + number + field if inside else integer(table[field : field + wide])
            entries[tag] = _Entry(order + kind, amount, at)
        directory = Directory(read, entries)
        yield directory
        waiting.append(integer(table[count * tag_size : count * tag_size + wide]))
        waiting.extend(int(at) for at in directory.values(_SUB_DIRECTORIES)[:_MAX_TAGS])
