"""The Export button at the top right of a page, and the dialog it opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from pages.parts.shared import banner
from pages.parts.shared.export_panel import export_panel
from pages.parts.shared.measured import measured
from pages.parts.shared.project_panel import project_panel
from rsam_core.objects.instances import Instances
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _
from rsam_core.session.session import Session

EMPTY = N_("Nothing to take along yet: outline an object first.")


def export_button(files: Callable[[], None], *, enabled: bool, empty: str = EMPTY) -> None:
    """Put the button at the right end of a toolbar.

    Parameters
    ----------
    files : callable
        Draws what the dialog offers, such as buttons of `downloads.offer`; called when it is open.
    enabled : bool
        Whether there is anything to take along.
    empty : str
        What to do first, where there is nothing.
    """
    st.space("stretch")
    hint = _("All files to take along: maps, tables, pictures, a report") if enabled else _(empty)
    if st.button(
        _("Export"), icon=":material/download:", key="export", disabled=not enabled, help=hint,
        type="primary" if enabled else "secondary",
    ):  # fmt: skip
        # Here, because a decorator would know no language.
        st.dialog(_("Export"), width="large")(_dialog)(files)


def export_objects(session: Session, found: Instances, style: OverlayStyle) -> None:
    """The button for the objects of a session, in every format and as a project.

    Parameters
    ----------
    session : Session
    found : Instances
        All objects.
    style : OverlayStyle
        How they are drawn. What is selected on the screen is nothing special in a file.
    """
    plain = replace(style, highlight=())

    def files() -> None:
        export_panel(session, found, measured(session, found), plain)
        st.divider()
        project_panel(session)

    export_button(files, enabled=bool(len(found)))


def _dialog(files: Callable[[], None]) -> None:
    with banner.guard("export"):
        files()
