"""The metrics of an image as tables, curves and files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.shared import downloads
from pages.parts.shared.current_session import model_name
from pages.parts.shared.legend import counted
from rsam_core.evaluate.metrics.scene import SceneComparison, metric_rows
from rsam_core.evaluate.report import image_figures as figures
from rsam_core.evaluate.report.scene import scene_report
from rsam_core.evaluate.statistics.bootstrap import Interval
from rsam_core.formats import to_csv
from rsam_core.formats.names import safe_name
from rsam_core.formats.truth import Truth
from rsam_core.render.figures import to_svg
from rsam_core.runtime.language import N_, _
from rsam_core.session.session import Session

OUTLINE_HELP = {
    "boundary_f": (
        N_("Boundary F-score"),
        N_(
            "Agreement of the outlines within the tolerance: F1 of the boundary pixels (Csurka "
            "et al., BMVC 2013)."
        ),
    ),
    "boundary_iou": (
        N_("Boundary IoU"),
        N_(
            "IoU of the bands along the outlines, a fifth of the object's depth wide (after "
            "Cheng et al., CVPR 2021)."
        ),
    ),
    "hausdorff_95": (
        N_("Hausdorff distance 95 % (px)"),
        N_(
            "How far apart the outlines are at worst, the worst 5 % left out (Huttenlocher et "
            "al., 1993; Taha and Hanbury, 2015)."
        ),
    ),
    "mean_iou": (
        N_("Mean IoU"),
        N_("Mean of the IoU of object and background (Long et al., CVPR 2015)."),
    ),
    "frequency_weighted_iou": (
        N_("Frequency-weighted IoU"),
        N_("The same, weighted by the true area of each (Long et al., CVPR 2015)."),
    ),
}


def _value_table(rows: list[dict[str, object]], key: str, form: str = "%.3f") -> None:
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            _("Value"): number(format=form, width="small"),
            _("from"): number(
                format=form, width="small", help=_("Lower bound of the 95 % interval.")
            ),
            _("to"): number(
                format=form, width="small", help=_("Upper bound of the 95 % interval.")
            ),
            _("Meaning"): st.column_config.TextColumn(width="large"),
        },
        height="content",
        placeholder="",
        key=key,
    )


def pixel_metrics(comparison: SceneComparison) -> None:
    """Metrics of the pixels, each with its interval, formula and source."""
    counts = comparison.counts
    st.caption(counted(counts))
    rows = [
        {
            _("Metric"): _(row["title"]),
            _("Value"): row["value"],
            _("from"): row["low"],
            _("to"): row["high"],
            _("Formula"): row["formula"],
            _("Meaning"): _(row["help"]),
            _("Source"): row["source"],
        }
        for row in metric_rows(comparison)
    ]
    _value_table(rows, "evaluate-pixels")
    st.caption(
        _(
            "FPR is FP / (FP + TN). The study that this project grew from prints FP / (FP + FN) "
            "under this name; that is not the false positive rate, and its figures cannot be "
            "compared."
        )
    )


def object_metrics(comparison: SceneComparison) -> None:
    """Metrics of the objects."""
    scores, bounds = comparison.scores, comparison.object_intervals
    nothing = Interval(np.nan, np.nan, np.nan, 0)
    entries = (
        (_("Precision at IoU 0.5"), scores.precision, bounds["precision"], _("Right / outlined.")),
        (_("Recall at IoU 0.5"), scores.recall, bounds["recall"], _("Found / true.")),
        (_("F1 at IoU 0.5"), scores.f1, bounds["f1"], _("Precision and recall in one number.")),
        (
            _("Precision, IoU 0.5 to 0.95"),
            scores.precision_mean,
            nothing,
            _("Mean over ten thresholds, as COCO takes them."),
        ),
        (_("Recall, IoU 0.5 to 0.95"), scores.recall_mean, nothing, _("As before.")),
        (_("F1, IoU 0.5 to 0.95"), scores.f1_mean, nothing, _("As before.")),
        (
            _("Panoptic quality"),
            scores.panoptic_quality,
            bounds["panoptic_quality"],
            _("Segmentation quality × recognition quality (Kirillov et al., CVPR 2019)."),
        ),
        (
            _("Segmentation quality"),
            scores.segmentation_quality,
            nothing,
            _("Mean IoU of the objects that were found."),
        ),
        (_("Recognition quality"), scores.recognition_quality, nothing, _("F1 above IoU 0.5.")),
        (_("Count error"), scores.count_error, nothing, _("Outlined minus true number.")),
        (
            _("Count error (%)"),
            scores.count_error_percent,
            nothing,
            _("In percent of the true number."),
        ),
        (
            _("Area error (%)"),
            scores.area_error_percent,
            nothing,
            _("Outlined minus true area, summed over the objects, in percent."),
        ),
    )
    rows = [
        {
            _("Metric"): title,
            _("Value"): float(value),
            _("from"): b.low,
            _("to"): b.high,
            _("Meaning"): meaning,
        }
        for title, value, b, meaning in entries
    ]
    _value_table(rows, "evaluate-objects")
    st.caption(
        _(
            "Each outlined object is paired with one true one at most, so that the overlaps add "
            "up to the most (Hungarian method). Overlap is IoU, intersection over union: shared "
            "ground by all that either covers. Without any objects on either side the shares are "
            "1; with objects on one side only they are 0."
        )
    )


def outline_metrics(comparison: SceneComparison) -> None:
    """Metrics of the outlines, and the tolerance that one of them takes."""
    st.number_input(
        _("Tolerance of the outline (pixels)"),
        0.0,
        50.0,
        2.0,
        0.5,
        key="evaluate-tolerance",
        persist_state="session",
        help=_("For the boundary F-score: how far an outline may be off and still be right."),
    )
    rows = [
        {
            _("Metric"): _(title),
            _("Value"): comparison.outline[key],
            _("Meaning"): _(meaning),
        }
        for key, (title, meaning) in OUTLINE_HELP.items()
    ]
    _value_table(rows, "evaluate-outlines-table")
    st.caption(_("An infinite distance means that one side has no outline at all."))


def curves(session: Session, comparison: SceneComparison) -> None:
    """Precision against recall, and IoU against size."""
    key = (comparison,)
    curve = session.memo.remember(
        "evaluate-curve",
        key,
        lambda: to_svg(figures.precision_recall_figure({"objects": comparison.curve()})),
    )
    st.image(curve, width="stretch", alt=_("Precision against recall"))
    st.caption(_("From the surest object to the least sure, by predicted quality."))
    scatter = session.memo.remember(
        "evaluate-scatter",
        key,
        lambda: to_svg(figures.size_scatter(comparison.table["area"], comparison.table["iou"])),
    )
    st.image(scatter, width="stretch", alt=_("Overlap against the size of objects"))


def files(session: Session, truth: Truth, comparison: SceneComparison) -> None:
    """Everything as files."""
    stem = safe_name(Path(session.image.scene.name).stem)
    frame = session.image.overview

    def report() -> bytes:
        return scene_report(
            comparison,
            truth,
            session.image.picture(frame),
            name=session.image.scene.name,
            facts={"model": model_name()},
            place={"origin": (frame.x, frame.y), "scale": frame.scale[0]},
        ).encode()

    data = {
        "image": session.image.scene.name,
        "truth": truth.name,
        "seed": 0,
    } | comparison.to_dict()
    offers = (
        (_("Report (HTML)"), f"{stem}.evaluation.html", "text/html", report),
        (_("Objects (CSV)"), f"{stem}.evaluation.csv", "text/csv", to_csv(comparison.table)),
        (_("All metrics (CSV)"), f"{stem}.metrics.csv", "text/csv",
         to_csv(pd.DataFrame(metric_rows(comparison)))),
        (_("Everything (JSON)"), f"{stem}.evaluation.json", "application/json",
         json.dumps(_finite(data), indent=1, ensure_ascii=False).encode()),
    )  # fmt: skip
    for title, name, mime, content in offers:
        downloads.offer(
            title,
            content,
            name,
            mime,
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
