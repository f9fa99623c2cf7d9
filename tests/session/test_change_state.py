"""The second date of a session: what is kept, what is undone, what waits."""

from __future__ import annotations

import dataclasses
import json

import cv2
import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.change.against_truth import TrueChanges
from rsam_core.errors import ChangeError, ProjectError
from rsam_core.objects.instances import Instances
from rsam_core.session.change import ALIGN, ChangeState, change_state
from rsam_core.session.change_project import give_second
from rsam_core.session.change_wishes import OURS, Origin, Wishes
from rsam_core.session.project import load_project, save_project
from rsam_core.session.project_state import from_state, has_work, is_empty, to_state
from rsam_core.session.session import Session
from tests.helpers.dates import SHAPE, compared, house, pictures, scenes
from tests.helpers.waiting import PATIENCE


@pytest.fixture
def dates():
    return scenes()


@pytest.fixture
def work(dates) -> tuple[Session, ChangeState]:
    """A session with both dates, compared."""
    session = Session(dates[0])
    state = change_state(session)
    state.open(dates[1])
    state.resume(dates[0], compared(*dates))
    return session, state


def by_kind(state: ChangeState, kind: str):
    return next(c for c in state.result.changes if c.change == kind)


# --- the two dates --------------------------------------------------------------------------


def test_dates_come_from_names_or_are_typed(work, dates):
    _, state = work
    assert state.dates(dates[0]) == ("2016", "2020")
    state.type_dates("2015-03", "")
    assert state.dates(dates[0]) == ("2015-03", "2020")
    state.swap()
    assert [p.name for p in state.pictures(dates[0])] == ["place_2020.png", "place_2016.png"]
    assert state.dates(dates[0]) == ("2020", "2015-03")
    assert state.result is None


def test_a_swap_keeps_a_truth_without_kinds_only(work):
    _, state = work
    plain = TrueChanges.of_objects(Instances([house("new", 1)], SHAPE), "mask")
    state.truth = plain
    state.swap()
    assert state.truth is plain
    kind = dataclasses.replace(plain.objects[0], kind="new")
    state.truth = TrueChanges("exact", plain.changed, (kind,))
    state.swap()
    assert state.truth is None


def test_each_method_has_a_result_of_its_own(work):
    _, state = work
    state.choose("vectors")
    assert state.result is None
    state.choose(OURS)
    assert state.result is not None


def test_another_size_of_a_pixel_aligns_again(work, dates):
    _, state = work
    assert state.fits(dates[0])
    assert not state.fits(dates[0].with_gsd(0.5))


def no_model():
    pytest.fail("needs no model")


# --- in the background ----------------------------------------------------------------------


def test_align_and_compare_in_the_background(dates):
    session = Session(dates[0])
    state = change_state(session)
    with pytest.raises(ChangeError, match="second date first"):
        state.start_align(dates[0])
    state.open(dates[1])
    assert state.start_align(dates[0]).wait(PATIENCE)
    assert state.collect(dates[0])
    assert state.error is None
    assert state.fits(dates[0])
    assert state.alignment.residual_px < 1
    first, vectors = state.alignment, Wishes("vectors")
    assert state.start_compare(dates[0], vectors, no_model).wait(PATIENCE)
    assert state.collect(dates[0])
    assert state.result.method == "vectors"
    assert state.alignment is first
    assert not state.collect(dates[0])
    # Another light needs another alignment; what was found stays until it is there.
    other = Wishes("difference", radiometry="none")
    assert state.start_compare(dates[0], other, no_model).wait(PATIENCE)
    assert state.result.method == "vectors"
    assert state.collect(dates[0])
    assert (set(state.found), state.wishes) == ({"difference"}, other)
    assert state.fits(dates[0])
    assert np.array_equal(state.alignment.tone.table[:, 0], np.arange(256))


def test_the_same_file_twice_is_said(dates):
    session = Session(dates[0])
    state = change_state(session)
    state.open(dates[0])
    assert state.start_align(dates[0]).wait(PATIENCE)
    state.collect(dates[0])
    assert "same picture" in str(state.error)
    assert not state.fits(dates[0])


def test_a_result_for_other_pictures_is_dropped(dates):
    session = Session(dates[0])
    state = change_state(session)
    state.open(dates[1])
    assert state.start_align(dates[0]).wait(PATIENCE)
    state.collect(dates[0].with_gsd(0.5))
    assert state.alignment is None
    assert session.jobs.get(ALIGN) is None


# --- thresholds and checks ------------------------------------------------------------------


def test_a_threshold_acts_at_once_and_holds(work, dates):
    _, state = work
    assert {c.change for c in state.result.changes} >= {"gone", "new"}
    state.threshold(0.92)
    assert "gone" not in {c.change for c in state.result.changes}
    state.keep(compared(*dates), OURS)
    assert "gone" not in {c.change for c in state.result.changes}
    state.threshold(None)
    assert state.thresholds == {}


def test_checks_are_steps_that_can_be_undone(work):
    _, state = work
    review, new, gone = state.review, by_kind(state, "new"), by_kind(state, "gone")
    review.check([new], True)
    review.check([new, gone], False)
    assert (review.said_of(new), review.said_of(gone)) == (False, False)
    assert review.undoable == "Refuse 2 changes"
    review.undo()
    assert (review.said_of(new), review.said_of(gone)) == (True, None)
    assert (review.undoable, review.redoable) == ("Accept 1 change", "Refuse 2 changes")
    review.redo()
    assert review.said_of(gone) is False
    review.check([gone], None)
    assert review.said_of(gone) is None
    review.check([], True)
    review.check([gone], None)
    assert review.undoable == "Take back 1 change"
    for _ in range(5):
        review.undo()
    assert review.checks.marks == {}
    assert review.undoable == ""


def test_a_check_follows_its_change_through_thresholds(work):
    _, state = work
    new = by_kind(state, "new")
    state.review.check([new], True)
    # As high as it may be with this one still there.
    state.threshold(new.probability - 0.001)
    assert state.review.said_of(by_kind(state, "new")) is True


# --- projects -------------------------------------------------------------------------------


def again(session: Session, scene, image: bool):
    content = scene.file_bytes() if image else None
    state = load_project(save_project(to_state(session, content)))
    return from_state(state, scene)


def test_a_project_with_images_brings_all_of_it_back(work, dates):
    session, state = work
    state.type_dates("2016-05", "2020-05")
    state.threshold(0.6)
    state.review.check([by_kind(state, "new")], True)
    back = change_state(again(session, dates[0], True))
    assert back.second.content_hash == dates[1].content_hash
    assert back.waiting is None
    assert back.thresholds == {OURS: 0.6}
    assert back.typed == ("2016-05", "2020-05")
    assert [c.change for c in back.result.changes] == [c.change for c in state.result.changes]
    assert back.review.said_of(by_kind(back, "new")) is True
    assert back.fits(dates[0])


def test_without_its_image_the_second_date_is_waited_for(work, dates):
    session, state = work
    state.review.check([by_kind(state, "gone")], False)
    made = again(session, dates[0], False)
    back = change_state(made)
    assert (back.second, back.waiting.name) == (None, "place_2020.png")
    assert not back.empty
    with pytest.raises(ChangeError, match="not the second date"):
        give_second(back, scenes(seed=9)[1], dates[0])
    # What waits is kept when it is saved once more.
    third = change_state(again(made, dates[0], False))
    give_second(third, dates[1], dates[0], Origin("folder", "x.png"))
    assert third.review.said_of(by_kind(third, "gone")) is False
    assert third.origin == Origin("folder", "x.png")


def test_begin_with_another_second_date(work, dates):
    session, _ = work
    back = change_state(again(session, dates[0], False))
    back.forget()
    give_second(back, scenes(seed=9)[1], dates[0])
    assert back.second is not None
    assert back.result is None


def test_only_a_second_date_counts_as_work(dates):
    session = Session(dates[0])
    assert is_empty(session)
    change_state(session).open(dates[1])
    assert not is_empty(session)
    assert has_work(to_state(session))
    change_state(session).forget()
    assert is_empty(session)
    assert to_state(session).change is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: f.pop("second"),
        lambda f: f["wishes"].__setitem__("method", "magic"),
        lambda f: f["wishes"].__setitem__("radiometry", "magic"),
        lambda f: f.__setitem__("checks", [["new", 1, 2, True]]),
        lambda f: f.__setitem__("thresholds", {OURS: "much"}),
        lambda f: f.__setitem__("typed", ["2016"]),
    ],
)
def test_damage_of_a_project_is_told(work, dates, spoil):
    session, _ = work
    state = to_state(session)
    facts = json.loads(json.dumps(state.change.facts))
    spoil(facts)
    state = dataclasses.replace(state, change=dataclasses.replace(state.change, facts=facts))
    with pytest.raises(ProjectError, match="damaged"):
        from_state(state, dates[0])


def test_old_projects_know_of_no_second_date(dates):
    state = to_state(Session(dates[0]))
    assert state.change is None
    assert change_state(from_state(load_project(save_project(state)), dates[0])).empty


def test_another_size_of_the_scene_takes_the_second_date_away(work, dates):
    session, _ = work
    smaller = cv2.imencode(".png", pictures()[0][:100])[1].tobytes()
    session.change_scene(rsam.open_scene(smaller, name="smaller.png"))
    assert change_state(session).empty
