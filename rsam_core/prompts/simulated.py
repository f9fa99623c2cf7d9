"""Simulated users for evaluation: the central click, the tight box, the corrective click.

The protocol is that of interactive segmentation: the first click falls on the pixel farthest
from the object's border, each next one on the pixel farthest from the border of the largest
connected error (Sofiiuk et al., "Reviving Iterative Training with Mask Guidance for Interactive
Segmentation", ICIP 2022).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PromptError


def depth(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance of each object pixel to the nearest other pixel, (H, W); outside counts as other."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]


def centre_click(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Centre (x, y) of the pixel farthest from the mask's border.

    Raises
    ------
    PromptError
        If the mask is empty.
    """
    if not mask.any():
        raise PromptError("An empty mask has no centre to click.")
    row, column = np.unravel_index(int(depth(mask).argmax()), mask.shape)
    return float(column) + 0.5, float(row) + 0.5


def tight_box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Bounding box x0, y0, x1, y1 along outer pixel edges.

    Raises
    ------
    PromptError
        If the mask is empty.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        raise PromptError("An empty mask has no bounding box.")
    return float(columns[0]), float(rows[0]), float(columns[-1]) + 1, float(rows[-1]) + 1


def largest_error(
    truth: NDArray[np.bool_], prediction: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], int] | None:
    """Largest connected error and the label a click in it needs (1 missed, 0 too much)."""
    best, place = 0, None
    for error, label in ((truth & ~prediction, 1), (prediction & ~truth, 0)):
        pieces, numbered, stats, _ = cv2.connectedComponentsWithStats(
            error.astype(np.uint8), connectivity=4
        )
        if pieces < 2:
            continue
        areas = stats[1:, cv2.CC_STAT_AREA]
        i = int(areas.argmax())
        if areas[i] > best:
            best, place = int(areas[i]), (numbered == i + 1, label)
    return place


def corrective_click(
    truth: NDArray[np.bool_], prediction: NDArray[np.bool_]
) -> tuple[float, float, int] | None:
    """Next click as x, y, label; None if the prediction has no error."""
    error = largest_error(truth, prediction)
    if error is None:
        return None
    return (*centre_click(error[0]), error[1])
