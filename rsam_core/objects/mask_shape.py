"""Numbers on the shape of one mask, worked out once and kept with its object."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_STRIP = 1 << 20
"""Pixels that are looked at together."""


class Basics(NamedTuple):
    """What one look at the pixels gives; lengths in pixels.

    The last four count how often lines through the pixels' centres cross the outline: lines
    along the rows, along the columns, and along both diagonals.
    """

    perimeter: float
    centroid_x: float
    centroid_y: float
    variance_x: float
    variance_y: float
    covariance: float
    euler_number: int
    crossings_row: int
    crossings_column: int
    crossings_down: int
    crossings_up: int


class Extras(NamedTuple):
    """What takes the convex hull and the connected pieces."""

    area_convex: float
    rectangle_long: float
    rectangle_short: float
    parts: int


def basics(mask: Mask) -> Basics:
    """Measure a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        With at least one pixel.

    Returns
    -------
    Basics
        The perimeter follows the Crofton formula in four directions [1]_, the Euler number the
        counts of 2 × 2 patterns, pixels that touch at a corner being connected [2]_; centroid
        and second moments are those of the pixel centres.

    References
    ----------
    .. [1] Gaëtan Lehmann and David Legland, "Efficient N-dimensional surface estimation using
       Crofton formula and run-length encoding", The Insight Journal, 2012.
    .. [2] S. B. Gray, "Local properties of binary images in two dimensions", IEEE Transactions
       on Computers C-20, 1971.
    """
    import cv2

    values = np.ascontiguousarray(mask).view(np.uint8)
    patterns = _patterns(values)
    moments = cv2.moments(values, binaryImage=True)
    area = moments["m00"]
    return Basics(
        float(_CROFTON @ patterns),
        moments["m10"] / area + 0.5,
        moments["m01"] / area + 0.5,
        max(moments["mu20"] / area, 0.0),
        max(moments["mu02"] / area, 0.0),
        moments["mu11"] / area,
        int(_EULER @ patterns) // 4,
        *(int(weights @ patterns) // 2 for weights in _CROSSINGS),
    )


def extras(mask: Mask) -> Extras:
    """Measure convex hull, smallest rectangle and number of pieces of a mask.

    The hull is the polygon around the pixels, corners included, and the rectangle encloses it.
    """
    import cv2

    corners = mask_corners(mask)
    hull = cv2.convexHull(corners.astype(np.int32))
    _, sides, _ = cv2.minAreaRect(hull.astype(np.float32))
    count = cv2.connectedComponents(np.ascontiguousarray(mask).view(np.uint8), connectivity=8)[0]
    return Extras(cv2.contourArea(hull), max(sides), min(sides), count - 1)


def _patterns(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the patterns of 2 × 2 pixels, shape (16,), those around the edge included.

    In strips of rows, because counting turns every pattern into eight bytes.
    """
    height, width = values.shape
    rows = max(1, _STRIP // (width + 1))
    counts = np.zeros(16, np.int64)
    for start in range(0, height + 1, rows):
        stop = min(start + rows, height + 1)
        padded = np.zeros((stop - start + 1, width + 2), np.uint8)
        first, last = max(start - 1, 0), min(stop, height)
        padded[first - start + 1 : last - start + 1, 1:-1] = values[first:last]
        pairs = padded[:, :-1] + 2 * padded[:, 1:]
        counts += np.bincount((pairs[:-1] + 4 * pairs[1:]).ravel(), minlength=16)
    return counts


def mask_corners(mask: Mask) -> NDArray[np.int64]:
    """Return x and y of the corners of the first and last pixel of every row, shape (M, 2).

    Convex hull and extremes of these are those of the whole mask.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    some = mask[rows]
    first = some.argmax(axis=1)
    last = mask.shape[1] - some[:, ::-1].argmax(axis=1)
    x = np.concatenate([first, first, last, last])
    y = np.concatenate([rows, rows + 1, rows, rows + 1])
    return np.column_stack([x, y])


def _pattern_weights() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return what each 2 × 2 pattern adds to the perimeter and to four times the Euler number."""
    bits = (np.arange(16)[:, None] >> np.arange(4)) & 1
    a, b, c, d = bits.T
    # Each straight pair of pixels is part of two patterns, each diagonal pair of one.
    straight = ((a != b).astype(float) + (c != d) + (a != c) + (b != d)) / 2
    diagonal = (a != d).astype(float) + (b != c)
    crofton = np.pi / 8 * (straight + diagonal / np.sqrt(2))
    ones = bits.sum(axis=1)
    touching = (ones == 2) & (a == d)
    euler = (ones == 1).astype(np.int64) - (ones == 3) - 2 * touching
    return crofton, euler


def _crossing_weights() -> NDArray[np.int64]:
    """Return twice what each pattern adds to the crossings in four directions, shape (4, 16)."""
    a, b, c, d = ((np.arange(16)[:, None] >> np.arange(4)) & 1).T
    # Each straight pair of pixels is part of two patterns, each diagonal pair of one.
    row, column = (a != b) + 0 + (c != d), (a != c) + 0 + (b != d)
    return np.stack([row, column, 2 * (a != d), 2 * (b != c)])


_CROFTON, _EULER = _pattern_weights()
_CROSSINGS = _crossing_weights()
