"""What the canvas in the browser reports: taken once, in order, and only if it makes sense."""

from __future__ import annotations

import math

import pytest

from rsam_core.prompts.canvas_events import Acknowledged, CanvasEvent, read_events, read_viewport
from rsam_core.scene.coordinates import Viewport


def report(*events: dict, canvas: str = "a") -> dict:
    return {"canvas": canvas, "events": list(events)}


def point(n: int, x: float = 10, y: float = 20, **more) -> dict:
    return {"n": n, "kind": "point", "x": x, "y": y, "label": 1} | more


def take(content, known: Acknowledged | None = None) -> tuple[list[CanvasEvent], Acknowledged]:
    return read_events(content, known or Acknowledged(), 400, 300)


def test_clicks_boxes_and_picks_by_hand():
    events, known = take(
        report(
            point(1),
            {"n": 2, "kind": "box", "x": 50, "y": 90, "x1": 30, "y1": 40},
            {"n": 3, "kind": "pick", "x": 1.5, "y": 2.5, "label": 0},
        )
    )
    assert events == [
        CanvasEvent(1, "point", 10, 20, 10, 20, 1),
        CanvasEvent(2, "box", 30, 40, 50, 90),
        CanvasEvent(3, "pick", 1.5, 2.5, 1.5, 2.5, 0),
    ]
    assert known.latest == ("a", 3)


def test_what_was_taken_is_not_taken_again():
    _, known = take(report(point(1), point(2)))
    events, known = take(report(point(1), point(2), point(3)), known)
    assert [event.number for event in events] == [3]
    assert take(report(point(3)), known) == ([], known)


def test_a_new_canvas_counts_anew_and_an_old_one_is_remembered():
    _, known = take(report(point(1), point(2)))
    events, known = take(report(point(1), canvas="b"), known)
    assert [event.number for event in events] == [1]
    # The browser repeats what the first canvas had reported.
    events, known = take(report(point(1), point(2)), known)
    assert events == []
    assert take(report(point(1), canvas="b"), known)[0] == []


def test_points_outside_are_dropped_and_boxes_cut():
    events, known = take(
        report(
            point(1, -1, 5),
            point(2, 400, 300),
            {"n": 3, "kind": "box", "x": -50, "y": -9, "x1": 500, "y1": 8},
            {"n": 4, "kind": "box", "x": 500, "y": 10, "x1": 600, "y1": 20},
        )
    )
    assert [(e.number, e.x, e.y, e.x1, e.y1) for e in events] == [
        (2, 400, 300, 400, 300),
        (3, 0, 0, 400, 8),
    ]
    assert known.latest == ("a", 4), "what is refused is not asked for again"


@pytest.mark.parametrize(
    ("drawn", "pixel"),
    [
        ((3.4, 1.7, 3.9, 1.95), (3, 1, 4, 2)),
        ((0, 0, 0.2, 0.2), (0, 0, 1, 1)),
        ((399.6, 10.1, 400, 30), (399, 10.1, 400, 30)),
    ],
)
def test_a_box_within_one_pixel_means_that_pixel(drawn, pixel):
    x, y, x1, y1 = drawn
    events, _ = take(report({"n": 1, "kind": "box", "x": x, "y": y, "x1": x1, "y1": y1}))
    assert (events[0].x, events[0].y, events[0].x1, events[0].y1) == pytest.approx(pixel)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "click",
        {},
        {"canvas": "a"},
        {"canvas": "a", "events": "many"},
        report({"n": 1}),
        report({"n": 1, "kind": "erase", "x": 1, "y": 1}),
        report({"n": "1", "kind": "point", "x": 1, "y": 1}),
        report({"n": True, "kind": "point", "x": 1, "y": 1}),
        report({"n": 1, "kind": "point", "x": "1", "y": 1}),
        report({"n": 1, "kind": "point", "x": math.nan, "y": 1}),
        report({"n": 1, "kind": "box", "x": 1, "y": 1}),
        report({"n": 1, "kind": "box", "x": 1, "y": 1, "x1": math.inf, "y1": 5}),
        report(None, 5, "x"),
    ],
)
def test_nonsense_makes_no_event(content):
    assert take(content)[0] == []


def test_a_flood_of_events_is_bounded():
    events, _ = take(report(*[point(n) for n in range(1, 5001)]))
    assert len(events) == 500


def test_where_the_canvas_looks():
    seen = read_viewport({"x": -3, "y": 4.5, "scale": 2, "columns": 900, "rows": 600.0})
    assert seen == Viewport(-3, 4.5, 2, 900, 600)
    assert seen.width == 450


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"x": 0, "y": 0, "scale": 1, "columns": 900},
        {"x": 0, "y": 0, "scale": 0, "columns": 900, "rows": 600},
        {"x": 0, "y": 0, "scale": "1", "columns": 900, "rows": 600},
        {"x": math.nan, "y": 0, "scale": 1, "columns": 900, "rows": 600},
        {"x": 0, "y": 0, "scale": 1, "columns": math.inf, "rows": 600},
        {"x": 0, "y": 0, "scale": True, "columns": 900, "rows": 600},
    ],
)
def test_nonsense_is_no_place(content):
    assert read_viewport(content) is None
