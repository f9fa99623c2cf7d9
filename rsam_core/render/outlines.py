"""Masks and outlines in the pixels of a view, made from cropped masks in scene pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instances import Instance
from rsam_core.objects.palette import Rgb

Part = tuple[NDArray[np.bool_], int, int]
"""A mask in view pixels, and the column and row of its top-left pixel."""
Stroke = tuple[Rgb, int]
"""Colour and width in pixels."""

_SUBPIXEL_BITS = 4
_LARGEST_SUPERSAMPLED = 16_000_000
_LARGEST_PIECE = 8192
"""Side in scene pixels of what is reduced at once. OpenCV can do 32,766."""


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
    side = max(1, int(_LARGEST_PIECE * min(scale, 1.0)))
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


def draw_outlines(
    picture: NDArray[np.uint8], jobs: list[tuple[Part, list[Stroke]]]
) -> NDArray[np.uint8]:
    """Outline masks and their holes, each with its strokes, and return the picture.

    A picture of four channels is premultiplied: colours are weighted by the opacity. Lines are
    drawn at twice the size and averaged: at its own size OpenCV's antialiased lines
    have odd widths only. Pixels that no line touches come back unchanged.
    """
    import cv2

    factor = 2 if picture.shape[0] * picture.shape[1] <= _LARGEST_SUPERSAMPLED else 1
    canvas = picture
    if factor > 1:
        canvas = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    for (mask, left, top), strokes in jobs:
        if not mask.size:
            continue
        contours, _ = cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE, offset=(left, top)
        )
        lines = [_fixed_point(_smooth(contour[:, 0]), factor) for contour in contours]
        for color, width in strokes:
            thickness = _thickness(width * factor)
            color = (*color, 255)[: canvas.shape[2]]
            cv2.polylines(canvas, lines, True, color, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    if factor > 1:
        height, width = picture.shape[:2]
        canvas = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return canvas


def _thickness(width: float) -> int:
    """Return OpenCV's `thickness` for an antialiased line that is about `width` pixels wide.

    Measured: 1 gives 1.3 pixels, 2 gives 3.4, and from there an odd number n gives n + 2.4.
    """
    if width < 2.4:
        return 1
    return 2 if width < 4.4 else 2 * round((width - 3.4) / 2) + 1


def _fixed_point(line: NDArray[np.float64], factor: int) -> NDArray[np.int32]:
    """Return pixel indices of the picture as fixed-point ones of a canvas `factor` times larger."""
    enlarged = (line + 0.5) * factor - 0.5
    return np.round(enlarged * 2**_SUBPIXEL_BITS).astype(np.int32)


def _smooth(line: NDArray[np.int32]) -> NDArray[np.float64]:
    """Round the pixel steps off a closed line: a (1, 2, 1) / 4 mean along it."""
    if len(line) < 5:
        return line.astype(np.float64)
    return (np.roll(line, 1, axis=0) + 2 * line + np.roll(line, -1, axis=0)) / 4
