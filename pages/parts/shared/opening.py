"""Opening a project: at once, or in the background where its image has to be prepared again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from pages.parts.shared import banner, current_session, destination, progress, streamlit_adapter
from pages.parts.shared.names import plain
from rsam_core.runtime.language import _
from rsam_core.scene.scene import Scene
from rsam_core.session.project import ProjectState
from rsam_core.session.project_state import from_state, version
from rsam_core.session.session import Session

JOB = "open project"
ACTION = "open-project"
_SEGMENT = "pages/screens/segment.py"


@dataclass(frozen=True)
class GoingOn:
    """A work of before that is gone on with; see `rsam_core.session.works`.

    Attributes
    ----------
    where : Path
        Folder of the browser.
    work : str
        Its id.
    page : str or None
        File of the page to go to; None to stay.
    place : str
        Path of an image that is opened where it lies.
    note : str
        What is to be said.
    """

    where: Path
    work: str
    page: str | None = None
    place: str = ""
    note: str = ""


def begin(
    state: ProjectState,
    scene: Scene,
    again: GoingOn | None = None,
    tried: Callable[[], None] = lambda: None,
) -> None:
    """Open a project on its image; the page is drawn again, or goes to the objects.

    Parameters
    ----------
    state : ProjectState
    scene : Scene
        The project's image, opened and not prepared.
    again : GoingOn, optional
        The work that it is, if nobody saved it as a project.
    tried : callable, optional
        Called once the project is open, or is being opened in the background.

    Raises
    ------
    ProjectError
        If something in it cannot be used; nothing is changed then.
    """
    settings = current_session.settings()
    if state.pipeline is None:
        with st.spinner(_("Opening the project…")):
            made = from_state(state, scene, **settings)
        enter(made, again, tried)

    def run(**control: Callable[..., Any]) -> tuple[Session, GoingOn | None]:
        return from_state(state, scene, **control, **settings), again

    current_session.visit().jobs.start(JOB, run, latest=True)
    tried()
    st.rerun()


def enter(
    session: Session, again: GoingOn | None = None, tried: Callable[[], None] = lambda: None
) -> NoReturn:
    """Go on with the work of a project, or with a work of before.

    Parameters
    ----------
    session : Session
    again : GoingOn, optional
        As for `begin`.
    tried : callable, optional
        Called when it is the one that is open.
    """
    page = _SEGMENT if again is None else again.page
    safe = session.safekeeping
    safe.offer_dismissed = True
    if again is not None:
        safe.go_on(again.where, again.work)
        safe.place = again.place
        # Nothing about it has changed yet.
        safe.kept = version(session)
        safe.keep_image(session.image.source.content_hash, again.where)
    # All of it: whoever calls this has it from a place that gives it away once.
    streamlit_adapter.do_all(
        lambda: current_session.enter(session),
        tried,
        banner.forget_all,
        lambda: None if page is None else destination.head_for(page),
        lambda: None if again is None else _tell(again.note),
    )
    if page is None:
        st.rerun()
    destination.go(page)


def _tell(note: str) -> None:
    if note:
        st.toast(plain(note), icon=":material/history:", duration="long")


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
            _("Preparing the project’s image again…"),
            key="stop-opening",
            help=_("The image that is open stays as it is."),
        )
    if job.state == "failed":
        streamlit_adapter.do_all(lambda: banner.fail(ACTION, job.error))
    elif job.state == "done":
        enter(*job.result)
    return False
