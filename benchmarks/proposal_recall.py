"""How many objects everything mode finds: ``python -m benchmarks.proposal_recall FOLDER``.

FOLDER holds tiles named ``OAM-x-y-zoom`` with ``images/`` and ``instances/``; they are joined to
mosaics of 1024 pixels. Recall counts true objects of at least 100 pixels for which a mask of the
default settings has an IoU of 0.5 or 0.75. Compared: the grid; the dense proposals outlined once,
and twice as everything mode does; and proposals together with the grid where none is. ``--towns``
measures rendered towns, too, where everything is labelled, and counts false objects there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import rsam_core as rsam
from benchmarks.embedded import LOOKS, digest, load, note_look
from rsam_core.models.tiny.model import WEIGHTS
from rsam_core.models.tiny.proposal_head import Proposals
from rsam_core.prompts.prompt import Prompt
from rsam_core.samples import render_town
from rsam_core.segment.everything import (
    MAX_PROPOSALS,
    EverythingSettings,
    MaskCollector,
    generate,
    initialize,
    propose,
    settings_for,
)
from training.data import read_tiles

SMALLEST = 100
_TOWN_SEEDS = range(900, 916)
"""Seeds of towns that neither training (from 1000) nor the samples use."""

Scene = tuple[str, NDArray[np.uint8], NDArray[np.int32]]
Search = Callable[[rsam.Segmenter, rsam.Embedding, EverythingSettings, int], list]


def _search(**changes: bool) -> Search:
    def search(segmenter, embedding, settings, most) -> list:
        asked = replace(settings, max_proposals=most, **changes)
        return list(generate(initialize(segmenter, embedding, asked), asked))

    return search


def by_first_look(segmenter, embedding, settings, most) -> list:
    """Each proposed box outlined once, with one mask."""
    harvest = MaskCollector(segmenter, embedding, settings)
    boxes = propose(segmenter, embedding, replace(settings, max_proposals=most)).boxes
    harvest.add([Prompt(box=box) for box in boxes], multimask=False)
    return list(generate(harvest.state(len(boxes), True), settings))


SEARCHES: dict[str, Search] = {
    "grid": _search(propose=False),
    "proposals, one look": by_first_look,
    "proposals": _search(),
    "proposals and between": _search(look_between=True),
}


def mosaics(folder: Path) -> list[Scene]:
    """Whole mosaics of 1024 pixels."""
    found = [p for p in read_tiles(folder, 4) if p.valid.all() and max(p.valid.shape) == 1024]
    return [(f"mosaic {i}", p.image, p.labels[0]) for i, p in enumerate(found)]


def towns(count: int) -> list[Scene]:
    """Rendered towns of 768 pixels, all styles in turn."""
    from rsam_core.samples import STYLES

    found = []
    for i, seed in zip(range(count), _TOWN_SEEDS):
        style = list(STYLES)[i % len(STYLES)]
        town = render_town(768, 768, gsd=0.3, seed=seed, style=style)
        found.append((f"{style} {seed}", town.image, town.labels))
    return found


def best_overlaps(labels: NDArray[np.int32], found: list) -> tuple[NDArray, NDArray]:
    """Best IoU of each true object of at least 100 pixels, and of each found one."""
    areas = np.bincount(labels.ravel())
    truth, guess = np.zeros(len(areas)), np.zeros(len(found))
    for i, item in enumerate(found):
        x0, y0, x1, y1 = item.bbox
        inside = np.bincount(labels[y0:y1, x0:x1][item.mask], minlength=len(areas))
        iou = inside / (areas + item.area - inside)
        iou[0] = 0
        truth = np.maximum(truth, iou)
        guess[i] = iou.max()
    return truth[1:][areas[1:] >= SMALLEST], guess


def head_alone(labels: NDArray[np.int32], proposals: Proposals) -> NDArray:
    """Best IoU of a proposed box with the box of each true object of at least 100 pixels."""
    from scipy.ndimage import find_objects

    areas, best = np.bincount(labels.ravel()), []
    sizes = (proposals.boxes[:, 2:] - proposals.boxes[:, :2]).prod(1)
    for label, place in enumerate(find_objects(labels), 1):
        if place is None or areas[label] < SMALLEST:
            continue
        low = np.array([place[1].start, place[0].start])
        high = np.array([place[1].stop, place[0].stop])
        sides = np.minimum(proposals.boxes[:, 2:], high) - np.maximum(proposals.boxes[:, :2], low)
        shared = sides.clip(0, None).prod(1)
        best.append((shared / (sizes + (high - low).prod() - shared)).max(initial=0))
    return np.array(best)


def measure(segmenter: rsam.Segmenter, scenes: list[Scene], names: list[str], most: int) -> dict:
    """For each way to search: recall, objects found, false ones for each true one, seconds."""
    settings = settings_for("rsam-tiny")
    kept: dict[str, list] = {name: [] for name in names}
    alone: list[NDArray] = []
    for _, image, labels in scenes:
        embedding = segmenter.embed(image)
        if segmenter.model.proposes:
            alone.append(head_alone(labels, segmenter.model.propose(embedding.features, most)))
        for name in names:
            began = time.perf_counter(), time.process_time()
            found = SEARCHES[name](segmenter, embedding, settings, most)
            seconds = time.perf_counter() - began[0], time.process_time() - began[1]
            kept[name].append((*best_overlaps(labels, found), seconds))
    result = {}
    for name, rows in kept.items():
        truth = np.concatenate([row[0] for row in rows])
        guess = np.concatenate([row[1] for row in rows])
        result[name] = {
            "recall 0.5": float((truth >= 0.5).mean()),
            "recall 0.75": float((truth >= 0.75).mean()),
            "objects": float(np.mean([len(row[1]) for row in rows])),
            "false for each true": float((guess < 0.5).sum() / max((guess >= 0.5).sum(), 1)),
            "seconds": float(np.mean([row[2][0] for row in rows])),
            "processor seconds": float(np.mean([row[2][1] for row in rows])),
        }
    if alone:
        best = np.concatenate(alone)
        result["the head's boxes alone"] = {
            "recall 0.5": float((best >= 0.5).mean()),
            "recall 0.75": float((best >= 0.75).mean()),
        }
    return result


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--ways", nargs="*", choices=list(SEARCHES), default=list(SEARCHES))
    parser.add_argument("--most", type=int, default=MAX_PROPOSALS, help="proposals a view")
    parser.add_argument("--limit", type=int, help="mosaics at most")
    parser.add_argument("--towns", type=int, default=0, help="rendered towns to measure")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--looks", type=Path, default=LOOKS)
    args = parser.parse_args(arguments)
    model = load(args.weights)
    ways = args.ways if model.proposes else ["grid"]
    segmenter, results = rsam.Segmenter(model), {}
    parts: dict[str, list[Scene]] = {}
    if args.folder:
        parts[args.folder.name] = mosaics(args.folder)[: args.limit]
        note_look(args.looks, f"{args.folder.parent.name}/{args.folder.name} mosaics",
                  digest(args.weights))  # fmt: skip
    if args.towns:
        parts["towns"] = towns(args.towns)
    for part, scenes in parts.items():
        results[part] = measure(segmenter, scenes, ways, args.most)
        print(f"{part}: {len(scenes)} scenes")
        for name, row in results[part].items():
            print(f"  {name:24s}" + "  ".join(f"{k} {v:.3f}" for k, v in row.items()), flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
