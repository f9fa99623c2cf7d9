"""Distance from each object to the nearest other one, from boundary to boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.instance import Instance
from rsam_core.instances import Instances
from rsam_core.overlap import shared_pixels

if TYPE_CHECKING:
    import pandas as pd

_MAX_PAIRS = 2_000_000
"""Distances computed at once; with more, a search tree is quicker and smaller."""
_EXTREMES = 8


def neighbour_table(instances: Instances, gsd: float | None = None) -> pd.DataFrame:
    """Find the nearest neighbour of every object.

    Parameters
    ----------
    instances : Instances
        The objects, N of them.
    gsd : float, optional
        Metres a pixel.

    Returns
    -------
    pandas.DataFrame
        One row an object, in order: ``nearest_neighbour``, the smallest distance in pixels
        between its boundary and that of any other object, 0 if they touch or overlap and nan
        for a single object; ``nearest_id``, the number of that object, 0 for none; and
        ``nearest_neighbour_m`` in metres, if `gsd` is given.

    Notes
    -----
    Exact for the outlines along the pixel edges. Pixels are squares on one grid, so that two
    sets of them are nearest at a corner of each: distances between corners suffice. Only pairs
    are looked at whose bounding boxes are nearer than some other object is known to be.
    """
    import pandas as pd

    distance, nearest = nearest_neighbours(instances)
    ids = np.zeros(len(instances), np.int64)
    some = nearest >= 0
    ids[some] = instances.ids[nearest[some]]
    table = pd.DataFrame({"nearest_neighbour": distance, "nearest_id": ids})
    if gsd:
        table["nearest_neighbour_m"] = distance * gsd
    return table


def nearest_neighbours(instances: Instances) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return distance in pixels and position of each object's nearest neighbour, −1 for none."""
    import shapely

    count = len(instances)
    best = np.full(count, np.nan)
    nearest = np.full(count, -1, np.int64)
    if count < 2:
        return best, nearest
    corners = [boundary_corners(item) for item in instances]
    bound = _upper_bounds(corners)
    boxes = instances.bboxes.astype(float)
    rectangles = shapely.box(*boxes.T)
    tree = shapely.STRtree(rectangles)
    one, two = tree.query(rectangles, predicate="dwithin", distance=bound + 1e-6)
    one, two = _unordered(one, two)
    order = np.argsort(_box_distance(boxes[one], boxes[two]), kind="stable")
    best = np.full(count, np.inf)
    for a, b in zip(one[order].tolist(), two[order].tolist()):
        limit = max(best[a], best[b])
        distance = _distance(instances[a], instances[b], corners[a], corners[b], boxes, a, b, limit)
        if distance < best[a]:
            best[a], nearest[a] = distance, b
        if distance < best[b]:
            best[b], nearest[b] = distance, a
    return best, nearest


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
    gap = np.maximum(one[:, :2] - two[:, 2:], two[:, :2] - one[:, 2:])
    return np.hypot(*np.maximum(gap, 0.0).T)


def _distance(
    first: Instance,
    second: Instance,
    one: NDArray[np.float64],
    two: NDArray[np.float64],
    boxes: NDArray[np.float64],
    a: int,
    b: int,
    limit: float,
) -> float:
    """Return the distance of two objects, or infinity if it is not below `limit`."""
    apart = _box_distance(boxes[a : a + 1], boxes[b : b + 1])[0]
    if apart >= limit:
        return np.inf
    if apart == 0 and shared_pixels(first, second):
        return 0.0
    if np.isfinite(limit):
        one, two = one[_near(one, boxes[b], limit)], two[_near(two, boxes[a], limit)]
    if not len(one) or not len(two):
        return np.inf
    if len(one) * len(two) > _MAX_PAIRS:
        from scipy.spatial import cKDTree

        return float(cKDTree(two).query(one)[0].min())
    dx = one[:, None, 0] - two[None, :, 0]
    dy = one[:, None, 1] - two[None, :, 1]
    return float(np.sqrt((dx * dx + dy * dy).min()))


def _near(points: NDArray[np.float64], box: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """Return which points lie within a distance of a box."""
    gap = np.maximum(np.maximum(box[:2] - points, points - box[2:]), 0.0)
    return (gap * gap).sum(axis=1) <= limit * limit
