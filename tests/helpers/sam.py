"""A small SAM with random weights: the official modules, without a checkpoint."""

from __future__ import annotations

from functools import partial

import torch
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)

SIDE, CELLS = 128, 8


def build() -> Sam:
    sam = Sam(
        image_encoder=ImageEncoderViT(
            img_size=SIDE,
            depth=2,
            embed_dim=32,
            num_heads=2,
            out_chans=32,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            global_attn_indexes=(1,),
            window_size=4,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=32,
            image_embedding_size=(CELLS, CELLS),
            input_image_size=(SIDE, SIDE),
            mask_in_chans=8,
        ),
        mask_decoder=MaskDecoder(
            transformer_dim=32,
            transformer=TwoWayTransformer(depth=2, embedding_dim=32, num_heads=2, mlp_dim=64),
            iou_head_hidden_dim=32,
        ),
    )
    return sam.eval()


def lively() -> Sam:
    """One whose masks are neither empty nor full, always the same."""
    torch.manual_seed(3)
    sam = build()
    # Fresh weights give logits near zero; larger ones make masks, stability and prompts matter.
    for mlp in sam.mask_decoder.output_hypernetworks_mlps:
        mlp.layers[-1].weight.data *= 60
        mlp.layers[-1].bias.data.zero_()
    return sam
