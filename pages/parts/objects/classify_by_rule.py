"""Classes by rule: conditions on the columns of the table, with the number of matches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from rsam_core.objects.classify.classes import ClassList, set_label
from rsam_core.objects.classify.rule_matching import match
from rsam_core.objects.classify.rules import OPERATORS, Condition, Rule
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import _, ngettext, number
from rsam_core.session.learning import learning
from rsam_core.session.session import Session

_LEFT_OUT = {"id"}
_MOST = 6


def rule_form(session: Session, found: Instances, table: pd.DataFrame, classes: ClassList) -> None:
    """Draw the conditions, how many objects match, and what to do with these."""
    columns = [
        name for name in table.columns
        if name not in _LEFT_OUT and pd.api.types.is_numeric_dtype(table[name])
        and table[name].notna().any()
    ]  # fmt: skip
    rows: list[int] = st.session_state.setdefault("rule-rows", [0])
    combine = "and"
    if len(rows) > 1:
        combine = st.segmented_control(
            _("Conditions"), ["and", "or"], default="and", key="rule-combine", required=True,
            format_func={"and": _("All must hold"), "or": _("One is enough")}.__getitem__,
            label_visibility="collapsed",
        )  # fmt: skip
    conditions = [_condition(row, columns, table, len(rows) > 1) for row in rows]

    def add() -> None:
        rows.append(max(rows) + 1)

    if len(rows) < _MOST:
        st.button(
            _("Add condition"), icon=":material/add:", key="rule-add", on_click=add, type="tertiary"
        )
    known = [condition for condition in conditions if condition is not None]
    if not known:
        st.caption(_("Type a number to see how many objects match."))
        return
    hits = match(table, Rule(tuple(known), combine or "and"))
    free = np.array([not item.label for item in found])
    only_free = st.toggle(
        _("Only objects without a class"), key="rule-free", disabled=not free.any() or free.all()
    )
    if only_free and free.any():
        hits = hits & free
    count = int(hits.sum())
    st.markdown(
        _("**{count} of {whole} objects** match").format(
            count=number(count), whole=number(len(found))
        )
    )
    _actions(session, found.ids[hits].tolist(), classes)


def _actions(session: Session, ids: list[int], classes: ClassList) -> None:
    def label() -> None:
        name = st.session_state["rule-class"]
        shown = session.shown()
        objects = shown.objects
        learning(session).confirm(ids)
        what = ngettext(
            "Label {count} object as {name} by rule", "Label {count} objects as {name} by rule",
            len(ids),
        ).format(count=number(len(ids)), name=name)  # fmt: skip
        session.commit(shown, set_label(objects, ids, name), what)

    def select() -> None:
        session.marks.select(ids)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(_("Class"), classes.names, key="rule-class", width=180)
        st.button(
            _("Label {count}").format(count=number(len(ids))),
            key="rule-apply",
            type="primary",
            disabled=not ids,
            on_click=label,
            icon=":material/label:",
        )
        st.button(_("Select them"), key="rule-select", disabled=not ids, on_click=select)


def _condition(
    row: int, columns: list[str], table: pd.DataFrame, removable: bool
) -> Condition | None:
    """Draw one condition; None while its number is missing."""
    first = "area_m2" if "area_m2" in columns else "area"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        column = st.selectbox(
            _("Property"), columns, index=columns.index(first) if first in columns else 0,
            key=f"rule-column-{row}", format_func=_title, width=170,
            label_visibility="visible" if not row else "collapsed",
        )  # fmt: skip
        operator = st.selectbox(
            _("Is"),
            list(OPERATORS),
            key=f"rule-operator-{row}",
            format_func=lambda operator: _(OPERATORS[operator]),
            width=125,
            label_visibility="visible" if not row else "collapsed",
        )
        middle = _round(float(np.nanmedian(table[column].to_numpy(float))))
        value = st.number_input(
            _("Value"), value=middle, key=f"rule-value-{row}-{column}", format="%g", width=130,
            label_visibility="visible" if not row else "collapsed",
        )  # fmt: skip
        high = None
        if operator == "between":
            top = _round(float(np.nanmax(table[column].to_numpy(float))))
            high = st.number_input(
                _("and"), value=top, key=f"rule-high-{row}-{column}", format="%g", width=130,
                label_visibility="visible" if not row else "collapsed",
            )  # fmt: skip

        def remove() -> None:
            st.session_state["rule-rows"].remove(row)

        if removable:
            st.button(
                "", icon=":material/close:", key=f"rule-remove-{row}", on_click=remove,
                type="tertiary", help=_("Remove this condition"),
            )  # fmt: skip
    if value is None or (operator == "between" and high is None):
        return None
    return Condition(column, operator, value, high)


def _title(column: str) -> str:
    """A column's name for people."""
    text = column.removesuffix("_m2").removesuffix("_m").replace("_", " ")
    unit = " (m²)" if column.endswith("_m2") else " (m)" if column.endswith("_m") else ""
    if not unit and column in ("area", "perimeter"):
        unit = " (px)"
    name = text if any(sign.isupper() for sign in text) else text.capitalize()
    name = {"Ndvi": "NDVI", "Ndwi": "NDWI"}.get(name, name)
    return _(name) + unit


def _round(value: float) -> float:
    """Three significant digits: a number that a person would type."""
    return float(f"{value:.3g}")
