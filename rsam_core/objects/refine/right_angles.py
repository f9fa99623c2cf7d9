"""Right angles for buildings: outlines along one dominant direction.

The method, RSAM's own from known parts: (1) the outline is taken at sub-pixel accuracy from the
slightly blurred mask, at the level that keeps the area; (2) its dominant direction is the one in
which its city-block perimeter is least, as in the rectilinearity measure of Žunić and Rosin [1]_;
(3) in that frame the outline is simplified at several tolerances, each time its edges are made
horizontal or vertical, neighbours of one kind are joined into one wall at their mean position, and
walls are intersected; a rectangle of the same moments is one more candidate; (4) the candidate
that agrees best with the mask is taken, fewer corners being worth a little agreement.

References
----------
.. [1] J. Žunić and P. L. Rosin, "Rectilinearity measurements for polygons", IEEE Transactions
   on Pattern Analysis and Machine Intelligence 25, 2003.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Mask
from rsam_core.objects.refine.outline import (
    corner_positions,
    from_corner,
    rasterise,
    signed_area,
    subpixel_rings,
)

if TYPE_CHECKING:
    from shapely.geometry import Polygon
    from shapely.geometry.base import BaseGeometry

Points = NDArray[np.float64]
_Candidate = tuple["Polygon | None", float]

TOLERANCES = (1.0, 1.5, 2.0, 3.0, 4.5, 7.0)
"""Pixels by which the outline is simplified, one candidate each."""

CORNER_COST = 0.004
"""Agreement (IoU) that one corner less is worth."""

_MIN_RING = 12.0
_SAME_DIRECTION = 0.002
"""Radians; a wall of 250 pixels is half a pixel off at its end."""


def regularise(mask: Mask, min_agreement: float = 0.93) -> Mask:
    """Return a mask with right angles along its dominant direction.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    min_agreement : float
        Least IoU with the mask. Where no right-angled outline agrees as well, as for round
        tanks, the mask comes back as it was.
    """
    outline = regular_outline(mask, min_agreement)
    if outline is None:
        return mask.copy()
    result = rasterise(outline, mask.shape)
    return result if result.any() else mask.copy()


def regular_outline(mask: Mask, min_agreement: float = 0.93) -> BaseGeometry | None:
    """Return the right-angled outline of a mask as a polygon.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    min_agreement : float
        As in :func:`regularise`.

    Returns
    -------
    shapely.Polygon, shapely.MultiPolygon or None
        In pixels of the mask; None if no right-angled outline agrees well enough.
    """
    import shapely

    rings = subpixel_rings(mask)
    pieces = [ring for ring in rings if signed_area(ring) > 0]
    holes = [ring for ring in rings if signed_area(ring) < 0]
    pieces = [ring for ring in pieces if signed_area(ring) >= _MIN_RING]
    if not pieces:
        return None
    # One direction for all: that of the largest piece.
    pieces.sort(key=signed_area, reverse=True)
    shapes, angles = [], _directions(pieces[0])
    for ring in pieces:
        shape, angle = _regular_ring(ring, angles, min_agreement)
        if shape is None:
            return None
        shapes.append(shape)
        angles = (angle,)
    result = shapely.union_all(shapes)
    for ring in holes:
        if -signed_area(ring) >= _MIN_RING:
            hole, _ = _regular_ring(ring[::-1], angles, 0.0)
            result = result if hole is None else result.difference(hole)
    return None if result.is_empty else result


def dominant_direction(ring: Points, tolerance: float = 1.5) -> float:
    """Return the direction, in radians from 0 to π / 2, along or across which most edges run.

    Parameters
    ----------
    ring : ndarray of float, shape (N, 2)
        x and y of the corners of a closed outline; the last equals the first.
    tolerance : float
        Pixels by which the outline is simplified before, so that pixel steps do not count.
    """
    ring = from_corner(ring)
    edges = np.diff(ring[corner_positions(ring, tolerance)], axis=0)
    lengths = np.hypot(*edges.T)
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    # The city-block perimeter is concave between the directions of edges: its least value is
    # reached along one of them.
    turned = angles[:, None] - angles[None, :]
    perimeter = (lengths[:, None] * (np.abs(np.cos(turned)) + np.abs(np.sin(turned)))).sum(axis=0)
    best = angles[int(np.argmin(perimeter))]
    # The mean of the edges that run nearly so, right angles counting as the same.
    off = (angles - best + np.pi / 4) % (np.pi / 2) - np.pi / 4
    near = np.abs(off) < np.radians(12)
    weights = lengths[near] ** 2
    best += float((off[near] * weights).sum() / weights.sum())
    return float(best % (np.pi / 2))


def _regular_ring(ring: Points, angles: tuple[float, ...], min_agreement: float) -> _Candidate:
    """Return the best right-angled polygon for one closed outline, with its direction."""
    import shapely

    truth = shapely.Polygon(ring)
    if not truth.is_valid:
        truth = truth.buffer(0)
    ring = from_corner(ring)
    corner_sets = {tuple(corner_positions(ring, tolerance)) for tolerance in TOLERANCES}
    best: _Candidate = (None, angles[0])
    best_score = -np.inf
    for angle in angles:
        cosine, sine = np.cos(angle), np.sin(angle)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        frame = ring @ turn
        candidates = [_walls(frame, np.array(kept)) for kept in sorted(corner_sets)]
        candidates.append(_rectangle(frame))
        for corners in candidates:
            if corners is None:
                continue
            polygon = shapely.Polygon(corners @ turn.T)
            if not polygon.is_valid or polygon.is_empty:
                continue
            common = polygon.intersection(truth).area
            agreement = common / (polygon.area + truth.area - common)
            score = agreement - CORNER_COST * len(corners)
            if agreement >= min_agreement and score > best_score:
                best, best_score = (polygon, angle), score
    return best


def _directions(ring: Points) -> tuple[float, ...]:
    """Return the directions to try: the dominant one and that of the smallest rectangle."""
    import shapely

    rectangle = shapely.minimum_rotated_rectangle(shapely.LineString(ring))
    if not isinstance(rectangle, shapely.Polygon):
        return (dominant_direction(ring),)
    dx, dy = np.diff(shapely.get_coordinates(rectangle)[:2], axis=0)[0]
    found = [dominant_direction(ring, 1.0), dominant_direction(ring, 2.5)]
    found.append(float(np.arctan2(dy, dx) % (np.pi / 2)))
    kept: list[float] = []
    for angle in found:
        off = [abs((angle - other + np.pi / 4) % (np.pi / 2) - np.pi / 4) for other in kept]
        if all(difference > _SAME_DIRECTION for difference in off):
            kept.append(angle)
    return tuple(kept)


def _rectangle(frame: Points) -> Points:
    """Return the rectangle along the axes with the centroid, moments and area of an outline."""
    (x0, y0), (x1, y1) = frame[:-1].T, frame[1:].T
    cross = x0 * y1 - x1 * y0
    area = cross.sum() / 2
    x, y = ((x0 + x1) * cross).sum() / (6 * area), ((y0 + y1) * cross).sum() / (6 * area)
    xx = ((x0**2 + x0 * x1 + x1**2) * cross).sum() / (12 * area) - x**2
    yy = ((y0**2 + y0 * y1 + y1**2) * cross).sum() / (12 * area) - y**2
    # The variance of a rectangle is its side squared over 12.
    shape = np.sqrt(max(xx, 1e-9) / max(yy, 1e-9))
    width, height = np.sqrt(abs(area) * shape), np.sqrt(abs(area) / shape)
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return np.array([x, y]) + signs * [width / 2, height / 2]


def _walls(frame: Points, corners: NDArray[np.int64]) -> Points | None:
    """Return an outline along the axes: its edges snapped, joined into walls and intersected.

    `corners` are the positions of the points between which the edges run.
    """
    edges = np.diff(frame[corners], axis=0)
    if len(edges) < 4:
        return None
    flat = np.abs(edges[:, 0]) >= np.abs(edges[:, 1])
    changes = np.flatnonzero(flat != np.roll(flat, 1))
    if len(changes) < 4:
        return None
    steps = np.diff(frame, axis=0)
    middles = (frame[:-1] + frame[1:]) / 2
    positions = []
    for begin, end in zip(changes, np.roll(changes, -1)):
        part = np.arange(corners[begin], corners[end] + (0 if end > begin else len(steps)))
        part %= len(steps)
        axis = 0 if flat[begin] else 1
        # The mean along the wall keeps the area between it and the outline at nothing.
        positions.append(_mean(middles[part, 1 - axis], steps[part, axis]))
    # Walls alternate between the axes, so each corner takes a coordinate from either neighbour.
    points = []
    for index, begin in enumerate(changes):
        here, before = positions[index], positions[index - 1]
        points.append((before, here) if flat[begin] else (here, before))
    return np.array(points)


def _mean(values: NDArray[np.float64], steps: NDArray[np.float64]) -> float:
    """Return the mean of a coordinate over the other one, which mostly goes one way."""
    total = steps.sum()
    if abs(total) < 0.5 * np.abs(steps).sum():
        steps, total = np.abs(steps), np.abs(steps).sum()
    return float((values * steps).sum() / total)
