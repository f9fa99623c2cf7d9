"""This image: the objects of the session against the truth, in numbers and pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from rsam_core import evaluation_pictures as pictures
from rsam_core.bootstrap import Interval
from rsam_core.export import to_csv
from rsam_core.instances import Instances
from rsam_core.metrics import METRICS
from rsam_core.metrics.scene import SceneComparison, compare_scene, metric_rows
from rsam_core.render import overlay
from rsam_core.style import OverlayStyle
from rsam_core.truth import Truth

from . import banner, evaluate_swipe, evaluate_truth, resources
from .results import chips
from .workspace import Workspace, objects

VIEWS = ("Right and wrong", "IoU of each object", "Both outlines", "Swipe")
WORST = 8
OUTLINE_HELP = {
    "boundary_f": (
        "Boundary F-score",
        "Agreement of the outlines within the tolerance: F1 of the boundary pixels (Csurka et "
        "al., BMVC 2013).",
    ),
    "boundary_iou": (
        "Boundary IoU",
        "IoU of the bands along the outlines, 2 % of the image's diagonal wide (Cheng et al., "
        "CVPR 2021).",
    ),
    "hausdorff_95": (
        "Hausdorff distance 95 % (px)",
        "How far apart the outlines are at worst, the worst 5 % left out (Huttenlocher et al., "
        "1993; Taha and Hanbury, 2015).",
    ),
    "mean_iou": (
        "Mean IoU",
        "Mean of the IoU of object and background (Long et al., CVPR 2015).",
    ),
    "frequency_weighted_iou": (
        "Frequency-weighted IoU",
        "The same, weighted by the true area of each (Long et al., CVPR 2015).",
    ),
}


def tab(work: Workspace) -> None:
    """Everything about the open image."""
    found, _ = objects(work)
    truth = evaluate_truth.rich(work)
    if truth is None:
        evaluate_truth.choose(work, found)
        return
    evaluate_truth.summary(work, truth)
    if not len(found):
        st.info(
            "There are no objects to compare yet. Outline some on the Segment page, or compare "
            "methods on the true objects in the next tab.",
            icon=":material/ads_click:",
        )
        st.page_link("pages/segment.py", label="Go to Segment", icon=":material/arrow_forward:")
        return
    with banner.guard():
        _results(work, truth, found)


def _results(work: Workspace, truth: Truth, found: Instances) -> None:
    tolerance = float(st.session_state.get("evaluate-tolerance", 2.0))
    comparison = work.remember(
        "comparison",
        (truth, found, tolerance),
        lambda: compare_scene(truth, found, tolerance=tolerance),
    )
    _headline(comparison)
    left, right = st.columns([7, 6], gap="medium")
    with left:
        _picture(work, truth, comparison)
    with right:
        objects_tab, pixels_tab, outlines_tab, curves_tab, files_tab = st.tabs(
            ["Objects", "Pixels", "Outlines", "Curves", "Files"]
        )
        with objects_tab:
            _object_metrics(comparison)
        with pixels_tab:
            _pixel_metrics(comparison)
        with outlines_tab:
            _outline_metrics(comparison)
        with curves_tab:
            _curves(work, comparison)
        with files_tab:
            _files(work, truth, comparison)
    _worst(work, comparison)


def _headline(comparison: SceneComparison) -> None:
    scores, matching = comparison.scores, comparison.matching
    intervals = comparison.object_intervals
    tiles = (
        (
            "Found",
            f"{matching.tp} of {matching.n_truth}",
            intervals["recall"],
            "True objects that an outlined one covers with an IoU of at least 0.5 (recall).",
        ),
        (
            "Right",
            f"{matching.tp} of {matching.n_predicted}",
            intervals["precision"],
            "Outlined objects that are a true one with an IoU of at least 0.5 (precision).",
        ),
        (
            "IoU of an object",
            f"{scores.mean_best_iou:.3f}",
            intervals["mean_best_iou"],
            "Mean over the true objects of the IoU with the best outlined one; 0 if it was missed.",
        ),
        (
            "IoU of all pixels",
            f"{comparison.pixel['iou'].value:.3f}",
            comparison.pixel["iou"],
            METRICS[0].help,
        ),
        (
            "Panoptic quality",
            f"{scores.panoptic_quality:.3f}",
            intervals["panoptic_quality"],
            "How many were found and how well, in one number (Kirillov et al., CVPR 2019).",
        ),
    )
    for column, (title, value, bounds, help) in zip(st.columns(len(tiles)), tiles):
        with column.container(border=True):
            st.metric(title, value, help=help)
            st.caption(_bounds(bounds))
    told = "95 % intervals by bootstrap: objects are drawn, and for pixels parts of the image."
    if comparison.left_out:
        told += (
            f" {comparison.left_out:,} objects lie where the truth says nothing and do not count."
        )
    st.caption(told)


def _bounds(bounds: Interval, percent: bool = False) -> str:
    if not np.isfinite(bounds.low):
        return "too few for an interval"
    return f"{bounds.low:.2f} to {bounds.high:.2f}"


def _picture(work: Workspace, truth: Truth, comparison: SceneComparison) -> None:
    view = st.segmented_control(
        "Picture",
        VIEWS,
        default=VIEWS[0],
        key="evaluate-view",
        label_visibility="collapsed",
        required=True,
    )
    frame = work.overview
    image = work.picture(frame)
    place = {"origin": (frame.x, frame.y), "scale": frame.scale[0]}
    key = (comparison, truth, work.scene)
    if view == VIEWS[1]:
        ious = comparison.table["iou"].to_numpy()
        content = work.remember(
            "evaluate-iou",
            key,
            lambda: resources.jpeg(pictures.iou_picture(image, comparison.truth, ious, **place)),
        )
        legend = pictures.iou_legend()
    elif view == VIEWS[3]:
        pair = work.remember("evaluate-swipe", key, lambda: _pair(image, comparison, place))
        evaluate_swipe.swipe(*pair, image.shape[1::-1], height=560, key=f"swipe-{work.token}")
        return
    elif view == VIEWS[2]:
        content = work.remember(
            "evaluate-outlines",
            key,
            lambda: resources.jpeg(
                pictures.contour_picture(image, comparison.truth, comparison.predicted, **place)
            ),
        )
        legend = pictures.contour_legend()
    else:
        content = work.remember(
            "evaluate-confusion",
            key,
            lambda: resources.jpeg(
                pictures.confusion_picture(
                    image, truth.mask, comparison.predicted.union_mask(), valid=truth.valid
                )
            ),
        )
        legend = pictures.confusion_legend()
    st.image(content, width="stretch")
    chips(legend)


def _pair(
    image: np.ndarray, comparison: SceneComparison, place: dict[str, object]
) -> tuple[bytes, bytes]:
    """The image with the truth, and with what was outlined."""
    colors = dict(pictures.contour_legend())
    both = ((comparison.truth, colors["truth"]), (comparison.predicted, colors["prediction"]))
    styles = (
        (found, OverlayStyle(fill="single", color=color, opacity=0.35, contour_width=2))
        for found, color in both
    )
    first, second = (
        resources.jpeg(overlay(image, found, style, **place)) for found, style in styles
    )
    return first, second


def _value_table(rows: list[dict[str, object]], key: str, form: str = "%.3f") -> None:
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Value": number(format=form, width="small"),
            "from": number(format=form, width="small", help="Lower bound of the 95 % interval."),
            "to": number(format=form, width="small", help="Upper bound of the 95 % interval."),
            "Meaning": st.column_config.TextColumn(width="large"),
        },
        height="content",
        key=key,
    )


def _pixel_metrics(comparison: SceneComparison) -> None:
    counts = comparison.counts
    st.caption(f"TP {counts.tp:,} · FP {counts.fp:,} · FN {counts.fn:,} · TN {counts.tn:,} pixels")
    rows = [
        {
            "Metric": row["title"],
            "Value": row["value"],
            "from": row["low"],
            "to": row["high"],
            "Formula": row["formula"],
            "Meaning": row["help"],
            "Source": row["source"],
        }
        for row in metric_rows(comparison)
    ]
    _value_table(rows, "evaluate-pixels")
    st.caption(
        "FPR is FP / (FP + TN). The study that this project grew from prints FP / (FP + FN) under "
        "this name; that is not the false positive rate, and its figures cannot be compared."
    )


def _object_metrics(comparison: SceneComparison) -> None:
    scores, bounds = comparison.scores, comparison.object_intervals
    nothing = Interval(np.nan, np.nan, np.nan, 0)
    entries = (
        ("Precision at IoU 0.5", scores.precision, bounds["precision"], "Right / outlined."),
        ("Recall at IoU 0.5", scores.recall, bounds["recall"], "Found / true."),
        ("F1 at IoU 0.5", scores.f1, bounds["f1"], "Precision and recall in one number."),
        ("Precision, IoU 0.5 to 0.95", scores.precision_mean, nothing,
         "Mean over ten thresholds, as COCO takes them."),
        ("Recall, IoU 0.5 to 0.95", scores.recall_mean, nothing, "As before."),
        ("F1, IoU 0.5 to 0.95", scores.f1_mean, nothing, "As before."),
        ("Panoptic quality", scores.panoptic_quality, bounds["panoptic_quality"],
         "Segmentation quality × recognition quality (Kirillov et al., CVPR 2019)."),
        ("Segmentation quality", scores.segmentation_quality, nothing,
         "Mean IoU of the objects that were found."),
        ("Recognition quality", scores.recognition_quality, nothing, "F1 above IoU 0.5."),
        ("Count error", scores.count_error, nothing, "Outlined minus true number."),
        ("Count error (%)", scores.count_error_percent, nothing, "In percent of the true number."),
        ("Area error (%)", scores.area_error_percent, nothing,
         "Outlined minus true area, summed over the objects, in percent."),
    )  # fmt: skip
    rows = [
        {"Metric": title, "Value": float(value), "from": b.low, "to": b.high, "Meaning": meaning}
        for title, value, b, meaning in entries
    ]
    _value_table(rows, "evaluate-objects")
    st.caption(
        "Objects are paired one to one (Hungarian method). Without any objects on either side the "
        "shares are 1; with objects on one side only they are 0."
    )


def _outline_metrics(comparison: SceneComparison) -> None:
    st.number_input(
        "Tolerance of the outline (pixels)",
        0.0,
        50.0,
        2.0,
        0.5,
        key="evaluate-tolerance",
        help="For the boundary F-score: how far an outline may be off and still be right.",
    )
    rows = [
        {"Metric": title, "Value": comparison.outline[key], "Meaning": meaning}
        for key, (title, meaning) in OUTLINE_HELP.items()
    ]
    _value_table(rows, "evaluate-outlines-table")
    st.caption("An infinite distance means that one side has no outline at all.")


def _curves(work: Workspace, comparison: SceneComparison) -> None:
    key = (comparison,)
    curve = work.remember(
        "evaluate-curve",
        key,
        lambda: pictures.to_svg(pictures.precision_recall_figure({"objects": comparison.curve()})),
    )
    st.image(curve, width="stretch")
    st.caption("From the surest object to the least sure, by predicted quality.")
    scatter = work.remember(
        "evaluate-scatter",
        key,
        lambda: pictures.to_svg(
            pictures.size_scatter(comparison.table["area"], comparison.table["iou"])
        ),
    )
    st.image(scatter, width="stretch")


def _files(work: Workspace, truth: Truth, comparison: SceneComparison) -> None:
    stem = Path(work.scene.name).stem or "image"
    data = {"image": work.scene.name, "truth": truth.name, "seed": 0} | comparison.to_dict()
    files = (
        ("Objects (CSV)", f"{stem}.evaluation.csv", "text/csv", to_csv(comparison.table)),
        ("All metrics (CSV)", f"{stem}.metrics.csv", "text/csv",
         to_csv(pd.DataFrame(metric_rows(comparison)))),
        ("Everything (JSON)", f"{stem}.evaluation.json", "application/json",
         json.dumps(_finite(data), indent=1, ensure_ascii=False).encode()),
    )  # fmt: skip
    for title, name, mime, content in files:
        st.download_button(
            title,
            content,
            name,
            mime,
            icon=":material/download:",
            on_click="ignore",
            key=f"evaluate-file-{title}",
            width="stretch",
        )


def _finite(value: object) -> object:
    """The same for JSON, which knows neither nan nor infinity."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _worst(work: Workspace, comparison: SceneComparison) -> None:
    """The objects to look at first: those that were missed or cut wrongly."""
    table = comparison.table.sort_values("iou", kind="stable")
    st.subheader("Worst objects first")
    if not len(table):
        st.caption("The truth holds no object.")
        return
    image = work.remember("full-image", (work.scene,), work.scene.read_rgb)
    shown = table.head(WORST)

    def draw() -> list[bytes]:
        return [
            resources.jpeg(
                pictures.object_crop(
                    image,
                    comparison.truth,
                    comparison.predicted,
                    comparison.truth.get(int(row.id)).bbox,
                    220,
                )
            )
            for row in shown.itertuples()
        ]

    crops = work.remember("worst", (comparison, work.scene), draw)
    for column, row, crop in zip(st.columns(WORST, gap="small"), shown.itertuples(), crops):
        with column:
            st.image(crop, width="stretch")
            st.caption(f"Object {row.id}: {'missed' if row.iou == 0 else f'IoU {row.iou:.2f}'}")
    chips(pictures.contour_legend())
    number = st.column_config.NumberColumn
    st.dataframe(
        table.drop(columns="label") if table["label"].isna().all() else table,
        hide_index=True,
        column_config={
            "id": number("Object", format="%d"),
            "label": "Class",
            "area": number("True area (px)", format="%d"),
            "found": st.column_config.CheckboxColumn("Found"),
            "predicted": number("Best match", format="%d", help="0: none touches it."),
            "predicted_area": number("Its area (px)", format="%d"),
            "iou": st.column_config.ProgressColumn(
                "IoU", min_value=0.0, max_value=1.0, format="%.3f"
            ),
            "dice": number("Dice", format="%.3f"),
            "precision": number("Precision", format="%.3f"),
            "recall": number("Recall", format="%.3f"),
            "area_error_percent": number("Area error (%)", format="%.1f"),
            "boundary_f": number("Boundary F", format="%.3f"),
            "boundary_iou": number("Boundary IoU", format="%.3f"),
            "hausdorff_95": number("Hausdorff 95 % (px)", format="%.1f"),
        },
        key="evaluate-worst",
        height=320,
    )
