"""Every lesson of the catalogue: checks, plan, worksheet, cover, and all texts marked."""

from __future__ import annotations

import gettext
import io
import re
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image

from rsam_core.errors import RsamError
from rsam_core.evaluate.learn import covers
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.evaluate.learn.lesson import Lesson, Task
from rsam_core.runtime import language
from rsam_core.runtime.catalogs import collect

SIGN = "¿"
"""Stands before each translation below."""


class Marked(gettext.NullTranslations):
    """A language that is English with a sign before each message."""

    def gettext(self, message: str) -> str:
        return SIGN + message

    def ngettext(self, one: str, many: str, count: int) -> str:
        return SIGN + (one if count == 1 else many)


@lru_cache(maxsize=len(LESSONS))
def tasks(key: str) -> tuple[Task, ...]:
    """The worksheet of a lesson, in that language."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "_catalog", lambda code: Marked())
        return lesson(key).worksheet()


@lru_cache(maxsize=1)
def messages() -> frozenset[str]:
    return frozenset(message.id for message in collect() if isinstance(message.id, str))


def texts(chosen: Lesson) -> list[str]:
    """All that a lesson says about itself."""
    plan = chosen.plan
    checks = [text for check in chosen.checks for text in (check.task, check.hint)]
    return [
        chosen.title, chosen.question, *checks, *chosen.simplifies, *plan.goals, *plan.needs,
        *(step.text for step in plan.steps), *plan.talk,
    ]  # fmt: skip


def test_numbers_and_keys_are_those_of_the_catalogue() -> None:
    assert [lesson(key).key for key in LESSONS] == list(LESSONS)
    numbers = [lesson(key).number for key in LESSONS]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(1, 10))


def test_a_lesson_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(RsamError, match="how_good"):
        lesson("nothing")


@pytest.mark.parametrize("key", LESSONS)
def test_three_checks_are_open_before_anything_is_done(key: str) -> None:
    checks = lesson(key).checks
    assert len({check.key for check in checks}) == len(checks) == 3
    assert lesson(key).done({}) == frozenset()
    assert all(check.hint for check in checks)


@pytest.mark.parametrize("key", LESSONS)
def test_the_plan_fills_an_hour_of_school(key: str) -> None:
    chosen = lesson(key)
    assert 5 <= chosen.minutes <= 10
    assert 30 <= chosen.plan.minutes <= 60
    assert all(step.minutes > 0 for step in chosen.plan.steps)
    assert len(chosen.plan.goals) >= 2
    assert chosen.plan.talk
    assert chosen.simplifies


@pytest.mark.parametrize("key", LESSONS)
def test_all_texts_are_marked_for_translation(key: str) -> None:
    missing = [text for text in texts(lesson(key)) if text and text not in messages()]
    assert missing == []


@pytest.mark.parametrize("key", LESSONS)
def test_the_worksheet_asks_and_answers_in_the_language_in_use(key: str) -> None:
    given = tasks(key)
    assert 3 <= len(given) <= 5
    for task in given:
        for text in (task.question, task.answer, task.caption):
            # Numbers and formulas are the same in all languages.
            if re.search(r"[a-z]{3}", text):
                assert SIGN in text, text
            assert "{" not in text
        assert task.question
        assert task.answer
        assert task.lines >= 1
    # In another language it says something else: what is computed may be kept, the texts not.
    assert SIGN not in " ".join(task.question for task in lesson(key).worksheet())


@pytest.mark.parametrize("key", LESSONS)
def test_pictures_of_the_worksheet_say_what_they_show(key: str) -> None:
    for task in tasks(key):
        if task.picture is not None:
            assert task.picture.dtype == np.uint8
            assert task.picture.ndim == 3
            assert task.picture.shape[2] == 3
            assert task.picture.std() > 5
            assert len(task.caption) > 10


@pytest.mark.parametrize("key", LESSONS)
def test_the_cover_is_a_picture_of_its_size_and_the_file_shows_it(key: str) -> None:
    cover = lesson(key).cover()
    assert cover.shape == (240, 400, 3)
    assert cover.dtype == np.uint8
    assert cover.std() > 10
    kept = np.asarray(Image.open(io.BytesIO(covers.cover(key))), float)
    # JPEG alone differs by 3 or so; another picture by 30 and more.
    assert np.abs(kept - cover).mean() < 8


def test_each_cover_lies_there_as_a_file() -> None:
    assert {path.stem for path in covers.FOLDER.glob("*.jpg")} == set(LESSONS)
    assert all(covers.cover(key).startswith(b"\xff\xd8") for key in LESSONS)


def test_a_cover_without_a_file_is_drawn(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(covers, "FOLDER", tmp_path)
    assert covers.cover("how_good") == covers.drawn("how_good")
    with pytest.raises(RsamError):
        covers.cover("nothing")
