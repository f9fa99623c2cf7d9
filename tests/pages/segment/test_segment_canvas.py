"""Segment, the canvas: what it is given to show, and what becomes of what it reports."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session
from rsam_core.prompts.history import PromptHistory
from rsam_core.scene.coordinates import Viewport
from rsam_core.session.far_clicks import FarClick, FarClicks
from tests.helpers.pages import (
    HEIGHT,
    TWO_BOXES,
    WIDTH,
    arranged,
    click,
    fine,
    opened,
    over,
    plain,
    put,
    table,
)
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]


def test_the_canvas_shows_the_marks_of_the_present_object(segment: Start, shown: dict):
    segment(book=PromptHistory().add_box(9, 9, 29, 29).new_object().add_point(80, 60))
    assert [(m["kind"], m["x"], m["y"]) for m in shown["marks"]] == [("point", 80, 60)]
    assert shown["scene"] == [WIDTH, HEIGHT]
    assert [picture["box"] for picture in shown["pictures"]] == [[0, 0, WIDTH, HEIGHT]]
    assert over(shown, 19, 19)[3] > 90, "the box's object is drawn"
    assert over(shown, 150, 110)[3] == 0


def test_modes_change_what_the_mouse_does(segment: Start, shown: dict):
    at = segment()
    assert (shown["mode"], shown["label"]) == ("points", 1)
    at.button_group(key="point-kind").set_value("Take away").run()
    assert (shown["mode"], shown["label"]) == ("points", 0)
    at.button_group(key="mode").set_value("Boxes").run()
    assert shown["mode"] == "boxes"
    assert "draw a box" in at.info[0].value
    at.button_group(key="mode").set_value("Everything").run()
    assert shown["mode"] == "select"
    assert shown["marks"] == []
    fine(at)


def test_what_the_canvas_reports_becomes_objects(app: AppTest, model, shown: dict):
    at = reporting(app, "points", [point(1, 80.5, 60.5), point(2, 92.5, 66.5)])
    book = opened(at).marks.book
    assert [(m.x, m.y) for m in book.entries[0].marks] == [(80.5, 60.5), (92.5, 66.5)]
    assert opened(at).canvas.acknowledged.latest == ("test", 2)
    assert (shown["canvas"], shown["ack"]) == ("test", 2)
    # The browser repeats what was not acknowledged in time; it counts once.
    at = reporting(app, "points", [point(2, 92.5, 66.5), point(3, 5, 5, 0)], book=book)
    marks = opened(at).marks.book.entries[0].marks
    assert [mark.label for mark in marks][-1] == 0


def test_a_far_click_begins_an_object_and_is_asked_about(app: AppTest, model, shown: dict):
    at = reporting(app, "points", [point(1, 40.5, 60.5), point(2, 140.5, 60.5)])
    work = opened(at)
    assert [len(e.marks) for e in work.marks.book.entries] == [1, 1]
    far = work.attached(FarClicks).last
    assert (far.before, far.own) == (1, 2)
    assert far.stands(work.marks.book)


def test_the_question_about_a_far_click_moves_it(segment: Start, shown: dict):
    book = PromptHistory().add_point(40.5, 60.5).add_point(140.5, 60.5, own_object=True)
    at = segment(book=book)
    opened(at).attached(FarClicks).last = FarClick(2, before=1, own=2)
    at.run()
    question = next(g for g in at.button_group if g.value == "New object" and "clicks" not in g.key)
    question.set_value("Same object").run()
    fine(at)
    assert [len(e.marks) for e in opened(at).marks.book.entries] == [2]


def test_a_reported_box_is_an_object_with_its_view(app: AppTest, model, shown: dict):
    box = {"n": 1, "kind": "box", "x": 20, "y": 10, "x1": 60, "y1": 40}
    at = reporting(app, "boxes", [box])
    work = opened(at)
    assert table(at)["area"].tolist() == [40 * 30]
    assert work.marks.book.entries[0].marks[0].view == work.image.overview


def test_picking_selects_what_is_under_the_mouse(app: AppTest, model, shown: dict):
    pick = {"n": 1, "kind": "pick", "x": 40, "y": 25, "label": 0}
    at = reporting(app, "select", [pick], book=TWO_BOXES)
    assert opened(at).marks.selected == {1}
    both = [pick, {"n": 2, "kind": "pick", "x": 110, "y": 60, "label": 1}]
    at = reporting(app, "select", both, book=TWO_BOXES)
    assert opened(at).marks.selected == {1, 2}
    beside = [*both, {"n": 3, "kind": "pick", "x": 5, "y": 100, "label": 0}]
    at = reporting(app, "select", beside, book=TWO_BOXES)
    assert opened(at).marks.selected == set()


def point(n: int, x: float, y: float, label: int = 1) -> dict:
    return {"n": n, "kind": "point", "x": x, "y": y, "label": label}


REPORTS = """
import streamlit as st
from pages.parts.shared import canvas
from pages.parts.shared import current_session
from pages.parts.shared import prompter as prompters
from rsam_core.render.style import OverlayStyle

work = current_session.current()
st.session_state["made-up"] = {"report": st.session_state["reported"]}
prompters.ready(work)
canvas._take("made-up")
found = work.objects
canvas.picture_canvas(work, found, OverlayStyle(), mode=st.session_state["mouse"])
from rsam_core.objects.measurements import measure
st.dataframe(measure(found, work.image.scene))
"""


def reporting(app: AppTest, mode: str, events: list[dict], **changes) -> AppTest:
    """A page with nothing but the canvas, which has just reported events."""
    at = AppTest.from_string(REPORTS, default_timeout=PATIENCE)
    work = current_session.load(plain(), "plain.png")
    arranged(work, **changes)
    put(at, work)
    at.session_state["mouse"] = mode
    at.session_state["reported"] = {
        "canvas": "test",
        "events": events,
        "viewport": {"x": 0, "y": 0, "scale": 4, "columns": 700, "rows": 500},
    }
    at.run()
    fine(at)
    assert opened(at).canvas.viewport == Viewport(0, 0, 4, 700, 500)
    return at


def test_objects_and_marks_survive_other_pages(segment: Start, shown: dict):
    at = segment(book=PromptHistory().add_point(40, 40).add_point(50, 40))
    at.selectbox(key="fill").select("One colour").run()
    before = table(at)
    for page in ("home", "models", "segment"):
        at.switch_page(f"pages/screens/{page}.py").run()
        fine(at)
    pd.testing.assert_frame_equal(table(at), before)
    assert len(shown["marks"]) == 2
    assert at.selectbox(key="fill").value == "One colour"
    click(at, "Undo")
    assert len(shown["marks"]) == 1
