"""Which browser this is: a number of its own, kept by the browser, so that lost work is found."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from pages.parts.shared.javascript import script

_KEY = "browser-id"
_FORM = re.compile(r"[0-9a-f]{16,64}")
_SCRIPT = script(Path(__file__).with_suffix(".js"))

_teller = st.components.v2.component("rsam_browser", html="<span></span>", js=_SCRIPT)


def identify() -> None:
    """Ask the browser for its number; it comes with the next run of the page.

    It also lets the page be drawn again when the connection is back after a cut.
    """
    with st.container(key="browser"):
        told = _teller(
            key="browser-teller",
            data=st.session_state.get(_KEY),
            default={"id": None, "back": None},
            on_id_change=lambda: None,
            on_back_change=lambda: None,
        )
    known = told.get("id")
    # It names a folder, and comes from outside.
    if isinstance(known, str) and _FORM.fullmatch(known):
        st.session_state[_KEY] = known


def browser_id() -> str | None:
    """The browser's number; None until it has told, and where it keeps nothing."""
    return st.session_state.get(_KEY)
