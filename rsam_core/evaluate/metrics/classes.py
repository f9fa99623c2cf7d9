"""Metrics of maps with several classes, from one matrix of counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError
from rsam_core.evaluate.metrics.counts import Counts
from rsam_core.objects.checks import check_same_size


def class_confusion(
    truth: ArrayLike,
    prediction: ArrayLike,
    classes: int | None = None,
    *,
    valid: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Count the pixels of each pair of classes.

    Parameters
    ----------
    truth, prediction : array_like of int or bool, shape (H, W)
        Class of each pixel, from 0; 0 is usually the background. Masks have two classes.
    classes : int, optional
        Number of classes; the largest number found plus one if not given, and at least 2.
    valid : array_like of bool, shape (H, W), optional
        Where to compare; everywhere if not given.

    Returns
    -------
    ndarray of int64, shape (classes, classes)
        Rows are true classes, columns predicted ones.

    Raises
    ------
    MetricError
        If the sizes differ, or a class number is negative, not whole or too large.
    """
    truth, prediction = (
        _classes(array, name)
        for array, name in ((truth, "ground truth"), (prediction, "prediction"))
    )
    check_same_size(truth.shape, prediction.shape)
    if valid is not None:
        valid = np.asarray(valid, dtype=bool)
        check_same_size(truth.shape, valid.shape, "valid area")
        truth, prediction = truth[valid], prediction[valid]
    if not truth.size:
        raise MetricError("There is no pixel to compare: the image has no valid pixels.")
    largest = int(max(truth.max(), prediction.max()))
    classes = max(2, largest + 1) if classes is None else int(classes)
    if largest >= classes:
        raise MetricError(
            f"A pixel has class {largest}, but there are only {classes} classes, numbered from 0 "
            f"to {classes - 1}. Check that truth and prediction use the same numbers."
        )
    if classes > 1024:
        raise MetricError(
            f"{classes:,} classes are too many for a table of classes. If the numbers are those "
            "of objects, compare the objects instead (match)."
        )
    pairs = truth.ravel().astype(np.int64) * classes + prediction.ravel()
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def class_counts(matrix: ArrayLike) -> list[Counts]:
    """Return the counts of each class against all others.

    Parameters
    ----------
    matrix : array_like of int, shape (K, K)
        From :func:`class_confusion`.
    """
    matrix = _matrix(matrix)
    total = int(matrix.sum())
    counts = []
    for index in range(len(matrix)):
        tp = int(matrix[index, index])
        fp = int(matrix[:, index].sum()) - tp
        fn = int(matrix[index].sum()) - tp
        counts.append(Counts(tp, fp, fn, total - tp - fp - fn))
    return counts


def mean_iou(matrix: ArrayLike) -> float:
    """Mean of the IoU of the classes; classes in neither map are left out.

    References
    ----------
    .. [1] Jonathan Long, Evan Shelhamer, Trevor Darrell, "Fully convolutional networks for
       semantic segmentation", CVPR 2015.
    """
    matrix = _matrix(matrix)
    union = matrix.sum(0) + matrix.sum(1) - matrix.diagonal()
    present = union > 0
    if not present.any():
        return 1.0
    return float((matrix.diagonal()[present] / union[present]).mean())


def frequency_weighted_iou(matrix: ArrayLike) -> float:
    """Mean of the IoU of the classes, weighted by their true number of pixels.

    References
    ----------
    .. [1] Jonathan Long, Evan Shelhamer, Trevor Darrell, "Fully convolutional networks for
       semantic segmentation", CVPR 2015.
    """
    matrix = _matrix(matrix)
    true = matrix.sum(1)
    union = matrix.sum(0) + true - matrix.diagonal()
    present = true > 0
    if not present.any():
        return 1.0
    shares = true[present] / true.sum()
    return float((shares * matrix.diagonal()[present] / union[present]).sum())


def _classes(array: ArrayLike, name: str) -> NDArray:
    array = np.asarray(array)
    if array.ndim != 2 or array.dtype.kind not in "bui":
        raise MetricError(
            f"The {name} must hold one whole class number a pixel; this one has {array.ndim} "
            f"dimensions and type {array.dtype}."
        )
    if array.size and array.min() < 0:
        raise MetricError(f"The {name} holds negative class numbers. Number classes from 0.")
    return array


def _matrix(matrix: ArrayLike) -> NDArray[np.int64]:
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise MetricError(f"A class table must be square; this one has shape {matrix.shape}.")
    return matrix.astype(np.int64)
