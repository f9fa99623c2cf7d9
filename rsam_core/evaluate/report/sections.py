"""The sections of the report of an evaluation, as :mod:`rsam_core.render.html` takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rsam_core.evaluate.report import figures
from rsam_core.evaluate.report.sentences import definitions
from rsam_core.evaluate.results import MEASURES, SIZES, Evaluation
from rsam_core.render import html
from rsam_core.render.numbers import clock, number, percent, span

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

    from rsam_core.evaluate.statistics.compare import Comparison
    from rsam_core.evaluate.studies import StudyResult

_OUTLINES = ("boundary_f", "boundary_iou", "hausdorff_95")
_MAX_LABELS = 6
_DETECTION = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "f1_mean": "F1 at 0.5:0.95",
    "panoptic_quality": "Panoptic quality",
    "count_error": "Count error",
}


@dataclass(frozen=True)
class WorstPictures:
    """Captions and pictures of the worst objects, side by side."""

    template: ClassVar[str] = "rsam_core.evaluate.report/worst.html"

    pictures: Sequence[tuple[str, Markup]]


@dataclass(frozen=True)
class Command:
    """How to repeat it from a shell."""

    template: ClassVar[str] = "rsam_core.evaluate.report/command.html"

    command: str


def results_section(evaluation: Evaluation, compared: Sequence[Comparison]) -> html.Section:
    """Tables and figures of all methods, and whether one is better than another."""
    if not len(evaluation.objects):
        parts: list[Any] = ["There is no object to judge."]
    else:
        parts = [
            _methods_table(evaluation),
            html.Figure(
                html.drawing(figures.box_plots(evaluation)),
                "IoU of single objects by method: line median, box quartiles, whiskers 5th to "
                "95th percentile, diamond mean. Green: promptable models; orange: classical "
                "methods; grey (†): upper bounds that see the truth.",
            ),
            html.Figure(
                html.drawing(figures.accuracy_by_time(evaluation)),
                "Mean IoU with its interval against time. The numbers are those of the first "
                "table.",
            ),
            _outlines_table(evaluation),
            _size_table(evaluation),
            html.Figure(
                html.drawing(figures.size_figure(evaluation)),
                "Mean IoU with its interval by size of the object.",
            ),
            _label_table(evaluation),
            _detection_table(evaluation),
        ]
    parts.append(_differences_table(compared))
    return html.Section("Results", [part for part in parts if part is not None])


def _methods_table(evaluation: Evaluation) -> html.Table:
    shown = [key for key in evaluation.measures if key not in ("iou", *_OUTLINES)]
    header = ["", "Method", "IoU [95 % interval]", "Median", "IoU ≥ 0.5", "IoU ≥ 0.75"]
    header += [MEASURES[key] for key in shown] + ["Time an object", "Time an image"]
    table = evaluation.table().to_dict("records")
    rows = [
        [
            str(place),
            _title(row),
            span(row.get("iou"), row.get("iou_low"), row.get("iou_high")),
            number(row.get("iou_median")),
            *(percent(row.get(key)) for key in ("iou_over_50", "iou_over_75")),
            *(number(row.get(key)) for key in shown),
            *(clock(row.get(key)) for key in ("seconds", "image_seconds")),
        ]
        for place, row in enumerate(table, start=1)
    ]
    objects = len(evaluation.objects.drop_duplicates(["image", "object"]))
    caption = (
        f"All methods on the same {objects:,} objects: means over objects. Shaded: the best that "
        "a user can apply. †: chooses by the truth, an upper bound. Time an image is work done "
        "once for all objects (embedding, superpixels, automatic mode)."
    )
    return html.Table(header, rows, caption, text_columns=(1,), kinds=_kinds(evaluation, table))


def _outlines_table(evaluation: Evaluation) -> html.Table | None:
    shown = [key for key in evaluation.measures if key in _OUTLINES]
    if not shown:
        return None
    table = evaluation.table().to_dict("records")
    rows = [
        [_title(row), *(number(row.get(k), 1 if k == "hausdorff_95" else 3) for k in shown)]
        for row in table
    ]
    caption = (
        "How well the outlines agree, means over objects. Tolerance of the boundary F-score: "
        f"{evaluation.settings.tolerance:g} pixels."
    )
    header = ["Method", *(MEASURES[key] for key in shown)]
    return html.Table(header, rows, caption, kinds=_kinds(evaluation, table))


def _title(row: dict[str, Any]) -> str:
    return row["title"] + (" †" if row["sees_truth"] else "")


def _kinds(evaluation: Evaluation, table: Sequence[dict[str, Any]]) -> dict[int, str]:
    """Rows to bring out: the best method, and those that see the truth."""
    best = evaluation.best()
    kinds = {place: "bound" for place, row in enumerate(table) if row["sees_truth"]}
    return kinds | {place: "best" for place, row in enumerate(table) if row["method"] == best}


def _group_table(
    evaluation: Evaluation, table: pd.DataFrame, column: str, groups: Sequence[str], caption: str
) -> html.Table:
    """Methods down, groups of objects across."""
    counts = table.groupby(column, sort=False)["objects"].max()
    rows, kinds = [], {}
    for place, info in enumerate(evaluation.methods):
        part = table[table["method"] == info.key].set_index(column)
        cells = [info.title + (" †" if info.sees_truth else "")]
        for group in groups:
            if group in part.index:
                row = part.loc[group]
                cells.append(span(row["mean"], row["low"], row["high"]))
            else:
                cells.append("–")
        rows.append(cells)
        if info.sees_truth:
            kinds[place] = "bound"
    unit = " pixels" if column == "size" else ""
    header = ["Method", *(f"{group}{unit}, n = {counts[group]:,}" for group in groups)]
    return html.Table(header, rows, caption, kinds=kinds)


def _size_table(evaluation: Evaluation) -> html.Table:
    table = evaluation.by_size()
    sizes = [name for name, _, _ in SIZES if (table["size"] == name).any()]
    caption = "Mean IoU [95 % interval] by size of the object."
    return _group_table(evaluation, table, "size", sizes, caption)


def _label_table(evaluation: Evaluation) -> html.Table | None:
    table = evaluation.by_label()
    if table.empty:
        return None
    labels = list(table.groupby("label")["objects"].max().nlargest(_MAX_LABELS).index)
    caption = "Mean IoU [95 % interval] by class of the object"
    more = table["label"].nunique() - len(labels)
    caption += f"; the {len(labels)} most frequent classes." if more > 0 else "."
    return _group_table(evaluation, table, "label", labels, caption)


def _detection_table(evaluation: Evaluation) -> html.Table | None:
    detection = evaluation.detection()
    if not len(detection):
        return None
    rows = [
        [row["title"], *(span(row[k], row[f"{k}_low"], row[f"{k}_high"]) for k in _DETECTION)]
        for row in detection.to_dict("records")
    ]
    return html.Table(
        ["Method", *_DETECTION.values()],
        rows,
        "Objects found without a prompt, matched one to one with the true ones at IoU 0.5, all "
        "images together [95 % interval, images drawn]; the count error is the mean of the "
        "images. Everything that was found counts, also things that the truth does not name.",
    )


def _differences_table(compared: Sequence[Comparison]) -> html.Table | None:
    if not compared:
        return None
    rows = []
    for c in compared:
        d = c.difference
        verdict = "not clear" if not d.excludes_zero else "second" if d.value > 0 else "first"
        rows.append(
            [
                c.first,
                c.second,
                number(c.first_mean),
                number(c.second_mean),
                span(d.value, d.low, d.high, signed=True),
                percent(c.share_better) if c.paired else "not paired",
                verdict,
            ]
        )
    header = ["First", "Second", "Mean first", "Mean second", "Second − first [95 % interval]"]
    header += ["Second better on", "Better"]
    caption = (
        "Differences in IoU, paired by object where the objects are the same. “Not clear”: the "
        "interval holds 0. The intervals are not corrected for the number of comparisons."
    )
    return html.Table(header, rows, caption, text_columns=(0, 1, 6))


def worst_section(
    evaluation: Evaluation, pictures: Sequence[tuple[str, bytes]]
) -> list[html.Section]:
    """The images and objects with the lowest values; nothing without a best method."""
    best = evaluation.best()
    if best is None:
        return []
    rows = [
        [row["image"], f"{row['objects']}", number(row["mean"]), number(row["lowest"])]
        for row in evaluation.by_image(best).head(10).to_dict("records")
    ]
    caption = f"The images with the lowest mean IoU of {evaluation.info(best).title}."
    parts: list[Any] = [
        html.Table(["Image", "Objects", "Mean IoU", "Lowest IoU"], rows, caption),
    ]
    if pictures:
        shown = [(text, html.embedded(png, "image/png")) for text, png in pictures]
        parts.append(WorstPictures(shown))
    return [html.Section("Where it fails", parts, level=3)]


def study_section(study: StudyResult) -> html.Section:
    """A study with its figure and table."""
    rows = [
        [
            f"{row['condition']}",
            row["prompt"],
            f"{row['objects']}",
            span(row["mean"], row["low"], row["high"]),
        ]
        for row in study.table.to_dict("records")
    ]
    name = f"{study.title}, {study.model}"
    limits = f"{study.settings.max_objects} objects at most, seed {study.settings.seed}."
    parts = [
        html.Text(study.answer, study.question),
        html.Text(f"{study.method} {limits}", kind="note"),
        html.Figure(html.drawing(study.figure()), f"{name}; bands are 95 % intervals."),
        html.Table(
            ["Condition", "Prompt", "Objects", "Mean [95 % interval]"],
            rows,
            f"{name}: mean [95 % interval].",
            text_columns=(0, 1),
        ),
    ]
    return html.Section(f"Study: {study.title}", parts)


def definitions_section() -> html.Section:
    """What each metric means."""
    caption = (
        "TP, FP, FN, TN are pixels of true and false positives and negatives of one object "
        "against the whole image. If truth and prediction are both empty, IoU is 1."
    )
    header = ["Metric", "Formula", "Meaning", "Source"]
    table = html.Table(header, definitions(), caption, text_columns=range(4))
    return html.Section("Definitions", [table])


def settings_section(evaluation: Evaluation, command: str) -> html.Section:
    """What is needed to repeat it."""
    facts = {
        name.replace("_", " "): ", ".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in evaluation.settings.to_dict().items()
    } | dict(evaluation.environment)
    table = html.Table(
        ["What", "Value"],
        [[str(name), str(value)] for name, value in facts.items()],
        "What is needed to repeat this.",
        text_columns=(0, 1),
    )
    return html.Section("Settings and software", [*([Command(command)] if command else []), table])
