"""A pupil's view: come to an exercise, do it object by object, be done."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.parts.learn import class_done, class_start
from pages.parts.learn.class_clock import clock
from pages.parts.learn.class_state import (
    ANEW,
    Work,
    boards,
    now,
    own_work,
    predictor,
    save,
    save_quietly,
    settle,
    stage,
    take,
    who,
    work,
)
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared import banner
from pages.parts.shared.names import plain
from rsam_core.errors import LearnError, RsamError
from rsam_core.evaluate.learn import exercise_drawing as drawing
from rsam_core.evaluate.learn.attempt import Attempt, Dot
from rsam_core.evaluate.learn.boards import clean_code
from rsam_core.evaluate.learn.exercise import Assignment, kind_name
from rsam_core.evaluate.learn.exercise_file import task_of_link
from rsam_core.evaluate.learn.result import MOST_NAME
from rsam_core.runtime.language import _, ngettext, number, percent

_SPLIT = (72, 28)
_NAME, _KIND = "learn-class-name", "learn-class-click"


# ---------------------------------------------------------------------- coming to it


def on_board(typed: str, projector: bool) -> None:
    """The exercise of a board: join, or go on."""
    try:
        code = clean_code(typed)
        made = boards().assignment(code)
        pupil = boards().pupil(code, who())
    except LearnError as error:
        _no_board(error, typed, projector)
        return
    if pupil is None or st.session_state.get(ANEW) == code:
        _join(code, made)
        return
    if pupil.attempt is not None:
        kept = work()
        if kept is None or (kept.code, kept.number) != (code, pupil.number):
            take(Work(made, pupil.attempt, code, pupil.number, pupil.given))
    _show(projector)


def by_link(link: str, projector: bool) -> None:
    """The exercise of a link."""
    kept = work()
    if kept is None or kept.code or st.session_state.get("learn-class-link") != link:
        try:
            with st.spinner(_("Drawing the picture…")):
                made = task_of_link(link)
        except RsamError as error:
            banner.show(error)
            st.button(_("Other exercises"), key="learn-class-others", on_click=class_start.go)
            return
        take(Work(made, own_work().find(who(), made.key) or Attempt.of(made)))
        st.session_state["learn-class-link"] = link
    elif kept.attempt.started is None:
        # Who reloads is known with the second run only.
        found = own_work().find(who(), kept.made.key)
        if found is not None:
            take(replace(kept, attempt=found))
    _show(projector)


def own(projector: bool) -> None:
    """The exercise that is open in this tab."""
    if work() is None:
        class_start.show()
        return
    _show(projector)


def _no_board(error: LearnError, typed: str, projector: bool) -> None:
    banner.show(error)
    kept = work()
    if kept is not None and kept.code == typed.upper() and kept.attempt.started is not None:
        st.markdown(_("What you did is still here, and you can save it as a file."))
        if not kept.attempt.finished:
            take(replace(kept, attempt=kept.attempt.finish(kept.made, now())))
        class_done.show(work(), projector)
        return
    class_start.join_field()
    st.button(_("Other exercises"), key="learn-class-others", on_click=class_start.go)


def _join(code: str, made: Assignment) -> None:
    left, _right = st.columns(2)
    with left.container(border=True), st.form("learn-class-come", border=False):
        st.subheader(plain(made.title), anchor=False)
        _what_to_do(made)
        st.text_input(
            _("Your name (as you like it, or none)"), key=_NAME, max_chars=MOST_NAME,
            help=_("Your teacher sees it on the board. It is forgotten when the board is closed."),
        )  # fmt: skip
        st.form_submit_button(
            _("Join"), type="primary", icon=":material/group_add:", on_click=_come, args=(code,)
        )


def _come(code: str) -> None:
    name, anew = st.session_state.get(_NAME, ""), st.session_state.get(ANEW) == code
    with banner.guard("learn-come"):
        made = boards().assignment(code)
        pupil = boards().join(code, settle(), name, other=anew)
        st.session_state.pop(ANEW, None)
        take(Work(made, pupil.attempt or Attempt.of(made), code, pupil.number, pupil.given))


# ---------------------------------------------------------------------- doing it


def _show(projector: bool) -> None:
    kept = work()
    if kept.attempt.is_late(kept.made, now()):
        save_quietly(kept.attempt.finish(kept.made, now()))
        kept = work()
    if kept.attempt.finished:
        class_done.show(kept, projector)
    elif kept.attempt.started is None:
        _before(kept)
    else:
        _operate(projector)


def _what_to_do(made: Assignment) -> None:
    kind = kind_name(made.exercise.kind or "object")
    lines = [
        ngettext(
            "Outline {count} object ({kind}), as exactly as you can.",
            "Outline {count} objects ({kind}), one after the other, as exactly as you can.",
            made.count,
        ).format(count=number(made.count), kind=plain(kind)),
        _HOW[made.exercise.prompts](),
    ]
    if made.exercise.seconds:
        lines.append(
            _("You have {seconds} seconds in all.").format(seconds=number(made.exercise.seconds))
        )
    st.markdown("\n".join(f"- {line}" for line in lines))


_HOW = {
    "points": lambda: _("Click the object; click again to add to it or to take away."),
    "box": lambda: _("Press at one corner of the object and drag to the opposite one."),
    "both": lambda: _("Click the object, or drag a box around it; correct it by clicks."),
}


def _before(kept: Work) -> None:
    left, _right = st.columns(2)
    with left.container(border=True):
        st.subheader(plain(kept.made.title), anchor=False)
        if kept.name:
            st.caption(_("You are {name} on the board.").format(name=plain(kept.name)))
        _what_to_do(kept.made)
        st.button(
            _("Begin"), type="primary", icon=":material/play_arrow:", key="learn-class-begin",
            on_click=_begin,
        )  # fmt: skip
    # While the task is read; the first click then is as quick as the others.
    with banner.guard():
        stage().embedding(kept.made.subject.image)


def _begin() -> None:
    kept = work()
    with banner.guard("learn-save"):
        save(kept.attempt.begin(now()))


@st.fragment
def _operate(projector: bool) -> None:
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
        right_column.metric(_("IoU"), percent(attempt.now.iou))


def _controls(made: Assignment, attempt: Attempt) -> None:
    if made.exercise.prompts != "box":
        st.session_state.setdefault(_KIND, "more")
        st.segmented_control(
            _("A click means"), ["more", "less"], key=_KIND, required=True,
            format_func={"more": _("This is it"), "less": _("Not this")}.__getitem__,
            help=_("With the right mouse button, or with Shift, a click means “Not this”, too."),
        )  # fmt: skip
    st.caption(_HOW[made.exercise.prompts]())
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
    if st.button(
        _("Done"), icon=":material/check:", key="learn-class-done", width="stretch",
        type="primary" if last else "secondary", on_click=_finish,
        help=_("Ends the exercise. Objects that you left out count as 0."),
    ):  # fmt: skip
        st.rerun()


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
