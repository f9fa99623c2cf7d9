"""Objects of a scene as they lie in an encoded view of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Crop
from rsam_core.objects.instance import Instance
from rsam_core.segment.features.pooling import EmbeddedView


def crop_in_view(instance: Instance, view: EmbeddedView) -> Crop:
    """The mask of an object (in scene pixels) in view pixels; it may reach beyond the view."""
    import cv2

    x0, y0, x1, y1 = instance.bbox
    left, top = (x0 - view.x) * view.scale, (y0 - view.y) * view.scale
    right, bottom = (x1 - view.x) * view.scale, (y1 - view.y) * view.scale
    column, row = int(np.floor(left)), int(np.floor(top))
    width, height = int(np.ceil(right)) - column, int(np.ceil(bottom)) - row
    part = instance.mask
    if view.scale != 1 or (width, height) != part.shape[::-1]:
        size = (max(width, 1), max(height, 1))
        share = cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        part = share >= min(0.5, float(share.max()))
    return Crop(part, column, row)


def in_view(instance: Instance, view: EmbeddedView) -> NDArray[np.bool_]:
    """The mask of an object (in scene pixels) over a whole view, (H, W)."""
    height, width = view.embedding.shape
    mask = np.zeros((height, width), bool)
    crop = crop_in_view(instance, view)
    rows, columns = crop.mask.shape
    y0, x0 = max(crop.y, 0), max(crop.x, 0)
    y1, x1 = min(crop.y + rows, height), min(crop.x + columns, width)
    if y0 < y1 and x0 < x1:
        mask[y0:y1, x0:x1] = crop.mask[y0 - crop.y : y1 - crop.y, x0 - crop.x : x1 - crop.x]
    return mask
