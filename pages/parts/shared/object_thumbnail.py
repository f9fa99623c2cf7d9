"""A small picture of one object, for lists."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance
from rsam_core.scene.coordinates import Frame

SIDE = 56
"""Pixels of a thumbnail's side."""


def thumbnail(picture: NDArray[np.uint8], item: Instance, view: Frame) -> str:
    """A small square picture of an object with its outline, as a data address.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        Of the view.
    item : Instance
        In scene pixels.
    view : Frame
    """
    scale = view.scale[0]
    x0, y0, x1, y1 = ((np.array(item.bbox) - [view.x, view.y] * 2) * scale).tolist()
    side = max(1.5 * max(x1 - x0, y1 - y0), 16)
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    factor = SIDE / side
    move = np.array([[factor, 0, -left * factor], [0, factor, -top * factor]])
    size, smooth = (SIDE, SIDE), cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.warpAffine(
        np.ascontiguousarray(picture), move, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE
    )
    # The mask goes the same way, from its own pixels.
    near = scale * factor
    shift = (np.array([item.x - view.x, item.y - view.y]) * scale - [left, top]) * factor
    mask = cv2.warpAffine(
        item.mask.astype(np.uint8) * 255,
        np.array([[near, 0, shift[0]], [0, near, shift[1]]]), size, flags=cv2.INTER_LINEAR,
    )  # fmt: skip
    lines, _ = cv2.findContours(
        (mask > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    cv2.drawContours(small, lines, -1, (250, 204, 21), 2)
    content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
