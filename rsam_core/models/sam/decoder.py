"""SAM's mask decoder for many prompts of one image on a processor: the same answer, less work.

What the official modules compute for each prompt again, this computes once for an image, or not at
all:

- In the first layer the image has seen no prompt yet: its keys, values and queries are projected
  once (`ImageSide`).
- Seven tokens look at 4,096 cells. Projecting the cells costs far more than projecting the tokens
  the other way: ``q · (W k)`` is ``(Wᵀ q) · k``, and ``W (Σ a v)`` is ``Σ a (W v)``. The weights
  are moved to the tokens' side.
- Masks are drawn, which is half of the work, only where the predicted IoU asks for it, and the
  transposed convolutions, whose kernels do not overlap, are matrix products.

References
----------
Kirillov et al., *Segment Anything*, ICCV 2023, appendix A (mask decoder).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from rsam_core.models.linear import linear, linear_onto

if TYPE_CHECKING:
    from segment_anything.modeling import Sam
    from segment_anything.modeling.transformer import Attention


@dataclass(frozen=True, eq=False)
class ImageSide:
    """What the decoder needs of an image before it has seen a prompt.

    Attributes
    ----------
    cells : Tensor of float32, shape (n, C)
        Embedding of the image's cells, with that of the mask prompt (or of none) added.
    keys, values : Tensor of float32, shape (n, d)
        What tokens look at in the first layer.
    queries : Tensor of float32, shape (n, d)
        With what cells look at tokens in the first layer.
    """

    cells: Tensor
    keys: Tensor
    values: Tensor
    queries: Tensor

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        parts = (self.cells, self.keys, self.values, self.queries)
        return sum(part.numel() * part.element_size() for part in parts)


@dataclass(frozen=True, eq=False)
class Looked:
    """Prompts that have been decoded but for drawing their masks.

    Attributes
    ----------
    scores : Tensor of float32, shape (B, M)
        Predicted IoU of each of the M masks; the first is that for a clear prompt.
    tokens : Tensor of float32, shape (B, M, C)
        One token a mask.
    cells : list of B Tensors of float32, shape (n, C)
    """

    scores: Tensor
    tokens: Tensor
    cells: list[Tensor]


def suits(sam: Sam) -> bool:
    """Whether a model's decoder is the official one, in single precision on the processor."""
    from segment_anything.modeling import MaskDecoder, TwoWayTransformer
    from segment_anything.modeling.transformer import TwoWayAttentionBlock

    decoder = sam.mask_decoder
    if type(decoder) is not MaskDecoder or type(decoder.transformer) is not TwoWayTransformer:
        return False
    weight = decoder.iou_token.weight
    layers = decoder.transformer.layers
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and len(layers) > 0
        and all(type(layer) is TwoWayAttentionBlock for layer in layers)
        and isinstance(decoder.output_upscaling[2], torch.nn.GELU)
        and isinstance(decoder.output_upscaling[4], torch.nn.GELU)
    )


class FastDecoder:
    """The decoder of a SAM model that `suits`.

    Keeps weights only, no state: threads may share it.

    Parameters
    ----------
    sam : segment_anything.modeling.Sam
        Its weights are those of the moment; changing them afterwards needs a new decoder.
    """

    @torch.inference_mode()
    def __init__(self, sam: Sam) -> None:
        decoder = sam.mask_decoder
        self._decoder, self._transformer = decoder, decoder.transformer
        self._side: int = sam.prompt_encoder.image_embedding_size[0]
        self._own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
        self._position = _as_rows(sam.prompt_encoder.get_dense_pe())
        self._no_mask = sam.prompt_encoder.no_mask_embed.weight.reshape(1, -1)
        layers = self._transformer.layers
        self._looks = [_TokensLook(layer.cross_attn_token_to_image) for layer in layers]
        self._looks.append(_TokensLook(self._transformer.final_attn_token_to_image))
        self._answers = [_CellsLook(layer.cross_attn_image_to_token) for layer in layers]
        first, norm, _, second, _ = decoder.output_upscaling
        self._first, self._first_bias = _as_product(first)
        self._second, self._second_bias = _as_product(second)
        self._norm = norm

    @torch.inference_mode()
    def image_side(self, embedding: Tensor, dense: Tensor | None = None) -> ImageSide:
        """What is the same for all prompts of an image.

        Parameters
        ----------
        embedding : Tensor of float32, shape (1, C, e, e)
            Output of the image encoder.
        dense : Tensor of float32, shape (1, C, e, e), optional
            Embedding of a mask prompt; none given, that of no mask.
        """
        added = self._no_mask if dense is None else _as_rows(dense)
        cells = _as_rows(embedding) + added
        placed = cells + self._position
        look, answer = self._looks[0].module, self._answers[0].module
        return ImageSide(
            cells,
            linear(placed, look.k_proj.weight, look.k_proj.bias),
            linear(cells, look.v_proj.weight, look.v_proj.bias),
            linear(placed, answer.q_proj.weight, answer.q_proj.bias),
        )

    @torch.inference_mode()
    def look(self, side: ImageSide, sparse: Tensor) -> Looked:
        """Decode prompts up to their predicted IoU.

        Parameters
        ----------
        side : ImageSide
        sparse : Tensor of float32, shape (B, P, C)
            The prompt encoder's answer to points and boxes.
        """
        count = len(sparse)
        tokens = torch.cat([self._own.expand(count, -1, -1), sparse], dim=1)
        queries = tokens
        cells = [side.cells] * count
        for number, layer in enumerate(self._transformer.layers):
            if layer.skip_first_layer_pe:
                queries = layer.self_attn(q=queries, k=queries, v=queries)
            else:
                placed = queries + tokens
                queries = queries + layer.self_attn(q=placed, k=placed, v=queries)
            queries = layer.norm1(queries)
            look, answer = self._looks[number], self._answers[number]
            if number:
                standing = [part + self._position for part in cells]
                looked = look.at_cells(queries + tokens, standing, cells)
            else:
                looked = look.at_projected(queries + tokens, side.keys, side.values)
            queries = layer.norm2(queries + looked)
            queries = layer.norm3(queries + layer.mlp(queries))
            if number:
                cells = answer.to_cells(queries + tokens, queries, standing, cells)
            else:
                cells = answer.to_projected(queries + tokens, queries, side.queries, side.cells)
            norm = layer.norm4
            cells = [
                functional.layer_norm(part, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
                for part in cells
            ]
        standing = [part + self._position for part in cells]
        looked = self._looks[-1].at_cells(queries + tokens, standing, cells)
        queries = self._transformer.norm_final_attn(queries + looked)
        scores = self._decoder.iou_prediction_head(queries[:, 0])
        return Looked(scores, queries[:, 1 : 1 + self._decoder.num_mask_tokens], cells)

    @torch.inference_mode()
    def draw(self, looked: Looked, index: int, which: list[int]) -> Tensor:
        """Logits of some masks of one prompt.

        Parameters
        ----------
        looked : Looked
        index : int
            Which prompt.
        which : list of int
            Which of its masks.

        Returns
        -------
        Tensor of float32, shape (len(which), 4 e, 4 e)
        """
        mlps = self._decoder.output_hypernetworks_mlps
        filters = torch.stack([mlps[k](looked.tokens[index, k]) for k in which])
        norm, side = self._norm, self._side
        large = linear(looked.cells[index], self._first, self._first_bias)
        large = large.reshape(-1, len(norm.weight))
        large = functional.layer_norm(large, norm.weight.shape, norm.weight, norm.bias, norm.eps)
        large = functional.gelu(large)
        large = linear(large, self._second, self._second_bias, gelu=True)
        logits = linear(filters, large.reshape(-1, filters.shape[1]))
        # Rows and columns of cells, then within a cell, then within a quarter of it.
        parts = logits.reshape(len(which), side, side, 2, 2, 2, 2)
        return parts.permute(0, 1, 3, 5, 2, 4, 6).reshape(len(which), 4 * side, 4 * side)


class _TokensLook:
    """Attention of tokens to the image's cells."""

    def __init__(self, module: Attention) -> None:
        self.module, self.heads = module, module.num_heads
        self.scale = 1 / math.sqrt(module.internal_dim // module.num_heads)
        self.to_keys = module.k_proj.weight.reshape(self.heads, -1, module.embedding_dim)
        self.to_values = module.v_proj.weight.reshape(self.heads, -1, module.embedding_dim)
        self.bias = module.v_proj.bias.reshape(self.heads, 1, -1)

    def _queries(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T, C) as scaled queries (B, h, T, d)."""
        return _by_head(self.module.q_proj(tokens), self.heads) * self.scale

    def _finish(self, found: Tensor) -> Tensor:
        """What the heads saw, (B, h, T, d), as an update of the tokens (B, T, C)."""
        return self.module.out_proj(found.transpose(1, 2).flatten(2))

    def at_projected(self, tokens: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Look at keys and values (n, h · d) that all prompts share."""
        count, length = tokens.shape[:2]
        queries = self._queries(tokens).transpose(0, 1).flatten(1, 2)
        keys, values = (part.reshape(len(part), self.heads, -1) for part in (keys, values))
        weights = torch.bmm(queries, keys.permute(1, 2, 0)).softmax(-1)
        found = torch.bmm(weights, values.transpose(0, 1))
        return self._finish(found.reshape(self.heads, count, length, -1).transpose(0, 1))

    def at_cells(self, tokens: Tensor, standing: list[Tensor], cells: list[Tensor]) -> Tensor:
        """Look at each prompt's own cells (n, C), with their places added and without.

        The bias of the keys adds the same to all cells, which the softmax takes out again.
        """
        count, length = tokens.shape[:2]
        asked = (self._queries(tokens) @ self.to_keys).flatten(1, 2)
        seen = [
            linear(linear(one, placed).softmax(-1), part.T)
            for one, placed, part in zip(asked, standing, cells, strict=True)
        ]
        seen = torch.stack(seen).reshape(count, self.heads, length, -1)
        return self._finish(seen @ self.to_values.transpose(1, 2) + self.bias)


class _CellsLook:
    """Attention of the image's cells to tokens."""

    def __init__(self, module: Attention) -> None:
        self.module, self.heads = module, module.num_heads
        self.scale = 1 / math.sqrt(module.internal_dim // module.num_heads)
        self.to_queries = module.q_proj.weight.reshape(self.heads, -1, module.embedding_dim)
        self.bias = module.q_proj.bias.reshape(self.heads, -1, 1)
        # Of the output's projection, the columns that belong to each head.
        self.to_output = module.out_proj.weight.T.reshape(self.heads, -1, module.embedding_dim)

    def _tokens(self, placed: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Scaled keys (B, h, T, d), and values after the output's projection (B, h · T, C)."""
        keys = _by_head(self.module.k_proj(placed), self.heads) * self.scale
        values = _by_head(self.module.v_proj(tokens), self.heads) @ self.to_output
        return keys, values.flatten(1, 2)

    def to_projected(
        self, placed: Tensor, tokens: Tensor, queries: Tensor, cells: Tensor
    ) -> list[Tensor]:
        """Cells (n, C) that all prompts share, after each prompt's update; queries (n, h · d)."""
        keys, values = self._tokens(placed, tokens)
        count, _, length, _ = keys.shape
        queries = queries.reshape(len(queries), self.heads, -1)
        scores = torch.bmm(keys.transpose(0, 1).flatten(1, 2), queries.permute(1, 2, 0))
        scores = scores.reshape(self.heads, count, length, -1).transpose(0, 1)
        return [self._update(*one, cells) for one in zip(scores, values, strict=True)]

    def to_cells(
        self, placed: Tensor, tokens: Tensor, standing: list[Tensor], cells: list[Tensor]
    ) -> list[Tensor]:
        """Each prompt's own cells (n, C) after its update."""
        keys, values = self._tokens(placed, tokens)
        asked, constant = (keys @ self.to_queries).flatten(1, 2), keys @ self.bias
        updated = []
        for number, (places, part) in enumerate(zip(standing, cells, strict=True)):
            scores = linear(asked[number], places).reshape(*constant.shape[1:3], -1)
            updated.append(self._update(scores + constant[number], values[number], part))
        return updated

    def _update(self, scores: Tensor, values: Tensor, cells: Tensor) -> Tensor:
        weights = scores.softmax(1).reshape(len(values), -1)
        return linear_onto(cells, weights.T, values.T, self.module.out_proj.bias)


def _by_head(x: Tensor, heads: int) -> Tensor:
    """(B, T, h · d) as (B, h, T, d)."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def _as_rows(maps: Tensor) -> Tensor:
    """Maps (1, C, e, e) or (C, e, e) as one row a cell, (n, C)."""
    return maps.reshape(maps.shape[-3], -1).T.contiguous()


def _as_product(module: torch.nn.ConvTranspose2d) -> tuple[Tensor, Tensor]:
    """A transposed convolution without overlap as the weight and bias of a matrix product."""
    weight = module.weight.permute(2, 3, 1, 0)
    return weight.reshape(-1, weight.shape[-1]).contiguous(), module.bias.repeat(4)
