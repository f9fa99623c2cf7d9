"""The comparison of one image with its truth as a report in one HTML file.

It needs no other file and no internet: pictures and figures are embedded, and it prints on A4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.environment import environment
from rsam_core.evaluate.metrics.pixel import METRICS
from rsam_core.evaluate.metrics.scene import PARTS, SceneComparison, metric_rows
from rsam_core.evaluate.report import image_figures as figures
from rsam_core.evaluate.report import pictures as pictures
from rsam_core.formats.truth import Truth
from rsam_core.render import html
from rsam_core.render.numbers import number, span

_MAX_ROWS = 60


def scene_report(
    comparison: SceneComparison,
    truth: Truth,
    image: NDArray[np.uint8],
    *,
    name: str = "image",
    facts: Mapping[str, str] | None = None,
    place: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> str:
    """Return the report.

    Parameters
    ----------
    comparison : SceneComparison
    truth : Truth
        What the objects were compared with.
    image : ndarray of uint8, shape (H, W, 3)
        The scene, or a reduced view of it.
    name : str
        Of the image.
    facts : mapping of str to str, optional
        What else the reader should know, such as the model.
    place : mapping, optional
        ``origin`` and ``scale`` of a reduced view; see :func:`rsam_core.render.overlays.overlay`.
    seed : int
        Of the bootstrap.

    Returns
    -------
    str
        HTML.
    """
    place = dict(place or {})
    ious = comparison.table["iou"].to_numpy()
    known = environment() | dict(facts or {})
    date = known.pop("date", "")
    shown = (
        (
            pictures.confusion_picture(
                image, truth.mask, comparison.predicted.union_mask(), valid=truth.valid
            ),
            "Pixels found, wrongly marked and missed",
            pictures.confusion_legend(),
        ),
        (
            pictures.iou_picture(image, comparison.truth, ious, **place),
            "True objects by the IoU with the outlined object that fits best",
            pictures.iou_legend(),
        ),
        (
            pictures.contour_picture(image, comparison.truth, comparison.predicted, **place),
            "Both outlines",
            pictures.contour_legend(),
        ),
    )
    methods: list[Any] = [_methods(comparison, truth, seed)]
    if truth.notes or truth.warnings:
        methods.append(html.Items([*truth.notes, *truth.warnings]))
    results = [
        _object_table(comparison),
        _pixel_table(comparison),
        *(
            html.Figure(html.photograph(picture), f"{caption}.", legend=legend)
            for picture, caption, legend in shown
        ),
        html.Figure(
            html.drawing(figures.precision_recall_figure({"objects": comparison.curve()})),
            "Precision and recall as the predicted quality falls from which on objects are kept.",
        ),
        html.Figure(
            html.drawing(figures.size_scatter(comparison.table["area"], comparison.table["iou"])),
            "IoU of every true object against its size.",
        ),
        _worst_table(comparison),
    ]
    definitions = html.Table(
        ("Metric", "Formula", "Meaning", "Source"),
        [(m.title, m.formula, m.help, m.source) for m in METRICS],
        "Metrics of pixels.",
        text_columns=range(4),
    )
    sections = [
        html.Section("", [html.Text(summary(comparison), "Summary.", "abstract")]),
        html.Section("Material and methods", methods),
        html.Section("Results", results),
        html.Section("Definitions", [definitions]),
        html.Section(
            "Settings and software",
            [html.Items([f"{key}: {value}" for key, value in known.items()])],
        ),
    ]
    return html.page(
        f"Objects against truth: {name}",
        sections,
        subtitle=f"Report of RSAM {known.get('RSAM', '')}, {date}",
    )


def summary(comparison: SceneComparison) -> str:
    """The findings in three sentences."""
    scores, matching, bounds = comparison.scores, comparison.matching, comparison.object_intervals
    return (
        f"{matching.tp} of {matching.n_truth} true objects were found with an IoU of at least 0.5 "
        f"(recall {span(*_bounds(bounds['recall']))}), and {matching.tp} of "
        f"{matching.n_predicted} outlined objects are right (precision "
        f"{span(*_bounds(bounds['precision']))}). The mean IoU of a true object is "
        f"{span(*_bounds(bounds['mean_best_iou']))}, the IoU of all pixels "
        f"{span(*_bounds(comparison.pixel['iou']))}. The number of objects is off by "
        f"{number(scores.count_error_percent, 1, signed=True)} %, their total area by "
        f"{number(scores.area_error_percent, 1, signed=True)} %."
    )


def _bounds(bounds: Any) -> tuple[float, float, float]:
    return bounds.value, bounds.low, bounds.high


def _methods(comparison: SceneComparison, truth: Truth, seed: int) -> str:
    height, width = truth.shape
    covered = "" if truth.valid is None else f", which covers {truth.coverage:.1%} of the image"
    left = ""
    if comparison.left_out:
        left = f" {comparison.left_out} outlined objects beyond that were left out."
    return (
        f"{len(comparison.predicted)} outlined objects of an image of {width} × {height} pixels "
        f"were compared with {truth.count} true ones ({truth.name}{covered}).{left} Objects were "
        "paired one to one so that as many pairs as possible reach an IoU of 0.5 and, among "
        "those, the sum of IoU is largest (Hungarian method). Intervals are 95 % bootstrap "
        f"intervals (BCa, seed {seed}): for objects, objects were drawn; for pixels, the "
        f"{PARTS} × {PARTS} equal parts of the image. The tolerance of the boundary F-score is "
        f"{comparison.tolerance:g} pixels."
    )


def _object_table(comparison: SceneComparison) -> html.Table:
    scores, bounds = comparison.scores, comparison.object_intervals
    rows: Sequence[tuple[str, str]] = (
        ("True, outlined objects", f"{scores.n_truth}, {scores.n_predicted}"),
        ("Precision at IoU 0.5", span(*_bounds(bounds["precision"]))),
        ("Recall at IoU 0.5", span(*_bounds(bounds["recall"]))),
        ("F1 at IoU 0.5", span(*_bounds(bounds["f1"]))),
        ("Precision, recall, F1, mean of IoU 0.5 to 0.95",
         ", ".join(number(v) for v in (scores.precision_mean, scores.recall_mean, scores.f1_mean))),
        ("Panoptic quality", span(*_bounds(bounds["panoptic_quality"]))),
        ("Segmentation, recognition quality",
         f"{number(scores.segmentation_quality)}, {number(scores.recognition_quality)}"),
        ("Mean IoU of a true object", span(*_bounds(bounds["mean_best_iou"]))),
        ("Count error", f"{number(scores.count_error, 0, signed=True)} "
         f"({number(scores.count_error_percent, 1, signed=True)} %)"),
        ("Area error", f"{number(scores.area_error_percent, 1, signed=True)} %"),
    )  # fmt: skip
    return html.Table(
        ("Metric", "Value"),
        rows,
        "Metrics of objects, with 95 % intervals where objects can be drawn.",
    )


def _pixel_table(comparison: SceneComparison) -> html.Table:
    c = comparison.counts
    rows = [(r["title"], span(r["value"], r["low"], r["high"])) for r in metric_rows(comparison)]
    titles = {
        "boundary_f": "Boundary F-score",
        "boundary_iou": "Boundary IoU",
        "hausdorff_95": "Hausdorff distance 95 % (pixels)",
        "mean_iou": "Mean IoU of object and background",
        "frequency_weighted_iou": "Frequency-weighted IoU",
    }
    rows += [(title, number(comparison.outline[key])) for key, title in titles.items()]
    return html.Table(
        ("Metric", "Value"),
        rows,
        f"Metrics of pixels and outlines. Pixels: TP {c.tp:,}, FP {c.fp:,}, FN {c.fn:,}, "
        f"TN {c.tn:,}.",
    )


def _worst_table(comparison: SceneComparison) -> html.Table:
    table = comparison.table.sort_values("iou", kind="stable")
    rows = [
        (
            str(row.id),
            f"{row.area:,}",
            "yes" if row.found else "no",
            *(number(value) for value in (row.iou, row.precision, row.recall)),
            number(row.area_error_percent, 1, signed=True),
            number(row.boundary_f),
            number(row.hausdorff_95, 1),
        )
        for row in table.head(_MAX_ROWS).itertuples()
    ]
    told = f" The worst {_MAX_ROWS} of {len(table)}." if len(table) > _MAX_ROWS else ""
    return html.Table(
        ("Object", "Area (px)", "Found", "IoU", "Precision", "Recall", "Area error (%)",
         "Boundary F", "Hausdorff 95 % (px)"),
        rows,
        f"True objects, the worst first.{told}",
    )  # fmt: skip
