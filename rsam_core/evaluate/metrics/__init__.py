"""How well a prediction agrees with the truth: count first, then compute from counts.

Every pixel metric is a pure function of four counts, so that counts of tiles, images or classes
can be added before one is computed. Metrics of outlines are in
:mod:`rsam_core.evaluate.metrics.boundary`, those of objects in :mod:`rsam_core.objects.matching`
and :mod:`rsam_core.evaluate.metrics.objects`, intervals in
:mod:`rsam_core.evaluate.statistics.bootstrap`.

What empty masks give
---------------------
A metric whose denominator is zero has a stated value: if truth and prediction are both empty,
they agree perfectly, so IoU, Dice, precision, recall and kappa are 1; if only one of them is
empty, nothing was found that should have been, so precision and recall are 0, as IoU and Dice
are. Where the truth has no background at all, no false alarm was possible: FPR is 0 and
specificity 1. The keyword `zero_division` replaces these values by one of your own, for example
``nan``.
"""

from __future__ import annotations

from rsam_core.evaluate.metrics.classes import (
    class_confusion,
    class_counts,
    frequency_weighted_iou,
    mean_iou,
)
from rsam_core.evaluate.metrics.counts import Counts, confusion
from rsam_core.evaluate.metrics.pixel import (
    METRICS,
    Metric,
    all_metrics,
    dice,
    f1,
    fpr,
    iou,
    kappa,
    pixel_accuracy,
    precision,
    specificity,
    tpr,
)

__all__ = [
    "METRICS",
    "Counts",
    "Metric",
    "all_metrics",
    "class_confusion",
    "class_counts",
    "confusion",
    "dice",
    "f1",
    "fpr",
    "frequency_weighted_iou",
    "iou",
    "kappa",
    "mean_iou",
    "pixel_accuracy",
    "precision",
    "specificity",
    "tpr",
]
