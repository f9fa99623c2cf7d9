"""Where on the page Learn one is; the address says it, so that it can be passed on."""

from __future__ import annotations

import streamlit as st

from rsam_core.evaluate.learn.catalog import LESSONS

PARTS = ("lessons", "class", "teacher")
"""The lessons; exercises and the class board; what teachers prepare and print."""
CHOICE = "learn-part-choice"
"""Key of the widget that chooses the part."""
_PART, _LESSON, _READ = "learn-part", "learn-lesson", "learn-address-read"


def arrive() -> None:
    """Take from the address where to begin, once for each address."""
    asked = {
        name: st.query_params.get(name, "") for name in ("part", "lesson", "board", "exercise")
    }
    if asked == st.session_state.get(_READ) or not any(asked.values()):
        return
    st.session_state[_READ] = asked
    if asked["lesson"] in LESSONS:
        _stand("lessons", asked["lesson"])
    elif asked["board"] or asked["exercise"]:
        _stand("class", None)
    elif asked["part"] in PARTS:
        _stand(asked["part"], None)


def go(part: str, lesson: str | None = None) -> None:
    """Go to a part, and to a lesson in it."""
    _stand(part, lesson)
    wanted = {"lesson": lesson} if lesson else {"part": part} if part != PARTS[0] else {}
    st.session_state[_READ] = {
        name: wanted.get(name, "") for name in ("part", "lesson", "board", "exercise")
    }
    st.query_params.from_dict(wanted)


def follow_choice() -> None:
    """Go where the widget says."""
    chosen = st.session_state[CHOICE]
    if chosen is None:
        # A slow browser that has not yet heard which part was set says none; the address stays.
        st.session_state[CHOICE] = part()
    else:
        go(chosen)


def part() -> str:
    """The part that is shown."""
    return st.session_state.get(_PART, PARTS[0])


def lesson() -> str | None:
    """Key of the lesson that is shown; None for the list of all."""
    return st.session_state.get(_LESSON)


def _stand(part: str, lesson: str | None) -> None:
    st.session_state[_PART] = part
    st.session_state[_LESSON] = lesson
    st.session_state[CHOICE] = part
