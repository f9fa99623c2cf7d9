"""Lesson 7 on the page: sliders and drags move the mask, the numbers and the checks."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rsam_core.evaluate.learn.lessons import how_good
from tests.helpers.lessons import opened_lesson
from tests.helpers.pages import fine, texts


@pytest.fixture
def lesson(app: AppTest) -> AppTest:
    """The lesson, opened by its address."""
    return opened_lesson(app, "how_good")


def done(at: AppTest) -> set[str]:
    return at.session_state["learn-done-how_good"]


def test_numbers_follow_and_checks_become_done(lesson: AppTest) -> None:
    _, truth = how_good.playground()
    assert f"{truth.sum():,} TP · 0 FP · 0 FN" in texts(lesson)
    assert done(lesson) == set()

    lesson.slider(key="learn-how_good-dx").set_value(9).run()
    fine(lesson)
    kept = np.count_nonzero(truth[:, :-9] & truth[:, 9:])
    lost = truth.sum() - kept
    assert f"{kept:,} TP · {lost:,} FP · {lost:,} FN" in texts(lesson)

    lesson.slider(key="learn-how_good-grow").set_value(12).run()
    fine(lesson)
    assert "all" in done(lesson)
    lesson.slider(key="learn-how_good-grow").set_value(0)
    lesson.slider(key="learn-how_good-dx").set_value(16)
    lesson.select_slider(key="learn-how_good-around").set_value(5.0).run()
    fine(lesson)
    assert {"all", "flattered"} <= done(lesson)
