"""The algebra of cropped masks: what they share, their union, and parts of them.

A cropped mask is a mask and the place of its top-left pixel; beyond it nothing is the object.
Everything here looks at the crops alone, whatever the size of the scene.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

Box = Sequence[int]
"""Pixel edges x0, y0, x1, y1."""


class Cropped(Protocol):
    """Whatever is a cropped mask, such as an `rsam_core.objects.instance.Instance`.

    Attributes
    ----------
    mask : ndarray of bool, shape (h, w)
    x, y : int
        Column and row of its top-left pixel.
    """

    @property
    def mask(self) -> Mask: ...
    @property
    def x(self) -> int: ...
    @property
    def y(self) -> int: ...


class Crop(NamedTuple):
    """A cropped mask and nothing else; `Cropped` describes the fields."""

    mask: Mask
    x: int
    y: int


def span(items: Iterable[Cropped]) -> tuple[int, int, int, int]:
    """The smallest box, x0, y0, x1, y1, that holds all the crops of at least one item."""
    boxes = [(i.x, i.y, i.x + i.mask.shape[1], i.y + i.mask.shape[0]) for i in items]
    left, top, right, bottom = zip(*boxes)
    return int(min(left)), int(min(top)), int(max(right)), int(max(bottom))


def clip(item: Cropped, box: Box) -> Crop:
    """The part of a mask that lies in a box.

    Returns
    -------
    Crop
        A view of the mask's own memory; of no pixels where the box does not reach it.
    """
    height, width = item.mask.shape
    left, top = max(item.x, box[0]), max(item.y, box[1])
    right = max(min(item.x + width, box[2]), left)
    bottom = max(min(item.y + height, box[3]), top)
    part = item.mask[top - item.y : bottom - item.y, left - item.x : right - item.x]
    return Crop(part, left, top)


def cut_out(item: Cropped, box: Box) -> Mask:
    """The part of a mask in a box, of the box's size; False beyond the mask."""
    part = np.zeros((box[3] - box[1], box[2] - box[0]), bool)
    paste(part, item, box[0], box[1])
    return part


def paste(canvas: NDArray, item: Cropped, x: int = 0, y: int = 0, value: Any = True) -> None:
    """Write a value where an object lies on a canvas; what lies beside the canvas is skipped.

    Parameters
    ----------
    canvas : ndarray, shape (H, W)
        Changed in place.
    item : Cropped
    x, y : int
        Column and row of the canvas's top-left pixel.
    value : scalar
        What its pixels get.
    """
    height, width = canvas.shape
    part, left, top = clip(item, (x, y, x + width, y + height))
    rows, columns = part.shape
    canvas[top - y : top - y + rows, left - x : left - x + columns][part] = value


def union(items: Iterable[Cropped]) -> Crop:
    """The pixels of any of at least one item, in the smallest box that holds all the crops."""
    items = list(items)
    box = span(items)
    mask = np.zeros((box[3] - box[1], box[2] - box[0]), bool)
    for item in items:
        paste(mask, item, box[0], box[1])
    return Crop(mask, box[0], box[1])


def shared_pixels(first: Cropped, second: Cropped) -> int:
    """Number of pixels that two masks have in common."""
    # Asked for millions of pairs, most of which lie apart: no slice is made for those.
    (h1, w1), (h2, w2) = first.mask.shape, second.mask.shape
    ax, ay, bx, by = first.x, first.y, second.x, second.y
    x0, y0 = max(ax, bx), max(ay, by)
    x1, y1 = min(ax + w1, bx + w2), min(ay + h1, by + h2)
    if x0 >= x1 or y0 >= y1:
        return 0
    one = first.mask[y0 - ay : y1 - ay, x0 - ax : x1 - ax]
    two = second.mask[y0 - by : y1 - by, x0 - bx : x1 - bx]
    return int(np.count_nonzero(one & two))


def paste_all(masks: Mask, x: int, y: int, shape: tuple[int, int]) -> Mask:
    """Masks (K, h, w) of one window at (x, y), each in a picture of (height, width), (K, H, W)."""
    result = np.zeros((len(masks), *shape), bool)
    for canvas, mask in zip(result, masks):
        paste(canvas, Crop(mask, x, y))
    return result


def crop_together(
    parts: Sequence[tuple[Mask, int, int]],
) -> tuple[Mask, int, int]:
    """Bring masks from different places into the smallest window that holds them all.

    Parameters
    ----------
    parts : sequence of Crop, or of (mask, x, y)
        Boolean masks of any shape, each with the position of its top-left corner.

    Returns
    -------
    masks : ndarray of bool, shape (K, h, w)
        The masks in one tight window; 1 × 1 and False if all of them are empty.
    x, y : int
        Top-left corner of the window.
    """
    boxes = []
    for mask, x, y in parts:
        rows = np.flatnonzero(mask.any(axis=1))
        if rows.size:
            columns = np.flatnonzero(mask.any(axis=0))
            boxes.append((x + columns[0], y + rows[0], x + columns[-1] + 1, y + rows[-1] + 1))
    if not boxes:
        return np.zeros((len(parts), 1, 1), dtype=bool), 0, 0
    edges = np.array(boxes)
    x0, y0 = (int(edge) for edge in edges[:, :2].min(axis=0))
    x1, y1 = (int(edge) for edge in edges[:, 2:].max(axis=0))
    masks = np.zeros((len(parts), y1 - y0, x1 - x0), dtype=bool)
    for canvas, part in zip(masks, parts, strict=True):
        paste(canvas, Crop(*part), x0, y0)
    return masks, x0, y0
