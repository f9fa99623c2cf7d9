"""RSAM: segment satellite, aerial and drone images in the browser."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts import browser

PARTS = Path(__file__).parent / "pages" / "parts"

st.set_page_config(
    page_title="RSAM",
    # A file of our own: a named icon would be fetched from the internet.
    page_icon=str(PARTS / "icon.svg"),
    layout="wide",
    initial_sidebar_state=250,
)

# The screens lie one level below `pages/`, whose own files Streamlit would list by itself.
SCREENS = {
    "home": ("Home", "home"),
    "prepare": ("Prepare", "tune"),
    "segment": ("Segment", "ads_click"),
    "one_shot": ("One-shot", "star"),
    "objects": ("Objects", "category"),
    "evaluate": ("Evaluate", "rule"),
    "models": ("Models", "model_training"),
}
PAGES = [
    st.Page(
        f"pages/screens/{name}.py",
        title=title,
        icon=f":material/{icon}:",
        url_path=name.replace("_", "-"),
        default=name == "home",
    )
    for name, (title, icon) in SCREENS.items()
]

st.html(PARTS / "style.css")
browser.identify()
st.navigation(PAGES, position="top").run()
