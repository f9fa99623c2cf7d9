"""Lesson 5 on the page: clicks and sliders give what a count of its own gives; checks are done."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import rsam_core as rsam
from pages.parts.learn.lessons import four_kinds_clicks as clicks
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Touch
from rsam_core.evaluate.learn.asking import Marks
from rsam_core.evaluate.learn.lessons import four_kinds_pieces as pieces
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.session.session import Session
from tests.helpers.pages import fine, put, texts
from tests.helpers.rasters import tiff

PREFIX = "learn-four_kinds-"


@pytest.fixture
def lesson(app: AppTest) -> AppTest:
    """The lesson, opened by its address."""
    app.query_params["lesson"] = "four_kinds"
    app.run()
    app.switch_page("pages/screens/learn.py").run()
    fine(app)
    return app


def way(at: AppTest, key: str) -> None:
    """Go to a kind of segmentation."""
    at.button_group(key=PREFIX + "way").set_value(key)
    at.run()
    fine(at)


def done(at: AppTest) -> set[str]:
    """Checks that are done."""
    return at.session_state["learn-done-four_kinds"]


def html(at: AppTest) -> str:
    """All that the page shows as HTML."""
    return "\n".join(item.proto.body for item in at.get("html"))


def middle(mask: np.ndarray) -> tuple[float, float]:
    """The pixel of a mask farthest from its rim, as x, y."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return column + 0.5, row + 0.5


def test_each_way_answers_its_check(lesson: AppTest) -> None:
    subject = pieces.sample()
    for house in pieces.houses(subject):
        marks = Marks(((*middle(subject.mask(house)), 1),))
        lesson.session_state[f"{PREFIX}marks-{subject.key}"] = marks
        lesson.run()
        fine(lesson)
        if done(lesson):
            break
    assert done(lesson) == {"house"}
    assert "roof" in texts(lesson)

    way(lesson, "superpixels")
    lesson.select_slider(key=PREFIX + "size").set_value(12).run()
    fine(lesson)
    count = len(np.unique(pieces.superpixels(subject.image, pieces.SuperpixelSettings(12))))
    assert f"{count} superpixels" in texts(lesson)
    assert done(lesson) == {"house", "few"}

    way(lesson, "semantic")
    named = next(value for key, value in lesson_cache().items() if key == f"named-{subject.key}")
    kinds = named.likely.argmax(1)[named.patches - 1]
    joined = pieces.connected(np.where(kinds == KINDS.index("tree"), kinds, -1).astype(np.int8))
    largest = joined == np.bincount(joined.ravel())[1:].argmax() + 1
    lesson.session_state[PREFIX + "spot"] = middle(largest)
    lesson.run()
    fine(lesson)
    assert done(lesson) == {"house", "few", "two"}
    assert "try it" in html(lesson)

    way(lesson, "instances")
    lesson.slider(key=PREFIX + "quality").set_value(90).run()
    fine(lesson)
    assert "try it" not in html(lesson)
    assert any("All three" in message.value for message in lesson.success)


def lesson_cache() -> dict[str, object]:
    """What the lessons computed once for all."""
    from pages.parts.learn import kept

    return kept._shared()


def test_clicks_begin_objects_and_take_away(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    monkeypatch.setattr(clicks.st, "session_state", state)
    monkeypatch.setattr(clicks, "_found", lambda *_: None)
    stage = Stage("four_kinds", False, 860)
    subject = Subject("drawn", "", np.zeros((20, 30, 3), np.uint8))

    def touch(kind: str, x: float, y: float, other: bool = False) -> None:
        clicks.take(stage, subject, Touch(kind, x, y, x, y, other))  # type: ignore[arg-type]

    touch("click", 3, 4, other=True)
    assert clicks.marks(stage, subject) == Marks()
    touch("click", 5, 6)
    touch("drag", 7, 8)
    touch("click", 9, 10, other=True)
    assert clicks.marks(stage, subject).points == ((5, 6, 1), (9, 10, 0))
    touch("click", 11, 12)
    assert clicks.marks(stage, subject).points == ((11, 12, 1),)
    assert clicks.inside((45.0, -3.0), subject) == (0, 29)
    clicks.start_again(stage, subject)
    assert clicks.marks(stage, subject) == Marks()


def test_an_own_image_is_cut_up_too_but_not_judged(app: AppTest) -> None:
    part = np.moveaxis(pieces.sample().image[:120, :160], 2, 0)
    scene = rsam.open_scene(tiff(part), name="mine.tif", examine=False)
    put(app, Session(scene))
    app.session_state["learn-own"] = True
    app.query_params["lesson"] = "four_kinds"
    app.run()
    app.switch_page("pages/screens/learn.py").run()
    fine(app)
    assert "Nobody drew the truth" in texts(app)
    subject_key = app.session_state[PREFIX + "seen"][0]
    app.session_state[f"{PREFIX}marks-{subject_key}"] = Marks(((60.0, 60.0, 1),))
    app.session_state[PREFIX + "spot"] = (30.0, 30.0)
    for name in ("superpixels", "semantic", "instances", "interactive"):
        way(app, name)
    assert "try it" not in html(app)
    assert "last outline has" in texts(app)
    assert done(app) == set()
