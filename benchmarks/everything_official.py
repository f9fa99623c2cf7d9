"""Everything mode beside the official generator: ``python -m benchmarks.everything_official``.

``quality``: rsam-tiny behind SAM's interface in `SamAutomaticMaskGenerator` and in RSAM's
generator, same images, grid and thresholds: masks without a partner, recall of the truth.
``time``: a ViT-B with random weights in both, one image, same grid and thresholds: seconds to
embed, to decode, and whether the masks are the same; then in all, by a grid of 1,024 points and
by the boxes that rsam-tiny proposes (its own time is counted).
``recall``: recall against seconds for several grids; with rsam-tiny.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import rsam_core as rsam
from benchmarks.official_generator import (
    BOX_NMS,
    as_instances,
    mosaics,
    official_generator,
    partners,
    peer_generator,
    towns,
)
from benchmarks.truth_recall import best_ious
from rsam_core.models.base import MaskFilter
from rsam_core.models.sam.model import SamModel
from rsam_core.objects.instance import Instance
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.everything import (
    EverythingSettings,
    EverythingState,
    generate,
    grid_points,
    initialize,
    settings_for,
)
from rsam_core.segment.everything_settings import MAX_PROPOSALS
from rsam_core.segment.proposals import initialize_by_boxes, propose_boxes

DATA = Path(__file__).resolve().parents[2] / "shared/data/validation/buildings/banepa_np"

SHARE = 0.15
"""Masks that shall pass the thresholds on predicted IoU and stability with random weights."""


OBJECT = 0.03
"""Share of the image that a mask shall cover with random weights: a large roof's."""


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What a function returns, and its seconds."""
    result, (seconds, _) = spent(work)
    return result, seconds


def spent(work: Callable[[], Any]) -> tuple[Any, np.ndarray]:
    """What a function returns, its seconds, and those of the processor's cores together."""
    began = time.perf_counter(), time.process_time()
    result = work()
    return result, np.array([time.perf_counter() - began[0], time.process_time() - began[1]])


def images(args: argparse.Namespace) -> list[tuple[str, np.ndarray, np.ndarray, list[int]]]:
    """Rendered towns, and mosaics of real tiles where they are there."""
    found = list(towns(args.towns, 512, 384))
    if DATA.exists():
        return found + list(mosaics(DATA, args.mosaics, 2))
    print(f"{DATA} is not there: towns only")
    return found


def open_settings(**changes: float) -> EverythingSettings:
    """rsam-tiny's thresholds, without those that the official generator does not have."""
    return replace(settings_for("rsam-tiny"), max_overlap=0.7, min_area=0, max_share=1.0, **changes)


def recall_at(
    labels: np.ndarray, ids: list[int], objects: list[Instance], min_area: int = 100
) -> np.ndarray:
    """Best IoU of each true object, shape (N,)."""
    return np.array(list(best_ious(labels, ids, objects, min_area).values()))


def quality(args: argparse.Namespace) -> dict[str, Any]:
    """Same weights, image, grid and thresholds in both generators."""
    model = rsam.load_model("rsam-tiny")
    segmenter = rsam.Segmenter(model)
    settings = open_settings(min_stability=args.stability, propose=False)
    print(
        f"{'image':16s}{'official':>9s}{'RSAM':>6s}{'missing':>9s}{'same rule':>11s}{'truth':>7s}"
        f"{'official R50':>13s}{'R75':>7s}{'RSAM R50':>10s}{'R75':>7s}{'all R50':>9s}{'R75':>7s}"
    )
    rows: list[dict[str, Any]] = []
    missing, wanted = np.zeros(2, int), 0
    reached: dict[str, list[np.ndarray]] = {"official": [], "rsam": [], "all": []}
    for name, image, labels, ids in images(args):
        generator = official_generator(None, image.shape[:2], settings, tiny=model)
        theirs = as_instances(generator.generate(image))
        state = initialize(segmenter, segmenter.embed(image), settings)
        ours = list(generate(state, settings))
        lost = int((partners(theirs, ours) < 0.95).sum())
        alike = int((partners(theirs, by_boxes(state, settings)) < 0.95).sum())
        missing += (lost, alike)
        wanted += len(theirs)
        count = min(len(theirs), len(ours))
        best = {
            "official": recall_at(labels, ids, theirs[:count]),
            "rsam": recall_at(labels, ids, ours[:count]),
            "all": recall_at(labels, ids, ours),
        }
        row = {"image": name, "official": len(theirs), "rsam": len(ours), "missing": lost}
        row["missing_same_rule"] = alike
        row["truth"] = len(best["rsam"])
        for who, values in best.items():
            reached[who].append(values)
            row |= {f"{who}_r{t}": float((values >= t / 100).mean()) for t in (50, 75)}
        rows.append(row)
        print(
            f"{name:16s}{len(theirs):9d}{len(ours):6d}{lost:9d}{alike:11d}{row['truth']:7d}"
            f"{row['official_r50']:13.3f}{row['official_r75']:7.3f}{row['rsam_r50']:10.3f}"
            f"{row['rsam_r75']:7.3f}{row['all_r50']:9.3f}{row['all_r75']:7.3f}",
            flush=True,
        )
    total = {who: np.concatenate(values) for who, values in reached.items()}
    own, same = missing.tolist()
    print(
        f"Of {wanted} masks of the official generator {own} ({own / wanted:.1%}) have no partner "
        f"of IoU 0.95 in RSAM's; {same} ({same / wanted:.1%}) if RSAM, too, suppresses by boxes. "
        "Recall over all images, at the same number of masks: "
        + ", ".join(
            f"{who} {(values >= 0.5).mean():.3f} / {(values >= 0.75).mean():.3f}"
            for who, values in total.items()
        )
    )
    return {"rows": rows, "missing": own, "missing_same_rule": same, "official": wanted}


def by_boxes(state: EverythingState, settings: EverythingSettings) -> list[Instance]:
    """What passes the thresholds, suppressed by the IoU of boxes, as the official generator does.

    RSAM compares masks: of two that have one box between them, such as a roof and its courtyard,
    it keeps both, and of a mask and a slightly smaller one it keeps the better.
    """
    from torchvision.ops import nms

    passed = np.flatnonzero(
        (state.scores > settings.min_quality) & (state.stability >= settings.min_stability)
    )
    boxes = torch.tensor(state.boxes[passed], dtype=torch.float32).reshape(-1, 4)
    kept = nms(boxes, torch.tensor(state.scores[passed], dtype=torch.float32), BOX_NMS)
    return [state.masks[passed[i]] for i in kept.tolist()]


def random_vit() -> Any:
    """A ViT-B with random weights whose masks are neither empty nor full."""
    from segment_anything import sam_model_registry

    torch.manual_seed(0)
    sam = sam_model_registry["vit_b"](checkpoint=None).eval().requires_grad_(False)
    for block in sam.image_encoder.blocks:
        # Fresh ones are zero, and would make a part of the work invisible.
        torch.nn.init.normal_(block.attn.rel_pos_h, std=0.02)
        torch.nn.init.normal_(block.attn.rel_pos_w, std=0.02)
    torch.nn.init.normal_(sam.image_encoder.pos_embed, std=0.2)
    for mlp in sam.mask_decoder.output_hypernetworks_mlps:
        mlp.layers[-1].weight.data *= 5000
        mlp.layers[-1].bias.data.zero_()
    return sam


def thresholds(model: SamModel, features: Any, points: np.ndarray) -> EverythingSettings:
    """Thresholds that about `SHARE` of the masks pass, most failing by quality.

    The threshold on logits is set, too: masks of random weights would fill half of the image.
    """
    prompts = [Prompt(points=point[None]) for point in points]
    answers = model.decode_many(features, prompts, True)
    scores = np.concatenate([answer.scores for answer in answers])
    # Predicted IoU of random weights may be negative: the last layer's bias lifts all alike.
    shift = max(0.0, 0.26 - float(scores.min()))
    model._sam.mask_decoder.iou_prediction_head.layers[-1].bias.data += shift
    lowest = float(np.quantile(scores, 1 - 1.5 * SHARE)) + shift
    logits = np.concatenate([answer.lowres for answer in answers])[scores + shift >= lowest]
    model._sam.mask_threshold = float(np.quantile(logits, 1 - OBJECT))
    answers = model.decode_many(features, prompts, True, quick=MaskFilter(lowest))
    stability = np.concatenate([answer.stability for answer in answers])
    least = float(np.quantile(stability[stability > 0], 0.25))
    return EverythingSettings(
        min_quality=lowest,
        min_stability=least,
        max_overlap=0.7,
        min_area=0,
        max_share=1.0,
        keep_quality=lowest,
        keep_stability=least,
    )


def speed(args: argparse.Namespace) -> dict[str, Any]:
    """A ViT-B with random weights in both generators."""
    sam = random_vit()
    model = SamModel(sam, "sam-vit-b", device="cpu")
    segmenter = rsam.Segmenter(model)
    image = next(towns(1, 1024, 1024))[1]
    embedding, ours_embed = spent(lambda: segmenter.embed(image))
    probe = grid_points((1024, 1024), 64)[:24]
    settings = replace(thresholds(model, embedding.features, probe), spacing=1024 / args.side)
    points = args.side**2

    generator = official_generator(sam, (1024, 1024), settings)
    _, theirs_embed = spent(lambda: generator.predictor.set_image(image))
    generator.predictor.set_image = _keep(generator.predictor)
    records, theirs = spent(lambda: generator.generate(image))
    wanted = as_instances(records)

    def everything() -> tuple[EverythingState, list[Instance]]:
        state = initialize(segmenter, embedding, settings)
        return state, list(generate(state, settings))

    (state, found), ours = spent(everything)
    lost = int((partners(wanted, found) < 0.95).sum())
    alike = int((partners(wanted, by_boxes(state, settings)) < 0.95).sum())
    print(
        f"ViT-B, random weights, 1024 x 1024, {args.threads} threads, {points} points, "
        f"{len(state.masks)} of {3 * points} masks pass ({len(state.masks) / 3 / points:.0%})"
    )
    rows = [("embed", theirs_embed, ours_embed), (f"{points} points", theirs, ours)]
    if args.side < 32:
        full = replace(settings, spacing=32)
        _, ours_full = spent(lambda: generate(initialize(segmenter, embedding, full), full))
        rows.append(("1024 points", theirs * 1024 / points, ours_full))
        print(f"the official generator's time for 1024 points is that for {points}, scaled up")
    slow, quick = rows[-1][1:]
    rows.append(("all", theirs_embed + slow, ours_embed + quick))
    full, small = replace(settings, spacing=32), rsam.Segmenter(rsam.load_model("rsam-tiny"))
    warm(small.model, image[:256, :256])
    for spacing in (32.0, 48.0):
        asked = settings_for("rsam-tiny", spacing=spacing)
        boxes, first = spent(lambda asked=asked: propose_boxes(small, image, settings=asked))
        _, second = spent(
            lambda boxes=boxes: generate(
                initialize_by_boxes(segmenter, embedding, boxes, full), full
            )
        )
        name = f"by {len(boxes)} boxes"
        rows.append((name, theirs_embed + slow, ours_embed + first + second))
    heads = ("official", "RSAM", "times", "CPU: official", "RSAM", "times")
    print(f"{'':14s}" + "".join(f"{head:>14s}" for head in heads))
    for name, slow, quick in rows:
        cells = (slow[0], quick[0], slow[0] / quick[0], slow[1], quick[1], slow[1] / quick[1])
        print(f"{name:14s}" + "".join(f"{cell:14.1f}" for cell in cells))
    print(
        f"{len(wanted)} masks official, {len(found)} RSAM; {lost} of the official ones without a "
        f"partner of IoU 0.95, {alike} if RSAM, too, suppresses by boxes"
    )
    result = {
        "points": points,
        "official_masks": len(wanted),
        "rsam_masks": len(found),
        "missing": lost,
        "missing_same_rule": alike,
        "rows": [
            {
                "what": name,
                "official_s": slow[0],
                "rsam_s": quick[0],
                "official_cpu_s": slow[1],
                "rsam_cpu_s": quick[1],
            }
            for name, slow, quick in rows
        ],
    }
    if args.peer:
        peer = peer_generator(generator, args.peer)
        _, seconds = spent(lambda: peer.generate(image, unique=True))
        print(
            f"segment-geospatial around the official generator, {points} points: "
            f"{seconds[0]:.1f} s, {seconds[1]:.1f} s of CPU"
        )
        result["peer_s"], result["peer_cpu_s"] = seconds.tolist()
    return result


def _keep(predictor: Any) -> Callable[[np.ndarray], None]:
    """Stand for `set_image` once the image is set: the embedding is timed apart."""
    predictor.reset_image = lambda: None
    return lambda image: None


def warm(model: Any, image: np.ndarray) -> None:
    """Decode once, so that libraries are loaded and features averaged before anything is timed."""
    features = model.encode(image)
    model.decode_many(features, [Prompt(points=[(40, 40)])], True, quick=MaskFilter())
    if model.proposes:
        segmenter = rsam.Segmenter(model)
        initialize(segmenter, segmenter.embed(image), EverythingSettings())


def recall(args: argparse.Namespace) -> dict[str, Any]:
    """Recall of buildings against seconds, rsam-tiny, for grids and generators."""
    model = rsam.load_model("rsam-tiny")
    segmenter = rsam.Segmenter(model)
    side = 256 * args.across
    scenes = list(
        mosaics(DATA, args.mosaics, args.across) if DATA.exists() else towns(2, side, side)
    )
    embeddings = [segmenter.embed(image) for _, image, _, _ in scenes]
    warm(model, scenes[0][1][:256, :256])
    methods: list[tuple[str, EverythingSettings]] = [
        *(
            ("RSAM, grid", open_settings(spacing=s, propose=False))
            for s in (96.0, 64.0, 48.0, 32.0, 22.0)
        ),
        *(
            ("RSAM, dense proposals", open_settings(max_proposals=n))
            for n in (10, 20, 40, 80, 160, MAX_PROPOSALS)
        ),
        ("RSAM, dense proposals and between", open_settings(spacing=32.0, look_between=True)),
        *(
            ("RSAM, boxes from the grid", open_settings(spacing=s, propose=False))
            for s in (64.0, 48.0, 32.0)
        ),
        *(("official generator", open_settings(spacing=s)) for s in (96.0, 64.0, 48.0, 32.0)),
    ]
    print(
        f"{'':24s}{'spacing':>8s}{'points':>8s}{'boxes':>7s}{'seconds':>9s}"
        f"{'R 0.5':>8s}{'R 0.75':>8s}"
    )
    rows = []
    for name, settings in methods:
        points, prompts, seconds, best = 0, 0, 0.0, []
        for (_, image, labels, ids), embedding in zip(scenes, embeddings):
            points += len(grid_points(image.shape[:2], settings.spacing))
            if name.startswith("official"):
                generator = official_generator(None, image.shape[:2], settings, tiny=model)
                generator.predictor.set_image(image)
                generator.predictor.set_image = _keep(generator.predictor)
                records, took = timed(lambda g=generator, i=image: g.generate(i))
                found = as_instances(records)
            elif name.endswith("from the grid"):
                boxes, took = timed(
                    lambda e=embedding, s=settings: propose_boxes(segmenter, e, settings=s)
                )
                state, more = timed(
                    lambda e=embedding, b=boxes, s=settings: initialize_by_boxes(segmenter, e, b, s)
                )
                found, prompts = list(generate(state, settings)), prompts + len(boxes)
                took += more
            else:
                found, took = timed(
                    lambda e=embedding, s=settings: list(generate(initialize(segmenter, e, s), s))
                )
            seconds += took
            best.append(recall_at(labels, ids, found))
        reached = np.concatenate(best)
        row = {
            "method": name,
            "spacing": settings.spacing,
            "points": points // len(scenes),
            "boxes": prompts // len(scenes),
            "seconds": seconds / len(scenes),
            "r50": float((reached >= 0.5).mean()),
            "r75": float((reached >= 0.75).mean()),
        }
        rows.append(row)
        print(
            f"{name:24s}{settings.spacing:8g}{row['points']:8d}{row['boxes'] or '':>7}"
            f"{row['seconds']:9.2f}{row['r50']:8.3f}{row['r75']:8.3f}",
            flush=True,
        )
    print(f"an image of {scenes[0][1].shape[1]} x {scenes[0][1].shape[0]}, {len(reached)} objects")
    if args.picture:
        draw(rows, args.picture)
    return {"rows": rows, "objects": len(reached)}


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """The curve as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(row["method"] for row in rows):
        line = [(row["seconds"], row["r50"]) for row in rows if row["method"] == name]
        axes.plot(*zip(*sorted(line)), "o-", markersize=4, label=name)
    axes.set(xlabel="seconds an image", ylabel="share of buildings found (IoU 0.5)", ylim=(0, None))
    axes.set_xscale("log")
    axes.minorticks_off()
    low, high = (f([row["seconds"] for row in rows]) for f in (min, max))
    axes.set_xticks([t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if low / 1.5 < t < high * 1.5])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110, pil_kwargs={"quality": 88} if path.suffix == ".jpg" else None)


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("quality", "time", "recall"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--towns", type=int, default=2)
    parser.add_argument("--mosaics", type=int, default=3, help="of tiles of Banepa")
    parser.add_argument("--across", type=int, default=2, help="tiles along a side, for `recall`")
    parser.add_argument("--side", type=int, default=16, help="grid points along a side, at most 32")
    parser.add_argument("--stability", type=float, default=0.75, help="least, for `quality`")
    parser.add_argument("--peer", type=Path, help="folder in which segment-geospatial is installed")
    parser.add_argument("--picture", type=Path, help="where to draw the curve of recall")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    result = {"quality": quality, "time": speed, "recall": recall}[args.what](args)
    if args.json:
        args.json.write_text(json.dumps({"what": args.what, **result}, indent=2))


if __name__ == "__main__":
    main()
