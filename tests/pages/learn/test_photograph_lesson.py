"""Lesson 4 on the page: sliders move the numbers, clicks are named, checks become done."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.learn.lessons.photograph_clicked import _pace
from rsam_core.evaluate.learn.asking import Marks
from rsam_core.evaluate.learn.lessons import photograph_pair as pair
from rsam_core.evaluate.learn.lessons import photograph_view as view
from tests.helpers.pages import fine

PREFIX = "learn-photograph-"


@pytest.fixture
def lesson(app: AppTest) -> AppTest:
    """The lesson, opened by its address."""
    app.query_params["lesson"] = "photograph"
    app.run()
    app.switch_page("pages/screens/learn.py").run()
    fine(app)
    return app


def row(at: AppTest, key: str) -> None:
    """Go to a row of the comparison."""
    at.button_group(key=PREFIX + "row").set_value(key)
    at.run()
    fine(at)


def done(at: AppTest) -> set[str]:
    """Checks that are done."""
    return at.session_state["learn-done-photograph"]


def html(at: AppTest) -> str:
    """All that the page shows as HTML."""
    return "\n".join(item.proto.body for item in at.get("html"))


def test_each_row_works_and_three_are_checked(lesson: AppTest) -> None:
    assert done(lesson) == set()
    lesson.select_slider(key=PREFIX + "factor").set_value(8).run()
    fine(lesson)
    cup = (pair.photo().labels == pair.CUP).sum() / 64
    assert f"<dd>{cup:,.0f}</dd>" in html(lesson)
    assert done(lesson) == {"scope"}

    row(lesson, "perspective")
    lesson.slider(key=PREFIX + "tilt").set_value(45).run()
    fine(lesson)
    labels = view.shot(45).labels
    near, far = ((labels == house.number).sum() for house in view.houses().values())
    assert f"<dd>{near:,} · {far:,}</dd>" in html(lesson)
    assert done(lesson) == {"scope", "perspective"}

    row(lesson, "objects")
    spot = np.argwhere(pair.above().labels == pair.above().numbers("roof")[3]).mean(0)
    for subject, (y, x) in (("coffee", (100, 290)), (pair.above().key, spot)):
        lesson.session_state[f"{PREFIX}marks-{subject}"] = Marks(((x, y, 1),))
    lesson.run()
    fine(lesson)
    assert "<dd>cup</dd>" in html(lesson)
    assert "<dd>roof</dd>" in html(lesson)

    row(lesson, "preparation")
    before = html(lesson)
    lesson.select_slider(key=PREFIX + "cut").set_value(2.0).run()
    fine(lesson)
    shown = pair.finished(pair.stored(pair.above().image), 4095, 2.0)
    lost = ((shown == 0) | (shown == 255)).any(2).mean()
    assert f"<dd>{lost:.0%}</dd>" in html(lesson)
    assert "<dd>12%</dd>" in before

    row(lesson, "mode")
    lesson.toggle(key=PREFIX + "every").set_value(True).run()
    fine(lesson)
    assert "seconds</dd>" in html(lesson)

    row(lesson, "after")
    lesson.select_slider(key=PREFIX + "tolerance").set_value(3.0).run()
    fine(lesson)
    assert done(lesson) == {"scope", "perspective", "after"}
    assert any("All three" in message.value for message in lesson.success)

    row(lesson, "perspective")
    assert lesson.slider(key=PREFIX + "tilt").value == 45
    row(lesson, "mode")
    assert "seconds</dd>" in html(lesson)


def test_pace_leaves_pauses_out() -> None:
    assert _pace(()) is None
    assert _pace((5.0,)) is None
    assert _pace((0.0, 2.0, 6.0)) == 3.0
    assert _pace((0.0, 2.0, 500.0, 504.0)) == 3.0
