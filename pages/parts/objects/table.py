"""The table of objects and the selection, which table, picture and charts share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.shared.long_table import shortened
from rsam_core.objects.certainty import ABOUT, certainties
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import N_, _, current
from rsam_core.session.kinds import naming
from rsam_core.session.session import Session

_TITLES = {
    "id": (N_("Object"), "%d", None),
    "label": (N_("Class"), None, None),
    "kind": (N_("Kind"), None,
        N_("What the model takes it for; “not sure” where it is undecided.")),
    "kind_probability": (N_("Kind is right"), "%.2f", N_("How likely that kind is, from 0 to 1.")),
    "certainty": (N_("How sure"), None, ABOUT),
    "area_m2": (N_("Area (m²)"), "%.1f", None),
    "perimeter_m": (N_("Perimeter (m)"), "%.1f", None),
    "area": (N_("Area (px)"), "%d", None),
    "perimeter": (N_("Perimeter (px)"), "%.0f", N_("Along outer outline and holes (Crofton).")),
    "compactness": (N_("Compactness"), "%.2f",
        N_("1 for a disc, less for long or ragged outlines.")),
    "solidity": (N_("Solidity"), "%.2f", N_("Share of its convex hull that the object covers.")),
    "rectangularity": (N_("Rectangularity"), "%.2f",
        N_("Share of its smallest rectangle it covers.")),
    "elongation": (N_("Elongation"), "%.2f", N_("0 for a square, towards 1 for a strip.")),
    "eccentricity": (N_("Eccentricity"), "%.2f", N_("0 for a circle, towards 1 for a line.")),
    "extent": (N_("Extent"), "%.2f", N_("Share of its upright box that the object covers.")),
    "equivalent_diameter_area_m": (N_("Diameter (m)"), "%.1f", N_("Of the disc of the same area.")),
    "axis_major_length_m": (N_("Length (m)"), "%.1f", N_("Major axis of the fitted ellipse.")),
    "axis_minor_length_m": (N_("Width (m)"), "%.1f", N_("Minor axis of the fitted ellipse.")),
    "equivalent_diameter_area": (N_("Diameter (px)"), "%.1f", N_("Of the disc of the same area.")),
    "axis_major_length": (N_("Length (px)"), "%.1f", N_("Major axis of the fitted ellipse.")),
    "axis_minor_length": (N_("Width (px)"), "%.1f", N_("Minor axis of the fitted ellipse.")),
    "orientation": (N_("Direction (°)"), "%.0f", N_("Of the long axis, clockwise from the top.")),
    "holes": (N_("Holes"), "%d", None),
    "parts": (N_("Pieces"), "%d", None),
    "nearest_neighbour_m": (N_("Nearest (m)"), "%.1f", N_("Gap to the nearest other object.")),
    "nearest_neighbour": (N_("Nearest (px)"), "%.1f", N_("Gap to the nearest other object.")),
    "nearest_id": (N_("Nearest object"), "%d", None),
    "centroid_x": (N_("Centre x"), "%.1f", N_("Pixels from the left edge.")),
    "centroid_y": (N_("Centre y"), "%.1f", N_("Pixels from the top edge.")),
    "map_x": (N_("Map x"), "%.6g", None),
    "map_y": (N_("Map y"), "%.6g", None),
    "source": (N_("Found by"), None, None),
    "score": (N_("Quality"), "%.2f", N_("The number behind “how sure”, from 0 to 1.")),
}  # fmt: skip


def title(column: str) -> str:
    """Name of a column for people."""
    if column in _TITLES:
        return _(_TITLES[column][0])
    kind, _sign, band = column.partition("_")
    name = band.upper() if band in ("ndvi", "ndwi") else band.replace("_", " ")
    return {
        "mean": _("Mean {name}").format(name=name),
        "std": _("Spread {name}").format(name=name),
    }.get(kind, column)


def numeric_columns(table: pd.DataFrame) -> list[str]:
    """Columns worth a chart, in the order of the table on the screen."""
    colours = [name for name in table if name.startswith(("mean_", "std_"))]
    left_out = {
        "id",
        "label",
        "kind",
        "kind_probability",
        "source",
        "nearest_id",
        "centroid_x",
        "centroid_y",
    }
    left_out |= {"map_x", "map_y"}
    names = [name for name in _TITLES if name in table and name not in left_out]
    return names + colours


def chosen_ids(session: Session, found: Instances) -> list[int]:
    """Numbers of the selected objects, in their order."""
    return [id for id in found.ids.tolist() if id in session.marks.selected]


def selection_buttons(session: Session, found: Instances) -> None:
    """Select all, none; look at and remove what is selected."""
    chosen = chosen_ids(session, found)

    def select(ids: list[int]) -> None:
        session.marks.select(ids)

    def look() -> None:
        boxes = found.select(chosen).bboxes
        x0, y0 = boxes[:, :2].min(axis=0)
        x1, y1 = boxes[:, 2:].max(axis=0)
        margin = 0.5 * max(x1 - x0, y1 - y0) + 10
        session.canvas.look(x0 - margin, y0 - margin, x1 + margin, y1 + margin)

    buttons = (
        (
            "all",
            _("All"),
            ":material/select_all:",
            len(chosen) < len(found),
            select,
            (found.ids.tolist(),),
            _("Select all objects"),
        ),
        (
            "none",
            _("None"),
            ":material/deselect:",
            bool(chosen),
            select,
            ([],),
            _("Select no object"),
        ),
        (
            "zoom",
            _("Zoom to"),
            ":material/center_focus_strong:",
            bool(chosen),
            look,
            (),
            _("Show the selected objects as large as they fit"),
        ),
        (
            "remove",
            _("Remove ({count})").format(count=len(chosen)),
            ":material/delete:",
            bool(chosen),
            session.remove,
            (chosen,),
            _("Remove the selected objects (can be undone)"),
        ),
    )
    for name, text, icon, enabled, action, arguments, hint in buttons:
        st.button(
            text,
            icon=icon,
            disabled=not enabled,
            key=f"objects-{name}",
            help=hint,
            on_click=action,
            args=arguments,
            shortcut="Delete" if action == session.remove else None,
        )


def object_table(session: Session, found: Instances, table: pd.DataFrame) -> None:
    """One row an object; ticked rows are the selection."""
    key = f"objects-table-{session.image.token}"
    listed = shortened(_for_people(session, found, table))
    ids = found.ids[: len(listed)]
    rows = np.flatnonzero(np.isin(ids, list(session.marks.selected))).tolist()
    # Only ticks of rows that are listed are the table's to change.
    unlisted = set(chosen_ids(session, found)) - set(ids.tolist())

    def select() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        session.marks.select(unlisted | {int(ids[row]) for row in picked if row < len(ids)})

    # Rows are ticked by position; the ticks have to follow their objects.
    known = st.session_state.get(key)
    if known and sorted(known["selection"]["rows"]) != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    order = [name for name in _TITLES if name in table or name == "certainty"]
    order += [name for name in table if name.startswith(("mean_", "std_"))]
    st.dataframe(
        listed,
        hide_index=True,
        column_order=order,
        column_config={name: _column(name) for name in order},
        key=key,
        on_select=select,
        selection_mode="multi-row",
        height=300,
    )


def _for_people(session: Session, found: Instances, table: pd.DataFrame) -> pd.DataFrame:
    """The table with directions in degrees, clockwise from the top, and no empty words."""

    def make() -> pd.DataFrame:
        degrees = np.mod(180 - np.degrees(table["orientation"]), 180)
        words = {name: table[name].fillna("") for name in ("label", "kind") if name in table}
        sure = [_(word) for word in certainties(table["score"])]
        return table.assign(orientation=degrees, certainty=sure, **words)

    key = (found, session.image.scene, tuple(table), naming(session).of(found), current())
    return session.memo.remember("shown-table", key, make)


def _column(name: str) -> object:
    _title, form, hint = _TITLES.get(name, (name, "%.3g", None))
    text, hint = title(name), _(hint) if hint else None
    if form is None:
        return st.column_config.TextColumn(text, help=hint)
    return st.column_config.NumberColumn(text, format=form, help=hint)
