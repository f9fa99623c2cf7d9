"""For the teacher: plans and worksheets in one language, all as a zip, an image that is gone."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import rsam_core as rsam
from pages.parts.learn import teacher
from rsam_core.errors import RsamError
from rsam_core.evaluate.learn import handout
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.runtime.language import speaking
from rsam_core.session.session import Session
from rsam_core.session.visit import Visit
from tests.helpers.pages import fine, put, texts, wait_for
from tests.helpers.rasters import tiff

PAGE = "pages/screens/learn.py"


def session(name: str = "place.tif") -> Session:
    noise = np.random.default_rng(1).integers(60, 200, (3, 120, 160), np.uint8)
    return Session(rsam.open_scene(tiff(noise), name=name, examine=False).with_gsd(0.5))


@pytest.fixture
def page(app: AppTest) -> AppTest:
    """The part, not yet run."""
    app.query_params["part"] = "teacher"
    return app.switch_page(PAGE)


def test_each_lesson_has_its_goals_and_four_files(page: AppTest):
    page.run()
    fine(page)
    said = texts(page)
    for key in LESSONS:
        chosen = lesson(key)
        assert all(goal in said for goal in chosen.plan.goals)
        assert f"{chosen.plan.minutes} minutes in class" in said
        for kind in ("plan", "sheet"):
            labels = [page.get_by_key(f"{kind}-{key}-{form}").label for form in ("pdf", "html")]
            assert [label.split(", ")[1] for label in labels] == ["PDF", "HTML"]
    assert "Open an image" in said


def test_all_is_made_in_the_background_and_stays_in_its_language(page: AppTest, monkeypatch):
    monkeypatch.setattr(handout, "LESSONS", ("how_good",))
    page.run()
    page.button(key="make-handouts").click().run()
    wait_for(page.session_state["visit"].jobs, teacher.JOB)
    page.run()
    fine(page)
    language, content = page.session_state["learn-zip"]
    assert language == "en"
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert "7-how-good-worksheet.pdf" in names
    assert page.get_by_key("handouts-zip").label == "Save all (zip)"
    page.selectbox(key="language-choice").select("vi").run()
    fine(page)
    assert [b.key for b in page.button if b.key == "make-handouts"] == ["make-handouts"]


def test_a_worksheet_on_the_open_image(page: AppTest):
    put(page, session("<b>place</b>.tif"))
    page.run()
    fine(page)
    assert page.get_by_key("sheet-own-pdf").label == "Worksheet, PDF"
    assert r"\<b\>place" in texts(page)


def test_an_image_that_is_gone_is_said_in_the_language_in_use():
    visit, made = Visit(), session()
    visit.open(made)
    assert "160 × 120" in teacher.own_worksheet(visit, made).html().decode()
    visit.open(session("other.tif"))
    with pytest.raises(RsamError, match=r"“place\.tif” is no longer open.*Open it again"):
        teacher.own_worksheet(visit, made)


def test_files_speak_the_language_of_the_page_not_of_the_thread(monkeypatch):
    """Streamlit makes them in a thread that belongs to no browser."""
    made = {}

    def offer(title, make, name, *rest, **more):
        made[name] = make

    monkeypatch.setattr(teacher.downloads, "offer", offer)
    with speaking("vi"):
        teacher._print("Plan", "k", "s", lambda: handout.lesson_plan(lesson("how_good")))
    assert set(made) == {"s-vi.pdf", "s-vi.html"}
    assert b'<html lang="vi"' in made["s-vi.html"]()
