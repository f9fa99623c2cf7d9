"""Colour and texture of one object and of its surroundings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHANNELS = ("lightness", "green_red", "blue_yellow", "red", "green", "blue")
_LBP_BINS = 10

APPEARANCE: tuple[str, ...] = (
    *(f"{name}_mean" for name in _CHANNELS),
    *(f"{name}_spread" for name in _CHANNELS[:3]),
    *(f"lightness_{name}" for name in ("p10", "p90")),
    "excess_green",
    "saturation",
    *(f"{name}_contrast" for name in _CHANNELS[:3]),
    "edge_mean",
    "edge_spread",
    "fine_texture",
    "coarse_texture",
    *(f"pattern_{index}" for index in range(_LBP_BINS)),
)
"""Names of what :func:`appearance` returns, in order."""


def appearance(rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> list[float]:
    """Describe the pixels of a mask.

    Colour is CIELAB and the shares of red, green and blue; contrast is the difference to a ring
    of about four pixels around the object; texture is the strength of edges, the spread left
    after smoothing at two scales, and the histogram of uniform local binary patterns (Ojala et
    al., TPAMI 2002).

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    mask : ndarray of bool, shape (H, W)
        At least one pixel.

    Returns
    -------
    list of float
        In the order of :data:`APPEARANCE`.
    """
    import cv2

    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    color = rgb.astype(np.float32)
    shares = color / np.maximum(color.sum(axis=2, keepdims=True), 1)
    inside, inside_shares = lab[mask], shares[mask]
    means = inside.mean(axis=0)
    ring = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool) & ~mask
    around = lab[ring].mean(axis=0) if ring.any() else means
    light = lab[..., 0]
    edges = np.hypot(cv2.Sobel(light, -1, 1, 0) / 8, cv2.Sobel(light, -1, 0, 1) / 8)[mask]
    red, green, blue = inside_shares.mean(axis=0)
    peaks = color[mask].max(axis=1)
    saturation = (peaks - color[mask].min(axis=1)) / np.maximum(peaks, 1)
    return [
        *means,
        *inside_shares.mean(axis=0),
        *inside.std(axis=0),
        *np.percentile(inside[:, 0], (10, 90)),
        2 * green - red - blue,
        saturation.mean(),
        *(means - around),
        edges.mean(),
        edges.std(),
        np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.0))[mask].mean(),
        np.abs(light - cv2.GaussianBlur(light, (0, 0), 3.0))[mask].mean(),
        *_patterns(light, mask),
    ]


def extra_bands(scene: Any) -> tuple[int, ...]:
    """Return the bands, from 0, that the view does not show: near infrared and the like."""
    names = tuple(getattr(scene, "band_names", ()))
    shown = {band - 1 for band in getattr(scene, "view_bands", (1, 2, 3))}
    return tuple(
        band
        for band in range(getattr(scene, "count", 3))
        if band not in shown and (band >= len(names) or names[band].lower() != "alpha")
    )


def _patterns(light: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the shares of the ten uniform patterns of eight neighbours."""
    from skimage.feature import local_binary_pattern

    # Whole numbers: tiny differences of rounding would count as pattern otherwise.
    codes = local_binary_pattern(np.round(light).astype(np.uint8), 8, 1, method="uniform")
    counts = np.bincount(codes[mask].astype(int), minlength=_LBP_BINS)
    return counts / counts.sum()
