"""Learn: lessons that one operates, exercises with a class board, and what teachers print."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.learn import class_room, gallery, lesson_view, place, teacher
from pages.parts.shared import banner, current_session, speech
from rsam_core.runtime.language import _

STYLE = Path(__file__).resolve().parents[1] / "parts" / "learn" / "learn.css"
LARGE = STYLE.with_name("projector.css")


def parts() -> dict[str, str]:
    """The parts of the page, as they are called."""
    return {
        "lessons": _("Lessons"),
        "class": _("Exercise and class"),
        "teacher": _("For the teacher"),
    }


def top() -> bool:
    """The row above everything; whether the page is for a projector."""
    names = parts()
    with st.container(horizontal=True, vertical_alignment="center", key="learn-top"):
        st.title(_("Learn"), anchor=False, width="content")
        # Told to the browser in every run: one that was cut short by the next had told it in vain,
        # and no part was marked as the chosen one.
        st.session_state[place.CHOICE] = place.part()
        st.segmented_control(
            _("Part"), list(names), format_func=names.__getitem__, key=place.CHOICE,
            label_visibility="collapsed", required=True, on_change=place.follow_choice,
        )  # fmt: skip
        st.space("stretch")
        if current_session.current() is not None:
            st.toggle(
                _("On my image"), key="learn-own",
                help=_("Lessons that can do so work on the middle of the image that is open."),
            )  # fmt: skip
        large = st.toggle(
            _("Projector"), key="learn-projector",
            help=_("Large type, for the wall of a class room."),
        )  # fmt: skip
        with st.container(width=150, key="learn-language"):
            speech.choice()
    return large


speech.begin()
place.arrive()
st.html(STYLE)
if st.session_state.get("learn-projector"):
    st.html(LARGE)
with banner.guard():
    projector = top()
    if place.part() == "class":
        class_room.show(projector)
    elif place.part() == "teacher":
        teacher.show()
    elif place.lesson() is not None:
        lesson_view.show(place.lesson(), projector)
    else:
        gallery.show()
