"""The prompt book: objects, undo, and what it takes over from the canvas."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import PromptError
from rsam_core.objects.edits import Edits
from rsam_core.prompts.history import UNDO_STEPS, PromptedObject, PromptHistory
from rsam_core.scene.coordinates import Frame


def layout(book: PromptHistory) -> list[tuple[int, list[str]]]:
    """Objects and their marks in a readable form."""
    names = {("point", 1): "+", ("point", 0): "-", ("box", 1): "box"}
    return [(e.id, [names[m.kind, m.label] for m in e.marks]) for e in book.entries]


def all_uids(book: PromptHistory) -> list[int]:
    return [mark.uid for entry in book.entries for mark in entry.marks]


# ------------------------------------------------------------------ objects


def test_points_group_to_the_current_object_until_a_new_one_is_asked_for():
    book = PromptHistory().add_point(1, 1).add_point(2, 2, 0).new_object().add_point(9, 9)
    assert layout(book) == [(1, ["+", "-"]), (2, ["+"])]
    assert book.current == 2
    assert layout(book.select(1).add_point(3, 3)) == [(1, ["+", "-", "+"]), (2, ["+"])]


def test_every_box_is_an_object_of_its_own():
    book = PromptHistory().add_box(0, 0, 5, 5).add_box(10, 10, 15, 15)
    assert layout(book) == [(1, ["box"]), (2, ["box"])]
    assert [e.source for e in book.entries] == ["box", "box"]


def test_point_after_a_box_refines_it():
    book = PromptHistory().add_box(0, 0, 5, 5).add_point(2, 2, 0)
    assert layout(book) == [(1, ["box", "-"])]
    prompt = book.entries[0].prompt()
    assert prompt.box.tolist() == [0, 0, 5, 5]
    assert prompt.points.tolist() == [[2, 2]]
    assert prompt.labels.tolist() == [0]
    assert book.entries[0].source == "box+point"


def test_box_after_points_starts_another_object():
    assert layout(PromptHistory().add_point(1, 1).add_box(0, 0, 5, 5)) == [(1, ["+"]), (2, ["box"])]


def test_own_objects_make_every_click_an_object():
    book = PromptHistory()
    for x in range(3):
        book = book.add_point(x, 0, own_object=True)
    assert layout(book) == [(1, ["+"]), (2, ["+"]), (3, ["+"])]


def test_first_marks_of_an_entry_as_a_prompt():
    entry = PromptHistory().add_box(4, 3, 1, 2).add_point(2, 2).add_point(9, 9, 0).entries[0]
    assert entry.prompt(1).box.tolist() == [1, 2, 4, 3]
    assert len(entry.prompt(1).points) == 0
    assert entry.prompt(2).labels.tolist() == [1]
    assert entry.prompt(3).labels.tolist() == entry.prompt().labels.tolist() == [1, 0]


def test_box_without_area_is_refused():
    with pytest.raises(PromptError, match="no area"):
        PromptHistory().add_box(3, 3, 3, 9)


def test_removing_a_mark_an_object_and_everything():
    book = PromptHistory().add_point(1, 1).add_point(2, 2).add_box(0, 0, 5, 5)
    first, second, third = all_uids(book)
    assert layout(book.remove_mark(first)) == [(1, ["+"]), (2, ["box"])]
    assert all_uids(book.remove_mark(first)) == [second, third]
    without_box = book.remove_mark(third)
    assert layout(without_box) == [(1, ["+", "+"])]
    assert without_box.current is None
    assert layout(book.remove(1)) == [(2, ["box"])]
    assert book.remove(1).current == 2
    assert book.clear().entries == ()
    assert layout(book.clear().undo()) == layout(book)
    assert not PromptHistory().clear().past


def test_number_of_a_removed_object_is_not_given_away_again():
    book = PromptHistory().add_box(0, 0, 5, 5).remove(1).add_box(0, 0, 5, 5)
    assert layout(book) == [(2, ["box"])]


def test_numbering_begins_again_after_clear_unless_others_have_numbers():
    book = PromptHistory().add_point(1, 1).add_box(0, 0, 5, 5)
    again = book.clear().add_point(3, 3)
    assert layout(again) == [(1, ["+"])]
    # What comes back keeps its numbers, and nothing new is given one of them.
    back = again.undo().undo()
    assert layout(back) == layout(book)
    assert layout(back.add_box(6, 6, 9, 9))[-1] == (3, ["box"])
    numbered = book.numbered(["roof"])
    assert layout(numbered.clear().add_point(3, 3)) == [(4, ["+"])]


def test_a_click_can_be_moved_to_another_object_and_back():
    book = PromptHistory().add_point(1, 1).add_point(50, 50, own_object=True)
    joined = book.move_mark(2, 1)
    assert layout(joined) == [(1, ["+", "+"])]
    assert (joined.current, joined.past[-1].what) == (1, "Click to object 1")
    apart = joined.move_mark(2, 2)
    assert (layout(apart), apart.current) == (layout(book), 2)
    assert layout(apart.undo()) == layout(joined)
    assert book.move_mark(2, 2) is book.move_mark(9, 1) is book


def test_a_preferred_candidate_stands_only_where_nobody_has_chosen():
    book = PromptHistory().add_point(1, 1)
    assert book.prefer(1, (2,)).entries[0].chosen() == (2,)
    assert len(book.prefer(1, (2,)).past) == len(book.past)
    picked = book.choose(1, (1,))
    assert picked.prefer(1, (2,)) is picked.prefer(9, (2,)) is picked


def test_selecting_what_is_not_there_selects_nothing():
    assert PromptHistory().add_point(1, 1).select(7).current is None


# ------------------------------------------------------------------ choices


def test_chosen_candidates_belong_to_a_number_of_marks():
    book = PromptHistory().add_point(1, 1)
    assert book.entries[0].chosen() == (0,)
    book = book.choose(1, [2, 1]).add_point(2, 2)
    entry = book.entries[0]
    assert entry.chosen(1) == (1, 2)
    assert entry.chosen() == entry.chosen(2) == (0,)
    assert book.choose(1, [1]).entries[0].choices == ((1, (1, 2)), (2, (1,)))


def test_choice_can_be_undone_and_ends_when_a_mark_is_removed():
    book = PromptHistory().add_point(1, 1).add_point(2, 2).choose(1, [1])
    assert book.undo().entries[0].chosen() == (0,)
    assert book.undo().redo().entries[0].chosen() == (1,)
    assert book.remove_mark(1).entries[0].choices == ()


@pytest.mark.parametrize(("id", "candidates"), [(1, []), (5, [0])])
def test_impossible_choice_is_refused(id, candidates):
    with pytest.raises(PromptError, match="at least one of the proposed masks"):
        PromptHistory().add_point(1, 1).choose(id, candidates)


# ------------------------------------------------------------------ undo


def test_fifty_steps_back_and_forth():
    assert UNDO_STEPS >= 50
    books = [PromptHistory()]
    for i in range(UNDO_STEPS):
        books.append(books[-1].add_point(i, i, own_object=i % 3 == 0))
    book = books[-1]
    for earlier in reversed(books[:-1]):
        book = book.undo()
        assert (book.entries, book.current) == (earlier.entries, earlier.current)
    assert book.undo() is book
    for later in books[1:]:
        book = book.redo()
        assert (book.entries, book.current) == (later.entries, later.current)
    assert book.redo() is book


def test_memory_for_undo_has_an_end():
    book = PromptHistory()
    for i in range(UNDO_STEPS + 20):
        book = book.add_point(i, i)
    for _ in range(UNDO_STEPS + 20):
        book = book.undo()
    assert len(book.entries[0].marks) == 20


def test_new_action_ends_redo():
    book = PromptHistory().add_point(1, 1).add_point(2, 2).undo().add_point(3, 3)
    assert book.redo() is book
    assert [m.x for m in book.entries[0].marks] == [1, 3]


@pytest.mark.parametrize("seed", range(6))
def test_random_walk_undoes_to_the_start_and_numbers_stay_unique(seed):
    rng = np.random.default_rng(seed)
    book = PromptHistory()
    ids_of: dict[int, int] = {}
    for _ in range(45):
        action = rng.integers(9)
        x, y = (float(v) for v in rng.uniform(0, 90, 2))
        known = [e.id for e in book.entries]
        if action <= 2:
            book = book.add_point(x, y, int(rng.integers(2)), own_object=bool(rng.random() < 0.2))
        elif action == 3:
            book = book.add_box(x, y, x + 5, y + 5)
        elif action == 4:
            book = book.new_object()
        elif action == 5 and known:
            book = book.select(int(rng.choice(known)))
        elif action == 6 and known:
            book = book.choose(int(rng.choice(known)), [int(rng.integers(3))])
        elif action == 7 and known:
            book = book.remove_mark(int(rng.choice(all_uids(book))))
        elif action == 8:
            book = book.undo() if rng.random() < 0.7 else book.redo()
        ids = [e.id for e in book.entries]
        assert len(set(ids)) == len(ids)
        uids = all_uids(book)
        assert len(set(uids)) == len(uids)
        assert all(e.marks for e in book.entries)
        assert book.current is None or book.current in ids
        for entry in book.entries:
            for mark in entry.marks:
                # A mark's number never comes to mean a mark of another object.
                assert ids_of.setdefault(mark.uid, entry.id) == entry.id
    reached = book
    steps = 0
    while book.past:
        book = book.undo()
        steps += 1
    assert (book.entries, book.current) == ((), None)
    for _ in range(steps):
        book = book.redo()
    assert (book.entries, book.current) == (reached.entries, reached.current)


# ------------------------------------------------------------------ edits and their undo


def test_edits_and_prompts_share_one_undo():
    first = Edits(removed=frozenset({7}))
    book = PromptHistory().add_point(1, 1).edited(first, "Remove object 7").add_point(2, 2)
    assert [step.what for step in book.past] == [
        "Click for object 1",
        "Remove object 7",
        "Click for object 1",
    ]
    assert book.edits is first
    book = book.undo()
    assert book.edits is first
    assert book.past[-1].what == "Remove object 7"
    book = book.undo()
    assert not book.edits
    assert layout(book) == [(1, ["+"])]
    assert book.future[-1].what == "Remove object 7"
    assert book.redo().edits is first


def test_an_edit_takes_prompts_of_what_is_gone_along():
    book = PromptHistory().add_box(0, 0, 5, 5).add_box(10, 10, 15, 15)
    edited = book.edited(Edits(), "Merge 2 objects", gone=[2])
    assert layout(edited) == [(1, ["box"])]
    assert edited.current is None
    assert layout(edited.undo()) == layout(book)


def test_numbers_of_edited_objects_are_not_given_to_prompts():
    book = PromptHistory().edited(Edits(labels={41: "roof"}), "Label").add_point(1, 1)
    assert book.entries[0].id == 42


def test_what_else_undo_brings_back():
    book = PromptHistory().step("Find everything", extra="found").add_point(1, 1)
    assert book.undo().extra == "found"
    assert book.undo().undo().extra is None
    assert book.undo().undo().redo().extra == "found"


def test_marks_know_the_view_they_were_made_in():
    view = Frame(100, 200, 50, 40, 50, 40)
    book = PromptHistory().add_point(110, 210, view=view).add_box(105, 205, 120, 230, view=view)
    assert [mark.view for entry in book.entries for mark in entry.marks] == [view, view]


def test_entry_without_marks_has_nothing_to_find():
    with pytest.raises(PromptError, match="Nothing is marked"):
        PromptedObject(1).prompt()
