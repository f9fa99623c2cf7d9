"""One image: its objects, what each method answers, and how right that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled
from rsam_core.evaluate import metrics
from rsam_core.evaluate.datasets import Sample
from rsam_core.evaluate.methods.base import Method, SharedImageWork
from rsam_core.evaluate.metrics.boundary import instance_boundary
from rsam_core.evaluate.metrics.objects import object_scores
from rsam_core.evaluate.settings import EvaluationSettings
from rsam_core.objects.crops import clip, paste
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances

Row = dict[str, Any]


def pieces(truth: Instances, min_area: int = 1) -> list[tuple[str, Instance]]:
    """Connected pieces (by edges) of every true object, large enough to judge, each with a name.

    A building that a tree or the image's edge cuts in two cannot be clicked once: each piece is
    an object. A name is the object's number, with ``.2``, ``.3`` for further pieces.
    """
    found = []
    for item in truth:
        count, numbered, stats, _ = cv2.connectedComponentsWithStats(
            item.mask.astype(np.uint8), connectivity=4
        )
        large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= min_area]
        for number, i in enumerate(large, start=1):
            name = str(item.id) if number == 1 else f"{item.id}.{number}"
            piece = Instance(numbered == i, item.x, item.y, 1.0, 0, "truth", item.label)
            found.append((name, piece))
    return found


def full_mask(item: Instance, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask (H, W) of an object."""
    mask = np.zeros(shape, bool)
    paste(mask, item)
    return mask


def tiles(sample: Sample, max_side: int) -> Iterator[Sample]:
    """The image itself, or equal tiles of it if a side is longer than `max_side`.

    Objects are cut at the tiles' edges.
    """
    height, width = sample.image.shape[:2]
    rows, columns = math.ceil(height / max_side), math.ceil(width / max_side)
    if rows == columns == 1:
        yield sample
        return
    for row in range(rows):
        for column in range(columns):
            y0, y1 = height * row // rows, height * (row + 1) // rows
            x0, x1 = width * column // columns, width * (column + 1) // columns
            items = []
            for item in sample.truth:
                part, left, top = clip(item, (x0, y0, x1, y1))
                if part.any():
                    place = left - x0, top - y0
                    items.append(Instance(part, *place, 1.0, item.id, "truth", item.label))
            image = np.ascontiguousarray(sample.image[y0:y1, x0:x1])
            truth = Instances(items, (y1 - y0, x1 - x0))
            yield Sample(f"{sample.name} [{x0}, {y0}]", image, truth)


def evaluate_sample(
    sample: Sample,
    methods: Sequence[Method],
    settings: EvaluationSettings | None = None,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    keep: Callable[[str, Method, NDArray[np.bool_], NDArray[np.bool_]], None] | None = None,
) -> tuple[list[Row], list[Row]]:
    """Ask every method for every object of an image.

    Parameters
    ----------
    sample : Sample
    methods : sequence of Method
    settings : EvaluationSettings, optional
        What it says of models and prompts is not used here.
    progress : callable, optional
        Called with a share from 0 to 1 and a text before each object.
    cancelled : callable, optional
        Asked before each object.
    keep : callable, optional
        Called with the object's name, the method, the true and the predicted mask, for pictures.

    Returns
    -------
    objects : list of dict
        One row an object and method: ``image``, ``object``, ``label``, ``area``, ``method``,
        ``tp``, ``fp``, ``fn``, ``tn``, ``iou``, ``dice``, ``precision``, ``recall``, ``fpr``,
        ``predicted_iou``, ``seconds``, and with outlines ``boundary_f``, ``boundary_iou``,
        ``hausdorff_95``.
    images : list of dict
        One row a tile and method: ``image``, ``method``, ``objects``, ``image_seconds``, and for
        methods that find objects unprompted the fields of
        :class:`rsam_core.evaluate.metrics.objects.ObjectScores`.

    Raises
    ------
    Cancelled
        If it was asked to stop.
    """
    settings = settings or EvaluationSettings()
    objects: list[Row] = []
    images: list[Row] = []
    parts = list(tiles(sample, settings.max_side))
    steps, done = len(parts) * len(methods), 0
    for tile in parts:
        found = pieces(tile.truth, settings.min_area)
        bench = SharedImageWork(tile.image, cancelled=cancelled)
        shape = tile.image.shape[:2]
        for method in methods:
            for index, (name, item) in enumerate(found):
                if cancelled is not None and cancelled():
                    raise Cancelled("The evaluation was stopped.")
                if progress is not None:
                    share = (done + index / len(found)) / steps
                    progress(share, f"{method.title}, object {index + 1} of {len(found)}")
                truth = full_mask(item, shape)
                outcome = method.run(bench, truth)
                row = {
                    "image": tile.name,
                    "object": name,
                    "label": item.label,
                    "area": item.area,
                    "method": method.key,
                    **_agreement(truth, outcome.mask),
                    "predicted_iou": outcome.score,
                    "seconds": outcome.seconds,
                }
                if settings.outlines:
                    answer = Instance.from_mask(outcome.mask) if outcome.mask.any() else None
                    row |= instance_boundary(item, answer, settings.tolerance)
                objects.append(row)
                if keep is not None:
                    keep(name, method, truth, outcome.mask)
            row = {"image": tile.name, "method": method.key, "objects": len(found)}
            unprompted = method.find(bench)
            if cancelled is not None and cancelled():
                # What was found may be only a part.
                raise Cancelled("The evaluation was stopped.")
            row["image_seconds"] = method.image_seconds(bench)
            if unprompted is not None:
                everything = Instances([item for _, item in found], shape)
                row |= object_scores(everything, unprompted).to_dict()
            images.append(row)
            done += 1
    return objects, images


def _agreement(truth: NDArray[np.bool_], mask: NDArray[np.bool_]) -> dict[str, float]:
    counts = metrics.confusion(truth, mask)
    return {
        "tp": counts.tp,
        "fp": counts.fp,
        "fn": counts.fn,
        "tn": counts.tn,
        "iou": metrics.iou(counts),
        "dice": metrics.dice(counts),
        "precision": metrics.precision(counts),
        "recall": metrics.tpr(counts),
        "fpr": metrics.fpr(counts),
    }
