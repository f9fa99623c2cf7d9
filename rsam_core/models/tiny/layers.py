"""Layers shared by the encoder and the decoder of ``rsam-tiny``."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class PixelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel of an (N, C, H, W) map.

    Statistics never leave the pixel, so that the result does not depend on the map's size.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) over C."""
        y = F.layer_norm(
            x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps
        )
        return y.permute(0, 3, 1, 2)


class Pointwise(nn.Conv2d):
    """1 × 1 convolution done as a matrix product.

    With channels-last memory the permutations cost nothing, and a plain matrix product was
    faster on processors than the general convolution, forwards and backwards.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        y = F.linear(x.permute(0, 2, 3, 1), self.weight[:, :, 0, 0], self.bias)
        return y.permute(0, 3, 1, 2)


class ConvBlock(nn.Module):
    """Depthwise convolution, normalisation and a two-layer perceptron, with a residual.

    References
    ----------
    Liu et al., "A ConvNet for the 2020s", CVPR 2022.
    """

    def __init__(self, channels: int, kernel: int = 7, expansion: int = 2) -> None:
        super().__init__()
        self.filter = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = PixelNorm(channels)
        self.expand = Pointwise(channels, channels * expansion)
        self.project = Pointwise(channels * expansion, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to (N, C, H, W)."""
        return x + self.project(F.gelu(self.expand(self.norm(self.filter(x)))))
