"""Metrics of several classes, by hand and against scikit-learn and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as peer

from rsam_core.errors import MetricError
from rsam_core.evaluate.metrics import (
    Counts,
    class_confusion,
    class_counts,
    confusion,
    frequency_weighted_iou,
    mean_iou,
)

TRUTH = np.array([[0, 0, 1, 1], [0, 2, 2, 1]])
PREDICTION = np.array([[0, 1, 1, 1], [0, 2, 0, 0]])


def test_by_hand():
    matrix = class_confusion(TRUTH, PREDICTION)
    assert matrix.tolist() == [[2, 1, 0], [1, 2, 0], [1, 0, 1]]
    assert class_counts(matrix)[1] == Counts(tp=2, fp=1, fn=1, tn=4)
    ious = [2 / 5, 2 / 4, 1 / 2]
    assert mean_iou(matrix) == pytest.approx(sum(ious) / 3)
    shares = [3 / 8, 3 / 8, 2 / 8]
    assert frequency_weighted_iou(matrix) == pytest.approx(sum(np.multiply(ious, shares)))


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_learn_and_torchmetrics(seed):
    import torch

    classification = pytest.importorskip("torchmetrics.functional.classification")

    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, (30, 40))
    prediction = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, 5, truth.shape))
    matrix = class_confusion(truth, prediction)
    flat = truth.ravel(), prediction.ravel()
    assert (matrix == peer.confusion_matrix(*flat)).all()
    assert mean_iou(matrix) == pytest.approx(peer.jaccard_score(*flat, average="macro"))
    assert frequency_weighted_iou(matrix) == pytest.approx(
        peer.jaccard_score(*flat, average="weighted")
    )
    index = classification.multiclass_jaccard_index(
        torch.tensor(prediction), torch.tensor(truth), 5
    )
    assert mean_iou(matrix) == pytest.approx(float(index), abs=1e-6)


def test_two_classes_are_the_masks():
    matrix = class_confusion(TRUTH > 0, PREDICTION > 0)
    assert class_counts(matrix)[1] == confusion(TRUTH, PREDICTION)


def test_absent_classes_and_valid_pixels():
    nothing = np.zeros((3, 3), int)
    assert mean_iou(class_confusion(nothing, nothing, 4)) == 1
    assert frequency_weighted_iou(class_confusion(nothing, nothing)) == 1
    valid = TRUTH != 2
    assert class_confusion(TRUTH, PREDICTION, 3, valid=valid).sum() == 6
    assert mean_iou(np.zeros((2, 2))) == 1


@pytest.mark.parametrize(
    ("truth", "prediction", "classes", "words"),
    [
        (TRUTH, PREDICTION[:1], None, "4 × 1"),
        (TRUTH, PREDICTION, 2, "class 2"),
        (TRUTH - 1, PREDICTION, None, "negative"),
        (TRUTH * 0.5, PREDICTION, None, "whole class number"),
        (TRUTH * 50_000, PREDICTION, None, "too many"),
    ],
)
def test_bad_input_is_refused(truth, prediction, classes, words):
    with pytest.raises(MetricError, match=words):
        class_confusion(truth, prediction, classes)
