"""Editing the points of a preparation step: clicked in the picture or typed, with their errors."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.shared import banner, canvas, resources, streamlit_adapter
from rsam_core.errors import PrepareError
from rsam_core.prepare import Raster, Step
from rsam_core.prepare.geometric import order_corners
from rsam_core.prepare.ground_control import NEEDED, GroundControl
from rsam_core.prepare.point_table import (
    CONTROL_COLUMNS,
    PIXEL_COLUMNS,
    arrow_factor,
    complete_rows,
    point_layer,
    table_of,
    with_click,
    with_edits,
    without_nearest,
)
from rsam_core.prepare.steps.geometric import GroundControlPoints
from rsam_core.prompts.canvas_events import (
    Acknowledged,
    CanvasData,
    CanvasEvent,
    MarkMessage,
    read_events,
)
from rsam_core.runtime.language import _

Points = tuple[tuple[float, ...], ...]

_HEIGHT = 430
_LAYER_SIDE = 1400
_RIM = 0.1
_REACH = 0.03
"""How near to a point a right click removes it, as a share of the picture's longer side."""

_component = canvas.registered("rsam_points")


@dataclass
class Desk:
    """What lies on the desk while points are collected, kept in the session.

    Attributes
    ----------
    table : DataFrame
        All points, complete or not, without the changes that the table's editor still holds.
    version : int
        Counts whenever `table` changes; each version has an editor of its own.
    given, value : tuple
        What the editor was last given and what it returned.
    most : int or None
        How many points make sense.
    size : tuple of float
        Width and height of the picture in its full pixels.
    acknowledged : Acknowledged
        Clicks that were taken.
    """

    table: pd.DataFrame
    version: int = 0
    given: Points = ()
    value: Points = ()
    most: int | None = None
    size: tuple[float, float] = (1.0, 1.0)
    acknowledged: Acknowledged = field(default_factory=Acknowledged)

    def renew(self, table: pd.DataFrame) -> None:
        """Put another table on the desk."""
        self.table, self.version = table, self.version + 1


def point_editor(raster: Raster, step: Step, key: str) -> Points:
    """Edit the points of a step, and show how well they fit.

    Parameters
    ----------
    raster : Raster
        The picture as it comes to this step; it may be a reduced copy.
    step : Step
        A step with a parameter of kind "points": corners (x, y) or control points (x, y, map x,
        map y).
    key : str
        Unique in the page and the same in each run; a step that takes the place of another needs
        another key.

    Returns
    -------
    tuple of tuple of float
        The new value of that parameter, in full pixels of the picture. Rows that lack a number
        are kept on the screen and left out here; corners are returned once all are there.
    """
    parameter = next(p for p in step.parameters() if p.kind == "points")
    control = isinstance(step, GroundControlPoints)
    columns = CONTROL_COLUMNS if control else PIXEL_COLUMNS
    desk = _desk(key, getattr(step, parameter.name), columns)
    desk.size = raster.width * raster.scale, raster.height * raster.scale
    desk.most = None if parameter.high is None else int(parameter.high)
    above = st.container()
    left, right = st.columns([1, 1], gap="medium")
    # The table comes first, because the picture shows what was typed into it.
    with left:
        table = _table(desk, key, control)
    points = complete_rows(table)
    fit = None
    with right:
        if control:
            fit = _fit(replace(step, **{parameter.name: points}), table)
        elif desk.most and len(table) < desk.most:
            st.caption(
                _(
                    "{count} of {most} corners marked. Click the corners of something that is "
                    "rectangular on the ground, in any order."
                ).format(count=len(table), most=desk.most)
            )
    with above:
        note = _picture(raster, desk, table, fit, key)
        st.caption(
            _(
                "Click to add a point; zoom with the wheel, drag to move. Right-click (or Shift "
                "and click) near a point to remove it."
            )
            + f" {note}"
        )
    if not control and desk.most and len(points) < desk.most:
        points = ()
    desk.value = points
    return points


def _desk(key: str, value: Points, columns: tuple[str, ...]) -> Desk:
    """The desk of a step; a value that came from elsewhere (a recipe) clears it."""
    desk = st.session_state.get(f"{key}-desk")
    if desk is None:
        desk = Desk(table_of(value, columns), value=value)
        st.session_state[f"{key}-desk"] = desk
    elif value not in (desk.given, desk.value):
        desk.renew(table_of(value, columns))
        desk.value = value
    desk.given = value
    return desk


def _table(desk: Desk, key: str, control: bool) -> pd.DataFrame:
    """The points in an editor: type, paste, add and delete rows."""
    number = st.column_config.NumberColumn
    degrees = control and not (desk.table[["map_x", "map_y"]].abs() > 360).any(axis=None)
    form = "%.6f" if degrees else "%.2f"
    config = {
        "x": number("x (px)", format="%.1f", help=_("From the left edge of the picture.")),
        "y": number("y (px)", format="%.1f", help=_("From the upper edge of the picture.")),
        "map_x": number(_("Map x"), format=form, help=_("Easting, or longitude in degrees.")),
        "map_y": number(_("Map y"), format=form, help=_("Northing, or latitude in degrees.")),
    }
    numbered = desk.table.copy()
    numbered.insert(0, "point", np.arange(1, len(numbered) + 1))
    edited = st.data_editor(
        numbered,
        column_config={"point": number(_("Point"), format="%d", disabled=True, width="small")}
        | {name: config[name] for name in desk.table.columns},
        hide_index=True,
        num_rows="dynamic",
        key=f"{key}-table-{desk.version}",
        height="auto" if len(desk.table) < 10 else 400,
    )
    columns = list(desk.table.columns)
    return table_of(edited[columns].to_numpy(float), columns)


def _fit(step: GroundControlPoints, table: pd.DataFrame) -> GroundControl | None:
    """Fit the step's model and show its errors; None where it cannot be fitted yet."""
    count, need = len(step.control), NEEDED[step.model]
    if count < need:
        st.caption(
            _(
                "{count} of at least {need} control points are complete. Click a place in the "
                "picture, then type its map coordinates here (or paste rows from a spreadsheet)."
            ).format(count=count, need=need)
        )
        return None
    try:
        fit = step.fitted_points()
    except PrepareError as error:
        banner.show(error)
        return None
    complete = np.isfinite(table.to_numpy(float)).all(axis=1)
    _errors(fit, np.flatnonzero(complete) + 1)
    return fit


def _errors(fit: GroundControl, numbers: np.ndarray) -> None:
    """Show the errors of a fit whose points have these numbers."""
    rows = pd.DataFrame(fit.table())
    rows.insert(0, "point", numbers)
    left_out = fit.left_out_rmse_px
    with st.container(horizontal=True):
        st.metric(_("RMSE"), f"{fit.rmse_px:.2f} px", help=_("Root mean square of the residuals."))
        if fit.rmse_m is not None:
            st.metric(_("On the ground"), _metres(fit.rmse_m))
        st.metric(
            _("Points left out"),
            "—" if left_out is None else f"{left_out:.2f} px",
            help=_("Each point predicted from all the others: the error to expect elsewhere."),
        )
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        column_order=["point", "error_px", "error_m", "left_out_px", "dx", "dy"],
        column_config={
            "point": number(_("Point"), format="%d"),
            "error_px": number(_("Error (px)"), format="%.2f"),
            "error_m": number(_("Error (m)"), format="%.3g"),
            "left_out_px": number(_("Left out (px)"), format="%.2f"),
            "dx": number(_("dx (px)"), format="%.2f"),
            "dy": number(_("dy (px)"), format="%.2f"),
        },
        hide_index=True,
    )
    if fit.mirrored:
        st.warning(
            _(
                "With these coordinates the picture is mirrored on the map. Are map x and y "
                "swapped? x is the easting or longitude, y the northing or latitude."
            ),
            icon=":material/flip:",
        )
    if fit.exact:
        st.caption(
            _(
                "There are just enough points, so all residuals are zero and say nothing. Add one "
                "or more to see how good they are."
            )
        )
    elif (suspect := fit.suspect) is not None:
        st.warning(
            _(
                "Point {point} contradicts the others, which fit well without it. Check where "
                "it was clicked and its map coordinates."
            ).format(point=numbers[suspect]),
            icon=":material/wrong_location:",
        )


def _metres(value: float) -> str:
    return f"{value:.2f} m" if value < 100 else f"{value:,.0f} m"


def _picture(
    raster: Raster, desk: Desk, table: pd.DataFrame, fit: GroundControl | None, key: str
) -> str:
    """The picture with its points, to zoom, pan and click; returns what its arrows mean."""
    width, height = desk.size
    box = [0, 0, width, height]
    margin = _margin(desk)
    places = table[["x", "y"]].to_numpy(float)
    layer, note = _layer(places, table, desk, fit)
    encoded = cv2.imencode(".png", cv2.cvtColor(layer, cv2.COLOR_RGBA2BGRA))[1].tobytes()
    url = streamlit_adapter.address(
        resources.jpeg(raster.rgb(), 90), "image/jpeg", f"{key}-picture"
    )
    sender, ack = desk.acknowledged.latest
    marks: list[MarkMessage] = [
        {"kind": "point", "x": x, "y": y, "x1": x, "y1": y, "label": 1}
        for x, y in places[np.isfinite(places).all(axis=1)].tolist()
    ]
    data: CanvasData = {
        "token": f"{key}-{width:g}-{height:g}",
        "scene": [width, height],
        "gsd": None if raster.gsd is None else raster.gsd / raster.scale,
        "height": _HEIGHT,
        "mode": "points",
        "label": 1,
        "pictures": [{"url": url, "box": box, "smooth": False}],
        "overlay": {
            "url": f"data:image/png;base64,{base64.b64encode(encoded).decode()}",
            "box": [-margin, -margin, width + margin, height + margin],
            "region": box,
            "smooth": True,
        },
        "extra": None,
        "drawn": box,
        "view": box,
        "marks": marks,
        "canvas": sender,
        "ack": ack,
        "look": None,
        "badge": "",
        "camera": None,
        "proposals": None,
        "rests": False,
        "answer": None,
        "place": None,
    }
    name = f"{key}-canvas"
    _component(
        key=name, data=data, default={"report": None}, on_report_change=lambda: _take(key, name)
    )
    return note


def _layer(
    places: np.ndarray, table: pd.DataFrame, desk: Desk, fit: GroundControl | None
) -> tuple[np.ndarray, str]:
    """Numbers, arrows or the quadrilateral, and what the arrows mean."""
    width, height = desk.size
    margin = _margin(desk)
    scale = _LAYER_SIDE / (max(width, height) + 2 * margin)
    shape = tuple(max(1, round((side + 2 * margin) * scale)) for side in (height, width))
    if "map_x" not in table:
        corners = places
        if len(places) == 4 and np.isfinite(places).all():
            try:
                corners = order_corners(places)
            except PrepareError as error:
                banner.show(error)
        return point_layer(shape, (corners + margin) * scale, closed=True), ""
    if fit is None:
        return point_layer(shape, (places + margin) * scale), ""
    factor = arrow_factor(fit.residuals, max(width, height))
    arrows = np.zeros_like(places)
    arrows[np.isfinite(table.to_numpy(float)).all(axis=1)] = fit.residuals * factor
    note = _("Pink arrows lead to where the model puts each point.")
    if factor > 1:
        note = _(
            "Pink arrows lead to where the model puts each point, {factor:g} times as long as "
            "they are."
        ).format(factor=factor)
    return point_layer(shape, (places + margin) * scale, arrows * scale), note


def _margin(desk: Desk) -> float:
    """How far the layer reaches beyond the picture, for numbers and arrows at its rim."""
    return _RIM * max(desk.size)


def _take(key: str, name: str) -> None:
    """Read what the picture reports before the page is drawn again."""
    desk = st.session_state.get(f"{key}-desk")
    report = (st.session_state.get(name) or {}).get("report")
    if desk is None or not isinstance(report, dict):
        return
    with banner.guard("points"):
        events, desk.acknowledged = read_events(report, desk.acknowledged, *desk.size)
        clicks = [event for event in events if event.kind == "point"]
        if not clicks:
            return
        table = with_edits(desk.table, st.session_state.get(f"{key}-table-{desk.version}"))
        for click in clicks:
            table = clicked(table, click, desk)
        desk.renew(table)


def clicked(table: pd.DataFrame, click: CanvasEvent, desk: Desk) -> pd.DataFrame:
    """The table after a click: a point more, or one less for a right click."""
    if not click.label:
        return without_nearest(table, click.x, click.y, _REACH * max(desk.size))
    if desk.most is not None and np.isfinite(table[["x", "y"]]).all(axis=1).sum() >= desk.most:
        st.toast(
            _("All {most} points are marked. Right-click one to remove it first.").format(
                most=desk.most
            )
        )
        return table
    return with_click(table, click.x, click.y)
