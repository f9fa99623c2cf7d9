"""Metrics of objects: how many were found, how well, and how precision falls as recall grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.metrics.counts import Counts
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.matching import COCO_THRESHOLDS, Overlaps, match, match_all, overlaps

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ObjectScores:
    """How well the objects of one scene, or of several, were found.

    Attributes
    ----------
    n_truth, n_predicted : int
        Numbers of objects.
    precision, recall, f1 : float
        At IoU 0.5, matched one to one.
    precision_mean, recall_mean, f1_mean : float
        Mean over IoU 0.50, 0.55, ... 0.95.
    panoptic_quality, segmentation_quality, recognition_quality : float
        PQ = SQ · RQ, with matches above IoU 0.5 (Kirillov et al., CVPR 2019).
    mean_best_iou : float
        Mean over the true objects of the IoU with the best predicted one, 0 where there is none;
        1 if there are no true objects.
    count_error : int
        Predicted minus true number.
    count_error_percent : float
        The same in percent of the true number; nan without true objects, 0 if none were
        predicted either.
    area_error_percent : float
        (Predicted − true area) / true area in percent, areas summed over the objects; nan and 0
        as before.
    """

    n_truth: int
    n_predicted: int
    precision: float
    recall: float
    f1: float
    precision_mean: float
    recall_mean: float
    f1_mean: float
    panoptic_quality: float
    segmentation_quality: float
    recognition_quality: float
    mean_best_iou: float
    count_error: int
    count_error_percent: float
    area_error_percent: float

    def to_dict(self) -> dict[str, float]:
        """All values by name."""
        return asdict(self)


def object_scores(
    truth: Instances, predicted: Instances, *, found: Overlaps | None = None
) -> ObjectScores:
    """Score predicted objects against true ones.

    Parameters
    ----------
    truth, predicted : Instances
        Objects of one scene.
    found : Overlaps, optional
        From :func:`rsam_core.objects.matching.overlaps`, if it is known already.

    Raises
    ------
    MetricError
        If they belong to scenes of different sizes.
    """
    found = overlaps(truth, predicted) if found is None else found
    levels = match_all(truth, predicted, found=found)
    panoptic = match(truth, predicted, 0.5, found=found, strict=True)
    best, _ = found.best()
    return ObjectScores(
        n_truth=len(truth),
        n_predicted=len(predicted),
        precision=levels[0].precision,
        recall=levels[0].recall,
        f1=levels[0].f1,
        precision_mean=float(np.mean([level.precision for level in levels])),
        recall_mean=float(np.mean([level.recall for level in levels])),
        f1_mean=float(np.mean([level.f1 for level in levels])),
        panoptic_quality=panoptic.panoptic_quality,
        segmentation_quality=panoptic.segmentation_quality,
        recognition_quality=panoptic.f1,
        mean_best_iou=float(best.mean()) if len(truth) else 1.0,
        count_error=len(predicted) - len(truth),
        count_error_percent=percent_error(len(truth), len(predicted)),
        area_error_percent=percent_error(int(truth.areas.sum()), int(predicted.areas.sum())),
    )


def percent_error(truth: float, predicted: float) -> float:
    """(predicted − truth) / truth in percent; nan if the truth is 0, and 0 if both are."""
    if truth == 0:
        return 0.0 if predicted == 0 else float("nan")
    return 100.0 * (predicted - truth) / truth


def object_counts(truth: Instance, predicted: Instance | None, total: int) -> Counts:
    """Pixel counts of one object.

    Parameters
    ----------
    truth : Instance
    predicted : Instance or None
        None if it was not found.
    total : int
        Pixels of the scene, to which the true negatives belong.
    """
    from rsam_core.objects.crops import shared_pixels

    if predicted is None:
        return Counts(0, 0, truth.area, total - truth.area)
    tp = shared_pixels(truth, predicted)
    fp, fn = predicted.area - tp, truth.area - tp
    return Counts(tp, fp, fn, total - tp - fp - fn)


def object_table(
    truth: Instances,
    predicted: Instances,
    *,
    found: Overlaps | None = None,
    tolerance: float = 2.0,
    outlines: bool = True,
) -> pd.DataFrame:
    """Compare every true object with the predicted one that fits it best.

    Parameters
    ----------
    truth, predicted : Instances
        Objects of one scene.
    found : Overlaps, optional
        From :func:`rsam_core.objects.matching.overlaps`.
    tolerance : float
        Pixels by which an outline may be off, for the boundary metrics.
    outlines : bool
        Whether to compute the boundary metrics, which take about a millisecond an object.

    Returns
    -------
    pandas.DataFrame
        One row a true object, in the order of `truth`: ``id``, ``label``, ``area`` (pixels),
        ``found`` (whether it is matched one to one at IoU 0.5), ``predicted`` (number of the
        object that fits best, 0 if none touches it), ``predicted_area``, ``iou``, ``dice``,
        ``precision``, ``recall``, ``area_error_percent``, and with `outlines` ``boundary_f``,
        ``boundary_iou`` and ``hausdorff_95`` (pixels; inf where there is nothing).
    """
    import pandas as pd

    from rsam_core.evaluate.metrics.boundary import instance_boundary
    from rsam_core.evaluate.metrics.pixel import dice, precision, tpr

    found = overlaps(truth, predicted) if found is None else found
    matched = set(match(truth, predicted, 0.5, found=found).rows.tolist())
    best, where = found.best()
    total = truth.shape[0] * truth.shape[1]
    rows = []
    for index, item in enumerate(truth):
        partner = predicted[int(where[index])] if where[index] >= 0 else None
        counts = object_counts(item, partner, total)
        row = {
            "id": item.id,
            "label": item.label,
            "area": item.area,
            "found": index in matched,
            "predicted": partner.id if partner else 0,
            "predicted_area": partner.area if partner else 0,
            "iou": float(best[index]),
            "dice": dice(counts),
            "precision": precision(counts),
            "recall": tpr(counts),
            "area_error_percent": percent_error(item.area, partner.area if partner else 0),
        }
        if outlines:
            row |= instance_boundary(item, partner, tolerance)
        rows.append(row)
    columns = ["id", "label", "area", "found", "predicted", "predicted_area", "iou", "dice"]
    columns += ["precision", "recall", "area_error_percent"]
    columns += ["boundary_f", "boundary_iou", "hausdorff_95"] if outlines else []
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """How precision and recall change with the score from which on objects are kept.

    Attributes
    ----------
    scores : ndarray of float64, shape (K,)
        Score of each predicted object, highest first.
    precision, recall : ndarray of float64, shape (K,)
        If all objects up to this one are kept.
    n_truth : int
    threshold : float
        IoU from which on an object counts as found.
    """

    scores: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    n_truth: int
    threshold: float

    @property
    def average_precision(self) -> float:
        """Mean, over recall 0, 0.01, ... 1, of the best precision at that recall or a higher one.

        nan without true objects, as in COCO.

        References
        ----------
        .. [1] Tsung-Yi Lin et al., "Microsoft COCO: common objects in context", ECCV 2014, and
           the evaluation that belongs to it (101 points of recall).
        """
        if not self.n_truth:
            return float("nan")
        envelope = np.maximum.accumulate(self.precision[::-1])[::-1]
        place = np.searchsorted(self.recall, np.linspace(0, 1, 101), side="left")
        reached = place < len(envelope)
        return float(envelope[place[reached]].sum() / 101)


def precision_recall(
    scenes: Sequence[tuple[Instances, Instances]],
    threshold: float = 0.5,
    *,
    found: Sequence[Overlaps] | None = None,
) -> PrecisionRecall:
    """Trace precision and recall over the score of the objects of one or several scenes.

    As in COCO, objects are taken in order of their score, and each takes the best true object
    that is still free.

    Parameters
    ----------
    scenes : sequence of (Instances, Instances)
        Truth and prediction of each scene.
    threshold : float
        IoU from which on an object counts as found.
    found : sequence of Overlaps, optional
        Those of the scenes, if several thresholds are asked for.
    """
    found = [overlaps(*scene) for scene in scenes] if found is None else found
    scores, hits = [], []
    for (_, predicted), pairs in zip(scenes, found):
        order = np.argsort(-predicted.scores, kind="stable")
        scores.append(predicted.scores[order])
        hits.append(_greedy(pairs, order, threshold))
    n_truth = sum(len(truth) for truth, _ in scenes)
    score = np.concatenate(scores) if scores else np.zeros(0)
    hit = np.concatenate(hits) if hits else np.zeros(0, bool)
    order = np.argsort(-score, kind="stable")
    tp = np.cumsum(hit[order])
    count = np.arange(1, len(tp) + 1)
    recall = tp / n_truth if n_truth else np.zeros(len(tp))
    return PrecisionRecall(score[order], tp / count, recall, n_truth, float(threshold))


def average_precision(
    scenes: Sequence[tuple[Instances, Instances]],
    thresholds: Sequence[float] = COCO_THRESHOLDS,
) -> float:
    """Mean average precision over IoU thresholds, by default COCO's 0.50 to 0.95."""
    found = [overlaps(*scene) for scene in scenes]
    values = [
        precision_recall(scenes, threshold, found=found).average_precision
        for threshold in thresholds
    ]
    return float(np.mean(values))


def _greedy(found: Overlaps, order: NDArray, threshold: float) -> NDArray[np.bool_]:
    """Whether each predicted object, in `order`, finds a free true one."""
    candidates: dict[int, list[tuple[float, int]]] = {}
    for row, column, iou in zip(found.rows, found.columns, found.ious):
        if iou >= threshold - 1e-12:
            candidates.setdefault(int(column), []).append((float(iou), int(row)))
    taken: set[int] = set()
    hits = np.zeros(len(order), dtype=bool)
    for place, column in enumerate(order):
        free = [pair for pair in candidates.get(int(column), ()) if pair[1] not in taken]
        if free:
            taken.add(max(free)[1])
            hits[place] = True
    return hits
