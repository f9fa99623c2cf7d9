"""Marks of one object that somebody makes on a picture of a lesson: points and a box."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared import current_session
from rsam_core.evaluate.learn.asking import Marks, answer, corners, with_point
from rsam_core.evaluate.learn.lessons.prompts_objects import Target

_KEPT = 12
"""Answers kept for one person: the page is drawn again at every move."""


def marks_of(stage: Stage, subject: str, start: Marks | None = None) -> Marks:
    """The marks on a subject; `start` before anybody marked it."""
    return st.session_state.get(_key(stage, subject), start or Marks())


def put(stage: Stage, subject: str, marks: Marks) -> None:
    """Set the marks on a subject."""
    st.session_state[_key(stage, subject)] = marks


def start_again(stage: Stage, subject: str) -> None:
    """Forget the marks on a subject."""
    st.session_state.pop(_key(stage, subject), None)


def marked(marks: Marks, scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> tuple[Mark, ...]:
    """Marks as they are drawn on a picture that begins at `x`, `y`, `scale` times as large."""
    drawn = [
        Mark((px - x) * scale, (py - y) * scale, "include" if label else "exclude")
        for px, py, label in marks.points
    ]
    if marks.box is not None:
        x0, y0, x1, y1 = marks.box
        drawn.append(
            Mark((x0 - x) * scale, (y0 - y) * scale, "box", (x1 - x) * scale, (y1 - y) * scale)
        )
    return tuple(drawn)


def mask_of(stage: Stage, one: Target, marks: Marks) -> NDArray[np.bool_]:
    """The mask (H, W) that the model chooses for marks on an object's place."""
    kept: dict = st.session_state.setdefault(stage.name("answers"), {})
    key = one.key, marks, current_session.model_name()
    if key not in kept:
        found = answer(stage.segmenter(), stage.embedding(one.subject.image), marks)
        mask = found.masks[0] if len(found) else np.zeros(one.truth.shape, bool)
        while len(kept) >= _KEPT:
            kept.pop(next(iter(kept)))
        kept[key] = mask
    return kept[key]


def take(stage: Stage, subject: str, event: Touch) -> None:
    """What a touch does: a click means one thing anew, with the other meaning it takes away from
    what is meant already; a drag draws a box."""
    before = marks_of(stage, subject)
    if event.kind == "drag":
        box = corners(event.x, event.y, event.x2, event.y2)
        if box is not None:
            put(stage, subject, Marks((), box))
    elif event.kind == "click" and event.other:
        if before.names_something:
            put(stage, subject, with_point(before, event.x, event.y, 0))
    elif event.kind == "click":
        put(stage, subject, Marks(((event.x, event.y, 1),)))


def _key(stage: Stage, subject: str) -> str:
    return stage.name(f"marks-{subject}")
