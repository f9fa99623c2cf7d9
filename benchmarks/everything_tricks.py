"""What each way of saving time gives: ``python -m benchmarks.everything_tricks``.

A ViT-B with random weights, 1024 × 1024. Times are processor time on one thread, which other
work on the machine disturbs least; medians. `--no-encoder` leaves out the encoder, which takes
most of the time.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from segment_anything.utils.amg import (
    batched_mask_to_box,
    calculate_stability_score,
    mask_to_rle_pytorch,
)

import rsam_core as rsam
from benchmarks.everything_official import random_vit, thresholds
from benchmarks.official_generator import towns
from rsam_core.models import linear as products
from rsam_core.models.base import MaskFilter
from rsam_core.models.sam.decoder import FastDecoder
from rsam_core.models.sam.encoder import FastEncoder
from rsam_core.models.sam.model import SamFeatures, SamModel
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.everything import grid_points


def cpu(work: Callable[[], Any], times: int) -> float:
    """Processor time of a function in milliseconds, median."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return 1000 * float(np.median(spent))


@contextmanager
def without_onednn() -> Iterator[None]:
    """Let all products go the usual way."""
    kept, products.has_onednn = products.has_onednn, lambda: False
    try:
        yield
    finally:
        products.has_onednn = kept


class Table:
    """Prints rows as they come and keeps them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, part: str, what: str, milliseconds: float, first: float | None = None) -> float:
        """One row; `first` is the time that it is compared with."""
        gain = first / milliseconds if first else 1.0
        self.rows.append({"part": part, "what": what, "ms": milliseconds, "times": gain})
        print(f"{part:10s}{what:58s}{milliseconds:10.1f} ms{gain:7.1f} ×", flush=True)
        return milliseconds


def encoder(table: Table, sam: Any, pixels: torch.Tensor) -> torch.Tensor:
    """The image encoder, the official way and in pieces; its answer in half precision."""
    quick = FastEncoder(sam)
    with torch.inference_mode():
        first = table.add("embed", "official", cpu(lambda: sam.image_encoder(pixels), 1))
        with without_onednn():
            table.add("embed", "in pieces that fit the cache", cpu(lambda: quick(pixels), 1), first)
        table.add("embed", "and products by oneDNN", cpu(lambda: quick(pixels), 2), first)
        exact = sam.image_encoder(pixels)
        ours = quick(pixels)
        halved = copy.deepcopy(sam.image_encoder).bfloat16()
        spent = cpu(lambda: halved(pixels.bfloat16()), 1)
        table.add("embed", "instead: official in bfloat16 (not used)", spent, first)
        rough = halved(pixels.bfloat16()).float()
        scale = exact.abs().mean()
        print(
            f"mean error of the embedding: in pieces {(ours - exact).abs().mean() / scale:.1e}, "
            f"in bfloat16 {(rough - exact).abs().mean() / scale:.1e} of the mean value"
        )
    return rough


def decoder(table: Table, sam: Any, model: SamModel, features: SamFeatures, points: int) -> None:
    """The mask decoder, per prompt."""
    quick, place = FastDecoder(sam), sam.prompt_encoder.get_dense_pe()
    where = grid_points((1024, 1024), 1024 / points**0.5)
    coordinates = torch.tensor(where, dtype=torch.float32)[:, None]
    with torch.inference_mode():
        sparse, dense = sam.prompt_encoder(
            (coordinates, torch.ones(len(where), 1, dtype=torch.int)), None, None
        )

        def official(batch: int) -> Callable[[], Any]:
            return lambda: sam.mask_decoder(
                features.embedding, place, sparse[:batch], dense[:batch], True
            )

        for batch, times in ((64, 1), (2, 7)):
            spent = cpu(official(batch), times) / batch
            if batch == 64:
                first = spent
            table.add("decode", f"official, {batch} prompts at once", spent, first)

        def ours(batch: int, draw: bool) -> Callable[[], None]:
            def run() -> None:
                looked = quick.look(features.side, sparse[:batch])
                for index in range(batch if draw else 0):
                    quick.draw(looked, index, [1, 2, 3])

            return run

        with without_onednn():
            spent = cpu(ours(4, True), 7) / 4
            table.add("decode", "weights on the tokens' side, first layer shared", spent, first)
        spent = cpu(ours(4, True), 9) / 4
        table.add("decode", "and products by oneDNN", spent, first)
        for batch in (1, 2, 4, 8, 16):
            spent = cpu(ours(batch, False), 9) / batch
            table.add("decode", f"and no masks drawn, {batch} at once", spent, first)


def finishing(table: Table, sam: Any, model: SamModel, features: SamFeatures) -> None:
    """From logits to masks of the view, for each prompt."""
    points = grid_points((1024, 1024), 64)
    settings = thresholds(model, features, points[:24])
    prompts = [Prompt(points=point[None]) for point in points[:32]]
    answers = model.decode_many(features, prompts, True)
    logits = torch.from_numpy(np.stack([answer.lowres for answer in answers]))
    with torch.inference_mode():

        def official() -> None:
            masks = sam.postprocess_masks(logits, (1024, 1024), (1024, 1024)).flatten(0, 1)
            stable = calculate_stability_score(masks, sam.mask_threshold, 1.0)
            hard = masks > sam.mask_threshold
            batched_mask_to_box(hard)
            scores = np.concatenate([answer.scores for answer in answers])
            good = (stable >= settings.min_stability).numpy() & (scores >= settings.min_quality)
            mask_to_rle_pytorch(hard[torch.from_numpy(good)])

        first = table.add("masks", "official: all enlarged", cpu(official, 2) / len(prompts))

        def ours(wanted: MaskFilter | None, count: int) -> Callable[[], Any]:
            chosen = [
                (torch.from_numpy(answer.lowres), torch.from_numpy(answer.scores))
                for answer in answers[:count]
            ]

            def run() -> None:
                for maps, scores in chosen:
                    good = scores >= (wanted.quality if wanted else -9)
                    if good.any():
                        model._decoded(features, maps[good], scores[good])

            return run

        spent = cpu(ours(None, 32), 3) / 32
        table.add("masks", "cropped, then enlarged", spent, first)
        spent = cpu(ours(MaskFilter(settings.min_quality), 32), 3) / 32
        table.add("masks", "and only those whose predicted IoU is enough", spent, first)

    whole = None
    for name, wanted in (
        ("all masks drawn and enlarged", MaskFilter(0, 0)),
        ("dropped by predicted IoU before they are drawn", MaskFilter(settings.min_quality)),
        (
            "and by stability before they are enlarged",
            MaskFilter(settings.min_quality, settings.min_stability),
        ),
    ):
        spent = cpu(lambda w=wanted: model.decode_many(features, prompts, True, quick=w), 3) / 32
        table.add("in all", name, spent, whole)
        whole = whole or spent


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-encoder", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    sam = random_vit()
    model = SamModel(sam, "sam-vit-b", device="cpu")
    image = next(towns(1, 1024, 1024))[1]
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
    features = rsam.Segmenter(model).embed(image).features
    table = Table()
    decoder(table, sam, model, features, 64)
    finishing(table, sam, model, features)
    if not args.no_encoder:
        rough = encoder(table, sam, sam.preprocess(pixels))
        masks(model, features, rough)
    if args.json:
        args.json.write_text(json.dumps({"rows": table.rows}, indent=2))


def masks(model: SamModel, features: SamFeatures, rough: torch.Tensor) -> None:
    """How much masks change if the embedding was made in half precision."""
    prompts = [Prompt(points=point[None]) for point in grid_points((1024, 1024), 128)[:24]]
    other = SamFeatures(
        rough, features.view_size, features.input_size, model._quick.image_side(rough)
    )
    ious = []
    for exact, changed in zip(
        model.decode_many(features, prompts, True), model.decode_many(other, prompts, True)
    ):
        threshold = model._sam.mask_threshold
        one, two = exact.lowres > threshold, changed.lowres > threshold
        union = (one | two).sum((1, 2))
        ious += ((one & two).sum((1, 2))[union > 0] / union[union > 0]).tolist()
    print(
        f"masks from the bfloat16 embedding: median IoU {np.median(ious):.3f} with the exact "
        f"ones, {np.mean(np.array(ious) < 0.95):.0%} below 0.95 (random weights)"
    )


if __name__ == "__main__":
    main()
