"""Scene, view and canvas coordinates, and what the canvas component reports."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.coordinates import (
    CanvasMark,
    Frame,
    canvas_frame,
    compare_marks,
    draw_canvas,
    read_canvas,
    view_frame,
)
from rsam_core.errors import PromptError
from rsam_core.prompts import Prompt

FRAMES = [
    Frame(0, 0, 100, 80, 100, 80),
    Frame(0, 0, 1000, 700, 333, 233),
    Frame(120, 45, 640, 480, 701, 527),
    Frame(7.5, 3.25, 41.3, 17.9, 640, 277),
]


def point(x: float, y: float, label: int = 1) -> CanvasMark:
    return CanvasMark("point", x, y, x, y, label)


def box(x: float, y: float, x1: float, y1: float) -> CanvasMark:
    return CanvasMark("box", x, y, x1, y1)


def circle(**fields: object) -> dict:
    """A click at (100, 60) as the component reports it: radius 5, outline 2."""
    shape = {
        "type": "Circle",
        "originX": "left",
        "originY": "center",
        "left": 94,
        "top": 60,
        "radius": 5,
        "strokeWidth": 2,
        "stroke": "#12b76a",
        "fill": "#12b76ab0",
        "scaleX": 1,
        "scaleY": 1,
    }
    return shape | fields


def rect(**fields: object) -> dict:
    shape = {
        "type": "Rect",
        "originX": "left",
        "originY": "top",
        "left": 20,
        "top": 30,
        "width": 50,
        "height": 40,
        "scaleX": 1,
        "scaleY": 1,
        "strokeWidth": 2,
        "stroke": "#ffd166",
    }
    return shape | fields


def corners(mark: CanvasMark) -> tuple[float, float, float, float]:
    return mark.x, mark.y, mark.x1, mark.y1


def read_one(shape: dict) -> CanvasMark:
    marks = read_canvas({"objects": [shape]}, 200, 100)
    assert len(marks) == 1
    return marks[0]


# ------------------------------------------------------------------ frames


def test_frame_by_hand():
    # A window of 100 × 50 scene pixels at (10, 20), shown four times as large.
    frame = Frame(10, 20, 100, 50, 400, 200)
    assert frame.scale == (4, 4)
    assert frame.to_scene((0, 0)).tolist() == [10, 20]
    assert frame.to_scene((400, 200)).tolist() == [110, 70]
    # The centre of the window's second pixel lies six picture pixels from its edge.
    assert frame.from_scene((11.5, 20.5)).tolist() == [6, 2]
    assert frame.to_scene([(4, 8), (2, 100)]).tolist() == [[11, 22], [10.5, 45]]


def test_scale_may_differ_along_x_and_y():
    frame = Frame(0, 0, 1000, 700, 333, 233)
    assert frame.scale == pytest.approx((0.333, 233 / 700))
    assert frame.to_scene((333, 233)).tolist() == [1000, 700]


@pytest.mark.parametrize("frame", FRAMES)
def test_scene_to_picture_and_back(frame):
    points = np.random.default_rng(0).uniform((0, 0), (640, 480), (50, 2))
    assert frame.to_scene(frame.from_scene(points)) == pytest.approx(points, abs=1e-9)
    assert frame.from_scene(frame.to_scene(points)) == pytest.approx(points, abs=1e-9)


def test_canvas_to_view_to_scene_agrees_with_canvas_to_scene():
    view = Frame(120, 45, 3000, 2000, 2048, 1365)
    canvas = canvas_frame(view, 701)
    clicks = np.random.default_rng(1).uniform((0, 0), (701, 467), (50, 2))
    scene = canvas.to_scene(clicks)
    in_view = view.from_scene(scene)
    # Both pictures show the same window: a click keeps its share of the width and the height.
    assert in_view / (2048, 1365) == pytest.approx(clicks / (canvas.columns, canvas.rows))
    assert canvas.from_scene(view.to_scene(in_view)) == pytest.approx(clicks)


def test_prompt_goes_from_scene_to_view():
    view = Frame(100, 200, 50, 40, 25, 10)
    prompt = Prompt(points=[(100, 200), (150, 240), (120, 210)], box=(110, 204, 130, 220))
    moved = view.prompt_from_scene(prompt)
    assert moved.points.tolist() == [[0, 0], [25, 10], [10, 2.5]]
    assert moved.box.tolist() == [5, 1, 15, 5]


@pytest.mark.parametrize(
    ("size", "picture"),
    [((640, 480), (640, 480)), ((4096, 1000), (2048, 500)), ((3, 9000), (1, 2048))],
)
def test_view_is_native_or_shrunk_to_the_longest_side(size, picture):
    view = view_frame(*size)
    assert (view.columns, view.rows) == picture
    assert (view.x, view.y, view.width, view.height) == (0, 0, *size)


def test_canvas_fits_the_column_and_the_height():
    view = view_frame(1000, 500)
    assert (canvas_frame(view, 700).columns, canvas_frame(view, 700).rows) == (700, 350)
    low = canvas_frame(view, 700, tallest=100)
    assert (low.columns, low.rows) == (200, 100)
    assert canvas_frame(view_frame(1, 1), 300).columns == 300
    assert canvas_frame(view_frame(5000, 1), 300).rows == 1


@pytest.mark.parametrize("size", [(0, 5, 5, 5), (5, -1, 5, 5), (5, 5, 0, 5)])
def test_frame_without_size_is_refused(size):
    with pytest.raises(PromptError, match="size above zero"):
        Frame(0, 0, *size)


# ------------------------------------------------------------------ reading the canvas


@pytest.mark.parametrize("drawing", [None, {}, {"objects": []}, {"version": "7.0.0"}])
def test_nothing_drawn(drawing):
    assert read_canvas(drawing, 200, 100) == []


def test_click_lies_a_radius_and_half_an_outline_right_of_left():
    mark = read_one(circle())
    # 94 + 5 + 2 / 2 = 100; top is the centre already.
    assert (mark.kind, *corners(mark)) == ("point", 100, 60, 100, 60)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"radius": 3, "strokeWidth": 7}, (94 + 3 + 3.5, 60)),
        ({"radius": 1, "strokeWidth": 0}, (95, 60)),
        ({"originX": "center"}, (94, 60)),
        ({"originX": "right"}, (88, 60)),
        ({"originY": "top"}, (100, 66)),
        ({"originY": "bottom"}, (100, 54)),
        ({"scaleX": 2, "scaleY": 2}, (94 + 10 + 1, 60)),
        ({"type": "circle"}, (100, 60)),
    ],
)
def test_click_of_any_size_and_origin(fields, where):
    mark = read_one(circle(**fields))
    assert (mark.x, mark.y) == where


def test_outline_colour_tells_include_from_exclude():
    assert read_one(circle(stroke="#12b76a")).label == 1
    assert read_one(circle(stroke="#e5383b")).label == 0
    assert read_one(circle(stroke="#E5383B")).label == 0


@pytest.mark.parametrize("fields", [{"left": 195}, {"left": -20}, {"top": -0.5}, {"top": 101}])
def test_click_outside_the_canvas_is_dropped(fields):
    # left = 195 puts the centre at 201 on a canvas of 200 columns.
    assert read_canvas({"objects": [circle(**fields)]}, 200, 100) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (20, 30, 70, 70)),
        ({"type": "rect"}, (20, 30, 70, 70)),
        ({"type": "LabeledRect"}, (20, 30, 70, 70)),
        ({"scaleX": 2, "scaleY": 0.5}, (20, 30, 120, 50)),
        ({"width": -15}, (5, 30, 20, 70)),
        ({"scaleX": -0.2, "scaleY": -0.5}, (10, 10, 20, 30)),
        ({"left": -30, "top": -10}, (0, 0, 20, 30)),
        ({"left": 180, "top": 90}, (180, 90, 200, 100)),
        ({"left": -50, "top": -50, "width": 900, "height": 900}, (0, 0, 200, 100)),
        ({"originX": "center", "originY": "center", "left": 45, "top": 50}, (20, 30, 70, 70)),
        ({"originX": "right", "originY": "bottom", "left": 70, "top": 70}, (20, 30, 70, 70)),
    ],
)
def test_rectangle_scaled_mirrored_and_cut(fields, expected):
    mark = read_one(rect(**fields))
    assert mark.kind == "box"
    assert corners(mark) == pytest.approx(expected)


@pytest.mark.parametrize(
    "fields", [{"left": 300}, {"top": -60}, {"width": 0}, {"height": 0}, {"scaleX": 0}]
)
def test_rectangle_outside_or_without_area_is_dropped(fields):
    assert read_canvas({"objects": [rect(**fields)]}, 200, 100) == []


def test_order_is_kept_and_other_shapes_are_ignored():
    shapes = [circle(), {"type": "Path", "path": []}, rect(), {"type": "Line"}, circle(left=10)]
    marks = read_canvas({"objects": shapes}, 200, 100)
    assert [m.kind for m in marks] == ["point", "box", "point"]
    assert [m.x for m in marks] == [100, 20, 16]


def test_slip_of_the_mouse_is_told_from_a_drawn_box():
    # A press that moves by a pixel comes back as four pixels: twice the outline.
    assert read_one(rect(width=4, height=4)).slip
    assert read_one(rect(width=4, height=60)).slip
    assert not read_one(rect(width=6, height=6)).slip
    assert not read_one(circle()).slip


def test_what_is_drawn_is_read_back():
    marks = [point(100, 60), box(20, 30, 70, 70), point(0, 0, 0), box(0.25, 3, 199.5, 99)]
    assert read_canvas(draw_canvas(marks), 200, 100) == marks


def test_drawing_has_the_shape_that_the_component_makes():
    drawn = draw_canvas([point(100, 60), box(20, 30, 70, 70)])["objects"]
    for made, reported in zip(drawn, (circle(), rect())):
        assert {key: made[key] for key in made.keys() & reported.keys() - {"fill"}} == {
            key: reported[key] for key in made.keys() & reported.keys() - {"fill"}
        }
        assert {"type", "originX", "originY", "left", "top", "strokeWidth"} <= made.keys()


# ------------------------------------------------------------------ comparing two readings

A, B, C = point(10, 10), point(50, 50), box(20, 20, 60, 60)


@pytest.mark.parametrize(
    ("old", "new", "kept", "removed", "added"),
    [
        ([], [], [], [], []),
        ([], [A, C], [], [], [0, 1]),
        ([A, B], [A, B], [(0, 0), (1, 1)], [], []),
        ([A], [A, B], [(0, 0)], [], [1]),
        ([A, B, C], [A, C], [(0, 0), (2, 1)], [1], []),
        ([A, B, C], [B, C], [(1, 0), (2, 1)], [0], []),
        ([A, B, C], [], [], [0, 1, 2], []),
        # Dragged: the same place in the order, another place on the canvas.
        ([A, B], [A, point(90, 20)], [(0, 0), (1, 1)], [], []),
        ([A, C], [A, box(20, 20, 90, 60)], [(0, 0), (1, 1)], [], []),
        # Rounded by the browser.
        ([A, B], [point(10.4, 9.6), B], [(0, 0), (1, 1)], [], []),
        # Two clicks on one spot are two marks.
        ([A, A], [A, A], [(0, 0), (1, 1)], [], []),
        ([A], [A, A], [(0, 0)], [], [1]),
        ([A, A, B], [A, B], [(0, 0), (2, 1)], [1], []),
        # One undone, another made, before anyone looked.
        ([A, B], [A, C], [(0, 0)], [1], [1]),
        ([A, B], [A, point(30, 30, 0)], [(0, 0)], [1], [1]),
        ([A, B], [A, point(50, 50, 0)], [(0, 0)], [1], [1]),
        ([A, B, C], [A, point(70, 70), point(80, 80)], [(0, 0), (1, 1)], [2], [2]),
    ],
)
def test_comparing_two_readings(old, new, kept, removed, added):
    change = compare_marks(old, new)
    assert change.kept == kept
    assert change.removed == removed
    assert change.added == added
