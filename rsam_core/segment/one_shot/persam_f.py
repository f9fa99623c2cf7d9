"""The two weights of PerSAM-F: which of the three proposed scales the example means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import OneShotError

_FOCAL_ALPHA, _FOCAL_GAMMA = 0.25, 2.0

_RATE = 1e-3
"""Learning rate at the start."""

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
    near the example matter, so that a thousand steps take well under a second.

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
    import torch

    from rsam_core.models.parallel import one_core

    if not coverage.any():
        raise OneShotError(
            "The example is too small for the model to see. Zoom in and choose it again."
        )
    maps = torch.from_numpy(np.ascontiguousarray(logits, np.float32)).reshape(3, -1)
    truth = torch.from_numpy(np.ascontiguousarray(coverage, np.float32)).reshape(-1)
    size = truth.numel()
    # All three masks are sure that the rest is background: it has no part in the loss.
    near = (maps.amax(0) > _SURE) | (truth > 0)
    maps, truth = maps[:, near], truth[near]
    with one_core(), torch.inference_mode(False), torch.enable_grad():
        maps, truth = maps.clone(), truth.clone()
        weights = torch.full((2,), 1 / 3, requires_grad=True)
        optimizer = torch.optim.AdamW([weights], lr=_RATE, eps=1e-4, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        first = last = float("nan")
        for step in range(steps):
            loss = _loss(_weigh(maps, weights), truth, size)
            if step == 0:
                first = float(loss.detach())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            last = float(_loss(_weigh(maps, weights), truth, size))
    w1, w2 = (float(v) for v in weights.detach())
    return ScaleWeights(w1, w2, (first, last))


def _weigh(maps, weights):
    return (1 - weights.sum()) * maps[0] + weights[0] * maps[1] + weights[1] * maps[2]


def _loss(logits, truth, size):
    """Dice plus focal loss of one mask over its cells, of which there are `size` in all."""
    import torch.nn.functional as F

    probability = logits.sigmoid()
    dice = 1 - (2 * (probability * truth).sum() + 1) / (probability.sum() + truth.sum() + 1)
    cross = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    agreement = probability * truth + (1 - probability) * (1 - truth)
    alpha = _FOCAL_ALPHA * truth + (1 - _FOCAL_ALPHA) * (1 - truth)
    return dice + (alpha * (1 - agreement) ** _FOCAL_GAMMA * cross).sum() / size
