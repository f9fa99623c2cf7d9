"""Metrics of two masks: pure functions of four counts, and a description of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rsam_core.evaluate.metrics.counts import Counts


def iou(counts: Counts, *, zero_division: float | None = None) -> float:
    """Intersection over union, TP / (TP + FP + FN); 1 if both masks are empty.

    Parameters
    ----------
    counts : Counts
    zero_division : float, optional
        Value if the denominator is zero, in place of the stated one; so for every metric here.

    References
    ----------
    .. [1] Paul Jaccard, "The distribution of the flora in the alpine zone", 1912.
    """
    return _ratio(counts.tp, counts.tp + counts.fp + counts.fn, 1.0, zero_division)


def pixel_accuracy(counts: Counts, *, zero_division: float | None = None) -> float:
    """Share of all pixels that are right, (TP + TN) / all; 1 if there are no pixels."""
    return _ratio(counts.tp + counts.tn, counts.total, 1.0, zero_division)


def dice(counts: Counts, *, zero_division: float | None = None) -> float:
    """Dice coefficient, 2 TP / (2 TP + FP + FN); 1 if both masks are empty.

    References
    ----------
    .. [1] Lee R. Dice, "Measures of the amount of ecologic association between species", 1945.
    """
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn, 1.0, zero_division)


def tpr(counts: Counts, *, zero_division: float | None = None) -> float:
    """True positive rate (recall), TP / (TP + FN).

    If the truth is empty: 1 if the prediction is empty too, otherwise 0.
    """
    empty = 1.0 if counts.fp == 0 else 0.0
    return _ratio(counts.tp, counts.tp + counts.fn, empty, zero_division)


def fpr(counts: Counts, *, zero_division: float | None = None) -> float:
    """False positive rate, FP / (FP + TN): the share of the background that is marked.

    0 if the truth has no background. The study that this project grew from prints FP / (FP + FN)
    under this name; that is a share of the errors, not a false positive rate.
    """
    return _ratio(counts.fp, counts.fp + counts.tn, 0.0, zero_division)


def precision(counts: Counts, *, zero_division: float | None = None) -> float:
    """Share of the marked pixels that are right, TP / (TP + FP).

    If the prediction is empty: 1 if the truth is empty too, otherwise 0.
    """
    empty = 1.0 if counts.fn == 0 else 0.0
    return _ratio(counts.tp, counts.tp + counts.fp, empty, zero_division)


def specificity(counts: Counts, *, zero_division: float | None = None) -> float:
    """Share of the background left unmarked, TN / (FP + TN); 1 if there is no background."""
    return _ratio(counts.tn, counts.fp + counts.tn, 1.0, zero_division)


def f1(counts: Counts, *, zero_division: float | None = None) -> float:
    """Harmonic mean of precision and recall; the same number as :func:`dice`."""
    return dice(counts, zero_division=zero_division)


def kappa(counts: Counts, *, zero_division: float | None = None) -> float:
    """Cohen's kappa: agreement beyond what chance would give; 0 is chance, 1 perfect.

    1 if truth and prediction are both empty, or both cover everything.

    References
    ----------
    .. [1] Jacob Cohen, "A coefficient of agreement for nominal scales", 1960. For two classes
       (p_o − p_e) / (1 − p_e) is 2 (TP·TN − FN·FP) over the sum of the products of margins.
    """
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    chance = (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)
    return _ratio(2 * (tp * tn - fn * fp), chance, 1.0, zero_division)


def all_metrics(counts: Counts, *, zero_division: float | None = None) -> dict[str, float]:
    """Return every metric by its key, in the order of :data:`METRICS`."""
    return {metric.key: metric.function(counts, zero_division=zero_division) for metric in METRICS}


def _ratio(part: int, whole: int, empty: float, zero_division: float | None) -> float:
    if whole:
        return part / whole
    return empty if zero_division is None else float(zero_division)


@dataclass(frozen=True)
class Metric:
    """What a metric is, for tables and help texts.

    Parameters
    ----------
    key : str
        Name of the function and of the entry in :func:`all_metrics`.
    title : str
        Name to show.
    formula : str
        In TP, FP, FN, TN.
    help : str
        One sentence in plain words.
    source : str
        Where it is defined.
    function : callable
        Counts to value.
    higher_is_better : bool
        False for error rates.
    """

    key: str
    title: str
    formula: str
    help: str
    source: str
    function: Callable[..., float]
    higher_is_better: bool = True


_FAWCETT = 'T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006'

METRICS: tuple[Metric, ...] = (
    Metric(
        "iou",
        "IoU",
        "TP / (TP + FP + FN)",
        "How much of the area that either mask covers is covered by both; 1 is perfect.",
        'P. Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11, 1912',
        iou,
    ),
    Metric(
        "pixel_accuracy",
        "Pixel accuracy",
        "(TP + TN) / (TP + FP + FN + TN)",
        "The share of all pixels that are right; high even for a poor mask when objects are few.",
        _FAWCETT,
        pixel_accuracy,
    ),
    Metric(
        "dice",
        "Dice",
        "2 TP / (2 TP + FP + FN)",
        "Twice the shared area over the sum of both areas; kinder to small errors than IoU.",
        'L. R. Dice, "Measures of the amount of ecologic association between species", '
        "Ecology 26, 1945",
        dice,
    ),
    Metric(
        "tpr",
        "TPR (recall)",
        "TP / (TP + FN)",
        "The share of the true object pixels that were found.",
        _FAWCETT,
        tpr,
    ),
    Metric(
        "fpr",
        "FPR",
        "FP / (FP + TN)",
        "The share of the true background that was wrongly marked as object; 0 is perfect. "
        "The founding study prints FP / (FP + FN) under this name, which is a share of the errors "
        "and not the false positive rate; its figures cannot be compared with these.",
        _FAWCETT,
        fpr,
        higher_is_better=False,
    ),
    Metric(
        "precision",
        "Precision",
        "TP / (TP + FP)",
        "The share of the marked pixels that really belong to an object.",
        _FAWCETT,
        precision,
    ),
    Metric(
        "specificity",
        "Specificity",
        "TN / (FP + TN)",
        "The share of the true background that was left unmarked; it is 1 − FPR.",
        _FAWCETT,
        specificity,
    ),
    Metric(
        "f1",
        "F1",
        "2 · precision · recall / (precision + recall)",
        "Precision and recall in one number; for masks it is the same number as Dice.",
        'C. J. van Rijsbergen, "Information Retrieval", 2nd edition, 1979',
        f1,
    ),
    Metric(
        "kappa",
        "Cohen's kappa",
        "2 · (TP · TN − FN · FP) / ((TP + FP) · (FP + TN) + (TP + FN) · (FN + TN))",
        "Agreement beyond what chance alone would give; 0 is chance, 1 is perfect.",
        'J. Cohen, "A coefficient of agreement for nominal scales", Educational and '
        "Psychological Measurement 20, 1960",
        kappa,
    ),
)
