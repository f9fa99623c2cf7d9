"""Prepare: steps that make a picture better to segment, with before and after."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts import banner, prepare_view, workspace
from pages.parts.gallery import no_image
from pages.parts.prepare_actions import actions, collect, files
from pages.parts.prepare_state import Bench, bench
from pages.parts.prepare_steps import (
    catalogue,
    catalogue_shown,
    show_catalogue,
    step_list,
    suggestions,
)
from pages.parts.room import room
from rsam_core.prepare import load_steps

STYLE = Path(__file__).parents[1] / "parts" / "prepare.css"
NO_IMAGE = "No image is open yet. Upload your own on the Home page, or start with a sample below."
# Heights in pixels: of all that stands above and below the picture, of what stands below the list
# of steps, and the least of either.
AROUND, BELOW, LOWEST = 300, 50, 300


def steps(table: Bench, work: workspace.Workspace, height: int) -> None:
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
            files(table, work)
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


def page(work: workspace.Workspace) -> None:
    """The whole screen for an open image."""
    st.html(STYLE)
    table = bench(work)
    collect(table, work)
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
        steps(table, work, height + BELOW)
        actions(table, work)


load_steps()
opened = workspace.current()
if opened is None:
    st.title("Prepare")
    no_image(NO_IMAGE, page="pages/screens/prepare.py")
else:
    with banner.guard():
        page(opened)
