"""Pictures of bright spots at known places, and where they are found: truth for geometry."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def draw_spots(shape: tuple[int, int], spots: np.ndarray, sigma: float = 2.5) -> np.ndarray:
    """Draw Gaussian spots at continuous pixel coordinates (N, 2), as (H, W, 1) float32."""
    return draw_through(shape, spots, lambda x, y: (x, y), sigma)


def draw_through(
    shape: tuple[int, int],
    spots: np.ndarray,
    to_ground: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    sigma: float = 2.5,
) -> np.ndarray:
    """Draw spots on a ground that is seen through a mapping from pixels to the ground."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    u, v = to_ground(x, y)
    picture = np.zeros(shape)
    for a, b in spots:
        picture += 200 * np.exp(-((u - a) ** 2 + (v - b) ** 2) / (2 * sigma**2))
    return picture[..., None].astype(np.float32)


def find_spots(picture: np.ndarray, near: np.ndarray, reach: int = 9) -> np.ndarray:
    """Centroid of the brightness around expected places (N, 2)."""
    found = []
    for x, y in near:
        column, row = int(x), int(y)
        top, left = max(row - reach, 0), max(column - reach, 0)
        part = picture[top : row + reach + 1, left : column + reach + 1, 0].astype(float)
        rows, columns = np.mgrid[0 : part.shape[0], 0 : part.shape[1]] + 0.5
        weight = np.where(part > 0.1 * part.max(), part, 0)
        found.append(
            (
                left + (weight * columns).sum() / weight.sum(),
                top + (weight * rows).sum() / weight.sum(),
            )
        )
    return np.array(found)
