"""One pupil's work on an exercise: prompts, clicks and time for each object, and the score."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.exercise import Assignment
from rsam_core.evaluate.metrics.counts import confusion
from rsam_core.evaluate.metrics.pixel import iou
from rsam_core.prompts.prompt import Prompt
from rsam_core.runtime.language import _

MAX_CLICKS = 200
"""Clicks on one object."""

Predict = Callable[[Prompt], NDArray[np.bool_]]
"""Answers a prompt by the (H, W) mask that the model finds most likely."""


@dataclass(frozen=True)
class Dot:
    """A click, or a box from `x`, `y` to `x2`, `y2`, in pixels of the picture."""

    x: float
    y: float
    x2: float = 0.0
    y2: float = 0.0
    box: bool = False
    exclude: bool = False


@dataclass(frozen=True, eq=False)
class Answer:
    """What a pupil did about one object.

    Attributes
    ----------
    dots : tuple of Dot
        Those in force; undone ones are gone.
    clicks : int
        All that were made, those that were undone, too.
    iou : float
    seconds : float
    mask : bytes or None
        What the model answered last, packed: many pupils' answers are kept at once. None if there
        is nothing. See `full_mask`.
    """

    dots: tuple[Dot, ...] = ()
    clicks: int = 0
    iou: float = 0.0
    seconds: float = 0.0
    mask: bytes | None = field(default=None, repr=False)

    def full_mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The answer as an (H, W) mask."""
        if self.mask is None:
            return np.zeros(shape, bool)
        bits = np.frombuffer(zlib.decompress(self.mask), np.uint8)
        return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool)


@dataclass(frozen=True, eq=False)
class Attempt:
    """A pupil's work; each step makes another one.

    Attributes
    ----------
    answers : tuple of Answer
        One for each object of the exercise.
    at : int
        Which object is worked on, from 0.
    started : float or None
        When it began, by the server's clock; None before.
    turned : float
        When the present object began.
    finished : bool
    id : str
        Tells attempts apart.
    """

    answers: tuple[Answer, ...]
    at: int = 0
    started: float | None = None
    turned: float = 0.0
    finished: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def of(cls, task: Assignment) -> Attempt:
        """One that has not begun."""
        return cls((Answer(),) * task.count)

    @property
    def now(self) -> Answer:
        """The answer that is worked on."""
        return self.answers[self.at]

    @property
    def clicks(self) -> int:
        """All clicks."""
        return sum(answer.clicks for answer in self.answers)

    @property
    def seconds(self) -> float:
        """Time of all objects together."""
        return sum(answer.seconds for answer in self.answers)

    @property
    def iou(self) -> float:
        """Mean IoU of all objects; those that were left out count as 0."""
        return sum(answer.iou for answer in self.answers) / len(self.answers)

    def left(self, task: Assignment, clock: float) -> float | None:
        """Seconds that are left; None without a limit."""
        if not task.exercise.seconds:
            return None
        used = 0.0 if self.started is None else clock - self.started
        return max(task.exercise.seconds - used, 0.0)

    def is_late(self, task: Assignment, clock: float) -> bool:
        """Whether time is up."""
        limit = task.exercise.seconds
        late = bool(limit) and self.started is not None and clock - self.started > limit
        return late and not self.finished

    def begin(self, clock: float) -> Attempt:
        """Start the clock."""
        return self if self.started is not None else replace(self, started=clock, turned=clock)

    def mark(self, task: Assignment, dot: Dot, predict: Predict) -> Attempt:
        """Click, or draw a box.

        Parameters
        ----------
        task : Assignment
        dot : Dot
        predict : callable

        Raises
        ------
        LearnError
            If such a prompt is not allowed here.
        PromptError
            If it makes no sense; nothing is counted then.
        """
        self._check_running()
        allowed = task.exercise.prompts
        if dot.box and allowed == "points":
            raise LearnError(_("This exercise is to be done with clicks, without boxes."))
        if not dot.box and allowed == "box":
            raise LearnError(_("This exercise is to be done with a box: press and drag."))
        if self.now.clicks >= MAX_CLICKS:
            raise LearnError(
                _("You have made {most} clicks on this object. Go on with the next one.")
                .format(most=MAX_CLICKS)
            )  # fmt: skip
        # A new box takes the place of the one before.
        kept = tuple(d for d in self.now.dots if not (dot.box and d.box))
        return self._answered(task, (*kept, dot), self.now.clicks + 1, predict)

    def undo(self, task: Assignment, predict: Predict) -> Attempt:
        """Take the last click or box back; it stays counted."""
        self._check_running()
        return self._answered(task, self.now.dots[:-1], self.now.clicks, predict)

    def go(self, task: Assignment, index: int, clock: float) -> Attempt:
        """Go to another object."""
        self._check_running()
        return replace(self._timed(clock), at=max(0, min(index, task.count - 1)))

    def finish(self, task: Assignment, clock: float) -> Attempt:
        """End it: all is done, or time is up."""
        if self.finished:
            return self
        begun = self.begin(clock)
        end = clock
        if task.exercise.seconds:
            end = min(clock, begun.started + task.exercise.seconds)
        return replace(begun._timed(max(end, begun.turned)), finished=True)

    def _check_running(self) -> None:
        if self.finished:
            raise LearnError(_("This exercise is done; nothing can be changed any more."))
        if self.started is None:
            raise LearnError(_("Press “Begin” first."))

    def _timed(self, clock: float) -> Attempt:
        spent = replace(self.now, seconds=self.now.seconds + max(clock - self.turned, 0.0))
        return replace(self._with(spent), turned=clock)

    def _with(self, answer: Answer) -> Attempt:
        answers = (*self.answers[: self.at], answer, *self.answers[self.at + 1 :])
        return replace(self, answers=answers)

    def _answered(
        self, task: Assignment, dots: tuple[Dot, ...], clicks: int, predict: Predict
    ) -> Attempt:
        if all(dot.exclude and not dot.box for dot in dots):
            # Nothing says yet what the object is.
            return self._with(Answer(dots, clicks, 0.0, self.now.seconds))
        mask = predict(prompt_of(dots))
        score = float(iou(confusion(task.truth(self.at), mask))) if mask.any() else 0.0
        return self._with(Answer(dots, clicks, score, self.now.seconds, _packed(mask)))


def prompt_of(dots: tuple[Dot, ...]) -> Prompt:
    """The prompt that clicks and a box make together."""
    clicks = [dot for dot in dots if not dot.box]
    boxes = [(dot.x, dot.y, dot.x2, dot.y2) for dot in dots if dot.box]
    return Prompt(
        points=[(dot.x, dot.y) for dot in clicks] or None,
        labels=[int(not dot.exclude) for dot in clicks] or None,
        box=boxes[-1] if boxes else None,
    )


def _packed(mask: NDArray[np.bool_]) -> bytes | None:
    return zlib.compress(np.packbits(mask).tobytes(), 1) if mask.any() else None
