"""One scene against its truth: the parts add up, the intervals enclose, the left-out is told."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rsam_core.errors import MetricError
from rsam_core.evaluate.metrics import METRICS, Counts, all_metrics, confusion
from rsam_core.evaluate.metrics.scene import block_counts, compare_scene, metric_rows
from rsam_core.evaluate.report.scene import scene_report
from rsam_core.formats.truth import Truth, truth_from_labels
from rsam_core.objects.instances import Instance, Instances

SHAPE = (100, 130)
LABELS = np.zeros(SHAPE, np.int32)
for number, (y, x) in enumerate(np.ndindex(3, 4), start=1):
    LABELS[5 + 32 * y : 25 + 32 * y, 5 + 32 * x : 25 + 32 * x] = number


def squares(shift: int, count: int = 12) -> Instances:
    """The first squares of the truth, moved to the right."""
    block = np.ones((20, 20), bool)
    places = [(5 + 32 * x + shift, 5 + 32 * y) for y, x in np.ndindex(3, 4)][:count]
    return Instances(
        [Instance(block, x, y, 1 - 0.05 * i) for i, (x, y) in enumerate(places)], SHAPE
    )


def test_parts_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    truth, prediction, valid = rng.random((3, 101, 67)) < 0.5
    for where in (None, valid):
        parts = block_counts(truth, prediction, where)
        assert sum(parts) == confusion(truth, prediction, valid=where)
        assert len(parts) == 64
    assert len(block_counts(truth[:3, :2], prediction[:3, :2])) == 6
    with pytest.raises(MetricError, match="covers nothing"):
        block_counts(truth, prediction, np.zeros_like(valid))


def test_by_hand():
    found = compare_scene(truth_from_labels(LABELS), squares(2, 9))
    # 9 of 12 squares of 400 px, each moved by 2: 360 shared, IoU 360 / 440.
    assert found.counts == Counts(9 * 360, 9 * 40, 9 * 40 + 3 * 400, 13_000 - 9 * 440 - 1200)
    assert (found.matching.tp, found.matching.fp, found.matching.fn) == (9, 0, 3)
    assert found.scores.panoptic_quality == pytest.approx(9 * (360 / 440) / (9 + 1.5))
    assert found.object_intervals["panoptic_quality"].value == pytest.approx(
        found.scores.panoptic_quality, abs=1e-5
    )
    assert found.object_intervals["f1"].value == pytest.approx(found.scores.f1)
    assert found.object_intervals["recall"].value == 0.75
    assert found.object_intervals["recall"].low < 0.75 < found.object_intervals["recall"].high
    assert found.object_intervals["precision"].value == 1
    assert found.object_intervals["mean_best_iou"].value == pytest.approx(0.75 * 360 / 440)
    values = all_metrics(found.counts)
    for metric in METRICS:
        bounds = found.pixel[metric.key]
        assert bounds.value == pytest.approx(values[metric.key])
        assert bounds.low <= bounds.value <= bounds.high
    assert found.outline["mean_iou"] == pytest.approx(
        (values["iou"] + found.counts.tn / (13_000 - found.counts.tp)) / 2
    )
    assert found.outline["hausdorff_95"] >= 2
    assert len(found.table) == 12
    assert found.table["found"].sum() == 9
    assert len(found.extra()) == 0
    assert found.curve().recall[-1] == 0.75


def test_perfect_and_empty():
    truth = truth_from_labels(LABELS)
    perfect = compare_scene(truth, truth.objects)
    assert {b.value for k, b in perfect.pixel.items() if k != "fpr"} == {1}
    assert {b.value for b in perfect.object_intervals.values()} == {1}
    assert perfect.outline["hausdorff_95"] == 0
    nothing = compare_scene(truth, Instances.empty(SHAPE))
    assert nothing.pixel["iou"].value == 0
    assert nothing.scores.recall == 0
    assert np.isnan(nothing.object_intervals["precision"].value)
    assert nothing.table["found"].sum() == 0
    both = compare_scene(truth_from_labels(np.zeros(SHAPE, int)), Instances.empty(SHAPE))
    assert both.pixel["iou"].value == 1
    assert both.scores.f1 == 1


def test_only_what_the_truth_covers_counts():
    valid = np.zeros(SHAPE, bool)
    valid[:, :64] = True
    truth = Truth(Instances.from_label_map(np.where(valid, LABELS, 0)), valid=valid)
    found = compare_scene(truth, squares(0))
    assert found.left_out == 6
    assert found.counts.total == 100 * 64
    assert found.pixel["iou"].value == 1
    assert found.scores.f1 == 1


def test_false_alarms_are_shown_apart_and_json_holds_everything():
    extra = squares(0).add(np.ones((6, 6), bool), origin=(118, 30))
    found = compare_scene(truth_from_labels(LABELS), extra)
    assert [item.bbox for item in found.extra()] == [(118, 30, 124, 36)]
    data = json.loads(json.dumps(found.to_dict()))
    assert data["counts"]["fp"] == 36
    assert data["object_metrics"]["n_predicted"] == 13
    assert data["pixel_metrics"]["iou"]["n"] == 64
    rows = metric_rows(found)
    assert [row["key"] for row in rows] == [metric.key for metric in METRICS]
    assert "FP / (FP + FN)" in next(row for row in rows if row["key"] == "fpr")["help"]


def test_the_seed_decides_and_sizes_must_agree():
    truth = truth_from_labels(LABELS)
    assert compare_scene(truth, squares(3)).pixel == compare_scene(truth, squares(3)).pixel
    other = compare_scene(truth, squares(3), seed=1).pixel
    assert other["iou"] != compare_scene(truth, squares(3)).pixel["iou"]
    with pytest.raises(MetricError, match="130 × 100"):
        compare_scene(truth, Instances.empty((5, 5)))


def test_report_is_one_file_that_tells_the_same_numbers():
    truth = truth_from_labels(LABELS, "drawn by <hand>")
    found = compare_scene(truth, squares(2, 9))
    image = np.full((*SHAPE, 3), 90, np.uint8)
    html = scene_report(found, truth, image, name="a & b", facts={"model": "rsam-tiny"})
    assert html.startswith("<!DOCTYPE html>")
    assert "a &amp; b" in html
    assert "drawn by &lt;hand&gt;" in html
    assert "9 of 12 true objects were found" in html
    assert f"IoU of all pixels {found.pixel['iou'].value:.3f}" in html
    assert "model: rsam-tiny" in html
    assert "BCa, seed 0" in html
    assert "−25.0 %" in html
    assert html.count("data:image/jpeg;base64,") == 3
    assert html.count("data:image/svg+xml;base64,") == 2
    # Nothing is fetched from elsewhere.
    assert 'src="http' not in html
    assert "<script" not in html
    nothing = compare_scene(truth, Instances.empty(SHAPE))
    assert "0 of 12" in scene_report(nothing, truth, image)
