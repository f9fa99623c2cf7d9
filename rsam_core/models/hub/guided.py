"""One-shot segmentation with models of the hub: PerSAM's guidance as transformers carries it out.

The networks take a similarity that is added to the attention of tokens to the image's cells, and
a target that is added to the queries. Unlike in the published code, the similarity is added before
attention is normalised, not afterwards with a second normalisation. Cells in the padding get no
guidance.

References
----------
Zhang et al., *Personalize Segment Anything Model with One Shot*, ICLR 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rsam_core.models.base import Decoded, PromptLike
from rsam_core.models.guided import CellGuidance, Guidance, Target
from rsam_core.models.padding import unpadded

if TYPE_CHECKING:
    from rsam_core.models.hub.promptable import HubFeatures, HubModel


@dataclass(frozen=True, eq=False)
class HubScales:
    """Three masks of one prompt at the decoder's resolution; see `Scales`.

    Attributes
    ----------
    logits : ndarray of float32, shape (3, a, a)
    scores : ndarray of float32, shape (3,)
    model : HubModel
    features : HubFeatures
    """

    logits: NDArray[np.float32]
    scores: NDArray[np.float32]
    model: HubModel
    features: HubFeatures

    def sample(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Share of each cell of the logits that a mask (H, W) of the view covers, (a, a)."""
        return self.model.coverage(self.features, mask, self.logits.shape[-1])[0, 0].cpu().numpy()

    def finish(self, logits: NDArray[np.float32], score: float) -> Decoded:
        """A weighed map of logits (a, a) as an answer of one mask."""
        maps = torch.as_tensor(np.ascontiguousarray(logits, np.float32))[None]
        return self.model.decoded(self.features, maps, torch.tensor([score]))


class HubGuidance(CellGuidance):
    """A promptable model of the hub that can be shown an example.

    Parameters
    ----------
    model : HubModel
    """

    def __init__(self, model: HubModel) -> None:
        self.model = model

    def view_size(self, features: HubFeatures) -> tuple[int, int]:
        """Height and width of the view."""
        return features.view_size

    def cells(self, features: HubFeatures) -> NDArray[np.float32]:
        """Features of the cells that lie in the view, not in the padding, (C, h, w)."""
        rows, columns = features.valid
        return features.levels[-1][0, :, :rows, :columns].float().cpu().numpy()

    def weights(self, features: HubFeatures, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """As published, every cell counts in full that the resized mask touches at all."""
        rows, columns = features.valid
        covered = self.model.coverage(features, mask, features.levels[-1].shape[-1])[0, 0]
        return (covered[:rows, :columns] > 0).float().cpu().numpy()

    def enlarge(self, features: HubFeatures, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a map over cells (h, w) to the view's size (H, W), bilinearly."""
        stride = features.side // features.levels[-1].shape[-1]
        return unpadded(cells, stride, features.input_size, features.view_size)

    @torch.inference_mode()
    def decode(
        self,
        features: HubFeatures,
        prompt: PromptLike,
        target: Target,
        similarity: NDArray[np.float32],
        guidance: Guidance,
        multimask: bool,
        previous: Any | None = None,
    ) -> Decoded:
        """Answer a prompt under the guidance of a target; see `ExampleGuidance.decode`."""
        model = self.model
        given = model.inputs(features, [prompt], previous)
        if guidance.attention:
            given["attention_similarity"] = self._attention(features, similarity)
        if guidance.semantic:
            embedding = torch.from_numpy(target.embedding).to(model.device)
            given["target_embedding"] = embedding.reshape(1, 1, 1, -1)
        answer = model.network(**given, multimask_output=multimask)
        return model.decoded(features, answer.pred_masks[0, 0], answer.iou_scores[0, 0])

    @torch.inference_mode()
    def scales(
        self, features: HubFeatures, prompt: PromptLike, like: NDArray[np.bool_] | None = None
    ) -> HubScales:
        """The logits of the three masks of a prompt; the whole view is seen at any size.

        SAM-HQ gives them by score. PerSAM-F weighs them as part, larger part and whole, so these
        are brought into the order of their size.
        """
        given = self.model.inputs(features, [prompt])
        answer = self.model.network(**given, multimask_output=True)
        logits = answer.pred_masks[0, 0].float().cpu().numpy()
        scores = answer.iou_scores[0, 0].float().cpu().numpy()
        if features.extra:
            order = np.argsort((logits > 0).sum((1, 2)), kind="stable")
            logits, scores = logits[order], scores[order]
        return HubScales(logits, scores, self.model, features)

    def _attention(self, features: HubFeatures, similarity: NDArray[np.float32]) -> Tensor:
        """What is added to the attention of tokens to the cells, shape (1, 1, 1, e²)."""
        rows, columns = features.valid
        inside = torch.from_numpy(np.ascontiguousarray(similarity, np.float32))
        scored = (inside - inside.mean()) / inside.std().clamp_min(1e-6)
        side = features.levels[-1].shape[-1]
        added = torch.zeros(side, side)
        added[:rows, :columns] = torch.sigmoid(scored)
        return added.reshape(1, 1, 1, -1).to(self.model.device)
