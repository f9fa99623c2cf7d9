"""A network for `TinyModel` that knows where it looks and draws discs there."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rsam_core.models.tiny._views import TinyFeatures
from rsam_core.models.tiny._windows import Window
from rsam_core.models.tiny.encoder import FeatureMaps
from rsam_core.models.tiny.model import TinyModel
from rsam_core.models.tiny.prompt_maps import PromptBatch

QUALITY = (0.5, 0.9, 0.3, 0.8)
SHARES = (0.5, 1.0, 0.25, 1.0)
"""Radius of each of the four masks as a share of the disc's."""


class DiscNetwork(nn.Module):
    """Its feature maps hold view coordinates, its logits the distance inside a disc.

    Whatever windows the model decodes in, the masks must come out as the disc itself.

    Attributes
    ----------
    rgb : Tensor
        The last image encoded.
    seen : list of (Tensor, PromptBatch)
        For each decoding the coordinates (N, 2, h, w) of the fine cells and the prompts.
    """

    def __init__(self, x: float, y: float, radius: float) -> None:
        super().__init__()
        self.x, self.y, self.radius = x, y, radius
        self.seen: list[tuple[Tensor, PromptBatch]] = []

    def encode(self, rgb: Tensor) -> FeatureMaps:
        self.rgb = rgb
        height, width = rgb.shape[2:]

        def coordinates(stride: int) -> Tensor:
            x = (torch.arange(width // stride) + 0.5) * stride
            y = (torch.arange(height // stride) + 0.5) * stride
            return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]

        coarse = coordinates(8)
        return FeatureMaps(coarse, coarse, torch.ones_like(coarse[:, :1]), coordinates(4))

    def decoder(
        self, image: Tensor, key: Tensor, skip: Tensor, batch: PromptBatch
    ) -> tuple[Tensor, Tensor]:
        # Coarse and fine maps must show the same place.
        assert torch.allclose(torch.nn.functional.avg_pool2d(skip, 2), image, atol=1e-3)
        self.seen.append((skip, batch))
        distance = torch.hypot(skip[:, 0] - self.x, skip[:, 1] - self.y)
        logits = torch.stack([self.radius * share - distance for share in SHARES], dim=1)
        return logits, torch.tensor([QUALITY]).repeat(len(skip), 1)

    def windows(self) -> list[tuple[float, float, float, float, float]]:
        """x0, y0, x1, y1 and cell size of every window decoded, in view pixels."""
        result = []
        for skip, _ in self.seen:
            for x, y in skip:
                cell = float(x[0, 1] - x[0, 0])
                result.append(
                    (
                        float(x[0, 0]) - cell / 2,
                        float(y[0, 0]) - cell / 2,
                        float(x[0, -1]) + cell / 2,
                        float(y[-1, 0]) + cell / 2,
                        cell,
                    )
                )
        return result


class DiscModel(TinyModel):
    """`TinyModel` around a `DiscNetwork`, also where a window is encoded at a scale of its own."""

    def look(self, features: TinyFeatures, window: Window) -> FeatureMaps:
        """The maps of a window, which hold view coordinates like those of the view."""

        def coordinates(stride: int) -> Tensor:
            cell = stride * window.pool
            x = window.x + (torch.arange(round(window.width / cell)) + 0.5) * cell
            y = window.y + (torch.arange(round(window.height / cell)) + 0.5) * cell
            return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]

        coarse = coordinates(8)
        return FeatureMaps(coarse, coarse, torch.ones_like(coarse[:, :1]), coordinates(4))
