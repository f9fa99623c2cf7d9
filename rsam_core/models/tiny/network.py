"""The network of ``rsam-tiny``: encoder and decoder together."""

from __future__ import annotations

from torch import Tensor, nn

from .decoder import MaskDecoder
from .encoder import FeatureMaps, ImageEncoder


class TinyNetwork(nn.Module):
    """A promptable segmentation network in SAM's shape, small enough to ship.

    Parameters
    ----------
    folded : bool
        Build for shipped weights, into which batch normalisation has been merged.
    """

    def __init__(self, folded: bool = False) -> None:
        super().__init__()
        self.encoder = ImageEncoder(folded)
        self.decoder = MaskDecoder()

    def encode(self, rgb: Tensor) -> FeatureMaps:
        """Encode (N, 3, H, W) float images in 0..255; H and W multiples of 32."""
        return self.encoder((rgb - 127.0) / 128.0)
