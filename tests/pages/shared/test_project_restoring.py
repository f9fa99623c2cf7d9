"""A project restores the session: objects, classes, prompts, preparation and place."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import rsam_core as rsam
from pages.parts.shared import current_session
from rsam_core.errors import Cancelled, ProjectError
from rsam_core.objects.classify.classes import ClassList
from rsam_core.prepare import STEPS, Pipeline, load_steps
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.project import load_project, save_project
from rsam_core.session.project_state import from_state, to_state
from rsam_core.session.session import Session
from tests.helpers.pages import TWO_BOXES, fine, opened, painter, plain, put
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def answered(work: Session) -> Session:
    segmenter = Segmenter(painter())
    work.answers.use(
        Prompter(segmenter, lambda view: segmenter.embed(work.image.shown), work.image.overview)
    )
    return work


@pytest.fixture
def work() -> Session:
    """Two prompted objects, of which one has a class and another shape, and one made by hand."""
    made = current_session.load(plain(), "plain.png")
    made.update(lambda book: TWO_BOXES)
    answered(made)
    now = made.objects
    wanted = now.replace(replace(now.get(2), label="pond")).add(np.ones((5, 6), bool))
    made.commit(made.shown(), wanted, "Change")
    made.marks.classes = ClassList().add("pond", "#0102F0")
    return made


def facts(work: Session) -> list[tuple]:
    return [
        (i.id, *i.bbox, i.area, i.label, round(i.score, 3), i.source)
        for i in sorted(work.objects, key=lambda item: item.id)
    ]


def test_a_round_trip_restores_objects_prompts_and_classes(work):
    data = save_project(to_state(work, work.image.scene.file_bytes()))
    state = load_project(data)
    again = answered(from_state(state, rsam.open_scene(state.image, name=state.scene_name)))
    assert facts(again) == facts(work)
    assert [e.marks for e in again.marks.book.entries] == [e.marks for e in work.marks.book.entries]
    assert again.marks.classes.color("pond").upper() == "#0102F0"
    # Work goes on: a further prompt gets a number of its own, and removing can be undone.
    again.update(lambda book: book.add_box(60, 60, 80, 80))
    assert len({row[0] for row in facts(again)}) == 4
    again.remove([1])
    again.marks.undo()
    assert len(facts(again)) == 4


def test_another_image_is_refused_and_the_same_one_taken(work):
    state = load_project(save_project(to_state(work)))
    assert state.image is None
    assert facts(answered(from_state(state, work.image.scene))) == facts(work)
    other = rsam.open_scene(plain(150, 120), name="other.png")
    with pytest.raises(ProjectError, match=r"not the image of this project, which is “plain.png”"):
        from_state(state, other)


def test_preparation_is_replayed(work):
    load_steps()
    pipeline = Pipeline().add(STEPS["brightness"]())
    prepared = pipeline.run_scene(work.image.scene)
    work.use_prepared(prepared, pipeline)
    state = load_project(save_project(to_state(work, work.image.original.file_bytes())))
    again = answered(from_state(state, rsam.open_scene(state.image, name=state.scene_name)))
    assert np.array_equal(again.image.shown, work.image.shown)
    assert np.array_equal(again.image.original.read_rgb(), work.image.original.read_rgb())
    assert again.image.pipeline.to_json() == pipeline.to_json()
    assert facts(again) == facts(work)


def test_a_typed_ground_distance_and_a_world_file_come_back(work):
    world = b"0.5\n0\n0\n-0.5\n500000.25\n3999999.75\n"
    work.image.scene = rsam.open_scene(plain(), name="plain.png", world_file=world, crs=32637)
    state = load_project(save_project(to_state(work, work.image.scene.file_bytes())))
    again = from_state(state, rsam.open_scene(state.image, name="plain.png"))
    assert again.image.scene.transform == work.image.scene.transform
    assert again.image.scene.crs == "EPSG:32637"
    assert again.image.scene.gsd == pytest.approx(0.5, rel=0.01)


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
        from_state(damage(to_state(work)), work.image.scene)


def test_a_project_is_opened_on_the_home_page(app: AppTest, model, work):
    data = save_project(to_state(work, work.image.scene.file_bytes()))
    app.run()
    app.file_uploader(key="home-project").set_value(("p.rsam.zip", data, "application/zip")).run()
    assert not app.exception
    assert [e.value for e in app.error] == []
    assert len(opened(app).objects) == 3
    assert opened(app).image.scene.name == "plain.png"


def test_a_broken_project_is_one_message(app: AppTest, model):
    app.run()
    upload = ("p.rsam.zip", b"PK\x03\x04 broken", "application/zip")
    app.file_uploader(key="home-project").set_value(upload).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "project file" in app.error[0].value


def upload_prepared(app: AppTest, work: Session, monkeypatch, wait: threading.Event) -> AppTest:
    """Upload a project whose preparation takes until it is told to go on."""
    load_steps()
    pipeline = Pipeline().add(STEPS["brightness"]())
    work.use_prepared(pipeline.run_scene(work.image.scene), pipeline)
    data, real = save_project(to_state(work, work.image.original.file_bytes())), Pipeline.run_scene

    def slow(self, scene, progress=None, cancelled=None):
        progress(0.5, "brightness")
        while not wait.wait(0.01):
            if cancelled():
                raise Cancelled("stopped")
        return real(self, scene, progress, cancelled)

    monkeypatch.setattr(Pipeline, "run_scene", slow)
    app.run()
    app.file_uploader(key="home-project").set_value(("p.rsam.zip", data, "application/zip")).run()
    fine(app)
    return app


def test_a_prepared_project_is_opened_in_the_background(app: AppTest, model, work, monkeypatch):
    go_on = threading.Event()
    at = upload_prepared(app, work, monkeypatch, go_on)
    assert opened(at) is None, "nothing is open before it is there"
    job = at.session_state["visit"].jobs.get("open project")
    assert [b.key for b in at.button if b.label == "Stop"] == ["stop-opening"]
    go_on.set()
    assert job.wait(PATIENCE)
    at.run()
    fine(at)
    assert opened(at).image.pipeline is not None
    assert len(opened(at).objects) == 3
    assert opened(at).safekeeping.offer_dismissed, "its own work is not offered again"


def test_opening_can_be_stopped_and_the_earlier_image_stays(app: AppTest, model, work, monkeypatch):
    before = current_session.load(plain(90, 80), "before.png")
    put(app, before)
    at = upload_prepared(app, work, monkeypatch, threading.Event())
    job = at.session_state["visit"].jobs.get("open project")
    at.button(key="stop-opening").click().run()
    assert job.wait(PATIENCE)
    at.run()
    fine(at)
    assert opened(at) is before
    assert "stop-opening" not in [b.key for b in at.button]
    assert job.state == "cancelled"
