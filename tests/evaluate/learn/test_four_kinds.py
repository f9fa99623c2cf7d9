"""Lesson 5: pieces against the truth by hand, and the worksheet's numbers counted another way."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import ndimage
from skimage.segmentation import slic

from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.lesson import Task
from rsam_core.evaluate.learn.lessons import four_kinds, four_kinds_found, four_kinds_pieces
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import match

BUILDING, ROAD, TREE = (KINDS.index(name) for name in ("building", "road", "tree"))


@pytest.fixture(scope="module")
def drawn() -> Subject:
    """Two houses of 20 × 20 beside each other, a tree of 10 × 10, a road, and unknown ground."""
    labels = np.zeros((60, 80), np.int32)
    labels[10:30, 10:30] = 1
    labels[10:30, 30:50] = 2
    labels[40:50, 10:20] = 3
    labels[:, 70:] = 4
    image = np.full((60, 80, 3), 90, np.uint8)
    return Subject("drawn", "", image, 0.5, labels, {1: "roof", 2: "roof", 3: "tree", 4: "road"})


@pytest.fixture(scope="module")
def sheet() -> tuple[Task, ...]:
    return four_kinds.worksheet()


def numbers(text: str) -> list[float]:
    """The numbers in a text, in order."""
    found = re.findall(r"\d[\d,]*(?:\.\d+)?", text)
    return [float(value.rstrip(",").replace(",", "")) for value in found]


def test_roads_and_small_things_are_not_counted(drawn: Subject) -> None:
    assert set(four_kinds_pieces.targets(drawn)) == {1, 2, 3}


def test_joined_houses_are_not_told_apart(drawn: Subject) -> None:
    apart = drawn.labels.copy()
    assert four_kinds_pieces.told_apart(apart, drawn) == {1, 2, 3}
    joined = np.where(apart == 2, 1, apart)
    # The joined piece is twice as large as either house: IoU exactly one half.
    assert four_kinds_pieces.told_apart(joined, drawn) == {1, 2, 3}
    joined[9, 10:50] = 1
    assert four_kinds_pieces.told_apart(joined, drawn) == {3}
    assert four_kinds_pieces.told_apart(np.zeros_like(apart), drawn) == frozenset()


def test_overlapping_outlines_count_each_for_itself(drawn: Subject) -> None:
    box = np.ones((20, 20), bool)
    objects = [
        Instance(box, 14, 10), Instance(np.ones((20, 30), bool), 30, 10),
        Instance(box, 60, 10), Instance(np.ones((4, 10), bool), 10, 40),
    ]  # fmt: skip
    # By hand: 320 of 480; 400 of 600; on the ground and the road; 40 of 100.
    assert four_kinds_pieces.told_apart_by(objects, drawn) == {1, 2}


def test_houses_put_together_from_whole_pieces(drawn: Subject) -> None:
    # A chessboard of 8 × 8, whose lines are not the house's.
    row, column = np.indices(drawn.shape) // 8
    squares = (row * 10 + column + 1).astype(np.int32)
    result = four_kinds_pieces.put_together(squares, drawn)
    inside = np.zeros(drawn.shape, bool)
    for square in np.unique(squares):
        part = squares == square
        if (drawn.labels[part] == 1).mean() > 0.5:
            inside |= part
    assert result[1] == pytest.approx(asking.jaccard(inside, drawn.mask(1)))
    assert four_kinds_pieces.put_together(drawn.labels + 1, drawn) == {1: 1.0, 2: 1.0}


def test_kinds_are_judged_where_the_truth_knows_them(drawn: Subject) -> None:
    kinds = np.full(drawn.shape, TREE, np.int8)
    kinds[:, 70:] = ROAD
    kinds[10:30, 10:30] = BUILDING
    known = 400 + 400 + 100 + 600
    assert four_kinds_pieces.rightly_named(kinds, drawn) == (1.0, (known - 400) / known)
    kinds[10:30, 30:50] = four_kinds_pieces.NOT_SURE
    share, right = four_kinds_pieces.rightly_named(kinds, drawn)
    assert (share, right) == (pytest.approx((known - 400) / known), 1.0)


def test_pieces_of_one_kind_hang_together_by_their_sides() -> None:
    kinds = np.array([[TREE, ROAD, TREE], [ROAD, TREE, TREE], [-1, -1, ROAD]], np.int8)
    joined = four_kinds_pieces.connected(kinds)
    assert joined[0, 0] != joined[1, 1] == joined[0, 2] == joined[1, 2]
    assert joined[0, 1] != joined[1, 0]
    assert (joined == 0).tolist() == (kinds == -1).tolist()


def test_a_limit_takes_the_name_from_what_is_less_likely() -> None:
    likely = np.zeros((2, len(KINDS)), np.float32)
    likely[0, TREE], likely[1, ROAD] = 0.9, 0.4
    named = four_kinds_pieces.Named(np.array([[1, 2]], np.int32), likely)
    assert named.kinds().tolist() == [[TREE, ROAD]]
    assert named.kinds(0.5).tolist() == [[TREE, four_kinds_pieces.NOT_SURE]]


def test_what_a_patch_holds_and_matches(drawn: Subject) -> None:
    whole = np.ones(drawn.shape, bool)
    assert four_kinds.held(whole, drawn, "roof") == 2
    half = np.zeros(drawn.shape, bool)
    half[:, :41] = True
    assert four_kinds.held(half, drawn, "roof") == 2
    half[:, 40] = False
    assert four_kinds.held(half, drawn, "roof") == 1
    assert four_kinds.best_match(half, drawn) == (1, 400 / (60 * 40))
    assert four_kinds.best_match(drawn.labels == 0, drawn) == (0, 0.0)


def test_small_things_are_painted_over_large_ones() -> None:
    large, small = (
        Instance(np.ones((6, 6), bool), id=1),
        Instance(np.ones((2, 2), bool), 2, 2, id=2),
    )
    shown = four_kinds_found.painted(
        Instances([small, large], (8, 8)), np.array([TREE, ROAD]), (8, 8)
    )
    assert shown[3, 3] == TREE
    assert shown[0, 0] == ROAD
    assert shown[7, 7] == -1


def test_own_pictures_are_cut_to_the_lesson_s_size() -> None:
    image = np.random.default_rng(1).integers(0, 255, (700, 500, 3), dtype=np.uint8)
    part = four_kinds_pieces.middle_of(Subject("own", "mine", image, own=True))
    assert np.array_equal(part.image, image[190:510, 10:490])
    small = Subject("own-2", "mine", image[:50, :40], own=True)
    assert four_kinds_pieces.middle_of(small).shape == (50, 40)


def test_the_superpixels_of_the_worksheet_by_slic_itself(sheet: tuple[Task, ...]) -> None:
    image = four_kinds_pieces.sample().image
    patches = slic(image, round(480 * 320 / 24**2), 10.0, sigma=1.0, start_label=1)
    count = len(np.unique(patches))
    assert numbers(sheet[0].question)[:4] == [480, 320, 0.3, count]
    answer = numbers(sheet[0].answer)
    assert answer[2] == round(480 * 320 / count)
    assert answer[-1] == pytest.approx(480 * 320 / count * 0.09, abs=0.06)


def test_the_patches_of_trees_counted_by_scipy(sheet: tuple[Task, ...]) -> None:
    subject, model = four_kinds_pieces.sample(), asking.segmenter()
    named = four_kinds_found.name_patches(model, model.embed(subject.image), subject)
    trees = named.likely.argmax(1)[named.patches - 1] == TREE
    joined, count = ndimage.label(trees)
    assert numbers(sheet[1].question)[0] == count
    true = [n for n, kind in subject.kinds.items() if kind == "tree"]
    true = [n for n in true if (subject.labels == n).sum() >= 60]
    sizes = ndimage.sum_labels(trees, joined, range(1, count + 1))
    largest = joined == 1 + int(np.argmax(sizes))
    inside = sum(largest[subject.labels == n].mean() > 0.5 for n in true)
    assert numbers(sheet[1].answer) == [inside, len(true)]
    assert inside >= 2


def test_found_houses_and_trees_by_one_to_one_matching(sheet: tuple[Task, ...]) -> None:
    subject, model = four_kinds_pieces.sample(), asking.segmenter()
    objects = four_kinds_found.find_all(model, model.embed(subject.image)).choose(0.55)
    expected, shares = [], []
    for kind, least in (("roof", 150), ("tree", 60)):
        true = [n for n, name in subject.kinds.items() if name == kind]
        masks = [subject.labels == n for n in true if (subject.labels == n).sum() >= least]
        truth = Instances([Instance(mask) for mask in masks], subject.shape)
        found = len(match(truth, objects, 0.5).ious)
        expected += [len(masks), found]
        shares.append(round(100 * found / len(masks)))
    assert numbers(sheet[2].question) == expected
    assert numbers(sheet[2].answer) == shares
    # The answer calls trees harder.
    assert shares[0] > shares[1]


def test_each_check_can_be_done_and_is_not_done_at_once() -> None:
    house, few, two = four_kinds.CHECKS
    assert house.is_done({"way": "interactive", "kind": "roof", "iou": 0.91})
    assert not house.is_done({"way": "interactive", "kind": "tree", "iou": 0.95})
    assert not house.is_done({"way": "interactive"})
    subject = four_kinds_pieces.sample()
    done = {}
    for size in four_kinds_pieces.SIZES:
        patches = four_kinds_pieces.patches(subject, size)
        good = [iou >= 0.8 for iou in four_kinds_pieces.put_together(patches, subject).values()]
        done[size] = few.is_done(
            {"way": "superpixels", "pieces": int(patches.max()), "together": np.mean(good)}
        )
    # Too small are too many, too large cut houses.
    assert done[12]
    assert not done[8]
    assert not done[24]
    assert not done[48]
    assert two.is_done({"way": "semantic", "trees": 2})
    assert not two.is_done({"way": "semantic", "trees": 1})


def test_the_cover_has_four_strips() -> None:
    cover = four_kinds.cover()
    assert (cover.shape, cover.dtype) == ((240, 400, 3), np.uint8)
    for edge in (100, 200, 300):
        assert cover[:, edge - 1 : edge + 1].mean() > 170
    assert four_kinds.LESSON.plan.minutes == 45
