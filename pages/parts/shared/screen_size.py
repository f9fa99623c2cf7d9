"""How much room there is on this screen; Streamlit itself does not tell."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.shared.javascript import script

_SCRIPT = script(Path(__file__).with_suffix(".js"))

_ruler = st.components.v2.component(
    "rsam_room", html='<div class="ruler" style="width:100%;height:1px"></div>', js=_SCRIPT
)

_LAST = "screen-room"


def room(width: int = 720, height: int = 800) -> tuple[int, int]:
    """Width of the enclosing column and height of the window.

    Parameters
    ----------
    width, height : int
        What to assume until the browser has told.

    Returns
    -------
    tuple of int
        CSS pixels, to the nearest ten.
    """
    # What another page was told is right here, too: nothing jumps when the page changes.
    guess = st.session_state.get(_LAST, (width, height))
    result = _ruler(key="room", default={"room": list(guess)}, on_room_change=lambda: None)
    known = result.get("room") or guess
    st.session_state[_LAST] = known = int(known[0]), int(known[1])
    return known
