"""Boxes as rows x0, y0, x1, y1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
        first, left = left[0], left[1:]
        kept.append(int(first))
        sides = np.minimum(boxes[left, 2:], boxes[first, 2:]) - np.maximum(
            boxes[left, :2], boxes[first, :2]
        )
        shared = sides.clip(0, None).prod(1)
        left = left[shared <= same * (sizes[left] + sizes[first] - shared)]
    return np.array(kept, np.intp)
