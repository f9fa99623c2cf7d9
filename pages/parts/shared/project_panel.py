"""The project: everything of a session in one file, to go on elsewhere or another day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

import rsam_core as rsam
from pages.parts.shared import banner, current_session, downloads, opening
from pages.parts.shared.names import plain
from rsam_core.formats.names import safe_name
from rsam_core.runtime.language import _, number
from rsam_core.session.project import ENDING, ProjectState, load_project, save_project
from rsam_core.session.project_state import to_state
from rsam_core.session.session import Session


def project_panel(session: Session) -> None:
    """Save the session as a project file."""
    source = session.image.source
    size = source.file_size / 1e6
    with_image = st.toggle(
        _("With the image ({size} MB)").format(size=number(size, 1)),
        value=size < 50,
        key=f"project-image-{session.image.token}",
        help=_("Without the image the file is small, and whoever opens it needs the same image."),
    )

    def content() -> bytes:
        image = source.file_bytes() if with_image else None
        return save_project(to_state(session, image))

    downloads.offer(
        _("Save project"),
        content,
        f"{safe_name(Path(source.name).stem)}{ENDING}",
        "application/zip",
        icon=":material/save:",
        key="save-project",
    )
    st.caption(
        _(
            "Holds clicks and boxes, objects, classes, preparation and settings. Load it on the "
            "page Open."
        )
    )


def open_project(file: object, tried: Callable[[], None] = lambda: None) -> None:
    """Open a project file that was uploaded on the page Open, and go to its objects.

    A project without its image is opened on the image that is open at the moment.

    Parameters
    ----------
    file : UploadedFile
    tried : callable, optional
        Called once it is known whether the project opens. A run of the page that the browser
        interrupts in the middle did not try: the next one does.
    """
    with banner.guard(opening.ACTION):
        try:
            _open(load_project(file.getvalue()), tried)
        except Exception as error:
            # Said before it counts as tried: a run that is interrupted in between tries again.
            banner.fail(opening.ACTION, error)
            tried()
            raise


def _open(state: ProjectState, tried: Callable[[], None]) -> None:
    if state.image is not None:
        scene = rsam.open_scene(state.image, name=state.scene_name)
    else:
        now = current_session.current()
        if now is None:
            tried()
            st.info(
                _(
                    "This project was saved without its image. Open “{scene_name}” first, then "
                    "the project again."
                ).format(scene_name=plain(state.scene_name)),
                icon=":material/image:",
            )
            return
        scene = now.image.source
    opening.begin(state, scene, tried=tried)
