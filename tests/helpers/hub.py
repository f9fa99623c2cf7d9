"""Small networks of transformers with random weights, written as folders as the hub has them.

Import this only where the package is installed (`pytest.importorskip`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

SIDE, CELLS = 128, 8
PROMPTED = ("sam", "sam_hq", "sam2", "edgetam")


def _sam(hq: bool) -> Any:
    name = "SamHQ" if hq else "Sam"
    vision = getattr(transformers, f"{name}VisionConfig")(
        hidden_size=32,
        output_channels=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=16,
        global_attn_indexes=[1],
        window_size=4,
        num_pos_feats=16,
        initializer_range=0.02,
    )
    prompts = getattr(transformers, f"{name}PromptEncoderConfig")(
        hidden_size=32, image_size=SIDE, patch_size=16, mask_input_channels=8
    )
    extra = {"vit_dim": 32} if hq else {}
    decoder = getattr(transformers, f"{name}MaskDecoderConfig")(
        hidden_size=32,
        mlp_dim=64,
        num_attention_heads=2,
        iou_head_hidden_dim=32,
        **extra,
    )
    config = getattr(transformers, f"{name}Config")(
        vision_config=vision.to_dict(),
        prompt_encoder_config=prompts.to_dict(),
        mask_decoder_config=decoder.to_dict(),
    )
    return getattr(transformers, f"{name}Model")(config)


def _sam2(kind: str) -> Any:
    name = {"sam2": "Sam2", "edgetam": "EdgeTam"}[kind]
    sizes = [[SIDE // 4] * 2, [SIDE // 8] * 2, [SIDE // 16] * 2]
    if kind == "sam2":
        backbone = transformers.Sam2HieraDetConfig(
            hidden_size=8,
            num_attention_heads=1,
            image_size=[SIDE, SIDE],
            blocks_per_stage=[1, 1, 2, 1],
            embed_dim_per_stage=[8, 16, 32, 64],
            num_attention_heads_per_stage=[1, 2, 4, 8],
            window_size_per_stage=[8, 4, 8, 4],
            window_positional_embedding_background_size=[4, 4],
            global_attention_blocks=[3],
        ).to_dict()
        channels = [64, 32, 16, 8]
    else:
        backbone = transformers.TimmWrapperConfig(
            architecture="repvit_m0_9",
            model_args={
                "in_chans": 3,
                "features_only": True,
                "out_indices": [0, 1, 2, 3],
                "embed_dim": [8, 16, 24, 32],
                "depth": [1, 1, 1, 1],
            },
        ).to_dict()
        channels = [32, 24, 16, 8]
    vision = getattr(transformers, f"{name}VisionConfig")(
        backbone_config=backbone,
        backbone_channel_list=channels,
        backbone_feature_sizes=sizes,
        fpn_hidden_size=32,
    )
    prompts = getattr(transformers, f"{name}PromptEncoderConfig")(
        hidden_size=32, image_size=SIDE, patch_size=16, mask_input_channels=8
    )
    decoder = getattr(transformers, f"{name}MaskDecoderConfig")(
        hidden_size=32, mlp_dim=64, num_attention_heads=2, iou_head_hidden_dim=32
    )
    config = getattr(transformers, f"{name}Config")(
        vision_config=vision.to_dict(),
        prompt_encoder_config=prompts.to_dict(),
        mask_decoder_config=decoder.to_dict(),
    )
    return getattr(transformers, f"{name}Model")(config)


def network(kind: str) -> Any:
    """A small promptable network whose masks are neither empty nor full, always the same."""
    torch.manual_seed(3)
    made = _sam(kind == "sam_hq") if kind in ("sam", "sam_hq") else _sam2(kind)
    # Fresh weights give the same to every prompt; larger ones make masks and prompts matter.
    for name, value in made.named_parameters():
        if value.dim() > 1:
            torch.nn.init.normal_(value, std=1.0 / max(value[0].numel(), 1) ** 0.5)
        elif name.endswith("bias"):
            torch.nn.init.normal_(value, std=0.1)
    heads = [*made.mask_decoder.output_hypernetworks_mlps]
    if kind == "sam_hq":
        heads.append(made.mask_decoder.hq_mask_mlp)
    with torch.no_grad():
        for head in heads:
            head.proj_out.weight *= 3
            head.proj_out.bias.zero_()
    return made.eval()


def write(folder: Path, made: Any) -> Path:
    """Save a network as the hub has it: config.json and model.safetensors."""
    made.save_pretrained(folder, safe_serialization=True)
    return folder
