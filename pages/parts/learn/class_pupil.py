"""A pupil's view: come to an exercise, do it object by object, be done."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.parts.learn import class_done, class_start, class_work
from pages.parts.learn.class_state import (
    ANEW,
    Work,
    boards,
    now,
    own_work,
    save,
    save_quietly,
    settle,
    stage,
    take,
    who,
    work,
)
from pages.parts.learn.class_work import HOW
from pages.parts.shared import banner
from pages.parts.shared.names import plain
from rsam_core.errors import LearnError, RsamError
from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.boards import clean_code
from rsam_core.evaluate.learn.exercise import Assignment, kind_name
from rsam_core.evaluate.learn.exercise_file import task_of_link
from rsam_core.evaluate.learn.result import MAX_NAME
from rsam_core.runtime.language import _, ngettext, number

_NAME = "learn-class-name"


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
    if kept is not None and kept.code == _signs(typed) and kept.attempt.started is not None:
        st.markdown(_("What you did is still here, and you can save it as a file."))
        if not kept.attempt.finished:
            take(replace(kept, attempt=kept.attempt.finish(kept.made, now())))
        class_done.show(work(), projector)
        return
    left, _right = st.columns(2)
    with left.container(border=True):
        class_start.join_field()
        st.button(
            _("Other exercises"), key="learn-class-others", type="tertiary",
            on_click=class_start.go,
        )  # fmt: skip


def _signs(typed: str) -> str:
    return "".join(sign for sign in typed.upper() if sign.isalnum())


def _join(code: str, made: Assignment) -> None:
    left, _right = st.columns(2)
    with left.container(border=True), st.form("learn-class-come", border=False):
        st.subheader(plain(made.title), anchor=False)
        _what_to_do(made)
        st.text_input(
            _("Your name (as you like it, or none)"), key=_NAME, max_chars=MAX_NAME,
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


# ---------------------------------------------------------------------- before, while, after


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
        class_work.show(projector)


def _what_to_do(made: Assignment) -> None:
    kind = kind_name(made.exercise.kind or "object")
    lines = [
        ngettext(
            "Outline {count} object ({kind}), as exactly as you can.",
            "Outline {count} objects ({kind}), one after the other, as exactly as you can.",
            made.count,
        ).format(count=number(made.count), kind=plain(kind)),
        HOW[made.exercise.prompts](),
    ]
    if made.exercise.seconds:
        lines.append(
            _("You have {seconds} seconds in all.").format(seconds=number(made.exercise.seconds))
        )
    st.markdown("\n".join(f"- {line}" for line in lines))


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
