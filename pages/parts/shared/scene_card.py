"""The scene card: what the open image is and where it lies, for a narrow sidebar."""

from __future__ import annotations

import streamlit as st

import rsam_core as rsam
from pages.parts.shared.names import full, plain
from rsam_core.scene.description import facts

_NAME, _FACT = 60, 120
"""Characters of a name and of a fact that stand in the sidebar."""


def scene_card(scene: rsam.Scene) -> None:
    """Draw the name, the facts and the notes of a scene."""
    st.markdown(f"**{plain(scene.name, _NAME)}**", help=full(scene.name, _NAME))
    lines = [f"**{plain(name)}** {plain(text, _FACT)}" for name, text in facts(scene)]
    # Two blanks before the end of a line make a line break: one paragraph stays compact.
    st.caption("  \n".join(lines))
    for note in scene.notes:
        st.caption(f":material/info: {plain(note)}")
