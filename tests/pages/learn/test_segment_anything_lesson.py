"""Lesson 2 on the page: each step shows what a computation of its own gives; checks are done."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity
from streamlit.testing.v1 import AppTest

from pages.parts.learn.lessons import segment_anything_learn as learning
from rsam_core.evaluate.learn.asking import Marks
from rsam_core.evaluate.learn.lessons import segment_anything as lesson
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.lessons import lend, opened_lesson
from tests.helpers.pages import fine, texts

PREFIX = "learn-segment_anything-"


@pytest.fixture
def shown(app: AppTest, tiny, monkeypatch) -> AppTest:
    """The lesson, opened by its address, with the embedded model."""
    lend(tiny, monkeypatch)
    monkeypatch.setattr(learning, "_SPACING", 64.0)
    learning._shared().clear()
    return opened_lesson(app, "segment_anything")


def step(at: AppTest, key: str) -> None:
    at.button_group(key=PREFIX + "part").set_value(key)
    at.run()
    fine(at)


def done(at: AppTest) -> set[str]:
    return at.session_state["learn-done-segment_anything"]


def test_each_step_answers_its_check(shown: AppTest, tiny) -> None:
    image = lesson.subject("campus").image
    embedding = Segmenter(tiny).embed(image)
    rows = embedding.features.maps.features[0].numpy().reshape(128, -1).T
    shares = (cosine_similarity(rows) >= 0.8).mean(axis=1)
    row, column = divmod(int(shares.argmax()), 64)
    assert not done(shown)
    shown.session_state[PREFIX + "cell-campus"] = (8 * column + 4.0, 8 * row + 4.0)
    shown.run()
    fine(shown)
    assert f"{shares.max():.1%} of the picture" in texts(shown)
    assert f"{image.size:,} numbers in the picture, {64 * 32 * 128:,}" in texts(shown)
    assert done(shown) == {"alike"}
    shown.select_slider(key=PREFIX + "from").set_value(0.95).run()
    fine(shown)
    strict = (cosine_similarity(rows)[shares.argmax()] >= 0.95).mean()
    assert f"{strict:.1%} of the picture" in texts(shown)

    step(shown, "point")
    assert "list of 256 numbers" in texts(shown)

    step(shown, "answer")
    click = (320.0, 148.0)
    shown.session_state[PREFIX + "marks-campus"] = Marks(((*click, 1),))
    shown.run()
    fine(shown)
    found = Segmenter(tiny).predict(embedding, Prompt(points=[click]))
    for score, mask in zip(found.scores, found.masks):
        assert f"{score:.0%} sure · {np.count_nonzero(mask):,} pixels" in texts(shown)
    assert done(shown) == {"alike", "ambiguous"}
    # With more marks, or a box, there is one mask.
    shown.session_state[PREFIX + "marks-campus"] = Marks((), (300.0, 80.0, 370.0, 140.0))
    shown.run()
    fine(shown)
    assert "one mask" in texts(shown)

    step(shown, "learn")
    assert f"{1.1e9 * 14 / (220 * 8 * 3600):,.0f} years" in texts(shown)
    shown.slider(key=PREFIX + "seconds").set_value(28).run()
    fine(shown)
    assert f"{1.1e9 * 28 / (220 * 8 * 3600):,.0f} years" in texts(shown)
    shown.button(key=PREFIX + "everywhere").click().run()
    fine(shown)
    assert "32 clicks gave" in texts(shown)
    for level in (0.3, 0.35, 0.4, 0.45):
        shown.select_slider(key=PREFIX + "sure").set_value(level).run()
        if len(done(shown)) == 3:
            break
    fine(shown)
    assert any("All three" in message.value for message in shown.success)


def test_another_picture_begins_anew(shown: AppTest) -> None:
    shown.selectbox(key=PREFIX + "place").set_value("basins").run()
    fine(shown)
    assert not done(shown)
    step(shown, "answer")
    assert "ten clicks take" in texts(shown)
