"""Speed of a model on this machine: ``python -m benchmarks.speed``; run it with nothing else.

Encoding a view, a click in views of several sizes, and everything mode; medians and 95th
percentiles over repeated runs.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import rsam_core as rsam
from rsam_core.samples import render_town
from rsam_core.segment.everything import EverythingSettings


def times(run: Callable[[int], object], repeats: int) -> tuple[float, float]:
    """Median and 95th percentile in seconds, after one run to warm up."""
    run(0)
    taken = []
    for i in range(repeats):
        began = time.perf_counter()
        run(i + 1)
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)), float(np.percentile(taken, 95))


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="rsam-tiny")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    segmenter = rsam.Segmenter(rsam.load_model(args.model))
    print(f"{args.model}, {args.threads} threads, torch {torch.__version__}")
    print(f"{'':44s}{'median':>10s}{'95 %':>10s}")

    rows: dict[str, dict[str, float]] = {}

    def row(name: str, result: tuple[float, float]) -> None:
        rows[name] = {"median": result[0], "p95": result[1]}
        print(f"{name:44s}{result[0] * 1000:8.0f} ms{result[1] * 1000:7.0f} ms")

    rng = np.random.default_rng(0)
    for side in (256, 1024, 1536):
        image = render_town(side, side, gsd=0.3, seed=7).image
        embedding = segmenter.embed(image)
        row(f"embed {side} × {side}", times(lambda _, i=image: segmenter.embed(i), args.repeats))
        points = rng.uniform(0, side, (200, 2))
        row(
            f"one click in a {side}-pixel view",
            times(
                lambda i, e=embedding, p=points: segmenter.predict(
                    e, rsam.Prompt(points=[p[i % 200]])
                ),
                args.repeats * 4,
            ),
        )
        corners = points * 0.8
        row(
            f"one box of 60 × 40 in a {side}-pixel view",
            times(
                lambda i, e=embedding, c=corners: segmenter.predict(
                    e, rsam.Prompt(box=(*c[i % 200], *(c[i % 200] + (40, 30))))
                ),
                args.repeats * 4,
            ),
        )
    image = render_town(1270, 768, gsd=0.3, seed=7).image
    embedding = segmenter.embed(image)
    began = time.perf_counter()
    found = segmenter.everything(embedding, EverythingSettings(32))
    seconds = time.perf_counter() - began
    print(f"everything, 1270 × 768, 960 points: {seconds:.1f} s, {len(found)} objects")
    if args.json:
        everything = {"seconds": seconds, "objects": len(found)}
        args.json.write_text(json.dumps({"rows": rows, "everything": everything}, indent=1))


if __name__ == "__main__":
    main()
