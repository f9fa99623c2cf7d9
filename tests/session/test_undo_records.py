"""Undo and redo survive a project file; what is wrong in them is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.errors import ProjectError
from rsam_core.objects.instance import Instance
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session import undo_records
from rsam_core.session.project import load_project, save_project
from rsam_core.session.project_state import from_state, to_state
from rsam_core.session.session import Session
from rsam_core.session.undo_records import SavedSteps, from_steps
from tests.helpers.boxes import painter, plain
from tests.helpers.session import areas, automatic, fresh, squares

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def again(session: Session, *, model: bool = True) -> Session:
    """The session as another start of the app brings it back, from the bytes of its file."""
    state = load_project(save_project(to_state(session, undo=True)))
    scene = rsam.open_scene(plain(), name="plain.png")
    back = from_state(state, scene)
    segmenter = Segmenter(painter())

    def embed(view):
        assert model, "what was answered before is not asked again"
        return segmenter.embed(back.image.shown)

    back.answers.use(Prompter(segmenter, embed, back.image.overview))
    return back


def worked() -> Session:
    """Two boxes, the first one enlarged by hand, a third object drawn, the second removed."""
    session = fresh()
    session.update(lambda book: book.add_box(10, 10, 30, 30))
    session.update(lambda book: book.add_box(50, 10, 80, 50))
    shown = session.shown()
    first = shown.objects.get(1)
    larger = replace(first, mask=np.ones((first.mask.shape[0] + 9, first.mask.shape[1]), bool))
    drawn = Instance(np.ones((5, 7), bool), 100, 60, source="drawn", label="pool")
    items = [larger if item.id == 1 else item for item in shown.objects]
    session.commit(shown, rsam.Instances(items, shown.objects.shape), "Enlarge object 1")
    shown = session.shown()
    objects = rsam.Instances([*shown.objects, drawn], shown.objects.shape, next_id=9)
    session.commit(shown, objects, "Draw object 9")
    session.remove([2])
    return session


def history(session: Session) -> list[dict[int, int]]:
    """Areas by number: now, and after each step back."""
    found = [areas(session)]
    while session.marks.book.past:
        session.marks.undo()
        found.append(areas(session))
    return found


def test_each_step_back_and_forth_is_the_same_after_a_restart():
    session = worked()
    back = again(session)
    titles = [step.what for step in session.marks.book.past]
    assert [step.what for step in back.marks.book.past] == titles
    expected = history(session)
    assert len(expected) == 6
    assert len({tuple(found.items()) for found in expected}) == 6
    assert history(back) == expected
    while session.marks.book.future:
        session.marks.redo()
        back.marks.redo()
        assert areas(back) == areas(session)


def test_steps_that_were_undone_can_be_done_again_after_a_restart():
    session = worked()
    whole = areas(session)
    session.marks.undo()
    session.marks.undo()
    back = again(session)
    assert areas(back) == areas(session)
    back.marks.redo()
    back.marks.redo()
    assert areas(back) == whole


def test_present_objects_need_no_model():
    assert areas(again(worked(), model=False)) == areas(worked())


def test_an_outline_can_go_back_to_what_the_model_gave():
    """A shape that was changed by hand is no answer of the model."""
    session = fresh()
    session.update(lambda book: book.add_box(10, 10, 30, 30))
    before = areas(session)
    shown = session.shown()
    item = replace(shown.objects[0], mask=np.ones((3, 3), bool))
    session.commit(shown, rsam.Instances([item], shown.objects.shape), "Shrink object 1")
    back = again(session, model=False)
    assert areas(back) == {1: 9}
    back.marks.undo()
    assert areas(back) == before


def test_what_the_automatic_mode_found_comes_back_with_its_numbers_and_edits():
    session = fresh()
    session.update(lambda book: book.step("Everything", extra=automatic(squares([3, 4, 5]))))
    found = areas(session)
    assert sorted(found.values()) == [9, 16, 25]
    session.remove([min(found)])
    kept = areas(session)
    back = again(session)
    assert areas(back) == kept
    back.marks.undo()
    assert areas(back) == found
    back.marks.undo()
    assert areas(back) == {}
    # No number is given again.
    back.update(lambda book: book.add_box(10, 10, 30, 30))
    assert max(areas(back)) > max(found)


def test_files_for_others_do_not_tell_what_was_removed():
    state = load_project(save_project(to_state(worked())))
    assert state.undo is None
    assert 2 not in state.instances.ids


def test_only_so_many_of_the_latest_steps_are_kept(monkeypatch):
    monkeypatch.setattr(undo_records, "MAX_OBJECTS", 10)
    session = fresh()
    session.update(lambda book: book.step("Everything", extra=automatic(squares([3] * 8))))
    for number in list(areas(session))[:5]:
        session.remove([number])
    back = again(session)
    steps = history(back)
    assert 1 < len(steps) < 6
    assert steps == history(session)[: len(steps)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda facts: facts["now"].update(edits=99),
        lambda facts: facts["now"].update(edits=-1),
        lambda facts: facts.pop("past"),
        lambda facts: facts["past"][0].update(entries=[0, 0]),
        lambda facts: facts["edits"][0].update(removed=["x"]),
        lambda facts: facts["answers"].append([0, 1]),
        lambda facts: facts["entries"][0]["marks"][0].update(x=-5),
    ],
)
def test_a_damaged_record_is_refused(damage):
    saved = to_state(worked(), undo=True).undo
    facts = json.loads(json.dumps(saved.facts))
    from_steps(SavedSteps(facts, saved.items), 160, 120)
    damage(facts)
    with pytest.raises(ProjectError, match="earlier save"):
        from_steps(SavedSteps(facts, saved.items), 160, 120)
