"""Steps: each is undone by the one before, and done again, until another comes."""

from __future__ import annotations

from dataclasses import dataclass

from rsam_core.session import steps
from rsam_core.session.steps import Steps


@dataclass(frozen=True)
class State:
    value: int
    what: str = ""


def test_undo_and_redo_walk_the_same_way():
    book = Steps(State(0))
    assert (book.undoable, book.redoable) == ("", "")
    assert not book.undo()
    assert not book.redo()
    book.put(State(1, "one"))
    book.put(State(2, "two"))
    assert (book.undoable, book.redoable) == ("two", "")
    assert book.undo()
    assert (book.now.value, book.undoable, book.redoable) == (1, "one", "two")
    assert book.undo()
    assert (book.now.value, book.undoable, book.redoable) == (0, "", "one")
    assert book.redo()
    assert book.now.value == 1


def test_another_step_forgets_what_was_undone():
    book = Steps(State(0))
    book.put(State(1, "one"))
    book.undo()
    book.put(State(2, "two"))
    assert not book.redo()
    assert book.now.value == 2


def test_a_state_that_is_replaced_is_no_step():
    book = Steps(State(0))
    book.put(State(1, "one"))
    book.now = State(7, "one")
    book.undo()
    assert book.now.value == 0
    book.redo()
    assert book.now.value == 7


def test_the_oldest_steps_are_forgotten(monkeypatch):
    monkeypatch.setattr(steps, "MAX_STEPS", 3)
    book = Steps(State(0))
    for value in range(1, 6):
        book.put(State(value, str(value)))
    while book.undo():
        pass
    assert book.now.value == 2
