"""Measuring: which columns, and charts that are linked with the picture."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.objects.table import numeric_columns, title
from pages.parts.shared.measured import wanted
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import histogram
from rsam_core.runtime.language import _
from rsam_core.session.session import Session

_ACCENT, _CALM = "#FFB000", "#5B8DB8"
CHART_HEIGHT = 190


def measure_panel(session: Session, found: Instances, table: pd.DataFrame) -> None:
    """Choose columns; look at their distribution."""
    with st.container(horizontal=True, gap="medium"):
        for name, text, hint in (
            (
                "bands",
                _("Colours"),
                _("Mean and spread of each band, NDVI and NDWI where possible."),
            ),
            ("neighbours", _("Neighbours"), _("The gap to the nearest other object.")),
        ):
            key = f"measure-{name}-{session.image.token}"
            st.toggle(
                text, wanted(session, found, name), key=key, help=hint, persist_state="session"
            )
    columns = numeric_columns(table)
    left, right = st.columns(2)
    with left:
        default = columns.index("area_m2" if "area_m2" in columns else "area")
        size = st.selectbox(
            _("Size"),
            columns,
            default,
            format_func=title,
            key="chart-size",
            persist_state="session",
        )
    with right:
        default = columns.index("compactness") if "compactness" in columns else 0
        form = st.selectbox(_("against"), columns, default, format_func=title, key="chart-shape",
                            persist_state="session")  # fmt: skip
    _histogram(session, table, size)
    _scatter(session, table, size, form)
    st.caption(_("Click a bar, or drag a frame over dots, to select those objects in the picture."))


def _histogram(session: Session, table: pd.DataFrame, column: str) -> None:
    values = table[column].to_numpy(dtype=float)
    log = _is_spread(values)
    bins = histogram(values, log=log)
    chosen = np.isin(table["id"], list(session.marks.selected))
    edges = np.append(bins["start"], bins["end"].iloc[-1:])
    inside = np.histogram(values[chosen & np.isfinite(values)], edges)[0] if len(bins) else 0
    kinds = [
        bins.assign(kind="other", number=bins["count"] - inside),
        bins.assign(kind="selected", number=inside),
    ]
    key = f"histogram-{session.image.token}-{column}"

    def select() -> None:
        picked = st.session_state[key]["selection"].get("bar") or []
        starts = [bar["start"] for bar in picked if "start" in bar]
        hit = np.zeros(len(values), bool)
        for start in starts:
            bar = int(np.argmin(np.abs(bins["start"] - start)))
            last = bar == len(bins) - 1
            low, high = bins["start"].iloc[bar], bins["end"].iloc[bar]
            hit |= (values >= low) & ((values <= high) if last else (values < high))
        if starts:
            session.marks.select(table["id"][hit].tolist())

    chart = (
        alt.Chart(pd.concat(kinds))
        .mark_bar()
        .encode(
            x=alt.X("start:Q", title=title(column), bin="binned", scale=_scale(log)),
            x2="end:Q",
            y=alt.Y("number:Q", title=_("Objects"), stack=True),
            color=_colours("kind:N"),
            tooltip=[
                alt.Tooltip("start:Q", title=_("from"), format=".4~g"),
                alt.Tooltip("end:Q", title=_("to"), format=".4~g"),
                alt.Tooltip("count:Q", title=_("objects")),
            ],
        )
        .properties(height=CHART_HEIGHT)
        .add_params(alt.selection_point("bar", fields=["start"], toggle=False))
    )
    st.altair_chart(chart, key=key, on_select=select, selection_mode="bar")


def _scatter(session: Session, table: pd.DataFrame, size: str, form: str) -> None:
    chosen = np.isin(table["id"], list(session.marks.selected))
    data = pd.DataFrame(
        {
            "object": table["id"],
            "x": table[size].astype(float),
            "y": table[form].astype(float),
            "kind": np.where(chosen, "selected", "other"),
        }
    )
    # Selected dots are drawn last, on top of the others.
    data = data.iloc[np.argsort(chosen, kind="stable")]
    key = f"scatter-{session.image.token}-{size}-{form}"

    def select() -> None:
        frame = st.session_state[key]["selection"].get("frame") or {}
        hit = np.ones(len(data), bool)
        for axis in ("x", "y"):
            if len(frame.get(axis) or ()) == 2:
                low, high = sorted(frame[axis])
                hit &= data[axis].between(low, high).to_numpy()
        if frame:
            session.marks.select(data["object"][hit].tolist())

    scale = _scale(_is_spread(data["x"].to_numpy()))
    chart = (
        alt.Chart(data)
        .mark_circle(size=28, opacity=0.75)
        .encode(
            x=alt.X("x:Q", title=title(size), scale=scale),
            y=alt.Y("y:Q", title=title(form), scale=alt.Scale(zero=False)),
            color=_colours("kind:N"),
            tooltip=[
                alt.Tooltip("object:Q", title=_("object")),
                alt.Tooltip("x:Q", title=title(size), format=".4~g"),
                alt.Tooltip("y:Q", title=title(form), format=".4~g"),
            ],
        )
        .properties(height=CHART_HEIGHT + 30)
        .add_params(alt.selection_interval("frame"))
    )
    st.altair_chart(chart, key=key, on_select=select, selection_mode="frame")


def _is_spread(values: np.ndarray) -> bool:
    """Whether the values span so much that small ones need a logarithmic scale."""
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() > 0 and known.max() > 50 * known.min())


def _scale(log: bool) -> alt.Scale:
    return alt.Scale(type="log") if log else alt.Scale(zero=False)


def _colours(field: str) -> alt.Color:
    scale = alt.Scale(domain=["other", "selected"], range=[_CALM, _ACCENT])
    return alt.Color(field, scale=scale, legend=None)
