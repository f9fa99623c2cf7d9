"""Evaluate: how good a segmentation is, and why; methods, studies and data sets."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.evaluate import (
    datasets as evaluate_datasets,
)
from pages.parts.evaluate import (
    image as evaluate_image,
)
from pages.parts.evaluate import (
    methods as evaluate_methods,
)
from pages.parts.evaluate import (
    studies as evaluate_studies,
)
from pages.parts.shared import banner, current_session
from pages.parts.shared.gallery import no_image
from rsam_core.session.session import Session


def with_image(show: Callable[[Session], None], what: str) -> None:
    """A tab that needs an image."""
    session = current_session.current()
    if session is None:
        no_image(
            f"No image is open yet. {what} Upload your own on the page Open, or start with a "
            "sample, which brings its exact truth.",
            page="pages/screens/evaluate.py",
        )
    else:
        show(session)


TABS: tuple[tuple[str, Callable[[], None]], ...] = (
    (
        "This image",
        lambda: with_image(
            evaluate_image.tab, "Here your outlines are compared with the true ones."
        ),
    ),
    (
        "Compare methods",
        lambda: with_image(
            evaluate_methods.tab, "Here clicks, boxes, models and classical methods are compared."
        ),
    ),
    (
        "Studies",
        lambda: with_image(evaluate_studies.tab, "Here you find out what accuracy depends on."),
    ),
    ("Data sets", evaluate_datasets.tab),
)

st.title("Evaluate")
if "evaluate-tab" not in st.session_state and "evaluate-last" in st.session_state:
    # Back from another page: the same tab is open.
    st.session_state["evaluate-tab"] = st.session_state["evaluate-last"]
tabs = st.tabs([title for title, _ in TABS], key="evaluate-tab", on_change="rerun")
st.session_state["evaluate-last"] = st.session_state["evaluate-tab"]
for tab, (_, show) in zip(tabs, TABS):
    if tab.open:
        with tab, banner.guard():
            show()
