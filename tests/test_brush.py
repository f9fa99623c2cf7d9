"""Strokes and polygons of the drawing canvas as masks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from rsam_core.brush import painted_mask, path_points
from rsam_core.errors import RefineError


def stroke(*points: tuple[float, float], width: float = 8) -> dict:
    """A free stroke as the canvas hands it back: quadratic curves between middles."""
    path = [["M", *points[0]]]
    for before, after in itertools.pairwise(points):
        middle = ((before[0] + after[0]) / 2, (before[1] + after[1]) / 2)
        path.append(["Q", *before, *middle])
    path.append(["L", *points[-1]])
    return {"type": "path", "path": path, "strokeWidth": width, "fill": None}


def polygon(*points: tuple[float, float]) -> dict:
    path = [["M", *points[0]], *(["L", *point] for point in points[1:]), ["z"]]
    return {"type": "path", "path": path, "strokeWidth": 2}


def test_a_straight_stroke_is_a_bar_with_round_ends():
    mask = painted_mask({"objects": [stroke((20, 30), (50, 30), (80, 30))]}, (60, 100))
    assert mask.sum() == pytest.approx(60 * 8 + math.pi * 16, rel=0.02)
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (26, 33, 16, 83)


def test_a_dot_is_a_disc():
    dot = {"type": "Path", "path": [["M", 30, 20], ["L", 30, 20]], "strokeWidth": 20}
    mask = painted_mask({"objects": [dot]}, (40, 60))
    assert mask.sum() == pytest.approx(math.pi * 100, rel=0.03)
    assert mask[20, 30]


def test_a_polygon_is_filled_without_its_line():
    mask = painted_mask({"objects": [polygon((10, 10), (30, 10), (30, 25), (10, 25))]}, (40, 40))
    assert mask.sum() == 20 * 15
    assert mask[10:25, 10:30].all()


def test_the_canvas_is_larger_than_the_part_of_the_scene():
    drawing = {"objects": [polygon((10, 20), (50, 20), (50, 40), (10, 40))]}
    mask = painted_mask(drawing, (30, 30), scale=2.0)
    assert mask.sum() == 20 * 10
    assert mask[10:20, 5:25].all()


def test_overlapping_strokes_are_joined():
    drawing = {"objects": [stroke((10, 20), (40, 20)), stroke((25, 5), (25, 35))]}
    mask = painted_mask(drawing, (40, 50))
    assert mask[20, 25]
    alone = [painted_mask({"objects": [item]}, (40, 50)) for item in drawing["objects"]]
    assert (mask == (alone[0] | alone[1])).all()


def test_a_polygon_that_crosses_itself_is_repaired():
    bow = polygon((10, 10), (30, 30), (30, 10), (10, 30))
    assert painted_mask({"objects": [bow]}, (40, 40)).sum() == pytest.approx(200, rel=0.1)


@pytest.mark.parametrize(
    "drawing",
    [None, {}, {"objects": []}, {"objects": None}, {"objects": [{"type": "rect", "left": 3}]}],
)
def test_nothing_drawn(drawing):
    assert not painted_mask(drawing, (5, 6)).any()


def test_what_leaves_the_canvas_is_cut_off():
    mask = painted_mask({"objects": [stroke((-20, 5), (300, 5))]}, (10, 20))
    assert mask[1:9].all()
    outside = {"objects": [stroke((-50, -50), (-40, -40))]}
    assert not painted_mask(outside, (9, 9)).any()


def test_a_curve_passes_through_its_end():
    points, closed = path_points([["M", 0, 0], ["Q", 10, 0, 10, 10]])
    assert not closed
    assert tuple(points[-1]) == (10, 10)
    # The middle of a quadratic curve is the mean of its ends and twice its control point.
    middle = points[np.argmin(np.abs(points[:, 0] - 7.5))]
    assert tuple(middle) == pytest.approx((7.5, 2.5))


@pytest.mark.parametrize(
    "path", [[["L", 1, 2], ["C", 1, 2, 3, 4, 5, 6]], [["M", 1]], [["M", "a", 2]], [["z"]]]
)
def test_damaged_drawings_are_refused(path):
    with pytest.raises(RefineError, match="draw again"):
        painted_mask({"objects": [{"type": "path", "path": path}]}, (5, 5))


def test_a_scale_must_be_positive():
    with pytest.raises(RefineError):
        painted_mask(None, (5, 5), scale=0)
