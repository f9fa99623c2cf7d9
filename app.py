"""RSAM: segment satellite, aerial and drone images in the browser."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

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
    st.Page("pages/segment.py", title="Segment", icon=":material/ads_click:", url_path="segment"),
    st.Page("pages/models.py", title="Models", icon=":material/model_training:", url_path="models"),
]

st.html(PARTS / "style.css")
st.navigation(PAGES, position="top").run()
