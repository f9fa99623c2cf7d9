"""The language of each browser: its own at first, then the one that was chosen."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import session_memory as memory
from pages.parts.shared import streamlit_adapter
from rsam_core.runtime import language

_KEY, _CHOICE, _KEPT = "language", "language-choice", "language-kept"
# Kept beside the page's state, which may only be looked at where a run may end.
_spoken: dict[str, str] = {}


def _of_this_thread() -> str | None:
    session = streamlit_adapter.session_id()
    return None if session is None else _spoken.get(session)


def _forget(session: str) -> None:
    _spoken.pop(session, None)


def begin() -> None:
    """Speak the language of this browser from here on; to be called by each page that is
    translated, before it says anything."""
    language.ask(_of_this_thread)
    memory.when_leaving(_forget)
    # Told to the browser anew, in the words of the language that was just chosen.
    for key, value in st.session_state.pop(_KEPT, {}).items():
        st.session_state[key] = value
    chosen = st.session_state.get(_KEY) or language.known(st.context.locale or language.SOURCE)
    session = streamlit_adapter.session_id()
    if session is not None:
        _spoken[session] = chosen


def choice() -> None:
    """Let the person choose the language."""
    codes = list(language.LANGUAGES)
    now = language.current()
    chosen = st.selectbox(
        language._("Language"), codes, index=codes.index(now), key=_CHOICE,
        format_func=language.LANGUAGES.__getitem__, label_visibility="collapsed",
    )  # fmt: skip
    if chosen != now:
        kept = streamlit_adapter.chosen_by_words()
        st.session_state[_KEPT] = {key: kept[key] for key in kept if key != _CHOICE}
        st.session_state[_KEY] = chosen
        st.rerun()
