"""Dense proposals: a map of object centres and, for every cell, the box of the object around it.

Two maps of centres: one for buildings, one for things of any kind. Where a data set labels only
buildings, only the first can be told what is background; the second learns from sets in which
everything is labelled. A peak of either is a proposal.

References
----------
Zhou et al., "Objects as Points", 2019; Liu et al., "Training-Time-Friendly Network for Real-Time
Object Detection", AAAI 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rsam_core.models.tiny.encoder import FEATURE_CHANNELS, SKIP_CHANNELS
from rsam_core.models.tiny.layers import ConvBlock, Pointwise
from rsam_core.objects.boxes import distinct

FINE_STRIDE, COARSE_STRIDE = 4, 16
FINE_UNIT, COARSE_UNIT = 16.0, 96.0
"""Distances are predicted as multiples of these pixels: about half a usual object of the level."""

FINE_LARGEST, COARSE_SMALLEST = 96.0, 64.0
"""Longer side in pixels up to which the fine map is responsible, and from which the coarse one."""

HEATS = 2
"""Centre maps: of buildings, of anything."""

_CHANNELS = 64
_OUTPUTS = HEATS + 4
_RARE = -4.0
"""Bias of the heat: a centre is rare, and the training must not start by unlearning the rest."""


@dataclass(frozen=True)
class LevelMaps:
    """One level of the head's answer.

    Attributes
    ----------
    heat : Tensor
        (N, 2, h, w) logits that an object (a building, anything) is centred in the cell.
    sides : Tensor
        (N, 4, h, w) distances in pixels from the cell's centre to the left, top, right and
        bottom side of its object; positive.
    stride : int
        Pixels a cell.
    """

    heat: Tensor
    sides: Tensor
    stride: int

    def boxes(self) -> Tensor:
        """Boxes x0, y0, x1, y1 in pixels for every cell, (N, 4, h, w)."""
        h, w = self.sides.shape[-2:]
        x = (torch.arange(w, device=self.sides.device) + 0.5) * self.stride
        y = (torch.arange(h, device=self.sides.device)[:, None] + 0.5) * self.stride
        left, top, right, bottom = self.sides.unbind(1)
        return torch.stack([x - left, y - top, x + right, y + bottom], 1)


@dataclass(frozen=True)
class ProposalMaps:
    """What the head says of an image: small objects finely, large ones coarsely."""

    fine: LevelMaps
    coarse: LevelMaps

    @property
    def levels(self) -> tuple[LevelMaps, LevelMaps]:
        """Both levels, the fine one first."""
        return self.fine, self.coarse


class ProposalHead(nn.Module):
    """Centres and boxes from the encoder's maps.

    The fine detail of stride 4 is worked on at stride 8, with four times the channels, and comes
    out at stride 4 again: as sharp as a head at stride 4 and four times as fast.
    """

    def __init__(self) -> None:
        super().__init__()
        self.from_features = Pointwise(FEATURE_CHANNELS, _CHANNELS)
        self.from_skip = Pointwise(4 * SKIP_CHANNELS, _CHANNELS)
        self.before = ConvBlock(_CHANNELS)
        self.twice = nn.ModuleList(ConvBlock(_CHANNELS) for _ in range(2))
        self.fourfold = nn.ModuleList(ConvBlock(_CHANNELS) for _ in range(2))
        self.join = Pointwise(_CHANNELS, _CHANNELS)
        self.after = ConvBlock(_CHANNELS)
        self.to_fine = Pointwise(_CHANNELS, 4 * _OUTPUTS)
        self.to_coarse = Pointwise(_CHANNELS, _OUTPUTS)
        for layer, repeats in ((self.to_fine, 4), (self.to_coarse, 1)):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
            # Pixel shuffle takes the first four channels for the first output, and so on.
            with torch.no_grad():
                layer.bias[: HEATS * repeats] = _RARE

    def forward(self, features: Tensor, skip: Tensor) -> ProposalMaps:
        """Propose objects.

        Parameters
        ----------
        features : Tensor
            (N, 128, H / 8, W / 8).
        skip : Tensor
            (N, 32, H / 4, W / 4).

        Returns
        -------
        ProposalMaps
            Maps of H / 4 × W / 4 and of H / 16 × W / 16 cells, the latter rounded up.
        """
        x = self.from_features(features) + self.from_skip(F.pixel_unshuffle(skip, 2))
        x = self.before(x)
        half = F.avg_pool2d(x, 2, ceil_mode=True)
        for block in self.twice:
            half = block(half)
        quarter = F.avg_pool2d(half, 2, ceil_mode=True)
        for block in self.fourfold:
            quarter = block(quarter)
        half = half + _enlarge(quarter, half)
        x = self.after(x + self.join(_enlarge(half, x)))
        fine = F.pixel_shuffle(self.to_fine(x), 2)
        return ProposalMaps(
            _level(fine, FINE_STRIDE, FINE_UNIT),
            _level(self.to_coarse(half), COARSE_STRIDE, COARSE_UNIT),
        )


def _enlarge(maps: Tensor, like: Tensor) -> Tensor:
    large = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
    return large[..., : like.shape[-2], : like.shape[-1]]


def _level(raw: Tensor, stride: int, unit: float) -> LevelMaps:
    raw = raw.float()
    sides = unit * torch.exp(raw[:, HEATS:].clamp(-5, 4))
    return LevelMaps(raw[:, :HEATS], sides, stride)


@dataclass(frozen=True, eq=False)
class Proposals:
    """Proposed objects, most likely first.

    Attributes
    ----------
    boxes : ndarray of float32, shape (N, 4)
        x0, y0, x1, y1 in view pixels, inside the view.
    centres : ndarray of float32, shape (N, 2)
        x, y of the peaks in view pixels.
    scores : ndarray of float32, shape (N,)
        Height of the higher of the two heats at the peak, 0 to 1.
    buildings : ndarray of float32, shape (N,)
        Height of the buildings' heat there, 0 to 1.
    """

    boxes: NDArray[np.float32]
    centres: NDArray[np.float32]
    scores: NDArray[np.float32]
    buildings: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Proposals:
        """Some of the proposals, in the given order."""
        return Proposals(
            self.boxes[keep], self.centres[keep], self.scores[keep], self.buildings[keep]
        )


@torch.inference_mode()
def find_peaks(
    maps: ProposalMaps,
    shape: tuple[int, int],
    *,
    most: int = 400,
    lowest: float = 0.05,
    same: float = 0.7,
    smallest: float = 3.0,
) -> Proposals:
    """Turn the head's maps of one view into a list of proposals.

    Parameters
    ----------
    maps : ProposalMaps
        Of one image (N = 1).
    shape : tuple of int
        Height and width of the view in pixels, without padding.
    most : int
        Proposals at most.
    lowest : float
        Peaks below this height are left out.
    same : float
        Of two boxes with a higher IoU the one with the lower score is left out.
    smallest : float
        Boxes with a side shorter than so many pixels are left out.

    Returns
    -------
    Proposals
    """
    height, width = shape
    found: list[Tensor] = []
    for level in maps.levels:
        probability = torch.sigmoid(level.heat)
        heat = probability.amax(1, keepdim=True)
        heat = heat * (heat == F.max_pool2d(heat, 3, 1, 1))
        flat = heat.flatten()
        keep = (flat >= lowest).nonzero().ravel()
        keep = keep[flat[keep].argsort(descending=True)][: 2 * most]
        columns = heat.shape[-1]
        centres = torch.stack([keep % columns, keep // columns], 1).float()
        rows = [
            level.boxes()[0].flatten(1)[:, keep].T,
            (centres + 0.5) * level.stride,
            flat[keep, None],
            probability[0, 0].flatten()[keep, None],
        ]
        found.append(torch.cat(rows, 1))
    table = torch.cat(found).cpu().numpy().astype(np.float32)
    # Peaks and boxes in the padding beyond the view are of no use.
    table = table[(table[:, 4] < width) & (table[:, 5] < height)]
    table[:, 0:4:2] = table[:, 0:4:2].clip(0, width)
    table[:, 1:4:2] = table[:, 1:4:2].clip(0, height)
    table = table[(table[:, 2:4] - table[:, 0:2] >= smallest).all(1)]
    table = table[np.argsort(-table[:, 6], kind="stable")]
    table = table[distinct(table[:, :4], same)][:most]
    return Proposals(table[:, :4], table[:, 4:6], table[:, 6], table[:, 7])
