"""Area, place and shape over time; a click on a point shows its frame."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from rsam_core.change.track_files import time_axis
from rsam_core.runtime.language import N_, _
from rsam_core.session.following import FollowState
from rsam_core.session.session import Session

HEIGHT = 170
MEASURES = {
    N_("Area"): ("area_m2", "area"),
    N_("Change of area"): ("change",),
    N_("Place, x"): ("map_x", "centroid_x"),
    N_("Place, y"): ("map_y", "centroid_y"),
    N_("Compactness"): ("compactness",),
    N_("Elongation"): ("elongation",),
    N_("How sure"): ("confidence",),
}
"""What can be shown, and the columns of the table, the first that is there."""

UNITS = {"area_m2": "m²", "area": "px", "change": "%", "map_x": "m", "map_y": "m",
         "centroid_x": "px", "centroid_y": "px", "confidence": "%"}  # fmt: skip
_LINE, _MARKED, _NOW = "#0f766e", "#eab308", "#c2410c"


def chart(session: Session, state: FollowState, table: pd.DataFrame) -> None:
    """The chart, and the choice of what it shows."""
    name = st.selectbox(
        _("Over time"), list(MEASURES), key="follow-measure", label_visibility="collapsed",
        format_func=_, persist_state="session",
    )  # fmt: skip
    data, column, what = points(table, name or "Area")
    unit = UNITS.get(column)
    key = f"follow-chart-{session.image.token}-{column}"

    def select() -> None:
        picked = st.session_state[key]["selection"].get("point") or []
        if picked and "frame" in picked[0]:
            state.look(int(picked[0]["frame"]) - 1)

    kind = "T" if what == "date" else "Q"
    x = alt.X(f"when:{kind}", title=None if what == "date" else _(what))
    zero = name == "Area"
    said = _(name)
    y = alt.Y("value:Q", title=f"{said} ({unit})" if unit else said,
              scale=alt.Scale(zero=zero, nice=True))  # fmt: skip
    tips = [
        alt.Tooltip("frame:Q", title=_("frame")),
        alt.Tooltip(f"when:{kind}", title=_(what)),
        alt.Tooltip("value:Q", title=said.lower(), format=",.4~g"),
    ]
    line = alt.Chart(data).mark_line(color=_LINE, strokeWidth=1.5).encode(x=x, y=y)
    dots = (
        alt.Chart(data[data["value"].notna()])
        .mark_circle(opacity=1)
        .encode(
            x=x, y=y, tooltip=tips,
            color=alt.Color("kind:N", legend=None,
                            scale=alt.Scale(domain=["followed", "marked"],
                                            range=[_LINE, _MARKED])),
            size=alt.Size("kind:N", legend=None,
                          scale=alt.Scale(domain=["followed", "marked"], range=[34, 90])),
        )
        .add_params(alt.selection_point("point", fields=["frame"], toggle=False))
    )  # fmt: skip
    now = data[data["frame"] == state.frame + 1]
    rule = alt.Chart(now).mark_rule(color=_NOW, strokeWidth=1.5).encode(x=x)
    picture = alt.layer(rule, line, dots).properties(height=HEIGHT)
    st.altair_chart(picture, key=key, on_select=select, selection_mode="point")


def points(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, str, str]:
    """What is drawn, the column that it comes from, and what time is told in."""
    column = next(c for c in MEASURES[name] if c in table)
    when, what = time_axis(table)
    values = np.where(table["found"], table[column].astype(float), np.nan)
    if UNITS.get(column) == "%":
        values = 100 * values
    data = pd.DataFrame({
        "frame": table["frame"],
        "when": pd.to_datetime(list(when)) if what == "date" else list(when),
        "value": values,
        "kind": np.where(table["marked"], "marked", "followed"),
    })  # fmt: skip
    return data, column, what
