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

PAGES = [
    st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
    st.Page("pages/prepare.py", title="Prepare", icon=":material/tune:", url_path="prepare"),
    st.Page("pages/segment.py", title="Segment", icon=":material/ads_click:", url_path="segment"),
    st.Page("pages/one_shot.py", title="One-shot", icon=":material/star:", url_path="one-shot"),
    st.Page("pages/objects.py", title="Objects", icon=":material/category:", url_path="objects"),
    st.Page("pages/evaluate.py", title="Evaluate", icon=":material/rule:", url_path="evaluate"),
    st.Page("pages/models.py", title="Models", icon=":material/model_training:", url_path="models"),
]

st.html(PARTS / "style.css")
browser.identify()
st.navigation(PAGES, position="top").run()
