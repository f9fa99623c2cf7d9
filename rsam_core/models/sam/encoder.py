"""SAM's image encoder on a processor: the same answer in pieces that fit its cache.

The official modules hold the attention of all cells to all cells at once (800 MB a layer in
ViT-B) and pass over it four times. Here it is worked out for a few rows of the image at a time,
products go through oneDNN (`rsam_core.models.linear`), and the padding of windows, of which
nothing but a bias remains after the first projection, is not projected.

References
----------
Li et al., *Exploring Plain Vision Transformer Backbones for Object Detection*, ECCV 2022.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from rsam_core.models.linear import linear, linear_onto

if TYPE_CHECKING:
    from segment_anything.modeling import Sam
    from segment_anything.modeling.image_encoder import Attention, Block

_QUERIES = 256
"""Cells whose attention to all cells is worked out at once: 4 MB, which stay in the cache."""

_TOKENS = 1024
"""Cells that pass through the inner layers at once."""


def suits(sam: Sam) -> bool:
    """Whether a model's encoder is the official one, in single precision on the processor."""
    from segment_anything.modeling import ImageEncoderViT
    from segment_anything.modeling.image_encoder import Attention, Block

    encoder = sam.image_encoder
    if type(encoder) is not ImageEncoderViT:
        return False
    weight = encoder.patch_embed.proj.weight
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and all(
            type(block) is Block
            and type(block.attn) is Attention
            and isinstance(block.mlp.act, nn.GELU)
            for block in encoder.blocks
        )
    )


class FastEncoder:
    """The encoder of a SAM model that `suits`.

    Keeps weights only, no state: threads may share it.

    Parameters
    ----------
    sam : segment_anything.modeling.Sam
    """

    @torch.inference_mode()
    def __init__(self, sam: Sam) -> None:
        self._encoder = sam.image_encoder
        patch = self._encoder.patch_embed.proj
        side = self._encoder.img_size // patch.stride[0]
        self._blocks = [_Block(block, side) for block in self._encoder.blocks]

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tensor:
        """Embed a preprocessed image.

        Parameters
        ----------
        pixels : Tensor of float32, shape (1, 3, S, S)

        Returns
        -------
        Tensor of float32, shape (1, C, e, e)
        """
        cells = self._encoder.patch_embed(pixels)
        if self._encoder.pos_embed is not None:
            cells = cells + self._encoder.pos_embed
        _, height, width, channels = cells.shape
        rows = cells.reshape(-1, channels)
        for block in self._blocks:
            rows = block(rows)
        return self._encoder.neck(rows.reshape(1, height, width, channels).permute(0, 3, 1, 2))


class _Block:
    """One transformer block over side × side cells."""

    def __init__(self, block: Block, side: int) -> None:
        from segment_anything.modeling.image_encoder import get_rel_pos

        self.block, self.side = block, side
        reach = block.window_size or side
        self.places = None
        if block.attn.use_rel_pos:
            self.places = (
                get_rel_pos(reach, reach, block.attn.rel_pos_h),
                get_rel_pos(reach, reach, block.attn.rel_pos_w),
            )

    def __call__(self, rows: Tensor) -> Tensor:
        """Cells (side², C) to cells (side², C)."""
        block, attention = self.block, self.block.attn
        bias = attention.qkv.bias
        projected = linear(_norm(block.norm1, rows), attention.qkv.weight, bias)
        projected = projected.reshape(self.side, self.side, -1)
        if block.window_size:
            seen = self._in_windows(projected, bias, block.window_size)
        else:
            seen = self._everywhere(projected)
        rows = linear_onto(rows, seen, attention.proj.weight, attention.proj.bias)
        first, second = block.mlp.lin1, block.mlp.lin2
        parts = []
        for part in rows.split(_TOKENS):
            inner = linear(_norm(block.norm2, part), first.weight, first.bias, gelu=True)
            parts.append(linear_onto(part, inner, second.weight, second.bias))
        return torch.cat(parts)

    def _in_windows(self, projected: Tensor, bias: Tensor | None, size: int) -> Tensor:
        """Attention within windows of size × size cells; the last ones are padded."""
        side, attention = self.side, self.block.attn
        padded = -(-side // size) * size
        if padded != side:
            # The official modules pad with zeros before the projection: its bias remains.
            filled = projected.new_zeros(padded, padded, projected.shape[-1])
            if bias is not None:
                filled += bias
            filled[:side, :side] = projected
            projected = filled
        seen = projected.new_empty(padded, padded, projected.shape[-1] // 3)
        for y in range(0, padded, size):
            for x in range(0, padded, size):
                window = projected[y : y + size, x : x + size]
                queries, keys, values = _split(window, attention)
                scores = self._bias(queries, size)
                scores = torch.baddbmm(scores, queries * attention.scale, keys.transpose(1, 2))
                found = torch.bmm(scores.softmax(-1), values)
                seen[y : y + size, x : x + size] = found.transpose(0, 1).reshape(size, size, -1)
        return seen[:side, :side].reshape(side * side, -1)

    def _bias(self, queries: Tensor, size: int) -> Tensor:
        """What relative places add to the scores of queries (h, size², d): (h, size², size²)."""
        cells = size * size
        if self.places is None:
            return queries.new_zeros(len(queries), cells, cells)
        rows, columns = self._relative(queries, size)
        return (rows[..., :, None] + columns[..., None, :]).reshape(-1, cells, cells)

    def _relative(self, queries: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Scores of queries (h, size², d) with the rows and the columns, (h, size, size, size)."""
        vertical, horizontal = self.places
        places = queries.reshape(len(queries), size, size, -1)
        rows = places @ vertical.transpose(1, 2)
        columns = places.transpose(1, 2) @ horizontal.transpose(1, 2)
        return rows, columns.transpose(1, 2)

    def _everywhere(self, projected: Tensor) -> Tensor:
        """Attention of all cells to all cells, head by head, a few rows at a time."""
        side, attention = self.side, self.block.attn
        found = []
        step = max(1, _QUERIES // side)
        for queries, keys, values in zip(*_split(projected, attention), strict=True):
            asked, across = queries * attention.scale, values.T.contiguous()
            if self.places is not None:
                rows, columns = (part[0] for part in self._relative(queries[None], side))
            parts = []
            for top in range(0, side, step):
                scores = linear(asked[top * side : (top + step) * side], keys)
                if self.places is not None:
                    shaped = scores.view(-1, side, side, side)
                    shaped += rows[top : top + step, :, :, None]
                    shaped += columns[top : top + step, :, None, :]
                parts.append(linear(scores.softmax(-1), across))
            found.append(torch.cat(parts))
        return torch.cat(found, dim=1)


def _split(projected: Tensor, attention: Attention) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values (h, n, d) of cells (rows, columns, 3 · h · d)."""
    cells = projected.shape[0] * projected.shape[1]
    parts = projected.reshape(cells, 3, attention.num_heads, -1).permute(1, 2, 0, 3)
    return tuple(parts.contiguous().unbind(0))


def _norm(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    return functional.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
