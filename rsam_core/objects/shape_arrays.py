"""Shape numbers of many objects as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instances import Instances
from rsam_core.objects.mask_shape import Basics, Extras
from rsam_core.runtime.courtesy import courteous


def basics_array(instances: Instances) -> NDArray[np.float64]:
    """Return :class:`Basics` of every object, shape (N, 11), with centroids in scene pixels."""
    rows = np.array([item.basics for item in courteous(instances)], float)
    rows = rows.reshape(-1, len(Basics._fields))
    rows[:, 1:3] += instances.bboxes[:, :2]
    return rows


def extras_array(instances: Instances) -> NDArray[np.float64]:
    """Return :class:`Extras` of every object, shape (N, 4)."""
    rows = np.array([item.extras for item in courteous(instances)], float)
    return rows.reshape(-1, len(Extras._fields))
