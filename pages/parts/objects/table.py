"""The table of objects and the selection, which table, picture and charts share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.shared.long_table import shortened
from rsam_core.objects.certainty import ABOUT, certainties
from rsam_core.objects.instances import Instances
from rsam_core.session.kinds import naming
from rsam_core.session.session import Session

_TITLES = {
    "id": ("Object", "%d", None),
    "label": ("Class", None, None),
    "kind": ("Kind", None, "What the model takes it for; “not sure” where it is undecided."),
    "kind_probability": ("Kind is right", "%.2f", "How likely that kind is, from 0 to 1."),
    "certainty": ("How sure", None, ABOUT),
    "area_m2": ("Area (m²)", "%.1f", None),
    "perimeter_m": ("Perimeter (m)", "%.1f", None),
    "area": ("Area (px)", "%d", None),
    "perimeter": ("Perimeter (px)", "%.0f", "Along outer outline and holes (Crofton)."),
    "compactness": ("Compactness", "%.2f", "1 for a disc, less for long or ragged outlines."),
    "solidity": ("Solidity", "%.2f", "Share of its convex hull that the object covers."),
    "rectangularity": ("Rectangularity", "%.2f", "Share of its smallest rectangle it covers."),
    "elongation": ("Elongation", "%.2f", "0 for a square, towards 1 for a strip."),
    "eccentricity": ("Eccentricity", "%.2f", "0 for a circle, towards 1 for a line."),
    "extent": ("Extent", "%.2f", "Share of its upright box that the object covers."),
    "equivalent_diameter_area_m": ("Diameter (m)", "%.1f", "Of the disc of the same area."),
    "axis_major_length_m": ("Length (m)", "%.1f", "Major axis of the fitted ellipse."),
    "axis_minor_length_m": ("Width (m)", "%.1f", "Minor axis of the fitted ellipse."),
    "equivalent_diameter_area": ("Diameter (px)", "%.1f", "Of the disc of the same area."),
    "axis_major_length": ("Length (px)", "%.1f", "Major axis of the fitted ellipse."),
    "axis_minor_length": ("Width (px)", "%.1f", "Minor axis of the fitted ellipse."),
    "orientation": ("Direction (°)", "%.0f", "Of the long axis, clockwise from the top."),
    "holes": ("Holes", "%d", None),
    "parts": ("Pieces", "%d", None),
    "nearest_neighbour_m": ("Nearest (m)", "%.1f", "Gap to the nearest other object."),
    "nearest_neighbour": ("Nearest (px)", "%.1f", "Gap to the nearest other object."),
    "nearest_id": ("Nearest object", "%d", None),
    "centroid_x": ("Centre x", "%.1f", "Pixels from the left edge."),
    "centroid_y": ("Centre y", "%.1f", "Pixels from the top edge."),
    "map_x": ("Map x", "%.6g", None),
    "map_y": ("Map y", "%.6g", None),
    "source": ("Found by", None, None),
    "score": ("Quality", "%.2f", "The number behind “how sure”, from 0 to 1."),
}  # fmt: skip


def title(column: str) -> str:
    """Name of a column for people."""
    if column in _TITLES:
        return _TITLES[column][0]
    kind, _, band = column.partition("_")
    name = band.upper() if band in ("ndvi", "ndwi") else band.replace("_", " ")
    return {"mean": f"Mean {name}", "std": f"Spread {name}"}.get(kind, column)


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
        ("All", ":material/select_all:", len(chosen) < len(found), select, (found.ids.tolist(),),
         "Select all objects"),
        ("None", ":material/deselect:", bool(chosen), select, ([],), "Select no object"),
        ("Zoom to", ":material/center_focus_strong:", bool(chosen), look, (),
         "Show the selected objects as large as they fit"),
        (f"Remove ({len(chosen)})", ":material/delete:", bool(chosen), session.remove,
         (chosen,), "Remove the selected objects (can be undone)"),
    )  # fmt: skip
    for text, icon, enabled, action, arguments, hint in buttons:
        key = f"objects-{text.split(' ')[0].lower()}"
        st.button(
            text, icon=icon, disabled=not enabled, key=key, help=hint, on_click=action,
            args=arguments, shortcut="Delete" if action == session.remove else None,
        )  # fmt: skip


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
        sure = certainties(table["score"])
        return table.assign(orientation=degrees, certainty=sure, **words)

    key = (found, session.image.scene, tuple(table), naming(session).of(found))
    return session.memo.remember("shown-table", key, make)


def _column(name: str) -> object:
    text, form, hint = _TITLES.get(name, (title(name), "%.3g", None))
    if form is None:
        return st.column_config.TextColumn(text, help=hint)
    return st.column_config.NumberColumn(text, format=form, help=hint)
