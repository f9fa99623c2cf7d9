"""How sharp a picture is: whether its pixels show as much as there are of them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def detail_ratio(grey: NDArray[np.float32], valid: NDArray[np.bool_]) -> float | None:
    """Compare the finest detail of a picture to detail twice as coarse.

    The finest is what is lost when pixels are averaged two by two; where it is much weaker than
    what is lost at the next step, the picture is blurred or was enlarged.

    Parameters
    ----------
    grey : (H, W) array of float32
    valid : (H, W) array of bool
        Where there is a measurement.

    Returns
    -------
    float or None
        About 0.5 and more for sharp pictures, under 0.2 for blurred ones; None where there is too
        little to judge.
    """
    height, width = (side - side % 4 for side in grey.shape)
    if min(height, width) < 32:
        return None
    picture = np.ascontiguousarray(grey[:height, :width], np.float32)
    known = valid[:height, :width]
    half = _halved(picture)
    fine = np.abs(picture - _doubled(half))[known]
    coarse = np.abs(half - _doubled(_halved(half)))[_halved(known.astype(np.float32)) == 1]
    if fine.size < 1000 or coarse.size < 250:
        return None
    # Edges decide, not even areas: their noise has no scale.
    strong, weak = (float(np.percentile(part, 90)) for part in (coarse, fine))
    return weak / strong if strong > 1 else None


def _halved(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    size = picture.shape[1] // 2, picture.shape[0] // 2
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _doubled(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    size = picture.shape[1] * 2, picture.shape[0] * 2
    return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
