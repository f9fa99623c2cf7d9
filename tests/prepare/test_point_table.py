"""Collecting points: edits, clicks and the drawn layer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rsam_core.prepare.point_table import (
    CONTROL_COLUMNS,
    PIXEL_COLUMNS,
    arrow_factor,
    complete_rows,
    point_layer,
    table_of,
    with_click,
    with_edits,
    without_nearest,
)


def test_rows_that_lack_a_number_are_left_out():
    table = table_of([(1, 2, 3, 4), (5, 6)], CONTROL_COLUMNS)
    assert complete_rows(table) == ((1, 2, 3, 4),)
    assert table.shape == (2, 4)
    assert complete_rows(table_of([], PIXEL_COLUMNS)) == ()


def test_edits_of_the_table_are_applied_in_order():
    table = table_of([(1, 2), (3, 4), (5, 6)], PIXEL_COLUMNS)
    edits = {
        "edited_rows": {2: {"x": 50, "other": 1}, "0": {"y": None}, 9: {"x": 1}},
        "deleted_rows": [1],
        "added_rows": [{"x": 7, "y": "8"}, {"x": "no"}],
    }
    result = with_edits(table, edits).to_numpy()
    expected = [[1, math.nan], [50, 6], [7, 8], [math.nan, math.nan]]
    assert np.array_equal(result, expected, equal_nan=True)
    assert with_edits(table, None).equals(table)


def test_a_click_fills_a_row_that_waits_for_its_place():
    waiting = table_of([(1, 2, 3, 4), (math.nan, math.nan, 30, 40)], CONTROL_COLUMNS)
    assert complete_rows(with_click(waiting, 9, 8))[1] == (9, 8, 30, 40)
    assert len(with_click(with_click(waiting, 9, 8), 7, 6)) == 3


def test_the_nearest_point_within_reach_is_removed():
    table = table_of([(0, 0), (10, 10), (math.nan, 3)], PIXEL_COLUMNS)
    assert complete_rows(without_nearest(table, 9, 10, 5)) == ((0, 0),)
    assert without_nearest(table, 50, 50, 5) is table
    assert without_nearest(table_of([], PIXEL_COLUMNS), 0, 0, 5).empty


@pytest.mark.parametrize(("longest", "factor"), [(0.5, 200), (3, 20), (70, 1), (5000, 1), (0, 0)])
def test_arrows_get_a_round_factor(longest: float, factor: float):
    assert arrow_factor([(longest, 0), (0, longest / 2)], 1000) == factor


def test_the_layer_draws_arrows_and_sides_where_they_belong():
    layer = point_layer((400, 600), [(100, 200), (math.nan, 1)], [(150, 0), (0, 0)])
    assert layer[200, 100:248, 3].all()
    assert not layer[300:, :, 3].any()
    assert not layer[:, 300:, 3].any()
    square = point_layer((400, 600), [(50, 50), (550, 50), (550, 350), (50, 350)], closed=True)
    for row, column in ((50, 300), (350, 300), (200, 50), (200, 549)):
        assert square[row - 1 : row + 2, column - 1 : column + 2, 3].any()
    assert not square[100:300, 150:450, 3].any()
