"""What a person says of the changes that were found: accepted or refused, with undo."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from rsam_core.change.findings import Change
from rsam_core.session.steps import Steps

Place = tuple[str, int, int, int, int, int]
"""What a change is known by, whatever its number: verdict, box and area of its outline."""


@dataclass(frozen=True)
class Checks:
    """What a person said of changes; immutable, so that a step is undone by the one before.

    Attributes
    ----------
    marks : mapping of Place to bool
        True for accepted, False for refused.
    what : str
        The step that led here, for the undo button.
    """

    marks: Mapping[Place, bool] = field(default_factory=lambda: MappingProxyType({}))
    what: str = ""


def place_of(change: Change) -> Place:
    """What a change is known by."""
    outline = change.outline
    return (change.change, *outline.bbox, outline.area)


class Review:
    """The checks of two dates, each step undone by the one before; safe between threads.

    Parameters
    ----------
    checks : Checks, optional
        To begin with, as a project kept them.
    """

    def __init__(self, checks: Checks | None = None) -> None:
        self._lock = threading.RLock()
        self._steps = Steps(checks or Checks())

    @property
    def checks(self) -> Checks:
        """What was said until now."""
        return self._steps.now

    def check(self, changes: Sequence[Change], accepted: bool | None) -> None:
        """Accept or refuse changes, or take back what was said of them, as one step."""
        if not changes:
            return
        with self._lock:
            marks = dict(self.checks.marks)
            for change in changes:
                if accepted is None:
                    marks.pop(place_of(change), None)
                else:
                    marks[place_of(change)] = accepted
            if marks == dict(self.checks.marks):
                return
            verb = {True: "Accept", False: "Refuse", None: "Take back"}[accepted]
            some = "1 change" if len(changes) == 1 else f"{len(changes):,} changes"
            self._steps.put(Checks(MappingProxyType(marks), f"{verb} {some}"))

    def said_of(self, change: Change) -> bool | None:
        """Whether a person accepted a change; None if it was not looked at."""
        return self.checks.marks.get(place_of(change))

    @property
    def undoable(self) -> str:
        """What undo would take back, in words; empty for nothing."""
        return self._steps.undoable

    @property
    def redoable(self) -> str:
        """What redo would do again."""
        return self._steps.redoable

    def undo(self) -> None:
        """Take back the last step."""
        with self._lock:
            self._steps.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        with self._lock:
            self._steps.redo()
