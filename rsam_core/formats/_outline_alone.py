"""Fill one outline in scene pixels, whatever its shape and size, within the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_MARGIN = 2.0
# Corners times rows that are filled in one go; more is cut into bands, so that nothing else waits.
_WORK = 20_000_000
# How often the rows of an image may cross an outline. Drawn ones stay below a million; filling one
# that was made to be slow would take minutes.
_MAX_CROSSINGS = 10_000_000
_CROSSINGS_A_PIXEL = 4
_FEW_CROSSINGS = 100_000


class Tangled(Exception):
    """An outline cannot be filled in reasonable time."""


def most_crossings(pixels: Any) -> Any:
    """How often the rows of an image may cross an outline whose box has so many pixels."""
    # No outline along pixels enters each of them more than a few times.
    most = np.maximum(_CROSSINGS_A_PIXEL * np.asarray(pixels, float), _FEW_CROSSINGS)
    return np.minimum(most, _MAX_CROSSINGS)


def drawn_alone(
    polygon: BaseGeometry, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], int, int] | None:
    """Mask of a polygon, and column and row of its top-left pixel; None if it lies outside.

    Raises
    ------
    Tangled
        If it crosses itself so often that filling it would take minutes.
    """
    height, width = shape
    parts = [part for piece in getattr(polygon, "geoms", [polygon]) if (part := _rings(piece))]
    if not parts:
        return None
    corners = np.concatenate([rings[0] for rings in parts])
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        return None
    x0, y0 = int(np.floor(max(left, 0))), int(np.floor(max(top, 0)))
    x1, y1 = int(np.ceil(min(right, width))), int(np.ceil(min(bottom, height)))
    if x0 >= x1 or y0 >= y1:
        return None
    limits = (x0 - _MARGIN, y0 - _MARGIN, x1 + _MARGIN, y1 + _MARGIN)
    inside = (clipped(ring, limits) for rings in parts for ring in rings)
    crossings = sum(float(np.abs(np.diff(ring[:, 1])).sum()) for ring in inside)
    if crossings > most_crossings((y1 - y0) * (x1 - x0)):
        raise Tangled
    for touched in (False, True):
        mask = _filled(parts, (x0, y0, x1, y1), touched)
        if mask.any():
            return mask, x0, y0
    return None


def _rings(polygon: BaseGeometry) -> list[NDArray[np.float64]]:
    """Corners of the outer ring and the holes; empty if one has no place."""
    if polygon.geom_type != "Polygon" or polygon.is_empty:
        return []
    rings = [np.asarray(ring.coords)[:, :2] for ring in (polygon.exterior, *polygon.interiors)]
    return rings if all(np.isfinite(ring).all() for ring in rings) else []


def _filled(
    parts: list[list[NDArray[np.float64]]], box: tuple[int, int, int, int], touched: bool
) -> NDArray[np.bool_]:
    """Fill polygons within a box of pixels."""
    x0, y0, x1, y1 = box
    corners = sum(len(ring) for rings in parts for ring in rings)
    rows = max(1, min(y1 - y0, _WORK // max(corners, 1)))
    mask = np.zeros((y1 - y0, x1 - x0), dtype=bool)
    for start in range(y0, y1, rows):
        stop = min(start + rows, y1)
        mask[start - y0 : stop - y0] = _band(parts, (x0, start, x1, stop), touched)
    return mask


def _band(
    parts: list[list[NDArray[np.float64]]], box: tuple[int, int, int, int], touched: bool
) -> NDArray[np.bool_]:
    from rasterio.features import rasterize
    from rasterio.transform import Affine

    x0, y0, x1, y1 = box
    limits = (x0 - _MARGIN, y0 - _MARGIN, x1 + _MARGIN, y1 + _MARGIN)
    shapes = []
    for rings in parts:
        outer, *holes = (clipped(ring, limits) for ring in rings)
        if len(outer) < 3:
            continue
        inner = [hole.tolist() for hole in holes if len(hole) >= 3]
        shapes.append(({"type": "Polygon", "coordinates": [outer.tolist(), *inner]}, 1))
    if not shapes:
        return np.zeros((y1 - y0, x1 - x0), dtype=bool)
    return rasterize(
        shapes,
        out_shape=(y1 - y0, x1 - x0),
        transform=Affine.translation(x0, y0),
        all_touched=touched,
        dtype="uint8",
    ).astype(bool)


def clipped(
    ring: NDArray[np.float64], box: tuple[float, float, float, float]
) -> NDArray[np.float64]:
    """Cut a ring at the sides of a box, one side after the other (Sutherland and Hodgman 1974).

    Parameters
    ----------
    ring : ndarray of float64, shape (N, 2)
        Closed or not; it may cross itself.
    box : (float, float, float, float)
        Left, top, right, bottom.

    Returns
    -------
    ndarray of float64, shape (M, 2)
        Closed. Inside the box it encloses what the ring does; parts of it may run along the sides.
    """
    x0, y0, x1, y1 = box
    low, high = ring.min(axis=0), ring.max(axis=0)
    if len(ring) > 1 and (ring[0] == ring[-1]).all():
        ring = ring[:-1]
    for axis, limit, sign in ((0, x0, 1), (0, x1, -1), (1, y0, 1), (1, y1, -1)):
        if (low[axis] >= limit) if sign > 0 else (high[axis] <= limit):
            continue
        here = ring
        there = np.roll(ring, -1, axis=0)
        inside = sign * (here[:, axis] - limit) >= 0
        crosses = inside != np.roll(inside, -1)
        span = np.where(crosses, there[:, axis] - here[:, axis], 1.0)
        share = np.where(crosses, (limit - here[:, axis]) / span, 0.0)
        cut = here + share[:, None] * (there - here)
        cut[:, axis] = limit
        both = np.stack([here, cut], axis=1).reshape(-1, 2)
        ring = both[np.stack([inside, crosses], axis=1).ravel()]
        if not len(ring):
            return ring
    return np.concatenate([ring, ring[:1]]) if len(ring) else ring
