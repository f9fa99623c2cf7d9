"""What a lesson is made of: its texts, its checks, its plan for the teacher, its worksheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Check:
    """Something to do in a lesson, that shows whether it was understood.

    Attributes
    ----------
    key : str
    task : str
        What to do, as a message that is only marked (`N_`).
    judge : callable
        Told what the lesson's page reports of its controls and results (see the lesson's
        `report`), it says whether the task is done.
    hint : str
        What helps whoever is stuck, as a marked message.
    """

    key: str
    task: str
    judge: Callable[[Mapping[str, Any]], bool] = field(repr=False)
    hint: str = ""

    def is_done(self, report: Mapping[str, Any]) -> bool:
        """Whether the page's report fulfils the task; what it lacks is not done yet."""
        try:
            return bool(self.judge(report))
        except (KeyError, TypeError):
            return False


@dataclass(frozen=True)
class Step:
    """A part of the hour: how long it takes, and what happens. The text is a marked message."""

    minutes: int
    text: str


@dataclass(frozen=True)
class Plan:
    """How to teach a lesson. All texts are marked messages.

    Attributes
    ----------
    goals : tuple of str
        What pupils can do afterwards.
    needs : tuple of str
        What must be there beforehand, beside RSAM.
    steps : tuple of Step
        The hour in order.
    talk : tuple of str
        Questions to talk about, which have more than one good answer.
    """

    goals: tuple[str, ...]
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    talk: tuple[str, ...] = ()

    @property
    def minutes(self) -> int:
        """How long all steps take."""
        return sum(step.minutes for step in self.steps)


@dataclass(frozen=True, eq=False)
class Task:
    """A question of a worksheet, in the language in use.

    Attributes
    ----------
    question, answer : str
        The answer stands on the second page; its numbers are computed, not written down.
    picture : ndarray, optional
        (H, W, 3) uint8 RGB, shown below the question.
    caption : str
        Of the picture: what it shows, for those who do not see it.
    lines : int
        How many empty lines there are to write on.
    """

    question: str
    answer: str
    picture: NDArray[np.uint8] | None = field(default=None, repr=False)
    caption: str = ""
    lines: int = 3


@dataclass(frozen=True)
class Lesson:
    """One of the nine lessons. All texts are marked messages.

    Attributes
    ----------
    key : str
        As it stands in addresses.
    number : int
        From 1.
    title, question : str
        The question is the one that the lesson begins with, and that it answers.
    minutes : int
    checks : tuple of Check
        Three, answered by doing.
    simplifies : tuple of str
        Where the lesson says less than the whole truth.
    plan : Plan
    worksheet : callable
        Makes the tasks of the worksheet, in the language in use.
    cover : callable
        Makes the small picture of the lesson, (240, 400, 3) uint8 RGB, by what it teaches.
    """

    key: str
    number: int
    title: str
    question: str
    minutes: int
    checks: tuple[Check, ...]
    simplifies: tuple[str, ...]
    plan: Plan
    worksheet: Callable[[], tuple[Task, ...]] = field(repr=False)
    cover: Callable[[], NDArray[np.uint8]] = field(repr=False)

    def done(self, report: Mapping[str, Any]) -> frozenset[str]:
        """Keys of the checks that a report fulfils."""
        return frozenset(check.key for check in self.checks if check.is_done(report))
