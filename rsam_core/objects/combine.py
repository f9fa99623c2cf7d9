"""Combining and editing objects: every function takes all objects and returns new ones.

An object keeps its number where it survives; the first of several that become one keeps its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from rsam_core.errors import RefineError
from rsam_core.objects.crops import Crop, clip, cut_out, union
from rsam_core.objects.instance import Instance, Mask
from rsam_core.objects.instances import Instances
from rsam_core.objects.mask_shape import mask_corners
from rsam_core.objects.refine.outline import rasterise
from rsam_core.runtime.language import N_

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Edit = Literal["add", "erase", "replace"]

RULE = N_(
    "Where objects overlap, the one of higher quality keeps the pixel; but a small object that "
    "lies inside a larger one keeps its own."
)
"""What :func:`assign_overlap` does, in words for the user."""


def merge(instances: Instances, ids: Iterable[int]) -> Instances:
    """Make one object of several: their union.

    Parameters
    ----------
    instances : Instances
    ids : iterable of int
        At least two. The union keeps the number and the place of the one named first, the label
        that most of their area has, and the mean score weighted by area.

    Raises
    ------
    RefineError
        If these are fewer than two objects.
    """
    items = _get(instances, ids)
    if len(items) < 2:
        raise RefineError("Merging needs at least two objects. Select another one as well.")
    mask, x, y = union(items)
    areas = np.array([item.area for item in items], float)
    weight: dict[str | None, float] = {}
    for item, area in zip(items, areas):
        weight[item.label] = weight.get(item.label, 0.0) + area
    merged = replace(
        items[0],
        mask=mask,
        x=x,
        y=y,
        score=float(areas @ [item.score for item in items] / areas.sum()),
        label=max(weight, key=weight.get),
    )
    gone = [item.id for item in items[1:]]
    return instances.replace(merged).remove(gone)


def intersect(instances: Instances, ids: Iterable[int]) -> Instances:
    """Replace objects by what all of them have in common.

    Parameters
    ----------
    instances : Instances
    ids : iterable of int
        At least two; what they share keeps the number of the one named first.

    Raises
    ------
    RefineError
        If these are fewer than two objects, or they share no pixel.
    """
    items = _get(instances, ids)
    if len(items) < 2:
        raise RefineError("An intersection needs at least two objects. Select another one as well.")
    first = items[0]
    mask = first.mask.copy()
    for item in items[1:]:
        mask &= cut_out(item, first.bbox)
    if not mask.any():
        raise RefineError("These objects have no pixel in common, so nothing would be left.")
    kept = replace(first, mask=mask)
    return instances.replace(kept).remove([item.id for item in items[1:]])


def subtract(instances: Instances, id: int, others: Iterable[int]) -> Instances:
    """Cut other objects out of one; the others stay as they are.

    Parameters
    ----------
    instances : Instances
    id : int
        The object that loses pixels.
    others : iterable of int
        The objects that are cut out of it.

    Raises
    ------
    RefineError
        If nothing would be left of it, or nothing is to be cut out.
    """
    first = _get(instances, [id])[0]
    items = [item for item in _get(instances, others) if item.id != id]
    if not items:
        raise RefineError("Select the object to cut out as well.")
    mask = first.mask.copy()
    for item in items:
        mask &= ~cut_out(item, first.bbox)
    if not mask.any():
        raise RefineError(
            f"Object {id} lies wholly inside what would be cut out of it, so nothing would be "
            "left. Remove it instead, or cut the other way round."
        )
    return instances.replace(replace(first, mask=mask))


def split(instances: Instances, ids: Iterable[int] | None = None) -> Instances:
    """Make an object of each connected piece.

    Parameters
    ----------
    instances : Instances
    ids : iterable of int, optional
        Objects to split; all if not given.

    Returns
    -------
    Instances
        Pieces touch by an edge or a corner. The largest keeps the number; the others follow it,
        from the top down, with new numbers and the same label, score and source.
    """
    import cv2

    chosen = None if ids is None else set(ids)
    result: list[Instance] = []
    for item in instances:
        result.append(item)
        if chosen is not None and item.id not in chosen:
            continue
        values = np.ascontiguousarray(item.mask).view(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(values, connectivity=8)
        if count <= 2:
            continue
        largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        result[-1] = replace(item, mask=labels == largest)
        result += [
            replace(item, mask=labels == piece, id=0)
            for piece in range(1, count)
            if piece != largest
        ]
    return Instances(result, instances.shape, next_id=instances.next_id)


def assign_overlap(instances: Instances, ids: Collection[int] | None = None) -> Instances:
    """Give every pixel that several objects claim to one of them.

    Parameters
    ----------
    instances : Instances
    ids : collection of int, optional
        Objects among which to decide; all if not given.

    Returns
    -------
    Instances
        Without overlaps among these, by the rule of
        :func:`rsam_core.objects.overlap.resolve_overlap`. An object of which no pixel is left is
        dropped. Objects that lose nothing are the very same ones.
    """
    some = instances if ids is None else instances.select(ids)
    order = list(some.paint_order)
    above = _overlapping(some, order)
    changed: dict[int, Instance | None] = {}
    for position in order:
        item = some[position]
        mask = None
        for other in above.get(position, ()):
            mask = item.mask.copy() if mask is None else mask
            mask &= ~cut_out(some[other], item.bbox)
        if mask is not None and np.count_nonzero(mask) < item.area:
            changed[item.id] = replace(item, mask=mask) if mask.any() else None
    items = [changed.get(item.id, item) for item in instances]
    kept = [item for item in items if item is not None]
    return Instances(kept, instances.shape, next_id=instances.next_id)


def covered_area(instances: Instances) -> int:
    """Return the number of pixels that belong to any object, each counted once.

    No picture of the whole scene is made, so that it may be as large as it likes.
    """
    return int(assign_overlap(instances).areas.sum())


def to_hull(instances: Instances, ids: Iterable[int]) -> Instances:
    """Replace objects by their convex hulls: what a rubber band around the pixels encloses."""
    import shapely

    return _reshape(instances, ids, shapely.convex_hull)


def to_rectangle(instances: Instances, ids: Iterable[int]) -> Instances:
    """Replace objects by their smallest rectangles, turned as they lie.

    The smallest rectangle encloses the object; near the edge of the image it is cut off.
    """
    import shapely

    return _reshape(instances, ids, shapely.minimum_rotated_rectangle)


def edit(
    instances: Instances, id: int, mask: ArrayLike, x: int = 0, y: int = 0, how: Edit = "add"
) -> Instances:
    """Change an object by a painted mask.

    Parameters
    ----------
    instances : Instances
    id : int
        The object.
    mask : array_like of bool, shape (H, W)
        What was painted. Parts outside the scene are ignored.
    x, y : int
        Scene pixel of its top-left corner.
    how : {"add", "erase", "replace"}

    Raises
    ------
    RefineError
        If nothing would be left of the object, or `how` is none of these.
    """
    item = _get(instances, [id])[0]
    painted, x, y = _inside(np.asarray(mask, dtype=bool), x, y, instances.shape)
    if how == "erase":
        left = item.mask & ~cut_out(Crop(painted, x, y), item.bbox)
        changed = (left, item.x, item.y)
    elif how == "add":
        if not painted.any():
            return instances
        changed = union([item, Crop(painted, x, y)])
    elif how == "replace":
        changed = (painted, x, y)
    else:
        raise RefineError(f"A mask can be added, erased or replaced; {how!r} is none of these.")
    if not changed[0].any():
        raise RefineError(
            f"Nothing would be left of object {id}. Remove the object instead, or erase less."
        )
    return instances.replace(replace(item, mask=changed[0], x=changed[1], y=changed[2]))


def draw(
    instances: Instances, mask: ArrayLike, x: int = 0, y: int = 0, label: str | None = None
) -> Instances:
    """Add a painted mask as a new object of source ``"drawn"``.

    Raises
    ------
    RefineError
        If nothing was painted inside the scene.
    """
    painted, x, y = _inside(np.asarray(mask, dtype=bool), x, y, instances.shape)
    if not painted.any():
        raise RefineError("Nothing is painted yet. Paint the object in the picture first.")
    return instances.add(Instance(painted, x, y, source="drawn", label=label))


# --- helpers -----------------------------------------------------------------------------


def _get(instances: Instances, ids: Iterable[int]) -> list[Instance]:
    """Return the objects with these numbers, each once, in the order named."""
    return [instances.get(id) for id in dict.fromkeys(ids)]


def _inside(mask: Mask, x: int, y: int, shape: tuple[int, int]) -> Crop:
    """Return the part of a mask that lies in the scene."""
    if mask.ndim != 2:
        raise RefineError(f"A mask must have two dimensions (rows, columns), not {mask.ndim}.")
    return clip(Crop(mask, int(x), int(y)), (0, 0, shape[1], shape[0]))


def _overlapping(some: Instances, order: list[int]) -> dict[int, list[int]]:
    """Return, for each position, those of later painted objects whose boxes meet its box."""
    import shapely

    if len(some) < 2:
        return {}
    rank = np.empty(len(some), dtype=np.int64)
    rank[order] = np.arange(len(some))
    # A hair smaller, so that boxes that only touch do not count.
    boxes = shapely.box(*(some.bboxes + np.array([0.25, 0.25, -0.25, -0.25])).T)
    below, over = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    above: dict[int, list[int]] = {}
    for low, high in zip(below.tolist(), over.tolist()):
        if rank[high] > rank[low]:
            above.setdefault(low, []).append(high)
    return above


def _reshape(
    instances: Instances, ids: Iterable[int], make: Callable[[BaseGeometry], BaseGeometry]
) -> Instances:
    """Replace objects by a shape made of the corners of their pixels."""
    import shapely

    changed: dict[int, Instance] = {}
    for item in _get(instances, ids):
        shape = make(shapely.MultiPoint(mask_corners(item.mask) + np.array([item.x, item.y])))
        x0, y0, x1, y1 = shape.bounds
        box = (
            max(int(np.floor(x0)), 0),
            max(int(np.floor(y0)), 0),
            min(int(np.ceil(x1)), instances.shape[1]),
            min(int(np.ceil(y1)), instances.shape[0]),
        )
        mask = rasterise(shape, (box[3] - box[1], box[2] - box[0]), box[0], box[1])
        # A pixel whose centre lies on the border must not be lost to rounding.
        mask |= cut_out(item, box)
        changed[item.id] = replace(item, mask=mask, x=box[0], y=box[1])
    items = (changed.get(item.id, item) for item in instances)
    return Instances(items, instances.shape, next_id=instances.next_id)
