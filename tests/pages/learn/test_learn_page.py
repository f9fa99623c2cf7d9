"""The frame of Learn: cards, addresses, next and back, projector, checks that stay done."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import rsam_core as rsam
from pages.parts.learn import lesson_view
from pages.parts.learn.stage import Stage
from rsam_core.errors import SceneError
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.session.session import Session
from tests.helpers.pages import fine, put, texts
from tests.helpers.rasters import tiff

PAGE = "pages/screens/learn.py"
FIRST = LESSONS[0]


class Part:
    """Stands for a lesson's part of the page: remembers its stage, reports what it is told to."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.report: Mapping[str, Any] = {}
        self.error: Exception | None = None

    def show(self, stage: Stage) -> Mapping[str, Any]:
        self.stages.append(stage)
        st.slider("Something to move", 0, 9, key=stage.name("move"))
        if self.error is not None:
            raise self.error
        return self.report


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Part:
    """In place of every lesson's own part, whose tests stand elsewhere."""
    made = Part()
    monkeypatch.setattr(lesson_view, "_part", lambda key: made)
    return made


@pytest.fixture
def page(app: AppTest) -> AppTest:
    """The page, not yet run."""
    return app.switch_page(PAGE)


def visit(page: AppTest, key: str) -> AppTest:
    """Follow a link to a lesson."""
    page.query_params["lesson"] = key
    page.run()
    return page


def heading(page: AppTest) -> str:
    return page.header[0].value


def styles(page: AppTest) -> str:
    """All style sheets and other HTML of the page."""
    return "\n".join(item.proto.body for item in page.get("html"))


def session() -> Session:
    noise = np.random.default_rng(1).integers(60, 200, (3, 120, 160), np.uint8)
    return Session(rsam.open_scene(tiff(noise), name="place.tif", examine=False).with_gsd(0.5))


def test_each_lesson_of_the_catalogue_has_a_card(page: AppTest):
    page.run()
    fine(page)
    cards = {b.key.removeprefix("open-"): b.label for b in page.button if "open-" in (b.key or "")}
    assert cards == {key: f"{lesson(key).number}. {lesson(key).title}" for key in LESSONS}
    for key in LESSONS:
        assert f"{lesson(key).question}  \n{lesson(key).minutes} minutes" in texts(page)


def test_a_card_opens_its_lesson_and_the_address_says_so(page: AppTest, part: Part):
    page.run()
    page.button(key=f"open-{FIRST}").click().run()
    fine(page)
    assert heading(page) == f"{lesson(FIRST).number}. {lesson(FIRST).title}"
    assert f"**{lesson(FIRST).question}**" in texts(page)
    assert page.query_params["lesson"] == FIRST
    page.button(key="learn-back").click().run()
    fine(page)
    assert "lesson" not in page.query_params
    assert page.button(key=f"open-{FIRST}")


@pytest.mark.parametrize("key", LESSONS)
def test_a_link_opens_each_lesson(page: AppTest, part: Part, key: str):
    visit(page, key)
    fine(page)
    assert heading(page) == f"{lesson(key).number}. {lesson(key).title}"
    assert part.stages[-1].key == key


def test_a_link_to_no_lesson_shows_all(page: AppTest):
    visit(page, "nothing")
    fine(page)
    assert page.button(key=f"open-{FIRST}")


def test_a_link_to_a_part_opens_it(page: AppTest):
    page.query_params["part"] = "teacher"
    page.run()
    fine(page)
    assert page.session_state["learn-part-choice"] == "teacher"
    assert "print on A4" in texts(page)


def test_next_leads_through_all_lessons(page: AppTest, part: Part):
    visit(page, FIRST)
    seen = [heading(page)]
    while any(b.key == "learn-next" for b in page.button):
        page.button(key="learn-next").click().run()
        fine(page)
        seen.append(heading(page))
        assert page.query_params["lesson"] == part.stages[-1].key
    assert seen == [f"{lesson(key).number}. {lesson(key).title}" for key in LESSONS]


def test_the_projector_makes_type_large_and_the_lesson_knows(page: AppTest, part: Part):
    visit(page, FIRST)
    assert not part.stages[-1].projector
    assert "font-size: 20px" not in styles(page)
    page.toggle(key="learn-projector").set_value(True).run()
    fine(page)
    assert part.stages[-1].projector
    assert "font-size: 20px" in styles(page)


def test_the_language_can_be_switched_within_a_lesson(page: AppTest, part: Part):
    visit(page, FIRST)
    page.selectbox(key="language-choice").select("fr").run()
    fine(page)
    assert page.session_state["language"] == "fr"
    assert part.stages[-1].key == FIRST
    assert page.selectbox(key="language-choice").value == "fr"


def test_the_open_image_is_used_only_where_somebody_wants_it(page: AppTest, part: Part):
    visit(page, FIRST)
    assert [t.key for t in page.toggle] == ["learn-projector"]
    put(page, session())
    page.run()
    assert part.stages[-1].own is None
    page.toggle(key="learn-own").set_value(True).run()
    fine(page)
    own = part.stages[-1].own
    assert (own.name, own.shape, own.gsd, own.own) == ("place.tif", (120, 160), 0.5, True)
    page.session_state["visit"].open(None)
    page.run()
    fine(page)
    assert part.stages[-1].own is None


def test_checks_stay_done_and_the_card_counts_them(page: AppTest, part: Part, monkeypatch):
    checks = lesson(FIRST).checks
    made = SimpleNamespace(checks=checks, done=lambda report: frozenset(report["done"]))
    monkeypatch.setattr(type(lesson(FIRST)), "done", lambda self, report: made.done(report))
    part.report = {"done": [checks[0].key]}
    visit(page, FIRST)
    fine(page)
    assert sum(":green[" in item.value for item in page.markdown) == 1
    part.report = {"done": [checks[1].key]}
    page.slider[0].set_value(3).run()
    assert sum(":green[" in item.value for item in page.markdown) == 2
    page.button(key="learn-back").click().run()
    assert "2 of 3 checks done" in texts(page)
    part.report = {"done": [checks[2].key]}
    page.button(key=f"open-{FIRST}").click().run()
    assert [note.value for note in page.success] == ["All three done. Well seen!"]


def test_what_a_lesson_cannot_do_is_said_and_the_rest_stays(page: AppTest, part: Part):
    part.error = SceneError("This image cannot be read. Open it again.")
    visit(page, FIRST)
    assert "This image cannot be read. Open it again." in [error.value for error in page.error]
    assert heading(page)
    # Its checks, none of which is done.
    assert sum(":gray[" in item.value for item in page.markdown) == 3
    part.error = None
    page.run()
    fine(page)
