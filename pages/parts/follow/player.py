"""Previous, next, play, and a slider through the frames."""

from __future__ import annotations

import time

import streamlit as st

from rsam_core.runtime.language import _
from rsam_core.session.following import FollowState
from rsam_core.session.session import Session

HEIGHT = 46
"""CSS pixels that the row needs."""
_PAUSE = 0.5
"""Seconds that each frame is shown at least."""
_PLAYING, _SINCE = "follow-playing", "follow-since"


def player(session: Session, state: FollowState) -> None:
    """The row below the picture."""
    frames, last = state.frames, len(state.frames) - 1
    slider = f"follow-slider-{session.image.token}"
    playing = bool(st.session_state.get(_PLAYING))

    def play() -> None:
        st.session_state[_PLAYING] = not playing
        st.session_state[_SINCE] = time.monotonic()
        if not playing and state.frame == last:
            state.look(0)

    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key="player", wrap=False
    ):
        st.button(
            "",
            icon=":material/skip_previous:",
            key="follow-previous",
            help=_("Previous frame (←)"),
            shortcut="Left",
            disabled=state.frame == 0,
            on_click=look,
            args=(state, state.frame - 1),
        )
        st.button(
            "", icon=":material/pause:" if playing else ":material/play_arrow:", key="follow-play",
            help=_("Pause") if playing else _("Play"), on_click=play,
        )  # fmt: skip
        st.button(
            "", icon=":material/skip_next:", key="follow-next", help=_("Next frame (→)"),
            shortcut="Right", disabled=state.frame == last, on_click=look,
            args=(state, state.frame + 1),
        )  # fmt: skip
        if st.session_state.get(slider) != state.frame + 1:
            st.session_state[slider] = state.frame + 1
        st.slider(
            _("Frame"), 1, last + 1, key=slider, label_visibility="collapsed",
            on_change=lambda: look(state, st.session_state[slider] - 1),
        )  # fmt: skip
        name = frames.dates[state.frame] or frames.names[state.frame]
        st.markdown(f"**{state.frame + 1}** / {last + 1} · {name[-24:]}", width=190)
    if playing:
        _tick(state, last)


def look(state: FollowState, frame: int) -> None:
    """Show a frame; playing ends."""
    st.session_state[_PLAYING] = False
    state.look(frame)


@st.fragment(run_every=_PAUSE)
def _tick(state: FollowState, last: int) -> None:
    now = time.monotonic()
    # Drawn with the page, too, which must not count as a frame's time.
    if not st.session_state.get(_PLAYING) or now - st.session_state.get(_SINCE, now) < 0.8 * _PAUSE:
        return
    st.session_state[_SINCE] = now
    if state.frame >= last:
        st.session_state[_PLAYING] = False
    else:
        state.look(state.frame + 1)
    st.rerun()
