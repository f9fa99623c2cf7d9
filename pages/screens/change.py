"""Change: two dates of one place, what became of each object, and what a person says of it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts.change import export, picture, review, sample, second_date, settings, shown, sums
from pages.parts.change.truth import truth_tab
from pages.parts.shared import autosaving, banner, current_session, destination, sidebar
from pages.parts.shared.exporting import export_button
from pages.parts.shared.frame import Frame, frame
from pages.parts.shared.frame import toolbar as tools
from pages.parts.shared.gallery import no_image
from pages.parts.shared.undoing import redo_button, undo_button
from rsam_core.change.findings import Change
from rsam_core.runtime.language import N_, _
from rsam_core.session.change import ALIGN, ChangeState, change_state
from rsam_core.session.session import Session

NO_IMAGE = N_(
    "No image is open yet. Open one date of a place, then the other here: RSAM brings both "
    "together and says what is new, gone, larger, smaller or changed inside, one by one or "
    "joined to areas of change."
)
TABS = (N_("Changes"), N_("Summary"), N_("Truth"), N_("Settings"))


def pair_button(first: bool) -> None:
    """The invented pair with exact truth."""
    if st.button(
        _("Try an invented pair"), icon=":material/auto_awesome_motion:", key="open-pair",
        type="primary" if first else "secondary",
        help=_("A garden suburb in 2019 and 2023: houses built, extended and pulled down, with "
               "the exact truth of every change."),
    ):  # fmt: skip
        sample.open_pair()


def one_date(session: Session, state: ChangeState) -> None:
    """Only one date is open yet."""
    left, right = st.columns([5, 4], gap="medium")
    with left:
        st.subheader(_("Which picture shows the same place at another time?"))
        second_date.choose(session, state)
        if state.waiting is None:
            pair_button(first=False)
    with right:
        scene = session.image.scene
        told = _("The open image, one of the two dates")
        st.image(scene.overview(900), caption=told, alt=told)
    autosaving.offer(session)


def toolbar(session: Session, state: ChangeState, changes: Sequence[Change]) -> str:
    """Undo, redo, how the dates are shown, and the files."""
    book = state.review
    with tools():
        undo_button("change", _(book.undoable) or None, book.undo)
        redo_button("change", _(book.redoable) or None, book.redo)
        mode = picture.tools(session, state)
        if state.result is not None:
            st.toggle(_("Outlines"), True, key="change-outlines", persist_state="session")
        export_button(
            lambda: export.files(session, state, changes), enabled=state.result is not None,
            empty=_("Nothing to take along yet: find changes first."),
        )  # fmt: skip
    return mode


def panel(session: Session, state: ChangeState, changes: Sequence[Change]) -> None:
    """All that stands beside the picture."""
    if settings.running(state, session):
        return
    if state.error is not None:
        banner.show(state.error)
    if state.result is None:
        settings.alignment_lines(state.alignment)
        settings.form(session, state)
        return
    tabs = st.tabs([_(name) for name in TABS])
    with tabs[0], banner.guard():
        review.card(session, state, changes)
        review.listing(session, state, changes)
    with tabs[1], banner.guard():
        sums.sums(session, state, changes)
    with tabs[2], banner.guard():
        truth_tab(session, state, changes)
    with tabs[3], banner.guard():
        settings.alignment_lines(state.alignment)
        settings.form(session, state)


def trouble(session: Session, state: ChangeState) -> None:
    """The dates cannot be brought together: what is wrong, and ways on."""
    banner.show(state.error)
    second_date.ways_on(session, state)


def page(session: Session) -> None:
    """The whole screen for an open image."""
    state = change_state(session)
    scene = session.image.scene
    state.collect(scene)
    with st.sidebar:
        if state.second is None:
            sidebar.image_name(session)
        else:
            second_date.both(session, state)
    if state.second is None:
        one_date(session, state)
        return
    if not state.fits(scene):
        if state.error is not None:
            trouble(session, state)
            return
        if session.jobs.get(ALIGN) is None:
            state.start_align(scene)
        st.subheader(_("Bringing both dates together"))
        settings.running(state, session)
        return
    with st.sidebar:
        if state.result is not None:
            st.divider()
            review.view(session, state)
            settings.threshold(session, state)
            review.filters(session, state)
        st.divider()
        sidebar.model_choice()
    changes = shown.shown_changes(session, state)
    mode = toolbar(session, state, changes)
    places: Frame = frame()
    picture.picture(session, state, changes, mode, places)
    with places.panel:
        panel(session, state, changes)
    autosaving.schedule_autosave(session)


wanted = destination.asked_sample()
if wanted is not None:
    sample.open_pair(wanted)
opened = current_session.current()
if opened is None:
    st.title(_("Change"))
    pair_button(first=True)
    no_image(_(NO_IMAGE), icon=":material/difference:", page="pages/screens/change.py")
else:
    with banner.guard():
        page(opened)
