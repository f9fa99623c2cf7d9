"""How far the picture moved between two frames, and how far one object did."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SMALL = 256
"""Longest side to which frames are reduced before the shift of the whole is measured."""

_AGREE = 10
"""Corners that must have moved alike."""

_PATCH = 96
"""Longest side of the patch that is looked for."""

_MARGIN = 0.12
"""Share of its sides by which the patch of an object is wider than the object."""


def camera_shift(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """How far the picture as a whole moved, x and y in pixels.

    Parameters
    ----------
    first, second : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of float64, shape (2,), or None
        None where the frames have too little in common.
    """
    scale = min(1.0, _SMALL / max(first.shape[:2]))
    small = [_reduced(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), scale) for image in (first, second)]
    window = cv2.createHanningWindow(small[0].shape[::-1], cv2.CV_32F)
    (dx, dy), peak = cv2.phaseCorrelate(*(s.astype(np.float32) for s in small), window)
    if peak >= 0.1:
        return np.array([dx, dy]) / scale
    found = _by_corners(*small)
    return None if found is None else found / scale


def _by_corners(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """The shift on which most corners agree: for frames that overlap but little."""
    finder = cv2.ORB_create(400, fastThreshold=8)
    places, marks = zip(*(finder.detectAndCompute(image, None) for image in (first, second)))
    if any(m is None or len(m) < _AGREE for m in marks):
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(*marks)
    if len(pairs) < _AGREE:
        return None
    moved = np.array([
        np.subtract(places[1][pair.trainIdx].pt, places[0][pair.queryIdx].pt) for pair in pairs
    ])  # fmt: skip
    near = np.linalg.norm(moved[:, None] - moved[None], axis=2) < 2.0
    most = int(near.sum(1).argmax())
    if near[most].sum() < max(_AGREE, 0.1 * len(pairs)):
        return None
    return moved[near[most]].mean(0)


def object_shift(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    box: tuple[int, int, int, int],
    expected: NDArray[np.float64],
    reach: float,
) -> tuple[NDArray[np.float64], float]:
    """How far what is in a box moved, looked for around where it is expected.

    Parameters
    ----------
    first, second : ndarray of uint8, shape (H, W, 3)
    box : tuple of int
        x0, y0, x1, y1 in the first frame.
    expected : ndarray of float64, shape (2,)
        Shift that is the most likely.
    reach : float
        Pixels around it in which to look.

    Returns
    -------
    shift : ndarray of float64, shape (2,)
        x and y in pixels; `expected` where nothing can be looked for.
    alike : float
        Correlation of both patches, -1 to 1; 0 where nothing can be looked for.
    """
    height, width = first.shape[:2]
    x0, y0, x1, y1 = box
    wide, high = _MARGIN * (x1 - x0) + 2, _MARGIN * (y1 - y0) + 2
    left, top = max(int(x0 - wide), 0), max(int(y0 - high), 0)
    right, bottom = min(int(x1 + wide) + 1, width), min(int(y1 + high) + 1, height)
    dx, dy = (round(float(v)) for v in expected)
    reach_px = int(np.ceil(reach))
    # The search stays in the picture; a patch that would leave it is not looked for.
    a, b = max(left + dx - reach_px, 0), max(top + dy - reach_px, 0)
    c, d = min(right + dx + reach_px, width), min(bottom + dy + reach_px, height)
    if min(right - left, bottom - top) < 6 or c - a < right - left or d - b < bottom - top:
        return expected, 0.0
    scale = min(1.0, _PATCH / max(right - left, bottom - top))
    patch = _reduced(first[top:bottom, left:right], scale)
    area = _reduced(second[b:d, a:c], scale)
    if min(patch.shape[:2]) < 4 or any(p > q for p, q in zip(patch.shape, area.shape)):
        return expected, 0.0
    if float(patch.std()) < 1.0:
        return expected, 0.0
    like = cv2.matchTemplate(area, patch, cv2.TM_CCOEFF_NORMED)
    _, alike, _, (column, row) = cv2.minMaxLoc(like)
    place = np.array([_peak(like[row], column), _peak(like[:, column], row)]) / scale
    return place + np.array([a - left, b - top]), float(alike)


def _reduced(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1.0:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _peak(values: NDArray[np.float32], at: int) -> float:
    """Place of a maximum between its neighbours."""
    if not 0 < at < len(values) - 1:
        return float(at)
    before, here, after = (float(v) for v in values[at - 1 : at + 2])
    bend = before - 2 * here + after
    return at + (0.5 * (before - after) / bend if bend < 0 else 0.0)
