"""Lesson 6 on the page: words, an example and a threshold move the numbers; checks get done."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rsam_core.evaluate.learn.lessons import one_shot, one_shot_classes, one_shot_persam
from rsam_core.objects.instance import Instance
from tests.helpers.pages import fine, texts


@pytest.fixture
def lesson(app: AppTest) -> AppTest:
    """The lesson, opened by its address."""
    app.query_params["lesson"] = "one_shot"
    app.run()
    app.switch_page("pages/screens/learn.py").run()
    fine(app)
    return app


def choose(at: AppTest, widget: str, value: str) -> None:
    """Choose something in a row of buttons."""
    at.button_group(key=f"learn-one_shot-{widget}").set_value(value)
    at.run()
    fine(at)


def shown(at: AppTest) -> str:
    """All that is written as HTML."""
    return "\n".join(element.proto.body for element in at.get("html"))


def test_each_experiment_answers(lesson: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = one_shot.paper_objects()
    pools = objects.kinds == "pool"
    called = one_shot_classes.sort_by_kinds(objects, one_shot.FIRST_SEEN).called[pools]
    table = lesson.table[0].value
    assert table.loc["Swimming pools"].tolist() == [
        str(np.count_nonzero(called == kind)) for kind in one_shot.FIRST_SEEN
    ]

    choose(lesson, "experiment", "words")
    assert f"{pools.sum()} right of {len(objects)} found" in shown(lesson)
    choose(lesson, "word-colour", "blue")
    choose(lesson, "word-size", "medium")
    assert f"{pools.sum()} right of {pools.sum()} found" in shown(lesson)
    assert lesson.session_state["learn-done-one_shot"] == {"described"}

    choose(lesson, "experiment", "example")
    lesson.slider(key="learn-one_shot-threshold").set_value(0.2).run()
    fine(lesson)
    assert lesson.session_state["learn-done-one_shot"] == {"described", "balanced"}
    lesson.session_state["learn-one_shot-example"] = objects.instances[
        int(np.flatnonzero(pools)[0])
    ].id
    lesson.run()
    fine(lesson)
    best = one_shot.mean_best_f1(objects, "pool")
    assert f"Features **{best['features']:.0%}**" in texts(lesson)
    assert len(lesson.session_state["learn-done-one_shot"]) == 3

    finds = (
        one_shot_persam.Find(Instance(np.ones((20, 30), bool), 40, 50), 0.9, False),
        one_shot_persam.Find(Instance(np.ones((20, 30), bool), 140, 50), 0.0, False),
    )
    weights = np.array([0.25, 0.5, 0.25], np.float32)
    monkeypatch.setattr(
        one_shot_persam,
        "run",
        lambda *a: one_shot_persam.Run(finds, weights if a[-1] == "persam-f" else None),
    )
    choose(lesson, "experiment", "persam")
    assert "**PerSAM-F**: 1 of 2 further objects right" in texts(lesson)
    assert "0.25, 0.50 and 0.25" in texts(lesson)
