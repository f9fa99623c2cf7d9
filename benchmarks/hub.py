"""Time of models of the hub beside SAM ViT-B: ``python -m benchmarks.hub``, with nothing else.

One embedding of a view of 1024² pixels, and sixteen boxes outlined in it. Weights are random,
which time does not depend on. The models take turns, so that all meet the same machine.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import transformers

from rsam_core.models.base import PromptableModel
from rsam_core.models.hub.loading import image_processor
from rsam_core.models.hub.promptable import HubModel
from rsam_core.models.sam.model import BUILDERS, SamModel
from rsam_core.prompts.prompt import Prompt
from rsam_core.samples import render_town

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {},
    "small": {"blocks_per_stage": [1, 2, 11, 2], "global_attention_blocks": [7, 10, 13]},
    "base-plus": {
        "hidden_size": 112,
        "num_attention_heads": 2,
        "blocks_per_stage": [2, 3, 16, 3],
        "embed_dim_per_stage": [112, 224, 448, 896],
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "global_attention_blocks": [12, 16, 20],
        "window_positional_embedding_background_size": [14, 14],
    },
    "large": {
        "hidden_size": 144,
        "num_attention_heads": 2,
        "blocks_per_stage": [2, 6, 36, 4],
        "embed_dim_per_stage": [144, 288, 576, 1152],
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "window_size_per_stage": [8, 4, 16, 8],
        "global_attention_blocks": [23, 33, 43],
    },
}
"""Hiera's published sizes, as far as they differ from the package's defaults."""


def sam2(size: str) -> HubModel:
    """SAM 2.1 of a published size with random weights."""
    changes = SIZES[size]
    backbone = transformers.Sam2HieraDetConfig(**changes)
    vision = transformers.Sam2VisionConfig(
        backbone_config=backbone.to_dict(),
        backbone_channel_list=list(backbone.embed_dim_per_stage)[::-1],
    )
    return _hub("sam2", transformers.Sam2Model(transformers.Sam2Config(vision_config=vision)))


def edgetam() -> HubModel:
    """EdgeTAM with random weights."""
    backbone = transformers.TimmWrapperConfig(
        architecture="repvit_m1",
        model_args={"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]},
    )
    vision = transformers.EdgeTamVisionConfig(backbone_config=backbone.to_dict())
    config = transformers.EdgeTamConfig(vision_config=vision)
    return _hub("edgetam", transformers.EdgeTamModel(config))


def _hub(kind: str, network: Any) -> HubModel:
    network = network.eval().requires_grad_(False)
    return HubModel(network, image_processor("/nowhere", kind, network), kind)


MODELS: dict[str, Callable[[], PromptableModel]] = {
    "SAM ViT-B": lambda: SamModel(BUILDERS["vit_b"](), "sam-vit-b", device="cpu"),
    **{f"SAM 2.1 {size}": lambda size=size: sam2(size) for size in SIZES},
    "EdgeTAM": edgetam,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    image = render_town(1024, 1024, gsd=0.3, seed=7).image
    corners = np.random.default_rng(0).uniform(100, 800, (16, 2))
    boxes = [Prompt(box=(x, y, x + 90, y + 70)) for x, y in corners]
    models = {name: MODELS[name]() for name in args.models}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for turn in range(args.repeats + 1):
        for name, model in models.items():
            began = time.perf_counter()
            features = model.encode(image)
            middle = time.perf_counter()
            model.decode_many(features, boxes, False)
            if turn:
                taken[name].append((middle - began, (time.perf_counter() - middle) / len(boxes)))
    print(f"{args.threads} threads, torch {torch.__version__}, {args.repeats} turns, medians")
    print(f"{'':20s}{'weights':>10s}{'1024²':>12s}{'a box':>12s}{'of ViT-B':>10s}")
    first = np.median(taken[next(iter(taken))], axis=0)[0]
    for name, model in models.items():
        network = model._sam if isinstance(model, SamModel) else model.network
        count = sum(p.numel() for p in network.parameters()) / 1e6
        embed, box = np.median(taken[name], axis=0)
        print(f"{name:20s}{count:8.1f} M{embed:10.2f} s{box * 1000:9.0f} ms{embed / first:9.2f}")


if __name__ == "__main__":
    main()
