"""How well a prediction agrees with the truth: count pixels first, then compute from counts.

Every metric is a pure function of four counts, so that counts of tiles, images or classes can
be added before one is computed.

What empty masks give
---------------------
A metric whose denominator is zero has a stated value: if truth and prediction are both empty,
they agree perfectly, so IoU, Dice, precision and recall are 1; if only one of them is empty,
nothing was found that should have been, so precision and recall are 0, as IoU and Dice are.
Where the truth has no background at all, no false alarm was possible: FPR is 0 and specificity
1. The keyword `zero_division` replaces these values by one of your own, for example ``nan``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError


@dataclass(frozen=True)
class Counts:
    """Numbers of pixels (or objects) by what truth and prediction say of them.

    Parameters
    ----------
    tp : int
        True positives: object in both.
    fp : int
        False positives: object in the prediction only.
    fn : int
        False negatives: object in the truth only.
    tn : int
        True negatives: background in both.

    Raises
    ------
    MetricError
        If a count is negative.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    def __post_init__(self) -> None:
        for name in ("tp", "fp", "fn", "tn"):
            value = int(getattr(self, name))
            if value < 0:
                raise MetricError(f"A count cannot be negative: {name} is {value}.")
            object.__setattr__(self, name, value)

    def __add__(self, other: Counts) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn
        )

    def __radd__(self, other: object) -> Counts:
        # sum() starts from 0.
        return self if other == 0 else NotImplemented

    @property
    def total(self) -> int:
        """Number of pixels compared."""
        return self.tp + self.fp + self.fn + self.tn


def confusion(truth: ArrayLike, prediction: ArrayLike, *, valid: ArrayLike | None = None) -> Counts:
    """Count the pixels on which truth and prediction agree and differ.

    Parameters
    ----------
    truth, prediction : array_like of bool or int, shape (H, W)
        Masks or label maps; every value other than 0 is object.
    valid : array_like of bool, shape (H, W), optional
        Where to compare; everywhere if not given.

    Returns
    -------
    Counts

    Raises
    ------
    MetricError
        If the sizes differ, an array is not a mask, or there is no pixel to compare.
    """
    truth = object_mask(truth, "ground truth")
    prediction = object_mask(prediction, "prediction")
    check_same_size(truth.shape, prediction.shape)
    if valid is not None:
        valid = object_mask(valid, "valid area")
        check_same_size(truth.shape, valid.shape, "valid area")
        truth, prediction = truth & valid, prediction & valid
    total = truth.size if valid is None else int(np.count_nonzero(valid))
    if total == 0:
        raise MetricError("There is no pixel to compare: the image has no valid pixels.")
    tp = int(np.count_nonzero(truth & prediction))
    fp = int(np.count_nonzero(prediction)) - tp
    fn = int(np.count_nonzero(truth)) - tp
    return Counts(tp, fp, fn, total - tp - fp - fn)


def object_mask(mask: ArrayLike, name: str = "mask") -> NDArray[np.bool_]:
    """Return where a mask or label map is not 0.

    Parameters
    ----------
    mask : array_like of bool or int, shape (H, W)
        Decimal numbers are accepted where they are all 0 or 1.
    name : str
        What to call it in a message.

    Raises
    ------
    MetricError
        If it is not two-dimensional, or holds probabilities.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise MetricError(
            f"The {name} must have one value a pixel (rows, columns); this one has "
            f"{mask.ndim} dimensions: {' × '.join(map(str, mask.shape)) or 'a single number'}."
        )
    if mask.dtype == bool:
        return mask
    if mask.dtype.kind == "f" and not np.isin(mask, (0.0, 1.0)).all():
        raise MetricError(
            f"The {name} holds decimal numbers, such as probabilities. Turn it into a mask "
            "first, for example by 'values > 0.5'."
        )
    if mask.dtype.kind not in "uif":
        raise MetricError(f"The {name} must hold whole numbers or true/false, not {mask.dtype}.")
    return mask != 0


def check_same_size(
    expected: tuple[int, int],
    actual: tuple[int, int],
    name: str = "prediction",
    *,
    reference: str = "ground truth",
) -> None:
    """Raise a :class:`MetricError` with both sizes unless two (height, width) are equal.

    Parameters
    ----------
    expected, actual : (int, int)
        Height and width of `reference` and of `name`.
    name, reference : str
        What to call them in the message.
    """
    if tuple(expected) != tuple(actual):
        raise MetricError(
            f"The {name} has {actual[1]} × {actual[0]} pixels (width × height) but the "
            f"{reference} has {expected[1]} × {expected[0]}. Both must show the same area at the "
            "same size: export the mask at the size of the image, without cropping or turning "
            "it, and if it must be resized, with the nearest-neighbour method."
        )


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

    0 if the truth has no background. (Some studies print FP / (FP + FN) under this name; that
    is a share of the errors, not a false positive rate.)
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
        "The share of the true background that was wrongly marked as object; 0 is perfect.",
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
)
