"""Distance from each object to the nearest other one, from boundary to boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.ground_distance import TRUE_SCALE_TOLERANCE
from rsam_core.scene.ground_scale import Ground, ground_of

if TYPE_CHECKING:
    import pandas as pd

_MAX_PAIRS = 2_000_000
"""Distances computed at once; with more, a search tree is quicker and smaller."""
_EXTREMES = 8


class Nearest(NamedTuple):
    """The nearest neighbours of N objects.

    Attributes
    ----------
    distance : (N,) array of float64
        NaN where there is none.
    position : (N,) array of int64
        Of the neighbour among the objects, −1 for none.
    here, there : (N, 2) arrays of float64
        The corners of pixels, in scene pixels, that are this far apart.
    """

    distance: NDArray[np.float64]
    position: NDArray[np.int64]
    here: NDArray[np.float64]
    there: NDArray[np.float64]


def neighbour_table(instances: Instances, ground: Any = None) -> pd.DataFrame:
    """Find the nearest neighbour of every object.

    Parameters
    ----------
    instances : Instances
        The objects, N of them.
    ground : Scene, Ground or float, optional
        What tells how large pixels are, see :func:`rsam_core.scene.ground_scale.ground_of`; a
        number is metres a pixel.

    Returns
    -------
    pandas.DataFrame
        One row an object, in order: ``nearest_neighbour``, the smallest distance in pixels
        between its boundary and that of any other object, 0 if they touch or overlap and nan
        for a single object; ``nearest_id``, the number of the nearest object, 0 for none; and
        ``nearest_neighbour_m``, the smallest distance on the ground in metres, if `ground` tells
        it. Where pixels are not square on the ground, another object may be nearest there than in
        the picture; then its number is the one given.

    Notes
    -----
    Exact for the outlines along the pixel edges. Pixels are rectangles on one grid, so that two
    sets of them are nearest at a corner of each: distances between corners suffice. (Skewed
    pixels that are a few pixels apart may be a little nearer.) Only pairs are looked at whose
    bounding boxes are nearer than some other object is known to be. On the ground, the corners
    are placed on the Earth, in space, where neither the 180th meridian nor a pole is in the way;
    the distance of the nearest two is then measured along the ground.
    """
    import pandas as pd

    known = ground_of(ground)
    found = nearest_neighbours(instances)
    table = pd.DataFrame({"nearest_neighbour": found.distance})
    metres = None
    if known is not None:
        found, metres = _on_ground(instances, known, found)
    ids = np.zeros(len(instances), np.int64)
    some = found.position >= 0
    ids[some] = instances.ids[found.position[some]]
    table["nearest_id"] = ids
    if metres is not None:
        table["nearest_neighbour_m"] = metres
    return table


def _on_ground(
    instances: Instances, ground: Ground, found: Nearest
) -> tuple[Nearest, NDArray[np.float64]]:
    """Return nearest neighbours on the ground, and how far they are, given those in pixels."""
    if len(instances) < 2:
        return found, found.distance
    metric = ground.constant
    if metric is None and ground.uneven < TRUE_SCALE_TOLERANCE:
        metric = ground.metrics(*instances.bboxes[:, :2].mean(axis=0)[:, None])[0]
    if metric is None or not np.isfinite(metric).all():
        found = nearest_neighbours(instances, ground)
    elif not np.allclose(metric / np.sqrt(np.linalg.det(metric)), np.eye(2), atol=1e-4):
        found = nearest_neighbours(instances, Ground(metric))
    some = np.flatnonzero(found.distance > 0)
    metres = found.distance * 0.0
    metres[some] = ground.distances(found.here[some], found.there[some])
    return found, metres


def nearest_neighbours(instances: Instances, ground: Ground | None = None) -> Nearest:
    """Return each object's nearest neighbour in pixels, or on the ground in metres.

    On the ground, distances go straight through the Earth where it is curved; what lies off the
    map has no neighbours.
    """
    import shapely

    count = len(instances)
    nothing = np.full((count, 2), np.nan)
    nearest = np.full(count, -1, np.int64)
    if count < 2:
        return Nearest(np.full(count, np.nan), nearest, nothing, nothing.copy())
    corners = [boundary_corners(item) for item in instances]
    places = corners if ground is None else _places(corners, ground)
    on_map = np.array([bool(np.isfinite(some).all()) for some in places])
    if on_map.sum() < 2:
        return Nearest(np.full(count, np.nan), nearest, nothing, nothing.copy())
    bound = np.full(count, -1.0)
    bound[on_map] = _upper_bounds([p for p, known in zip(places, on_map) if known])
    boxes = np.array([np.concatenate([some.min(0), some.max(0)]) for some in places])
    # Of places in space the first two coordinates: there they are never farther apart than they
    # are, so that no pair is missed.
    size = boxes.shape[1] // 2
    flat = boxes[:, [0, 1, size, size + 1]]
    flat = np.where(on_map[:, None], flat, 0.0)
    rectangles = shapely.box(*flat.T)
    rectangles[~on_map] = None
    tree = shapely.STRtree(rectangles)
    one, two = tree.query(rectangles, predicate="dwithin", distance=bound * (1 + 1e-9) + 1e-6)
    one, two = _unordered(one, two)
    apart = _box_distance(boxes[one], boxes[two])
    # In space, what lies within a large object bulges out of the box of its outline.
    pixels = instances.bboxes.astype(float)
    apart[_box_distance(pixels[one], pixels[two]) == 0] = 0.0
    order = np.argsort(apart, kind="stable")
    best = np.full(count, np.inf)
    here, there = nothing, nothing.copy()
    for a, b, gap in zip(one[order].tolist(), two[order].tolist(), apart[order].tolist()):
        limit = max(best[a], best[b])
        if gap >= limit:
            continue
        if limit and shared_pixels(instances[a], instances[b]):
            distance, i, j = 0.0, 0, 0
        else:
            distance, i, j = _distance(places[a], places[b], boxes[a], boxes[b], limit)
        if distance < best[a]:
            best[a], nearest[a], here[a], there[a] = distance, b, corners[a][i], corners[b][j]
        if distance < best[b]:
            best[b], nearest[b], here[b], there[b] = distance, a, corners[b][j], corners[a][i]
    return Nearest(np.where(nearest >= 0, best, np.nan), nearest, here, there)


def _places(corners: list[NDArray[np.float64]], ground: Ground) -> list[NDArray[np.float64]]:
    """Return corners in metres: in a plane, or in space, the third axis pointing up."""
    every = np.concatenate(corners)
    if ground.constant is not None:
        moved = every @ np.linalg.cholesky(ground.constant)
    else:
        moved = ground.positions(*every.T)
        middle = np.nanmean(moved, axis=0) if np.isfinite(moved).any() else np.ones(3)
        axes, _ = np.linalg.qr(np.column_stack([middle, np.eye(3)[:, :2] + 1e-3]))
        # Coordinates that matter little are rounded no more than those that matter.
        moved = moved @ axes[:, ::-1]
    return np.split(moved, np.cumsum([len(some) for some in corners])[:-1])


def boundary_corners(item: Instance) -> NDArray[np.float64]:
    """Return the pixel corners on the boundary of an object, shape (M, 2), x and y."""
    mask = item.mask
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
    padded[1:-1, 1:-1] = mask
    a, b, c, d = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    rows, columns = np.nonzero((a | b | c | d) & ~(a & b & c & d))
    return np.column_stack([columns + item.x, rows + item.y]).astype(float)


def _upper_bounds(corners: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return, for each object, a distance within which there is another one for sure."""
    from scipy.spatial import cKDTree

    # A few corners of each object, spread along its boundary.
    some = [
        points[np.linspace(0, len(points) - 1, min(_EXTREMES, len(points))).astype(int)]
        for points in corners
    ]
    owners = np.repeat(np.arange(len(some)), [len(points) for points in some])
    points = np.concatenate(some)
    # An object has at most eight of its own: the ninth nearest belongs to another one.
    wanted = min(_EXTREMES + 1, len(points))
    distances, found = cKDTree(points).query(points, k=wanted)
    distances[owners[found] == owners[:, None]] = np.inf
    bound = np.full(len(some), np.inf)
    np.minimum.at(bound, owners, distances.min(axis=1))
    # Small objects far apart may not see another among so few: then everything is near enough.
    return np.where(np.isfinite(bound), bound, np.ptp(points, axis=0).sum() + 1.0)


def _unordered(
    one: NDArray[np.int64], two: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each pair of different objects once."""
    pairs = np.column_stack([np.minimum(one, two), np.maximum(one, two)])
    pairs = np.unique(pairs[one != two], axis=0)
    return pairs[:, 0], pairs[:, 1]


def _box_distance(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    size = one.shape[1] // 2
    gap = np.maximum(one[:, :size] - two[:, size:], two[:, :size] - one[:, size:])
    return np.sqrt((np.maximum(gap, 0.0) ** 2).sum(axis=1))


def _distance(
    one: NDArray[np.float64],
    two: NDArray[np.float64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    limit: float,
) -> tuple[float, int, int]:
    """Return the distance of two sets of corners with those between which it is.

    `first` and `second` are their boxes; the distance is infinite if it is not below `limit`.
    """
    some, others = np.arange(len(one)), np.arange(len(two))
    if np.isfinite(limit):
        some = np.flatnonzero(_near(one, second, limit))
        others = np.flatnonzero(_near(two, first, limit))
        one, two = one[some], two[others]
    if not len(one) or not len(two):
        return np.inf, 0, 0
    if len(one) * len(two) > _MAX_PAIRS:
        from scipy.spatial import cKDTree

        found, partner = cKDTree(two).query(one)
        i = int(found.argmin())
        return float(found[i]), int(some[i]), int(others[partner[i]])
    squared = sum((a[:, None] - b[None, :]) ** 2 for a, b in zip(one.T, two.T))
    i, j = np.unravel_index(int(squared.argmin()), squared.shape)
    return float(np.sqrt(squared[i, j])), int(some[i]), int(others[j])


def _near(points: NDArray[np.float64], box: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """Return which points lie within a distance of a box."""
    size = points.shape[1]
    gap = np.maximum(np.maximum(box[:size] - points, points - box[size:]), 0.0)
    return (gap * gap).sum(axis=1) <= limit * limit
