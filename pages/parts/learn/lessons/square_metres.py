"""Lesson 8 on the page: pixels over an object, a pitch on maps, a square made of stairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.kind_names import ONE
from rsam_core.evaluate.learn.lessons import square_metres_maps as maps
from rsam_core.evaluate.learn.lessons import square_metres_pixels as pixels
from rsam_core.evaluate.learn.lessons import square_metres_stairs as stairs
from rsam_core.evaluate.learn.lessons.square_metres import EXPERIMENTS
from rsam_core.objects import palette
from rsam_core.runtime.language import _, number, percent

_SPLIT = (62, 38)
_LINES = {"edges": palette.FALSE_POSITIVE, "measured": "#0F766E"}
_TRUE = "#1D4ED8"
_CHARTS = 240, 340
"""Heights of the chart in pixels, the second one for a projector."""


def show(stage: Stage) -> Mapping[str, Any]:
    """Show one of the three experiments, and report its numbers."""
    if stage.own is not None:
        st.caption(_("This lesson needs objects whose true size is known, so it stays with its "
                     "own pictures."))  # fmt: skip
    names = {key: _(name) for key, name in EXPERIMENTS.items()}
    chosen = stage.choice("experiment", _("Experiment"), names)
    parts: dict[str, Callable[[Stage], dict[str, Any]]] = {
        "pixels": _pixels, "maps": _maps, "stairs": _stairs
    }  # fmt: skip
    return {"experiment": chosen, **parts[chosen](stage)}


def _pixels(stage: Stage) -> dict[str, Any]:
    key = stage.name("object")
    chosen = st.session_state.setdefault(key, pixels.first_object())
    left, right = st.columns(_SPLIT, gap="medium")
    with right:
        step = st.select_slider(
            _("Pixel size (ground sample distance)"), pixels.STEPS, pixels.STEPS[3],
            key=stage.name("step"), format_func=lambda value: _metres(value * pixels.FINE, 1),
            help=_("How many metres of ground one pixel is wide."), persist_state="session",
        )  # fmt: skip
        error = st.slider(
            _("Error of the pixel size that the file states (%)"), -50, 100, 0,
            key=stage.name("error"), format="%+d %%", persist_state="session",
        )  # fmt: skip
        seen = pixels.counted(chosen, step, error / 100)
        kind = _(ONE[pixels.subject().kinds[chosen]])
        st.metric(
            _("Measured: {kind}").format(kind=kind),
            _square_metres(seen.area),
            _("{error} against the true area").format(error=_signed(seen.ratio - 1)),
            delta_color="off", delta_arrow="off", border=True,
        )  # fmt: skip
        st.markdown(
            _("{count} pixels × {side} m × {side} m = **{area} m²**").format(
                count=number(seen.count), side=number(seen.stated, 2), area=number(seen.area, 1)
            )
        )
        st.caption(_("True area: {area} m²").format(area=number(seen.true_area, 1)))
    with left:
        st.markdown(_("Click a house, a car, a pool or a tree. How many pixels is it?"))
        stage.picture(
            "place", pixels.picture(chosen, step),
            label=_("A place from above in pixels of {side} m. The pixels of the chosen object are "
                    "green, its true outline is yellow. Click another object to choose it.")
            .format(side=number(step * pixels.FINE, 1)),
            on_touch=lambda event: _choose(key, event),
        )  # fmt: skip
        chips([(_("its pixels"), palette.TRUE_POSITIVE), (_("true outline"), palette.HIGHLIGHT)])
    return {
        "kind": pixels.subject().kinds[chosen], "gsd": seen.gsd, "error": error / 100,
        "count": seen.count, "area": seen.area, "area_ratio": seen.ratio,
    }  # fmt: skip


def _choose(key: str, event: Touch) -> None:
    found = pixels.object_at(event.x, event.y)
    if found is not None:
        st.session_state[key] = found


def _maps(stage: Stage) -> dict[str, Any]:
    left, right = st.columns(_SPLIT, gap="medium")
    with right:
        names = {key: _(called) for key, (called, *_rest) in maps.PROJECTIONS.items()}
        projection = stage.choice("projection", _("Map projection"), names, label_shown=True)
        latitude = st.slider(
            _("Latitude (degrees north)"), *maps.LATITUDES, 0, key=stage.name("latitude"),
            format="%d°", persist_state="session",
        )  # fmt: skip
        seen = maps.on_map(projection, latitude)
        st.metric(
            _("Area on the map"), _square_metres(seen.map_area, 0),
            _("{times} times the true area").format(times=number(seen.ratio, 2)),
            delta_color="off", delta_arrow="off", border=True,
        )  # fmt: skip
        st.markdown(
            _("On the ground: **{area} m²**  \nRSAM, from the map's pixels: **{measured} m²**")
            .format(area=number(seen.ground_area), measured=number(seen.measured))
        )  # fmt: skip
    with left:
        st.markdown(_("A football pitch of 105 m × 68 m. Move it north: what does the map make "
                      "of it?"))  # fmt: skip
        x, y, side = maps.grid_corner()
        stage.picture(
            "map", maps.picture(projection, latitude), marks=(
                Mark(x + 4, y + side - 24, "label", text=_("100 map metres")),
            ),
            label=_("A football pitch at {latitude}° north on a map ({projection}) with a line "
                    "every 100 map metres: {times} times its true area.").format(
                latitude=number(latitude), projection=_(maps.PROJECTIONS[projection][0]),
                times=number(seen.ratio, 2)),
        )  # fmt: skip
        st.caption(_about(projection))
    return {
        "projection": projection, "latitude": latitude, "map_ratio": seen.ratio,
        "map_area": seen.map_area, "measured": seen.measured,
    }  # fmt: skip


def _about(projection: str) -> str:
    if projection == "mercator":
        times = [number(maps.on_map(projection, place).ratio, 2) for place in (0, 45, 65)]
        return _(
            "Web Mercator, the map of most web sites, keeps shapes and lets everything grow "
            "towards the poles: {equator} times at the equator, {middle} at 45°, {north} at 65°."
        ).format(equator=times[0], middle=times[1], north=times[2])
    if projection == "utm":
        return _(
            "UTM cuts the Earth into 60 narrow strips and draws each with hardly any error. Here "
            "the pitch lies in the middle of strip 32."
        )
    return _("An equal-area map keeps every area and pays for it with the shape.")


def _stairs(stage: Stage) -> dict[str, Any]:
    left, right = st.columns((45, 55), gap="medium")
    with right:
        st.markdown(_("A square with sides of 20 m, in pixels. How long is its outline?"))
        turning, sizing = st.columns(2)
        angle = turning.slider(
            _("Turn the square (degrees)"), *stairs.ANGLES, 15, key=stage.name("angle"),
            format="%d°", persist_state="session",
        )  # fmt: skip
        size = sizing.select_slider(
            _("Pixel size"), stairs.SIZES, 1.0, key=stage.name("pixel"),
            format_func=lambda value: _metres(value, 2),
        )  # fmt: skip
        seen = stairs.perimeters(angle, size)
        how = _("RSAM counts how often lines in four directions cross the outline (Crofton's "
                "formula). Along the grid it is a little short.")  # fmt: skip
        for column, name, length, error, explained in zip(
            st.columns(3), (_("True outline"), _("Pixel edges"), _("RSAM")),
            (seen.true, seen.edges, seen.measured),
            (None, seen.edges_error, seen.measured_error), (None, None, how),
        ):  # fmt: skip
            column.metric(
                name, _metres(length, 1), None if error is None else _signed(error),
                delta_color="off", delta_arrow="off", help=explained,
            )  # fmt: skip
        _curves(angle, size, _CHARTS[stage.projector])
    with left:
        stage.picture(
            "stairs", stairs.picture(angle, size),
            label=_("A square turned by {angle}° in blue, and the staircase of pixel edges around "
                    "it in orange.").format(angle=number(angle)),
        )  # fmt: skip
        chips([(_("true outline"), _TRUE), (_("pixel edges"), _LINES["edges"])])
    return {
        "angle": angle, "pixel": size, "edges": seen.edges, "edges_error": seen.edges_error,
        "measured": seen.measured,
    }  # fmt: skip


def _curves(angle: int, size: float, height: int) -> None:
    """Errors of both at all angles, with a line at the one that is shown."""
    import altair as alt

    names = {"edges": _("Pixel edges"), "measured": _("RSAM")}
    angles = np.arange(stairs.ANGLES[0], stairs.ANGLES[1] + 1)
    all_of = [stairs.perimeters(int(one), size) for one in angles]
    data = pd.DataFrame(
        {
            "angle": np.tile(angles, 2),
            "error": [p.edges_error for p in all_of] + [p.measured_error for p in all_of],
            "kind": np.repeat(list(names.values()), len(angles)),
        }
    )
    colours = alt.Scale(domain=list(names.values()), range=list(_LINES.values()))
    x = alt.X("angle:Q", title=_("Turned by (degrees)"), axis=alt.Axis(values=[0, 15, 30, 45]))
    lines = alt.Chart(data).mark_line(strokeWidth=2.5).encode(
        x=x, y=alt.Y("error:Q", title=_("Error"), axis=alt.Axis(format="%", tickCount=4)),
        color=alt.Color("kind:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
    )  # fmt: skip
    now = alt.Chart(pd.DataFrame({"angle": [angle]})).mark_rule(strokeDash=[4, 3]).encode(x=x)
    st.altair_chart((lines + now).properties(height=height), width="stretch")


def _metres(value: float, digits: int) -> str:
    return _("{length} m").format(length=number(value, digits))


def _square_metres(value: float, digits: int = 1) -> str:
    return _("{area} m²").format(area=number(value, digits))


def _signed(share: float) -> str:
    """A share with its sign, such as “+4.2%”."""
    sign = "+" if share > 0 else "−" if share < 0 else "±"
    return sign + percent(abs(share), 1)
