"""Clicks of lesson 5: objects outlined one by one, and a spot of which something is asked."""

from __future__ import annotations

import streamlit as st

from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Touch
from rsam_core.evaluate.learn.asking import Marks, answer, with_point
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances

MOST = 40
"""Outlines that are kept; the oldest goes first."""


def marks(stage: Stage, subject: Subject) -> Marks:
    """The marks of the object that is being outlined."""
    return st.session_state.get(_key(stage, subject, "marks"), Marks())


def outlines(stage: Stage, subject: Subject) -> Instances:
    """The objects outlined so far, the one in hand last."""
    done = list(st.session_state.get(_key(stage, subject, "done"), ()))
    current = _found(stage, subject, marks(stage, subject))
    items = done if current is None else [*done, current]
    return Instances(
        [Instance(i.mask, i.x, i.y, i.score, n, "point") for n, i in enumerate(items, 1)],
        subject.shape,
    )


def take(stage: Stage, subject: Subject, event: Touch) -> None:
    """A click begins an object; with the other meaning it takes away from the one in hand."""
    if event.kind != "click":
        return
    before = marks(stage, subject)
    key = _key(stage, subject, "marks")
    if event.other:
        if before.names_something:
            st.session_state[key] = with_point(before, event.x, event.y, 0)
        return
    current = _found(stage, subject, before)
    if current is not None:
        done = _key(stage, subject, "done")
        st.session_state[done] = (*st.session_state.get(done, ()), current)[-MOST:]
    st.session_state[key] = Marks(((event.x, event.y, 1),))


def start_again(stage: Stage, subject: Subject) -> None:
    """Forget all outlines."""
    for name in ("marks", "done"):
        st.session_state.pop(_key(stage, subject, name), None)


def point(stage: Stage, event: Touch) -> None:
    """Remember where somebody clicked."""
    if event.kind == "click":
        st.session_state[stage.name("spot")] = (event.x, event.y)


def inside(spot: tuple[float, float], subject: Subject) -> tuple[int, int]:
    """Row and column of the pixel at a spot, the nearest one where it lies beside the picture."""
    height, width = subject.shape
    return min(max(int(spot[1]), 0), height - 1), min(max(int(spot[0]), 0), width - 1)


def _found(stage: Stage, subject: Subject, current: Marks) -> Instance | None:
    if not current.names_something:
        return None
    best = answer(stage.segmenter(), stage.embedding(subject.image), current)
    if not len(best) or not best.crops[0].any():
        return None
    return Instance(best.crops[0], best.x, best.y, float(best.scores[0]), source="point")


def _key(stage: Stage, subject: Subject, name: str) -> str:
    return stage.name(f"{name}-{subject.key}")
