"""Counts and metrics, by hand and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as peer

from rsam_core.errors import MetricError
from rsam_core.evaluate import metrics
from rsam_core.evaluate.metrics import Counts, all_metrics, confusion

TRUTH = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]], bool)
PREDICTION = np.array([[1, 1, 1, 0, 1], [0, 0, 0, 0, 1]], bool)
# 3 shared, 2 wrongly marked, 3 missed, 2 rightly left out.
BY_HAND = Counts(tp=3, fp=2, fn=3, tn=2)


def test_counts_by_hand():
    assert confusion(TRUTH, PREDICTION) == BY_HAND
    assert BY_HAND.total == 10


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iou", 3 / 8),
        ("dice", 6 / 11),
        ("pixel_accuracy", 0.5),
        ("tpr", 0.5),
        ("fpr", 0.5),
        ("precision", 0.6),
        ("specificity", 0.5),
        ("f1", 6 / 11),
        # Observed agreement 0.5; by chance 0.6 · 0.5 + 0.4 · 0.5 = 0.5.
        ("kappa", 0.0),
    ],
)
def test_metric_by_hand(name, value):
    assert getattr(metrics, name)(BY_HAND) == pytest.approx(value)
    assert all_metrics(BY_HAND)[name] == pytest.approx(value)


def test_fpr_divides_by_the_background():
    # With FP / (FP + FN) it would be 0.8.
    assert metrics.fpr(Counts(tp=5, fp=4, fn=1, tn=90)) == pytest.approx(4 / 94)


def test_labels_and_0_255_masks_count_as_masks():
    labels = np.where(TRUTH, 17, 0)
    assert confusion(labels, PREDICTION.astype(np.uint8) * 255) == BY_HAND
    assert confusion(TRUTH.astype(float), PREDICTION.tolist()) == BY_HAND


def test_valid_leaves_pixels_out():
    valid = np.ones_like(TRUTH)
    valid[:, -1] = False
    assert confusion(TRUTH, PREDICTION, valid=valid) == Counts(tp=3, fp=0, fn=3, tn=2)


def test_counts_add():
    total = BY_HAND + Counts(1, 2, 3, 4)
    assert total == Counts(4, 4, 6, 6)
    assert sum([BY_HAND, BY_HAND]) == Counts(6, 4, 6, 4)
    halves = [confusion(TRUTH[row : row + 1], PREDICTION[row : row + 1]) for row in (0, 1)]
    assert sum(halves) == BY_HAND


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth, prediction = rng.random((2, 40, 30)) < rng.uniform(0.1, 0.9, (2, 1, 1))
    counts = confusion(truth, prediction)
    flat = truth.ravel(), prediction.ravel()
    tn, fp, fn, tp = peer.confusion_matrix(*flat).ravel()
    assert counts == Counts(int(tp), int(fp), int(fn), int(tn))
    values = all_metrics(counts)
    assert values["iou"] == pytest.approx(peer.jaccard_score(*flat))
    assert values["f1"] == values["dice"] == pytest.approx(peer.f1_score(*flat))
    assert values["precision"] == pytest.approx(peer.precision_score(*flat))
    assert values["tpr"] == pytest.approx(peer.recall_score(*flat))
    assert values["pixel_accuracy"] == pytest.approx(peer.accuracy_score(*flat))
    assert values["specificity"] == pytest.approx(peer.recall_score(*flat, pos_label=0))
    assert values["fpr"] == pytest.approx(1 - values["specificity"])
    assert values["kappa"] == pytest.approx(peer.cohen_kappa_score(*flat))


@pytest.mark.parametrize(
    ("counts", "stated"),
    [
        # Both empty: perfect agreement.
        (Counts(0, 0, 0, 9), {"iou": 1, "dice": 1, "f1": 1, "tpr": 1, "precision": 1, "fpr": 0}),
        # Nothing predicted, something there.
        (Counts(0, 0, 4, 5), {"iou": 0, "dice": 0, "f1": 0, "tpr": 0, "precision": 0, "fpr": 0}),
        # Something predicted, nothing there.
        (Counts(0, 3, 0, 6), {"iou": 0, "dice": 0, "tpr": 0, "precision": 0, "fpr": 1 / 3}),
        # No background in the truth.
        (Counts(5, 0, 4, 0), {"fpr": 0, "specificity": 1, "precision": 1}),
        (Counts(0, 0, 0, 0), {"pixel_accuracy": 1, "iou": 1}),
    ],
)
def test_empty_masks_have_stated_values(counts, stated):
    values = all_metrics(counts)
    assert {key: values[key] for key in stated} == pytest.approx(stated)


def test_zero_division_replaces_the_stated_value_only():
    empty = Counts(0, 0, 0, 9)
    assert math.isnan(metrics.iou(empty, zero_division=math.nan))
    assert metrics.tpr(empty, zero_division=0.0) == 0
    assert metrics.pixel_accuracy(empty, zero_division=0.0) == 1
    assert metrics.iou(BY_HAND, zero_division=0.0) == 3 / 8


def test_different_sizes_are_named_with_the_remedy():
    with pytest.raises(MetricError, match=r"prediction has 5 × 3 .* truth has 5 × 2.*export"):
        confusion(TRUTH, np.zeros((3, 5), bool))
    with pytest.raises(MetricError, match="valid area has 1 × 1"):
        confusion(TRUTH, PREDICTION, valid=np.ones((1, 1), bool))


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (np.zeros((2, 5, 3), bool), "2 × 5 × 3"),
        (np.full((2, 5), 0.4), "decimal numbers"),
        (np.full((2, 5), np.nan), "decimal numbers"),
        (np.full((2, 5), "x"), "whole numbers"),
    ],
)
def test_unusable_prediction_is_refused(prediction, words):
    with pytest.raises(MetricError, match=words):
        confusion(TRUTH, prediction)


def test_nothing_to_compare_and_negative_counts_are_refused():
    with pytest.raises(MetricError, match="no valid pixels"):
        confusion(TRUTH, PREDICTION, valid=np.zeros_like(TRUTH))
    with pytest.raises(MetricError, match="fn is -1"):
        Counts(0, 0, -1, 0)


def test_descriptions_belong_to_the_functions():
    keys = [metric.key for metric in metrics.METRICS]
    assert keys == list(all_metrics(BY_HAND))
    assert keys[:6] == ["iou", "pixel_accuracy", "dice", "tpr", "fpr", "precision"]
    assert len(set(keys)) == len(keys)
    for metric in metrics.METRICS:
        assert metric.function is getattr(metrics, metric.key)
        assert metric.title
        assert metric.source
        assert metric.help.endswith(".")
    worse = [metric.key for metric in metrics.METRICS if not metric.higher_is_better]
    assert worse == ["fpr"]


@pytest.mark.parametrize("metric", metrics.METRICS, ids=lambda metric: metric.key)
def test_printed_formula_gives_the_value(metric):
    formula = metric.formula.replace("2 TP", "2 * TP").replace("·", "*").replace("−", "-")
    values = {"TP": 3, "FP": 2, "FN": 3, "TN": 2, "precision": 0.6, "recall": 0.5}
    assert metric.function(BY_HAND) == pytest.approx(eval(formula, {}, values))
