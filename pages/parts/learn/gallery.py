"""The nine lessons as cards."""

from __future__ import annotations

import streamlit as st

from pages.parts.learn import place
from pages.parts.learn.lesson_view import done_checks
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.evaluate.learn.covers import cover
from rsam_core.runtime.language import _

COLUMNS = 3


def show() -> None:
    """Show the cards; a click on one opens its lesson."""
    for start in range(0, len(LESSONS), COLUMNS):
        for column, key in zip(st.columns(COLUMNS), LESSONS[start : start + COLUMNS]):
            chosen = lesson(key)
            with column.container(key=f"card-lesson-{key}", gap=None, height="stretch"):
                st.image(cover(key), width="stretch", alt=_(chosen.title))
                st.button(
                    f"{chosen.number}. {_(chosen.title)}", key=f"open-{key}", type="tertiary",
                    on_click=place.go, args=("lessons", key),
                )  # fmt: skip
                st.caption(_(chosen.question) + "  \n" + _progress(key, chosen.minutes))


def _progress(key: str, minutes: int) -> str:
    done = len(done_checks(key))
    if done:
        return _("{done} of 3 checks done").format(done=done)
    return _("{minutes} minutes").format(minutes=minutes)
