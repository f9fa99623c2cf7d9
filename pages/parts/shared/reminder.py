"""Where no image is open: which work of this browser is kept, so that a restart loses none."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared.autosaving import ago
from pages.parts.shared.browser_id import browser_id
from pages.parts.shared.names import MAX_LENGTH, plain
from rsam_core.errors import RsamError
from rsam_core.session import autosave
from rsam_core.session.project_state import has_work

_KEY = "reminder"


def remind() -> None:
    """Name the image of the work that was kept last."""
    browser = browser_id()
    kept = autosave.entries(autosave.folder() / browser) if browser else ()
    if not kept:
        return
    latest = kept[0]
    known, name = st.session_state.get(_KEY, (None, None))
    if known != latest:
        try:
            state = autosave.load(latest)
            name = state.scene_name if has_work(state) else None
        except RsamError:
            name = None
        st.session_state[_KEY] = (latest, name)
    if name:
        st.info(
            f"Your work on “{plain(name, MAX_LENGTH)}” was kept {ago(latest.time)}. Open that "
            "image again, and RSAM offers to bring the work back.",
            icon=":material/history:",
        )
