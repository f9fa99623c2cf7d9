"""Painting large areas by clicks on patches of one colour, such as fields and water."""

from __future__ import annotations

import streamlit as st

import rsam_core as rsam
from pages.parts.objects.classify import classes_of
from pages.parts.shared import banner
from rsam_core.objects.instances import Instances
from rsam_core.prompts.superpixel_painting import Painting
from rsam_core.prompts.superpixels import SuperpixelSettings
from rsam_core.runtime.language import _, ngettext, number
from rsam_core.scene.coordinates import Frame, Viewport
from rsam_core.session.session import Session

_LONGEST = 1200
"""Longest side of the picture that is divided: more takes seconds."""


def paint_panel(session: Session, found: Instances) -> None:
    """Divide what is on the screen into patches, choose some by clicks, make them an object.

    Parameters
    ----------
    session : Session
        Its ``painting`` takes the clicks as long as it is there.
    found : Instances
        All objects.
    """

    def start() -> None:
        frame = seen(session)
        window = rsam.Window(*(round(v) for v in (frame.x, frame.y, frame.width, frame.height)))
        image = session.image.scene.read_rgb(window, max(frame.columns, frame.rows))
        frame = Frame(frame.x, frame.y, frame.width, frame.height, *image.shape[1::-1])
        scale = frame.columns / max(1.0, shown(session).columns)
        size = round(st.session_state["patch-size"] * scale)
        session.canvas.painting = Painting.start(
            image, frame, SuperpixelSettings(size=min(max(size, 4), 500))
        )

    def resized() -> None:
        if session.canvas.painting is not None:
            with banner.guard("patches"):
                start()

    st.slider(
        _("Size of a patch (screen pixels)"),
        10,
        80,
        28,
        2,
        key="patch-size",
        persist_state="session",
        on_change=resized,
        help=_("Patches follow the colours of what is on the screen. Zoom in for finer ones."),
    )
    if session.canvas.painting is None:
        st.caption(
            _(
                "For large areas without a clear outline: RSAM divides what is on the screen into "
                "patches of one colour, and you click those that belong together."
            )
        )
        if st.button(
            _("Show patches"), key="paint-start", icon=":material/grid_on:", type="primary"
        ):
            with banner.guard("patches"):
                with st.spinner(_("Dividing the picture…")):
                    start()
                st.rerun()
        return
    count = len(session.canvas.painting.chosen)
    st.markdown(ngettext("**{count} patch chosen.** Click patches in the picture; click again "
                         "to leave one out.",
                         "**{count} patches chosen.** Click patches in the picture; click again "
                         "to leave one out.", count).format(count=number(count)))  # fmt: skip
    classes = classes_of(session)
    label = st.selectbox(_("Class of the area"), [_("No class"), *classes.names], key="paint-class")

    def make() -> None:
        painting, base = session.canvas.painting, session.shown()
        item = painting.instance(None if label == "No class" else label)
        session.commit(base, base.objects.add(item), _("Paint an area"))
        session.canvas.painting = Painting(painting.frame, painting.labels)

    def stop() -> None:
        session.canvas.painting = None

    with st.container(horizontal=True):
        st.button(
            _("Make it an object"), key="paint-make", icon=":material/check:", disabled=not count,
            type="primary", on_click=make,
        )  # fmt: skip
        st.button(_("Done"), key="paint-stop", icon=":material/close:", on_click=stop)


def shown(session: Session) -> Viewport:
    """What is on the screen; the whole scene until the browser has told."""
    scene = session.image.scene
    return session.canvas.viewport or Viewport.fitting(scene.width, scene.height, 700, 500)


def seen(session: Session) -> Frame:
    """The part of the scene on the screen, at the screen's resolution or the scene's own."""
    scene, viewport = session.image.scene, shown(session)
    region = viewport.within(scene.width, scene.height) or session.image.overview
    scale = min(1.0, viewport.scale, _LONGEST / max(region.width, region.height))
    columns, rows = max(1, round(region.width * scale)), max(1, round(region.height * scale))
    return Frame(region.x, region.y, region.width, region.height, columns, rows)
