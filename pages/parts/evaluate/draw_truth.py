"""Drawing the truth by hand: corner by corner, on the picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import streamlit as st

from pages.parts.shared import banner, resources
from rsam_core.formats.truth import Truth, truth_from_polygons
from rsam_core.formats.truth_drawn import drawn_polygons
from rsam_core.session.session import Session

WIDTH = 860


def expander(session: Session, give: Callable[[Session, Truth], None]) -> None:
    """A canvas for outlines, folded away until it is wanted."""
    shown = st.toggle(
        "Draw the true outlines here",
        key=f"draw-truth-{session.image.token}",
        help="Best for a few objects. Of a large image the whole is shown, reduced.",
    )
    if not shown:
        return
    with banner.guard():
        _canvas(session, give)


def _canvas(session: Session, give: Callable[[Session, Truth], None]) -> None:
    from streamlit_drawable_canvas import st_canvas

    st.caption(
        "Click corner after corner around an object, and its **first corner** again to close the "
        "outline. Then draw the next one. A click on another corner takes that corner away."
    )
    frame = session.image.overview
    picture = session.image.picture(frame)
    scale = min(1.0, WIDTH / picture.shape[1])
    width, height = (max(1, round(side * scale)) for side in (picture.shape[1], picture.shape[0]))
    drawn = st_canvas(
        background_image=session.memo.remember(
            "drawing-ground",
            (session.image.scene, width),
            lambda: resources.jpeg(
                cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
            ),
        ),
        drawing_mode="polygon",
        stroke_width=2,
        stroke_color="#FFE600",
        fill_color="rgba(255, 230, 0, 0.25)",
        width=width,
        height=height,
        key=f"truth-canvas-{session.image.token}",
    )
    polygons = drawn_polygons(drawn.json_data if drawn else None, session.image.scene.width / width)
    count = len(polygons)

    def use() -> None:
        with banner.guard("use-drawing"):
            give(session, truth_from_polygons(polygons, session.image.scene))

    st.button(
        f"Use {count} outline{'s' if count != 1 else ''} as truth",
        icon=":material/check:",
        type="primary",
        key="use-drawing",
        disabled=not count,
        on_click=use,
    )
