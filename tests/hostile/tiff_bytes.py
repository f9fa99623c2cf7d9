"""TIFF directories written by hand, entry by entry, so that they can say anything."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

BYTE, ASCII, SHORT, LONG, RATIONAL, DOUBLE, LONG8 = 1, 2, 3, 4, 5, 12, 16
_FORMAT = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", DOUBLE: "d", LONG8: "Q", 9: "i", 11: "f"}


@dataclass(frozen=True)
class Entry:
    """One entry of a directory; `count` and `raw` lie if they are given.

    Attributes
    ----------
    tag, kind : int
    values : bytes or iterable of numbers
    count : int, optional
        In place of the true number of values.
    raw : int, optional
        In place of the value or its offset.
    """

    tag: int
    kind: int
    values: object = ()
    count: int | None = None
    raw: int | None = None

    def data(self) -> bytes:
        """Return the values as bytes."""
        if isinstance(self.values, (bytes, bytearray)):
            return bytes(self.values)
        values = self.values if isinstance(self.values, Iterable) else (self.values,)
        return b"".join(struct.pack("<" + _FORMAT.get(self.kind, "I"), value) for value in values)

    def number(self) -> int:
        """Return how many values it says it has."""
        if self.count is not None:
            return self.count
        size = struct.calcsize("<" + _FORMAT.get(self.kind, "I"))
        return len(self.data()) // size


def assemble(
    directories: list[list[Entry]],
    blob: bytes = b"",
    *,
    big: bool = False,
    following: dict[int, int] | None = None,
) -> bytes:
    """Return a little-endian TIFF: header, blob, then the directories with their values.

    Parameters
    ----------
    directories : list of list of Entry
    blob : bytes
        Pixels; they begin at byte 8, or 16 of a BigTIFF.
    big : bool
        Whether it is a BigTIFF.
    following : dict of int to int, optional
        Number of a directory and the offset of the next that it claims; by default they follow
        each other. A negative number means the directory of that place: -1 the first.
    """
    head = 16 if big else 8
    head_count, head_entry, head_next = (8, 20, 8) if big else (2, 12, 4)
    out = bytearray(head) + blob
    places, links = [], []
    for entries in directories:
        out += bytes(len(out) % 2)
        start = len(out)
        places.append(start)
        values = start + head_count + head_entry * len(entries) + head_next
        table, tail = bytearray(), bytearray()
        table += struct.pack("<Q" if big else "<H", len(entries))
        room = 8 if big else 4
        for entry in entries:
            data = entry.data()
            if entry.raw is not None:
                field = struct.pack("<Q" if big else "<I", entry.raw)
            elif len(data) <= room:
                field = data.ljust(room, b"\0")
            else:
                field = struct.pack("<Q" if big else "<I", values + len(tail))
                tail += data + bytes(len(data) % 2)
            shape = "<HHQ" if big else "<HHI"
            table += struct.pack(shape, entry.tag, entry.kind, entry.number()) + field
        links.append(start + len(table))
        out += table + bytes(head_next) + tail
    for number, at in enumerate(links):
        told = (following or {}).get(number)
        if told is None:
            told = places[number + 1] if number + 1 < len(places) else 0
        elif told < 0:
            told = places[-told - 1]
        struct.pack_into("<Q" if big else "<I", out, at, told)
    if big:
        struct.pack_into("<2sHHHQ", out, 0, b"II", 43, 8, 0, places[0])
    else:
        struct.pack_into("<2sHI", out, 0, b"II", 42, places[0])
    return bytes(out)


def grey(width: int = 64, height: int = 64, stream: bytes | None = None, **changes: object) -> list:
    """Return the entries of a grey image of one strip, some replaced.

    Parameters
    ----------
    width, height : int
    stream : bytes, optional
        The strip; by default that many bytes of pixels.
    **changes
        Entry, or None to leave it out, by ``t`` and its number: ``t273=None``.
    """
    stored = width * height if stream is None else len(stream)
    entries = {
        256: Entry(256, LONG, width),
        257: Entry(257, LONG, height),
        258: Entry(258, SHORT, 8),
        259: Entry(259, SHORT, 1),
        262: Entry(262, SHORT, 1),
        273: Entry(273, LONG, 8),
        277: Entry(277, SHORT, 1),
        278: Entry(278, LONG, height),
        279: Entry(279, LONG, min(stored, 2**32 - 1)),
    }
    for key, entry in changes.items():
        number = int(key[1:])
        entries.pop(number, None)
        if entry is not None:
            entries[number] = entry
    return [entries[number] for number in sorted(entries)]


def image(
    stream: bytes | None = None, width: int = 64, height: int = 64, **changes: object
) -> bytes:
    """Return a TIFF of one strip whose entries may lie; see `grey`."""
    blob = bytes(range(64)) * 64 if stream is None else stream
    return assemble([grey(width, height, blob, **changes)], blob)
