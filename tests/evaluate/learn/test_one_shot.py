"""Lesson 6: planes, nearness, precision and recall, words and PerSAM's judge; its answers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score, precision_score, recall_score

from rsam_core.evaluate.learn.lessons import one_shot, one_shot_classes, one_shot_persam
from rsam_core.evaluate.learn.lessons import one_shot_pictures as pictures
from rsam_core.evaluate.learn.lessons.one_shot import LESSON
from rsam_core.evaluate.learn.lessons.one_shot_objects import (
    Found,
    Objects,
    best_f1,
    first_example,
    found,
    plane,
)
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.one_shot.descriptors import Descriptions

CHECKS = {check.key: check for check in LESSON.checks}


@pytest.fixture(scope="module")
def objects() -> Objects:
    """The lesson's objects as the embedded model describes them."""
    return one_shot.paper_objects()


def drawn(
    shapes: list[tuple[str, slice, slice, tuple[int, int, int]]], gsd: float = 1.0
) -> Objects:
    """Rectangles on black ground with one pixel a metre, each with its own two features."""
    labels = np.zeros((60, 80), np.int32)
    image = np.zeros((60, 80, 3), np.uint8)
    for number, (_, rows, columns, colour) in enumerate(shapes, 1):
        labels[rows, columns] = number
        image[rows, columns] = colour
    kinds = {number: kind for number, (kind, *_) in enumerate(shapes, 1)}
    subject = Subject("drawn", "drawn", image, gsd, labels, kinds)
    count = len(shapes)
    inside = np.stack([np.cos(np.arange(count)), np.sin(np.arange(count))], 1).astype(np.float32)
    zero = np.zeros((count, 2), np.float32)
    descriptions = Descriptions(
        np.zeros((count, 0), np.float32), inside, zero, zero[0], zero[0] + 1, "rsam-tiny", gsd
    )
    return Objects(
        subject, Instances.from_label_map(labels), np.array(list(kinds.values())), descriptions
    )


SHAPES = [
    ("pool", np.s_[2:6], np.s_[2:8], (150, 180, 180)),  # 24 m², bluish, bright
    ("hedge", np.s_[10:12], np.s_[2:32], (80, 100, 60)),  # 60 m², 15 times as long as wide
    ("roof", np.s_[20:30], np.s_[2:12], (130, 70, 60)),  # 100 m², red, dark
    ("car", np.s_[2:4], np.s_[50:54], (200, 200, 200)),  # 8 m², grey, twice as long as wide
    ("roof", np.s_[20:30], np.s_[50:60], (60, 60, 60)),
]


def counted_f1(right: np.ndarray, chosen: np.ndarray) -> float:
    """F1 by its definition; the peer's takes a millisecond a call."""
    return 2 * np.count_nonzero(right & chosen) / (right.sum() + chosen.sum())


def test_attributes_of_drawn_shapes() -> None:
    words = one_shot_classes.attributes(drawn(SHAPES))
    assert words["colour"].tolist() == ["blue", "green", "red", "grey", "grey"]
    assert words["light"].tolist() == ["bright", "dark", "dark", "bright", "dark"]
    assert words["size"].tolist() == ["medium", "large", "large", "small", "large"]
    assert words["form"].tolist() == ["compact", "long", "compact", "compact", "compact"]
    chosen = one_shot_classes.described(words, {"light": "dark", "size": "large", "form": None})
    assert chosen.tolist() == [False, True, True, False, True]
    assert one_shot_classes.described(words, dict.fromkeys(words)).all()


def test_sizes_are_those_on_the_ground() -> None:
    words = one_shot_classes.attributes(drawn(SHAPES, gsd=0.3))
    assert words["size"].tolist() == ["small"] * 5


def test_features_are_compared_by_the_angle_between_them() -> None:
    shown = drawn(SHAPES)
    # Inside and its difference to nothing around: the same direction twice.
    near = shown.near(0, "features")
    assert near == pytest.approx(np.clip(np.cos(np.arange(5)), 0, 1), abs=1e-6)


def test_a_classifier_knows_only_what_it_learned() -> None:
    shown = drawn(SHAPES)
    result = one_shot_classes.sort_by_kinds(shown, ["hedge", "roof"])
    # Learned from the left half: the hedge at 1 rad, the roof at 2 rad; the nearer one counts.
    angles = np.arange(5)
    nearer = np.where(np.cos(angles - 1) > np.cos(angles - 2), "hedge", "roof")
    assert result.called.tolist() == nearer.tolist()
    assert result.judged.tolist() == [False, False, False, True, True]


def test_plane_against_a_peer(objects: Objects) -> None:
    for way in objects.ways:
        vectors = objects.vectors(way)
        ours, peer = plane(vectors), PCA(2, svd_solver="full").fit(vectors.astype(float))
        assert np.abs(ours.places) == pytest.approx(
            np.abs(peer.transform(vectors.astype(float))), abs=1e-5
        )
        assert ours.share == pytest.approx(peer.explained_variance_ratio_.sum(), abs=1e-6)
        assert ours.numbers == vectors.shape[1]


def test_precision_and_recall_against_a_peer(objects: Objects) -> None:
    example = first_example(objects)
    assert objects.kinds[example] == "roof"
    others = np.arange(len(objects)) != example
    right = (objects.kinds == "roof")[others]
    for way in objects.ways:
        near = objects.near(example, way)
        assert near[example] == 1
        assert ((near >= 0) & (near <= 1)).all()
        for threshold in (0.2, 0.5, 0.8):
            seen = found(objects.kinds, example, near, threshold)
            chosen = near[others] >= threshold
            assert seen.precision == pytest.approx(precision_score(right, chosen))
            assert seen.recall == pytest.approx(recall_score(right, chosen))
            assert seen.f1 == pytest.approx(f1_score(right, chosen))
        best = max(counted_f1(right, near[others] >= limit) for limit in near[others])
        assert best_f1(objects.kinds, example, near) == pytest.approx(best)


def test_nothing_found_has_no_precision() -> None:
    assert Found(0, 0, 3).precision is None
    assert (Found(0, 0, 3).recall, Found(0, 0, 3).f1) == (0, 0)
    assert (Found(0, 0, 0).recall, Found(0, 0, 0).f1) == (1, 1)


def test_objects_of_another_model_have_no_learned_metric(objects: Objects) -> None:
    other = replace(objects.descriptions, model="sam-vit-base")
    shown = Objects(objects.subject, objects.instances, objects.kinds, other)
    assert shown.ways == ("features", "comparison")
    assert shown.vectors("comparison") is shown.features


def test_a_click_takes_the_object_or_the_nearest_dot(objects: Objects) -> None:
    example = first_example(objects)
    item = objects.instances[example]
    row, column = np.argwhere(item.mask)[0]
    assert objects.at(item.x + column + 0.5, item.y + row + 0.5) == example
    road = np.argwhere(objects.subject.labels == objects.subject.numbers("road")[0])[0]
    assert objects.at(road[1] + 0.5, road[0] + 0.5) is None
    places = plane(objects.metric).places
    at = pictures.screen_places(places)
    width, height = pictures.SIZE
    assert ((at >= 0) & (at <= [width, height])).all()
    assert pictures.dot_at(places, *at[example]) == example
    assert pictures.dot_at(places, 0.0, 0.0) is None


def test_pictures_show_each_verdict_in_its_colour() -> None:
    shown = drawn(SHAPES)
    chosen, right = np.array([1, 1, 0, 0, 0], bool), np.array([1, 0, 1, 0, 0], bool)
    names = pictures.verdicts(chosen, right)
    assert names.tolist() == ["right", "wrong", "missed", "", ""]
    picture = pictures.on_ground(shown, names, pictures.VERDICTS).astype(int)
    right_, wrong, missed, none = picture[3, 3], picture[10, 3], picture[25, 5], picture[3, 51]
    assert right_[1] > right_[0] + 50
    assert wrong[0] > wrong[1] + 50
    assert missed[2] > missed[0] + 20
    assert none[0] == none[1] == none[2] == round(200 * 0.55 + 40)


def test_finds_are_judged_by_the_kind_of_the_example() -> None:
    subject = drawn(SHAPES).subject
    same = one_shot_persam._judged(Instance(np.ones((10, 8), bool), 50, 20), subject, 3)
    assert same.iou == pytest.approx(80 / 100)
    assert same.right
    assert not same.example
    itself = one_shot_persam._judged(Instance(np.ones((10, 10), bool), 2, 20), subject, 3)
    assert (itself.iou, itself.example) == (1.0, True)
    part = one_shot_persam._judged(Instance(np.ones((4, 10), bool), 2, 20), subject, 3)
    assert (part.iou, part.right, part.example) == (0.4, False, False)
    other = one_shot_persam._judged(Instance(np.ones((4, 6), bool), 2, 2), subject, 3)
    assert (other.iou, other.right, other.example) == (0.0, False, False)


def test_mean_best_f1_tells_where_the_learned_metric_is_worse(objects: Objects) -> None:
    for kind, worse in (("pool", True), ("car", False), ("roof", False), ("tree", False)):
        best = one_shot.mean_best_f1(objects, kind)
        assert CHECKS["unseen"].is_done({"best": best}) is worse
        if kind == "pool":
            scores = []
            for i in np.flatnonzero(objects.kinds == kind):
                others = np.arange(len(objects)) != i
                near = np.clip(objects.metric @ objects.metric[i], 0, 1)[others]
                right = (objects.kinds == kind)[others]
                scores.append(max(counted_f1(right, near >= limit) for limit in near[right]))
            assert best["metric"] == pytest.approx(np.mean(scores), abs=1e-6)


def test_checks_can_be_done_and_not_by_chance(objects: Objects) -> None:
    words = one_shot_classes.attributes(objects)
    for wanted, done in (
        ({"colour": "blue", "size": "medium"}, True),
        ({"colour": "blue", "size": None}, False),
        ({"colour": None, "size": None}, False),
    ):
        chosen = one_shot_classes.described(words, wanted)
        pools = objects.kinds == "pool"
        report = {
            "target": "pool",
            "precision": precision_score(pools, chosen),
            "recall": recall_score(pools, chosen),
        }
        assert CHECKS["described"].is_done(report) is done
    example = first_example(objects)
    near, others = objects.near(example, "features"), np.arange(len(objects)) != example
    right = (objects.kinds == "roof")[others]
    for threshold, done in ((0.2, True), (0.5, False), (0.05, False)):
        chosen = near[others] >= threshold
        report = {
            "experiment": "example",
            "kind": "roof",
            "precision": precision_score(right, chosen),
            "recall": recall_score(right, chosen),
        }
        assert CHECKS["balanced"].is_done(report) is done
    assert not any(check.is_done({"experiment": "persam"}) for check in LESSON.checks)


def numbers(text: str) -> list[float]:
    """All numbers of an English text."""
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_worksheet_answers_hold(objects: Objects) -> None:
    tasks = LESSON.worksheet()
    # Distances between the printed places.
    printed = dict(re.findall(r"([EABC]) \((-?[\d.]+; -?[\d.]+)\)", tasks[0].question))
    at = {
        letter: np.array([float(v) for v in place.split("; ")]) for letter, place in printed.items()
    }
    far = {letter: np.linalg.norm(at[letter] - at["E"]) for letter in "ABC"}
    assert numbers(tasks[0].answer)[:3] == pytest.approx(
        [far[letter] for letter in "ABC"], abs=0.006
    )
    assert f"Most like it is {min(far, key=far.__getitem__)}:" in tasks[0].answer
    example = first_example(objects)
    near = objects.metric @ objects.metric[example]
    others = np.arange(len(objects)) != example
    right = (objects.kinds == "roof")[others]
    chosen = near[others] >= 0.5
    given = numbers(tasks[1].question)
    assert given[1:] == [chosen.sum(), (chosen & right).sum(), right.sum()]
    assert numbers(tasks[1].answer)[2] == pytest.approx(
        100 * precision_score(right, chosen), abs=0.06
    )
    assert numbers(tasks[1].answer)[5] == pytest.approx(100 * recall_score(right, chosen), abs=0.06)
    pools = np.count_nonzero(objects.kinds == "pool")
    assert numbers(tasks[2].question) == [pools]
    assert sum(numbers(tasks[2].answer)) == pools
    blue = one_shot_classes.attributes(objects)["colour"] == "blue"
    area = objects.instances.areas * 0.09
    medium = blue & (area >= 12) & (area < 60)
    assert numbers(tasks[3].answer) == [
        count
        for where in (blue, medium)
        for count in (where.sum(), (where & (objects.kinds == "pool")).sum())
    ]


def test_cover_and_plan() -> None:
    cover = LESSON.cover()
    assert cover.shape == (240, 400, 3)
    assert cover.dtype == np.uint8
    assert np.ptp(cover) > 100
    assert len(LESSON.checks) == 3
    assert 30 <= LESSON.plan.minutes <= 60
