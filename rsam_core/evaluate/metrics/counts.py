"""Counts of right and wrong pixels, from which every pixel metric is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rsam_core.errors import MetricError
from rsam_core.objects.checks import check_same_size, object_mask


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
