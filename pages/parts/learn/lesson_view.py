"""A lesson on the page: its question, what one operates, the checks, where it simplifies."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import streamlit as st

from pages.parts.learn import place
from pages.parts.learn.stage import Stage, open_image_wanted, own_subject
from pages.parts.shared import banner
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.evaluate.learn.lesson import Lesson
from rsam_core.runtime.language import _

_SPLIT = (72, 28)
_WIDTH = 860


def done_checks(key: str) -> set[str]:
    """Which checks of a lesson were done in this visit; they stay done."""
    return st.session_state.setdefault(f"learn-done-{key}", set())


def show(key: str, projector: bool) -> None:
    """Show a lesson."""
    chosen = lesson(key)
    _above(chosen)
    _operate(chosen, projector)


def _above(chosen: Lesson) -> None:
    """One row, so that what one operates is in sight on a small screen."""
    with st.container(horizontal=True, vertical_alignment="center", key="learn-above"):
        st.button(
            _("All lessons"), icon=":material/arrow_back:", key="learn-back", type="tertiary",
            on_click=place.go, args=("lessons",),
        )  # fmt: skip
        st.header(f"{chosen.number}. {_(chosen.title)}", anchor=False, width="content")
        st.space("stretch")
        at = LESSONS.index(chosen.key)
        if at + 1 < len(LESSONS):
            following = lesson(LESSONS[at + 1])
            st.button(
                _("Next: {title}").format(title=_(following.title)), key="learn-next",
                icon=":material/arrow_forward:", icon_position="right", type="tertiary",
                on_click=place.go, args=("lessons", following.key),
            )  # fmt: skip
    st.markdown(f"**{_(chosen.question)}**")


@st.fragment
def _operate(chosen: Lesson, projector: bool) -> None:
    """All that moves with a slider: a fragment, so that nothing else is drawn again."""
    main, beside = st.columns(_SPLIT, gap="medium")
    report: Mapping[str, Any] = {}
    with main, banner.guard(f"lesson-{chosen.key}"):
        own = own_subject() if open_image_wanted() else None
        stage = Stage(chosen.key, projector, _WIDTH, own)
        report = _part(chosen.key).show(stage)
    done = done_checks(chosen.key)
    done |= chosen.done(report)
    with beside:
        _checks(chosen, done)
        with st.expander(_("Where this lesson simplifies"), icon=":material/info:"):
            for text in chosen.simplifies:
                st.markdown(f"- {_(text)}")


def _part(key: str) -> Any:
    return import_module(f"pages.parts.learn.lessons.{key}")


def _checks(chosen: Lesson, done: set[str]) -> None:
    with st.container(border=True, key="learn-checks", gap="small"):
        st.markdown("### " + _("Can you do it?"))
        for check in chosen.checks:
            icon = "check_circle" if check.key in done else "radio_button_unchecked"
            colour = "green" if check.key in done else "gray"
            st.markdown(f":{colour}[:material/{icon}:] {_(check.task)}", help=_(check.hint) or None)
        # The signs say nothing to those who hear the page.
        count = _("{done} of 3 checks done").format(done=len(done))
        st.html(f'<span class="learn-unseen" role="status">{count}</span>')
        if len(done) == len(chosen.checks):
            st.success(_("All three done. Well seen!"), icon=":material/celebration:")
