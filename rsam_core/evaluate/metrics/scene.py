"""One scene: its objects against its truth, in every metric, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.evaluate.metrics import boundary
from rsam_core.evaluate.metrics.classes import frequency_weighted_iou, mean_iou
from rsam_core.evaluate.metrics.counts import Counts, confusion
from rsam_core.evaluate.metrics.objects import (
    ObjectScores,
    PrecisionRecall,
    object_scores,
    object_table,
    precision_recall,
)
from rsam_core.evaluate.metrics.pixel import METRICS, all_metrics
from rsam_core.evaluate.statistics.bootstrap import Interval, counts_interval, interval
from rsam_core.evaluate.statistics.clustered import ratio_interval
from rsam_core.objects.checks import check_same_size
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import Matching, Overlaps, match, overlaps

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.formats.truth import Truth

PARTS = 8
"""The image is cut into 8 × 8 parts, which are drawn for the intervals of pixel metrics."""


@dataclass(frozen=True, eq=False)
class SceneComparison:
    """Objects of a scene against its truth.

    Attributes
    ----------
    truth, predicted : Instances
        What was compared; predicted objects beyond what the truth covers are left out.
    left_out : int
        How many those are.
    counts : Counts
        Pixels.
    pixel : dict of str to Interval
        Every metric of :data:`rsam_core.evaluate.metrics.METRICS`; parts of the image are drawn.
    outline : dict of str to float
        ``boundary_f``, ``boundary_iou`` (with the median width of the true objects' bands) and
        ``hausdorff_95`` (pixels) of the two masks, and
        ``mean_iou`` and ``frequency_weighted_iou`` of object and background.
    scores : ObjectScores
    matching : Matching
        At IoU 0.5.
    object_intervals : dict of str to Interval
        ``recall`` and ``mean_best_iou`` (true objects are drawn), ``precision`` (predicted
        objects are drawn), ``f1`` and ``panoptic_quality`` (both are drawn, a matched pair as
        one).
    table : pandas.DataFrame
        See :func:`rsam_core.evaluate.metrics.objects.object_table`.
    found : Overlaps
    tolerance : float
        Pixels, for the boundary F-score.
    """

    truth: Instances
    predicted: Instances
    left_out: int
    counts: Counts
    pixel: dict[str, Interval]
    outline: dict[str, float]
    scores: ObjectScores
    matching: Matching
    object_intervals: dict[str, Interval]
    table: pd.DataFrame = field(repr=False)
    found: Overlaps = field(repr=False)
    tolerance: float = 2.0

    def curve(self, threshold: float = 0.5) -> PrecisionRecall:
        """Precision and recall by the score of the predicted objects."""
        return precision_recall([(self.truth, self.predicted)], threshold, found=[self.found])

    def extra(self) -> Instances:
        """Predicted objects that match no true one at IoU 0.5."""
        keep = np.ones(len(self.predicted), dtype=bool)
        keep[self.matching.columns] = False
        return self.predicted.select(keep)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the single objects, ready for JSON."""
        return {
            "counts": {name: getattr(self.counts, name) for name in ("tp", "fp", "fn", "tn")},
            "pixel_metrics": {name: bounds.to_dict() for name, bounds in self.pixel.items()},
            "outline_metrics": dict(self.outline) | {"tolerance_pixels": self.tolerance},
            "object_metrics": self.scores.to_dict(),
            "object_intervals": {n: b.to_dict() for n, b in self.object_intervals.items()},
            "objects_left_out": self.left_out,
        }


def compare_scene(
    truth: Truth, objects: Instances, *, tolerance: float = 2.0, seed: int = 0
) -> SceneComparison:
    """Compare the objects of a scene with its truth.

    Parameters
    ----------
    truth : Truth
    objects : Instances
    tolerance : float
        Pixels by which an outline may be off.
    seed : int
        Of the bootstrap.

    Raises
    ------
    MetricError
        If the sizes differ, or the truth covers nothing.
    """
    check_same_size(truth.shape, objects.shape)
    predicted = truth.inside(objects)
    valid = truth.valid
    covered = predicted.union_mask()
    if valid is not None:
        covered &= valid
    mask = truth.mask if valid is None else truth.mask & valid
    found = overlaps(truth.objects, predicted)
    matching = match(truth.objects, predicted, found=found)
    table = object_table(truth.objects, predicted, found=found, tolerance=tolerance)
    parts = block_counts(mask, covered, valid)
    counts = confusion(mask, covered, valid=valid)
    matrix = [[counts.tn, counts.fp], [counts.fn, counts.tp]]
    return SceneComparison(
        truth=truth.objects,
        predicted=predicted,
        left_out=len(objects) - len(predicted),
        counts=counts,
        pixel={
            metric.key: counts_interval(parts, metric.function, seed=seed) for metric in METRICS
        },
        outline={
            "boundary_f": boundary.boundary_f_score(mask, covered, tolerance),
            "boundary_iou": boundary.boundary_iou(
                mask, covered, boundary.median_band(truth.objects)
            ),
            "hausdorff_95": boundary.hausdorff_distance(mask, covered),
            "mean_iou": mean_iou(matrix),
            "frequency_weighted_iou": frequency_weighted_iou(matrix),
        },
        scores=object_scores(truth.objects, predicted, found=found),
        matching=matching,
        object_intervals=_object_intervals(matching, found, seed),
        table=table,
        found=found,
        tolerance=tolerance,
    )


def block_counts(
    truth: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    valid: NDArray[np.bool_] | None = None,
    parts: int = PARTS,
) -> list[Counts]:
    """Counts of equal parts of an image, `parts` across and down; their sum is that of the image.

    Neighbouring pixels are alike, so that single pixels would make intervals far too narrow.
    Parts without a valid pixel are left out.
    """
    check_same_size(truth.shape, prediction.shape)
    rows, columns = (np.linspace(0, side, parts + 1).astype(int) for side in truth.shape)
    found = []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            place = slice(top, bottom), slice(left, right)
            some = None if valid is None else valid[place]
            if bottom > top and right > left and (some is None or some.any()):
                found.append(confusion(truth[place], prediction[place], valid=some))
    if not found:
        raise MetricError("There is no pixel to compare: the truth covers nothing of the image.")
    return found


def metric_rows(comparison: SceneComparison) -> list[dict[str, Any]]:
    """Pixel metrics as rows for a table: key, title, value, low, high, formula, help, source."""
    values = all_metrics(comparison.counts)
    return [
        {
            "key": metric.key,
            "title": metric.title,
            "value": values[metric.key],
            "low": comparison.pixel[metric.key].low,
            "high": comparison.pixel[metric.key].high,
            "formula": metric.formula,
            "help": metric.help,
            "source": metric.source,
        }
        for metric in METRICS
    ]


def _object_intervals(matching: Matching, found: Overlaps, seed: int) -> dict[str, Interval]:
    best, _ = found.best()
    hit = np.zeros(matching.n_truth)
    hit[matching.rows] = 1
    right = np.zeros(matching.n_predicted)
    right[matching.columns] = 1
    # A unit is a matched pair, a missed object or a false alarm; quality is its IoU or nothing.
    ious = matching.ious.tolist() + [0.0] * (matching.fn + matching.fp)
    weights = [1.0] * matching.tp + [0.5] * (matching.fn + matching.fp)
    return {
        "recall": interval(hit, seed=seed),
        "mean_best_iou": interval(best, seed=seed),
        "precision": interval(right, seed=seed),
        "f1": _share([float(iou > 0) for iou in ious], weights, seed),
        "panoptic_quality": _share(ious, weights, seed),
    }


def _share(parts: list[float], wholes: list[float], seed: int) -> Interval:
    """A ratio of sums with its interval; where there is nothing to find, nothing is wrong."""
    if not sum(wholes):
        return Interval(1.0, np.nan, np.nan, len(wholes), method="none")
    return ratio_interval(parts, wholes, seed=seed)
