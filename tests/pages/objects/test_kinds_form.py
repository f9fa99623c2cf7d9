"""Kinds on the Objects page: a column, and classes for those that have none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared.measured import measured
from rsam_core.errors import Cancelled
from rsam_core.formats import to_csv
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.classify.classes import ClassList, set_label
from rsam_core.objects.instances import Instances
from rsam_core.session.kinds import JOB, Naming, kind_columns, naming, suggested
from rsam_core.session.learning import learning
from rsam_core.session.session import Session
from tests.helpers.models import FakeModel
from tests.helpers.pages import click, fine, opened, png, texts
from tests.helpers.panels import coloured, labels, panel_app, work_of
from tests.helpers.waiting import PATIENCE

CAR, TREE, FIELD = KINDS.index("car"), KINDS.index("tree"), KINDS.index("grass or field")


@pytest.fixture
def namer(model: FakeModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The model takes squares for cars, bars for trees, and discs half for fields."""
    asked: list[int] = []

    def name_objects(features, objects):
        asked.append(len(objects))
        rows = np.full((len(objects), len(KINDS)), 0.01, np.float32)
        for row, one in zip(rows, objects):
            kind, share = {16: (CAR, 0.91), 8: (TREE, 0.8)}.get(len(one.mask), (FIELD, 0.5))
            row[kind] = share
        return rows

    monkeypatch.setattr(FakeModel, "names", True)
    monkeypatch.setattr(FakeModel, "sure", 0.6)
    monkeypatch.setattr(model, "name_objects", name_objects, raising=False)
    return asked


@pytest.fixture
def at(namer: list[int]) -> AppTest:
    image, objects = coloured()
    page = panel_app("objects.classify:classify_panel", work_of(png(image), objects))
    page.run()
    fine(page)
    return page


def name_all(at: AppTest) -> None:
    at.button(key="name-kinds").click().run()
    job = naming(opened(at)).job
    if job is not None:
        assert job.wait(PATIENCE)
    at.run()
    fine(at)


def rows(work: Session) -> pd.DataFrame:
    return measured(work, work.objects)


def test_the_table_and_the_file_get_a_column(at):
    work = opened(at)
    assert "kind" not in rows(work)
    assert at.button(key="use-kinds").disabled
    name_all(at)
    table = rows(work)
    assert table["kind"].tolist() == ["car"] * 6 + ["tree"] * 6 + ["not sure"] * 2
    expected = [0.91] * 6 + [0.8] * 6 + [0.5] * 2
    assert table["kind_probability"].tolist() == pytest.approx(expected)
    assert "car **6** · tree **6** · not sure 2" in texts(at)
    header, first = to_csv(table).decode("utf-8-sig").splitlines()[:2]
    place = header.split(",").index("kind")
    assert first.split(",")[place] == "car"
    assert "kind_probability" in header


def test_suggestions_never_overwrite_and_are_one_step(at):
    work = opened(at)
    ids = work.objects.ids.tolist()
    work.commit(work.shown(), set_label(work.objects, [ids[0]], "house"), "Label")
    work.commit(work.shown(), set_label(work.objects, [ids[7]], "road"), "Label")
    name_all(at)
    steps = len(work.marks.book.past)
    click(at, "Use as classes (10)")
    expected = ["house"] + ["vehicle"] * 5 + ["tree", "road"] + ["tree"] * 4 + [None] * 2
    assert labels(at) == expected
    assert len(work.marks.book.past) == steps + 1
    assert work.marks.book.past[-1].what == "Classify 10 objects by kind"
    # Nothing is left to give, and what was given by nobody is no example to learn from.
    assert at.button(key="use-kinds").disabled
    assert set(learning(work).examples_of(work.objects)) == {ids[0], ids[7]}
    assert "tree" in work.marks.classes.names
    work.marks.undo()
    assert labels(at) == ["house"] + [None] * 6 + ["road"] + [None] * 6


def test_objects_keep_their_kinds_while_others_come_and_go(at, namer):
    work = opened(at)
    name_all(at)
    assert sum(namer) == 14
    work.remove([work.objects.ids[0].item()])
    assert rows(work)["kind"].tolist() == ["car"] * 5 + ["tree"] * 6 + ["not sure"] * 2
    more = work.objects[0]
    grown = Instances(
        [*work.objects, type(more)(np.ones((16, 20), bool), 200, 130)], work.objects.shape
    )
    work.commit(work.shown(), grown, "Draw")
    table = rows(work)
    assert table["kind"].isna().tolist() == [False] * 13 + [True]
    assert table["kind_probability"].isna().tolist() == [False] * 13 + [True]
    at.run()
    name_all(at)
    assert sum(namer) == 15, "only the new one is looked at"
    assert rows(work)["kind"].tolist()[-1] == "car"


def test_it_can_be_stopped_and_then_nothing_is_known(at):
    work = opened(at)

    def endless(progress, cancelled):
        while not cancelled():
            pass
        raise Cancelled("Stopped.")

    job = work.jobs.start(JOB, endless)
    at.run()
    assert at.button(key="stop-kinds").label == "Stop"
    at.button(key="stop-kinds").click().run()
    assert job.wait(PATIENCE)
    at.run()
    fine(at)
    assert naming(work).of(work.objects) is None
    assert not at.button(key="name-kinds").disabled


def test_without_a_head_the_button_says_why(model):
    image, objects = coloured()
    page = panel_app("objects.classify:classify_panel", work_of(png(image), objects)).run()
    fine(page)
    assert page.button(key="name-kinds").disabled
    assert "cannot say what objects are" in texts(page)


def test_a_kind_becomes_the_class_of_the_same_meaning(at):
    work = opened(at)
    name_all(at)
    classes = ClassList().add("Trees")
    given = suggested(work.objects, naming(work), classes)
    assert list(given.values()) == ["vehicle"] * 6 + ["Trees"] * 6
    nothing = Naming(work.jobs)
    assert suggested(work.objects, nothing, classes) == {}
    assert kind_columns(work.objects, nothing)["kind"].isna().all()
