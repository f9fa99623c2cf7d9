"""Shapes as well-known binary from files of others: looked through before a library reads them.

A collection may lie in a collection, and so on; a library that follows many thousands of these
ends the program. No sound file goes deeper than a few.
"""

from __future__ import annotations

import struct

DEEPEST = 8
"""Collections in each other."""

_LINES, _POLYGON = (2, 8), 3
_COLLECTIONS = (4, 5, 6, 7, 9, 10, 11, 12)
_SRID, _M, _Z = 0x20000000, 0x40000000, 0x80000000


def is_sound(blob: bytes) -> bool:
    """Whether a shape is whole, and its collections lie in each other a few times at most.

    Parameters
    ----------
    blob : bytes
        Well-known binary of ISO or of PostGIS.
    """
    try:
        return _end(blob, 0, 0) <= len(blob)
    except (struct.error, ValueError):
        return False


def _end(blob: bytes, at: int, depth: int) -> int:
    """Return where the shape ends that begins at a place.

    Raises
    ------
    ValueError, struct.error
        It is of no known kind, cut short, or too deep.
    """
    if depth > DEEPEST:
        raise ValueError(depth)
    order = {0: ">", 1: "<"}.get(blob[at] if at < len(blob) else None)
    if order is None:
        raise ValueError(at)
    (code,) = struct.unpack_from(order + "I", blob, at + 1)
    at += 9 if code & _SRID else 5
    kind = code & 0x0FFFFFFF
    flat = kind % 1000
    dimensions = 2 + (bool(code & _Z) or kind // 1000 in (1, 3))
    dimensions += bool(code & _M) or kind // 1000 in (2, 3)
    point = 8 * dimensions
    if flat == 1:
        return at + point
    (count,) = struct.unpack_from(order + "I", blob, at)
    at += 4
    # What cannot be there need not be counted.
    if count > len(blob):
        raise ValueError(count)
    if flat in _LINES:
        return at + count * point
    if flat == _POLYGON:
        for _ in range(count):
            (corners,) = struct.unpack_from(order + "I", blob, at)
            at += 4 + corners * point
        return at
    if flat not in _COLLECTIONS:
        raise ValueError(flat)
    for _ in range(count):
        at = _end(blob, at, depth + 1)
    return at
