"""Work is kept against a lost browser tab, and offered when the same image is opened again."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from rsam_core import autosave
from rsam_core.project import ProjectState

from . import banner
from .browser import browser_id
from .project_state import from_state, to_state
from .workspace import Workspace, enter

DELAY = 2.0
"""Seconds without a change after which work is saved."""

_LOG = logging.getLogger("rsam")


def _folder(browser: str) -> Path:
    return autosave.folder() / browser


def keep_safe(work: Workspace) -> None:
    """Save the session's work in a moment, if anything about it has changed."""
    browser = browser_id()
    state = (work.book.entries, work.book.edits, work.automatic, work.scene)
    if browser is None or work.kept == state:
        return
    first, work.kept = not work.kept, state
    if first and not work.book.past:
        # Just opened: there is nothing to lose yet, and perhaps something to bring back.
        return
    if work.saving is not None:
        work.saving.cancel()
    work.saving = threading.Timer(DELAY, _save, (to_state(work), _folder(browser)))
    work.saving.daemon = True
    work.saving.start()


def _save(state: ProjectState, folder: Path) -> None:
    try:
        autosave.save(state, folder)
    except Exception:
        # Losing a safety copy must not disturb the work itself.
        _LOG.warning("work could not be kept", exc_info=True)


def offer(work: Workspace) -> None:
    """Offer to bring earlier work on this image back, as long as nothing new was done."""
    browser = browser_id()
    if browser is None or work.book.past or work.declined:
        return
    source = work.original or work.scene
    kept = autosave.entries(_folder(browser), scene_hash=source.content_hash)
    if not kept:
        return
    latest = kept[0]

    def decline() -> None:
        work.declined = True

    with st.container(border=True, key="offer", gap="xxsmall"):
        st.markdown(f"**Earlier work on this image** was kept {ago(latest.time)}.")
        with st.container(horizontal=True):
            if st.button("Bring it back", type="primary", key="offer-take"):
                with banner.guard(), st.spinner("Bringing it back…"):
                    enter(from_state(autosave.load(latest), source)).declined = True
                    st.rerun()
            st.button("No, thanks", key="offer-decline", on_click=decline)


def ago(when: datetime, now: datetime | None = None) -> str:
    """How long ago something was, in words."""
    minutes = ((now or datetime.now(UTC)) - when).total_seconds() / 60
    if minutes < 1.5:
        return "a minute ago"
    if minutes < 90:
        return f"{minutes:.0f} minutes ago"
    if minutes < 36 * 60:
        return f"{minutes / 60:.0f} hours ago"
    return f"{minutes / 1440:.0f} days ago"
