"""What an object is, from the encoder's features under and around its mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rsam_core.models.tiny.encoder import FEATURE_CHANNELS, SKIP_CHANNELS, FeatureMaps
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.crops import Crop, clip, cut_out

_SHAPE = 5
INPUTS = 2 * FEATURE_CHANNELS + 3 * SKIP_CHANNELS + _SHAPE
_HIDDEN = 96
_RING = 2
"""Cells around the object whose features tell what it stands on."""

_COARSE, _FINE = 8, 4


def describe(maps: FeatureMaps, objects: Sequence[tuple[NDArray[np.bool_], int, int]]) -> Tensor:
    """What the kind head sees of each object.

    Parameters
    ----------
    maps : FeatureMaps
        Of one view (N = 1).
    objects : sequence of (ndarray of bool, int, int)
        Cropped masks, and column and row of their upper left pixel in the view.

    Returns
    -------
    Tensor
        (N, INPUTS): mean features inside and around, mean detail inside and around, spread of
        the detail, and the shape. Objects without a pixel in the view get zeros.
    """
    rows = [_describe(maps, mask, x, y) for mask, x, y in objects]
    return torch.stack(rows) if rows else torch.zeros(0, INPUTS)


def _describe(maps: FeatureMaps, mask: NDArray[np.bool_], x: int, y: int) -> Tensor:
    height, width = maps.features.shape[-2] * _COARSE, maps.features.shape[-1] * _COARSE
    # Only the cells of the object and its surroundings are touched.
    margin = (_RING + 1) * _COARSE
    x0, y0 = max((x - margin) // _COARSE * _COARSE, 0), max((y - margin) // _COARSE * _COARSE, 0)
    x1 = min(-(-(x + mask.shape[1] + margin) // _COARSE) * _COARSE, width)
    y1 = min(-(-(y + mask.shape[0] + margin) // _COARSE) * _COARSE, height)
    if x1 <= x0 or y1 <= y0:
        return torch.zeros(INPUTS)
    whole = Crop(mask, x, y)
    part = clip(whole, (x0, y0, x1, y1)).mask
    window = cut_out(whole, (x0, y0, x1, y1)).astype(np.float32)
    area = float(window.sum())
    if not area:
        return torch.zeros(INPUTS)
    pixels = torch.from_numpy(window)[None, None]
    pieces = []
    for source, cell, ring in ((maps.features, _COARSE, _RING), (maps.skip, _FINE, 2 * _RING)):
        inside = F.avg_pool2d(pixels, cell)[0, 0]
        grown = F.max_pool2d(inside[None, None], 2 * ring + 1, 1, ring)[0, 0]
        around = (grown - inside).clamp_min(0)
        cut = source[0, :, y0 // cell : y1 // cell, x0 // cell : x1 // cell].flatten(1).float()
        pieces += [_mean(cut, inside), _mean(cut, around)]
    spread = _mean((cut - pieces[2][:, None]) ** 2, inside).sqrt()
    tall, wide = np.ptp(np.flatnonzero(part.any(1))) + 1, np.ptp(np.flatnonzero(part.any(0))) + 1
    longer, shorter = max(tall, wide), min(tall, wide)
    edge = window.astype(bool)
    inner = edge[1:-1, 1:-1] & edge[:-2, 1:-1] & edge[2:, 1:-1] & edge[1:-1, :-2] & edge[1:-1, 2:]
    border = area - float(inner.sum())
    shape = torch.tensor(
        [
            np.log(area) / 8,
            np.log(longer) / 5,
            shorter / longer,
            area / (tall * wide),
            border / (4 * np.sqrt(area)),
        ],
        dtype=torch.float32,
    )
    return torch.cat([*pieces, spread, shape])


def _mean(maps: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean (C,) of flattened maps (C, P)."""
    flat = weights.flatten()
    return maps @ flat / flat.sum().clamp_min(1e-6)


class KindHead(nn.Module):
    """A small perceptron from `describe` to probabilities of the kinds.

    Attributes
    ----------
    temperature : Tensor
        Found on held-out places, so that a probability is a frequency.
    sure : Tensor
        Probability below which the answer is "not sure".
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(INPUTS))
        self.register_buffer("scale", torch.ones(INPUTS))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("sure", torch.tensor(0.5))
        self.layers = nn.Sequential(
            nn.Linear(INPUTS, _HIDDEN),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.GELU(),
            nn.Linear(_HIDDEN, len(KINDS)),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (N, 10), already divided by the temperature."""
        return self.layers((inputs - self.centre) / self.scale) / self.temperature

    @torch.no_grad()
    def probabilities(self, inputs: Tensor) -> Tensor:
        """Probability of each kind, (N, 10)."""
        return self(inputs).softmax(1)
