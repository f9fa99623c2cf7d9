"""Clouds: parts of a date that show no ground, so that nothing is said about them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_BRIGHT = 196
"""Darkest channel of a pixel in the midst of a cloud."""

_GREY = 26
"""Largest difference between its channels."""

_SMOOTH = 7.0
"""Largest spread of lightness around it: roofs have edges, clouds do not."""

_BRIGHTER = 45
"""By how much it is brighter than the same place at the other date."""

_SMALLEST = 0.004
"""Smallest cloud, as a share of the picture: below it a bright roof may be meant."""


def cloudy(
    image: NDArray[np.uint8],
    other: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    smallest: float | None = None,
) -> NDArray[np.bool_]:
    """Where clouds hide the ground in one of two pictures of one grid.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        The picture that is searched.
    other : ndarray of uint8, shape (H, W, 3)
        The other date. What is bright at both is ground, such as snow or sand.
    valid : ndarray of bool, shape (H, W)
        Where both hold a measurement.
    smallest : float, optional
        Smallest cloud in pixels.

    Returns
    -------
    ndarray of bool, shape (H, W)
        With a seam, since the edges of clouds are thin and cast a shadow nearby.
    """
    values = image.astype(np.int16)
    low, high = values.min(2), values.max(2)
    lightness = values.mean(2).astype(np.float32)
    mean = cv2.blur(lightness, (9, 9))
    spread = np.sqrt(np.maximum(cv2.blur(lightness**2, (9, 9)) - mean**2, 0))
    gain = cv2.blur(lightness - other.mean(2).astype(np.float32), (9, 9))
    core = (low > _BRIGHT) & (high - low < _GREY) & (spread < _SMOOTH) & (gain > _BRIGHTER) & valid
    side = max(core.shape)
    core = cv2.morphologyEx(core.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    if smallest is None:
        smallest = max(_SMALLEST * core.size, 400)
    large = np.zeros(count, bool)
    large[1:] = stats[1:, cv2.CC_STAT_AREA] >= smallest
    found = large[labels].astype(np.uint8)
    if not found.any():
        return found.astype(bool)
    reach = max(3, side // 64) | 1
    # Thinner cloud around the core is as bright as it is grey, and touches it.
    thin = ((low > 150) & (high - low < 40) & (gain > 20)).astype(np.uint8)
    grown = cv2.dilate(found, np.ones((4 * reach + 1, 4 * reach + 1), np.uint8)) & thin
    seam = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(found | grown, seam).astype(bool)
