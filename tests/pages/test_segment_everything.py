"""Segment, everything mode: found in the background, chosen by sliders, removed and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from helpers_models import disc
from helpers_pages import HEIGHT, WIDTH, fine, table, texts
from streamlit.testing.v1 import AppTest

from rsam_core.errors import ModelError
from rsam_core.promptbook import Book

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]


def end_of_job(at: AppTest) -> None:
    """Wait for the automatic mode, which may be quicker than the page."""
    job = at.session_state["workspace"].job
    assert job is None or job.wait(30)
    at.run()
    assert at.session_state["workspace"].job is None


def scored_by_column(model) -> None:
    """Each grid point finds a disc of radius 10 whose score grows from left to right."""
    boxes = model.answer

    def answer(prompt, multimask):
        if prompt.box is not None:
            return boxes(prompt, multimask)
        x, y = prompt.points[0]
        return [disc((HEIGHT, WIDTH), x, y, 10)], [0.45 + 0.4 * x / WIDTH]

    model.answer = answer


def test_everything_finds_objects_and_thresholds_act_without_decoding(segment: Start, model):
    scored_by_column(model)
    at = segment(book=Book().add_box(0, 0, 8, 8))
    at.button_group(key="mode").set_value("Everything").run()
    at.select_slider(key="density").set_value("Coarse").run()
    fine(at)
    assert "6 points" in texts(at), "3 columns of 2 points, 48 pixels apart"
    at.button(key="find-everything").click().run()
    end_of_job(at)
    fine(at)
    # Columns at x = 26.7, 80 and 133.3 score 0.52, 0.65 and 0.78; the default asks for 0.55.
    found = table(at)
    assert found["source"].tolist() == ["box", *["everything"] * 4]
    assert found["id"].is_unique
    calls = len(model.calls)
    quality = next(s for s in at.slider if s.label == "Minimum quality")
    quality.set_value(0.5).run()
    assert len(table(at)) == 1 + 6
    quality = next(s for s in at.slider if s.label == "Minimum quality")
    quality.set_value(0.75).run()
    assert len(table(at)) == 1 + 2
    assert len(model.calls) == calls, "a slider must not decode again"
    # The slider stays where it was after other modes and pages.
    at.button_group(key="mode").set_value("Points").run()
    assert len(table(at)) == 1 + 2
    at.switch_page("pages/home.py").run()
    at.switch_page("pages/segment.py").run()
    at.button_group(key="mode").set_value("Everything").run()
    assert next(s for s in at.slider if s.label == "Minimum quality").value == 0.75
    assert len(table(at)) == 1 + 2
    at.button(key="drop-everything").click().run()
    fine(at)
    assert table(at)["source"].tolist() == ["box"]


def test_a_removed_object_stays_removed_and_others_stay(segment: Start, model):
    scored_by_column(model)
    at = segment()
    at.button_group(key="mode").set_value("Everything").run()
    at.select_slider(key="density").set_value("Coarse").run()
    at.button(key="find-everything").click().run()
    end_of_job(at)
    fine(at)
    places = set(zip(table(at)["bbox_x"], table(at)["bbox_y"]))
    first = (table(at)["bbox_x"].iloc[0], table(at)["bbox_y"].iloc[0])
    at.session_state["workspace"].selected = frozenset({int(table(at)["id"].iloc[0])})
    at.run()
    next(b for b in at.button if b.label == "Remove selected (1)").click().run()
    fine(at)
    assert set(zip(table(at)["bbox_x"], table(at)["bbox_y"])) == places - {first}
    next(s for s in at.slider if s.label == "Minimum quality").set_value(0.5).run()
    assert first not in set(zip(table(at)["bbox_x"], table(at)["bbox_y"]))
    work = at.session_state["workspace"]
    work.book = work.book.undo()
    at.run()
    assert first in set(zip(table(at)["bbox_x"], table(at)["bbox_y"]))


def test_numbers_of_automatic_objects_stay_when_one_is_prompted(segment: Start, model):
    scored_by_column(model)
    at = segment(book=Book().add_box(0, 0, 8, 8))
    at.button_group(key="mode").set_value("Everything").run()
    at.select_slider(key="density").set_value("Coarse").run()
    at.button(key="find-everything").click().run()
    end_of_job(at)
    fine(at)
    before = table(at).set_index(["bbox_x", "bbox_y"])["id"].to_dict()
    work = at.session_state["workspace"]
    work.book = work.book.add_box(60, 90, 75, 105)
    after = table(at.run()).set_index(["bbox_x", "bbox_y"])["id"].to_dict()
    assert {place: after[place] for place in before} == before
    assert sorted(after.values()) == [1, 2, 3, 4, 5, 6]


def test_stopping_keeps_what_was_found(segment: Start, model, monkeypatch):
    scored_by_column(model)
    at = segment()
    at.button_group(key="mode").set_value("Everything").run()
    at.select_slider(key="density").set_value("Very fine").run()
    go_on, plain_answer = threading.Event(), model.answer

    def slow(prompt, multimask):
        if len(model.calls) > 40:
            go_on.wait(20)
        return plain_answer(prompt, multimask)

    model.answer = slow
    at.button(key="find-everything").click().run()
    at.button(key="stop-everything").click().run()
    go_on.set()
    end_of_job(at)
    fine(at)
    work = at.session_state["workspace"]
    state = work.automatic.state
    assert not state.complete
    assert f"Stopped after {state.points} points" in texts(at)
    assert 0 < state.points < 99
    assert len(table(at)) > 0


def test_a_failure_in_the_background_is_one_message(segment: Start, model):
    at = segment()
    at.button_group(key="mode").set_value("Everything").run()

    def broken(prompt, multimask):
        raise ModelError("The model's file was removed. Download it again.")

    model.answer = broken
    at.button(key="find-everything").click().run()
    end_of_job(at)
    assert not at.exception
    assert [error.value for error in at.error] == [
        "The model's file was removed. Download it again."
    ]
    scored_by_column(model)
    at.button(key="find-everything").click().run()
    end_of_job(at)
    fine(at)
    assert len(table(at)) > 0
