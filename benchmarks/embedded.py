"""The embedded model's accuracy by prompt: ``python -m benchmarks.embedded DATA [--weights FILE]``.

DATA is a folder of sets (``buildings/banepa_np``, ``fields/naip`` ...) with ``images/`` and
``instances/`` or ``labels/`` as in `benchmarks.accuracy`. At most six objects an image, connected
pieces of at least 100 pixels. Prompts: a tight box; one click (the pixel farthest from the border),
its chosen mask and the best of its three; three clicks (each further one the deepest pixel of the
largest error, the mask before as input); and one click at a random pixel inside. Intervals are of
95 %, by drawing images anew. Each look at a set is counted in ``benchmarks/validation_looks.json``.
``--worst DIR`` draws the fifty clicks that went worst in each set.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import rsam_core as rsam
from benchmarks.accuracy import SIZES, objects, overlap, pairs
from benchmarks.worst import Shot, shoot, write
from rsam_core.models.tiny import TinyModel, load_tiny
from rsam_core.models.tiny.model import WEIGHTS
from rsam_core.prompts.simulated import centre_click, corrective_click, tight_box

LOOKS = Path(__file__).with_name("validation_looks.json")
PROMPTS = ("box", "1 click", "best of 3", "3 clicks", "random click")
_DRAWS = 1000
_POOR = 0.6
"""Clicks of a lower IoU may be among the worst."""


def chosen(labels: NDArray[np.int32], most: int, seed: int) -> list[tuple[int, NDArray[np.bool_]]]:
    """At most so many objects of an image, with the label of each."""
    found = [(int(labels[mask][0]), mask) for mask in objects(labels)]
    order = np.random.default_rng(seed).permutation(len(found))[:most]
    return [found[i] for i in sorted(order)]


def row_of(
    segmenter: rsam.Segmenter,
    embedding: rsam.Embedding,
    truth: NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, float]:
    """IoU of each prompt for one object, and what the model expected of its three masks."""
    points, signs = [centre_click(truth)], [1]
    answer = segmenter.predict(embedding, rsam.Prompt(points=points, labels=signs))
    ious = [overlap(truth, mask) for mask in answer.masks]
    row = {"area": float(truth.sum()), "1 click": ious[0], "best of 3": max(ious)}
    for k, (score, iou) in enumerate(zip(answer.scores, ious)):
        row[f"predicted {k}"], row[f"true {k}"] = float(score), iou
    for _ in range(2):
        click = corrective_click(truth, answer.masks[0])
        if click is None:
            break
        points, signs = [*points, click[:2]], [*signs, click[2]]
        answer = segmenter.predict(
            embedding,
            rsam.Prompt(points=points, labels=signs),
            multimask=False,
            previous=answer.refinement[0],
        )
    row["3 clicks"] = overlap(truth, answer.masks[0])
    answer = segmenter.predict(embedding, rsam.Prompt(box=tight_box(truth)))
    row["box"] = overlap(truth, answer.masks[0])
    rows, columns = np.nonzero(truth)
    k = int(rng.integers(len(rows)))
    answer = segmenter.predict(
        embedding, rsam.Prompt(points=[(columns[k] + 0.5, rows[k] + 0.5)], labels=[1])
    )
    row["random click"] = overlap(truth, answer.masks[0])
    return row


def draw(
    segmenter: rsam.Segmenter,
    embedding: rsam.Embedding,
    image: NDArray[np.uint8],
    truth: NDArray[np.bool_],
) -> Shot:
    """The central click of an object, drawn."""
    click = centre_click(truth)
    masks = segmenter.predict(embedding, rsam.Prompt(points=[click])).masks
    ious = [overlap(truth, mask) for mask in masks]
    return shoot(image, truth, masks[0], click, ious[0], max(ious))


def class_maps(folder: Path) -> Iterator[NDArray[np.int32]]:
    """What each pixel of the images of `pairs` is, where a set has ``classes/``."""
    for path in sorted((folder / "images").iterdir()):
        if (folder / "instances" / f"{path.stem}.png").exists():
            classes = cv2.imread(str(folder / "classes" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
            yield classes.astype(np.int32)


def evaluate(
    segmenter: rsam.Segmenter, folder: Path, most: int = 6, shots: list[Shot] | None = None
) -> list[dict[str, float]]:
    """One row an object; ``image`` numbers its image, ``class`` is that of most of its pixels.

    Clicks are drawn if there is a list of shots.
    """
    rows: list[dict[str, float]] = []
    named = class_maps(folder) if (folder / "classes.json").exists() else None
    for number, (image, labels) in enumerate(pairs(folder)):
        classes = next(named) if named is not None else None
        # The same objects on every machine and for every model.
        seed = zlib.crc32(f"{folder.name}{number}".encode())
        found = chosen(labels, most, seed)
        if not found:
            continue
        embedding = segmenter.embed(image)
        rng = np.random.default_rng(seed)
        for _, truth in found:
            rows.append(row_of(segmenter, embedding, truth, rng) | {"image": float(number)})
            if classes is not None:
                rows[-1]["class"] = float(np.bincount(classes[truth]).argmax())
            if shots is not None and rows[-1]["1 click"] < _POOR:
                shots.append(draw(segmenter, embedding, image, truth))
    return rows


def interval(rows: list[dict[str, float]], name: str, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean: images are drawn anew, since objects of one are alike."""
    images = np.array([r["image"] for r in rows])
    values = np.array([r[name] for r in rows])
    _, groups = np.unique(images, return_inverse=True)
    sums, counts = np.bincount(groups, values), np.bincount(groups)
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(counts), size=(_DRAWS, len(counts)))
    means = sums[draws].sum(1) / counts[draws].sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def summary(rows: list[dict[str, float]], names: dict[int, str] | None = None) -> dict[str, object]:
    """Means with intervals by prompt, by size and class, and how well the best mask is chosen."""
    from scipy.stats import spearmanr

    result: dict[str, object] = {"objects": len(rows)}
    for name in PROMPTS:
        result[name] = [float(np.mean([r[name] for r in rows])), *interval(rows, name)]
    result["by size"] = _parts(
        (label, [r for r in rows if low <= r["area"] < high]) for label, low, high in SIZES
    )
    if names:
        result["by class"] = _parts(
            (name, [r for r in rows if r["class"] == number]) for number, name in names.items()
        )
    every = [
        (r[f"predicted {k}"], r[f"true {k}"]) for r in rows for k in range(3) if f"true {k}" in r
    ]
    result["rank correlation of three"] = float(spearmanr(*zip(*every)).statistic)
    result["chosen behind best"] = result["best of 3"][0] - result["1 click"][0]
    return result


def _parts(parts: Iterable[tuple[str, list[dict[str, float]]]]) -> dict[str, dict[str, float]]:
    """Means by prompt of each part of the objects that has any."""
    return {
        label: {name: float(np.mean([r[name] for r in part])) for name in PROMPTS}
        | {"objects": len(part)}
        for label, part in parts
        if part
    }


def class_names(folder: Path) -> dict[int, str]:
    """Names of a set's classes by number; empty where it has none."""
    path = folder / "classes.json"
    return {int(k): v for k, v in json.loads(path.read_text()).items()} if path.exists() else {}


def note_look(path: Path, name: str, weights: str) -> int:
    """Count one more look at a set by these weights; return how many there were in all."""
    looks = json.loads(path.read_text()) if path.exists() else {}
    looks.setdefault(name, {})
    looks[name][weights] = looks[name].get(weights, 0) + 1
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(json.dumps(looks, indent=1, sort_keys=True) + "\n")
    # In one step: two measurements at a time never read half a file.
    os.replace(part, path)
    return sum(looks[name].values())


def digest(path: Path) -> str:
    """A short name for weights."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def load(path: Path) -> TinyModel:
    """The embedded model with these weights."""
    return load_tiny(path)


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--sets", nargs="*", help="such as fields/naip; all that are there if left")
    parser.add_argument("--objects", type=int, default=6, help="an image, at most")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--looks", type=Path, default=LOOKS, help="where looks are counted")
    parser.add_argument("--worst", type=Path, help="folder for sheets of the worst clicks")
    args = parser.parse_args(arguments)
    names = args.sets or sorted(
        str(path.parent.relative_to(args.data)) for path in args.data.glob("*/*/images")
    )
    segmenter, results = rsam.Segmenter(load(args.weights)), {}
    print(f"{'set':24s}{'objects':>8s}" + "".join(f"{name:>22s}" for name in PROMPTS))
    for name in names:
        looks = note_look(args.looks, name, digest(args.weights))
        shots: list[Shot] | None = [] if args.worst else None
        rows = evaluate(segmenter, args.data / name, args.objects, shots)
        if not rows:
            continue
        if args.worst:
            args.worst.mkdir(parents=True, exist_ok=True)
            write(args.worst / f"worst_{name.replace('/', '_')}.jpg", shots)
        results[name] = result = summary(rows, class_names(args.data / name))
        cells = "".join("{:8.3f} [{:.3f}, {:.3f}]".format(*result[p]) for p in PROMPTS)
        print(f"{name:24s}{result['objects']:8d}{cells}")
        print(
            f"{'':24s}chosen behind best {result['chosen behind best']:.3f}, rank correlation "
            f"{result['rank correlation of three']:.2f}; look {looks} at this set",
            flush=True,
        )
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
