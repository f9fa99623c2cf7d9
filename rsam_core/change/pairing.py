"""Which object of the first date is which of the second."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Crop, Cropped, cut_out, shared_pixels

_PAIRED = 0.6
"""Tolerant overlap from which on two objects are one."""


def grown(item: Cropped, tolerance: int) -> Crop:
    """An object widened by a ring of so many pixels."""
    if tolerance < 1:
        return Crop(item.mask, item.x, item.y)
    mask = np.pad(item.mask, tolerance).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * tolerance + 1,) * 2)
    return Crop(cv2.dilate(mask, kernel).astype(bool), item.x - tolerance, item.y - tolerance)


def tolerant_overlap(first: Cropped, second: Cropped, tolerance: int) -> float:
    """How far two masks agree if each may be off by a few pixels, 0 to 1.

    The share of the pixels of both that lie in the other one or within `tolerance` pixels of it.
    Without tolerance it is the Dice coefficient.
    """
    areas = np.count_nonzero(first.mask), np.count_nonzero(second.mask)
    shared = shared_pixels(first, grown(second, tolerance))
    shared += shared_pixels(second, grown(first, tolerance))
    return shared / (areas[0] + areas[1])


def meeting(first: Sequence[Cropped], second: Sequence[Cropped]) -> list[tuple[int, int]]:
    """Positions of all pairs whose boxes meet."""
    if not first or not second:
        return []
    import shapely

    tree = shapely.STRtree(_boxes(second))
    return [(int(i), int(j)) for i, j in tree.query(_boxes(first)).T]


def _boxes(items: Sequence[Cropped]) -> NDArray:
    import shapely

    edges = np.array(
        [(i.x, i.y, i.x + i.mask.shape[1], i.y + i.mask.shape[0]) for i in items], float
    )
    return shapely.box(*edges.T)


def pair(
    first: Sequence[Cropped], second: Sequence[Cropped], tolerance: int = 2
) -> list[tuple[int, int]]:
    """Objects of two dates that are one and the same, each in one pair at most, best first.

    Parameters
    ----------
    first, second : sequence of cropped masks
        On one grid.
    tolerance : int
        Width in pixels of the ring in which outlines may differ: parallax and shadows move them.
    """
    found = [
        (tolerant_overlap(first[i], second[j], tolerance), i, j) for i, j in meeting(first, second)
    ]
    pairs, used = [], (set(), set())
    for overlap, i, j in sorted(found, reverse=True):
        if overlap < _PAIRED:
            break
        if i not in used[0] and j not in used[1]:
            pairs.append((i, j))
            used[0].add(i)
            used[1].add(j)
    return pairs


def contained(inner: Cropped, outer: Cropped) -> float:
    """Share of an object that lies in another one."""
    return shared_pixels(inner, outer) / max(np.count_nonzero(inner.mask), 1)


def remainder(whole: Cropped, part: Cropped, tolerance: int) -> Crop | None:
    """The largest piece of an object that lies well outside another one; None without one."""
    height, width = whole.mask.shape
    box = (whole.x, whole.y, whole.x + width, whole.y + height)
    left = whole.mask & ~cut_out(grown(part, tolerance), box)
    left = cv2.morphologyEx(left.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(left, connectivity=4)
    if count < 2:
        return None
    best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    piece = grown(Crop(labels == best, whole.x, whole.y), tolerance)
    return Crop(cut_out(piece, box) & whole.mask, whole.x, whole.y)
