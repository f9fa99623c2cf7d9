"""Outlines of many proposals in few bytes, for the canvas that shows the one under the pointer."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance

MAX_BYTES = 1_000_000
"""Of one message; outlines are drawn coarser, and at last the worst left out, to stay below."""

_MAGIC = b"RSO1"
_FINEST = 0.6
"""Tolerance, in pixels of the view, at which the steps of a mask's edge become straight lines."""
_COARSEST = 12.0

Ring = NDArray[np.int64]


@dataclass(frozen=True)
class EncodedOutlines:
    """Outlines as the canvas reads them.

    Attributes
    ----------
    content : bytes
        See `encode_outlines`.
    key : str
        Another one for other outlines: a click that was meant for these names it.
    count : int
        How many outlines there are.
    """

    content: bytes
    key: str
    count: int


def encode_outlines(
    items: Sequence[Instance], *, unit: float = 1.0, limit: int = MAX_BYTES
) -> EncodedOutlines:
    """Outlines of objects along the edges of their pixels, holes included.

    Little-endian: ``RSO1``; the unit, a float64, in scene pixels; then whole numbers, seven bits
    a byte with the lowest first and the eighth bit set on all but the last byte. First how many
    outlines there are. Of each: its place in `items`, its area in scene pixels, how many rings,
    and of each ring how many points and its points. A point is the step from the one before (the
    first of all from the origin), in units along x and y, where n ≥ 0 is written 2 n and n < 0 is
    written −2 n − 1. A pixel is inside where a ray from it crosses the rings an odd number of
    times.

    Parameters
    ----------
    items : sequence of Instance
    unit : float
        Scene pixels that one pixel of the view takes: no outline is finer than what the model saw.
    limit : int
        Bytes at most. Outlines become coarser until they fit; if that is not enough, those with
        the lowest scores are left out.

    Returns
    -------
    EncodedOutlines
    """
    step = max(1.0, unit)
    exact = [_rings(item) for item in items]
    tolerance = _FINEST * step
    while True:
        parts = [
            _outline(place, item.area, [_coarser(ring, tolerance, step) for ring in rings])
            for place, (item, rings) in enumerate(zip(items, exact))
        ]
        room = limit - len(_MAGIC) - 8 - 5
        if sum(map(len, parts)) <= room or tolerance >= _COARSEST * step:
            break
        tolerance *= 2
    kept = sorted(_fitting(parts, [item.score for item in items], room))
    body = b"".join(parts[place] for place in kept)
    content = _MAGIC + struct.pack("<d", step) + _varints([len(kept)]) + body
    key = hashlib.blake2b(content, digest_size=8).hexdigest()
    return EncodedOutlines(content, key, len(kept))


def _fitting(parts: list[bytes], scores: list[float], room: int) -> list[int]:
    """Places of the outlines that fit, the best first."""
    order = np.argsort(-np.asarray(scores, float), kind="stable")
    ends = np.cumsum([len(parts[place]) for place in order])
    return [int(place) for place in order[: int(np.searchsorted(ends, room, side="right"))]]


def _rings(item: Instance) -> list[NDArray[np.float64]]:
    """Outer edges and holes of a mask in scene pixels."""
    # OpenCV leads contours through the middles of pixels. Of quarters of pixels these lie a
    # quarter inside the edge, and rounding brings them onto it.
    quarters = item.mask.view(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    contours, _ = cv2.findContours(quarters, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    return [(contour[:, 0] + 1) // 2 + np.array([item.x, item.y], float) for contour in contours]


def _coarser(ring: NDArray[np.float64], tolerance: float, step: float) -> Ring:
    """A ring in whole units, with no more points than the tolerance (scene pixels) asks for."""
    # Small numbers, because OpenCV keeps no more than seven digits.
    origin = np.floor(ring[0])
    line = (ring - origin).astype(np.float32)[:, None]
    fine = cv2.approxPolyDP(line, tolerance, closed=True)[:, 0] + origin
    for points in (fine, ring):
        units = np.round(points / step).astype(np.int64)
        units = units[np.any(units != np.roll(units, 1, axis=0), axis=1)]
        if len(units) >= 3:
            return units
    # Less than a unit wide: a unit all the same, so that it can be pointed at.
    low = np.floor(ring.min(axis=0) / step).astype(np.int64)
    high = np.maximum(np.ceil(ring.max(axis=0) / step).astype(np.int64), low + 1)
    return np.array([low, (high[0], low[1]), high, (low[0], high[1])])


def _outline(place: int, area: int, rings: list[Ring]) -> bytes:
    numbers = [place, area, len(rings)]
    last = np.zeros((1, 2), np.int64)
    for ring in rings:
        steps = np.diff(np.concatenate([last, ring]), axis=0).ravel()
        numbers.append(len(ring))
        numbers.extend(np.where(steps >= 0, 2 * steps, -2 * steps - 1).tolist())
        last = ring[-1:]
    return _varints(numbers)


def _varints(numbers: Iterable[int]) -> bytes:
    """Whole numbers from 0 on, seven bits a byte."""
    found = bytearray()
    for number in numbers:
        while number > 0x7F:
            found.append(number & 0x7F | 0x80)
            number >>= 7
        found.append(number)
    return bytes(found)
