"""Asking a model in lessons: the embedded one for worksheets, and marks replayed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.errors import PromptError
from rsam_core.prompts.prompt import Prompt

if TYPE_CHECKING:
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Candidates, Segmenter

MAX_MARKS = 12
"""Points that one object can have in a lesson: more take longer than a lesson should."""


@dataclass(frozen=True)
class Marks:
    """What somebody marked of one object, in pixels of its picture.

    Attributes
    ----------
    points : tuple of (float, float, int)
        x, y, and 1 for "this" or 0 for "not this", in order.
    box : tuple of float or None
        x0, y0, x1, y1.
    """

    points: tuple[tuple[float, float, int], ...] = ()
    box: tuple[float, float, float, float] | None = None

    @property
    def names_something(self) -> bool:
        """Whether a model can answer: something is wanted, not only refused."""
        return self.box is not None or any(label for _, _, label in self.points)

    @property
    def includes(self) -> int:
        """How many points say "this"."""
        return sum(label for _, _, label in self.points)

    @property
    def excludes(self) -> int:
        """How many points say "not this"."""
        return len(self.points) - self.includes

    def prompt(self, count: int | None = None) -> Prompt:
        """The box and the first points as a prompt, all of them by default."""
        points = self.points[:count]
        return Prompt([p[:2] for p in points], [p[2] for p in points], self.box)


@lru_cache(maxsize=1)
def segmenter() -> Segmenter:
    """The embedded model, loaded once, for what is made without a page: worksheets and covers."""
    from rsam_core.models.load import load_model
    from rsam_core.segment.segmenter import Segmenter

    return Segmenter(load_model())


def answer(model: Segmenter, embedding: Embedding, marks: Marks) -> Candidates:
    """What a model answers to marks, each further point refining the mask before it.

    Parameters
    ----------
    model : Segmenter
    embedding : Embedding
    marks : Marks

    Raises
    ------
    PromptError
        If nothing is wanted, or there are more than `MAX_MARKS` points.
    """
    if len(marks.points) > MAX_MARKS:
        raise PromptError(f"There are more than {MAX_MARKS} points. Start again with fewer.")
    labels = [label for _, _, label in marks.points]
    # Points before the first that wants something say nothing by themselves.
    first = 0 if marks.box is not None else labels.index(1) + 1 if 1 in labels else len(labels)
    found = model.predict(embedding, marks.prompt(first))
    for count in range(first + 1, len(labels) + 1):
        found = model.predict(
            embedding, marks.prompt(count), previous=found.refinement[0] if len(found) else None
        )
    return found


def with_point(marks: Marks, x: float, y: float, label: int) -> Marks:
    """The marks with one more point; the first one goes where there are too many."""
    points = (*marks.points, (float(x), float(y), int(label)))
    return Marks(points[-MAX_MARKS:], marks.box)


def corners(x: float, y: float, x2: float, y2: float) -> tuple[float, float, float, float] | None:
    """A box from two opposite corners in any order; None where it encloses nothing."""
    (x0, x1), (y0, y1) = sorted((x, x2)), sorted((y, y2))
    return None if min(x1 - x0, y1 - y0) < 1 else (x0, y0, x1, y1)


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """IoU of two masks (H, W) of bool; 1 where both are empty."""
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 1.0


def mean(values: Sequence[float]) -> float:
    """Mean of numbers; NaN of none."""
    return float(np.mean(values)) if len(values) else float("nan")
