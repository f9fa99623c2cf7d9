"""Small networks of transformers with random weights, written as folders as the hub has them.

Import this only where the package is installed (`pytest.importorskip`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers

SIDE, CELLS = 128, 8
PROMPTED = ("sam", "sam_hq", "sam2", "edgetam", "sam3_tracker")


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


def _tracker() -> Any:
    """SAM 3's part that answers points and boxes."""
    part = {"hidden_size": 32}
    config = transformers.Sam3TrackerConfig(
        vision_config={"model_type": "sam3_vision_model", **_sam3_vision()},
        prompt_encoder_config={
            **part,
            "image_size": SIDE,
            "patch_size": 16,
            "mask_input_channels": 8,
        },
        mask_decoder_config={
            **part,
            "mlp_dim": 64,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 32,
        },
    )
    return transformers.Sam3TrackerModel(config)


def network(kind: str) -> Any:
    """A small promptable network whose masks are neither empty nor full, always the same."""
    torch.manual_seed(3)
    if kind == "sam3_tracker":
        made = _tracker()
    else:
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
    made.save_pretrained(folder)
    return folder


def clip_tokens(folder: Path, length: int = 77) -> Any:
    """A tokenizer of single letters, as CLIP has it."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(c) for c in range(33, 127)]
    vocabulary = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    numbers = {token: i for i, token in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(numbers))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    facts = {"tokenizer_class": "CLIPTokenizer", "model_max_length": length}
    (folder / "tokenizer_config.json").write_text(json.dumps(facts))
    return transformers.CLIPTokenizer.from_pretrained(str(folder))


def bert_tokens(folder: Path) -> Any:
    """A tokenizer of a few words, as BERT has it."""
    folder.mkdir(parents=True, exist_ok=True)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?"]
    words = ["building", "car", "red", "roof", "tree", "##s", "water"]
    (folder / "vocab.txt").write_text("\n".join([*marks, *words]))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    return transformers.BertTokenizer.from_pretrained(str(folder))


_TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
_TEXT = {
    **_TOWER,
    "num_attention_heads": 2,
    "vocab_size": 190,
    "projection_dim": 32,
    "bos_token_id": 188,
    "eos_token_id": 189,
    "pad_token_id": 189,
}


def _vision(side: int) -> dict[str, Any]:
    return {**_TOWER, "num_attention_heads": 2, "image_size": side, "patch_size": 16}


def _sam3_vision() -> dict[str, Any]:
    return {
        "backbone_config": {
            "model_type": "sam3_vit_model",
            **_TOWER,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": 16,
            "window_size": 4,
            "global_attn_indexes": [1],
            "pretrain_image_size": 64,
        },
        "fpn_hidden_size": 32,
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
    }


def _sam3_model() -> Any:
    part = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.Sam3Config(
        vision_config=_sam3_vision(),
        text_config={**_TEXT, "max_position_embeddings": 32},
        geometry_encoder_config={**part, "num_layers": 1},
        detr_encoder_config={**part, "num_layers": 1},
        detr_decoder_config={**part, "num_layers": 2, "num_queries": 12},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    return transformers.Sam3Model(config)


def _grounding_model() -> Any:
    config = transformers.GroundingDinoConfig(
        backbone_config={
            "model_type": "swin",
            "embed_dim": 8,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 2, 2],
            "window_size": 4,
            "image_size": 64,
            "out_indices": [2, 3, 4],
        },
        text_config={
            "model_type": "bert",
            **_TOWER,
            "num_attention_heads": 2,
            "vocab_size": 14,
            "max_position_embeddings": 64,
        },
        num_queries=20,
        encoder_layers=1,
        encoder_ffn_dim=64,
        encoder_attention_heads=2,
        decoder_layers=2,
        decoder_ffn_dim=64,
        decoder_attention_heads=2,
        d_model=32,
        max_text_len=32,
    )
    return transformers.GroundingDinoForObjectDetection(config)


def _clipseg_model() -> Any:
    config = transformers.CLIPSegConfig(
        text_config={**_TEXT, "max_position_embeddings": 77},
        vision_config=_vision(64),
        projection_dim=32,
        extract_layers=[0, 1],
        reduce_dim=16,
        decoder_intermediate_size=32,
        decoder_num_attention_heads=2,
        conditional_layer=0,
    )
    return transformers.CLIPSegForImageSegmentation(config)


def _clip_model() -> Any:
    config = transformers.CLIPConfig(
        text_config={**_TEXT, "max_position_embeddings": 77},
        vision_config=_vision(64),
        projection_dim=32,
    )
    return transformers.CLIPModel(config)


def words_folder(folder: Path, kind: str) -> Path:
    """A small model of words with its tokenizer and image processor, as the hub has it."""
    torch.manual_seed(3)
    makers = {
        "sam3": _sam3_model,
        "grounding-dino": _grounding_model,
        "clipseg": _clipseg_model,
        "clip": _clip_model,
    }
    made = makers[kind]().eval()
    with torch.no_grad():
        for name, value in made.named_parameters():
            if value.dim() > 1 and "logit" not in name:
                torch.nn.init.normal_(value, std=1.0 / max(value[0].numel(), 1) ** 0.5)
        if kind == "clipseg":
            # So that a word applies here and there.
            made.decoder.transposed_convolution.weight *= 30
    if kind == "sam3":
        sizes = transformers.Sam3ImageProcessor(size={"height": 128, "width": 128})
        processor = transformers.Sam3Processor(sizes, clip_tokens(folder, 32))
    elif kind == "grounding-dino":
        sizes = transformers.GroundingDinoImageProcessor(
            size={"shortest_edge": 64, "longest_edge": 120}
        )
        processor = transformers.GroundingDinoProcessor(sizes, bert_tokens(folder))
    elif kind == "clipseg":
        sizes = transformers.ViTImageProcessor(size={"height": 64, "width": 64})
        processor = transformers.CLIPSegProcessor(sizes, clip_tokens(folder))
    else:
        sizes = transformers.CLIPImageProcessor(
            size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}
        )
        processor = transformers.CLIPProcessor(sizes, clip_tokens(folder))
    made.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
