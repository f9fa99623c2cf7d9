"""The network of the super-resolution step: a bicubic enlargement and what to add to it."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

FACTOR = 2
WIDTH = 32
BLOCKS = 4
REACH = 2 + 2 * BLOCKS + 1
"""Input pixels to each side that one output pixel depends on."""

_KEYS = (-0.0234375, 0.2265625, 0.8671875, -0.0703125)


class Block(nn.Module):
    """Two 3 × 3 convolutions and a way around them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
        self.second = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, WIDTH, H, W) features of the same size."""
        return x + self.second(F.relu(self.first(x)))


class UpscalerNetwork(nn.Module):
    """Twice as many pixels per side, for one band at a time.

    Bicubic interpolation plus a residual that is computed at the resolution of the input and
    spread by sub-pixel shuffling [1]_. No convolution has a bias [2]_ and the filters of the
    first sum to zero, so that the result follows any change of gain and offset of the input
    exactly: ``f(a x + b) = a f(x) + b`` for ``a > 0``. It therefore needs no normalisation and
    treats 8-bit, 16-bit and reflectance values alike.

    References
    ----------
    .. [1] Shi, W. et al. (2016). Real-time single image and video super-resolution using an
       efficient sub-pixel convolutional neural network. CVPR.
    .. [2] Mohan, S. et al. (2020). Robust and interpretable blind image denoising via bias-free
       convolutional neural networks. ICLR.
    """

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(1, WIDTH, 5, padding=2, bias=False)
        self.body = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.tail = nn.Conv2d(WIDTH, FACTOR**2, 3, padding=1, bias=False)
        self.register_buffer("bicubic", _bicubic_filters(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge.

        Parameters
        ----------
        x : (N, 1, H, W) tensor of float32
            Bands in any unit. The outermost `REACH` pixels lack context and are approximate.

        Returns
        -------
        (N, 1, 2 H, 2 W) tensor of float32
        """
        return F.pixel_shuffle(self.plain(x) + self.residual(self.features(x)), FACTOR)

    def plain(self, x: Tensor) -> Tensor:
        """Bicubic interpolation, as (N, 4, H, W) phases."""
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), self.bicubic)

    def features(self, x: Tensor) -> Tensor:
        """First convolution: (N, WIDTH, H, W) features, blind to a constant."""
        filters = self.head.weight - self.head.weight.mean((2, 3), keepdim=True)
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), filters)

    def residual(self, features: Tensor) -> Tensor:
        """What bicubic interpolation lacks, as (N, 4, H, W) phases."""
        return self.tail(self.body(features))


def _bicubic_filters() -> Tensor:
    """Return the four phases of cubic convolution (Keys 1981, a = -1/2) as 5 × 5 filters."""
    left = np.array([*_KEYS, 0.0])
    phases = (left, left[::-1])
    filters = [np.outer(row, column) for row in phases for column in phases]
    return torch.from_numpy(np.stack(filters)[:, None].astype(np.float32))
