"""Everything mode over large scenes: ``python -m benchmarks.tiled [--sides 1024 2048] [--full]``.

Rendered towns of different seeds are put side by side. Measured are the time by area (with the
line fitted to it), peak memory, how long a cancel takes, the time that the sliders take, and
what tiles find against what one embedding of the whole scene finds. Needs no data.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import threading
import time
from pathlib import Path

import numpy as np
import torch

import rsam_core as rsam
from benchmarks.truth_recall import recall
from rsam_core.samples import render_town
from rsam_core.segment.everything import EverythingSettings, generate, initialize
from rsam_core.segment.tiles.run import initialize_tiled

BLOCK = 1024
STYLES = ("suburb", "estate", "town", "industrial", "village", "farmland", "informal", "harbour")


def mosaic(width: int, height: int, variety: int = 8) -> np.ndarray:
    """A picture of towns of up to ``variety`` seeds and styles, each 1024 pixels wide."""
    towns: dict[int, np.ndarray] = {}
    image = np.empty((height, width, 3), np.uint8)
    for index, (y, x) in enumerate(
        (y, x) for y in range(0, height, BLOCK) for x in range(0, width, BLOCK)
    ):
        kind = index % variety
        if kind not in towns:
            style = STYLES[kind % len(STYLES)]
            towns[kind] = render_town(BLOCK, BLOCK, gsd=0.3, seed=40 + kind, style=style).image
        part = image[y : y + BLOCK, x : x + BLOCK]
        part[...] = towns[kind][: part.shape[0], : part.shape[1]]
    return image


def peak_mb() -> float:
    """Largest memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def by_area(segmenter: rsam.Segmenter, sides: list[int], settings: EverythingSettings) -> dict:
    """Time and memory of square scenes, and the line through the times."""
    print(
        f"{'side':>6s}{'tiles':>7s}{'points':>8s}{'masks':>8s}{'objects':>9s}"
        f"{'seconds':>9s}{'CPU s':>8s}{'CPU/Mpx':>8s}"
        f"{'generate':>10s}{'masks MB':>10s}{'peak MB':>9s}"
    )
    rows = []
    for side in sides:
        image = mosaic(side, side)
        began, worked = time.perf_counter(), time.process_time()
        state = initialize_tiled(segmenter, image, settings=settings)
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
        objects = generate(state, settings)
        began = time.perf_counter()
        generate(state, settings)
        again = time.perf_counter() - began
        row = {
            "side": side,
            "tiles": len(state.plan.tiles),
            "points": state.points,
            "masks": len(state.masks),
            "objects": len(objects),
            "seconds": round(seconds, 2),
            "cpu_seconds": round(cpu, 2),
            "cpu_seconds_per_mpx": round(cpu / side**2 * 1e6, 2),
            "generate_seconds": round(again, 3),
            "masks_mb": round(state.masks.nbytes / 1e6, 2),
            "image_mb": round(image.nbytes / 1e6, 1),
            "peak_mb": round(peak_mb()),
        }
        rows.append(row)
        print(
            f"{side:6d}{row['tiles']:7d}{row['points']:8d}{row['masks']:8d}{row['objects']:9d}"
            f"{seconds:9.1f}{cpu:8.1f}{row['cpu_seconds_per_mpx']:8.2f}{again:8.2f} s"
            f"{row['masks_mb']:10.2f}{row['peak_mb']:9d}",
            flush=True,
        )
    result = {"rows": rows}
    if len(rows) >= 3:
        area = np.array([r["side"] ** 2 / 1e6 for r in rows])
        # Processor seconds: the wall clock also counts what else the machine does.
        taken = np.array([r["cpu_seconds"] for r in rows])
        slope, start = np.polyfit(area, taken, 1)
        rest = taken - slope * area - start
        r2 = 1 - float((rest**2).sum() / ((taken - taken.mean()) ** 2).sum())
        # On a double logarithmic scale the slope is the power of the area.
        power = float(np.polyfit(np.log(area), np.log(taken), 1)[0])
        print(
            f"CPU seconds = {slope:.2f} x megapixels + {start:.2f}, R² {r2:.4f}; power {power:.3f}"
        )
        result |= {"slope": slope, "intercept": start, "r2": r2, "power": power}
    return result


def cancel_latency(segmenter: rsam.Segmenter, settings: EverythingSettings, runs: int) -> dict:
    """Seconds from asking for the end to the end, asked at different moments."""
    image = mosaic(2048, 1024, 2)
    waits = []
    for run in range(runs):
        stop = threading.Event()
        ended: list[float] = []

        def work(stop: threading.Event = stop, ended: list[float] = ended) -> None:
            initialize_tiled(segmenter, image, settings=settings, cancelled=stop.is_set)
            ended.append(time.perf_counter())

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.1 + 0.35 * run)
        asked = time.perf_counter()
        stop.set()
        thread.join()
        waits.append(ended[0] - asked)
    result = {"median": float(np.median(waits)), "worst": max(waits), "runs": runs}
    print(f"cancel: median {result['median']:.2f} s, worst {result['worst']:.2f} s of {runs}")
    return result


def slider_time(count: int) -> dict:
    """Seconds of `generate` for many masks: discs of all sizes, three near-doubles of each."""
    from rsam_core.objects.instance import Instance
    from rsam_core.objects.packed_masks import PackedMasks
    from rsam_core.segment.tiles.run import make_plan
    from rsam_core.segment.tiles.state import TiledState

    class Blank:
        width = height = 6000

    rng = np.random.default_rng(0)
    plan = make_plan(Blank(), None, 32.0)
    items, owners = [], []
    for _ in range(count // 3):
        x, y, radius = *rng.uniform(60, 5900, 2), rng.uniform(4, 45)
        tile = next(
            i
            for i, t in enumerate(plan.tiles)
            if 0 <= x - t.core.x < t.core.width and 0 <= y - t.core.y < t.core.height
        )
        for change in (1, 0.9, 0.7):
            r = radius * change
            rows, columns = np.ogrid[-r:r:1, -r:r:1]
            mask = rows**2 + columns**2 <= r * r
            items.append(Instance(mask, int(x - r), int(y - r), float(rng.uniform(0.3, 1))))
            owners.append(tile)
    order = np.argsort([-m.score for m in items], kind="stable")
    state = TiledState(
        PackedMasks.pack([items[i] for i in order]),
        np.full(len(items), 0.9, np.float32),
        (6000, 6000),
        plan.total,
        True,
        np.array(owners)[order],
        plan,
        tuple(range(len(plan.tiles))),
        (),
    )
    wall, cpu = [], []
    for quality in (0.3, 0.4, 0.5, 0.6, 0.7):
        began, worked = time.perf_counter(), time.process_time()
        found = generate(state, EverythingSettings(min_quality=quality))
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - worked)
    result = {"masks": len(items), "seconds_worst": max(wall), "cpu_seconds_worst": max(cpu)}
    print(
        f"generate, {len(items)} masks: {min(wall):.2f} to {max(wall):.2f} s, of the processor "
        f"{min(cpu):.2f} to {max(cpu):.2f} s ({len(found)} objects at quality 0.7)"
    )
    return result


def against_whole(
    segmenter: rsam.Segmenter,
    settings: EverythingSettings,
    size: int,
    shape: tuple[int, int],
) -> dict:
    """What tiles find against what one embedding of the whole scene finds."""
    sample = render_town(*shape, gsd=0.3, seed=21, style="suburb")
    result: dict = {"scene": shape, "tile": size}
    sets = {}
    for name in ("whole", "tiled"):
        began = time.perf_counter()
        if name == "whole":
            state = initialize(segmenter, segmenter.embed(sample.image), settings)
        else:
            state = initialize_tiled(segmenter, sample.image, settings=settings, size=size)
        seconds = time.perf_counter() - began
        sets[name] = generate(state, settings)
        found = recall(sample.labels, sample.classes, sets[name], 100)
        result[name] = {"seconds": round(seconds, 1), "objects": len(sets[name]), **found}
        print(
            f"{name:6s} {seconds:6.1f} s, {len(sets[name])} objects, recall of "
            f"{found['truth']} at IoU 0.5 / 0.75: {found['r50']:.3f} / {found['r75']:.3f}"
        )
    for one, other in (("whole", "tiled"), ("tiled", "whole")):
        share = partners(sets[one], sets[other])
        result[f"{one}_in_{other}"] = share
        print(f"objects of {one} with a partner of IoU 0.5 in {other}: {share:.3f}")
    return result


def partners(first: rsam.Instances, second: rsam.Instances, limit: float = 0.5) -> float:
    """Share of the first objects that have a partner of at least this IoU among the second."""
    from rsam_core.objects.crops import shared_pixels

    boxes, hits = second.bboxes, 0
    for item in first:
        x0, y0, x1, y1 = item.bbox
        near = np.flatnonzero(
            (boxes[:, 0] < x1) & (boxes[:, 2] > x0) & (boxes[:, 1] < y1) & (boxes[:, 3] > y0)
        )
        for k in near:
            shared = shared_pixels(item, second[int(k)])
            if shared >= limit * (item.area + second[int(k)].area - shared):
                hits += 1
                break
    return hits / max(len(first), 1)


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="rsam-tiny")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--spacing", type=float, default=32.0)
    parser.add_argument("--sides", type=int, nargs="*", default=[1024, 2048, 3072, 4096])
    parser.add_argument("--full", action="store_true", help="also a scene of 12,000 x 12,000")
    parser.add_argument("--cancels", type=int, default=6)
    parser.add_argument("--no-whole", action="store_true", help="skip tiles against whole")
    parser.add_argument("--size", type=int, default=1024, help="side of a tile against whole")
    parser.add_argument("--whole", type=int, nargs=2, default=(2048, 1024), metavar=("W", "H"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    segmenter = rsam.Segmenter(rsam.load_model(args.model))
    settings = EverythingSettings(args.spacing)
    print(
        f"{args.model}, {args.threads} threads, torch {torch.__version__}, "
        f"grid spacing {args.spacing:g}"
    )
    results: dict = {
        "model": args.model,
        "threads": args.threads,
        "torch": torch.__version__,
        "machine": platform.processor() or platform.machine(),
        "spacing": args.spacing,
    }
    sides = [*args.sides, *([12_000] if args.full else [])]
    if sides:
        results["by_area"] = by_area(segmenter, sides, settings)
    results["sliders"] = slider_time(10_000)
    if args.cancels:
        results["cancel"] = cancel_latency(segmenter, settings, args.cancels)
    if not args.no_whole:
        results["whole"] = against_whole(segmenter, settings, args.size, tuple(args.whole))
    if args.json:
        args.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
