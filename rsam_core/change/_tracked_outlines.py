"""What following does with one outline: move it, measure its place, colour and features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.scene.coordinates import Frame


def overlap(first: Instance, second: Instance) -> float:
    """IoU of two outlines."""
    shared = shared_pixels(first, second)
    return shared / (first.area + second.area - shared)


def middle(item: Instance) -> NDArray[np.float64]:
    """Centre of the box of an outline, x and y."""
    x0, y0, x1, y1 = item.bbox
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2])


def inside(point: NDArray[np.float64], shape: tuple[int, int]) -> bool:
    """Whether a point x, y lies in a frame of that height and width."""
    return bool(0 <= point[0] < shape[1] and 0 <= point[1] < shape[0])


def trimmed(item: Instance) -> Instance:
    """The same pixels in the tightest crop."""
    rows, columns = np.flatnonzero(item.mask.any(1)), np.flatnonzero(item.mask.any(0))
    mask = item.mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return replace(item, mask=mask, x=item.x + int(columns[0]), y=item.y + int(rows[0]))


def moved(item: Instance, offset: NDArray[np.float64], ratio: float) -> Instance:
    """An outline moved, and made larger or smaller about its middle."""
    mask = item.mask
    height, width = mask.shape
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    if size != (width, height):
        mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    x = round(float(item.x + (width - size[0]) / 2 + offset[0]))
    y = round(float(item.y + (height - size[1]) / 2 + offset[1]))
    return replace(item, mask=mask, x=x, y=y)


def deepest(mask: NDArray[np.bool_]) -> tuple[float, float] | None:
    """The point deepest inside of a mask."""
    from rsam_core.prompts.simulated import centre_click

    return centre_click(mask) if mask.any() else None


def paint(image: NDArray[np.uint8], item: Instance) -> NDArray[np.float64]:
    """Mean colour of an object against that of the whole frame, L*a*b*."""
    x0, y0, x1, y1 = item.bbox
    part = image[y0:y1, x0:x1][item.mask].reshape(-1, 1, 3)
    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)
    own, whole = (
        cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
        for pixels in (part, small)
    )
    return own.mean(0).astype(float) - np.median(whole, 0)


def look_of(embedding: Any, view: Frame, item: Instance) -> NDArray[np.float32] | None:
    """The object's features less those of the view, unit length, (C,)."""
    from rsam_core.objects.instances import Instances
    from rsam_core.segment.features.pooling import EmbeddedView, feature_maps, pool

    seen = EmbeddedView(embedding, view.x, view.y, view.scale[0])
    shape = (
        max(item.bbox[3], round(view.y + view.height)),
        max(item.bbox[2], round(view.x + view.width)),
    )
    found = pool(Instances([replace(item, id=0)], shape), [seen])
    if found is None:
        return None
    look = found[0] - feature_maps(embedding)[0][0].mean((1, 2))
    return look / (np.linalg.norm(look) + 1e-9)
