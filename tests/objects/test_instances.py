"""Objects, their numbers, their places, and who owns a pixel."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rsam_core.errors import RsamError
from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instances import Instance, Instances, resolve_overlap


def rectangle(x: int, y: int, width: int, height: int, **fields: object) -> Instance:
    return Instance(np.ones((height, width), bool), x, y, **fields)


def two_rectangles() -> Instances:
    return Instances([rectangle(1, 1, 4, 2), rectangle(6, 5, 2, 3, label="car")], (10, 12))


def test_mask_is_cropped_tight_and_offset_follows():
    full = np.zeros((8, 9), bool)
    full[2:5, 3:7] = True
    full[3, 4] = False
    item = Instance.from_mask(full, origin=(100, 200), id=7, score=0.5, source="box", label="roof")
    assert (item.x, item.y, item.mask.shape) == (103, 202, (3, 4))
    assert item.area == 11
    assert item.bbox == (103, 202, 107, 205)
    assert (item.id, item.score, item.source, item.label) == (7, 0.5, "box", "roof")


def test_mask_is_read_only_and_does_not_keep_the_scene_alive():
    full = np.ones((50, 50), bool)
    item = Instance.from_mask(full)
    full[:] = False
    assert item.area == 2500
    assert item.mask.all()
    with pytest.raises(ValueError, match="read-only"):
        item.mask[0, 0] = False
    view = np.zeros((1000, 1000), bool)
    view[5, 5] = True
    view.flags.writeable = False
    assert Instance(view[4:8, 4:8]).mask.base is None


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((3, 3), bool), "empty"),
        (np.ones(4, bool), "two dimensions"),
        (np.full((2, 2), 0.7), "threshold"),
    ],
)
def test_unusable_mask_is_refused(mask, words):
    with pytest.raises(RsamError, match=words):
        Instance(mask)


def test_score_must_be_a_number():
    with pytest.raises(RsamError, match="score"):
        rectangle(0, 0, 1, 1, score=float("nan"))


def test_arrays_by_hand():
    objects = two_rectangles()
    assert len(objects) == 2
    assert objects.ids.tolist() == [1, 2]
    assert objects.areas.tolist() == [8, 6]
    assert objects.scores.tolist() == [1.0, 1.0]
    assert objects.bboxes.tolist() == [[1, 1, 5, 3], [6, 5, 8, 8]]
    with pytest.raises(ValueError, match="read-only"):
        objects.areas[0] = 1


def test_numbers_are_unique_stable_and_never_given_away_twice():
    objects = two_rectangles()
    shorter = objects.remove(2)
    assert shorter.ids.tolist() == [1]
    longer = shorter.add(np.ones((2, 2), bool), origin=(3, 3), source="point")
    assert longer.ids.tolist() == [1, 3]
    assert longer[1].bbox == (3, 3, 5, 5)
    assert longer.next_id == 4
    # A number that is taken makes way for a new one; a free one is kept.
    assert longer.add(rectangle(0, 0, 1, 1, id=3)).ids.tolist() == [1, 3, 4]
    assert longer.add(rectangle(0, 0, 1, 1, id=9)).next_id == 10
    assert objects.ids.tolist() == [1, 2]
    assert objects.remove([1, 2, 77]).add(rectangle(0, 0, 1, 1)).ids.tolist() == [3]


def test_double_number_and_object_outside_are_refused():
    with pytest.raises(RsamError, match="number 4"):
        Instances([rectangle(0, 0, 1, 1, id=4), rectangle(2, 0, 1, 1, id=4)], (5, 5))
    with pytest.raises(RsamError, match="outside the image of 5 × 4"):
        Instances([rectangle(3, 0, 3, 1)], (4, 5))
    with pytest.raises(RsamError, match="outside"):
        Instances([rectangle(-1, 0, 3, 1)], (4, 5))


def test_select_filter_get_replace():
    objects = two_rectangles()
    assert objects.select(lambda item: item.label == "car").ids.tolist() == [2]
    assert objects.select([2, 99]).ids.tolist() == [2]
    assert objects.select(np.array([True, False])).ids.tolist() == [1]
    assert objects.select(pd.Series([False, True])).ids.tolist() == [2]
    assert objects.select([]).ids.tolist() == []
    assert objects.filter_area(min=7).ids.tolist() == [1]
    assert objects.filter_area(max=6).ids.tolist() == [2]
    assert objects.filter_area(6, 8).ids.tolist() == [1, 2]
    assert objects[:1].ids.tolist() == [1]
    assert objects.get(2).label == "car"
    changed = objects.replace(replace(objects.get(1), label="roof"))
    assert [item.label for item in changed] == ["roof", "car"]
    assert changed.ids.tolist() == [1, 2]
    assert objects.remove(1).renumber().ids.tolist() == [1]
    with pytest.raises(RsamError, match="no object 5"):
        objects.get(5)
    with pytest.raises(RsamError, match="2 objects need as many flags"):
        objects.select(np.array([True]))


def test_at_lists_smallest_first_and_uses_pixel_squares():
    objects = Instances(
        [rectangle(0, 0, 10, 10), rectangle(2, 2, 3, 3), rectangle(4, 4, 4, 4)], (10, 10)
    )
    assert objects.at(4.99, 4.0) == [2, 3, 1]
    assert objects.at(2.0, 2.0) == [2, 1]
    assert objects.at(1.999, 2.0) == [1]
    assert objects.at(8.0, 8.0) == [1]
    assert objects.at(10.0, 3.0) == []
    assert objects.at(-0.1, 3.0) == []
    ring = np.ones((5, 5), bool)
    ring[2, 2] = False
    assert Instances([Instance(ring)], (5, 5)).at(2.5, 2.5) == []


def test_concat_renumbers_only_where_needed():
    first, second = two_rectangles(), two_rectangles().remove(1)
    both = Instances.concat([first, second])
    assert both.ids.tolist() == [1, 2, 3]
    assert both[2].label == "car"
    assert Instances.concat([first.remove(2), second]).ids.tolist() == [1, 2]
    with pytest.raises(RsamError, match=r"12 × 10, 4 × 3"):
        Instances.concat([first, Instances.empty((3, 4))])
    with pytest.raises(RsamError, match="nothing to join"):
        Instances.concat([])


def test_label_map_and_union_by_hand():
    objects = Instances([rectangle(0, 0, 2, 1), rectangle(1, 1, 2, 2)], (3, 4))
    expected = [[1, 1, 0, 0], [0, 2, 2, 0], [0, 2, 2, 0]]
    labels = objects.label_map()
    assert labels.dtype == np.int32
    assert labels.tolist() == expected
    assert (objects.union_mask() == (np.array(expected) > 0)).all()


def test_label_map_of_a_window_is_the_cut_of_the_whole():
    rng = np.random.default_rng(0)
    items = [
        Instance(rng.random((9, 11)) < 0.7, int(x), int(y), float(score))
        for x, y, score in zip(rng.integers(0, 60, 30), rng.integers(0, 50, 30), rng.random(30))
    ]
    objects = Instances(items, (64, 80))
    window = SimpleNamespace(x=21, y=13, width=30, height=25)
    cut = np.s_[13:38, 21:51]
    assert (objects.label_map(window) == objects.label_map()[cut]).all()
    assert (objects.union_mask(window) == objects.union_mask()[cut]).all()


def test_higher_score_wins_where_objects_overlap():
    objects = Instances(
        [rectangle(0, 0, 4, 1, score=0.9), rectangle(2, 0, 4, 1, score=0.8)], (1, 6)
    )
    assert objects.label_map().tolist() == [[1, 1, 1, 1, 2, 2]]
    assert objects[::-1].label_map().tolist() == [[1, 1, 1, 1, 2, 2]]


def test_small_object_wins_over_a_large_one_that_contains_it():
    objects = Instances(
        [rectangle(0, 0, 6, 1, score=0.9), rectangle(2, 0, 2, 1, score=0.1)], (1, 6)
    )
    assert objects.label_map().tolist() == [[1, 1, 2, 2, 1, 1]]


def test_contained_means_nine_tenths():
    # 10 pixels, of which 9 and then 8 lie in the larger one.
    for offset, owner_of_shared in ((1, 2), (2, 1)):
        large = rectangle(0, 0, 20, 1, score=0.9)
        small = rectangle(10 + offset, 0, 10, 1, score=0.1)
        labels = Instances([large, small], (1, 30)).label_map()
        assert labels[0, 15] == owner_of_shared


def test_three_objects_have_one_unambiguous_order():
    # The car is inside the yard; the tree overlaps both and has a score between theirs. The car
    # counts with the score of the yard, and so lies above the tree.
    yard = rectangle(0, 0, 8, 1, score=0.9)
    car = rectangle(2, 0, 2, 1, score=0.1)
    tree = rectangle(3, 0, 7, 1, score=0.5)
    expected = [[1, 1, 2, 2, 1, 1, 1, 1, 3, 3]]
    assert Instances([yard, car, tree], (1, 10)).label_map().tolist() == expected
    numbered = [replace(item, id=id) for id, item in enumerate((yard, car, tree), start=1)]
    assert Instances(numbered[::-1], (1, 10)).label_map().tolist() == expected


def test_ties_go_to_the_smaller_and_then_to_the_lower_number():
    items = [rectangle(0, 0, 3, 1, id=1), rectangle(2, 0, 2, 1, id=2), rectangle(2, 0, 2, 1, id=3)]
    assert Instances(items, (1, 4)).label_map().tolist() == [[1, 1, 2, 2]]
    assert resolve_overlap(items).tolist() == [0, 2, 1]


def test_shared_pixels_by_hand():
    assert shared_pixels(rectangle(0, 0, 4, 4), rectangle(2, 3, 4, 4)) == 2
    assert shared_pixels(rectangle(0, 0, 4, 4), rectangle(4, 0, 4, 4)) == 0


def test_from_label_map_goes_there_and_back():
    labels = np.zeros((6, 7), np.uint16)
    labels[0, 0] = labels[5, 6] = 300
    labels[2:4, 2:5] = 2
    objects = Instances.from_label_map(labels)
    assert objects.ids.tolist() == [2, 300]
    assert objects.areas.tolist() == [6, 2]
    assert {item.source for item in objects} == {"truth"}
    assert (objects.label_map() == labels).all()
    assert Instances.from_label_map(labels, [0.3, 0.4]).scores.tolist() == [0.3, 0.4]
    assert Instances.from_label_map(labels, {300: 0.5}).scores.tolist() == [1.0, 0.5]


@pytest.mark.parametrize("background", [True, False])
def test_from_label_map_with_huge_numbers(background):
    labels = np.array([[2**31, 2**31, 5], [5, 5, 5]], np.int64)
    if background:
        labels[1, 2] = 0
    objects = Instances.from_label_map(labels)
    assert objects.ids.tolist() == [5, 2**31]
    assert objects.areas.tolist() == [3 if background else 4, 2]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((2, 2, 3), int), "two dimensions"),
        (np.full((2, 2), 0.5), "whole numbers"),
        (np.array([[-1, 0]]), "negative"),
    ],
)
def test_unusable_label_map_is_refused(labels, words):
    with pytest.raises(RsamError, match=words):
        Instances.from_label_map(labels)


def test_scores_must_be_as_many_as_objects():
    with pytest.raises(RsamError, match="1 objects need as many scores, not 2"):
        Instances.from_label_map(np.ones((2, 2), bool), [0.1, 0.2])


def test_empty():
    nothing = Instances.empty((4, 5))
    assert len(nothing) == 0
    assert nothing.shape == (4, 5)
    assert nothing.bboxes.shape == (0, 4)
    assert nothing.at(1, 1) == []
    assert not nothing.label_map().any()
    assert nothing.label_map().shape == (4, 5)
    assert not nothing.union_mask().any()
    assert len(Instances.from_label_map(np.zeros((3, 3), int))) == 0
    assert nothing.add(np.ones((1, 1), bool)).ids.tolist() == [1]


def test_ten_thousand_objects_stay_small():
    rng = np.random.default_rng(1)
    mask = np.ones((20, 20), bool)
    places = rng.integers(0, 9_980, (10_000, 2))
    objects = Instances((Instance(mask, int(x), int(y)) for x, y in places), (10_000, 10_000))
    assert sum(item.mask.nbytes for item in objects) == 10_000 * 400
    assert sorted(objects.paint_order.tolist()) == list(range(10_000))
