"""A class board: who works on an exercise, and how far they are. Kept in memory only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.exercise import Assignment
from rsam_core.evaluate.learn.result import Result, Score, clean_name, distinct_names
from rsam_core.runtime.language import N_, _

MAX_PUPILS = 60
WAITING, WORKING, DONE, FILE = "waiting", "working", "done", "file"
STATES = {
    WAITING: N_("has joined"),
    WORKING: N_("working"),
    DONE: N_("done"),
    FILE: N_("from a file"),
}
"""What a pupil is doing, as messages that are only marked."""


@dataclass(frozen=True, eq=False)
class Pupil:
    """One pupil of a board.

    Attributes
    ----------
    number : int
        From 1, in the order in which they came.
    given : str
        The name that was given, made distinct; may be empty.
    attempt : Attempt or None
        None where the result came as a file.
    result : Result or None
        What was handed in.
    """

    number: int
    given: str
    attempt: Attempt | None = field(default=None, repr=False)
    result: Result | None = None

    @property
    def name(self) -> str:
        """The name, or else the number, in the language in use."""
        return self.given or _("Pupil {number}").format(number=self.number)

    @property
    def state(self) -> str:
        """A key of `STATES`."""
        if self.attempt is None:
            return FILE
        if self.result is not None:
            return DONE
        return WAITING if self.attempt.started is None else WORKING


@dataclass(frozen=True)
class Row:
    """A line of the board.

    Attributes
    ----------
    number : int
    name : str
    state : str
        A key of `STATES`.
    at : int
        Which object is worked on, from 1; all of them once it is done.
    iou : float or None
        Mean of all objects; None before it is done.
    clicks : int
    seconds : float or None
        None before it is done.
    scores : tuple of Score
        Of each object; empty before it is done.
    """

    number: int
    name: str
    state: str
    at: int
    iou: float | None
    clicks: int
    seconds: float | None
    scores: tuple[Score, ...] = ()


class Board:
    """One board; not safe between threads by itself, see `rsam_core.evaluate.learn.boards`.

    Parameters
    ----------
    task : Assignment
    owner : str
        Whose board it is.
    now : float
        Time at which it is opened.
    """

    def __init__(self, task: Assignment, owner: str, now: float) -> None:
        self.task, self.owner, self.seen = task, owner, now
        self.shown: int | None = None
        self.named = True
        self._pupils: dict[int, Pupil] = {}
        self._present: dict[str, int] = {}
        self._next = 1

    @property
    def pupils(self) -> list[Pupil]:
        """All of them, in the order in which they came."""
        return list(self._pupils.values())

    def pupil(self, who: str) -> Pupil | None:
        """The pupil who works in that browser now."""
        return self._pupils.get(self._present.get(who, 0))

    def number(self, number: int) -> Pupil | None:
        """The pupil of that number."""
        return self._pupils.get(number)

    def join(self, who: str, name: str, other: bool) -> Pupil:
        """Come to the board, or come back to it."""
        known = self.pupil(who)
        if known is not None and not other:
            return known
        pupil = self._add(name, Attempt.of(self.task), None)
        self._present[who] = pupil.number
        return pupil

    def keep(self, who: str, number: int, attempt: Attempt, name: str) -> Pupil | None:
        """Note how far a pupil is; what is finished is handed in, and stays as it is."""
        pupil = self.pupil(who)
        if pupil is None or pupil.number != number:
            return None
        if pupil.result is None:
            result = Result.of(self.task, attempt, name) if attempt.finished else None
            pupil = self._pupils[number] = replace(pupil, attempt=attempt, result=result)
        return pupil

    def collect(self, result: Result) -> Pupil:
        """Take a result that came as a file; the same one twice is one."""
        if result.exercise != self.task.key or len(result.scores) != self.task.count:
            raise LearnError(
                _("The result of {name} belongs to another exercise, so it cannot stand on this "
                  "board.").format(name=result.name or _("an unnamed pupil"))
            )  # fmt: skip
        for pupil in self.pupils:
            known = pupil.result.id if pupil.result else pupil.attempt.id if pupil.attempt else ""
            if known == result.id:
                if pupil.result is None:
                    # Whoever lost the connection handed in a file instead.
                    pupil = self._pupils[pupil.number] = replace(pupil, result=result)
                return pupil
        return self._add(result.name, None, result)

    def remove(self, number: int) -> None:
        """Take a pupil off the board."""
        self._pupils.pop(number, None)
        for who in [who for who, its in self._present.items() if its == number]:
            del self._present[who]
        if self.shown == number:
            self.shown = None

    def rows(self) -> list[Row]:
        """A line for each pupil."""
        return [_row(pupil, self.task.count) for pupil in self.pupils]

    def _add(self, name: str, attempt: Attempt | None, result: Result | None) -> Pupil:
        if len(self._pupils) >= MAX_PUPILS:
            raise LearnError(
                _("This board is full: it has {most} places. Ask your teacher to remove somebody, "
                  "or to open another board.").format(most=MAX_PUPILS)
            )  # fmt: skip
        names = [pupil.given for pupil in self.pupils]
        given = distinct_names([*names, clean_name(name)])[-1]
        pupil = self._pupils[self._next] = Pupil(self._next, given, attempt, result)
        self._next += 1
        return pupil


def _row(pupil: Pupil, count: int) -> Row:
    result, attempt = pupil.result, pupil.attempt
    if result is not None:
        return Row(
            pupil.number, pupil.name, pupil.state, count, result.iou, result.clicks,
            result.seconds, result.scores,
        )  # fmt: skip
    at = 0 if attempt.started is None else attempt.at + 1
    return Row(pupil.number, pupil.name, pupil.state, at, None, attempt.clicks, None)


def table(rows: Sequence[Row]) -> bytes:
    """The board as CSV for spreadsheets, in the language in use, with each object's score."""
    import pandas as pd

    from rsam_core.formats.tables import to_csv

    lines = []
    for row in rows:
        line = {
            _("name"): row.name,
            _("state"): _(STATES[row.state]),
            _("mean IoU"): row.iou,
            _("clicks"): row.clicks,
            _("seconds"): row.seconds,
        }
        for place, score in enumerate(row.scores, 1):
            line[_("IoU of object {number}").format(number=place)] = score.iou
            line[_("clicks on object {number}").format(number=place)] = score.clicks
        lines.append(line)
    return to_csv(pd.DataFrame(lines))
