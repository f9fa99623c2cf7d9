"""Work is kept against a lost browser tab, and offered when the same image is opened again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from pages.parts.shared import banner, opening
from pages.parts.shared.browser_id import browser_id
from rsam_core.errors import ProjectError
from rsam_core.session import autosave
from rsam_core.session.autosave import Autosave
from rsam_core.session.change import change_state
from rsam_core.session.project_state import LARGE_TRUTH, has_work, is_empty, to_state
from rsam_core.session.session import Session

DELAY = 2.0
"""Seconds without a change after which work is saved."""


def _folder(browser: str) -> Path:
    return autosave.folder() / browser


def schedule_autosave(session: Session) -> None:
    """Save the session's work in a moment, if anything about it has changed."""
    browser, safe = browser_id(), session.safekeeping
    book = session.marks.book
    dates = change_state(session)
    state = (book.entries, book.edits, book.extra, session.image.scene, session.truth.number,
             dates.version)  # fmt: skip
    if browser is None or safe.kept == state:
        return
    first, safe.kept = not safe.kept, state
    if first and not book.past and dates.empty:
        # Just opened: there is nothing to lose yet, and perhaps something to bring back.
        return
    if is_empty(session):
        # All of it was undone: there is nothing to bring back.
        safe.forget(session.image.source.content_hash, _folder(browser), DELAY)
    else:
        safe.keep(to_state(session, most_truth=LARGE_TRUTH), _folder(browser), DELAY)


def offer(session: Session) -> None:
    """Offer to bring earlier work on this image back, as long as nothing new was done."""
    if opening.watch():
        return
    browser, source = browser_id(), session.image.source
    begun = session.marks.book.past or not change_state(session).empty
    if browser is None or begun or session.safekeeping.offer_dismissed:
        return
    kept = autosave.entries(_folder(browser), scene_hash=source.content_hash)
    # Saves that hold nothing are left over from versions that kept those, too.
    latest = session.memo.remember("offered", kept, lambda: _first_with_work(kept))
    if latest is None:
        return

    def decline() -> None:
        session.safekeeping.offer_dismissed = True

    with st.container(border=True, key="offer", gap="xxsmall"):
        st.markdown(f"**Earlier work on this image** was kept {ago(latest.time)}.")
        with st.container(horizontal=True):
            if st.button("Bring it back", type="primary", key="offer-take"):
                with banner.guard(opening.ACTION):
                    opening.begin(autosave.load(latest), source, latest)
            st.button("No, thanks", key="offer-decline", on_click=decline)


def _first_with_work(kept: tuple[Autosave, ...]) -> Autosave | None:
    for entry in kept:
        try:
            if has_work(autosave.load(entry)):
                return entry
        except ProjectError:
            continue
    return None


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
