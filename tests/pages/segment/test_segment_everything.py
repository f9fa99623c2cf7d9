"""Segment, everything mode: found in the background, chosen by sliders, removed and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import resources
from rsam_core.errors import ModelError
from rsam_core.models import weights
from rsam_core.prompts.history import PromptHistory
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, disc
from tests.helpers.pages import HEIGHT, WIDTH, fine, opened, table, texts
from tests.helpers.waiting import PATIENCE, until

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]


def end_of_job(at: AppTest) -> None:
    """Wait for the automatic mode, which may be quicker than the page."""
    job = opened(at).search.job
    assert job is None or job.wait(PATIENCE)
    at.run()
    assert opened(at).search.job is None


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
    at = segment(book=PromptHistory().add_box(0, 0, 8, 8))
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
    quality.set_value(1.0).run()
    assert "No outline passes" in texts(at)
    quality = next(s for s in at.slider if s.label == "Minimum quality")
    quality.set_value(0.75).run()
    assert "No outline passes" not in texts(at)
    assert len(table(at)) == 1 + 2
    assert len(model.calls) == calls, "a slider must not decode again"
    # The slider stays where it was after other modes and pages.
    at.button_group(key="mode").set_value("Points").run()
    assert len(table(at)) == 1 + 2
    at.switch_page("pages/screens/home.py").run()
    at.switch_page("pages/screens/segment.py").run()
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
    opened(at).marks.select({int(table(at)["id"].iloc[0])})
    at.run()
    next(b for b in at.button if b.label == "Remove selected (1)").click().run()
    fine(at)
    assert set(zip(table(at)["bbox_x"], table(at)["bbox_y"])) == places - {first}
    next(s for s in at.slider if s.label == "Minimum quality").set_value(0.5).run()
    assert first not in set(zip(table(at)["bbox_x"], table(at)["bbox_y"]))
    work = opened(at)
    work.update(lambda book: book.undo())
    at.run()
    assert first in set(zip(table(at)["bbox_x"], table(at)["bbox_y"]))


def test_numbers_of_automatic_objects_stay_when_one_is_prompted(segment: Start, model):
    scored_by_column(model)
    at = segment(book=PromptHistory().add_box(0, 0, 8, 8))
    at.button_group(key="mode").set_value("Everything").run()
    at.select_slider(key="density").set_value("Coarse").run()
    at.button(key="find-everything").click().run()
    end_of_job(at)
    fine(at)
    before = table(at).set_index(["bbox_x", "bbox_y"])["id"].to_dict()
    work = opened(at)
    work.update(lambda book: book.add_box(60, 90, 75, 105))
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
            go_on.wait(PATIENCE)
        return plain_answer(prompt, multimask)

    model.answer = slow
    at.button(key="find-everything").click().run()
    # Stopped before it has begun it would find nothing.
    until(lambda: len(model.calls) > 40)
    at.button(key="stop-everything").click().run()
    go_on.set()
    end_of_job(at)
    fine(at)
    work = opened(at)
    state = work.marks.automatic.state
    assert not state.complete
    assert f"Stopped after {state.points} places" in texts(at)
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


def test_a_large_model_may_outline_only_what_the_small_one_finds(
    segment: Start, model, monkeypatch
):
    scored_by_column(model)

    def below_the_diagonal(prompt, multimask):
        if prompt.box is None:
            return [disc((HEIGHT, WIDTH), *prompt.points[0], 3)], [0.95]
        x0, y0, x1, y1 = (int(v) for v in prompt.box)
        mask = np.zeros((HEIGHT, WIDTH), bool)
        rows, columns = np.indices((y1 - y0, x1 - x0))
        mask[y0:y1, x0:x1] = columns <= rows
        return [mask], [0.95]

    large = FakeModel(below_the_diagonal, "sam-vit-b")
    both = {"rsam-tiny": Segmenter(model), "sam-vit-b": Segmenter(large)}
    monkeypatch.setattr(weights, "state", lambda info: "ready")
    monkeypatch.setattr(resources, "segmenter", both.__getitem__)
    monkeypatch.setattr(resources, "embed", lambda image, key: both[key[1]].embed(image))
    at = segment()
    at.button_group(key="mode").set_value("Everything").run()
    at.select_slider(key="density").set_value("Coarse").run()
    assert "everything-quick" not in [t.key for t in at.toggle]
    at.session_state["model_name"] = "sam-vit-b"
    at.run()
    fine(at)
    assert "6 points, about" in texts(at)
    at.toggle(key="everything-quick").set_value(True).run()
    fine(at)
    assert "6 points, at most" in texts(at)
    large.calls.clear()
    at.button(key="find-everything").click().run()
    end_of_job(at)
    fine(at)
    # Discs of the small model at x = 26.7, 80 and 133.3; those at 26.7 score below its 0.55.
    assert [call.prompt.points.size for call in large.calls] == [0] * 4
    boxes = {tuple(call.prompt.box) for call in large.calls}
    assert {box[0] for box in boxes} == {70, 123}
    # The fake's stability of 0.9 is below what is asked of large models.
    next(s for s in at.slider if s.label == "Minimum firmness").set_value(0.85).run()
    assert sorted(table(at)["area"]) == [20 * 21 / 2] * 4
