"""The nine lessons, in the order in which they build on each other."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from rsam_core.errors import RsamError
from rsam_core.evaluate.learn.lesson import Lesson

LESSONS: tuple[str, ...] = (
    "remote_sensing",
    "segment_anything",
    "prompts",
    "photograph",
    "four_kinds",
    "one_shot",
    "how_good",
    "square_metres",
    "pitfalls",
)
"""Keys of the lessons; each is a module of `rsam_core.evaluate.learn.lessons` with its `LESSON`."""


@lru_cache(maxsize=len(LESSONS))
def lesson(key: str) -> Lesson:
    """The lesson of that key.

    Raises
    ------
    RsamError
        If there is none.
    """
    if key not in LESSONS:
        raise RsamError(f"There is no lesson “{key}”. Choose one of: {', '.join(LESSONS)}.")
    return import_module(f"rsam_core.evaluate.learn.lessons.{key}").LESSON
