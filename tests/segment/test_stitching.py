"""Joining pieces of objects that tiles cut, on rectangles worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.segment.tiles.stitching import TileMask, is_cut, join, touches_edge
from tests.helpers.models import disc, rectangle

# Two tiles side by side that share the columns 80 to 120.
SHAPE = (100, 200)
LEFT, RIGHT = (0, 0, 120, 100), (80, 0, 200, 100)
WINDOWS = np.array([LEFT, RIGHT])


def piece(mask: np.ndarray, tile: int, score: float = 0.8, windows=WINDOWS) -> TileMask:
    """What a tile sees of a mask of the scene."""
    x0, y0, x1, y1 = windows[tile]
    seen = np.zeros_like(mask)
    seen[y0:y1, x0:x1] = mask[y0:y1, x0:x1]
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return TileMask(seen[box[1] : box[3], box[0] : box[2]], box, int(seen.sum()), score, tile)


def full(found: TileMask, shape=SHAPE) -> np.ndarray:
    mask = np.zeros(shape, bool)
    x0, y0, x1, y1 = found.box
    mask[y0:y1, x0:x1] = found.mask
    return mask


def whole_ones(pieces: list[TileMask], windows: np.ndarray) -> list[TileMask]:
    """What is shown of the pieces: joined, and without what an edge still cuts."""
    return [found for found in join(pieces, windows) if not is_cut(found)]


def test_which_masks_touch_an_inner_edge():
    boxes = np.array(
        [
            [0, 10, 50, 90],  # at the left tile's outer border only
            [60, 10, 120, 20],  # at its right edge
            [60, 10, 118, 20],  # two pixels short of it
            [60, 10, 117, 20],  # three pixels short of it
            [82, 10, 90, 20],  # two pixels from the right tile's left edge
            [83, 0, 200, 100],  # three pixels from it, and at all outer borders
        ]
    )
    windows = np.array([LEFT] * 4 + [RIGHT] * 2)
    found = touches_edge(boxes, windows, (0, 0, 200, 100))
    assert found.tolist() == [False, True, True, False, True, False]


def test_two_pieces_of_a_road_become_one():
    road = rectangle(SHAPE, 10, 40, 190, 50)
    pieces = [piece(road, 0, 0.9), piece(road, 1, 0.6)]
    (whole,) = whole_ones(pieces, WINDOWS)
    assert np.array_equal(full(whole), road)
    assert whole.area == 1800
    assert whole.cut == 0
    # Both pieces are 110 pixels long.
    assert whole.score == pytest.approx(0.75)


def test_the_score_is_weighted_by_area():
    road = rectangle(SHAPE, 60, 40, 190, 50)
    (whole,) = whole_ones([piece(road, 0, 0.9), piece(road, 1, 0.6)], WINDOWS)
    # 60 x 10 and 110 x 10 pixels.
    assert whole.score == pytest.approx((0.9 * 60 + 0.6 * 110) / 170)


def test_pieces_that_differ_a_little_in_the_overlap_are_joined():
    road = rectangle(SHAPE, 10, 40, 190, 50)
    moved = rectangle(SHAPE, 80, 42, 190, 52)
    (whole,) = whole_ones([piece(road, 0), piece(moved, 1)], WINDOWS)
    # 8 of 12 rows agree: IoU 0.67.
    assert np.array_equal(full(whole), full(piece(road, 0)) | moved)


def test_pieces_that_differ_much_are_not_joined():
    road = rectangle(SHAPE, 10, 40, 190, 50)
    # 6 of 14 rows agree: IoU 0.43. Both end with a straight cut of 10 pixels.
    moved = rectangle(SHAPE, 80, 44, 190, 54)
    found = whole_ones([piece(road, 0), piece(moved, 1)], WINDOWS)
    assert not any(f.area > 1100 for f in found)


def test_fields_that_lie_wall_to_wall_are_not_glued():
    upper, lower = rectangle(SHAPE, 5, 10, 195, 50), rectangle(SHAPE, 5, 50, 195, 90)
    pieces = [piece(mask, tile) for mask in (upper, lower) for tile in (0, 1)]
    found = [full(f) for f in whole_ones(pieces, WINDOWS)]
    assert len(found) == 2
    assert np.array_equal(found[0] | found[1], upper | lower)
    assert {f.tobytes() for f in found} == {upper.tobytes(), lower.tobytes()}


def test_a_field_that_ends_in_the_overlap_is_not_glued_to_the_next():
    # The left tile sees two fields as one; the right tile sees only the second one, cut by
    # nothing. They agree in the overlap, but the first goes on beyond the right tile's edge.
    both = rectangle(SHAPE, 10, 20, 190, 60)
    second = rectangle(SHAPE, 90, 20, 190, 60)
    found = whole_ones([piece(both, 0), piece(second, 1)], WINDOWS)
    assert not any(np.array_equal(full(f), both) for f in found)


def test_of_rival_outlines_only_one_joins():
    road = rectangle(SHAPE, 10, 40, 190, 50)
    # The road with a yard beside it: the same in the overlap.
    yard = road | rectangle(SHAPE, 10, 50, 70, 95)
    pieces = [piece(yard, 0, 0.7), piece(road, 0, 0.9), piece(road, 1, 0.8)]
    found = [full(f) for f in whole_ones(pieces, WINDOWS) if f.cut == 0]
    assert len(found) == 1
    assert np.array_equal(found[0], road)


def test_a_bend_that_enters_the_overlap_twice_is_one_object():
    bend = disc(SHAPE, 85, 50, 45) & ~disc(SHAPE, 85, 50, 36)
    right = piece(bend, 1)
    assert right.box[0] == 80
    (whole,) = whole_ones([piece(bend, 0), right], WINDOWS)
    assert np.array_equal(full(whole), bend)


def test_two_arms_of_one_object_in_one_tile_are_joined_through_the_other():
    arms = [rectangle(SHAPE, 20, y, 190, y + 10) for y in (5, 85)]
    bend = rectangle(SHAPE, 20, 5, 30, 95) | arms[0] | arms[1]
    pieces = [piece(bend, 0), *(piece(arm, 1) for arm in arms)]
    (whole,) = whole_ones(pieces, WINDOWS)
    assert np.array_equal(full(whole), bend)


def test_three_tiles_in_a_row():
    shape = (60, 300)
    windows = np.array([(0, 0, 120, 60), (90, 0, 210, 60), (180, 0, 300, 60)])
    river = rectangle(shape, 4, 20, 298, 30)
    river[15:25, 130:160] = True
    pieces = [piece(river, t, windows=windows) for t in (2, 0, 1)]
    (whole,) = whole_ones(pieces, windows)
    assert np.array_equal(full(whole, shape), river)


def test_four_tiles_around_a_corner():
    shape = (200, 200)
    windows = np.array([(x, y, x + 120, y + 120) for y in (0, 80) for x in (0, 80)])
    lake = disc(shape, 100, 100, 80)
    pieces = [piece(lake, t, windows=windows) for t in range(4)]
    (whole,) = whole_ones(pieces, windows)
    assert np.array_equal(full(whole, shape), lake)
    assert whole.cut == 0


def test_an_object_may_end_where_a_tile_does():
    # It ends at column 120, as the left tile does; the right tile sees that nothing follows.
    field = rectangle(SHAPE, 10, 20, 120, 80)
    (whole,) = whole_ones([piece(field, 0), piece(field, 1)], WINDOWS)
    assert np.array_equal(full(whole), field)
    assert whole.cut == 0


def test_half_a_house_is_left_out():
    house = rectangle(SHAPE, 100, 40, 140, 70)
    assert whole_ones([piece(house, 0)], WINDOWS) == []


def test_a_long_path_that_only_one_tile_saw_is_kept():
    path = rectangle(SHAPE, 5, 40, 160, 42)
    (found,) = whole_ones([piece(path, 0)], WINDOWS)
    # A cut of 2 pixels on 115 x 2 pixels.
    assert found.cut == 2
    assert found.area == 230


def test_an_edge_behind_which_nobody_looked_cuts_nothing():
    house = rectangle(SHAPE, 100, 40, 140, 70)
    windows = np.array([LEFT, (80, 0, 80, 0)])
    (found,) = whole_ones([piece(house, 0)], windows)
    assert (found.area, found.cut) == (600, 0)


def test_no_pieces():
    assert whole_ones([], WINDOWS) == []
