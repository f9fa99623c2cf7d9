"""Of masks that mean the same object, keep the best: greedy suppression with a spatial index."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Crop, Mask, shared_pixels

_TINY = 1e-9
"""Slack of the bound on an overlap against rounding; the exact count decides."""

_ROWS = 20_000
"""Boxes looked up at a time, so that the list of pairs stays small."""


def near_pairs(
    boxes: NDArray[np.int64], areas: NDArray[np.int64], limit: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of masks whose boxes and areas allow an IoU above a limit.

    Parameters
    ----------
    boxes : ndarray of int, shape (N, 4)
        Tight bounding boxes x0, y0, x1, y1 in pixel edges.
    areas : ndarray of int, shape (N,)
        Pixels of each mask.
    limit : float
        IoU, 0 to 1.

    Returns
    -------
    first, second : ndarray of int64
        Positions, ``first < second``, ascending.
    """
    if len(boxes) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    import shapely

    edges, sizes = boxes.astype(float), areas.astype(float)
    rectangles = shapely.box(*edges.T)
    tree = shapely.STRtree(rectangles)
    found = []
    for start in range(0, len(boxes), _ROWS):
        first, second = tree.query(rectangles[start : start + _ROWS])
        first = first + start
        later = first < second
        first, second = first[later], second[later]
        sides = np.minimum(edges[first, 2:], edges[second, 2:]) - np.maximum(
            edges[first, :2], edges[second, :2]
        )
        common = np.clip(sides, 0, None).prod(axis=1)
        # Two masks share at most what their boxes do, and at most the smaller of them.
        shared = np.minimum(common, np.minimum(sizes[first], sizes[second]))
        possible = (shared > 0) & (
            shared >= (limit - _TINY) * (sizes[first] + sizes[second] - shared)
        )
        found.append(np.stack([first[possible], second[possible]]))
    first, second = np.concatenate(found, axis=1)
    order = np.lexsort((second, first))
    return first[order], second[order]


def suppress(
    mask_of: Callable[[int], Mask],
    boxes: NDArray[np.int64],
    areas: NDArray[np.int64],
    limit: float,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Greedy non-maximum suppression on mask IoU.

    Going down from the best, each mask that is still there removes all later ones whose IoU with
    it exceeds the limit. Masks are compared only where their boxes allow it.

    Parameters
    ----------
    mask_of : callable
        Returns the cropped mask at a position, 0 to N − 1, best first.
    boxes : ndarray of int, shape (N, 4)
        Tight bounding boxes x0, y0, x1, y1 in pixel edges.
    areas : ndarray of int, shape (N,)
        Pixels of each mask.
    limit : float
        IoU, 0 to 1.
    groups : ndarray of int, shape (N,), optional
        Only masks of one group remove each other.

    Returns
    -------
    ndarray of int64
        Positions of the masks that stay, ascending.
    """
    first, second = near_pairs(boxes, areas, limit)
    if groups is not None:
        same = groups[first] == groups[second]
        first, second = first[same], second[same]
    alive = [True] * len(boxes)
    corners, sizes = boxes.tolist(), areas.tolist()
    for i, j in zip(first.tolist(), second.tolist()):
        if alive[i] and alive[j]:
            one, two = (Crop(mask_of(k), *corners[k][:2]) for k in (i, j))
            shared = shared_pixels(one, two)
            if shared > limit * (sizes[i] + sizes[j] - shared):
                alive[j] = False
    return np.flatnonzero(alive)
