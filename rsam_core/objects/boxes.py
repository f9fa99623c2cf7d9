"""Boxes as rows x0, y0, x1, y1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 64
"""Boxes that are compared with all others at once."""


def distinct(boxes: NDArray[np.floating], same: float) -> NDArray[np.intp]:
    """Positions of boxes, best first, that do not repeat a better one.

    Parameters
    ----------
    boxes : ndarray of float, shape (N, 4)
        Best first.
    same : float
        Of two boxes with a higher IoU the later one is left out.

    Returns
    -------
    ndarray of int, shape (K,)
        Ascending.
    """
    left = np.arange(len(boxes))
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    kept: list[int] = []
    while len(left):
        # The best of those left against all of them at once.
        head = left[:_AT_ONCE]
        width, height = (
            np.minimum(boxes[None, left, k + 2], boxes[head, None, k + 2])
            - np.maximum(boxes[None, left, k], boxes[head, None, k])
            for k in (0, 1)
        )
        shared = width.clip(0, None) * height.clip(0, None)
        differ = shared <= same * (sizes[None, left] + sizes[head, None] - shared)
        alive = np.ones(len(left), bool)
        for row, box in enumerate(head):
            if alive[row]:
                kept.append(int(box))
                alive &= differ[row]
        alive[: len(head)] = False
        left = left[alive]
    return np.array(kept, np.intp)
