"""Masks brought from a view to the scene, and from the scene to a view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance
from rsam_core.scene.coordinates import Frame

Part = tuple[NDArray[np.bool_], int, int]
"""A mask in view pixels, and the column and row of its top-left pixel."""
_MAX_PIECE = 8192
"""Side in scene pixels of what is reduced at once. OpenCV can do 32,766."""

_PIECE = 1024
"""Side in pixels of the pieces in which masks are enlarged. OpenCV can do 32,766 at once."""


def to_scene(instance: Instance, view: Frame) -> Instance:
    """An object in view pixels as an object in scene pixels.

    Where the view is smaller than its window, the mask is enlarged with a smooth outline, piece
    by piece: besides the result it takes little memory, and the scene may be of any size.
    """
    if view.scale == (1.0, 1.0):
        return replace(instance, x=instance.x + round(view.x), y=instance.y + round(view.y))
    import cv2

    x0, y0, x1, y1 = instance.bbox
    sx, sy = view.scale
    # One pixel of margin lets the outline round off instead of ending at the crop.
    padded = np.pad(instance.mask, 1).astype(np.float32)
    left, right = (np.floor((x0 - 1) / sx + view.x), np.ceil((x1 + 1) / sx + view.x))
    top, bottom = (np.floor((y0 - 1) / sy + view.y), np.ceil((y1 + 1) / sy + view.y))
    left, top = max(int(left), round(view.x)), max(int(top), round(view.y))
    right = min(int(right), round(view.x + view.width))
    bottom = min(int(bottom), round(view.y + view.height))
    columns = (np.arange(left, right) + 0.5 - view.x) * sx - x0 + 1 - 0.5
    rows = (np.arange(top, bottom) + 0.5 - view.y) * sy - y0 + 1 - 0.5
    columns, rows = columns.astype(np.float32), rows.astype(np.float32)
    large = np.empty((len(rows), len(columns)), bool)
    for across in range(0, len(columns), _PIECE):
        for down in range(0, len(rows), _PIECE):
            piece = slice(down, down + _PIECE), slice(across, across + _PIECE)
            grid_x, grid_y = np.meshgrid(columns[piece[1]], rows[piece[0]])
            large[piece] = cv2.remap(padded, grid_x, grid_y, cv2.INTER_LINEAR) > 0.5
    if not large.any():
        large[large.shape[0] // 2, large.shape[1] // 2] = True
    return replace(instance, mask=large, x=left, y=top)


def view_mask(
    item: Instance,
    origin: tuple[float, float],
    scale: float,
    region: tuple[int, int, int, int],
) -> Part:
    """Return an object as a mask in view pixels, with the column and row of its top-left pixel.

    `region` (x0, y0, x1, y1, in view pixels) bounds the result; it may be empty.
    """
    x0, y0, x1, y1 = item.bbox
    left = max(int(np.floor((x0 - origin[0]) * scale)), region[0])
    top = max(int(np.floor((y0 - origin[1]) * scale)), region[1])
    right = min(int(np.ceil((x1 - origin[0]) * scale)), region[2])
    bottom = min(int(np.ceil((y1 - origin[1]) * scale)), region[3])
    if left >= right or top >= bottom:
        return np.zeros((0, 0), dtype=bool), left, top
    # The part of the crop that is needed, one pixel more on each side for interpolation.
    a = max(int(np.floor(left / scale + origin[0])) - x0 - 1, 0)
    b = max(int(np.floor(top / scale + origin[1])) - y0 - 1, 0)
    c = int(np.ceil(right / scale + origin[0])) - x0 + 1
    d = int(np.ceil(bottom / scale + origin[1])) - y0 + 1
    crop = item.mask[b:d, a:c]
    shift_x, shift_y = x0 + a - origin[0], y0 + b - origin[1]
    if scale == 1 and shift_x == int(shift_x) and shift_y == int(shift_y):
        dx, dy = left - int(shift_x), top - int(shift_y)
        return crop[dy : dy + bottom - top, dx : dx + right - left], left, top

    sampled = np.empty((bottom - top, right - left), np.uint8)
    # A piece of the view shows a piece of the crop of limited size; usually one is enough.
    side = max(1, int(_MAX_PIECE * min(scale, 1.0)))
    for y in range(0, bottom - top, side):
        for x in range(0, right - left, side):
            piece = sampled[y : y + side, x : x + side]
            start = (
                (left + x + 0.5) / scale - 0.5 - shift_x,
                (top + y + 0.5) / scale - 0.5 - shift_y,
            )
            piece[:] = _sampled(crop, start, scale, piece.shape)
    mask = sampled > 127
    if not mask.any() and crop.any():
        mask[np.unravel_index(int(np.argmax(sampled)), mask.shape)] = True
    return mask, left, top


def _sampled(
    crop: NDArray[np.bool_], start: tuple[float, float], scale: float, shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return how far each pixel of a part of a view is covered, 0 to 255, shape (h, w).

    `start` is where, in the pixels of the crop, the first of them has its centre.
    """
    import cv2

    # Average over the area of a view pixel; sampling single points would lose thin parts.
    size = 2 * round(0.5 / scale) + 1 if scale < 1 else 1
    x0, y0 = (max(int(np.floor(value)) - size - 1, 0) for value in start)
    x1, y1 = (
        max(int(np.ceil(value + number / scale)) + size + 1, 0)
        for value, number in zip(start, shape[::-1])
    )
    values = crop[y0:y1, x0:x1].astype(np.uint8) * 255
    if not values.size:
        return np.zeros(shape, np.uint8)
    if size > 1:
        values = cv2.blur(values, (size, size), borderType=cv2.BORDER_CONSTANT)
    matrix = np.array([[1 / scale, 0, start[0] - x0], [0, 1 / scale, start[1] - y0]])
    return cv2.warpAffine(
        values,
        matrix,
        shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
