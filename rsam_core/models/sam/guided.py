"""One-shot segmentation with the official SAM models: PerSAM's guidance in SAM's own decoder.

Everything acts on the network's modules from outside; neither its weights nor its code change,
so that threads may share it.

Where the published code and an image that is not square disagree, geometry wins: the published
code stretches the similarity of the image over the whole square that the decoder attends to; here
it lies where the image lies, its mean and deviation are taken over the image alone, and cells in
the padding get no guidance.

References
----------
Zhang et al., *Personalize Segment Anything Model with One Shot*, ICLR 2024, and its code
(github.com/ZrrSkywalker/Personalize-SAM), for where exactly the target embedding is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rsam_core.models.base import Decoded, PromptLike
from rsam_core.models.guided import CellGuidance, Guidance, Target
from rsam_core.models.padding import unpadded
from rsam_core.models.sam.upsample import mask_from_logits
from rsam_core.objects.crops import crop_together

if TYPE_CHECKING:
    from segment_anything.modeling.mask_decoder import MaskDecoder
    from segment_anything.modeling.transformer import (
        Attention,
        TwoWayAttentionBlock,
        TwoWayTransformer,
    )

    from rsam_core.models.sam.model import SamFeatures, SamModel


@dataclass(frozen=True, eq=False)
class SamScales:
    """Three masks of one prompt at the decoder's resolution; see `Scales`.

    Attributes
    ----------
    logits : ndarray of float32, shape (3, a, a)
    scores : ndarray of float32, shape (3,)
    model : SamModel
    features : SamFeatures
    """

    logits: NDArray[np.float32]
    scores: NDArray[np.float32]
    model: SamModel
    features: SamFeatures

    def sample(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Share of each cell of the logits that a mask (H, W) of the view covers, (a, a)."""
        return _coverage(self.model, self.features, mask, self.logits.shape[-1])

    def finish(self, logits: NDArray[np.float32], score: float) -> Decoded:
        """A weighed map of logits (a, a) as an answer of one mask."""
        model, features = self.model, self.features
        maps = torch.as_tensor(np.ascontiguousarray(logits, np.float32))
        mask, x, y, stable = mask_from_logits(
            maps,
            model._side,
            features.input_size,
            features.view_size,
            model._sam.mask_threshold,
        )
        masks, x, y = crop_together([(mask, x, y)])
        scores = np.array([score], np.float32)
        return Decoded(masks, x, y, scores, maps[None].numpy(), np.array([stable], np.float32))


class SamGuidance(CellGuidance):
    """An official SAM model that can be shown an example.

    Parameters
    ----------
    model : SamModel
    """

    def __init__(self, model: SamModel) -> None:
        self.model = model

    def view_size(self, features: SamFeatures) -> tuple[int, int]:
        """Height and width of the view."""
        return features.view_size

    def cells(self, features: SamFeatures) -> NDArray[np.float32]:
        """Features of the cells that lie in the image, not in the padding, (C, h, w)."""
        rows, columns = self._valid(features)
        return features.embedding[0, :, :rows, :columns].float().cpu().numpy()

    def weights(self, features: SamFeatures, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """As published, every cell counts in full that the resized mask touches at all."""
        rows, columns = self._valid(features)
        covered = _coverage(self.model, features, mask, features.embedding.shape[-1])
        return (covered[:rows, :columns] > 0).astype(np.float32)

    def enlarge(self, features: SamFeatures, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a map over cells (h, w) to the view's size (H, W), bilinearly."""
        stride = self._stride(features)
        return unpadded(cells, stride, features.input_size, features.view_size)

    @torch.inference_mode()
    def decode(
        self,
        features: SamFeatures,
        prompt: PromptLike,
        target: Target,
        similarity: NDArray[np.float32],
        guidance: Guidance,
        multimask: bool,
        previous: Any | None = None,
    ) -> Decoded:
        """Answer a prompt under the guidance of a target; see `ExampleGuidance.decode`."""
        attention = self._attention(features, similarity) if guidance.attention else None
        embedding = None
        if guidance.semantic:
            embedding = torch.from_numpy(target.embedding).to(self.model._device)
        masks, scores = self._predict(features, prompt, previous, attention, embedding)
        kept = slice(1, None) if multimask else slice(0, 1)
        return self.model._decoded(features, masks[0, kept], scores[0, kept])

    @torch.inference_mode()
    def scales(
        self, features: SamFeatures, prompt: PromptLike, like: NDArray[np.bool_] | None = None
    ) -> SamScales:
        """The logits of the three masks of a prompt; SAM sees the whole view at any size."""
        masks, scores = self._predict(features, prompt, None, None, None)
        return SamScales(
            masks[0, 1:].float().cpu().numpy(),
            scores[0, 1:].float().cpu().numpy(),
            self.model,
            features,
        )

    def _stride(self, features: SamFeatures) -> int:
        return self.model._side // features.embedding.shape[-1]

    def _valid(self, features: SamFeatures) -> tuple[int, int]:
        """Rows and columns of cells that lie in the image, not in the padding."""
        stride = self._stride(features)
        height, width = features.input_size
        return -(-height // stride), -(-width // stride)

    def _attention(self, features: SamFeatures, similarity: NDArray[np.float32]) -> Tensor:
        """What is added to the attention of tokens to the image's cells, shape (e²,)."""
        rows, columns = self._valid(features)
        valid = torch.from_numpy(np.ascontiguousarray(similarity, np.float32))
        scored = (valid - valid.mean()) / valid.std().clamp_min(1e-6)
        side = features.embedding.shape[-1]
        added = torch.zeros(side, side)
        added[:rows, :columns] = torch.sigmoid(scored)
        return added.flatten().to(self.model._device)

    def _predict(
        self,
        features: SamFeatures,
        prompt: PromptLike,
        previous: Any | None,
        attention: Tensor | None,
        target: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """All four masks' logits (1, 4, a, a) and scores (1, 4) of one prompt."""
        model = self.model
        points = boxes = masks = None
        if prompt.points is not None and len(prompt.points):
            labels = torch.as_tensor(np.asarray(prompt.labels), dtype=torch.int)[None]
            points = (model._to_input(features, prompt.points)[None], labels.to(model._device))
        if prompt.box is not None:
            boxes = model._to_input(features, np.reshape(prompt.box, (2, 2))).reshape(1, 4)
        if previous is not None:
            logits = torch.as_tensor(previous, dtype=torch.float32, device=model._device)
            masks = logits.reshape(1, 1, model._prompt_side, model._prompt_side)
        elif prompt.mask is not None:
            masks = model._mask_logits(features, prompt.mask)
        sparse, dense = model._sam.prompt_encoder(points=points, boxes=boxes, masks=masks)
        return predict_masks(
            model._sam.mask_decoder,
            features.embedding,
            model._position,
            sparse,
            dense,
            attention,
            target,
        )


def predict_masks(
    decoder: MaskDecoder,
    image: Tensor,
    position: Tensor,
    sparse: Tensor,
    dense: Tensor,
    attention: Tensor | None,
    target: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """SAM's mask decoder with guidance; without any, what the decoder itself computes.

    Parameters
    ----------
    decoder : MaskDecoder
    image, position : Tensor
        (1, C, e, e) embedding of the image and of the places in it.
    sparse, dense : Tensor
        (1, P, C) and (1, C, e, e): the prompt encoder's answer.
    attention : Tensor, optional
        (e²,) added to the attention of tokens to the image.
    target : Tensor, optional
        (C,) added to the queries.

    Returns
    -------
    masks : Tensor
        (1, 4, a, a) logits.
    scores : Tensor
        (1, 4) predicted IoU.
    """
    count = decoder.num_mask_tokens
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])[None]
    tokens = torch.cat([own, sparse], dim=1)
    answers, cells = _transform(
        decoder.transformer, image + dense, position, tokens, attention, target
    )
    cells = cells.transpose(1, 2).reshape(image.shape)
    large = decoder.output_upscaling(cells)
    filters = torch.stack(
        [decoder.output_hypernetworks_mlps[i](answers[:, 1 + i]) for i in range(count)], dim=1
    )
    masks = (filters @ large.flatten(2)).reshape(1, count, *large.shape[-2:])
    return masks, decoder.iou_prediction_head(answers[:, 0])


def _transform(
    transformer: TwoWayTransformer,
    image: Tensor,
    position: Tensor,
    tokens: Tensor,
    attention: Tensor | None,
    target: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The two-way transformer; the target joins the queries before each use of them.

    In the published code the first addition also reaches the tokens that serve as the queries'
    positional encoding from then on; it is followed here.
    """
    added = torch.zeros_like(tokens[:1, :1]) if target is None else target.reshape(1, 1, -1)
    keys, places = image.flatten(2).transpose(1, 2), position.flatten(2).transpose(1, 2)
    tokens = tokens + added
    queries = tokens
    for number, block in enumerate(transformer.layers):
        if number:
            queries = queries + added
        queries, keys = _block(block, queries, keys, tokens, places, attention)
    looked = transformer.final_attn_token_to_image(
        q=queries + tokens + added, k=keys + places, v=keys
    )
    return transformer.norm_final_attn(queries + looked), keys


def _block(
    block: TwoWayAttentionBlock,
    queries: Tensor,
    keys: Tensor,
    tokens: Tensor,
    places: Tensor,
    attention: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """One two-way block; tokens look at the image under guidance."""
    if block.skip_first_layer_pe:
        queries = block.self_attn(q=queries, k=queries, v=queries)
    else:
        placed = queries + tokens
        queries = queries + block.self_attn(q=placed, k=placed, v=queries)
    queries = block.norm1(queries)
    looked = _attend(
        block.cross_attn_token_to_image, queries + tokens, keys + places, keys, attention
    )
    queries = block.norm2(queries + looked)
    queries = block.norm3(queries + block.mlp(queries))
    looked = block.cross_attn_image_to_token(q=keys + places, k=queries + tokens, v=queries)
    return queries, block.norm4(keys + looked)


def _attend(
    module: Attention, queries: Tensor, keys: Tensor, values: Tensor, attention: Tensor | None
) -> Tensor:
    """Attention whose weights are raised by the guidance and brought to a sum of one again."""
    if attention is None:
        return module(q=queries, k=keys, v=values)
    heads = module.num_heads
    q, k, v = (
        part.reshape(*part.shape[:2], heads, -1).transpose(1, 2)
        for part in (module.q_proj(queries), module.k_proj(keys), module.v_proj(values))
    )
    weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), dim=-1)
    weights = torch.softmax(weights + attention, dim=-1)
    return module.out_proj((weights @ v).transpose(1, 2).flatten(2))


def _coverage(
    model: SamModel, features: SamFeatures, mask: NDArray[np.bool_], cells: int
) -> NDArray[np.float32]:
    """Share of each of cells × cells parts of the padded square that a mask covers."""
    share = torch.from_numpy(np.ascontiguousarray(mask)).float()[None, None]
    share = functional.interpolate(
        share, size=features.input_size, mode="bilinear", align_corners=False, antialias=True
    )
    height, width = features.input_size
    share = functional.pad(share, (0, model._side - width, 0, model._side - height))
    return functional.avg_pool2d(share, model._side // cells)[0, 0].numpy()
