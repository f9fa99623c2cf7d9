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
from rsam_core.runtime.language import N_, _
from rsam_core.session.session import Session


def with_image(show: Callable[[Session], None], what: str) -> None:
    """A tab that needs an image."""
    session = current_session.current()
    if session is None:
        no_image(
            _(
                "No image is open yet. {what} Upload your own on the page Open, or start with a "
                "sample, which brings its exact truth."
            ).format(what=what),
            page="pages/screens/evaluate.py",
        )
    else:
        show(session)


TABS: tuple[tuple[str, Callable[[], None]], ...] = (
    (
        N_("This image"),
        lambda: with_image(
            evaluate_image.tab, _("Here your outlines are compared with the true ones.")
        ),
    ),
    (
        N_("Compare methods"),
        lambda: with_image(
            evaluate_methods.tab,
            _("Here clicks, boxes, models and classical methods are compared."),
        ),
    ),
    (
        N_("Studies"),
        lambda: with_image(evaluate_studies.tab, _("Here you find out what accuracy depends on.")),
    ),
    (N_("Data sets"), evaluate_datasets.tab),
)

st.title(_("Evaluate"))
titles = [_(title) for title, _show in TABS]
if "evaluate-last" in st.session_state and st.session_state.get("evaluate-tab") not in titles:
    # Back from another page, or in another language: the same tab is open.
    st.session_state["evaluate-tab"] = titles[st.session_state["evaluate-last"]]
tabs = st.tabs(titles, key="evaluate-tab", on_change="rerun")
st.session_state["evaluate-last"] = titles.index(st.session_state["evaluate-tab"])
for tab, (_title, show) in zip(tabs, TABS):
    if tab.open:
        with tab, banner.guard():
            show()
