"""The network of ``rsam-tiny``: encoder and decoder together."""

from __future__ import annotations

from torch import Tensor, nn

from rsam_core.models.tiny.decoder import MaskDecoder
from rsam_core.models.tiny.encoder import FeatureMaps, ImageEncoder
from rsam_core.models.tiny.kind_head import KindHead
from rsam_core.models.tiny.proposal_head import ProposalHead, ProposalMaps


class TinyNetwork(nn.Module):
    """A promptable segmentation network in SAM's shape, small enough to ship.

    Parameters
    ----------
    folded : bool
        Build for shipped weights, into which batch normalisation has been merged.
    proposing : bool
        With the head that proposes objects; weights from before it was trained lack it.
    naming : bool
        With the head that says what an object is; likewise.
    """

    def __init__(self, folded: bool = False, proposing: bool = False, naming: bool = False) -> None:
        super().__init__()
        self.encoder = ImageEncoder(folded)
        self.decoder = MaskDecoder()
        self.proposals = ProposalHead() if proposing else None
        self.kinds = KindHead() if naming else None

    def encode(self, rgb: Tensor) -> FeatureMaps:
        """Encode (N, 3, H, W) float images in 0..255; H and W multiples of 32."""
        return self.encoder((rgb - 127.0) / 128.0)

    def propose(self, maps: FeatureMaps) -> ProposalMaps:
        """Where objects are, from the encoder's maps; only with ``proposing``."""
        return self.proposals(maps.features, maps.skip)
