"""Strokes and polygons of the drawing canvas as masks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from rsam_core.errors import RefineError
from rsam_core.prompts.brush import painted_mask, path_points


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


def closed(*points: tuple[float, float], **fields) -> dict:
    """A polygon as version 0.13 of the canvas hands it back."""
    x, y = zip(*points)
    middle = {"left": (min(x) + max(x)) / 2, "top": (min(y) + max(y)) / 2}
    corners = [{"x": x, "y": y} for x, y in points]
    origin = {"originX": "center", "originY": "center"}
    return {"type": "Polygon", "points": corners, "strokeWidth": 2} | origin | middle | fields


def test_a_polygon_with_points():
    corners = (10, 10), (30, 10), (30, 25), (10, 25)
    mask = painted_mask({"objects": [closed(*corners)]}, (40, 40))
    assert mask[10:25, 10:30].all()
    assert mask.sum() == 20 * 15


def test_a_polygon_that_was_moved_stretched_and_turned():
    corners = (10, 10), (30, 10), (30, 20), (10, 20)
    moved = painted_mask({"objects": [closed(*corners, left=40, top=35)]}, (60, 60))
    assert moved[30:40, 30:50].all()
    assert moved.sum() == 200
    wide = closed(*corners, left=30, top=30, scaleX=2, scaleY=0.5)
    assert painted_mask({"objects": [wide]}, (60, 60))[28:32, 10:50].sum() == 160
    upright = painted_mask({"objects": [closed(*corners, left=30, top=30, angle=90)]}, (60, 60))
    assert upright[20:40, 25:35].sum() == 200
    # Clockwise on the screen, where y points down: the right end goes down.
    tilted = painted_mask({"objects": [closed(*corners, left=30, top=30, angle=30)]}, (60, 60))
    assert tilted[34, 37]
    assert not tilted[26, 37]


def test_a_stroke_that_was_moved():
    origin = {"originX": "center", "originY": "center"}
    here = stroke((20, 30), (50, 30), (80, 30)) | origin | {"left": 50, "top": 30}
    there = here | {"left": 55, "top": 20}
    first, second = (painted_mask({"objects": [item]}, (60, 100)) for item in (here, there))
    assert (np.roll(first, (-10, 5), (0, 1)) == second).all()
    damaged = here | {"left": "far"}
    with pytest.raises(RefineError, match="draw again"):
        painted_mask({"objects": [damaged]}, (60, 100))


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
