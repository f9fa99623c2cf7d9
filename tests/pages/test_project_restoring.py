"""A project restores the session: objects, classes, prompts, preparation and place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers_pages import TWO_BOXES, painter, plain
from streamlit.testing.v1 import AppTest

import rsam_core as rsam
from pages.parts import workspace
from pages.parts.project_state import from_state, to_state
from rsam_core.classes import ClassList
from rsam_core.errors import ProjectError
from rsam_core.prepare import STEPS, Pipeline, load_steps
from rsam_core.project import load_project, save_project
from rsam_core.prompting import Prompter
from rsam_core.segmenter import Segmenter

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def answered(work: workspace.Workspace) -> workspace.Workspace:
    segmenter = Segmenter(painter())
    work.prompter = Prompter(segmenter, lambda view: segmenter.embed(work.image), work.overview)
    for entry, instance in work.settled.items():
        work.prompter.settle(entry, instance)
    return work


@pytest.fixture
def work() -> workspace.Workspace:
    """Two prompted objects, of which one has a class and another shape, and one made by hand."""
    made = workspace.load(plain(), "plain.png")
    made.book = TWO_BOXES
    answered(made)
    now, _ = workspace.objects(made)
    wanted = now.replace(replace(now.get(2), label="pond")).add(np.ones((5, 6), bool))
    workspace.commit(made, wanted, "Change")
    made.classes = ClassList().add("pond", "#0102F0")
    return made


def facts(work: workspace.Workspace) -> list[tuple]:
    return [
        (i.id, *i.bbox, i.area, i.label, round(i.score, 3), i.source)
        for i in sorted(workspace.objects(work)[0], key=lambda item: item.id)
    ]


def test_a_round_trip_restores_objects_prompts_and_classes(work):
    data = save_project(to_state(work, work.scene.file_bytes()))
    state = load_project(data)
    again = answered(from_state(state, rsam.open_scene(state.image, name=state.scene_name)))
    assert facts(again) == facts(work)
    assert [e.marks for e in again.book.entries] == [e.marks for e in work.book.entries]
    assert again.classes.color("pond").upper() == "#0102F0"
    # Work goes on: a further prompt gets a number of its own, and removing can be undone.
    again.book = again.book.add_box(60, 60, 80, 80)
    assert len({row[0] for row in facts(again)}) == 4
    workspace.remove(again, [1])
    workspace.undo(again)
    assert len(facts(again)) == 4


def test_another_image_is_refused_and_the_same_one_taken(work):
    state = load_project(save_project(to_state(work)))
    assert state.image is None
    assert facts(answered(from_state(state, work.scene))) == facts(work)
    other = rsam.open_scene(plain(150, 120), name="other.png")
    with pytest.raises(ProjectError, match=r"not the image of this project, which is “plain.png”"):
        from_state(state, other)


def test_preparation_is_replayed(work):
    load_steps()
    pipeline = Pipeline().add(STEPS["brightness"]())
    prepared = pipeline.run_scene(work.scene)
    workspace.use_prepared(work, prepared, pipeline)
    state = load_project(save_project(to_state(work, work.original.file_bytes())))
    again = answered(from_state(state, rsam.open_scene(state.image, name=state.scene_name)))
    assert np.array_equal(again.image, work.image)
    assert np.array_equal(again.original.read_rgb(), work.original.read_rgb())
    assert again.pipeline.to_json() == pipeline.to_json()
    assert facts(again) == facts(work)


def test_a_typed_ground_distance_and_a_world_file_come_back(work):
    world = b"0.5\n0\n0\n-0.5\n500000.25\n3999999.75\n"
    work.scene = rsam.open_scene(plain(), name="plain.png", world_file=world, crs=32637)
    state = load_project(save_project(to_state(work, work.scene.file_bytes())))
    again = from_state(state, rsam.open_scene(state.image, name="plain.png"))
    assert again.scene.transform == work.scene.transform
    assert again.scene.crs == "EPSG:32637"
    assert again.scene.gsd == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: replace(s, pipeline={"format": "something"}),
        lambda s: replace(s, settings=s.settings | {"view": {"bands": [99]}}),
        lambda s: replace(s, prompts=({"id": 1},)),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(work, damage):
    with pytest.raises(ProjectError):
        from_state(damage(to_state(work)), work.scene)


def test_a_project_is_opened_on_the_home_page(app: AppTest, model, work):
    data = save_project(to_state(work, work.scene.file_bytes()))
    app.run()
    app.file_uploader(key="home-project").set_value(("p.rsam.zip", data, "application/zip")).run()
    assert not app.exception
    assert [e.value for e in app.error] == []
    assert len(workspace.objects(app.session_state["workspace"])[0]) == 3
    assert app.session_state["workspace"].scene.name == "plain.png"


def test_a_broken_project_is_one_message(app: AppTest, model):
    app.run()
    upload = ("p.rsam.zip", b"PK\x03\x04 broken", "application/zip")
    app.file_uploader(key="home-project").set_value(upload).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "project file" in app.error[0].value
