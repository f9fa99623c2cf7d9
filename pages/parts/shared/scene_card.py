"""The scene card: what the open image is and where it lies, for a narrow sidebar."""

from __future__ import annotations

import streamlit as st

import rsam_core as rsam
from pages.parts.shared.names import full, plain
from rsam_core.runtime.language import _
from rsam_core.scene.description import facts

_NAME, _FACT = 60, 120
"""Characters of a name and of a fact that stand in the sidebar."""


_FIRST = ("Size", "Pixel on the ground")
"""Facts that are always in sight; the others fold away."""


def scene_card(scene: rsam.Scene) -> None:
    """Draw the name, size and resolution of a scene, its notes, and the other facts on demand."""
    st.markdown(f"**{plain(scene.name, _NAME)}**", help=full(scene.name, _NAME))
    known = facts(scene)
    _lines([row for row in known if row[0] in _FIRST])
    for note in scene.notes:
        st.caption(f":material/info: {plain(note)}")
    with st.expander(_("More about the image"), icon=":material/info:"):
        _lines([row for row in known if row[0] not in _FIRST])


def _lines(rows: list[tuple[str, str]]) -> None:
    # Two blanks before the end of a line make a line break: one paragraph stays compact.
    st.caption("  \n".join(f"**{plain(_(name))}** {plain(text, _FACT)}" for name, text in rows))
