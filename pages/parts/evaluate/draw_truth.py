"""Drawing the truth by hand: corner by corner, on the picture."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.shared import banner
from pages.parts.shared.polygon_canvas import HOW, fitting, polygon_canvas
from rsam_core.formats.truth import Truth, truth_from_polygons
from rsam_core.runtime.language import _, ngettext
from rsam_core.scene.window import Window
from rsam_core.session.session import Session

WIDTH = 860


def expander(session: Session, give: Callable[[Session, Truth], None]) -> None:
    """A canvas for outlines, folded away until it is wanted."""
    shown = st.toggle(
        _("Draw the true outlines here"),
        key=f"draw-truth-{session.image.token}",
        help=_("Best for a few objects. Of a large image the whole is shown, reduced."),
    )
    if not shown:
        return
    with banner.guard():
        _canvas(session, give)


def _canvas(session: Session, give: Callable[[Session, Truth], None]) -> None:
    st.caption(_(HOW))
    frame = session.image.overview
    picture = session.image.picture(frame)
    rows, columns = picture.shape[:2]
    scene = session.image.scene
    polygons = polygon_canvas(
        session, lambda: picture, Window(0, 0, scene.width, scene.height),
        fitting(columns, rows, (WIDTH, 100 * WIDTH), enlarge=False),
        f"truth-canvas-{session.image.token}",
    )  # fmt: skip
    count = len(polygons)

    def use() -> None:
        with banner.guard("use-drawing"):
            give(session, truth_from_polygons(polygons, session.image.scene))

    st.button(
        ngettext("Use {count} outline as truth", "Use {count} outlines as truth", count).format(
            count=count
        ),
        icon=":material/check:",
        type="primary",
        key="use-drawing",
        disabled=not count,
        on_click=use,
    )
