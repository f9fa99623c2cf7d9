"""Everything mode's recall against time: ``python -m benchmarks.everything_scaling``.

For each distance of grid points, with and without leaving out points that good masks cover:
points decoded, seconds, objects, and how many true objects of rendered towns are found. Needs no
data. Towns are rendered with seeds that no threshold was chosen on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

import rsam_core as rsam
from benchmarks.truth_recall import best_ious
from rsam_core.models.base import PromptableModel
from rsam_core.samples import render_town
from rsam_core.segment.everything import EverythingSettings, generate, initialize

STYLES = ("suburb", "estate", "village", "industrial")


class _Counting(PromptableModel):
    """A model that counts the points it decodes."""

    def __init__(self, model: PromptableModel) -> None:
        self._model, self.name, self.points = model, model.name, 0

    def encode(self, image: np.ndarray) -> object:
        return self._model.encode(image)

    def decode_many(self, features, prompts, multimask, *, quick=False, previous=None):
        self.points += len(prompts)
        return self._model.decode_many(features, prompts, multimask, quick=quick, previous=previous)


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="rsam-tiny")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--spacings", type=float, nargs="*", default=[48, 32, 22])
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--towns", type=int, default=4)
    parser.add_argument("--min-area", type=int, default=100)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = _Counting(rsam.load_model(args.model))
    segmenter = rsam.Segmenter(model)
    towns = [
        render_town(args.width, args.height, gsd=0.3, seed=900 + i, style=style)
        for i, style in enumerate(STYLES[: args.towns])
    ]
    embeddings = [segmenter.embed(town.image) for town in towns]
    print(
        f"{args.model}, {args.threads} threads, {len(towns)} towns of "
        f"{args.width} x {args.height}, objects of {args.min_area} pixels and more"
    )
    print(
        f"{'spacing':>8s}{'skip':>6s}{'grid':>7s}{'decoded':>9s}{'seconds':>9s}{'CPU s':>8s}"
        f"{'objects':>9s}{'R 0.5':>8s}{'R 0.75':>8s}"
    )
    rows = []
    for spacing in args.spacings:
        for skip in (False, True):
            settings = EverythingSettings(spacing, skip_covered=skip)
            model.points, grid, objects, best = 0, 0, 0, []
            began, worked = time.perf_counter(), time.process_time()
            states = [initialize(segmenter, e, settings) for e in embeddings]
            seconds, cpu = time.perf_counter() - began, time.process_time() - worked
            for town, state in zip(towns, states):
                found = generate(state, settings)
                grid += state.points
                objects += len(found)
                reached = best_ious(town.labels, town.classes, found, args.min_area)
                best += list(reached.values())
            reached = np.array(best)
            row = {
                "spacing": spacing,
                "skip_covered": skip,
                "grid": grid,
                "decoded": model.points,
                "seconds": round(seconds, 2),
                "cpu_seconds": round(cpu, 2),
                "objects": objects,
                "truth": len(best),
                "r50": float((reached >= 0.5).mean()),
                "r75": float((reached >= 0.75).mean()),
            }
            rows.append(row)
            print(
                f"{spacing:8g}{'yes' if skip else 'no':>6s}{grid:7d}{model.points:9d}"
                f"{seconds:9.1f}{cpu:8.1f}{objects:9d}{row['r50']:8.3f}{row['r75']:8.3f}",
                flush=True,
            )
    if args.json:
        args.json.write_text(json.dumps({"model": args.model, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
