"""The two weights of PerSAM-F: which of the three proposed scales the example means."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import OneShotError

_FOCAL_ALPHA = 0.25
"""Weight of the object's cells in the focal loss, whose power is 2."""

_RATE, _BETAS, _EPSILON, _DECAY = 1e-3, (0.9, 0.999), 1e-4, 1e-2
"""Of AdamW: the learning rate at the start, and what the paper and its program leave as it is."""

_SURE = -8.0
"""Logit below which a cell is background beyond doubt: a probability of 0.03 %."""


@dataclass(frozen=True)
class ScaleWeights:
    """Weights of the three masks' logits.

    Attributes
    ----------
    w1, w2 : float
        Of the second and third mask; the first one gets the rest.
    losses : tuple of float
        Loss before the first and after the last step.
    """

    w1: float
    w2: float
    losses: tuple[float, float]

    @property
    def all(self) -> NDArray[np.float32]:
        """1 − w1 − w2, w1 and w2, shape (3,)."""
        return np.array([1 - self.w1 - self.w2, self.w1, self.w2], np.float32)


def tune_scales(
    logits: NDArray[np.float32],
    coverage: NDArray[np.float32],
    *,
    steps: int = 1000,
) -> ScaleWeights:
    """Find the weights that make the weighed logits most like the example.

    AdamW (eps 1e-4) with a cosine schedule, from one third each, on Dice plus focal loss. The
    logits do not depend on the weights, so that one decoding serves all steps; and only cells
    near the example matter, so that a thousand steps take well under a second. For two numbers
    the slope is written out: torch's own optimizers need seconds to be loaded for the first time.

    Parameters
    ----------
    logits : ndarray of float32, shape (3, h, w)
        Three masks of one prompt on the example.
    coverage : ndarray of float32, shape (h, w)
        Share of each cell that the example covers, 0 to 1.
    steps : int

    Returns
    -------
    ScaleWeights

    Raises
    ------
    OneShotError
        If the example covers no cell of the logits.

    References
    ----------
    Zhang et al., *Personalize Segment Anything Model with One Shot*, ICLR 2024, section 3.3.
    """
    if not coverage.any():
        raise OneShotError(
            "The example is too small for the model to see. Zoom in and choose it again."
        )
    maps = np.asarray(logits, np.float32).reshape(3, -1)
    truth = np.asarray(coverage, np.float32).reshape(-1)
    # All three masks are sure that the rest is background: it has no part in the loss.
    near = (maps.max(0) > _SURE) | (truth > 0)
    fit = _Fit(np.ascontiguousarray(maps[:, near]), truth[near], truth.size)
    weights = np.full(2, 1 / 3)
    mean, square = np.zeros(2), np.zeros(2)
    first = float("nan")
    for step in range(steps):
        loss, slope = fit(weights)
        if step == 0:
            first = loss
        rate = _RATE * (1 + math.cos(math.pi * step / steps)) / 2
        weights *= 1 - rate * _DECAY
        mean += (1 - _BETAS[0]) * (slope - mean)
        square += (1 - _BETAS[1]) * (slope**2 - square)
        # Both begin at nothing, and are made up for it.
        root = np.sqrt(square / (1 - _BETAS[1] ** (step + 1)))
        weights -= rate * mean / (1 - _BETAS[0] ** (step + 1)) / (root + _EPSILON)
    w1, w2 = (float(weight) for weight in weights)
    return ScaleWeights(w1, w2, (first, fit(weights)[0]))


class _Fit:
    """Dice plus focal loss of one mask, as a function of the two weights, and its slope.

    Parameters
    ----------
    maps : ndarray of float32, shape (3, cells)
    truth : ndarray of float32, shape (cells,)
    size : int
        Of how many cells there are in all; those that are left out lose nothing.
    """

    def __init__(self, maps: NDArray[np.float32], truth: NDArray[np.float32], size: int) -> None:
        self.maps, self.truth, self.size = maps, truth, size
        self.directions = maps[1:] - maps[0]
        self.wanted = float(truth.sum())
        self.alpha = _FOCAL_ALPHA * truth + (1 - _FOCAL_ALPHA) * (1 - truth)

    def __call__(self, weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss, and how it grows with each weight, shape (2,)."""
        truth = self.truth
        logits = self.maps[0] + weights.astype(np.float32) @ self.directions
        small = np.exp(-np.abs(logits))
        probability = np.where(logits < 0, small, 1) / (1 + small)
        cross = np.maximum(logits, 0) + np.log(1 + small) - truth * logits
        shared = 2 * float(probability @ truth) + 1
        both = float(probability.sum()) + self.wanted + 1
        wrong = probability + truth - 2 * probability * truth
        weighed = self.alpha * wrong / self.size
        loss = 1 - shared / both + float((weighed * wrong) @ cross)
        by_probability = (shared / both - 2 * truth) / both + 2 * weighed * cross * (1 - 2 * truth)
        by_logit = by_probability * probability * (1 - probability)
        by_logit += weighed * wrong * (probability - truth)
        return loss, (self.directions @ by_logit).astype(np.float64)
