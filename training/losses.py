"""Losses on stride-4 logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def mask_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy plus Dice, for each mask.

    Parameters
    ----------
    logits : Tensor
        (N, K, h, w).
    target : Tensor
        (N, 1, h, w) coverage of each cell by the object, 0..1; fractions along the border
        teach the logits where within a cell the edge lies.

    Returns
    -------
    Tensor
        (N, K).
    """
    target = target.expand_as(logits)
    probability = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    # Cells near the object weigh more: in a large window the far background is easy.
    near = F.max_pool2d(target[:, :1], 9, 1, 4)
    weight = 0.3 + near
    entropy = (entropy * weight).sum((2, 3)) / weight.sum((2, 3))
    shared = (probability * target).sum((2, 3))
    total = probability.sum((2, 3)) + target.sum((2, 3))
    dice = 1 - (2 * shared + 1) / (total + 1)
    return 2 * entropy + dice


def true_iou(logits: Tensor, target: Tensor) -> Tensor:
    """Intersection over union (N, K) of thresholded logits with the coverage map."""
    hard = (logits > 0).float()
    target = target.expand_as(hard)
    return torch.minimum(hard, target).sum((2, 3)) / torch.maximum(hard, target).sum(
        (2, 3)
    ).clamp_min(1e-3)


def ranking_loss(quality: Tensor, truth: Tensor, sharpness: float = 12.0) -> Tensor:
    """How wrongly the predicted IoUs order the masks of a prompt.

    For each pair, the softplus of ``-sharpness`` times the difference of the predictions in the
    right direction, weighted by the difference of the true IoUs: mistakes that cost nothing
    weigh nothing.

    Parameters
    ----------
    quality, truth : Tensor
        (N, K) predicted and true IoU.

    Returns
    -------
    Tensor
        Sum over the pairs, mean over the prompts.
    """
    first, second = torch.triu_indices(quality.shape[1], quality.shape[1], 1).unbind(0)
    better = truth[:, first] - truth[:, second]
    ahead = quality[:, first] - quality[:, second]
    return (F.softplus(-sharpness * ahead * better.sign()) * better.abs()).sum(1).mean()
