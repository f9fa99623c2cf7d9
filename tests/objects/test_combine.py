"""Combining and editing objects, against shapes drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import RefineError, RsamError
from rsam_core.objects.combine import (
    assign_overlap,
    covered_area,
    draw,
    edit,
    intersect,
    merge,
    split,
    subtract,
    to_hull,
    to_rectangle,
)
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances

SHAPE = (60, 80)


def block(x: int, y: int, width: int, height: int, **fields) -> Instance:
    return Instance(np.ones((height, width), bool), x, y, **fields)


@pytest.fixture
def pair() -> Instances:
    """Two blocks of 10 × 10 and 20 × 10 that share 5 × 10, and one apart."""
    return Instances(
        [
            block(10, 10, 10, 10, id=2, score=0.9, label="roof"),
            block(15, 10, 20, 10, id=5, score=0.6, label="road"),
            block(60, 40, 5, 5, id=8),
        ],
        SHAPE,
    )


def pixels(objects: Instances, id: int) -> np.ndarray:
    full = np.zeros(objects.shape, bool)
    item = objects.get(id)
    x0, y0, x1, y1 = item.bbox
    full[y0:y1, x0:x1] = item.mask
    return full


def test_merge(pair):
    result = merge(pair, [5, 2])
    assert result.ids.tolist() == [5, 8]
    merged = result.get(5)
    assert merged.bbox == (10, 10, 35, 20)
    assert merged.area == 250
    assert merged.label == "road"
    assert merged.score == pytest.approx((0.9 * 100 + 0.6 * 200) / 300)
    assert len(pair) == 3
    assert merge(pair, [2, 8]).get(2).area == 125


def test_intersect(pair):
    result = intersect(pair, [2, 5])
    assert result.ids.tolist() == [2, 8]
    assert result.get(2).bbox == (15, 10, 20, 20)
    with pytest.raises(RefineError, match="no pixel in common"):
        intersect(pair, [2, 8])


def test_subtract(pair):
    result = subtract(pair, 2, [5])
    assert result.get(2).bbox == (10, 10, 15, 20)
    assert result.get(5) is pair.get(5)
    inside = pair.add(block(61, 41, 2, 2, id=9))
    assert subtract(inside, 8, [9]).get(8).area == 21
    with pytest.raises(RefineError, match="nothing would be left"):
        subtract(inside, 9, [8])


@pytest.mark.parametrize("change", [merge, intersect, lambda o, ids: subtract(o, ids[0], ids)])
def test_one_object_alone_is_too_few(pair, change):
    with pytest.raises(RefineError):
        change(pair, [2])
    with pytest.raises(RefineError):
        change(pair, [2, 2])


def test_objects_that_do_not_exist_are_named(pair):
    with pytest.raises(RsamError, match="99"):
        merge(pair, [2, 99])


def test_split():
    mask = np.zeros((10, 30), bool)
    mask[0:3, 0:3] = True
    mask[3:5, 3:5] = True  # touches at a corner: the same piece
    mask[2:8, 10:20] = True
    mask[9, 29] = True
    objects = Instances([Instance(mask, 5, 5, 0.8, 3, "box", "tree"), block(50, 50, 4, 4)], SHAPE)
    result = split(objects)
    assert result.ids.tolist() == [3, 5, 6, 4]
    assert result.areas.tolist() == [60, 13, 1, 16]
    assert {item.label for item in result[:3]} == {"tree"}
    assert result.get(5).bbox == (5, 5, 10, 10)
    assert split(objects, [4])[0] is objects[0]
    assert result.union_mask().sum() == objects.union_mask().sum()


def test_assign_overlap_gives_each_pixel_to_the_better_one(pair):
    result = assign_overlap(pair)
    assert result.get(2) is pair.get(2)
    assert result.get(5).bbox == (20, 10, 35, 20)
    assert result.get(8) is pair.get(8)


def test_assign_overlap_is_the_label_map():
    random = np.random.default_rng(5)
    items = [
        Instance(
            random.random((12, 12)) < 0.8, *random.integers(0, 40, 2).tolist(), random.random()
        )
        for _ in range(25)
    ]
    objects = Instances(items, (60, 60))
    result = assign_overlap(objects)
    labels = objects.label_map()
    for item in objects:
        owned = labels == item.id
        if item.id in result.ids:
            assert (pixels(result, item.id) == owned).all()
        else:
            assert not owned.any()
    assert result.areas.sum() == result.union_mask().sum() == objects.union_mask().sum()
    assert covered_area(objects) == objects.union_mask().sum()


def test_a_hidden_object_is_dropped_and_a_small_one_inside_stays():
    cover = block(10, 10, 20, 20, id=1, score=0.9)
    same = block(10, 10, 20, 20, id=2, score=0.5)
    chimney = block(15, 15, 2, 2, id=3, score=0.2)
    result = assign_overlap(Instances([cover, same, chimney], SHAPE))
    assert result.ids.tolist() == [1, 3]
    assert result.get(1).area == 396


def test_hull_of_an_l_shape():
    mask = np.zeros((20, 20), bool)
    mask[:, :4] = mask[16:, :] = True
    objects = Instances([Instance(mask, 30, 30, id=4)], SHAPE)
    hull = to_hull(objects, [4]).get(4)
    assert hull.bbox == objects.get(4).bbox
    # 20 × 20 less the triangle with legs of 16 above the diagonal.
    assert hull.area == pytest.approx(400 - 16 * 16 / 2, abs=17)
    assert (hull.mask & mask).sum() == mask.sum()


def test_rectangle_of_a_diamond_and_of_a_block():
    rows, columns = np.mgrid[:21, :21]
    diamond = np.abs(rows - 10) + np.abs(columns - 10) <= 10
    objects = Instances([Instance(diamond, 20, 20, id=1), block(0, 0, 7, 3, id=2)], SHAPE)
    result = to_rectangle(objects, [1, 2])
    # The outline of the diamond touches the turned square along its sides.
    assert result.get(1).area == pytest.approx(22 * 22 / 2, rel=0.06)
    assert result.get(2).mask.all()
    assert result.get(2).bbox == (0, 0, 7, 3)


def test_a_rectangle_is_cut_at_the_edge_of_the_scene():
    mask = np.eye(30, dtype=bool) | np.eye(30, k=1, dtype=bool) | np.eye(30, k=5, dtype=bool)
    objects = Instances([Instance(mask, 0, 0, id=1)], (30, 30))
    x0, y0, x1, y1 = to_rectangle(objects, [1]).get(1).bbox
    assert min(x0, y0) >= 0
    assert max(x1, y1) <= 30


def test_paint_and_erase(pair):
    brush = np.ones((4, 4), bool)
    added = edit(pair, 8, brush, 63, 43)
    assert added.get(8).area == 25 + 16 - 4
    erased = edit(pair, 8, brush, 63, 43, "erase")
    assert erased.get(8).area == 21
    replaced = edit(pair, 8, brush, 1, 2, "replace")
    assert replaced.get(8).bbox == (1, 2, 5, 6)
    assert edit(pair, 8, np.zeros((3, 3), bool)) is pair
    with pytest.raises(RefineError, match="Nothing would be left"):
        edit(pair, 8, np.ones(SHAPE, bool), 0, 0, "erase")
    with pytest.raises(RefineError, match="Nothing would be left"):
        edit(pair, 8, np.zeros(SHAPE, bool), 0, 0, "replace")
    with pytest.raises(RefineError):
        edit(pair, 8, brush, 63, 43, "polish")


def test_what_is_painted_outside_is_cut_off(pair):
    brush = np.ones((10, 10), bool)
    assert draw(pair, brush, -5, -6)[3].area == 20
    assert draw(pair, brush, 75, 55)[3].bbox == (75, 55, 80, 60)
    with pytest.raises(RefineError, match="Nothing is painted"):
        draw(pair, brush, 100, 100)
    with pytest.raises(RefineError):
        edit(pair, 8, np.ones(5, bool))


def test_a_drawn_object_gets_the_next_number(pair):
    result = draw(pair, np.ones((3, 3), bool), 1, 1, "tree")
    assert result.ids.tolist() == [2, 5, 8, 9]
    assert (result.get(9).source, result.get(9).label) == ("drawn", "tree")
