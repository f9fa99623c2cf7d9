"""Shape of objects, one row each, with the names that scikit-image gives these properties.

What costs time is worked out once an object and kept with it, so that after one object is
changed a table of ten thousand is there at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.ground_sizes import ground_areas, ground_axes
from rsam_core.objects.instances import Instances
from rsam_core.objects.shape_arrays import basics_array, extras_array
from rsam_core.scene.ground_scale import ground_of

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


_LENGTHS = ("equivalent_diameter_area", "axis_major_length", "axis_minor_length")


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
