"""One example, the rest found: ``python -m benchmarks.one_shot {towns,tiles} [FOLDER]``.

Protocol. Images: rendered towns (roofs are wanted; seeds that nothing was trained or chosen on),
or tiles of FOLDER with at least three buildings of 60 pixels or more. In each image five different
objects (all, if there are fewer; objects that the image's border does not cut come first), drawn
at random by ``--seed``, are the example in turn, given as their true outline. What is found is
matched one to one with the other true objects, best first; outlines that overlap the example by
an IoU above 0.3 are left out. Precision, recall and F1 count a match from an IoU of 0.5; the last
column is the IoU of the union of what was found with the union of the other true objects. All are
means over examples, then over images, with a 95 % interval over images (bootstrap). Seconds of
*b* to *d* are those of a search: only the first one of an image includes everything mode.

Methods: *zero-shot* is everything mode, everything kept; *a* is PerSAM as published, one object a
pass, what was found taken out, until the highest similarity falls below 0.8; *a, F* the same with
PerSAM-F; *b* compares all candidates by cosines of features, with a fixed threshold; *c* by the
network without the projection head, and with the threshold calibrated on the example; *d* with the
head. ``--ablation`` switches off one part of PerSAM after another.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import rsam_core as rsam
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import overlaps
from rsam_core.samples import render_town
from rsam_core.scene.coordinates import view_frame
from rsam_core.segment.everything import settings_for
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.one_shot import (
    OneShotSettings,
    PersamSettings,
    learn,
    make_example,
    rank,
    repeat,
    search,
)
from rsam_core.segment.one_shot.descriptors import ArrayScene

SMALLEST = 60
EXAMPLES = 5
FIXED = 0.5
TOWN_SEED = 8100
STYLES = ("suburb", "estate", "village", "industrial")


@dataclass
class Scene:
    """An image with its true objects of the wanted kind."""

    name: str
    image: NDArray[np.uint8]
    truth: Instances


def towns(count: int) -> Iterator[Scene]:
    """Rendered towns; roofs are wanted."""
    for number in range(count):
        style = STYLES[number % len(STYLES)]
        town = render_town(400, 320, gsd=0.3, seed=TOWN_SEED + number, style=style)
        masks = [town.labels == i for i, kind in town.classes.items() if kind == "roof"]
        yield _scene(f"{style} {number}", town.image, masks)


def tiles(folder: Path) -> Iterator[Scene]:
    """Tiles with three objects or more."""
    for path in sorted((folder / "images").iterdir()):
        labels = cv2.imread(str(folder / "instances" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        yield _scene(path.stem, image, [labels == i for i in np.unique(labels[labels > 0])])


def _scene(name: str, image: NDArray[np.uint8], masks: list[NDArray[np.bool_]]) -> Scene:
    items = [Instance(mask) for mask in masks if mask.sum() >= SMALLEST]
    return Scene(name, image, Instances(items, image.shape[:2]))


def examples(truth: Instances, rng: np.random.Generator) -> list[int]:
    """Positions of the objects that are the example in turn."""
    height, width = truth.shape
    boxes = truth.bboxes
    whole = (boxes[:, :2] > 0).all(1) & (boxes[:, 2] < width) & (boxes[:, 3] < height)
    order = rng.permutation(len(truth))
    return sorted(order, key=lambda i: not whole[i])[:EXAMPLES]


def score(truth: Instances, example: int, found: Instances) -> dict[str, float]:
    """Precision, recall, F1 at IoU 0.5, and IoU of the unions, without the example."""
    given = truth[example]
    others = Instances([i for i in truth if i.id != given.id], truth.shape)
    if len(found):
        met = overlaps(Instances([replace(given, id=1)], truth.shape), found)
        own = set(met.columns[met.ious > 0.3].tolist())
        found = Instances([f for k, f in enumerate(found) if k not in own], truth.shape)
    met = overlaps(others, found)
    taken: set[int] = set()
    right = 0
    for column in range(len(found)):
        pairs = np.flatnonzero((met.columns == column) & (met.ious >= 0.5))
        free = [p for p in pairs if int(met.rows[p]) not in taken]
        if free:
            taken.add(int(met.rows[max(free, key=lambda p: met.ious[p])]))
            right += 1
    area = given.mask
    true, seen = others.union_mask(), found.union_mask()
    x0, y0, x1, y1 = given.bbox
    for mask in (true, seen):
        mask[y0:y1, x0:x1] &= ~area
    union = np.count_nonzero(true | seen)
    return {
        "precision": right / len(found) if len(found) else 0.0,
        "recall": right / len(others),
        "F1": 2 * right / (len(found) + len(others)),
        "union IoU": np.count_nonzero(true & seen) / union if union else 1.0,
        "found": float(len(found)),
    }


def persam(settings: PersamSettings) -> Callable:
    """PerSAM repeated, as a method of this benchmark."""

    def run(segmenter, scene, embedding, truth, example, kept):
        mask = np.zeros(truth.shape, bool)
        x0, y0, x1, y1 = truth[example].bbox
        mask[y0:y1, x0:x1] = truth[example].mask
        found = repeat(segmenter, embedding, learn(segmenter, embedding, mask, settings))
        return Instances([f.instance for f in found], truth.shape)

    return run


def multi(settings: OneShotSettings, threshold: float | None = None) -> Callable:
    """Search and rank, as a method of this benchmark."""

    def run(segmenter, scene, embedding, truth, example, kept):
        view = view_frame(truth.shape[1], truth.shape[0])
        shown = EmbeddedView(embedding)
        one = make_example(segmenter, scene, shown, truth[example])
        # The search is the same for all ways to compare: it is done once an example.
        key = ("search", example, settings.spacing, settings.peaks)
        if key not in kept:
            began = time.perf_counter()
            earlier = kept.get("grid")
            state = search(segmenter, scene, view, embedding, [one], settings, earlier=earlier)
            seconds = time.perf_counter() - began
            if earlier is None:
                kept["grid"] = state
            kept[key] = state, seconds
        state, seconds = kept[key]
        kept["seconds"] = seconds
        return rank(state, [one], settings).choose(threshold)

    return run


def everything(segmenter, scene, embedding, truth, example, kept):
    """Zero-shot: everything mode with its usual settings."""
    if "everything" not in kept:
        kept["everything"] = segmenter.everything(embedding, settings_for(segmenter.model.name))
    return kept["everything"]


METHODS: dict[str, Callable] = {
    "zero-shot, keep all": everything,
    "a PerSAM, repeated": persam(PersamSettings()),
    "a, F PerSAM-F, repeated": persam(PersamSettings("persam-f")),
    "b cosine, fixed threshold": multi(OneShotSettings(compare="cosine", follow=False), FIXED),
    "c network, calibrated": multi(OneShotSettings(compare="plain")),
    "d projection head": multi(OneShotSettings()),
}
ABLATION: dict[str, Callable] = {
    "positive point alone": persam(PersamSettings("persam", False, False, False, False)),
    "+ negative point": persam(PersamSettings("persam", True, False, False, False)),
    "+ refinement": persam(PersamSettings("persam", True, False, False, True)),
    "+ guided attention": persam(PersamSettings("persam", True, True, False, True)),
    "+ semantic prompting": persam(PersamSettings()),
    "PerSAM-F": persam(PersamSettings("persam-f")),
    "b, no guided places": multi(OneShotSettings(compare="cosine", follow=False, peaks=0), FIXED),
    "b, fitted threshold": multi(OneShotSettings(compare="cosine", follow=False)),
    "c, fixed threshold": multi(OneShotSettings(compare="plain"), FIXED),
    "d, fixed threshold": multi(OneShotSettings(), FIXED),
    "d, no following": multi(OneShotSettings(follow=False)),
    "d, no guided places": multi(OneShotSettings(peaks=0)),
}
COLUMNS = ("precision", "recall", "F1", "union IoU", "found", "seconds")


def interval(values: list[float], rng: np.random.Generator) -> tuple[float, float]:
    """95 % interval of the mean, by drawing images with replacement."""
    array = np.array(values)
    means = array[rng.integers(0, len(array), (2000, len(array)))].mean(1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def main() -> None:
    """Measure, print and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("towns", "tiles"))
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--towns", type=int, default=12)
    parser.add_argument("--limit", type=int, help="images at most, drawn at random")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="an image")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--only", nargs="*", help="methods whose names begin so")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    segmenter = rsam.Segmenter(rsam.load_model())
    scenes = towns(args.towns) if args.what == "towns" else tiles(args.folder)
    usable = [scene for scene in scenes if len(scene.truth) >= 3]
    if args.limit and args.limit < len(usable):
        chosen = np.random.default_rng(args.seed).permutation(len(usable))[: args.limit]
        usable = [usable[i] for i in sorted(chosen)]
    methods = ABLATION if args.ablation else METHODS
    if args.only:
        methods = {k: v for k, v in methods.items() if k.startswith(tuple(args.only))}
    table: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    for number, one in enumerate(usable):
        embedding = segmenter.embed(one.image)
        turns = examples(one.truth, np.random.default_rng(args.seed + number))[: args.examples]
        scene, kept = ArrayScene(one.image), {}
        for name, method in methods.items():
            results = []
            for example in turns:
                began, kept["seconds"] = time.perf_counter(), None
                found = method(segmenter, scene, embedding, one.truth, example, kept)
                seconds = kept["seconds"] or time.perf_counter() - began
                results.append(score(one.truth, example, found) | {"seconds": seconds})
            table[name].append({c: float(np.mean([r[c] for r in results])) for c in COLUMNS})
        print(f"\r{number + 1} of {len(usable)} images", end="", flush=True)
    print(f"\r{args.what}: {len(usable)} images, {segmenter.model.name}, seed {args.seed}")
    print(f"{'':28s}{'precision':>11s}{'recall':>9s}{'F1':>8s}{'95 %':>16s}{'union IoU':>11s}"
          f"{'found':>7s}{'s':>7s}")  # fmt: skip
    report = {}
    for name, results in table.items():
        mean = {c: float(np.mean([r[c] for r in results])) for c in COLUMNS}
        low, high = interval([r["F1"] for r in results], np.random.default_rng(0))
        report[name] = mean | {"F1 interval": [low, high]}
        print(
            f"{name:28s}{mean['precision']:11.3f}{mean['recall']:9.3f}{mean['F1']:8.3f}"
            f"   [{low:.3f}, {high:.3f}]{mean['union IoU']:11.3f}{mean['found']:7.1f}"
            f"{mean['seconds']:7.2f}"
        )
    if args.json:
        args.json.write_text(json.dumps({"what": args.what, "methods": report}, indent=1))


if __name__ == "__main__":
    main()
