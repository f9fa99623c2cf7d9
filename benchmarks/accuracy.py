"""Accuracy of a promptable model: ``python -m benchmarks.accuracy FOLDER [FOLDER ...]``.

A folder holds ``images/`` and ``instances/`` (label images, 0 is background) or ``labels/``
(``NAME_K.png`` by annotator K; the first is used). Objects are connected pieces of at least 100
pixels. The first click is the pixel farthest from the object's border, each further one the
deepest pixel of the largest error; the box is tight. GrabCut gets the same box.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import rsam_core as rsam
from rsam_core.evaluate.methods.classical import grabcut
from rsam_core.prompts.simulated import centre_click, corrective_click, tight_box

SMALLEST = 100
SIZES = (("under 32²", 0, 32**2), ("32² to 96²", 32**2, 96**2), ("above 96²", 96**2, 1 << 60))
CLICKS = 5


def pairs(folder: Path) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
    """Images with their instance labels, in order of name."""
    for path in sorted((folder / "images").iterdir()):
        truth = folder / "instances" / f"{path.stem}.png"
        if not truth.exists():
            truth = folder / "labels" / f"{path.stem}_0.png"
        if truth.exists():
            image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            labels = cv2.imread(str(truth), cv2.IMREAD_UNCHANGED).astype(np.int32)
            # Photographs are labelled throughout, from 0 on: every region is an object there.
            yield image, labels if truth.parent.name == "instances" else labels + 1


def objects(labels: NDArray[np.int32]) -> Iterator[NDArray[np.bool_]]:
    """Connected pieces of at least 100 pixels of every instance."""
    for value in np.unique(labels[labels > 0]):
        count, numbered, stats, _ = cv2.connectedComponentsWithStats(
            (labels == value).astype(np.uint8), connectivity=4
        )
        for i in range(1, count):
            if stats[i, cv2.CC_STAT_AREA] >= SMALLEST:
                yield numbered == i


def overlap(truth: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    """IoU of one object."""
    return rsam.iou(rsam.confusion(truth, mask))


def evaluate(
    segmenter: rsam.Segmenter, folder: Path, limit: int | None, with_grabcut: bool
) -> list[dict[str, float]]:
    """One row an object: its area, the IoU of each prompt, predicted and true IoU."""
    rows: list[dict[str, float]] = []
    for image, labels in pairs(folder):
        embedding = segmenter.embed(image)
        for truth in objects(labels):
            row: dict[str, float] = {"area": float(truth.sum())}
            points, signs = [centre_click(truth)], [1]
            answer = segmenter.predict(embedding, rsam.Prompt(points=points, labels=signs))
            ious = [overlap(truth, mask) for mask in answer.masks]
            row["1 click"], row["1 click, best of 3"] = ious[0], max(ious)
            row["predicted"] = float(answer.scores[0])
            for k, (score, iou) in enumerate(zip(answer.scores, ious)):
                row[f"predicted {k}"], row[f"true {k}"] = float(score), iou
            for k in range(2, CLICKS + 1):
                click = corrective_click(truth, answer.masks[0])
                if click is not None:
                    points, signs = [*points, click[:2]], [*signs, click[2]]
                    answer = segmenter.predict(
                        embedding,
                        rsam.Prompt(points=points, labels=signs),
                        multimask=False,
                        previous=answer.refinement[0],
                    )
                row[f"{k} clicks"] = overlap(truth, answer.masks[0])
            box = tight_box(truth)
            answer = segmenter.predict(embedding, rsam.Prompt(box=box))
            row["box"] = overlap(truth, answer.masks[0])
            row["predicted, box"] = float(answer.scores[0])
            if with_grabcut:
                row["GrabCut, box"] = overlap(truth, grabcut(image, box))
            rows.append(row)
            if limit and len(rows) >= limit:
                return rows
    return rows


def table(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean IoU by prompt: all objects, and by size."""
    names = [n for n in rows[0] if n != "area" and not n.startswith(("predicted", "true"))]
    groups = {"all": rows}
    for label, low, high in SIZES:
        groups[label] = [r for r in rows if low <= r["area"] < high]
    return {
        name: {g: float(np.mean([r[name] for r in part])) for g, part in groups.items() if part}
        for name in names
    } | {"objects": {g: float(len(part)) for g, part in groups.items() if part}}


def show(result: dict[str, dict[str, float]]) -> None:
    """Print the table."""
    columns = ["all", *[s[0] for s in SIZES]]
    print(f"{'':22s}" + "".join(f"{c:>13s}" for c in columns))
    for name, values in result.items():
        digits = 0 if name == "objects" else 3
        cells = (f"{values[c]:13.{digits}f}" if c in values else f"{'–':>13s}" for c in columns)
        print(f"{name:22s}" + "".join(cells))


def main() -> None:
    """Parse the command line, measure, print."""
    from scipy.stats import spearmanr

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--model", default="rsam-tiny")
    parser.add_argument("--weights", type=Path, help="other weights for rsam-tiny")
    parser.add_argument("--limit", type=int, help="stop after this many objects a folder")
    parser.add_argument("--no-grabcut", action="store_true")
    parser.add_argument("--threads", type=int, help="torch threads")
    parser.add_argument("--json", type=Path, help="also write the tables here")
    args = parser.parse_args()
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    if args.weights:
        from rsam_core.models.tiny import load_tiny

        model = load_tiny(args.weights)
    else:
        model = rsam.load_model(args.model)
    segmenter, results = rsam.Segmenter(model), {}
    for folder in args.folders:
        rows = evaluate(segmenter, folder, args.limit, not args.no_grabcut)
        print(f"\n{args.model} on {folder.parent.name}/{folder.name}: mean IoU")
        results[f"{folder.parent.name}/{folder.name}"] = result = table(rows)
        show(result)
        for kind, true in (("predicted", "1 click"), ("predicted, box", "box")):
            guess, real = [r[kind] for r in rows], [r[true] for r in rows]
            rank = spearmanr(guess, real).statistic
            error = np.abs(np.subtract(guess, real)).mean()
            print(f"predicted IoU, {true}: rank correlation {rank:.2f}, mean error {error:.3f}")
            result[f"{kind} rank correlation"] = {"all": float(rank)}
        every = [
            (r[f"predicted {k}"], r[f"true {k}"])
            for r in rows
            for k in range(3)
            if f"true {k}" in r
        ]
        rank = spearmanr(*zip(*every)).statistic
        print(f"predicted IoU, all proposals of 1 click: rank correlation {rank:.2f}")
        result["proposals rank correlation"] = {"all": float(rank)}
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
