"""Follow: one object through dates or a video, with its area, place and shape over time."""

from __future__ import annotations

import streamlit as st

from pages.parts.follow import export, opening_series, picture
from pages.parts.follow.film import HEIGHT as FILM
from pages.parts.follow.film import film
from pages.parts.follow.panel import panel
from pages.parts.follow.player import HEIGHT as PLAYER
from pages.parts.follow.player import look, player
from pages.parts.follow.tables import dates_tab, table_tab
from pages.parts.shared import autosaving, banner, current_session, destination, sidebar
from pages.parts.shared.exporting import export_button
from pages.parts.shared.frame import frame
from pages.parts.shared.frame import toolbar as tools
from pages.parts.shared.going_on import remind
from pages.parts.shared.legend import chips
from pages.parts.shared.names import plain
from rsam_core.runtime.language import N_, _, number
from rsam_core.session.following import FollowState, follow_state
from rsam_core.session.session import Session

ACTION = "follow-mark"
INTRODUCTION = N_(
    "Outline an object once, in one date or one frame, and RSAM finds it in all the others: "
    "a lake that shrinks, a quarry that grows, a field through its year, a car in a flight."
)
HINT = 34
"""CSS pixels of the line below the picture."""
_SERIES_BEFORE = "follow-other-series"


def beside(session: Session, state: FollowState) -> None:
    """The sidebar: what is open, how it is followed, another series."""
    frames = state.frames
    with st.sidebar:
        with st.container(key="card", gap="xxsmall"):
            st.markdown(f"**{plain(state.source.title, 40)}**")
            size = _("{count} frames of {width} × {height} px").format(
                count=len(frames), width=number(frames.width), height=number(frames.height)
            )
            if frames.gsd:
                size += ", " + _("{gsd:.3g} m a pixel").format(gsd=frames.gsd)
            st.caption(size)
            if frames.attribution:
                st.caption(_("Images: {credit}").format(credit=plain(frames.attribution, 160)))
        sidebar.model_choice()
        holes = st.toggle(
            _("Keep holes"), value=state.holes, key=f"holes-{session.image.token}",
            help=_("An island in a lake stays a hole in its outline. Otherwise holes are filled."),
        )  # fmt: skip
        if holes != state.holes:
            state.holes = holes
            if state.now.track is not None:
                state.follow_anew(holes=holes)
        st.button(
            _("Another series"), icon=":material/movie:", key="other-series",
            on_click=lambda: st.session_state.update({_SERIES_BEFORE: True}),
            help=_("The one that is open stays until another one is there."),
        )  # fmt: skip


def page(session: Session, state: FollowState) -> None:
    """The whole screen for an open series."""
    state.collect()
    beside(session, state)
    with banner.guard(ACTION), st.spinner(_("Outlining…")):
        picture.settle(state)
    table = None
    if state.now.track is not None:
        table = session.memo.remember(
            "follow-table", (state.now.track,), lambda: state.now.track.table()
        )
    with tools():
        mode, label = picture.tools(state)
        export_button(
            lambda: export.files(session, state), enabled=bool(state.now.marks),
            empty=_("Nothing to take along yet: mark the object and follow it first."),
        )  # fmt: skip
    places = frame()
    width, height = places.size
    with places.picture:
        picture.canvas(
            session, state, mode, label, (width, height - FILM - PLAYER - HINT),
            lambda error: banner.fail(ACTION, error),
        )  # fmt: skip
        st.caption(picture.hint(state, mode, label))
        player(session, state)
        film(session, state, lambda number: look(state, number))
    with places.line:
        chips(picture.LEGEND)
    with places.panel, banner.guard():
        panel(session, state, table)
    measures, dates = st.tabs([_("Table"), _("Dates")])
    with measures, banner.guard():
        if table is None:
            st.caption(_("Areas, place and shape of all frames stand here once they are followed."))
        else:
            table_tab(session, state, table)
    with dates, banner.guard():
        dates_tab(session, state)
    autosaving.schedule_autosave(session)


def start(session: Session | None) -> None:
    """What is shown until a series is open."""
    st.title(_("Follow"))
    st.markdown(_(INTRODUCTION))
    if session is None:
        remind()
    else:
        with st.sidebar:
            sidebar.image_name(session)
        autosaving.offer(session)
    opening_series.choose(session)


def back(session: Session, state: FollowState) -> None:
    """Another series is to be chosen while one is open."""
    title = plain(state.source.title, 40)
    st.button(
        _("Back to {title}").format(title=title),
        icon=":material/arrow_back:",
        key="back-to-series",
        on_click=lambda: st.session_state.pop(_SERIES_BEFORE, None),
    )
    opening_series.choose(session)


wanted = destination.asked_sample()
if wanted is not None:
    opening_series.open_sample(wanted)
opened = current_session.current()
with banner.guard():
    if opened is None:
        start(None)
    else:
        known = follow_state(opened)
        if known.frames is None:
            st.session_state.pop(_SERIES_BEFORE, None)
            start(opened)
        elif st.session_state.get(_SERIES_BEFORE) or opening_series.at_work():
            back(opened, known)
        else:
            page(opened, known)
