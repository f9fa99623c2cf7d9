"""The picture before and after, whole or as a detail, and its tones."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.prepare.points import point_editor
from pages.parts.shared import banner, resources
from pages.parts.shared.swipe import swipe
from rsam_core.prepare import Raster
from rsam_core.prepare.preview import Preview, detail_window, tone_histogram
from rsam_core.runtime.language import N_, _, number
from rsam_core.session.preparation import PreparationState

WHOLE, DETAIL, POINTS = N_("Whole picture"), N_("Detail at 100 %"), N_("Points")
TEAL, GREY = "#0f766e", "#9db3ad"
HISTOGRAM = 64
"""Height in pixels."""


def toolbar(bench: PreparationState) -> tuple[str, bool]:
    """What is shown: the whole, a detail or the points of a step; one over the other or beside."""
    modes = [WHOLE, DETAIL]
    index = _editable(bench)
    if index is not None:
        modes.append(POINTS)
    # Opening a step with points turns to them, and closing it away from them.
    key = f"prepare-mode-{bench.open if index is not None else 'all'}"
    mode = st.segmented_control(
        _("Show"), modes, default=POINTS if index is not None else _last(), key=key,
        format_func=_, label_visibility="collapsed", required=True,
    )  # fmt: skip
    if mode in (WHOLE, DETAIL):
        st.session_state["prepare-last-mode"] = mode
    pair = False
    if mode != POINTS:
        pair = st.toggle(_("Side by side"), key="prepare-pair", persist_state="session")
    return mode or WHOLE, pair


def _last() -> str:
    return st.session_state.get("prepare-last-mode", WHOLE)


def _editable(bench: PreparationState) -> int | None:
    """Position of the open step, if points are set for it in the picture."""
    if bench.open not in bench.ids:
        return None
    index = bench.ids.index(bench.open)
    parameters = bench.pipeline.stages[index].step.parameters()
    return index if any(p.kind == "points" for p in parameters) else None


def points(bench: PreparationState) -> None:
    """The picture of the open step, to click its points."""
    index = _editable(bench)
    number, step = bench.ids[index], bench.pipeline.stages[index].step
    name = next(p.name for p in step.parameters() if p.kind == "points")
    value = point_editor(bench.coming_to(index), step, f"prepare-points-{number}")
    if value != getattr(step, name):
        bench.change(number, **{name: value})
        st.rerun()


def picture(bench: PreparationState, mode: str, pair: bool, room: tuple[int, int]) -> Preview:
    """Before and after, in a room of (width, height) CSS pixels."""
    overview, width, height = None, *room
    steps = bench.pipeline.steps
    pair = pair and bool(steps)
    if mode == DETAIL:
        # Half the width each where they stand side by side, so that both are at 100 %.
        size = ((width - 6) // 2 if pair else width, height)
        window = detail_window(bench.base, bench.place, size)
        preview = bench.previewer.detail(steps, window)
        whole = bench.base.width, bench.base.height
        part = (window.x, window.y, window.width, window.height)
        if part[2:] != whole:
            shares = tuple(value / whole[i % 2] for i, value in enumerate(part))
            overview = (_thumbnail(bench), whole, shares)
    else:
        preview = bench.previewer.overall(steps)
    before, after = preview.before, preview.after
    if not preview.comparable:
        pair = True
    key = f"prepare-swipe-{bench.base.content_hash}"
    place = swipe(
        _jpeg(bench, before), _jpeg(bench, after),
        size=(before.width, before.height), size_after=(after.width, after.height),
        height=height, pair=pair, plain=not steps, full=mode == DETAIL,
        overview=overview, key=key,
    )  # fmt: skip
    if place is not None and place != bench.place:
        bench.place = place
        if mode == DETAIL:
            st.rerun()
    return preview


def notes(bench: PreparationState, mode: str, pair: bool, preview: Preview) -> None:
    """What to know about the picture, one line; and what went wrong."""
    if preview.error is not None:
        banner.show(preview.error)
    if preview.left_out:
        titles = ", ".join(f"“{title}”" for title in preview.left_out)
        text = _("Not shown in a detail: {titles}. Choose *{whole}* to see it.").format(
            titles=titles, whole=_(WHOLE)
        )
    elif not bench.pipeline.steps:
        text = _("Add a step at the top right; this picture then shows it before and after.")
    elif _same(preview):
        text = _("The picture looks the same before and after these steps.")
    elif not preview.comparable:
        text = _("{before} become {after} pixels.").format(
            before=_size(preview.before), after=_size(preview.after)
        )
    else:
        text = "" if pair else _("Drag the handle, or use the arrow keys.") + " "
        if mode == DETAIL:
            text += _("Click the small picture to look elsewhere.")
        else:
            text += _("Noise shows only in the detail at 100 %.")
    st.caption(text)


def _same(preview: Preview) -> bool:
    """Whether there is no difference to see."""
    before, after = preview.before, preview.after
    if before is after:
        return True
    return before.values.shape == after.values.shape and np.array_equal(before.rgb(), after.rgb())


def _size(raster: Raster) -> str:
    return f"{number(raster.width * raster.scale)} × {number(raster.height * raster.scale)}"


def tones(preview: Preview) -> None:
    """Histogram of brightness before and after, as a small chart."""
    rows = []
    names = [_("before"), _("after")]
    for side, (name, raster) in enumerate(zip(names, (preview.before, preview.after))):
        shares = tone_histogram(raster)
        levels = (np.arange(len(shares)) + 0.5) * 256 / len(shares)
        rows.append(pd.DataFrame({"level": levels, "share": shares, "picture": name, "side": side}))
    table = pd.concat(rows)
    # A single tone (black borders, say) must not flatten everything else.
    top = float(np.percentile(table["share"], 99)) * 1.15 or 1.0
    table["share"] = table["share"].clip(upper=top)
    colours = alt.Scale(domain=names, range=[GREY, TEAL])
    base = alt.Chart(table).encode(
        x=alt.X("level:Q", title=None, scale=alt.Scale(domain=[0, 256], nice=False),
                axis=alt.Axis(values=[0, 64, 128, 192, 255], grid=False, labelFontSize=10)),
        y=alt.Y("share:Q", title=None, axis=None, stack=None, scale=alt.Scale(domain=[0, top])),
        color=alt.Color("picture:N", scale=colours, sort=names,
                        legend=alt.Legend(title=None, orient="right", offset=6)),
    )  # fmt: skip
    before = base.transform_filter("datum.side == 0").mark_area(
        opacity=0.55, interpolate="monotone"
    )
    after = base.transform_filter("datum.side == 1").mark_line(
        strokeWidth=2, interpolate="monotone"
    )
    st.altair_chart((before + after).properties(height=HISTOGRAM), key="prepare-tones")


def _jpeg(bench: PreparationState, raster: Raster) -> bytes:
    """A raster as JPEG; the last few are kept, because most runs change nothing."""
    kept = st.session_state.setdefault("prepare-pictures", {})
    found = kept.pop(id(raster), None)
    if found is None or found[0] is not raster:
        found = (raster, resources.jpeg(raster.rgb(), 92))
    kept[id(raster)] = found
    while len(kept) > 4:
        kept.pop(next(iter(kept)))
    return found[1]


def _thumbnail(bench: PreparationState) -> bytes:
    """The small picture of the whole."""
    kept = st.session_state.get("prepare-thumbnail")
    if kept is None or kept[0] is not bench.base:
        kept = (bench.base, resources.jpeg(bench.base.overview(260), 80))
        st.session_state["prepare-thumbnail"] = kept
    return kept[1]
