"""Which of the changes are shown, one by one or joined to areas, and which one is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from rsam_core.change.areas import APART, Area, areas_of, counted, gap_of, members_of
from rsam_core.change.findings import KINDS, Change
from rsam_core.change.pictures import around, window_at
from rsam_core.change.summary import pixel_area
from rsam_core.runtime.language import N_
from rsam_core.scene.window import Window
from rsam_core.session.change import ChangeState
from rsam_core.session.change_review import Review, place_of
from rsam_core.session.session import Session

ALL, UNCHECKED, ACCEPTED, REFUSED = N_("All"), N_("Not checked"), N_("Accepted"), N_("Refused")
CHECKS = (ALL, UNCHECKED, ACCEPTED, REFUSED)
NAMES = {True: "accepted", False: "refused", None: ""}
SINGLE, AREAS = N_("One by one"), N_("Areas")
VIEWS = (SINGLE, AREAS)
"""Changed objects one by one, or those that lie close together joined to areas."""


@dataclass(frozen=True)
class Filter:
    """What is left out of picture and list.

    Attributes
    ----------
    kinds : tuple of str
        Kinds of change that are shown.
    smallest : float
        Pixels of the common grid; of areas where changes are joined.
    checked : str
        One of :data:`CHECKS`.
    gap : int or None
        Join changes that lie up to twice so many pixels apart; None for one by one.
    """

    kinds: tuple[str, ...] = KINDS[:-1]
    smallest: float = 0.0
    checked: str = ALL
    gap: int | None = None

    def choose(
        self, changes: Sequence[Change], review: Review, shape: tuple[int, int]
    ) -> list[Change]:
        """What is shown on a grid of a shape; refused ones only where they are asked for."""
        some: Sequence[Change] = [
            change
            for change in changes
            if change.change in self.kinds and self._asked(review.said_of(change))
        ]
        if self.gap is not None:
            some = areas_of(some, shape, self.gap)
        return [change for change in some if _area(change) >= self.smallest]

    def _asked(self, said: bool | None) -> bool:
        if self.checked == UNCHECKED:
            return said is None
        if self.checked == ACCEPTED:
            return said is True
        return (said is False) == (self.checked == REFUSED)


def _area(change: Change) -> int:
    """Pixels that came or went; of what did not change its outline, all of them."""
    if change.change in ("enlarged", "shrunk"):
        return abs(change.after.area - change.before.area)
    return change.outline.area


def area_text(change: Change, state: ChangeState) -> str:
    """The area of a change with its unit."""
    found = state.result
    unit = "m²" if found.alignment.gsd else "px"
    each = pixel_area(found)
    if change.change in ("enlarged", "shrunk"):
        return f"{change.before.area * each:,.0f} → {change.after.area * each:,.0f} {unit}"
    return f"{change.outline.area * each:,.0f} {unit}"


def current_filter(session: Session) -> Filter:
    """What the widgets of the page say."""
    return st.session_state.get(_key(session, "filter"), Filter())


def set_filter(session: Session, **changes: object) -> None:
    """Show more or less."""
    st.session_state[_key(session, "filter")] = replace(current_filter(session), **changes)


def shown_changes(session: Session, state: ChangeState) -> list[Change]:
    """The changes that are shown now, or the areas that they make."""
    found, wanted = state.result, current_filter(session)
    if found is None:
        return []
    return session.memo.remember(
        "change-shown",
        (found, wanted, state.review.checks),
        lambda: wanted.choose(found.changes, state.review, found.shape),
    )


def apart(session: Session, state: ChangeState) -> float:
    """How far apart changes of one area may lie, in metres, or in pixels without their size."""
    usual = APART if state.alignment.gsd else 2 * APART
    return float(st.session_state.get(_key(session, "distance"), usual))


def set_view(session: Session, state: ChangeState, view: str, distance: float) -> None:
    """Show changes one by one, or joined where they lie up to a distance apart."""
    st.session_state[_key(session, "distance")] = distance
    set_filter(session, gap=gap_of(distance, state.alignment.gsd) if view == AREAS else None)


def said_of(state: ChangeState, change: Change) -> bool | None:
    """What a person said of a change; of an area, what was said of all of its changes."""
    said = {state.review.said_of(one) for one in members_of([change])}
    return said.pop() if len(said) == 1 else None


def title(change: Change) -> str:
    """What a change is called in the list: an area by the kinds of its changes."""
    return counted(change.members) if isinstance(change, Area) else change.change


def selected(state: ChangeState, changes: Sequence[Change]) -> Change | None:
    """The change that is looked at, if it is among these."""
    return next((c for c in changes if place_of(c) == state.selected), None)


def select(session: Session, state: ChangeState, change: Change | None, zoom: bool = True) -> None:
    """Look at a change; the picture goes there."""
    state.selected = None if change is None else place_of(change)
    if change is not None and zoom:
        set_window(session, around(change, state.alignment.shape, aspect(), 3.0))


def aspect(size: tuple[int, int] | None = None) -> float:
    """Width / height of the room for the picture; a size is kept for the next run."""
    if size is not None:
        st.session_state["change-aspect"] = size[0] / size[1]
    return st.session_state.get("change-aspect", 1.0)


def at(changes: Sequence[Change], x: float, y: float) -> Change | None:
    """The smallest change at a place of the grid."""
    hits = []
    for change in changes:
        for item in (change.before, change.after):
            if item is None:
                continue
            column, row = int(x) - item.x, int(y) - item.y
            height, width = item.mask.shape
            if 0 <= column < width and 0 <= row < height and item.mask[row, column]:
                hits.append((item.area, change))
    return min(hits, key=lambda hit: hit[0], default=(0, None))[1]


def window(session: Session, state: ChangeState) -> Window:
    """The part of the grid that the picture shows."""
    height, width = state.alignment.shape
    kept = st.session_state.get(_key(session, "window"))
    if kept is None or kept.x + kept.width > width or kept.y + kept.height > height:
        return Window(0, 0, width, height)
    return kept


def set_window(session: Session, part: Window | None) -> None:
    """Show another part of the grid; the whole for None."""
    st.session_state[_key(session, "window")] = part


def zoom(session: Session, state: ChangeState, factor: float) -> None:
    """Show a part so many times as small, around the same middle."""
    now, shape = window(session, state), state.alignment.shape
    middle = now.x + now.width / 2, now.y + now.height / 2
    wide, high = now.width / factor, now.height / factor
    if wide >= shape[1] and high >= shape[0]:
        set_window(session, None)
    elif min(wide, high) >= 16:
        set_window(session, window_at(*middle, wide, high, shape))


def _key(session: Session, name: str) -> str:
    return f"change-{name}-{session.image.token}"
