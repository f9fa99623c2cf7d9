"""Below the picture of the Segment page: the table and the comparison with truth."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.parts.shared import resources
from pages.parts.shared.legend import chips, counted
from pages.parts.shared.long_table import shortened
from pages.parts.shared.truth_choice import choose_truth
from rsam_core.evaluate.metrics import METRICS, all_metrics, confusion
from rsam_core.objects.certainty import ABOUT, certainties
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import confusion_legend, confusion_picture
from rsam_core.runtime.language import _, ngettext, number
from rsam_core.session.session import Session


def _columns(metres: bool) -> dict[str, object]:
    column = st.column_config.NumberColumn
    config: dict[str, object] = {
        "id": column(_("Object"), format="%d"),
        "source": _("Found by"),
        "certainty": st.column_config.TextColumn(_("How sure"), help=_(ABOUT)),
    }
    if metres:
        config["area_m2"] = column(_("Area (m²)"), format="%.1f")
        config["perimeter_m"] = column(_("Perimeter (m)"), format="%.1f")
    config |= {
        "area": column(_("Area (px)"), format="%d"),
        "perimeter": column(_("Perimeter (px)"), format="%.0f"),
        "bbox_x": column(_("Box x"), format="%d", help=_("Left edge, in pixels.")),
        "bbox_y": column(_("Box y"), format="%d", help=_("Top edge, in pixels.")),
        "bbox_width": column(_("Width"), format="%d"),
        "bbox_height": column(_("Height"), format="%d"),
        "score": column(
            _("Quality"), format="%.2f", help=_("The number behind “how sure”, 0 to 1.")
        ),
    }
    return config


def table_tab(session: Session, objects: Instances, table: pd.DataFrame) -> None:
    """Sortable table; a selected row is highlighted in the picture and can be removed."""
    if not len(objects):
        st.caption(
            _("Objects appear here, one row each, as soon as you have outlined the first one.")
        )
        return
    config = _columns("area_m2" in table)
    key = f"table-{session.image.token}"
    # Only ticks of rows that are listed are the table's to change.
    chosen = [id for id in table["id"].tolist() if id in session.marks.selected]
    table = shortened(table)
    ids = table["id"].tolist()
    unlisted = set(chosen) - set(ids)

    def select() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        session.marks.select(unlisted | {ids[row] for row in rows if row < len(ids)})

    # Rows are ticked by position; the ticks have to follow their objects.
    rows = [row for row, id in enumerate(ids) if id in session.marks.selected]
    known = st.session_state.get(key)
    if known and sorted(known["selection"]["rows"]) != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    st.dataframe(
        table.assign(certainty=[_(word) for word in certainties(table["score"])]),
        hide_index=True,
        column_order=list(config),
        column_config=config,
        key=key,
        on_select=select,
        selection_mode="multi-row",
        height="auto",
    )

    def drop() -> None:
        session.remove(chosen)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Remove selected ({count})").format(count=len(chosen)),
            icon=":material/delete:",
            disabled=not chosen,
            key="remove-selected",
            on_click=drop,
        )
        st.caption(_("Tick rows to see them in the picture. Click a column's head to sort."))


def metrics_tab(session: Session, objects: Instances) -> None:
    """Upload truth, see metrics and a picture of what is right and wrong."""
    choose_truth(session)
    truth = session.truth.value
    if truth is None:
        st.caption(
            _(
                "Ground truth is a picture of the same size in which every true object is marked "
                "(not black), or a file of true outlines. With it RSAM counts how many pixels are "
                "right and wrong. The Evaluate page tells more."
            )
        )
        return
    found = session.memo.remember("union", (objects,), objects.union_mask)
    key = (truth, objects)
    counts = session.memo.remember("counts", key, lambda: confusion(truth.labels, found))
    left, right = st.columns([5, 6], gap="medium")
    with left:
        st.caption(
            ngettext(
                "Truth: {count} object · {counted}",
                "Truth: {count} objects · {counted}",
                truth.count,
            ).format(count=number(truth.count), counted=counted(counts))
        )
        values = all_metrics(counts)
        rows = [
            {
                _("Metric"): _(m.title),
                _("Value"): values[m.key],
                _("Formula"): m.formula,
                _("Meaning"): _(m.help),
            }
            for m in METRICS
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config={
                _("Value"): st.column_config.NumberColumn(format="%.4f"),
                _("Meaning"): st.column_config.TextColumn(width="large"),
            },
            height="content",
            key="metrics-table",
        )
    with right:
        chips(confusion_legend())
        whole = session.image.picture(session.image.overview)
        picture = session.memo.remember(
            "confusion",
            key,
            lambda: resources.jpeg(confusion_picture(whole, truth.labels, found)),
        )
        st.image(picture, width="stretch", alt=_("What is right, too much and missed"))
