"""What a pupil achieved: shown, handed in, and beside it what the teacher shows to all."""

from __future__ import annotations

import streamlit as st

from pages.parts.learn import class_start
from pages.parts.learn.bars import bars
from pages.parts.learn.class_state import ANEW, Work, boards, own_work, stage, take, who, work
from pages.parts.learn.touch import touch
from pages.parts.shared import banner, downloads, resources
from pages.parts.shared.legend import chips
from pages.parts.shared.names import plain
from rsam_core.errors import LearnError
from rsam_core.evaluate.learn import exercise_drawing as drawing
from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.exercise import Assignment
from rsam_core.evaluate.learn.result import ENDING, MAX_NAME, Result, write_result
from rsam_core.formats.names import safe_name
from rsam_core.objects import palette
from rsam_core.runtime.language import _, ngettext, number, percent

_SPLIT = (64, 36)
_LOOK = 3.0
"""Seconds between two looks at what the teacher shows."""
_NAME = "learn-class-result-name"


def show(kept: Work, projector: bool) -> None:
    """Show the result of an attempt that is finished."""
    main, beside = st.columns(_SPLIT, gap="medium")
    with main:
        judged(kept.made, kept.attempt, "result", projector)
    with beside:
        with st.container(horizontal=True):
            st.metric(_("Mean IoU"), percent(kept.attempt.iou))
            st.metric(_("Clicks"), number(kept.attempt.clicks))
            st.metric(_("Seconds"), number(kept.attempt.seconds))
        each(kept.attempt)
        _hand_in(kept)
    if kept.code:
        _from_teacher(kept.code, projector)


def judged(made: Assignment, attempt: Attempt, name: str, projector: bool) -> None:
    """The picture of what is right, too much and missed, with its legend."""
    # It is shown again every few seconds, in thirty browsers.
    key = f"learn-class-judged-{name}"
    known = st.session_state.get(key)
    if known is None or known[0] is not attempt:
        picture = drawing.compared(made, attempt)
        known = st.session_state[key] = (attempt, resources.jpeg(picture, 90), picture.shape)
    _attempt, content, (height, width, _colours) = known
    touch(
        stage(projector).name(f"picture-{name}"), content, size=(width, height),
        label=_("The picture with what is right, too much, and missed. Mean IoU: {share}.").format(
            share=percent(attempt.iou)
        ),
    )  # fmt: skip
    chips(
        [
            (_("right (TP)"), palette.TRUE_POSITIVE),
            (_("too much (FP)"), palette.FALSE_POSITIVE),
            (_("missed (FN)"), palette.FALSE_NEGATIVE),
        ]
    )


def each(attempt: Attempt) -> None:
    """A bar for each object."""
    if len(attempt.answers) < 2:
        return
    bars(
        [
            (
                _("Object {number}").format(number=number(index)),
                answer.iou,
                ngettext(
                    "{count} click, {seconds} s", "{count} clicks, {seconds} s", answer.clicks
                ).format(count=number(answer.clicks), seconds=number(answer.seconds)),
            )
            for index, answer in enumerate(attempt.answers, 1)
        ]
    )


def _hand_in(kept: Work) -> None:
    live = kept.code and _is_on_board(kept)
    name = kept.name
    if live:
        st.success(_("Handed in: your teacher sees it on the board."), icon=":material/how_to_reg:")
    else:
        name = st.text_input(
            _("Your name (as you like it, or none)"), kept.name, key=_NAME, max_chars=MAX_NAME
        )
    downloads.offer(
        _("Save the result"), write_result(Result.of(kept.made, kept.attempt, name)),
        f"{safe_name(name or kept.made.title, default='result')}{ENDING}", "application/json",
        key="learn-class-save", help=_("A small file to hand in to your teacher."),
    )  # fmt: skip
    if live:
        st.button(
            _("Somebody else's turn"), icon=":material/person_add:", key="learn-class-other",
            on_click=_anew, args=(kept.code,),
            help=_("The next pupil at this computer joins with a name of their own."),
        )  # fmt: skip
    elif not kept.code:
        st.button(
            _("Once more"), icon=":material/replay:", key="learn-class-again", on_click=_again
        )
    st.button(
        _("Other exercises"), key="learn-class-others", type="tertiary", on_click=class_start.go
    )


def _is_on_board(kept: Work) -> bool:
    try:
        pupil = boards().pupil(kept.code, who())
    except LearnError:
        return False
    return pupil is not None and pupil.number == kept.number and pupil.result is not None


def _anew(code: str) -> None:
    st.session_state[ANEW] = code
    # The field of the one before.
    st.session_state.pop("learn-class-name", None)


def _again() -> None:
    kept, whose = work(), who()
    own_work().forget(whose, kept.made.key)
    take(Work(kept.made, Attempt.of(kept.made)))


@st.fragment(run_every=_LOOK)
def _from_teacher(code: str, projector: bool) -> None:
    try:
        shown, made = boards().shown(code), boards().assignment(code)
    except LearnError:
        st.session_state.pop("learn-class-judged-shown", None)
        st.caption(_("The class board is closed. Your result is still here."))
        return
    if shown is None:
        st.session_state.pop("learn-class-judged-shown", None)
        st.caption(_("If your teacher shows somebody's work, it appears here."))
        return
    with banner.guard():
        said = _("Your teacher shows the work of {name}").format(name=plain(shown.name))
        st.subheader(said if shown.name else _("Your teacher shows this work"), anchor=False)
        left, right = st.columns(_SPLIT, gap="medium")
        with left:
            judged(made, shown.attempt, "shown", projector)
        with right:
            st.metric(_("Mean IoU"), percent(shown.attempt.iou))
