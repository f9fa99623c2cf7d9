"""Matching of objects, by hand and against pycocotools and scipy."""

from __future__ import annotations

import io
import itertools
from contextlib import redirect_stdout

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from rsam_core.errors import MetricError
from rsam_core.evaluate.metrics.objects import (
    average_precision,
    object_scores,
    object_table,
    percent_error,
    precision_recall,
)
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.matching import COCO_THRESHOLDS, match, match_all, overlaps, pairwise_iou

SHAPE = (60, 80)


def boxes(*corners: tuple[int, int, int, int], scores: tuple[float, ...] = ()) -> Instances:
    """Filled rectangles x0, y0, x1, y1."""
    items = [
        Instance(np.ones((y1 - y0, x1 - x0), bool), x0, y0, scores[i] if scores else 1.0)
        for i, (x0, y0, x1, y1) in enumerate(corners)
    ]
    return Instances(items, SHAPE)


def scattered(seed: int, count: int = 25) -> tuple[Instances, Instances]:
    """Random discs and rectangles, and a disturbed copy with scores."""
    rng = np.random.default_rng(seed)
    true, found = [], []
    for _ in range(count):
        height, width = rng.integers(3, 14, 2)
        mask = rng.random((height, width)) < 0.9
        mask[0, 0] = True
        y, x = rng.integers(0, 60 - height), rng.integers(0, 80 - width)
        true.append(Instance(mask, int(x), int(y)))
        if rng.random() < 0.8:
            dy, dx = rng.integers(-2, 3, 2)
            y, x = np.clip((y + dy, x + dx), 0, (60 - height, 80 - width))
            found.append(Instance(mask, int(x), int(y), float(rng.random())))
    for _ in range(6):
        x, y = rng.integers(0, 70), rng.integers(0, 50)
        found.append(Instance(np.ones((6, 7), bool), int(x), int(y), float(rng.random())))
    return Instances(true, SHAPE), Instances(found, SHAPE)


def full(item: Instance) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[item.y : item.bbox[3], item.x : item.bbox[2]] = item.mask
    return mask


def test_pairwise_iou_by_hand():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10))
    predicted = boxes((5, 0, 15, 10), (20, 0, 30, 10), (50, 50, 60, 60))
    table = pairwise_iou(truth, predicted)
    assert table.nnz == 2, "pairs that do not meet are not stored"
    assert table.toarray() == pytest.approx(np.array([[1 / 3, 0, 0], [0, 1, 0]]))


@pytest.mark.parametrize("seed", range(3))
def test_pairwise_iou_agrees_with_full_masks_and_pycocotools(seed):
    coco = pytest.importorskip("pycocotools.mask")

    truth, predicted = scattered(seed)
    table = pairwise_iou(truth, predicted).toarray()
    one, two = ([full(item) for item in objects] for objects in (truth, predicted))
    expected = [[(a & b).sum() / (a | b).sum() for b in two] for a in one]
    assert table == pytest.approx(np.array(expected))
    encoded = [
        [coco.encode(np.asfortranarray(m.astype(np.uint8))) for m in ms] for ms in (two, one)
    ]
    assert table == pytest.approx(coco.iou(*encoded, [0] * len(one)).T)


def test_touching_boxes_with_apart_masks_do_not_count():
    ring = np.ones((9, 9), bool)
    ring[2:7, 2:7] = False
    truth = Instances([Instance(ring, 0, 0)], SHAPE)
    assert len(overlaps(truth, boxes((3, 3, 6, 6))).rows) == 0
    assert len(overlaps(truth, boxes((9, 0, 12, 9))).rows) == 0, "neighbours share an edge only"


def test_matching_by_hand():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))
    # IoU 0.8, IoU 1/3, and one that nobody drew.
    predicted = boxes((0, 0, 10, 8), (25, 0, 35, 10), (60, 40, 70, 50))
    found = match(truth, predicted, 0.5)
    assert (found.tp, found.fp, found.fn) == (1, 2, 2)
    assert found.ious == pytest.approx([0.8])
    assert (found.precision, found.recall, found.f1) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    # PQ = 0.8 / (1 + 2 / 2 + 2 / 2).
    assert found.panoptic_quality == pytest.approx(0.8 / 3)
    assert match(truth, predicted, 0.3).tp == 2
    assert match(truth, predicted, 0.81).tp == 0


def test_as_many_pairs_as_possible_then_the_best_ones():
    # The greedy way pairs the two that fit exactly and leaves the others alone.
    truth = boxes((0, 0, 10, 10), (0, 0, 10, 6))
    predicted = boxes((0, 0, 10, 10), (0, 0, 10, 14))
    # IoU: 1, 0.714; 0.6, 0.429.
    assert pairwise_iou(truth, predicted).toarray() == pytest.approx(
        np.array([[1, 10 / 14], [0.6, 6 / 14]])
    )
    found = match(truth, predicted, 0.5)
    assert list(zip(found.rows, found.columns)) == [(0, 1), (1, 0)]
    assert list(zip(*[(m := match(truth, predicted, 0.4)).rows, m.columns])) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_one_dense_assignment(seed):
    truth, predicted = scattered(seed, 40)
    table = pairwise_iou(truth, predicted).toarray()
    for threshold in (0.2, 0.5, 0.75):
        value = np.where(table >= threshold, 1000 + table, 0)
        rows, columns = linear_sum_assignment(value, maximize=True)
        good = table[rows, columns] >= threshold
        found = match(truth, predicted, threshold)
        assert found.tp == good.sum()
        assert found.ious.sum() == pytest.approx(table[rows, columns][good].sum())
        assert len(set(found.rows)) == len(set(found.columns)) == found.tp


def test_a_pair_at_the_threshold_counts_unless_strict():
    truth, predicted = boxes((0, 0, 10, 10)), boxes((0, 0, 10, 5))
    assert match(truth, predicted, 0.5).tp == 1
    assert match(truth, predicted, 0.5, strict=True).tp == 0
    assert object_scores(truth, predicted).panoptic_quality == 0
    # 3/10 is not representable: rounding must not decide.
    assert match(truth, boxes((0, 0, 10, 3)), 0.1 + 0.2).tp == 1


def test_scores_by_hand():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (0, 30, 10, 40))
    predicted = boxes((0, 0, 10, 10), (20, 0, 30, 7), (40, 0, 50, 4))
    scores = object_scores(truth, predicted)
    # IoU 1, 0.7, 0.4: two are found at 0.50 to 0.70 (5 thresholds), one at 0.75 to 0.95 (5).
    assert (scores.precision, scores.recall) == pytest.approx((2 / 3, 2 / 4))
    assert scores.precision_mean == pytest.approx((5 * 2 / 3 + 5 * 1 / 3) / 10)
    assert scores.recall_mean == pytest.approx((5 * 2 / 4 + 5 * 1 / 4) / 10)
    assert scores.f1_mean == pytest.approx((5 * 4 / 7 + 5 * 2 / 7) / 10)
    assert scores.segmentation_quality == pytest.approx(0.85)
    assert scores.recognition_quality == pytest.approx(4 / 7)
    assert scores.panoptic_quality == pytest.approx(0.85 * 4 / 7)
    assert scores.mean_best_iou == pytest.approx((1 + 0.7 + 0.4) / 4)
    assert scores.count_error == -1
    assert scores.count_error_percent == pytest.approx(-25)
    assert scores.area_error_percent == pytest.approx(100 * (210 - 400) / 400)
    assert scores.to_dict()["n_truth"] == 4


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [
        (0, 0, {"precision": 1, "recall": 1, "f1": 1, "panoptic_quality": 1, "mean_best_iou": 1}),
        (1, 0, {"precision": 0, "recall": 0, "f1": 0, "panoptic_quality": 0, "mean_best_iou": 0}),
        (0, 1, {"precision": 0, "recall": 0, "f1": 0, "panoptic_quality": 0, "mean_best_iou": 1}),
    ],
)
def test_no_objects_have_stated_values(truth, predicted, expected):
    one, two = (boxes(*[(0, 0, 5, 5)] * count) for count in (truth, predicted))
    values = object_scores(one, two).to_dict()
    assert {key: values[key] for key in expected} == expected
    assert len(object_table(one, two)) == truth


def test_errors_in_percent():
    assert percent_error(0, 0) == 0
    assert np.isnan(percent_error(0, 3))
    assert percent_error(40, 30) == -25


def test_several_thresholds_reuse_the_overlaps():
    truth, predicted = scattered(9)
    levels = match_all(truth, predicted)
    assert [level.threshold for level in levels] == list(COCO_THRESHOLDS)
    assert [level.tp for level in levels] == [
        match(truth, predicted, t).tp for t in COCO_THRESHOLDS
    ]
    assert all(a.tp >= b.tp for a, b in itertools.pairwise(levels))


def test_object_table_by_hand():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 40, 50, 50))
    predicted = boxes((0, 0, 10, 8), (25, 0, 35, 10))
    table = object_table(truth, predicted)
    assert table["found"].tolist() == [True, False, False]
    assert table["predicted"].tolist() == [1, 2, 0]
    assert table["iou"].tolist() == pytest.approx([0.8, 1 / 3, 0])
    assert table["dice"].tolist() == pytest.approx([160 / 180, 0.5, 0])
    assert table["precision"].tolist() == pytest.approx([1, 0.5, 0])
    assert table["recall"].tolist() == pytest.approx([0.8, 0.5, 0])
    assert table["area_error_percent"].tolist() == pytest.approx([-20, 0, -100])
    assert table["hausdorff_95"].tolist()[2] == np.inf
    assert "boundary_f" not in object_table(truth, predicted, outlines=False)


def test_precision_recall_by_hand():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10))
    predicted = boxes(
        (0, 0, 10, 10),
        (60, 0, 70, 10),
        (20, 0, 30, 10),
        (20, 0, 30, 10),
        scores=(0.9, 0.8, 0.7, 0.6),
    )
    curve = precision_recall([(truth, predicted)])
    assert curve.precision == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4])
    assert curve.recall == pytest.approx([0.5, 0.5, 1, 1])
    # 51 points up to recall 0.5 at precision 1, 50 at 2/3.
    assert curve.average_precision == pytest.approx((51 + 50 * 2 / 3) / 101)
    empty = precision_recall([(boxes(), predicted)])
    assert np.isnan(empty.average_precision)
    assert precision_recall([(truth, boxes())]).average_precision == 0


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_agrees_with_pycocotools(seed):
    coco_mask = pytest.importorskip("pycocotools.mask")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    scenes = [scattered(10 * seed + i) for i in range(3)]
    annotations, results = [], []
    for image, (truth, predicted) in enumerate(scenes, start=1):
        for item, target in [
            *((i, annotations) for i in truth),
            *((i, results) for i in predicted),
        ]:
            code = coco_mask.encode(np.asfortranarray(full(item).astype(np.uint8)))
            entry = {"image_id": image, "category_id": 1, "segmentation": code, "area": item.area}
            entry |= {"iscrowd": 0, "id": len(annotations) + 1, "bbox": [0, 0, 1, 1]}
            target.append(entry | ({"score": item.score} if target is results else {}))
    with redirect_stdout(io.StringIO()):
        data = COCO()
        data.dataset = {
            "images": [{"id": i, "width": 80, "height": 60} for i in (1, 2, 3)],
            "annotations": annotations,
            "categories": [{"id": 1, "name": "building"}],
        }
        data.createIndex()
        peer = COCOeval(data, data.loadRes(results), "segm")
        peer.evaluate()
        peer.accumulate()
        peer.summarize()
    assert average_precision(scenes) == pytest.approx(peer.stats[0], abs=1e-9)
    assert precision_recall(scenes, 0.5).average_precision == pytest.approx(peer.stats[1], abs=1e-9)
    assert precision_recall(scenes, 0.75).average_precision == pytest.approx(peer.stats[2])


def test_panoptic_quality_agrees_with_torchmetrics():
    import torch

    PanopticQuality = pytest.importorskip("torchmetrics.detection").PanopticQuality

    rng = np.random.default_rng(3)
    labels = np.zeros(SHAPE, np.int32)
    for number, (y, x) in enumerate(np.ndindex(4, 5), start=1):
        labels[15 * y : 15 * y + 12, 16 * x : 16 * x + rng.integers(6, 14)] = number
    disturbed = np.roll(labels, (2, 3), (0, 1))
    disturbed[:, :5] = 0
    truth, predicted = (Instances.from_label_map(m) for m in (labels, disturbed))
    stacked = [
        torch.tensor(np.stack([m > 0, m], -1).astype(np.int64)).reshape(1, *SHAPE, 2)
        for m in (disturbed, labels)
    ]
    # Category 1 are the things; 0 is background ("stuff"), of which we want no part.
    peer = PanopticQuality(things={1}, stuffs={0}, return_per_class=True)
    expected = peer(*stacked)[0]
    assert object_scores(truth, predicted).panoptic_quality == pytest.approx(float(expected[0]))


def test_ten_thousand_against_ten_thousand_stay_sparse():
    block = np.ones((6, 6), bool)
    corners = [(10 * i, 10 * j) for i in range(100) for j in range(100)]
    truth = Instances([Instance(block, x, y) for x, y in corners], (1000, 1000))
    predicted = Instances([Instance(block, x + 2, y) for x, y in corners], (1000, 1000))
    table = pairwise_iou(truth, predicted)
    assert table.shape == (10_000, 10_000)
    assert table.nnz == 10_000
    assert table.data == pytest.approx(24 / 48)
    assert match(truth, predicted).tp == 10_000


def test_bad_input_is_refused():
    with pytest.raises(MetricError, match="80 × 60"):
        match(boxes((0, 0, 1, 1)), Instances.empty((5, 5)))
    for threshold in (0, -1, 1.5, float("nan")):
        with pytest.raises(MetricError, match="above 0 and at most 1"):
            match(boxes(), boxes(), threshold)
