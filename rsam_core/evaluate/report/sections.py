"""The sections of a report; each returns HTML."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from rsam_core.evaluate.report import figures
from rsam_core.evaluate.report.sentences import definitions
from rsam_core.evaluate.results import MEASURES, SIZES, Evaluation
from rsam_core.render.html import Cell, clock, html_figure, html_table, number, span

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.evaluate.statistics.compare import Comparison
    from rsam_core.evaluate.studies import StudyResult


class Counter:
    """Numbers of tables and figures."""

    def __init__(self) -> None:
        self.tables = self.figures = 0

    def table(self) -> str:
        """Number of the next table, as it is printed."""
        self.tables += 1
        return f"<b>Table {self.tables}.</b>"

    def figure(self) -> str:
        """Number of the next figure."""
        self.figures += 1
        return f"<b>Figure {self.figures}.</b>"


def results_section(evaluation: Evaluation, count: Counter) -> list[str]:
    """Tables and figures of all methods."""
    if not len(evaluation.objects):
        return ["<p>There is no object to judge.</p>"]
    parts = [_methods_table(evaluation, count)]
    parts.append(
        html_figure(
            figures.box_plots(evaluation),
            f"{count.figure()} IoU of single objects by method: line median, box quartiles, "
            "whiskers 5th to 95th percentile, diamond mean. Green: promptable models; orange: "
            "classical methods; grey (†): upper bounds that see the truth.",
        )
    )
    parts.append(
        html_figure(
            figures.accuracy_by_time(evaluation),
            f"{count.figure()} Mean IoU with its interval against time. The numbers are those of "
            "the first table.",
        )
    )
    parts.append(_outlines_table(evaluation, count))
    parts.append(_size_table(evaluation, count))
    parts.append(
        html_figure(
            figures.size_figure(evaluation),
            f"{count.figure()} Mean IoU with its interval by size of the object.",
        )
    )
    parts.append(_label_table(evaluation, count))
    detection = evaluation.detection()
    if len(detection):
        titles = {
            "precision": "Precision",
            "recall": "Recall",
            "f1": "F1",
            "f1_mean": "F1 at 0.5:0.95",
            "panoptic_quality": "Panoptic quality",
            "count_error": "Count error",
        }
        rows = [
            (
                "",
                [
                    (escape(row["title"]), "text"),
                    *[(span(row[k], row[f"{k}_low"], row[f"{k}_high"]), "") for k in titles],
                ],
            )
            for row in detection.to_dict("records")
        ]
        caption = (
            f"{count.table()} Objects found without a prompt, matched one to one with the true "
            "ones at IoU 0.5, all images together [95 % interval, images drawn]; the count error "
            "is the mean of the images. Everything that was found counts, also things that the "
            "truth does not name."
        )
        parts.append(html_table(caption, ["Method", *titles.values()], rows))
    return parts


def _methods_table(evaluation: Evaluation, count: Counter) -> str:
    best = evaluation.best()
    shown = [key for key in evaluation.measures if key not in ("iou", *_OUTLINES)]
    header = ["", "Method", "IoU [95 % interval]", "Median", "IoU ≥ 0.5", "IoU ≥ 0.75"]
    header += [MEASURES[key] for key in shown] + ["Time an object", "Time an image"]
    rows = []
    for place, row in enumerate(evaluation.table().to_dict("records"), start=1):
        cells: list[Cell] = [(str(place), ""), (_title(row), "text")]
        cells.append((span(row.get("iou"), row.get("iou_low"), row.get("iou_high")), ""))
        cells.append((number(row.get("iou_median")), ""))
        cells += [(_percent(row.get(key)), "") for key in ("iou_over_50", "iou_over_75")]
        cells += [(number(row.get(key)), "") for key in shown]
        cells += [(clock(row.get("seconds")), ""), (clock(row.get("image_seconds")), "")]
        rows.append((_kind(row, best), cells))
    objects = len(evaluation.objects.drop_duplicates(["image", "object"]))
    caption = (
        f"{count.table()} All methods on the same {objects:,} objects: means over objects. "
        "Shaded: the best that a user can apply. †: chooses by the truth, an upper bound. Time an "
        "image is work done once for all objects (embedding, superpixels, automatic mode)."
    )
    return html_table(caption, header, rows, text_columns=(1,))


def _outlines_table(evaluation: Evaluation, count: Counter) -> str:
    shown = [key for key in evaluation.measures if key in _OUTLINES]
    if not shown:
        return ""
    best = evaluation.best()
    rows = [
        (
            _kind(row, best),
            [
                (_title(row), "text"),
                *[(number(row.get(k), 1 if k == "hausdorff_95" else 3), "") for k in shown],
            ],
        )
        for row in evaluation.table().to_dict("records")
    ]
    caption = (
        f"{count.table()} How well the outlines agree, means over objects. Tolerance of the "
        f"boundary F-score: {evaluation.settings.tolerance:g} pixels."
    )
    return html_table(caption, ["Method", *[MEASURES[key] for key in shown]], rows)


_OUTLINES = ("boundary_f", "boundary_iou", "hausdorff_95")


def _title(row: dict[str, Any]) -> str:
    return escape(row["title"]) + (" †" if row["sees_truth"] else "")


def _kind(row: dict[str, Any], best: str | None) -> str:
    return "best" if row["method"] == best else "bound" if row["sees_truth"] else ""


def _percent(share: float | None) -> str:
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.0f} %"


def _group_table(
    evaluation: Evaluation, table: pd.DataFrame, column: str, groups: Sequence[str], caption: str
) -> str:
    """Methods down, groups of objects across."""
    counts = table.groupby(column, sort=False)["objects"].max()
    rows = []
    for info in evaluation.methods:
        part = table[table["method"] == info.key].set_index(column)
        cells: list[Cell] = [(escape(info.title) + (" †" if info.sees_truth else ""), "text")]
        for group in groups:
            if group in part.index:
                row = part.loc[group]
                cells.append((span(row["mean"], row["low"], row["high"]), ""))
            else:
                cells.append(("–", ""))
        rows.append(("bound" if info.sees_truth else "", cells))
    unit = " pixels" if column == "size" else ""
    header = ["Method", *[f"{group}{unit}, n = {counts[group]:,}" for group in groups]]
    return html_table(caption, header, rows)


def _size_table(evaluation: Evaluation, count: Counter) -> str:
    table = evaluation.by_size()
    sizes = [name for name, _, _ in SIZES if (table["size"] == name).any()]
    caption = f"{count.table()} Mean IoU [95 % interval] by size of the object."
    return _group_table(evaluation, table, "size", sizes, caption)


def _label_table(evaluation: Evaluation, count: Counter) -> str:
    table = evaluation.by_label()
    if table.empty:
        return ""
    labels = list(table.groupby("label")["objects"].max().nlargest(_MAX_LABELS).index)
    caption = f"{count.table()} Mean IoU [95 % interval] by class of the object"
    more = table["label"].nunique() - len(labels)
    caption += f"; the {len(labels)} most frequent classes." if more > 0 else "."
    return _group_table(evaluation, table, "label", labels, caption)


_MAX_LABELS = 6


def differences_section(found: Sequence[Comparison], count: Counter) -> list[str]:
    """Whether one is better than another."""
    if not found:
        return []
    rows = []
    for c in found:
        d = c.difference
        verdict = "not clear" if not d.excludes_zero else "second" if d.value > 0 else "first"
        rows.append(
            (
                "",
                [
                    (escape(c.first), "text"),
                    (escape(c.second), "text"),
                    (number(c.first_mean), ""),
                    (number(c.second_mean), ""),
                    (span(d.value, d.low, d.high, signed=True), ""),
                    (f"{100 * c.share_better:.0f} %" if c.paired else "not paired", ""),
                    (verdict, "text"),
                ],
            )
        )
    header = ["First", "Second", "Mean first", "Mean second", "Second − first [95 % interval]"]
    header += ["Second better on", "Better"]
    caption = (
        f"{count.table()} Differences in IoU, paired by object where the objects are the same. "
        "“Not clear”: the interval holds 0. The intervals are not corrected for the number of "
        "comparisons."
    )
    return [html_table(caption, header, rows, text_columns=(0, 1, 6))]


def worst_section(
    evaluation: Evaluation, pictures: Sequence[tuple[str, bytes]], count: Counter
) -> list[str]:
    """The images and objects with the lowest values."""
    best = evaluation.best()
    if best is None:
        return []
    table = evaluation.by_image(best).head(10)
    rows = [
        (
            "",
            [
                (escape(row["image"]), "text"),
                (f"{row['objects']}", ""),
                (number(row["mean"]), ""),
                (number(row["lowest"]), ""),
            ],
        )
        for row in table.to_dict("records")
    ]
    title = escape(evaluation.info(best).title)
    caption = f"{count.table()} The images with the lowest mean IoU of {title}."
    parts = ["<h3>Where it fails</h3>"]
    parts.append(html_table(caption, ["Image", "Objects", "Mean IoU", "Lowest IoU"], rows))
    if pictures:
        cells = "".join(
            f'<figure><img alt="{escape(text)}" src="data:image/png;base64,'
            f'{base64.b64encode(png).decode()}"><figcaption>{escape(text)}</figcaption></figure>'
            for text, png in pictures
        )
        parts.append(f'<div class="worst">{cells}</div>')
        parts.append(
            f'<p class="note">{count.figure()} The worst objects: right (green), missed (pale '
            "blue), too much (orange).</p>"
        )
    return parts


def study_section(study: StudyResult, count: Counter) -> list[str]:
    """A study with its figure and table."""
    rows = [
        (
            "",
            [
                (escape(f"{row['condition']}"), "text"),
                (escape(row["prompt"]), "text"),
                (f"{row['objects']}", ""),
                (span(row["mean"], row["low"], row["high"]), ""),
            ],
        )
        for row in study.table.to_dict("records")
    ]
    name = f"{study.title}, {study.model}"
    seeds = f"{study.settings.max_objects} objects at most, seed {study.settings.seed}."
    return [
        f"<h2>Study: {escape(study.title)}</h2>",
        f"<p><b>{escape(study.question)}</b> {escape(study.answer)}</p>",
        f'<p class="note">{escape(study.method)} {seeds}</p>',
        html_figure(study.figure(), f"{count.figure()} {escape(name)}; bands are 95 % intervals."),
        html_table(
            f"{count.table()} {escape(name)}: mean [95 % interval].",
            ["Condition", "Prompt", "Objects", "Mean [95 % interval]"],
            rows,
            text_columns=(0, 1),
        ),
    ]


def definitions_section(count: Counter) -> str:
    """What each metric means."""
    rows = [("", [(escape(cell), "text") for cell in row]) for row in definitions()]
    caption = (
        f"{count.table()} TP, FP, FN, TN are pixels of true and false positives and negatives of "
        "one object against the whole image. If truth and prediction are both empty, IoU is 1."
    )
    return html_table(
        caption, ["Metric", "Formula", "Meaning", "Source"], rows, text_columns=(0, 1, 2, 3)
    )


def settings_section(evaluation: Evaluation, command: str, count: Counter) -> str:
    """What is needed to repeat it."""
    facts = {
        name.replace("_", " "): ", ".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in evaluation.settings.to_dict().items()
    } | dict(evaluation.environment)
    rows = [
        ("", [(escape(str(name)), "text"), (escape(str(value)), "text")])
        for name, value in facts.items()
    ]
    text = html_table(
        f"{count.table()} What is needed to repeat this.",
        ["What", "Value"],
        rows,
        text_columns=(0, 1),
    )
    if command:
        text = f"<p>Repeat it by <code>{escape(command)}</code></p>\n" + text
    return text
