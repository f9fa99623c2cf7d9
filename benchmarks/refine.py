"""What each refining step does to IoU: ``python -m benchmarks.refine [FOLDER ...]``.

Every step is taken alone, at the strength it starts with, on (a) truth outlines that were
roughened in a fixed random way, with specks and holes, and (b) masks that rsam-tiny answers to
tight boxes. Rendered towns are always measured, folders as in `benchmarks.accuracy` on top.
Defaults were chosen on rendered towns and on ``train/buildings/zanzibar_tz``; any other folder
is for reporting only.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import rsam_core as rsam
from benchmarks.accuracy import objects, pairs
from rsam_core.objects.instance import Instance
from rsam_core.objects.refine import SUGGESTED, RefineSettings, refine_one
from rsam_core.prompts.simulated import tight_box
from rsam_core.samples import STYLES, render_town

Mask = NDArray[np.bool_]
Case = tuple[Mask, Mask]
"""Truth and what is to be refined, both of the size of the image."""

ROUGHNESS = 2.0
"""Typical distance, in pixels, by which a roughened outline is off."""


def towns() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
    """Rendered towns, their roofs as truth."""
    for seed, style in enumerate(STYLES, start=101):
        town = render_town(448, 320, gsd=0.3, seed=seed, style=style)
        roofs = [label for label, kind in town.classes.items() if kind == "roof"]
        yield town.image, np.where(np.isin(town.labels, roofs), town.labels, 0)


def roughen(truth: Mask, random: np.random.Generator) -> Mask:
    """Move an outline in and out by smooth noise, and add specks and holes."""
    inside = cv2.distanceTransform(truth.view(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~truth).view(np.uint8), cv2.DIST_L2, 5)
    noise = np.zeros(truth.shape, np.float32)
    for scale in (1.5, 4.0):
        part = cv2.GaussianBlur(random.normal(size=truth.shape).astype(np.float32), (0, 0), scale)
        noise += part / part.std() * ROUGHNESS / 2
    rough = inside - outside + noise > 0
    near = np.argwhere(outside - inside < 8)
    for row, column in near[random.integers(0, len(near), 4)]:
        disc = cv2.circle(np.zeros(truth.shape, np.uint8), (int(column), int(row)), 1, 1, -1) > 0
        rough = rough & ~disc if truth[row, column] else rough | disc
    return rough


def cases(
    source: Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]], model: bool, limit: int
) -> list[Case]:
    """Truth with roughened truth, or with what the model answers to its tight box."""
    segmenter = rsam.Segmenter(rsam.load_model("rsam-tiny")) if model else None
    random = np.random.default_rng(0)
    found: list[Case] = []
    for image, labels in source:
        masks = list(objects(labels))
        embedding = segmenter.embed(image) if segmenter and masks else None
        for truth in masks:
            if segmenter is None:
                mask = roughen(truth, random)
            else:
                mask = segmenter.predict(embedding, rsam.Prompt(box=tight_box(truth))).masks[0]
            if mask.any():
                found.append((truth, mask))
            if len(found) >= limit:
                return found
    return found


def iou(truth: Mask, mask: Mask) -> float:
    """IoU of one object."""
    return rsam.iou(rsam.confusion(truth, mask))


def refined(mask: Mask, settings: RefineSettings) -> Mask:
    """The mask after some steps, at the size of the image."""
    item = refine_one(Instance(mask), settings, mask.shape)
    result = np.zeros_like(mask)
    x0, y0, x1, y1 = item.bbox
    result[y0:y1, x0:x1] = item.mask
    return result


def compare(found: list[Case], change: Callable[[Mask], Mask]) -> tuple[float, float, float, float]:
    """Mean IoU before and after, share of objects that lost over 0.01, mean change of area."""
    before = np.array([iou(truth, mask) for truth, mask in found])
    results = [(truth, mask, change(mask)) for truth, mask in found]
    after = np.array([iou(truth, result) for truth, _, result in results])
    area = np.array([result.sum() / mask.sum() - 1 for _, mask, result in results])
    lost = float((after < before - 0.01).mean())
    return float(before.mean()), float(after.mean()), lost, float(area.mean())


def report(name: str, found: list[Case]) -> None:
    """Print one table."""
    print(f"\n{name}: {len(found)} objects\n")
    print("| step at its default | IoU before | IoU after | change | worse by 0.01 | area |")
    print("|---|---|---|---|---|---|")
    steps = {step: RefineSettings.suggested(step) for step in (*SUGGESTED, "regularise")}
    steps["the default settings"] = RefineSettings()
    steps["default and regularise"] = RefineSettings(regularise=True)
    for step, settings in steps.items():
        before, after, lost, area = compare(found, partial(refined, settings=settings))
        print(
            f"| {step} | {before:.4f} | {after:.4f} | {after - before:+.4f} | {lost:.1%} "
            f"| {area:+.2%} |"
        )


def main() -> None:
    """Measure rendered towns and the folders named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--limit", type=int, default=400, help="objects a table")
    arguments = parser.parse_args()
    sources = {"rendered towns": towns}
    sources |= {str(folder): (lambda f=folder: pairs(f)) for folder in arguments.folders}
    for name, source in sources.items():
        for model in (False, True):
            kind = "rsam-tiny, box" if model else "roughened truth"
            report(f"{name}, {kind}", cases(source(), model, arguments.limit))


if __name__ == "__main__":
    main()
