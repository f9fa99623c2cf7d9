"""The table of all frames, and their dates to be typed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.parts.shared import banner
from rsam_core.runtime.language import _
from rsam_core.session.following import FollowState
from rsam_core.session.session import Session

_COLUMNS = ("frame", "name", "date", "seconds", "found", "marked", "area_m2", "area", "change",
            "confidence", "perimeter", "compactness", "elongation", "centroid_x", "centroid_y",
            "map_x", "map_y")  # fmt: skip


def _formats() -> dict[str, object]:
    number = st.column_config.NumberColumn
    return {
        "frame": number(_("Frame"), width="small"),
        "name": st.column_config.TextColumn(_("Name"), width="medium"),
        "date": st.column_config.TextColumn(_("Date")),
        "seconds": number(_("Seconds"), format="%.2f"),
        "found": st.column_config.CheckboxColumn(_("Found"), width="small"),
        "marked": st.column_config.CheckboxColumn(_("Marked"), width="small"),
        "area_m2": number(_("Area (m²)"), format="localized", step=1),
        "area": number(_("Area (px)"), format="localized"),
        "change": number(_("Change"), format="percent"),
        "confidence": number(_("Sure"), format="percent"),
        "perimeter": number(_("Perimeter (px)"), format="%.0f"),
        "compactness": number(_("Compactness"), format="%.2f"),
        "elongation": number(_("Elongation"), format="%.2f"),
        "centroid_x": number("x (px)", format="%.1f"),
        "centroid_y": number("y (px)", format="%.1f"),
        "map_x": number(_("x (map)"), format="%.1f"),
        "map_y": number(_("y (map)"), format="%.1f"),
    }


def table_tab(session: Session, state: FollowState, table: pd.DataFrame) -> None:
    """All frames; the chosen row is the frame that is shown."""
    key = f"follow-table-{session.image.token}"

    def select() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            state.look(int(rows[0]))

    shown = table[[c for c in _COLUMNS if c in table and table[c].notna().any()]]
    st.dataframe(
        shown, key=key, hide_index=True, on_select=select, selection_mode="single-row",
        column_config=_formats(), height=320,
    )  # fmt: skip


def dates_tab(session: Session, state: FollowState) -> None:
    """Dates of all frames, to be typed where the files do not tell them."""
    frames = state.frames
    st.caption(
        _(
            "Dates come from the names of the files, or from what the files tell. Type them as "
            "2016, 2016-05 or 2016-05-31; an empty one counts as unknown."
        )
    )
    data = pd.DataFrame({
        "frame": range(1, len(frames) + 1),
        "name": frames.names,
        "date": [date or "" for date in frames.dates],
    })  # fmt: skip
    edited = st.data_editor(
        data, key=f"follow-dates-{session.image.token}", hide_index=True,
        disabled=["frame", "name"],
        column_config=_formats(), height=min(320, 37 * (len(data) + 1) + 2), width=560,
    )  # fmt: skip
    with banner.guard():
        before = frames.dates
        state.type_dates([str(value or "") for value in edited["date"]])
        if state.frames.dates != before:
            st.rerun()
