"""Prepare: steps that make a picture better to segment, with before and after."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.prepare import view as prepare_view
from pages.parts.prepare.actions import actions, collect, files
from pages.parts.prepare.steps import (
    catalogue,
    catalogue_shown,
    show_catalogue,
    step_list,
    suggestions,
)
from pages.parts.shared import banner, current_session
from pages.parts.shared.gallery import no_image
from pages.parts.shared.screen_size import room
from rsam_core.prepare import load_steps
from rsam_core.session.preparation import Preparations, PreparationState
from rsam_core.session.session import Session

STYLE = Path(__file__).parents[1] / "parts" / "prepare" / "prepare.css"
NO_IMAGE = "No image is open yet. Upload your own on the Home page, or start with a sample below."
# Heights in pixels: of all that stands above and below the picture, of what stands below the list
# of steps, and the least of either.
AROUND, BELOW, LOWEST = 300, 50, 300


def steps(table: PreparationState, session: Session, height: int) -> None:
    """The column on the right: suggestions, the list, and where to add from."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Add step",
            icon=":material/add:",
            key="add-step",
            type="secondary" if len(table.pipeline) else "primary",
            on_click=show_catalogue,
        )
        if catalogue_shown():
            catalogue(table)
        with st.popover("Files", icon=":material/folder_open:", key="files"):
            files(table, session)
    with st.container(height=height, border=False, gap="small", key="prepare-steps"):
        if not len(table.pipeline):
            st.info(
                "**Start here:** add a step"
                + (", or take a suggestion." if table.advice else ".")
                + " The original image is never changed.",
                icon=":material/tune:",
            )
        suggestions(table)
        step_list(table)


def page(session: Session) -> None:
    """The whole screen for an open image."""
    st.html(STYLE)
    with st.spinner("Looking at the image…"):
        table = current_session.visit().attached(Preparations).of(session)
    collect(table, session)
    if table.trouble is not None:
        banner.show(table.trouble)
    left, right = st.columns([64, 36], gap="medium")
    with left:
        mode, pair = prepare_view.toolbar(table)
        width, height = room()
        height = max(height - AROUND, LOWEST)
        if mode == prepare_view.POINTS:
            prepare_view.points(table)
        else:
            preview = prepare_view.picture(table, mode, pair, (width, height))
            prepare_view.notes(table, mode, pair, preview)
            prepare_view.tones(preview)
    with right:
        steps(table, session, height + BELOW)
        actions(table, session)


load_steps()
opened = current_session.current()
if opened is None:
    st.title("Prepare")
    no_image(NO_IMAGE, page="pages/screens/prepare.py")
else:
    with banner.guard():
        page(opened)
