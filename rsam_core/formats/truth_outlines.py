"""Draw outlines in scene pixels: whatever their shape, within the image and within seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instances import Instance, Instances

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


def draw(
    shapes: Sequence[BaseGeometry],
    shape: tuple[int, int],
    labels: Sequence[str | None] | None = None,
    notes: Sequence[str] = (),
    source: str = "truth",
) -> tuple[Instances, list[str]]:
    """Turn polygons in scene pixels into objects.

    A pixel belongs to a polygon if its centre lies inside (of a ring that crosses itself, where
    one enters it an odd number of times). A polygon too thin to hold any centre gets the pixels
    that it touches, so that no object is lost.

    Returns
    -------
    objects : Instances
        Those that lie in the scene, numbered from 1 in the order of the polygons.
    notes : list of str
        `notes`, and what was left out.
    """
    objects, _, told = drawn_objects(shapes, shape, labels, source)
    return objects, [*notes, *told]


def drawn_objects(
    shapes: Sequence[BaseGeometry],
    shape: tuple[int, int],
    labels: Sequence[str | None] | None = None,
    source: str = "truth",
) -> tuple[Instances, list[int], list[str]]:
    """Turn polygons into objects; see :func:`draw`.

    Returns
    -------
    objects : Instances
    kept : list of int
        Which of the polygons each object comes from.
    notes : list of str
        What was left out.
    """
    from rasterio import Env

    items, kept, tangled = [], [], 0
    # One environment for all: GDAL would set one up anew for every object.
    with Env():
        for index, polygon in enumerate(shapes):
            try:
                drawn = _drawn(polygon, shape)
            except _Tangled:
                tangled += 1
                continue
            if drawn is None:
                continue
            mask, x, y = drawn
            label = labels[index] if labels is not None else None
            items.append(Instance(mask, x, y, source=source, label=label))
            kept.append(index)
    notes = []
    outside = len(shapes) - len(kept) - tangled
    if outside:
        notes.append(f"{outside:,} of {len(shapes):,} outlines lie outside the image.")
    if tangled:
        cross = "outline crosses itself" if tangled == 1 else "outlines cross themselves"
        notes.append(f"{tangled:,} {cross} millions of times and could not be drawn.")
    return Instances(items, shape), kept, notes


class _Tangled(Exception):
    """An outline cannot be filled in reasonable time."""


def _drawn(
    polygon: BaseGeometry, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], int, int] | None:
    """Mask and place of a polygon; None if it lies outside."""
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
    # No outline along pixels enters each of them more than a few times.
    most = max(_CROSSINGS_A_PIXEL * (y1 - y0) * (x1 - x0), _FEW_CROSSINGS)
    most = min(most, _MAX_CROSSINGS)
    if sum(float(np.abs(np.diff(ring[:, 1])).sum()) for ring in inside) > most:
        raise _Tangled
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
