"""Simulated users: first prompts for an object, and corrective clicks."""

from __future__ import annotations

import cv2
import numpy as np

from rsam_core.prompts.simulated import centre_click, depth, largest_error, tight_box

SMALLEST = 36
"""Objects below this many pixels in the crop are not prompted."""


def draw_objects(labels: np.ndarray, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Up to ``count`` objects of a crop as (H, W) bool masks, each one connected piece."""
    ids, areas = np.unique(labels[labels > 0], return_counts=True)
    ids = ids[areas >= SMALLEST]
    masks = []
    for chosen in rng.permutation(ids)[: count * 2]:
        whole = (labels == chosen).astype(np.uint8)
        pieces, numbered, stats, _ = cv2.connectedComponentsWithStats(whole, connectivity=4)
        sizes = stats[1:, cv2.CC_STAT_AREA].astype(float)
        if pieces <= 1 or sizes.max() < SMALLEST:
            continue
        piece = 1 + rng.choice(len(sizes), p=sizes / sizes.sum())
        if stats[piece, cv2.CC_STAT_AREA] < SMALLEST:
            piece = 1 + int(sizes.argmax())
        masks.append(numbered == piece)
        if len(masks) == count:
            break
    return masks


def random_click(mask: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """A pixel centre inside the mask, more likely the deeper it lies."""
    depths = depth(mask).astype(np.float64).ravel()
    place = rng.choice(depths.size, p=depths / depths.sum())
    row, column = np.unravel_index(int(place), mask.shape)
    return column + 0.5, row + 0.5


def loose_box(mask: np.ndarray, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A box as people draw it: tight half of the time, else off by up to a tenth or so."""
    x0, y0, x1, y1 = tight_box(mask)
    if rng.random() < 0.5:
        return x0, y0, x1, y1
    dx, dy = 0.06 * (x1 - x0) + 0.7, 0.06 * (y1 - y0) + 0.7
    e = np.clip(rng.normal(0, 1, 4), -2, 2)
    height, width = mask.shape
    x0, x1 = np.clip([x0 + e[0] * dx, x1 + e[2] * dx], 0, width)
    y0, y1 = np.clip([y0 + e[1] * dy, y1 + e[3] * dy], 0, height)
    return float(x0), float(y0), float(max(x1, x0 + 2)), float(max(y1, y0 + 2))


def noisy_corrective_click(
    truth: np.ndarray, predicted: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, int] | None:
    """A click in the largest error: central half of the time, anywhere in it otherwise."""
    error = largest_error(truth, predicted)
    if error is None:
        return None
    place, label = error
    x, y = random_click(place, rng) if rng.random() < 0.5 else centre_click(place)
    return x, y, label
