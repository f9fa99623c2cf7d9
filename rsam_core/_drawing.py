"""Masks and outlines in the pixels of a view, made from cropped masks in scene pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsam_core.instances import Instance
from rsam_core.palette import Rgb

SUBPIXEL_BITS = 4


def view_mask(
    item: Instance,
    origin: tuple[float, float],
    scale: float,
    region: tuple[int, int, int, int],
) -> tuple[NDArray[np.bool_], int, int]:
    """Return an object as a mask in view pixels, with the column and row of its top-left pixel.

    `region` (x0, y0, x1, y1, in view pixels) bounds the result; it may be empty.
    """
    import cv2

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

    values = crop.astype(np.uint8) * 255
    if scale < 1:
        # Average over the area of a view pixel; sampling single points would lose thin parts.
        size = 2 * round(0.5 / scale) + 1
        values = cv2.blur(values, (size, size), borderType=cv2.BORDER_CONSTANT)
    matrix = np.array(
        [
            [1 / scale, 0, (left + 0.5) / scale - 0.5 - shift_x],
            [0, 1 / scale, (top + 0.5) / scale - 0.5 - shift_y],
        ]
    )
    sampled = cv2.warpAffine(
        values,
        matrix,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    mask = sampled > 127
    if not mask.any() and crop.any():
        mask[np.unravel_index(int(np.argmax(sampled)), mask.shape)] = True
    return mask, left, top


def outline(
    picture: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    left: int,
    top: int,
    strokes: list[tuple[Rgb, int]],
) -> None:
    """Draw the outlines of a mask and of its holes with each (colour, width), in place."""
    if not mask.size:
        return
    import cv2

    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE, offset=(left, top)
    )
    lines = [_smooth(contour[:, 0].astype(np.float64)) for contour in contours]
    fixed = [np.round(line * 2**SUBPIXEL_BITS).astype(np.int32) for line in lines]
    for color, width in strokes:
        cv2.polylines(picture, fixed, True, color, width, cv2.LINE_AA, SUBPIXEL_BITS)


def _smooth(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round the pixel steps off a closed line: a (1, 2, 1) / 4 mean along it."""
    if len(line) < 5:
        return line
    return (np.roll(line, 1, axis=0) + 2 * line + np.roll(line, -1, axis=0)) / 4
