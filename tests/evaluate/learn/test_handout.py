"""What is printed for a lesson: all texts of it, answers apart, pictures, the language."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from html import unescape

import numpy as np
import pypdfium2
import pytest

from rsam_core.errors import Cancelled, RsamError
from rsam_core.evaluate.learn import handout
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.own_sheet import tasks_on
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.runtime.language import speaking

PICTURE = np.tile(np.uint8([[40], [160], [90]]), (20, 60, 3))
TASKS = (
    Task("Question one?", "Answer one.", PICTURE, "A striped picture"),
    Task("Question two?", "Answer two."),
)


@pytest.fixture
def made() -> Lesson:
    """A lesson with little in it."""
    return Lesson(
        "made_up", 3, "Made up", "Why?", 6,
        (Check("a", "Do this.", lambda report: report["a"], "Try that."),),
        ("Something is simple.",),
        Plan(("Know it.",), (Step(10, "Begin."), Step(35, "Go on."))),
        lambda: TASKS, lambda: PICTURE,
    )  # fmt: skip


def pages(content: bytes) -> list[str]:
    """The text of each page of a PDF, in one line."""
    document = pypdfium2.PdfDocument(content)
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def test_a_plan_holds_all_that_the_lesson_says(made: Lesson) -> None:
    plan = handout.lesson_plan(made)
    (text,) = pages(plan.pdf())
    page = unescape(plan.html().decode())
    wanted = ("3. Made up", "Why?", "Know it.", "Do this.", "Try that.", "Something is simple.",
              "45 minutes", "page Learn, lesson 3")  # fmt: skip
    for words in wanted:
        assert words in text, words
        assert words in page, words
    # The steps say from when to when.
    assert "0–10 Begin. 10–45 Go on." in text
    assert "To talk about" not in page
    assert plan.stem == "3-made-up-plan"


def test_answers_stand_on_a_page_of_their_own(made: Lesson) -> None:
    sheet = handout.worksheet(made)
    first, second = pages(sheet.pdf())
    for words in ("Name", "Date", "Question one?", "Question two?", "A striped picture"):
        assert words in first, words
        assert words not in second, words
    for words in ("Answer one.", "Answer two."):
        assert words in second, words
        assert words not in first, words
    assert all("RSAM · 3. Made up" in page for page in (first, second))
    before, after = sheet.html().decode().split('<div class="page-break">')
    assert before.count('<div class="lines">') == 2
    assert before.count("data:image/jpeg") == 1
    assert "Answer one." in after


def test_wide_pictures_stand_alone_and_others_leave_room_for_lines(made: Lesson) -> None:
    def shown(high: int, wide: int) -> str:
        tasks = (Task("Q?", "A.", np.zeros((high, wide, 3), np.uint8), "A picture"),)
        return handout.worksheet(replace(made, worksheet=lambda: tasks)).html().decode()

    # 100 mm across at most beside lines, 55 mm high at most; 150 mm alone.
    assert '<div class="beside">' in shown(50, 100)
    assert "height:50mm" in shown(50, 100)
    assert "height:55mm" in shown(100, 100)
    assert '<div class="beside">' not in shown(20, 100)
    assert "height:30mm" in shown(20, 100)


def test_each_lesson_can_be_printed() -> None:
    for key in LESSONS:
        for sheet in (handout.lesson_plan(lesson(key)), handout.worksheet(lesson(key))):
            assert len(pages(sheet.pdf())) <= 4, sheet.stem


def test_the_overview_names_each_lesson_with_its_goals() -> None:
    text = " ".join(pages(handout.overview().pdf()))
    for key in LESSONS:
        chosen = lesson(key)
        for words in (chosen.title, *chosen.plan.goals):
            assert " ".join(words.split()) in text, words


def test_all_come_as_one_zip_in_their_language(monkeypatch, made: Lesson) -> None:
    monkeypatch.setattr(handout, "LESSONS", ("made_up",))
    monkeypatch.setattr(handout, "lesson", lambda key: made)
    told: list[float] = []
    with speaking("fr"):
        content = handout.everything(progress=lambda share, text: told.append(share))
    archive = zipfile.ZipFile(io.BytesIO(content))
    stems = ("overview", "3-made-up-plan", "3-made-up-worksheet")
    assert sorted(archive.namelist()) == sorted(f"{s}.{e}" for s in stems for e in ("html", "pdf"))
    assert told == pytest.approx([0, 1 / 3, 2 / 3])
    for name in archive.namelist():
        assert archive.read(name).startswith(b"%PDF-" if name.endswith("pdf") else b"<!DOCTYPE")
    assert b'<html lang="fr"' in archive.read("overview.html")


def test_stopping_ends_the_zip() -> None:
    with pytest.raises(Cancelled):
        handout.everything(cancelled=lambda: True)


def test_an_unusable_picture_is_said(made: Lesson) -> None:
    broken = replace(made, worksheet=lambda: (Task("Q?", "A.", np.zeros((0, 4, 3), np.uint8)),))
    with pytest.raises(RsamError, match="three colours"):
        handout.worksheet(broken)


def subject(**changes: object) -> Subject:
    return Subject("k", "place.tif", np.zeros((200, 400, 3), np.uint8), own=True, **changes)


def test_a_sheet_on_an_image_computes_its_size() -> None:
    land, car, outlines = tasks_on(subject(gsd=0.5))
    assert "A pixel of this picture is 0.5 m wide" in land.question
    # 400 × 0.5 = 200 m, 200 × 0.5 = 100 m: two hectares.
    for words in ("200.0 m", "100.0 m", "2.00 hectares"):
        assert words in land.answer
    # 4.5 / 0.5 = 9 and 1.8 / 0.5 = 3.6.
    for words in ("9.0 × 3.6 pixels", "32.4 in all"):
        assert words in car.answer
    assert land.picture is not None
    assert outlines.lines == 3


@pytest.mark.parametrize(("gsd", "said"), [(10.0, "10"), (0.3, "0.3"), (0.149, "0.149")])
def test_the_size_of_a_pixel_is_said_as_short_as_it_can_be(gsd: float, said: str) -> None:
    assert f"is {said} m wide" in tasks_on(subject(gsd=gsd))[0].question


def test_a_sheet_on_an_image_without_scale_asks_for_it() -> None:
    scale, _ = tasks_on(subject())
    assert "does not say" in scale.question


def test_plants_are_counted_where_near_infrared_is_there() -> None:
    bands = np.zeros((200, 400, 2), np.float32)
    bands[..., 1] = 100
    # (200 - 100) / 300 = 0.33 in a quarter of the picture, 0 elsewhere, nothing in a row.
    bands[..., 0] = 100
    bands[:50, :, 0] = 200
    bands[199] = 0
    plants = tasks_on(subject(gsd=0.5, bands=bands, nir=0, red=1))[2]
    assert plants.answer.startswith("25%")
