"""Both dates in one picture: with a handle between them, in turn, or side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts.change import shown
from pages.parts.shared import resources
from pages.parts.shared.frame import Frame
from pages.parts.shared.legend import chips
from pages.parts.shared.names import with_icon
from pages.parts.shared.swipe import Words, swipe
from rsam_core.change.findings import Change
from rsam_core.change.pictures import COLOURS, drawn_pair, window_at
from rsam_core.runtime.language import N_, _
from rsam_core.session.change import ChangeState
from rsam_core.session.session import Session

SWIPE, BLINK, PAIR = N_("Swipe"), N_("Blink"), N_("Side by side")
MODES = {
    SWIPE: ":material/compare:",
    BLINK: ":material/flip:",
    PAIR: ":material/splitscreen_right:",
}
_LONGEST, _SMALL = 1400, 200


def tools(session: Session, state: ChangeState) -> str:
    """How the dates are shown, and the zoom; for the toolbar."""
    mode = st.segmented_control(
        _("Show"), list(MODES), default=SWIPE, key="change-mode", required=True,
        format_func=with_icon(MODES), persist_state="session",
        label_visibility="collapsed",
    )  # fmt: skip
    whole = shown.window(session, state).width == state.alignment.shape[1]
    for text, icon, factor, key in (
        (_("Nearer"), ":material/zoom_in:", 2.0, "change-nearer"),
        (_("Farther"), ":material/zoom_out:", 0.5, "change-farther"),
    ):
        st.button(
            "", icon=icon, key=key, help=text, on_click=shown.zoom, args=(session, state, factor),
            disabled=factor < 1 and whole,
        )  # fmt: skip
    st.button(
        _("Whole"), icon=":material/fit_screen:", key="change-whole", disabled=whole,
        on_click=shown.set_window, args=(session, None), help=_("Show the whole picture"),
    )  # fmt: skip
    return mode or SWIPE


def picture(
    session: Session, state: ChangeState, changes: Sequence[Change], mode: str, places: Frame
) -> None:
    """The picture, and one line below it."""
    alignment, part = state.alignment, shown.window(session, state)
    shown.aspect(places.size)
    chosen = shown.selected(state, changes)
    number = None if chosen is None else chosen.id
    outlines = changes if st.session_state.get("change-outlines", True) else ()
    key = (alignment, part, tuple(outlines), number)
    before, after = session.memo.remember(
        "change-picture",
        key,
        lambda: tuple(
            resources.jpeg(p, 90) for p in drawn_pair(alignment, outlines, part, _LONGEST, number)
        ),
    )

    def spot(x: float, y: float) -> None:
        hit = shown.at(changes, part.x + x * part.width, part.y + y * part.height)
        if hit is not None:
            shown.select(session, state, hit, zoom=False)

    height, width = alignment.shape
    overview = None
    if (part.width, part.height) != (width, height):
        shares = (part.x / width, part.y / height, part.width / width, part.height / height)
        overview = (_small(session, state), (width, height), shares)
    dates = names(session, state)
    with places.picture:
        place = swipe(
            before, after, size=(part.width, part.height), height=places.size[1],
            key=f"change-swipe-{session.image.token}", pair=mode == PAIR, blink=mode == BLINK,
            overview=overview, words=Words(*dates, N_("Share of the picture of the first date")),
            on_spot=spot if mode != PAIR and changes else None,
        )  # fmt: skip
    known = f"change-place-{session.image.token}"
    if place is not None and place != st.session_state.get(known):
        st.session_state[known] = place
        if overview is not None:
            middle = place[0] * width, place[1] * height
            size = part.width, part.height
            shown.set_window(session, window_at(*middle, *size, alignment.shape))
            st.rerun()
    with places.line:
        _line(changes, mode)


def names(session: Session, state: ChangeState) -> tuple[str, str]:
    """What the dates are called on pictures."""
    first, second = state.dates(session.image.scene)
    return first or _("First date"), second or _("Second date")


def _line(changes: Sequence[Change], mode: str) -> None:
    present = {change.change for change in changes}
    if present:
        chips([(kind, colour) for kind, colour in COLOURS.items() if kind in present])
    elif mode == SWIPE:
        st.caption(_("Drag the handle to see one date or the other."))


def _small(session: Session, state: ChangeState) -> bytes:
    alignment = state.alignment
    return session.memo.remember(
        "change-small",
        (alignment,),
        lambda: resources.jpeg(drawn_pair(alignment, (), None, _SMALL)[1]),
    )
