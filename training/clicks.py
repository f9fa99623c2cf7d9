"""Prompts as people and detectors give them: off-centre clicks, slips over borders, poor boxes."""

from __future__ import annotations

import cv2
import numpy as np

from rsam_core.prompts.simulated import centre_click, tight_box

from .simulate import noisy_corrective_click, random_click

_RING = 7
"""Pixels beyond the border within which a person says "not this"."""


def inner_click(mask: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """A first click: central, rather deep, or anywhere inside."""
    kind = rng.random()
    if kind < 0.4:
        return centre_click(mask)
    if kind < 0.75:
        return random_click(mask, rng)
    return _anywhere(mask, rng)


def _anywhere(mask: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    places = np.flatnonzero(mask)
    row, column = divmod(int(places[rng.integers(len(places))]), mask.shape[1])
    return column + 0.5, row + 0.5


def proposal_box(
    mask: np.ndarray, rng: np.random.Generator, spread: float = 0.12
) -> tuple[float, float, float, float]:
    """A box as a detector gives it: sides off by up to a quarter of the object.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    rng : numpy.random.Generator
    spread : float
        Standard deviation of each side as a share of the object's extent; two at most.
    """
    x0, y0, x1, y1 = tight_box(mask)
    height, width = mask.shape
    e = np.clip(rng.normal(0, spread, 4), -2 * spread, 2 * spread)
    x0, x1 = np.clip([x0 + e[0] * (x1 - x0), x1 + e[2] * (x1 - x0)], 0, width)
    y0, y1 = np.clip([y0 + e[1] * (y1 - y0), y1 + e[3] * (y1 - y0)], 0, height)
    return float(x0), float(y0), float(max(x1, x0 + 2)), float(max(y1, y0 + 2))


def exclude_click(
    mask: np.ndarray, others: np.ndarray | None, rng: np.random.Generator
) -> tuple[float, float] | None:
    """A click beside the object: on a neighbour, or just beyond the border.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        The object.
    others : ndarray of bool, shape (H, W), or None
        All other objects.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of float or None
        None where the object leaves no room.
    """
    # Worked out around the object alone: the distances of a whole crop take longer.
    x0, y0, x1, y1 = (int(v) for v in tight_box(mask))
    x0, y0 = max(x0 - 4 * _RING, 0), max(y0 - 4 * _RING, 0)
    window = (slice(y0, y1 + 4 * _RING), slice(x0, x1 + 4 * _RING))
    outside = (~mask[window]).astype(np.uint8)
    if not outside.any():
        return None
    near = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_3)
    place = None
    if others is not None and rng.random() < 0.6:
        place = (others[window] & (near > 1.5)) if others[window].any() else None
    if place is None or not place.any():
        place = (near > 1.5) & (near <= _RING)
    if not place.any():
        return None
    x, y = _anywhere(place, rng)
    return x + x0, y + y0


def next_click(
    mask: np.ndarray, predicted: np.ndarray, others: np.ndarray | None, rng: np.random.Generator
) -> tuple[float, float, int] | None:
    """A corrective click (x, y, label): in the largest error, now and then beside the object."""
    if rng.random() < 0.12:
        place = exclude_click(mask, others, rng)
        if place is not None:
            return (*place, 0)
    return noisy_corrective_click(mask, predicted, rng)
