"""Figures about a trained model: intervals, recall, counted looks, the curve of a run."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from benchmarks.accuracy import pairs
from benchmarks.embedded import chosen, class_maps, class_names, interval, note_look, summary
from benchmarks.proposal_recall import best_overlaps, head_alone
from rsam_core.models.tiny.proposal_head import Proposals
from rsam_core.objects.instance import Instance
from tests.helpers.models import rectangle
from training.curve import draw, read, series


def test_interval_draws_images_and_not_objects():
    # Ten images of which each is all good or all bad: as uncertain as ten values, not as sixty.
    rows = [{"image": float(i), "box": float(i % 2)} for i in range(10) for _ in range(6)]
    low, high = interval(rows, "box")
    # Binomial, n = 10, p = 0.5: the 2.5 % and 97.5 % quantiles are 2 and 8.
    assert (low, high) == pytest.approx((0.2, 0.8), abs=0.01)
    one = interval([{"image": 0.0, "box": 0.4}, {"image": 0.0, "box": 0.6}], "box")
    assert one == pytest.approx((0.5, 0.5))


def test_at_most_so_many_objects_always_the_same():
    labels = np.zeros((60, 200), np.int32)
    for i in range(10):
        labels[20:40, 20 * i : 20 * i + 12] = i + 1
    labels[50:55, 0:5] = 11  # 25 pixels: too small
    first = chosen(labels, 6, 3)
    assert len(first) == 6
    assert [label for label, _ in first] == [label for label, _ in chosen(labels, 6, 3)]
    assert all((labels[mask] == label).all() for label, mask in first)
    assert {label for label, _ in chosen(labels, 50, 3)} == set(range(1, 11))


def test_summary_tells_what_choosing_costs():
    rows = []
    for i in range(4):
        row = {"image": float(i), "area": 500.0, "1 click": 0.5, "best of 3": 0.8, "box": 0.9}
        row |= {"3 clicks": 0.85, "random click": 0.4}
        for k, (score, iou) in enumerate(((0.9, 0.5), (0.6, 0.8), (0.1, 0.2))):
            row |= {f"predicted {k}": score, f"true {k}": iou + 0.001 * i}
        rows.append(row)
    result = summary(rows)
    assert result["chosen behind best"] == pytest.approx(0.3)
    assert result["by size"] == {
        "under 32²": {
            "box": 0.9, "1 click": 0.5, "best of 3": 0.8, "3 clicks": 0.85, "random click": 0.4,
            "objects": 4,
        }
    }  # fmt: skip
    assert 0 < result["rank correlation of three"] < 1


def test_summary_by_class():
    rows = [
        {"image": float(i), "area": 500.0, "class": float(kind)}
        | dict.fromkeys(("1 click", "best of 3", "box", "3 clicks", "random click"), iou)
        | {"predicted 0": 0.5 + iou / 10, "true 0": iou}
        for i, (kind, iou) in enumerate(((1, 0.9), (3, 0.2), (1, 0.7)))
    ]
    parts = summary(rows, {0: "nothing", 1: "building", 3: "road"})["by class"]
    assert list(parts) == ["building", "road"]
    assert parts["building"]["box"] == pytest.approx(0.8)
    assert parts["building"]["objects"] == 2
    assert parts["road"]["1 click"] == 0.2
    assert "by class" not in summary(rows)


def test_classes_belong_to_the_images_that_have_a_truth(tmp_path):
    for name, kind in (("a", 1), ("b", 2), ("c", 3)):
        for part in ("images", "instances", "classes"):
            (tmp_path / part).mkdir(exist_ok=True)
            if (name, part) != ("b", "instances"):
                value = np.full((8, 8), kind, np.uint8)
                cv2.imwrite(str(tmp_path / part / f"{name}.png"), value)
    found = list(class_maps(tmp_path))
    assert len(found) == len(list(pairs(tmp_path)))
    assert [int(classes[0, 0]) for classes in found] == [1, 3]
    assert class_names(tmp_path) == {}
    (tmp_path / "classes.json").write_text('{"1": "building"}')
    assert class_names(tmp_path) == {1: "building"}


def test_looks_are_counted(tmp_path):
    path = tmp_path / "looks.json"
    assert note_look(path, "fields/naip", "abc") == 1
    assert note_look(path, "fields/naip", "abc") == 2
    assert note_look(path, "fields/naip", "def") == 3
    assert note_look(path, "land/dubai", "abc") == 1
    assert json.loads(path.read_text()) == {
        "fields/naip": {"abc": 2, "def": 1},
        "land/dubai": {"abc": 1},
    }


def test_best_overlaps_by_hand():
    labels = np.zeros((60, 60), np.int32)
    labels[10:30, 10:30] = 1
    labels[40:45, 40:45] = 2  # too small to count
    half = Instance(np.ones((20, 10), bool), 10, 10)
    twice = Instance(np.ones((40, 20), bool), 10, 10)
    nothing = Instance(np.ones((5, 5), bool), 50, 0)
    truth, guess = best_overlaps(labels, [half, twice, nothing])
    assert truth.tolist() == pytest.approx([0.5])
    # 20 × 20 of 40 × 20 pixels.
    assert guess.tolist() == pytest.approx([0.5, 0.5, 0])


def test_boxes_alone_by_hand():
    labels = np.where(rectangle((60, 60), 10, 10, 30, 30), 1, 0).astype(np.int32)
    boxes = np.array([[10, 10, 30, 25], [40, 40, 50, 50]], np.float32)
    one = np.ones(2, np.float32)
    assert head_alone(labels, Proposals(boxes, boxes[:, :2], one, one)).tolist() == [0.75]
    none = np.zeros((0, 4), np.float32)
    assert head_alone(labels, Proposals(none, none[:, :2], one[:0], one[:0])).tolist() == [0]


def test_curve_of_a_run(tmp_path):
    lines = [
        {"what": "held out", "step": 0, "box": 0.5},
        {"what": "trained", "step": 100, "box": 0.6, "heat": 2.0},
        {"what": "trained", "step": 50, "box": 0.55},
        {"what": "held out", "step": 100, "box": 0.7, "heat": 1.0},
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    trained = read(tmp_path, "trained")
    assert series(trained, "box") == ([50, 100], [0.55, 0.6])
    assert series(trained, "heat") == ([100], [2.0])
    draw([tmp_path], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
