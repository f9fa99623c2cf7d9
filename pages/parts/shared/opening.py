"""Opening a project: at once, or in the background where its image has to be prepared again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.parts.shared import banner, current_session, progress
from rsam_core.scene.scene import Scene
from rsam_core.session.autosave import Autosave
from rsam_core.session.project import ProjectState
from rsam_core.session.project_state import from_state
from rsam_core.session.session import Session

JOB = "open project"
ACTION = "open-project"
_SEGMENT = "pages/screens/segment.py"


def begin(
    state: ProjectState,
    scene: Scene,
    kept: Autosave | None = None,
    tried: Callable[[], None] = lambda: None,
) -> None:
    """Open a project on its image; the page is drawn again, or goes to the objects.

    Parameters
    ----------
    state : ProjectState
    scene : Scene
        The project's image, opened and not prepared.
    kept : Autosave, optional
        Where the project was kept, if nobody saved it.
    tried : callable, optional
        Called once the project is open, or is being opened in the background.

    Raises
    ------
    ProjectError
        If something in it cannot be used; nothing is changed then.
    """
    settings = current_session.settings()
    if state.pipeline is None:
        with st.spinner("Opening the project…"):
            made = from_state(state, scene, **settings)
        tried()
        _enter(made, kept)

    def run(**control: Callable[..., Any]) -> tuple[Session, Autosave | None]:
        return from_state(state, scene, **control, **settings), kept

    current_session.visit().jobs.start(JOB, run, latest=True)
    tried()
    st.rerun()


def _enter(session: Session, kept: Autosave | None) -> None:
    """Go on with the work of a project."""
    session.safekeeping.offer_dismissed, session.safekeeping.brought_back = True, kept
    current_session.enter(session)
    banner.forget_all()
    if kept is not None:
        # The same image, with the work that was done on it: the page stays.
        st.rerun()
    st.switch_page(_SEGMENT)


def watch() -> bool:
    """Show a project that is being opened, with a button that stops it.

    Returns
    -------
    bool
        Whether one is; the earlier image stays until it is there.
    """
    jobs = current_session.visit().jobs
    job = jobs.take(JOB)
    if job is None:
        return progress.shown(
            jobs,
            JOB,
            "Preparing the project’s image again…",
            key="stop-opening",
            help="The image that is open stays as it is.",
        )
    if job.state == "failed":
        banner.fail(ACTION, job.error)
    elif job.state == "done":
        _enter(*job.result)
    return False
