"""Lesson 8 on the page: sliders move the numbers, and checks become done."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.evaluate.learn.test_square_metres import mercator_ratio, staircase
from tests.helpers.lessons import opened_lesson
from tests.helpers.pages import fine


@pytest.fixture
def lesson(app: AppTest) -> AppTest:
    """The lesson, opened by its address."""
    return opened_lesson(app, "square_metres")


def experiment(at: AppTest, key: str) -> None:
    """Go to a part of the lesson."""
    at.button_group(key="learn-square_metres-experiment").set_value(key)
    at.run()
    fine(at)


def done(at: AppTest) -> set[str]:
    """Checks that are done."""
    return at.session_state["learn-done-square_metres"]


def test_each_experiment_answers_its_check(lesson: AppTest) -> None:
    lesson.slider(key="learn-square_metres-error").set_value(41).run()
    fine(lesson)
    assert done(lesson) == {"double"}

    experiment(lesson, "maps")
    lesson.slider(key="learn-square_metres-latitude").set_value(60).run()
    fine(lesson)
    shown = lesson.metric[0]
    assert float(shown.value.removesuffix(" m²").replace(",", "")) == pytest.approx(
        7140 * mercator_ratio(60), rel=1e-4
    )
    assert done(lesson) == {"double", "four"}

    experiment(lesson, "stairs")
    lesson.slider(key="learn-square_metres-angle").set_value(45)
    lesson.select_slider(key="learn-square_metres-pixel").set_value(0.5).run()
    fine(lesson)
    shown = {metric.label: metric.value for metric in lesson.metric}
    assert shown["Pixel edges"] == f"{staircase(45, 0.5):.1f} m"
    assert done(lesson) == {"double", "four", "stairs"}
    assert any("All three" in message.value for message in lesson.success)
