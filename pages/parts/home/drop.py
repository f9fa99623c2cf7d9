"""Files may be dropped anywhere on the page."""

from __future__ import annotations

import json
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


def hints() -> str:
    """Short words in the uploads, in place of Streamlit's list of endings, for the style sheet."""
    texts = {
        "--image-hint": _("JPG, PNG, GeoTIFF and more · or drop it anywhere here"),
        "--project-hint": _("A file that ends in .rsam.zip"),
    }
    # Strings of CSS are quoted like those of JSON.
    rules = "".join(
        f"{name}:{json.dumps(text, ensure_ascii=False)};" for name, text in texts.items()
    )
    return f"<style>:root{{{rules}}}</style>"
