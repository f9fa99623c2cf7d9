"""Doing an exercise: the picture, clicks and boxes, the clock, from object to object."""

from __future__ import annotations

import streamlit as st

from pages.parts.learn.class_clock import clock
from pages.parts.learn.class_state import now, predictor, save, stage, work
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared import banner
from rsam_core.evaluate.learn import exercise_drawing as drawing
from rsam_core.evaluate.learn.attempt import Attempt, Dot
from rsam_core.evaluate.learn.exercise import Assignment
from rsam_core.runtime.language import _, number, percent

_SPLIT = (72, 28)
_KIND = "learn-class-click"
HOW = {
    "points": lambda: _("Click the object; click again to add to it or to take away."),
    "box": lambda: _("Press at one corner of the object and drag to the opposite one."),
    "both": lambda: _("Click the object, or drag a box around it; correct it by clicks."),
}
"""What to do with the allowed prompts, in the language in use."""


@st.fragment
def show(projector: bool) -> None:
    """All that moves with a click: a fragment, so that nothing else is drawn again."""
    kept = work()
    made, attempt = kept.made, kept.attempt
    if attempt.finished:
        st.rerun()
    main, beside = st.columns(_SPLIT, gap="medium")
    with main:
        _picture(made, attempt, projector)
    with beside:
        _state(made, attempt)
        _controls(made, attempt)


def _picture(made: Assignment, attempt: Attempt, projector: bool) -> None:
    answer, shape = attempt.now, made.subject.shape
    others = [
        a.full_mask(shape) for i, a in enumerate(attempt.answers) if i != attempt.at and a.mask
    ]
    mask = answer.full_mask(shape) if answer.mask else None
    picture = drawing.work(made.subject.image, mask, others)
    scale = picture.shape[1] / shape[1]
    stage(projector).picture(
        "picture-work", picture, marks=_marks(made, attempt, scale),
        drag="" if made.exercise.prompts == "points" else "box",
        label=_("The picture of the exercise. Outline object {number}, at {x}, {y}.").format(
            number=attempt.at + 1, x=round(made.exercise.spots[attempt.at][0] * scale),
            y=round(made.exercise.spots[attempt.at][1] * scale),
        ),
        on_touch=lambda event: _touched(event, scale),
    )  # fmt: skip


def _marks(made: Assignment, attempt: Attempt, scale: float) -> tuple[Mark, ...]:
    marks = []
    for index, (x, y) in enumerate(made.exercise.spots):
        ring = index == attempt.at and attempt.now.mask is None
        text = str(index + 1) if made.count > 1 else ""
        if ring or text:
            marks.append(Mark(x * scale, y * scale, "spot" if ring else "label", text=text))
    for dot in attempt.now.dots:
        x, y, x2, y2 = (value * scale for value in (dot.x, dot.y, dot.x2, dot.y2))
        kind = "box" if dot.box else "exclude" if dot.exclude else "include"
        marks.append(Mark(x, y, kind, x2, y2))
    return tuple(marks)


def _touched(event: Touch, scale: float) -> None:
    kept = work()
    exclude = event.other or st.session_state.get(_KIND) == "less"
    with banner.guard("learn-click"):
        if kept.attempt.is_late(kept.made, now()):
            _finish()
            return
        drag = event.kind == "drag"
        dot = Dot(
            event.x / scale, event.y / scale, event.x2 / scale, event.y2 / scale, box=drag,
            exclude=exclude and not drag,
        )  # fmt: skip
        save(kept.attempt.mark(kept.made, dot, predictor(kept.made)))


def _state(made: Assignment, attempt: Attempt) -> None:
    left = attempt.left(made, now())
    passed = now() - (attempt.started or now())
    clock(
        "learn-class-clock", passed if left is None else left, down=left is not None,
        on_end=_finish,
    )  # fmt: skip
    if made.count > 1:
        st.markdown(
            "**"
            + _("Object {number} of {count}").format(
                number=number(attempt.at + 1), count=number(made.count)
            )
            + "**"
        )
    left_column, right_column = st.columns(2)
    left_column.metric(
        _("Clicks"), number(attempt.now.clicks),
        help=_("A box counts as one click. What you undo stays counted."),
    )  # fmt: skip
    if made.exercise.shows_iou:
        right_column.metric(
            _("IoU"), percent(attempt.now.iou),
            help=_("IoU: what mask and truth share, as a part of what either covers."),
        )  # fmt: skip


def _controls(made: Assignment, attempt: Attempt) -> None:
    if made.exercise.prompts != "box":
        st.session_state.setdefault(_KIND, "more")
        st.segmented_control(
            _("A click means"), ["more", "less"], key=_KIND, required=True,
            format_func={"more": _("This is it"), "less": _("Not this")}.__getitem__,
            help=_("With the right mouse button, or with Shift, a click means “Not this”, too."),
        )  # fmt: skip
    st.caption(HOW[made.exercise.prompts]())
    st.button(
        _("Undo"), icon=":material/undo:", key="learn-class-undo", on_click=_undo,
        disabled=not attempt.now.dots, width="stretch",
    )  # fmt: skip
    last = attempt.at + 1 >= made.count
    if made.count > 1:
        with st.container(horizontal=True):
            st.button(
                _("Back"), icon=":material/arrow_back:", key="learn-class-previous",
                disabled=attempt.at == 0, on_click=_go, args=(-1,),
            )  # fmt: skip
            st.button(
                _("Next object"), icon=":material/arrow_forward:", key="learn-class-following",
                type="secondary" if last else "primary", disabled=last, on_click=_go, args=(1,),
            )  # fmt: skip
    st.button(
        _("Done"), icon=":material/check:", key="learn-class-done", width="stretch",
        type="primary" if last else "secondary", on_click=_finish,
        help=_("Ends the exercise. Objects that you left out count as 0."),
    )  # fmt: skip


def _undo() -> None:
    kept = work()
    with banner.guard("learn-click"):
        save(kept.attempt.undo(kept.made, predictor(kept.made)))


def _go(step: int) -> None:
    kept = work()
    st.session_state[_KIND] = "more"
    with banner.guard("learn-click"):
        save(kept.attempt.go(kept.made, kept.attempt.at + step, now()))


def _finish() -> None:
    kept = work()
    with banner.guard("learn-save"):
        save(kept.attempt.finish(kept.made, now()))
