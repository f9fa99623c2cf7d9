"""Segment, the outline under the pointer: what the canvas is sent, and what a click on it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session
from rsam_core.objects.instance import Instance
from rsam_core.prompts.history import PromptHistory
from rsam_core.render.proposal_outlines import encode_outlines
from rsam_core.scene.coordinates import Frame
from rsam_core.session.session import Session
from tests.helpers.pages import TWO_BOXES, arranged, fine, opened, plain, put, table, texts
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]


def rectangle(x: int, y: int, width: int, height: int) -> Instance:
    return Instance(np.ones((height, width), bool), x, y, 0.8)


PROPOSALS = [rectangle(5, 70, 30, 20), rectangle(60, 80, 40, 25), rectangle(65, 85, 10, 10)]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, shown: dict) -> list[Frame]:
    """Let each view have these proposals; the views that were asked for."""
    from pages.parts.segment import hovering

    asked: list[Frame] = []

    def proposals(session: Session, view: Frame) -> Sequence[Instance]:
        asked.append(view)
        return PROPOSALS

    monkeypatch.setattr(hovering, "proposals_for", proposals)
    return asked


def test_without_proposals_the_canvas_is_as_ever(segment: Start, shown: dict):
    segment()
    assert (shown["proposals"], shown["rests"], shown["answer"]) == (None, False, None)


def test_the_canvas_gets_the_proposals_of_the_view(segment: Start, shown: dict, offered):
    at = segment()
    proposed = shown["proposals"]
    assert offered[-1] == opened(at).image.view
    assert proposed["url"].endswith(".bin"), "a file of its own, fetched once"
    assert proposed["key"] == encode_outlines(PROPOSALS).key
    assert (proposed["taken"], proposed["current"]) == ([], None)
    assert shown["rests"]
    at.button_group(key="mode").set_value("Boxes").run()
    assert shown["proposals"] is None
    fine(at)


REPORTS = """
import streamlit as st
from pages.parts.segment.hovering import hovering
from pages.parts.shared import canvas
from pages.parts.shared import current_session
from pages.parts.shared import prompter as prompters
from rsam_core.objects.measurements import measure
from rsam_core.render.style import OverlayStyle

work = current_session.current()
prompters.ready(work)
hovering(work, work.objects, "points")
st.session_state["made-up"] = {"report": st.session_state["reported"]}
canvas._take("made-up", None, hovering(work, work.objects, "points"))
found = work.objects
canvas.picture_canvas(
    work, found, OverlayStyle(), mode="points", hovering=hovering(work, found, "points")
)
st.dataframe(measure(found, work.image.scene))
"""


def reporting(events: list[dict], **changes) -> AppTest:
    """A page with nothing but the canvas, which has just reported events."""
    at = AppTest.from_string(REPORTS, default_timeout=PATIENCE)
    work = arranged(current_session.load(plain(), "plain.png"), **changes)
    put(at, work)
    again(at, events)
    return at


def again(at: AppTest, events: list[dict]) -> None:
    at.session_state["reported"] = {"canvas": "test", "events": events}
    at.run()
    fine(at)


def take(n: int, proposal: int, key: str, x: float = 80, y: float = 90) -> dict:
    return {"n": n, "kind": "take", "x": x, "y": y, "of": key, "proposal": proposal}


def test_a_click_makes_the_proposal_an_object(app: AppTest, model, shown: dict, offered):
    at = reporting([], book=TWO_BOXES)
    key = shown["proposals"]["key"]
    again(at, [take(1, 1, key)])
    session = opened(at)
    [entry] = [e for e in session.marks.book.entries if e.id == session.marks.book.current]
    assert [(m.kind, m.x, m.y, m.label) for m in entry.marks] == [("point", 80, 90, 1)]
    item = session.objects.get(entry.id)
    assert (item.bbox, item.area, item.score) == (PROPOSALS[1].bbox, 40 * 25, 0.8)
    assert len(session.objects) == 3, "the others stay"
    # It is not offered again, and clicks in it refine it.
    assert (shown["proposals"]["taken"], shown["proposals"]["current"]) == ([1], 1)
    assert table(at)["area"].tolist()[-1] == 1000
    session.update(PromptHistory.undo)
    assert len(session.objects) == 2
    session.update(PromptHistory.redo)
    assert session.objects.get(entry.id).area == 1000


def test_each_click_on_a_proposal_is_an_object_of_its_own(app: AppTest, model, shown, offered):
    at = reporting([])
    key = shown["proposals"]["key"]
    again(at, [take(1, 0, key, 10, 75), take(2, 2, key, 70, 90)])
    assert sorted(opened(at).objects.areas.tolist()) == [100, 600]
    assert sorted(shown["proposals"]["taken"]) == [0, 2]


def test_a_further_click_refines(app: AppTest, model, shown: dict, offered):
    at = reporting([])
    again(at, [take(1, 1, shown["proposals"]["key"])])
    again(at, [{"n": 2, "kind": "point", "x": 62, "y": 82, "label": 1}])
    [entry] = opened(at).marks.book.entries
    assert len(entry.marks) == 2


@pytest.mark.parametrize(("key", "proposal"), [("unknown", 0), (None, 99)])
def test_a_proposal_that_is_not_known_any_more_is_a_click(
    app: AppTest, model, shown: dict, offered, key: str | None, proposal: int
):
    at = reporting([])
    again(at, [take(1, proposal, key or shown["proposals"]["key"])])
    [entry] = opened(at).marks.book.entries
    assert [(m.kind, m.x, m.y) for m in entry.marks] == [("point", 80, 90)]
    assert len(opened(at).objects) == 1


def test_the_model_answers_where_the_pointer_rests(app: AppTest, model, shown: dict, offered):
    at = reporting([])
    assert shown["answer"] is None
    again(at, [{"n": 1, "kind": "hover", "x": 130, "y": 30}])
    assert opened(at).marks.book.entries == (), "nothing was done"
    key = shown["answer"]["key"]
    assert key != shown["proposals"]["key"]
    again(at, [take(2, 0, key, 131, 30)])
    assert len(opened(at).marks.book.entries) == 1
    [item] = opened(at).objects
    assert item.mask[30 - item.y, 130 - item.x], "it is what lies under the pointer"


def test_proposals_are_looked_for_in_the_background(
    segment: Start, model, shown: dict, monkeypatch: pytest.MonkeyPatch
):
    from pages.parts.segment import hovering

    looked: list[Frame] = []
    ready = threading.Event()

    def look_for(small, image, view, *, progress, cancelled):
        looked.append(view)
        assert ready.wait(PATIENCE)
        return PROPOSALS

    monkeypatch.setattr(hovering, "look_for", look_for)
    at = segment()
    at.toggle(key=hovering.SWITCH).set_value(True).run()
    assert looked == [], "this model proposes nothing"
    monkeypatch.setattr(type(model), "proposes", True)
    at.toggle(key=hovering.SWITCH).set_value(False).run()
    assert looked == [], "nobody asked for it"
    at.toggle(key=hovering.SWITCH).set_value(True).run()
    at.run()
    assert shown["proposals"] is None, "the page does not wait"
    ready.set()
    session = opened(at)
    assert session.jobs.get(hovering.JOB).wait(PATIENCE)
    at.run()
    assert shown["proposals"]["key"] == encode_outlines(PROPOSALS).key
    at.run()
    assert looked == [session.image.view], "each view is looked at once"
    fine(at)


def test_a_taken_proposal_is_not_said_to_be_one_of_the_models_answers(segment: Start, shown: dict):
    at = segment(book=PromptHistory().add_point(80, 90, 1))
    session = opened(at)
    [entry] = session.marks.book.entries
    [choice] = [group for group in at.button_group if str(group.key).startswith("choice-")]
    assert choice.value == [0]
    mine = rectangle(60, 80, 40, 25)
    session.answers.set_masks({entry: mine})
    # What was made known counts from the next change of the book.
    session.update(lambda book: book.step("look again"))
    at.run()
    [choice] = [group for group in at.button_group if str(group.key).startswith("choice-")]
    assert choice.value == []
    assert "none of these" in texts(at)
    choice.set_value([1]).run()
    fine(at)
    [choice] = [group for group in at.button_group if str(group.key).startswith("choice-")]
    assert choice.value == [1]
    assert "none of these" not in texts(at)
