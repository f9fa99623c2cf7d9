"""How far shapes of one layer cover, meet or lie from those of another, through a spatial index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.features import Features
from rsam_core.change.apply.site import Shapes


@dataclass(frozen=True, eq=False)
class Pairs:
    """Shapes of two layers that share ground.

    Attributes
    ----------
    first, second : ndarray of int, shape (K,)
        Positions in either layer, by the first.
    area : ndarray of float64, shape (K,)
        Square metres that they share.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    area: NDArray[np.float64]


def shared_ground(first: Features, second: Features) -> Pairs:
    """All pairs of areas that share more than a border."""
    import shapely

    if not len(first) or not len(second):
        nothing = np.zeros(0, np.int64)
        return Pairs(nothing, nothing, np.zeros(0))
    one, two = second.tree.query(first.shapes, predicate="intersects")
    area = shapely.area(shapely.intersection(first.shapes[one], second.shapes[two]))
    some = area > 0
    order = np.lexsort((two[some], one[some]))
    return Pairs(one[some][order], two[some][order], area[some][order])


def covered_areas(first: Features, second: Features) -> NDArray[np.float64]:
    """Square metres of each area that the others cover together, shape (N,).

    Ground that several of the others cover counts once.
    """
    import shapely

    if not len(first):
        return np.zeros(0)
    pairs = shared_ground(first, second)
    total = np.bincount(pairs.first, pairs.area, minlength=len(first))
    counts = np.bincount(pairs.first, minlength=len(first))
    for index in np.flatnonzero(counts > 1).tolist():
        others = second.shapes[pairs.second[pairs.first == index]]
        total[index] = first.shapes[index].intersection(shapely.union_all(others)).area
    return total


def parts_outside(first: Features, second: Features) -> Shapes:
    """What is left of each area where the others are taken away, shape (N,)."""
    import shapely

    result = first.shapes.copy()
    pairs = shared_ground(first, second)
    starts = np.flatnonzero(np.r_[True, np.diff(pairs.first) > 0]) if len(pairs.first) else []
    ends = np.r_[starts[1:], len(pairs.first)] if len(pairs.first) else []
    for start, end in zip(starts, ends):
        at = pairs.first[start]
        others = second.shapes[pairs.second[start:end]]
        result[at] = shapely.difference(result[at], shapely.union_all(others))
    return result


def nearest(first: Features, second: Features) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance in metres from each shape to the nearest one of others, and which that is.

    Returns
    -------
    distance : ndarray of float64, shape (N,)
        0 where they touch; infinite where there are no others.
    which : ndarray of int, shape (N,)
        −1 where there are none.
    """
    distance = np.full(len(first), np.inf)
    which = np.full(len(first), -1, np.int64)
    if not len(first) or not len(second):
        return distance, which
    (own, other), found = second.tree.query_nearest(
        first.shapes, return_distance=True, all_matches=False
    )
    distance[own], which[own] = found, other
    return distance, which


def in_chunks(
    number: int,
    each: Callable[[int, int], None],
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    size: int = 500,
) -> None:
    """Do something from position to position, telling how far it is.

    Raises
    ------
    Cancelled
        `cancelled` said so.
    """
    from rsam_core.errors import Cancelled

    for start in range(0, number, size):
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped.")
        each(start, min(start + size, number))
        if progress is not None:
            progress(min(start + size, number) / number)
