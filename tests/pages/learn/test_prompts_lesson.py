"""Lesson 3 on the page: four ways, the map of clicks and the counts; checks are done."""

from __future__ import annotations

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.learn.lessons import marking, prompts, prompts_size
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Touch
from rsam_core.evaluate.learn.asking import Marks
from rsam_core.evaluate.learn.lessons import prompts_map as mapping
from rsam_core.evaluate.learn.lessons.prompts_objects import TRIALS, target
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import centre_click, tight_box
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.lessons import lend, opened_lesson
from tests.helpers.models import overlap
from tests.helpers.pages import fine, texts

PREFIX = "learn-prompts-"


@pytest.fixture
def shown(app: AppTest, tiny, monkeypatch) -> AppTest:
    """The lesson, opened by its address, with the embedded model and maps of few clicks."""
    lend(tiny, monkeypatch)
    monkeypatch.setattr(mapping, "MOST", 16)
    prompts._kept_maps().clear()
    return opened_lesson(app, "prompts")


def part(at: AppTest, key: str) -> None:
    at.button_group(key=PREFIX + "part").set_value(key)
    at.run()
    fine(at)


def done(at: AppTest) -> set[str]:
    return at.session_state["learn-done-prompts"]


def html(at: AppTest) -> str:
    """The bars, as HTML."""
    bodies = [item.proto.body for item in at.get("html")]
    return re.sub('width:[^"]*', "", "\n".join(b for b in bodies if 'class="bars"' in b))


def test_each_experiment_answers_its_check(shown: AppTest, tiny) -> None:
    lorry, model = target("lorry"), Segmenter(tiny)
    embedding = model.embed(lorry.subject.image)
    assert "%" not in html(shown)
    box = tight_box(lorry.truth)
    shown.session_state[PREFIX + "marks-lorry-box"] = Marks((), box)
    trailer, cab = (288.5, 170.5), (305.0, 158.0)
    shown.session_state[PREFIX + "marks-lorry-points"] = Marks(((*trailer, 1), (*cab, 1)))
    shown.run()
    fine(shown)
    by_box = overlap(lorry.truth, model.predict(embedding, Prompt(box=box)).masks[0])
    first = model.predict(embedding, Prompt(points=[trailer]))
    both = model.predict(embedding, Prompt(points=[trailer, cab]), previous=first.refinement[0])
    assert f"{by_box:.1%}" in html(shown)
    assert f"{overlap(lorry.truth, both.masks[0]):.1%}" in html(shown)
    assert done(shown) == {"points"}

    # What is typed is shown as typed, and what was not understood is said.
    shown.button_group(key=PREFIX + "way").set_value("words").run()
    shown.text_input(key=PREFIX + "sentence").set_value("xyzzy *bold*").run()
    fine(shown)
    assert any("xyzzy" in item.value and "*bold*" not in item.value for item in shown.info)
    shown.text_input(key=PREFIX + "sentence").set_value("white objects").run()
    fine(shown)
    assert "objects around here" in texts(shown)

    shown.selectbox(key=PREFIX + "target").set_value("tree").run()
    part(shown, "where")
    clicks = next(iter(prompts._kept_maps().values()))
    worst = np.unravel_index(np.where(clicks.inside, clicks.iou, 2).argmin(), clicks.iou.shape)
    shown.session_state[PREFIX + "place-tree"] = worst
    shown.run()
    fine(shown)
    tree = target("tree")
    here = overlap(tree.truth, clicks.mask(*worst))
    assert f"IoU **{here:.0%}** from here" in texts(shown)
    assert ("place" in done(shown)) is bool(clicks.iou.max() - here >= 0.3)


def test_counts_of_points_and_boxes(shown: AppTest, tiny) -> None:
    part(shown, "size")
    model = Segmenter(tiny)
    wins = {False: [0, 0, 0], True: [0, 0, 0]}
    embeddings: dict = {}
    for one in TRIALS[:6]:
        if one.style not in embeddings:
            embeddings[one.style] = model.embed(one.subject.image)
        click, box = centre_click(one.truth), tight_box(one.truth)
        shown.session_state[f"{PREFIX}marks-trial-{one.key}-point"] = Marks(((*click, 1),))
        shown.session_state[f"{PREFIX}marks-trial-{one.key}-box"] = Marks((), box)
        shown.run()
        fine(shown)
        point, boxed = (
            overlap(one.truth, model.predict(embeddings[one.style], prompt).masks[0])
            for prompt in (Prompt(points=[click]), Prompt(box=box))
        )
        assert f"point **{point:.0%}**, box **{boxed:.0%}**" in texts(shown)
        won = 2 if abs(point - boxed) < 0.01 else int(boxed > point)
        wins[bool(one.truth.sum() >= 1024)][won] += 1
        last = one is TRIALS[5]
        if not last:
            shown.button(key=PREFIX + "next").click().run()
    rows = {large: " | ".join(map(str, counts)) for large, counts in wins.items()}
    assert f"| small objects | {rows[False]} |" in texts(shown)
    assert f"| large objects | {rows[True]} |" in texts(shown)

    # The class joins in.
    shown.number_input(key=PREFIX + "others-small-point").set_value(7).run()
    wins[False][0] += 7
    assert f"| small objects | {' | '.join(map(str, wins[False]))} |" in texts(shown)
    assert "claim" not in done(shown)
    for size, (point, boxed, _) in zip(("small", "large"), wins.values()):
        winner = "neither" if point == boxed else "point" if point > boxed else "box"
        shown.button_group(key=f"{PREFIX}said-{size}").set_value(winner).run()
    fine(shown)
    assert "claim" in done(shown)
    # What the class counted is still there after a look at something else.
    part(shown, "ways")
    part(shown, "size")
    assert f"| small objects | {' | '.join(map(str, wins[False]))} |" in texts(shown)


def test_touches_become_marks_in_pixels_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict = {PREFIX + "way": "point"}
    for module in (marking, prompts, prompts_size):
        monkeypatch.setattr(module.st, "session_state", state)
    stage, one = Stage("prompts", False, 860), target("lorry")
    view = one.view

    def at(x: float, y: float) -> tuple[float, float]:
        return view.x + x * view.width / 640, view.y + y * view.width / 640

    def touch(kind: str, x: float, y: float, x2: float, y2: float, other: bool = False) -> None:
        prompts._touched(stage, one, Touch(kind, x, y, x2, y2, other))  # type: ignore[arg-type]

    touch("click", 64, 80, 64, 80)
    assert marking.marks_of(stage, "lorry-point").points == ((*at(64, 80), 1),)
    state[PREFIX + "way"] = "points"
    touch("click", 10, 20, 10, 20, other=True)
    assert marking.marks_of(stage, "lorry-points") == Marks()
    touch("click", 10, 20, 10, 20)
    touch("click", 30, 40, 30, 40, other=True)
    assert [p[2] for p in marking.marks_of(stage, "lorry-points").points] == [1, 0]
    state[PREFIX + "way"] = "box"
    touch("click", 5, 5, 5, 5)
    assert marking.marks_of(stage, "lorry-box") == Marks()
    touch("drag", 300, 200, 100, 50)
    assert marking.marks_of(stage, "lorry-box").box == (*at(100, 50), *at(300, 200))

    place = {"point": "a", "box": "b"}
    prompts_size._touched(stage, one, place, Touch("click", 64, 80, 64, 80, False))
    prompts_size._touched(stage, one, place, Touch("drag", 100, 50, 300, 200, False))
    assert marking.marks_of(stage, "a").points == ((*at(64, 80), 1),)
    assert marking.marks_of(stage, "b").box == (*at(100, 50), *at(300, 200))
    marking.start_again(stage, "b")
    assert marking.marks_of(stage, "b") == Marks()
