"""Files may be dropped anywhere on the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.shared.javascript import script
from rsam_core.runtime.language import _

_dropper = st.components.v2.component(
    "rsam_drop", html="<span></span>", js=script(Path(__file__).with_suffix(".js"))
)


def anywhere() -> None:
    """Hand a dropped file to the upload that takes its kind."""
    with st.container(key="drop"):
        _dropper(key="drop-taker", data=_("Drop the file to open it"))
