"""A state of which each step can be undone, for what is kept beside the prompts."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

MAX_STEPS = 100
"""Steps that can be undone; older ones are forgotten."""


class Named(Protocol):
    """An immutable state that tells which step led to it."""

    @property
    def what(self) -> str:
        """The step in words, for the undo button."""
        ...


State = TypeVar("State", bound=Named)


class Steps(Generic[State]):
    """A state, those before it, and those that were undone; its owner's lock is held.

    Parameters
    ----------
    now : State

    Attributes
    ----------
    now : State
        To be replaced where that is no step of a person's own, such as an answer that arrives.
    """

    def __init__(self, now: State) -> None:
        self.now = now
        self._past: tuple[State, ...] = ()
        self._future: tuple[State, ...] = ()

    def put(self, state: State) -> None:
        """Go on to another state, as one step."""
        self._past, self._future = (*self._past, self.now)[-MAX_STEPS:], ()
        self.now = state

    @property
    def undoable(self) -> str:
        """What undo would take back, in words; empty for nothing."""
        return self.now.what if self._past else ""

    @property
    def redoable(self) -> str:
        """What redo would do again, in words; empty for nothing."""
        return self._future[-1].what if self._future else ""

    def undo(self) -> bool:
        """Take back the last step; False if there is none."""
        if not self._past:
            return False
        self._future = (*self._future, self.now)
        self.now, self._past = self._past[-1], self._past[:-1]
        return True

    def redo(self) -> bool:
        """Do again what was taken back last; False if there is nothing."""
        if not self._future:
            return False
        self._past = (*self._past, self.now)
        self.now, self._future = self._future[-1], self._future[:-1]
        return True
