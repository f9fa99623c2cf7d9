"""Who owns a pixel that several objects claim: the one rule, and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance

CONTAINED = 0.9
"""Share of an object's pixels that must lie in a larger one for it to count as inside it."""
MAX_PAIRS = 1_000_000
"""Pairs that may be compared; no scene has as many, only files made to take time."""
MAX_NEAR = 20_000_000
"""The same of pairs whose boxes meet."""
_AT_ONCE = 512
_INSET = np.array([0.25, 0.25, -0.25, -0.25])


def resolve_overlap(instances: Sequence[Instance]) -> NDArray[np.int64]:
    """Return the order in which to paint objects so that each pixel ends with its owner.

    The rule where objects overlap: the higher score wins, but a small object wins over a larger
    one that contains it (at least :data:`CONTAINED` of its pixels lie in the larger one). For
    three and more objects this is made unambiguous as follows: an object counts with its own
    score or with that of what contains it, whichever is higher; at equal score the smaller
    wins, and at equal area the one with the lower number. Where objects lie on each other in
    more than :data:`MAX_PAIRS` ways, or their boxes in more than :data:`MAX_NEAR`, what contains
    what is left out.

    Parameters
    ----------
    instances : sequence of Instance, length N

    Returns
    -------
    ndarray of int64, shape (N,)
        Positions in `instances`; paint the first one first, the last one is on top.
    """
    areas = np.array([item.area for item in instances], dtype=np.int64)
    ranks = np.array([item.score for item in instances], dtype=np.float64)
    ids = np.array([item.id for item in instances], dtype=np.int64)
    inner, outer = _contained_pairs(instances, areas)
    # Largest first, so that a container's own rank is final before it is handed down.
    for small, large in sorted(zip(inner, outer), key=lambda pair: -areas[pair[0]]):
        ranks[small] = max(ranks[small], ranks[large])
    return np.lexsort((-ids, -areas, ranks))


def _contained_pairs(
    instances: Sequence[Instance], areas: NDArray[np.int64]
) -> tuple[list[int], list[int]]:
    """Return positions (inner, outer) of the pairs in which one object contains another."""
    if len(instances) < 2:
        return [], []
    import shapely

    boxes = np.array([item.bbox for item in instances], dtype=np.float64)
    # A little smaller, so that neighbours that only touch are no pair.
    rectangles = shapely.box(*(boxes + _INSET).T)
    tree = shapely.STRtree(rectangles)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    count = near = 0
    # A few at a time: of many objects in one place, all pairs together would fill the memory.
    for start in range(0, len(instances), _AT_ONCE):
        inner, outer = tree.query(rectangles[start : start + _AT_ONCE])
        inner = inner + start
        common = np.minimum(boxes[inner, 2:], boxes[outer, 2:]) - np.maximum(
            boxes[inner, :2], boxes[outer, :2]
        )
        needed = CONTAINED * areas[inner]
        possible = (areas[inner] < areas[outer]) & (common.prod(axis=1) >= needed)
        found.append((inner[possible], outer[possible]))
        near += len(inner)
        count += int(possible.sum())
        if count > MAX_PAIRS or near > MAX_NEAR:
            return [], []
    pairs = [
        (int(small), int(large))
        for inner, outer in found
        for small, large in zip(inner, outer)
        if shared_pixels(instances[small], instances[large]) >= CONTAINED * areas[small]
    ]
    return [small for small, _ in pairs], [large for _, large in pairs]
