"""Below the picture: the table, the comparison with truth, the downloads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

import rsam_core as rsam
from rsam_core import export
from rsam_core.instances import Instances
from rsam_core.metrics import METRICS, all_metrics, confusion
from rsam_core.render import confusion_legend, confusion_picture, overlay
from rsam_core.samples import truth_mask
from rsam_core.style import OverlayStyle
from rsam_core.truth import read_truth

from . import banner, resources
from .workspace import Workspace, identity

TRUTH_TYPES = ["png", "tif", "tiff"]


def _columns(metres: bool) -> dict[str, object]:
    number = st.column_config.NumberColumn
    config: dict[str, object] = {
        "id": number("Object", format="%d"),
        "source": "Found by",
        "score": number("Quality", format="%.2f", help="Predicted IoU, from 0 to 1."),
    }
    if metres:
        config["area_m2"] = number("Area (m²)", format="%.1f")
        config["perimeter_m"] = number("Perimeter (m)", format="%.1f")
    config |= {
        "area": number("Area (px)", format="%d"),
        "perimeter": number("Perimeter (px)", format="%.0f"),
        "bbox_x": number("Box x", format="%d", help="Left edge, in pixels."),
        "bbox_y": number("Box y", format="%d", help="Top edge, in pixels."),
        "bbox_width": number("Width", format="%d"),
        "bbox_height": number("Height", format="%d"),
    }
    return config


def table_tab(workspace: Workspace, objects: Instances, table: pd.DataFrame) -> None:
    """Sortable table; a selected row is highlighted in the picture and can be removed."""
    if not len(objects):
        st.caption("Objects appear here, one row each, as soon as you have outlined the first one.")
        return
    config = _columns("area_m2" in table)
    selection = st.dataframe(
        table,
        hide_index=True,
        column_order=list(config),
        column_config=config,
        key=f"table-{workspace.token}",
        on_select="rerun",
        selection_mode="multi-row",
        height=min(38 + 35 * len(table), 360),
    )
    rows = selection["selection"]["rows"]
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = [int(table["id"].iloc[r]) for r in rows if r < len(table)]
        if st.button(
            f"Remove selected ({len(chosen)})",
            icon=":material/delete:",
            disabled=not chosen,
            key="remove-selected",
        ):
            _remove(workspace, objects, chosen)
        st.caption("Tick rows to see them in the picture. Click a column's head to sort.")


def _remove(workspace: Workspace, objects: Instances, ids: list[int]) -> None:
    for item in objects:
        if item.id not in ids:
            continue
        if workspace.book.entry(item.id) is not None:
            workspace.book = workspace.book.remove(item.id)
        else:
            workspace.hidden |= {identity(item)}
    st.session_state.pop(f"table-{workspace.token}", None)
    st.rerun()


def selected_ids(workspace: Workspace, table: pd.DataFrame) -> tuple[int, ...]:
    """Objects whose rows are ticked, known before the table is drawn."""
    state = st.session_state.get(f"table-{workspace.token}")
    rows = state["selection"]["rows"] if state else []
    return tuple(int(table["id"].iloc[r]) for r in rows if r < len(table))


def downloads_tab(
    workspace: Workspace, objects: Instances, table: pd.DataFrame, style: OverlayStyle
) -> None:
    """Files to take along."""
    if not len(objects):
        st.caption("There is nothing to download yet. Outline an object first.")
        return
    stem = Path(workspace.scene.name).stem or "image"
    placed = workspace.scene.crs is not None and workspace.scene.transform is not None
    files = (
        ("Table (CSV)", "csv", "text/csv", lambda: export.to_csv(table)),
        ("Outlines (GeoJSON)", "geojson", "application/geo+json",
         lambda: export.to_geojson(objects, workspace.scene)),
        ("Labels (PNG)", "labels.png", "image/png", lambda: export.label_png(objects)),
        ("Labels (GeoTIFF)", "labels.tif", "image/tiff",
         lambda: export.label_geotiff(objects, workspace.scene)),
        ("Picture with outlines (PNG)", "overlay.png", "image/png",
         lambda: export.overlay_png(_full_overlay(workspace, objects, style))),
    )  # fmt: skip
    with st.container(horizontal=True):
        for title, ending, mime, make in files:
            st.download_button(
                title,
                _deferred(make),
                f"{stem}.{ending}",
                mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"download-{ending}",
            )
    if placed:
        st.caption("GeoJSON is in longitude and latitude (WGS 84), as every GIS expects it.")
    else:
        st.caption("This image has no position on Earth, so the outlines are in image pixels.")


def _deferred(make):
    """A file made only when it is downloaded; its error must not reach the page."""
    return make


def _full_overlay(workspace: Workspace, objects: Instances, style: OverlayStyle) -> np.ndarray:
    view = workspace.view
    return overlay(workspace.image, objects, style, origin=(view.x, view.y), scale=view.scale[0])


def metrics_tab(workspace: Workspace, objects: Instances) -> None:
    """Upload truth, see metrics and a picture of what is right and wrong."""
    left, right = st.columns([4, 7], gap="large")
    with left:
        _choose_truth(workspace)
    if workspace.truth is None:
        right.caption(
            "A ground-truth mask is a picture of the same size in which every true object is "
            "marked (not black). With it RSAM counts how many pixels are right and wrong."
        )
        return
    with left, banner.guard():
        counts = confusion(workspace.truth, objects.union_mask())
        values = all_metrics(counts)
        rows = [
            {"Metric": m.title, "Value": values[m.key], "Formula": m.formula, "Meaning": m.help}
            for m in METRICS
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config={
                "Value": st.column_config.NumberColumn(format="%.4f"),
                "Meaning": st.column_config.TextColumn(width="large"),
            },
            key="metrics-table",
        )
        st.caption(
            f"TP {counts.tp:,} · FP {counts.fp:,} · FN {counts.fn:,} · TN {counts.tn:,} pixels"
        )
    with right, banner.guard():
        st.image(
            resources.jpeg(
                confusion_picture(workspace.image, workspace.truth, objects.union_mask())
            ),
            width="stretch",
        )
        chips(confusion_legend())


def chips(entries: list[tuple[str, str]]) -> None:
    """A legend: coloured squares with their meaning."""
    squares = "".join(
        f'<span style="display:inline-flex;align-items:center;margin-right:1.1rem">'
        f'<span style="width:.8rem;height:.8rem;border-radius:3px;background:{colour};'
        f'display:inline-block;margin-right:.4rem"></span>{text}</span>'
        for text, colour in entries
    )
    st.html(f'<div style="font-size:.85rem;opacity:.85">{squares}</div>')


def _choose_truth(workspace: Workspace) -> None:
    file = st.file_uploader(
        "Ground-truth mask (PNG or TIFF, same size as the image)",
        type=TRUTH_TYPES,
        key=f"truth-{workspace.token}",
    )
    if file is not None and workspace.truth_name != file.file_id:
        with banner.guard():
            workspace.truth = None
            workspace.truth_name = file.file_id
            workspace.truth = read_truth(file.getvalue(), workspace.shape)
    if workspace.sample is not None:
        town = resources.sample(workspace.sample)
        kinds = sorted(set(town.classes.values()))
        first = kinds.index("roof") if "roof" in kinds else 0
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.selectbox(
                "Or this sample's exact truth", kinds, index=first, key="truth-class"
            )
            if st.button("Use", key="use-truth"):
                workspace.truth = truth_mask(town, kind).astype(np.int32)
                workspace.truth_name = f"sample-{kind}"
    if workspace.truth is not None:
        found = rsam.Instances.from_label_map(workspace.truth)
        st.caption(f"Truth loaded: {len(found):,} objects or pieces.")
