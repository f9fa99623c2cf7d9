"""Work is saved a moment after each change, the latest state winning, and forgotten when undone."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.errors import Cancelled
from rsam_core.formats.truth import Truth
from rsam_core.objects.instances import Instance, Instances
from rsam_core.prepare import STEPS, Pipeline, load_steps
from rsam_core.session import autosave
from rsam_core.session.project import load_project, save_project
from rsam_core.session.project_state import from_state, has_work, is_empty, to_state
from rsam_core.session.safekeeping import Safekeeping
from tests.helpers.boxes import TWO_BOXES, plain
from tests.helpers.session import areas, fresh
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def counts(folder) -> list[int]:
    return [len(autosave.load(entry).instances) for entry in autosave.entries(folder)]


def test_the_latest_of_quick_changes_is_saved_once(tmp_path):
    session = fresh()
    for x in range(5):
        session.update(lambda book, x=x: book.add_box(20 * x, 0, 20 * x + 9, 9))
        # Only the last one's moment ever comes, however long a busy machine takes for the others.
        delay = 0.05 if x == 4 else PATIENCE
        session.safekeeping.keep(to_state(session), tmp_path / "b", delay)
    session.safekeeping.wait(PATIENCE)
    assert counts(tmp_path / "b") == [5]


def test_a_slow_save_and_a_quick_one_after_it_end_in_the_right_order(tmp_path, monkeypatch):
    keeping, packing, go_on = Safekeeping(), threading.Event(), threading.Event()
    session, real = fresh(), autosave.save_project
    session.update(lambda book: book.add_box(20, 10, 60, 40))
    older = to_state(session)
    session.update(lambda book: TWO_BOXES)

    def slow(state):
        if len(state.instances) == 1:
            packing.set()
            assert go_on.wait(PATIENCE)
        return real(state)

    monkeypatch.setattr(autosave, "save_project", slow)
    keeping.keep(older, tmp_path, 0.0)
    assert packing.wait(PATIENCE)
    keeping.keep(to_state(session), tmp_path, 0.0)
    go_on.set()
    keeping.wait(PATIENCE)
    assert counts(tmp_path) == [2, 1]


def test_when_all_is_undone_nothing_is_left_to_offer(tmp_path):
    session = fresh()
    assert is_empty(session)
    other = autosave.save(to_state(arranged(fresh())), tmp_path, writer="anothertab")
    session.update(lambda book: book.add_box(20, 10, 60, 40))
    assert not is_empty(session)
    session.safekeeping.keep(to_state(session), tmp_path, 0.0)
    session.safekeeping.wait(PATIENCE)
    assert counts(tmp_path) == [1, 2]
    session.marks.undo()
    assert is_empty(session)
    session.safekeeping.forget(session.image.scene.content_hash, tmp_path, 0.0)
    session.safekeeping.wait(PATIENCE)
    assert autosave.entries(tmp_path) == (other,), "what another tab has kept stays"


def arranged(session):
    session.update(lambda book: TWO_BOXES)
    return session


def test_work_brought_back_and_removed_again_is_not_offered_a_second_time(tmp_path):
    kept = autosave.save(to_state(arranged(fresh())), tmp_path, writer="before")
    session = from_state(autosave.load(kept), rsam.open_scene(plain(), name="plain.png"))
    session.safekeeping.go_on(tmp_path, "before")
    session.remove([1, 2])
    assert is_empty(session)
    session.safekeeping.forget(kept.scene_hash, tmp_path, 0.0)
    session.safekeeping.wait(PATIENCE)
    assert autosave.entries(tmp_path) == ()


def truth() -> Truth:
    return Truth(Instances([Instance(np.ones((9, 9), bool), 3, 3)], (120, 160)), "roofs.geojson")


def test_truth_comes_back_with_the_work_or_is_named(tmp_path):
    session = arranged(fresh())
    session.truth.give(truth())
    scene = rsam.open_scene(plain(), name="plain.png")
    again = from_state(load_project(save_project(to_state(session))), scene)
    assert again.truth.value.name == "roofs.geojson"
    assert again.truth.value.objects.areas.tolist() == [81]
    assert again.truth.lost == ""
    small = to_state(session, most_truth=80)
    assert small.truth is None
    without = from_state(load_project(save_project(small)), scene)
    assert without.truth.value is None
    assert without.truth.lost == "roofs.geojson"
    without.truth.give(truth())
    assert without.truth.lost == ""


def test_what_counts_as_work():
    session = fresh()
    assert not has_work(to_state(session))
    session.truth.give(truth())
    assert has_work(to_state(session))
    assert not is_empty(session)
    assert has_work(to_state(arranged(fresh())))


def test_each_truth_has_a_number_of_its_own():
    """An address can be given to another truth; a number cannot."""
    session = fresh()
    numbers = [session.truth.number]
    for _ in range(50):
        session.truth.give(truth())
        numbers.append(session.truth.number)
        session.truth.give(None)
        numbers.append(session.truth.number)
    assert len(set(numbers)) == len(numbers)


def prepared() -> bytes:
    load_steps()
    session = arranged(fresh())
    pipeline = Pipeline().add(STEPS["brightness"]())
    session.use_prepared(pipeline.run_scene(session.image.scene), pipeline)
    return save_project(to_state(session))


def test_opening_a_prepared_project_tells_how_far_it_is_and_can_be_stopped():
    state = load_project(prepared())
    scene, told = rsam.open_scene(plain(), name="plain.png"), []
    again = from_state(state, scene, progress=lambda share, text: told.append((share, text)))
    assert areas(again) == {1: 1200, 2: 1800} or again.answers.prompter is None
    assert again.image.original is scene
    assert told
    assert all(0 <= share <= 1 for share, _ in told)
    with pytest.raises(Cancelled):
        from_state(state, scene, cancelled=lambda: True)
