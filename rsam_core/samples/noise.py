"""Smooth random fields with sizes given in metres."""

from __future__ import annotations

import cv2
import numpy as np


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], period: float) -> np.ndarray:
    """Band-limited noise of zero mean and about unit deviation.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        Rows and columns.
    period : float
        Distance between the random nodes, pixels (1 or less gives white noise).

    Returns
    -------
    numpy.ndarray
        Shape `shape`, float32.
    """
    rows, columns = shape
    if period <= 1.0:
        return rng.standard_normal(shape, dtype=np.float32)
    nodes = (int(np.ceil(rows / period)) + 4, int(np.ceil(columns / period)) + 4)
    grid = rng.standard_normal(nodes, dtype=np.float32)
    scale = np.float32(1.0 / period)
    matrix = np.array([[scale, 0, 1.5], [0, scale, 1.5]], np.float32)
    field = cv2.warpAffine(
        grid, matrix, (columns, rows), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    )
    # Interpolation between independent nodes lowers the deviation to about two thirds.
    return field * np.float32(1.4)


class NoiseField:
    """Noise at several scales over the whole picture, drawn once and shared by all objects."""

    PERIODS = (60.0, 14.0, 4.0, 1.3, 0.45, 0.16)

    def __init__(self, seed: int, shape: tuple[int, int], gsd: float):
        rng = np.random.default_rng([seed, 77])
        fields = [smooth_noise(rng, shape, period / gsd) for period in self.PERIODS]
        # Each scale carries some of the next finer one: frayed edges, as in nature.
        for index in range(len(fields) - 1):
            fields[index] = (fields[index] + 0.6 * fields[index + 1]) * np.float32(0.857)
        # Grains smaller than a pixel average out within it.
        for index, period in enumerate(self.PERIODS):
            fields[index] *= np.float32(min(1.0, period / gsd))
        self.huge, self.large, self.medium, self.small, self.grain, _ = fields
        self.shape = shape

    def crop(self, rng: np.random.Generator, name: str, shape: tuple[int, int]) -> np.ndarray:
        """A piece of one scale from a random place, for a texture of an object of its own."""
        source = getattr(self, name)
        rows, columns = shape
        if rows > source.shape[0] or columns > source.shape[1]:
            source = np.tile(source, (rows // source.shape[0] + 1, columns // source.shape[1] + 1))
        top = int(rng.integers(0, source.shape[0] - rows + 1))
        left = int(rng.integers(0, source.shape[1] - columns + 1))
        return source[top : top + rows, left : left + columns]
