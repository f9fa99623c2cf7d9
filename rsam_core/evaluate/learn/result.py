"""What a pupil achieved, to be handed in: live on a class board, or as a small file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.attempt import MAX_CLICKS, Attempt
from rsam_core.evaluate.learn.exercise import MAX_TARGETS, Assignment
from rsam_core.runtime.language import _
from rsam_core.runtime.visible import visible

ENDING = ".rsam-result"
FORMAT, VERSION = "rsam-result", 1
MAX_FILE = 64 << 10
MAX_NAME = 30
_MAX_SECONDS = 1e6


def clean_name(name: str) -> str:
    """A name as it is shown: in one line, not too long; may be empty."""
    return visible(name)[:MAX_NAME].strip()


@dataclass(frozen=True)
class Score:
    """How one object was done: IoU from 0 to 1, clicks, and seconds."""

    iou: float
    clicks: int
    seconds: float


@dataclass(frozen=True)
class Result:
    """How an exercise was done.

    Attributes
    ----------
    exercise : str
        Its key.
    id : str
        Of the attempt: the same result handed in twice is one result.
    scores : tuple of Score
    name : str
        Of the pupil; may be empty.
    """

    exercise: str
    id: str
    scores: tuple[Score, ...]
    name: str = ""

    @classmethod
    def of(cls, task: Assignment, attempt: Attempt, name: str = "") -> Result:
        """The result of an attempt."""
        scores = tuple(Score(a.iou, a.clicks, a.seconds) for a in attempt.answers)
        return cls(task.key, attempt.id, scores, clean_name(name))

    @property
    def iou(self) -> float:
        """Mean of all objects."""
        return float(np.mean([score.iou for score in self.scores]))

    @property
    def clicks(self) -> int:
        """Of all objects."""
        return sum(score.clicks for score in self.scores)

    @property
    def seconds(self) -> float:
        """Of all objects."""
        return sum(score.seconds for score in self.scores)


def write_result(result: Result) -> bytes:
    """The file of a result: JSON."""
    return json.dumps(
        {
            "format": FORMAT, "version": VERSION, "exercise": result.exercise, "id": result.id,
            "name": result.name,
            "scores": [[round(s.iou, 6), s.clicks, round(s.seconds, 3)] for s in result.scores],
        },
        ensure_ascii=False, indent=1,
    ).encode("utf-8", "replace")  # fmt: skip


def read_result(content: bytes) -> Result:
    """The result of a file that nobody trusts.

    Raises
    ------
    LearnError
        If it is no result, damaged, or of a newer RSAM.
    """
    if len(content) > MAX_FILE:
        raise _damaged()
    try:
        data: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _damaged() from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _damaged()
    version = data.get("version")
    if type(version) is int and version > VERSION:
        raise LearnError(_("This result was made by a newer RSAM. Update RSAM here."))
    exercise, number, name = (data.get(key) for key in ("exercise", "id", "name"))
    texts = all(isinstance(value, str) for value in (exercise, number, name))
    if (
        type(version) is not int
        or version != VERSION
        or not texts
        or not (0 < len(exercise) <= 64 and 0 < len(number) <= 64)
    ):
        raise _damaged()
    return Result(exercise, number, _scores(data.get("scores")), clean_name(name))


def _scores(rows: Any) -> tuple[Score, ...]:
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_TARGETS:
        raise _damaged()
    found = []
    for row in rows:
        if not isinstance(row, list) or len(row) != 3:
            raise _damaged()
        share, clicks, seconds = row
        good = (
            _number(share, 1)
            and type(clicks) is int
            and 0 <= clicks <= MAX_CLICKS
            and _number(seconds, _MAX_SECONDS)
        )
        if not good:
            raise _damaged()
        found.append(Score(float(share), clicks, float(seconds)))
    return tuple(found)


def _number(value: Any, most: float) -> bool:
    # Not a number is not between; of whole numbers without end, only comparing is safe.
    return type(value) in (int, float) and 0 <= value <= most


def _damaged() -> LearnError:
    return LearnError(
        _("This is not a result of an exercise, or it is damaged. Choose a file that ends in "
          "{ending}.").format(ending=ENDING)
    )  # fmt: skip


def distinct_names(names: Sequence[str]) -> list[str]:
    """Names that differ: a second Anna becomes Anna (2); empty ones stay empty."""
    taken: set[str] = set()
    found = []
    for name in names:
        wanted, count = name, 1
        while wanted and wanted.casefold() in taken:
            count += 1
            wanted = f"{name} ({count})"
        taken.add(wanted.casefold())
        found.append(wanted)
    return found
