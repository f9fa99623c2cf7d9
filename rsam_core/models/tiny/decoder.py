"""Mask decoder of ``rsam-tiny``: prompts drawn as maps, decoded in a window around them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rsam_core.models.tiny.encoder import DECODER_CHANNELS, SKIP_CHANNELS
from rsam_core.models.tiny.layers import ConvBlock, PixelNorm, Pointwise
from rsam_core.models.tiny.prompt_maps import (
    COARSE_MAPS,
    FINE_MAPS,
    PromptBatch,
    box_coverage,
    coarse_maps,
    fine_maps,
    grown,
)

MASKS = 4
"""Masks a decoding makes: three for an ambiguous prompt, then one for a clear prompt."""

_COARSE_BLOCKS = 5
_CONTEXT_AFTER = 1
"""Block after which the wider context joins: early enough to be worked in by those that follow."""

_FINE_CHANNELS = 32
_SCALARS = 11


class QualityHead(nn.Module):
    """Predicts each mask's intersection over union with the object that was meant.

    It sees features averaged under the *thresholded* mask (a soft average over a large window
    is diluted by the background), the mask's stability, its confidence, and how it agrees
    with the prompt.
    """

    def __init__(self) -> None:
        super().__init__()
        inputs = 2 * (_FINE_CHANNELS + DECODER_CHANNELS) + _SCALARS + MASKS
        self.layers = nn.Sequential(
            nn.Linear(inputs, 128), nn.GELU(), nn.Linear(128, 64), nn.GELU(), nn.Linear(64, 1)
        )

    def forward(self, logits: Tensor, coarse: Tensor, fine: Tensor, batch: PromptBatch) -> Tensor:
        """Predicted IoU (N, 4) of ``logits`` (N, 4, h, w)."""
        n, k, h, w = logits.shape
        logits = logits.detach().float()
        hard = (logits > 0).float()
        rim = grown(hard, 2) - hard
        area = hard.sum((2, 3))
        pooled = []
        for maps, inside, outside in (
            (fine, hard, rim),
            (coarse, F.avg_pool2d(hard, 2), F.avg_pool2d(rim, 2)),
        ):
            flat = maps.float().flatten(2).transpose(1, 2)
            for weights in (inside, outside):
                weights = weights.flatten(2)
                mean = torch.bmm(weights, flat) / weights.sum(-1, keepdim=True).clamp_min(1)
                pooled.append(mean)
        probability = torch.sigmoid(logits)
        safe = area.clamp_min(1)
        stability = [
            (logits > d).float().sum((2, 3)) / (logits > -d).float().sum((2, 3)).clamp_min(1)
            for d in (0.5, 1.0, 2.0)
        ]
        gx = (torch.arange(w, device=logits.device) + 0.5) * 4
        gy = (torch.arange(h, device=logits.device) + 0.5) * 4
        box = box_coverage(batch.boxes, gx, gy, 4)[:, None] * batch.has_box[:, None, None, None]
        shared = (hard * box).sum((2, 3))
        box_area = box.sum((2, 3))
        box_iou = shared / (area + box_area - shared).clamp_min(1)
        previous = batch.previous * batch.has_previous[:, None, None, None]
        with_previous = torch.minimum(hard, previous).sum((2, 3)) / torch.maximum(
            hard, previous
        ).sum((2, 3)).clamp_min(1)
        clicks = (batch.labels >= 0).float().sum(1, keepdim=True).expand(n, k)
        scalars = torch.stack(
            [
                (probability * hard).sum((2, 3)) / safe,
                (probability * rim).sum((2, 3)) / rim.sum((2, 3)).clamp_min(1),
                *stability,
                torch.log1p(area) / 8,
                rim.sum((2, 3)) / safe.sqrt() / 8,
                box_iou,
                with_previous,
                batch.has_box[:, None].expand(n, k),
                clicks / 4,
            ],
            dim=-1,
        )
        which = torch.eye(k, device=logits.device).expand(n, k, k)
        return torch.sigmoid(self.layers(torch.cat([*pooled, scalars, which], -1))[..., 0])


class Context(nn.Module):
    """Looks at the window at half and at a quarter of the resolution, and adds what it sees.

    Blocks at the coarse stride reach about one object across; large roofs and fields need more.
    Starting from nothing (a zero projection), it can join a decoder that is already trained.
    """

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.ModuleList(ConvBlock(DECODER_CHANNELS) for _ in range(2))
        self.fourfold = nn.ModuleList(ConvBlock(DECODER_CHANNELS) for _ in range(2))
        self.project = Pointwise(DECODER_CHANNELS, DECODER_CHANNELS)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Add context to (N, C, h, w)."""
        half = F.avg_pool2d(x, 2, ceil_mode=True)
        for block in self.twice:
            half = block(half)
        quarter = F.avg_pool2d(half, 2, ceil_mode=True)
        for block in self.fourfold:
            quarter = block(quarter)
        half = half + _enlarge(quarter, half)
        return x + self.project(_enlarge(half, x))


def _enlarge(maps: Tensor, like: Tensor) -> Tensor:
    """Twice the size, cut to that of ``like`` (an odd size was rounded up before)."""
    large = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
    return large[..., : like.shape[-2], : like.shape[-1]]


class MaskDecoder(nn.Module):
    """Convolutional decoder that sees the prompt as maps beside the image features."""

    def __init__(self) -> None:
        super().__init__()
        self.prompt = nn.Sequential(
            Pointwise(COARSE_MAPS, DECODER_CHANNELS),
            nn.GELU(),
            Pointwise(DECODER_CHANNELS, DECODER_CHANNELS),
        )
        self.blocks = nn.ModuleList(ConvBlock(DECODER_CHANNELS) for _ in range(_COARSE_BLOCKS))
        self.context = Context()
        self.to_fine = Pointwise(DECODER_CHANNELS, _FINE_CHANNELS)
        self.from_skip = Pointwise(SKIP_CHANNELS + FINE_MAPS, _FINE_CHANNELS)
        self.fuse = ConvBlock(_FINE_CHANNELS, kernel=5)
        self.sharpen = ConvBlock(_FINE_CHANNELS, kernel=5)
        self.norm = PixelNorm(_FINE_CHANNELS)
        self.to_masks = nn.Conv2d(_FINE_CHANNELS, MASKS, 3, padding=1)
        self.quality = QualityHead()

    def forward(
        self, image: Tensor, key: Tensor, skip: Tensor, batch: PromptBatch
    ) -> tuple[Tensor, Tensor]:
        """Decode one window a prompt.

        Parameters
        ----------
        image, key : Tensor
            (N, 64, h, w) and (N, 32, h, w) windows of the encoder's maps at the coarse stride.
        skip : Tensor
            (N, 32, 2h, 2w) windows at the fine stride.
        batch : PromptBatch
            The N prompts in window pixels (8 a coarse cell).

        Returns
        -------
        logits : Tensor
            (N, 4, 2h, 2w); positive is object.
        quality : Tensor
            (N, 4) predicted IoU.
        """
        x = image + self.prompt(coarse_maps(key, batch))
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i == _CONTEXT_AFTER:
                x = self.context(x)
        y = F.interpolate(self.to_fine(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        maps = fine_maps(F.normalize(skip, dim=1), batch)
        y = y + self.from_skip(torch.cat([skip, maps], dim=1))
        y = self.norm(self.sharpen(self.fuse(y)))
        logits = self.to_masks(y).float()
        return logits, self.quality(logits, x, y, batch)
