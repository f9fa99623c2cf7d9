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
from pages.parts.shared import banner, current_session, sidebar
from pages.parts.shared.frame import frame
from pages.parts.shared.frame import toolbar as tools
from pages.parts.shared.gallery import no_image
from rsam_core.prepare import load_steps
from rsam_core.runtime.language import N_, _
from rsam_core.session.preparation import Preparations, PreparationState
from rsam_core.session.session import Session

STYLE = Path(__file__).parents[1] / "parts" / "prepare" / "prepare.css"
NO_IMAGE = N_(
    "No image is open yet. Upload your own on the page Open, or start with a sample below."
)
# Heights in pixels: of the buttons below the list of steps, of the tones, and of a picture from
# which on there is room for both.
_BELOW, _TONES, _ROOMY = 110, 106, 500


def toolbar(table: PreparationState, session: Session) -> tuple[str, bool]:
    """What is shown and how; where steps are added from, and the files."""
    with tools():
        mode, pair = prepare_view.toolbar(table)
        st.space("stretch")
        with st.popover(_("Files"), icon=":material/folder_open:", key="files"):
            files(table, session)
        st.button(
            _("Add step"),
            icon=":material/add:",
            key="add-step",
            type="secondary" if len(table.pipeline) else "primary",
            on_click=show_catalogue,
        )
        if catalogue_shown():
            catalogue(table)
    return mode, pair


def steps(table: PreparationState, height: int) -> None:
    """Suggestions and the list of steps."""
    with st.container(height=height, border=False, gap="small", key="prepare-steps"):
        if not len(table.pipeline):
            st.info(
                _(
                    "**Start here:** add a step, or take a suggestion. The original image is "
                    "never changed."
                )
                if table.advice
                else _("**Start here:** add a step. The original image is never changed."),
                icon=":material/tune:",
            )
        suggestions(table)
        step_list(table)


def page(session: Session) -> None:
    """The whole screen for an open image."""
    st.html(STYLE)
    with st.spinner(_("Looking at the image…")):
        table = current_session.visit().attached(Preparations).of(session)
    collect(table, session)
    if table.trouble is not None:
        banner.show(table.trouble)
    with st.sidebar:
        sidebar.image_name(session)
    mode, pair = toolbar(table, session)
    places = frame()
    preview = None
    with places.picture:
        if mode == prepare_view.POINTS:
            prepare_view.points(table)
        else:
            preview = prepare_view.picture(table, mode, pair, places.size)
    with places.panel:
        # On a low screen the steps need the room more than the tones do.
        roomy = places.size[1] >= _ROOMY
        steps(table, places.size[1] - _BELOW - (_TONES if roomy else 0))
        if preview is not None and roomy:
            prepare_view.tones(preview)
        actions(table, session)
    with places.line:
        if preview is not None:
            prepare_view.notes(table, mode, pair, preview)


load_steps()
opened = current_session.current()
if opened is None:
    st.title(_("Prepare"))
    no_image(_(NO_IMAGE), page="pages/screens/prepare.py")
else:
    with banner.guard():
        page(opened)
