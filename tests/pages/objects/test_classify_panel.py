"""Giving classes by hand, by rule and by example, as a person does."""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session
from rsam_core.objects.instances import Instances
from rsam_core.session.learning import learning
from rsam_core.session.session import Session
from tests.helpers.pages import click, fine, opened, png, texts
from tests.helpers.panels import coloured, labels, panel_app, work_of
from tests.helpers.waiting import PATIENCE


@pytest.fixture
def at(model) -> AppTest:
    image, objects = coloured()
    page = panel_app("objects.classify:classify_panel", work_of(png(image), objects))
    page.run()
    fine(page)
    return page


def work(at: AppTest) -> Session:
    return opened(at)


def select(at: AppTest, *rows: int) -> None:
    found = work(at).objects
    work(at).marks.select(found[row].id for row in rows)
    at.run()
    fine(at)


def give(at: AppTest, name: str, *rows: int) -> None:
    select(at, *rows)
    next(b for b in at.button if b.label.split(" ·")[0] == name).click().run()
    fine(at)


def way(at: AppTest, name: str) -> None:
    at.segmented_control(key="classify-way").set_value(name).run()
    fine(at)


def test_nothing_to_classify_says_what_to_do(model):
    image, _ = coloured()
    page = panel_app(
        "objects.classify:classify_panel", current_session.load(png(image), "a.png")
    ).run()
    fine(page)
    assert "Find objects on the Segment page first" in texts(page)


def test_a_class_is_pressed_for_the_selected_objects(at):
    assert next(b for b in at.button if b.label == "building").disabled
    give(at, "building", 0, 2)
    assert labels(at) == ["building", None, "building"] + [None] * 11
    assert any(b.label == "building · 2" for b in at.button)
    assert "2 objects selected" in texts(at)
    assert work(at).marks.book.past[-1].what == "Label 2 objects as building"
    give(at, "No class", 0)
    assert labels(at)[:3] == [None, None, "building"]
    work(at).marks.undo()
    assert labels(at)[:3] == ["building", None, "building"]


def frame(at: AppTest, column: str) -> pd.DataFrame:
    """The table that has such a column."""
    return next(item.value for item in at.dataframe if column in item.value)


def test_class_areas_appear_with_the_first_class(at):
    assert not at.dataframe
    give(at, "water", 0)
    table = frame(at, "share")
    # Six squares, six bars and two discs, of which one square has a class.
    discs = opened(at).objects.areas[-2:].sum()
    others = 5 * 256 + 6 * 240 + discs
    assert table["area"].tolist() == [256, others, 240 * 160 - 256 - others]


def test_classes_are_added_renamed_and_removed(at):
    at.text_input(key="class-name-new").set_value("pond")
    click(at, "Add class")
    assert "pond" in work(at).marks.classes
    give(at, "pond", 12)
    at.selectbox(key="edit-class").set_value("pond").run()
    name = next(t for t in at.text_input if t.key.startswith("class-name-pond"))
    name.set_value("lake")
    click(at, "Save class")
    assert labels(at)[12] == "lake"
    assert "pond" not in work(at).marks.classes
    at.selectbox(key="edit-class").set_value("lake").run()
    click(at, "Remove class")
    assert labels(at)[12] is None
    assert "lake" not in work(at).marks.classes


def test_a_name_that_exists_is_refused_in_words(at):
    at.text_input(key="class-name-new").set_value("Road")
    next(b for b in at.button if b.label == "Add class").click().run()
    assert not at.exception
    assert [e.value for e in at.error] == ["There is a class “Road” already. Choose another name."]


def test_a_rule_counts_live_and_labels(at):
    way(at, "By rule")
    at.selectbox(key="rule-column-0").set_value("area").run()
    number = at.number_input(key="rule-value-0-area")
    number.set_value(300.0).run()
    fine(at)
    assert "2 of 14 objects" in texts(at)
    at.selectbox(key="rule-operator-0").set_value("<").run()
    assert "12 of 14 objects" in texts(at)
    click(at, "Add condition")
    at.selectbox(key="rule-column-1").set_value("bbox_y").run()
    at.selectbox(key="rule-operator-1").set_value("between").run()
    at.number_input(key="rule-value-1-bbox_y").set_value(50.0)
    at.number_input(key="rule-high-1-bbox_y").set_value(90.0).run()
    assert "6 of 14 objects" in texts(at)
    at.segmented_control(key="rule-combine").set_value("or").run()
    assert "12 of 14 objects" in texts(at)
    at.segmented_control(key="rule-combine").set_value("and").run()
    at.selectbox(key="rule-class").set_value("road").run()
    click(at, "Select them")
    assert len(work(at).marks.selected) == 6
    click(at, "Label 6")
    assert labels(at) == [None] * 6 + ["road"] * 6 + [None] * 2
    assert work(at).marks.book.past[-1].what == "Label 6 objects as road by rule"


def test_a_rule_from_high_to_low_is_explained(at):
    way(at, "By rule")
    at.selectbox(key="rule-column-0").set_value("area").run()
    at.selectbox(key="rule-operator-0").set_value("between").run()
    at.number_input(key="rule-value-0-area").set_value(1e6).run()
    assert not at.exception
    assert "smaller one" in at.error[0].value


def test_a_rule_can_leave_labelled_objects_alone(at):
    give(at, "building", 0)
    way(at, "By rule")
    at.selectbox(key="rule-column-0").set_value("area").run()
    at.number_input(key="rule-value-0-area").set_value(250.0).run()
    assert "8 of 14" in texts(at)
    at.toggle(key="rule-free").set_value(True).run()
    assert "7 of 14" in texts(at)


def learn(at: AppTest) -> None:
    click(at, next(b.label for b in at.button if b.key == "learn"))
    job = learning(work(at)).job
    if job is not None:
        assert job.wait(PATIENCE)
        assert job.error is None, job.error
    at.run()
    fine(at)


def test_too_few_examples_are_refused_before_anything_is_done(at):
    way(at, "By example")
    assert "too little to learn from" in texts(at)
    assert next(b for b in at.button if b.key == "learn").disabled
    give(at, "building", 0, 1)
    give(at, "road", 6)
    assert "“road” has one example only" in texts(at)


def test_the_rest_is_learned_from_examples(at):
    way(at, "By example")
    give(at, "building", 0, 1, 2)
    give(at, "road", 6, 7, 8)
    give(at, "vegetation", 12, 13)
    learn(at)
    assert "8 of 8 examples" in texts(at)
    assert frame(at, "vegetation").to_numpy().trace() == 8
    click(at, "Classify 6 objects")
    assert labels(at) == ["building"] * 6 + ["road"] * 6 + ["vegetation"] * 2
    # What was learned is no example of its own.
    assert "building 3, road 3, vegetation 2" in texts(at)
    give(at, "road", 5)
    assert "road 4, building 3, vegetation 2" in texts(at)
    assert "Learn again to use them" in texts(at)
    learn(at)
    assert "Learn again to use them" not in texts(at)


def test_the_least_certain_is_selected_and_shown(at):
    way(at, "By example")
    give(at, "building", 0, 1)
    give(at, "road", 6, 7)
    learn(at)
    first = next(b for b in at.button if b.key.startswith("uncertain-"))
    number = int(first.label.split(":")[0])
    first.click().run()
    fine(at)
    assert work(at).marks.selected == {number}
    assert work(at).canvas.look_at is not None
    # The discs are neither: they are asked about before any square or bar.
    found = work(at).objects
    assert number in {found[12].id, found[13].id}


def test_a_higher_probability_leaves_more_unlabelled(at):
    way(at, "By example")
    give(at, "building", 0, 1)
    give(at, "road", 6, 7)
    learn(at)
    at.slider(key="least-probability").set_value(1.0).run()
    button = next(b for b in at.button if b.key == "classify-apply")
    assert int(button.label.split()[1]) < 10


def test_objects_may_go_while_it_learns(at):
    way(at, "By example")
    give(at, "building", 0, 1)
    give(at, "road", 6, 7)
    learn(at)
    found = work(at).objects
    work(at).remove([found[12].id, found[13].id])
    at.run()
    fine(at)
    click(at, "Classify 8 objects")
    assert None not in labels(at)


def test_more_than_eight_classes_and_odd_names(model):
    image, objects = coloured()
    from rsam_core.objects.classify.classes import set_label

    odd = set_label(objects, [objects[0].id], "a *b* <i> $c$")
    page = panel_app("objects.classify:classify_panel", work_of(png(image), odd)).run()
    fine(page)
    assert any("·" in b.label and "\\*b\\*" in b.label for b in page.button)
    assert isinstance(odd, Instances)
