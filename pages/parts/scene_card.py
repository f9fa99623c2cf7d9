"""The scene card: what the open image is and where it lies, for a narrow sidebar."""

from __future__ import annotations

import re

import streamlit as st

import rsam_core as rsam
from rsam_core.scene_card import facts

_MARKUP = re.compile(r"([\\`*_\[\]<>#$~|:])")


def scene_card(scene: rsam.Scene) -> None:
    """Draw the name, the facts and the notes of a scene."""
    st.markdown(f"**{plain(scene.name)}**")
    lines = [f"**{plain(name)}** {plain(text)}" for name, text in facts(scene)]
    # Two blanks before the end of a line make a line break: one paragraph stays compact.
    st.caption("  \n".join(lines))
    for note in scene.notes:
        st.caption(f":material/info: {plain(note)}")


def plain(text: str) -> str:
    """A text whose signs Markdown shall not take for its own."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
