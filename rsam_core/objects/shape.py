"""Shape of objects, one row each, with the names that scikit-image gives these properties.

What costs time is worked out once an object and kept with it, so that after one object is
changed a table of ten thousand is there at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Mask
from rsam_core.objects.instances import Instances

if TYPE_CHECKING:
    import pandas as pd

SHAPE_COLUMNS = (
    "equivalent_diameter_area",
    "axis_major_length",
    "axis_minor_length",
    "orientation",
    "eccentricity",
    "solidity",
    "extent",
    "compactness",
    "rectangularity",
    "elongation",
    "holes",
    "parts",
    "euler_number",
)
"""Columns of :func:`shape_table`, without those in metres."""

_STRIP = 1 << 20
"""Pixels that are looked at together."""

_LENGTHS = ("equivalent_diameter_area", "axis_major_length", "axis_minor_length")


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


def shape_table(instances: Instances, ground: Any = None) -> pd.DataFrame:
    """Measure the shape of every object.

    Parameters
    ----------
    instances : Instances
        The objects, N of them.
    ground : Scene, Ground or float, optional
        What tells how large pixels are, see :func:`rsam_core.scene.ground_scale.ground_of`; a
        number is metres a pixel.

    Returns
    -------
    pandas.DataFrame
        One row an object, in order. All but the last are of the shape in the picture, whose
        pixels count as square:

        - ``equivalent_diameter_area``: diameter of the disc of the same area, pixels;
        - ``axis_major_length``, ``axis_minor_length``: axes of the ellipse with the same second
          moments, pixels;
        - ``orientation``: angle between the rows' axis (down) and the major axis, −π/2 to π/2
          radians, counter-clockwise;
        - ``eccentricity``: of that ellipse, 0 for a circle to 1 for a line;
        - ``solidity``: share of the convex hull that is covered, 1 for a convex object;
        - ``extent``: share of the bounding box that is covered;
        - ``compactness``: 4π · area / perimeter², 1 for a disc and never more [1]_;
        - ``rectangularity``: share of the smallest turned rectangle that is covered;
        - ``elongation``: 1 − short / long side of that rectangle, 0 for a square;
        - ``holes``, ``parts``: number of holes, and of pieces that do not touch;
        - ``euler_number``: parts − holes;
        - the lengths once more in metres (``..._m``), of the shape on the ground, if `ground`
          tells them.

    References
    ----------
    .. [1] E. P. Cox, "A method of assigning numerical and percentage values to the degree of
       roundness of sand grains", Journal of Paleontology 1, 1927.
    """
    import pandas as pd

    from rsam_core.objects.ground_sizes import ground_areas, ground_axes
    from rsam_core.scene.ground_scale import ground_of

    first = basics_array(instances)
    perimeter, _, _, xx, yy, xy, euler = first[:, :7].T
    hull, long, short, parts = extras_array(instances).T
    area = instances.areas.astype(float)
    boxes = instances.bboxes
    box = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).astype(float)
    mean, spread = (xx + yy) / 2, np.hypot((yy - xx) / 2, xy)
    large, small = mean + spread, np.maximum(mean - spread, 0.0)
    table = pd.DataFrame(
        {
            "equivalent_diameter_area": np.sqrt(4 * area / math.pi),
            "axis_major_length": 4 * np.sqrt(large),
            "axis_minor_length": 4 * np.sqrt(small),
            "orientation": _orientation(xx, yy, xy),
            "eccentricity": np.sqrt(1 - _ratio(small, large, 1.0)),
            "solidity": _ratio(area, hull),
            "extent": _ratio(area, box),
            "compactness": np.minimum(_ratio(4 * math.pi * area, perimeter**2), 1.0),
            # Sides come in single precision.
            "rectangularity": np.minimum(_ratio(area, long * short), 1.0),
            "elongation": 1 - _ratio(short, long, 1.0),
            "holes": (parts - euler).astype(np.int64),
            "parts": parts.astype(np.int64),
            "euler_number": euler.astype(np.int64),
        }
    )
    known = ground_of(ground)
    if known is not None:
        major, minor = ground_axes(instances, known)
        diameter = np.sqrt(4 * ground_areas(instances, known) / math.pi)
        for name, values in zip(_LENGTHS, (diameter, major, minor)):
            table[f"{name}_m"] = values
    return table


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


def basics_array(instances: Instances) -> NDArray[np.float64]:
    """Return :class:`Basics` of every object, shape (N, 11), with centroids in scene pixels."""
    rows = np.array([item.basics for item in instances], float).reshape(-1, len(Basics._fields))
    rows[:, 1:3] += instances.bboxes[:, :2]
    return rows


def extras_array(instances: Instances) -> NDArray[np.float64]:
    """Return :class:`Extras` of every object, shape (N, 4)."""
    return np.array([item.extras for item in instances], float).reshape(-1, len(Extras._fields))


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


def _orientation(
    xx: NDArray[np.float64], yy: NDArray[np.float64], xy: NDArray[np.float64]
) -> NDArray[np.float64]:
    angle = 0.5 * np.arctan2(2 * xy, yy - xx)
    # For a square or a disc no direction is better than another; scikit-image says ±45°.
    even = xx == yy
    return np.where(even, np.where(xy > 0, np.pi / 4, -np.pi / 4), angle)


def _ratio(
    part: NDArray[np.float64], whole: NDArray[np.float64], empty: float = 0.0
) -> NDArray[np.float64]:
    result = np.full(len(part), empty)
    return np.divide(part, whole, out=result, where=whole > 0)


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
