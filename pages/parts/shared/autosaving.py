"""Work is kept against a lost browser tab, and offered when the same image is opened again."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from pages.parts.shared import banner, opening
from pages.parts.shared.browser_id import browser_id
from pages.parts.shared.menu import SCREENS, address
from pages.parts.shared.names import plain
from rsam_core.errors import ProjectError
from rsam_core.runtime.language import _
from rsam_core.session import safekeeping, works
from rsam_core.session.change import change_state
from rsam_core.session.following import follow_state
from rsam_core.session.project_state import LARGE_TRUTH, has_work, is_empty, to_state, version
from rsam_core.session.session import Session
from rsam_core.session.work_cards import Card
from rsam_core.session.work_picture import work_picture
from rsam_core.session.works import Shelf, Work

DELAY = 2.0
"""Seconds without a change after which work is saved."""

_PAGES = {address(name) for name in SCREENS} - {"home", "models"}
_TOLD = "not-kept"


def shelf() -> Shelf | None:
    """The works of this browser, all that was done until now among them; None if it keeps none."""
    browser = browser_id()
    if browser is None:
        return None
    where = works.folder(browser)
    safekeeping.flush(where)
    return Shelf(where)


def schedule_autosave(session: Session) -> None:
    """Save the session's work in a moment, if anything about it has changed."""
    browser, safe = browser_id(), session.safekeeping
    state = version(session)
    if browser is None or safe.kept == state:
        return
    first, safe.kept = not safe.kept, state
    where, source = works.folder(browser), session.image.source
    safe.keep_image(source.content_hash, where)
    second = change_state(session).second
    if second is not None:
        safe.keep_second(second.content_hash, where, second.file_bytes)
    empty = is_empty(session)
    if empty and first:
        # Just opened: there is nothing to lose yet but the image itself.
        safe.note(where, _card(session), work_picture(session.image, session.objects))
    elif empty and not session.marks.book.past:
        # All of it was undone: there is nothing to bring back.
        safe.forget(source.content_hash, where, DELAY)
    else:
        state = to_state(session, most_truth=LARGE_TRUTH, undo=True)
        picture = work_picture(session.image, state.instances)
        safe.keep(state, where, DELAY, _card(session), picture)


def _card(session: Session) -> Card:
    source, scene, safe = session.image.source, session.image.scene, session.safekeeping
    second = change_state(session).second
    return Card(
        safe.work,
        scene_name=source.name,
        scene_hash=source.content_hash,
        width=scene.width,
        height=scene.height,
        objects=len(session.objects),
        page=safe.page,
        sample=session.image.sample,
        second_hash=second.content_hash if second is not None else "",
        place=safe.place,
    )


def watch(session: Session | None, page: str) -> None:
    """Keep what was done on any page, note the page, and say if something cannot be kept.

    Parameters
    ----------
    session : Session or None
        The image that is open.
    page : str
        Address of the page that was just drawn.
    """
    browser = browser_id()
    if session is None or browser is None:
        return
    safe = session.safekeeping
    moved = page in _PAGES and page != safe.page
    if moved:
        safe.page = page
    if safe.kept:
        schedule_autosave(session)
        if moved:
            safe.note(works.folder(browser), _card(session))
    elif page in _PAGES:
        schedule_autosave(session)
    for problem in (safe.problem, safe.image_problem):
        if problem and st.session_state.get(_TOLD) != problem:
            st.session_state[_TOLD] = problem
            st.toast(plain(problem), icon=":material/warning:", duration="long")
    if safe.problem:
        st.sidebar.warning(plain(safe.problem), icon=":material/warning:")


def offer(session: Session) -> None:
    """Offer to bring earlier work on this image back, as long as nothing new was done."""
    if opening.watch():
        return
    browser, source = browser_id(), session.image.source
    begun = session.marks.book.past or not change_state(session).empty
    begun = begun or not follow_state(session).empty
    if browser is None or begun or session.safekeeping.offer_dismissed:
        return
    shelf = Shelf(works.folder(browser))
    found = shelf.works(scene_hash=source.content_hash)
    kept = tuple(work for work in found if work.saves and work.id != session.safekeeping.work)
    # Saves that hold nothing are left over from versions that kept those, too.
    latest = session.memo.remember("offered", kept, lambda: _first_with_work(shelf, kept))
    if latest is None:
        return

    def decline() -> None:
        session.safekeeping.offer_dismissed = True

    with st.container(border=True, key="offer", gap="xxsmall"):
        st.markdown(
            _("**Earlier work on this image** was kept {ago}.").format(ago=ago(latest.time))
        )
        with st.container(horizontal=True):
            if st.button(_("Bring it back"), type="primary", key="offer-take"):
                with banner.guard(opening.ACTION):
                    state, note = shelf.load(latest.id, has_work)
                    again = opening.GoingOn(shelf.where, latest.id, note=note)
                    opening.begin(state, source, again)
            st.button(_("No, thanks"), key="offer-decline", on_click=decline)


def _first_with_work(shelf: Shelf, kept: tuple[Work, ...]) -> Work | None:
    for work in kept:
        try:
            if shelf.load(work.id, has_work)[0] is not None:
                return work
        except ProjectError:
            continue
    return None


def ago(when: datetime, now: datetime | None = None) -> str:
    """How long ago something was, in words."""
    minutes = ((now or datetime.now(UTC)) - when).total_seconds() / 60
    if minutes < 1.5:
        return _("a minute ago")
    if minutes < 90:
        return _("{count} minutes ago").format(count=f"{minutes:.0f}")
    if minutes < 36 * 60:
        return _("{count} hours ago").format(count=f"{minutes / 60:.0f}")
    return _("{count} days ago").format(count=f"{minutes / 1440:.0f}")
