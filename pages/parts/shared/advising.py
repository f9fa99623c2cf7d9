"""What keeps the open image from being outlined well: a line each, and what mends it."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import banner, current_session, destination
from pages.parts.shared.names import plain
from rsam_core.errors import RsamError
from rsam_core.prepare import load_steps
from rsam_core.prepare.scene_advice import SceneAdvice, scene_advice
from rsam_core.runtime.language import _
from rsam_core.session.preparation import Preparations, start
from rsam_core.session.session import Session

PAGES = ("segment", "one-shot")
"""Addresses of the pages on which it is said."""
MOST = 2
_SILENT = "advice-dismissed"


def advise(session: Session | None, page: str) -> None:
    """Say it at the end of the sidebar; called after the page, which is not to wait for it.

    Parameters
    ----------
    session : Session or None
        The image that is open.
    page : str
        Address of the page.
    """
    if session is None or page not in PAGES:
        return
    scene, prepared = session.image.scene, session.image.pipeline is not None
    dismissed = st.session_state.setdefault(_SILENT, set())
    found = session.memo.remember("advice", (scene, prepared), lambda: _found(session))
    shown = [item for item in found if (scene.content_hash, item.kind) not in dismissed][:MOST]
    for item in shown:
        _line(session, item)


def _found(session: Session) -> tuple[SceneAdvice, ...]:
    load_steps()
    try:
        return scene_advice(session.image.scene, prepared=session.image.pipeline is not None)
    except RsamError:
        # Whatever is wrong with the picture is told where it is needed.
        return ()


def _line(session: Session, item: SceneAdvice) -> None:
    def dismiss() -> None:
        st.session_state[_SILENT].add((session.image.scene.content_hash, item.kind))

    with st.sidebar.container(border=True, key=f"scene-advice-{item.kind}", gap="xxsmall"):
        st.markdown(f":material/lightbulb: {plain(item.text)}")
        with st.container(horizontal=True, gap="xsmall"):
            if item.button and st.button(
                item.button, key=f"mend-{item.kind}", type="primary", help=_help(session, item)
            ):
                _mend(session, item)
            st.button(
                "", icon=":material/close:", key=f"dismiss-{item.kind}", type="tertiary",
                help=_("Do not say it again"), on_click=dismiss,
            )  # fmt: skip


def _help(session: Session, item: SceneAdvice) -> str | None:
    if item.step is None:
        return None
    told = _("Shows before and after on the page Prepare; the original is never changed.")
    if item.kind == "pixels" and len(session.objects):
        told += " " + _("The objects outlined so far lie in the present picture and would go.")
    return told


def _mend(session: Session, item: SceneAdvice) -> None:
    with banner.guard("mend"):
        if item.view is not None:
            with st.spinner(_("Drawing the picture anew…")):
                session.change_scene(session.image.scene.with_view(item.view))
            st.rerun()
        table = current_session.visit().attached(Preparations).of(session)
        if item.step.key not in {stage.step.key for stage in table.pipeline.stages}:
            table.add(item.step)
        if not (item.kind == "pixels" and len(session.objects)):
            start(session, table)
        destination.go("pages/screens/prepare.py")
