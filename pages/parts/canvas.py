"""The prompt canvas: shows the picture, turns drawing into prompts."""

from __future__ import annotations

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from rsam_core.coordinates import (
    BOX_COLOUR,
    BOX_STROKE,
    EXCLUDE_COLOUR,
    INCLUDE_COLOUR,
    POINT_RADIUS,
    POINT_STROKE,
    Frame,
)
from rsam_core.sheet import lay_out, take

from . import banner
from .workspace import Workspace, current


def canvas_key(workspace: Workspace) -> str:
    """Widget key: one canvas for as long as the image is open, so that it never flickers."""
    return f"canvas-{workspace.token}"


def _take(key: str) -> None:
    """Read the canvas into the book before the page is drawn again."""
    workspace = current()
    state = st.session_state.get(key)
    if workspace is None or not state:
        return
    drawing = (state.get("drawing") or {}).get("raw")
    with banner.guard():
        workspace.book, workspace.sheets, slip = take(
            workspace.book,
            workspace.sheets,
            drawing,
            own_objects=bool(st.session_state.get("own-objects")),
        )
        if slip:
            st.toast("To draw a box, press, drag to the opposite corner, and release.")


def prompt_canvas(
    workspace: Workspace, canvas: Frame, picture: bytes, mode: str, label: int
) -> None:
    """Show the picture with the marks of the current object, ready to draw.

    Parameters
    ----------
    workspace : Workspace
    canvas : Frame
        Size of the canvas and the window it shows.
    picture : bytes
        JPEG of exactly the canvas size.
    mode : str
        ``"Boxes"``, ``"Points"``, or anything else for looking only.
    label : int
        1 for include, 0 for exclude points.
    """
    key = canvas_key(workspace)
    # On entering the page the canvas in the browser is a new, empty one.
    sheets = workspace.sheets if key in st.session_state else ()
    workspace.book, workspace.sheets = lay_out(workspace.book, canvas, sheets)
    point_colour = INCLUDE_COLOUR if label else EXCLUDE_COLOUR
    points = mode == "Points"
    st_canvas(
        background_image=picture,
        width=canvas.columns,
        height=canvas.rows,
        drawing_mode="point" if points else "rect",
        fill_color=point_colour + "b0" if points else "rgba(0,0,0,0)",
        stroke_color=point_colour if points else BOX_COLOUR,
        stroke_width=POINT_STROKE if points else BOX_STROKE,
        point_display_radius=POINT_RADIUS,
        initial_drawing=workspace.sheets[0].drawing,
        disabled=mode not in ("Boxes", "Points"),
        on_change=lambda: _take(key),
        key=key,
    )
