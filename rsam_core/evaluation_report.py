"""An evaluation as files: CSV, JSON and a report in one HTML file, fit to be handed in.

The report needs no other file and no internet: figures are embedded, and it prints on A4.
"""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsam_core.errors import ExportError
from rsam_core.evaluate import figures
from rsam_core.evaluate.html import Cell, clock, html_figure, html_list, html_table, number, span
from rsam_core.evaluate.results import MEASURES, Evaluation
from rsam_core.evaluate.wording import (
    abstract,
    comparisons,
    definitions,
    methods_paragraph,
    paragraphs,
    warnings,
)

if TYPE_CHECKING:
    from rsam_core.evaluate.compare import Comparison
    from rsam_core.studies import StudyResult


def write_report(
    evaluation: Evaluation,
    folder: str | os.PathLike[str],
    *,
    studies: Sequence[StudyResult] = (),
    others: Sequence[Comparison] = (),
    worst: Sequence[tuple[str, bytes]] = (),
    command: str = "",
) -> dict[str, Path]:
    """Write ``report.html``, ``results.csv`` and ``results.json`` into a folder.

    Parameters
    ----------
    evaluation : Evaluation
    folder : path
        Made if it does not exist.
    studies : sequence of StudyResult
        From :mod:`rsam_core.studies`.
    others : sequence of Comparison
        With other data sets or models.
    worst : sequence of (str, bytes)
        Captions and PNG pictures of the worst objects.
    command : str
        How to repeat it from a shell.

    Returns
    -------
    dict of str to Path
        By file name.

    Raises
    ------
    ExportError
        If the folder cannot be written to.
    """
    contents = {
        "report.html": report_html(
            evaluation, studies=studies, others=others, worst=worst, command=command
        ),
        "results.csv": results_csv(evaluation),
        "results.json": results_json(evaluation, studies=studies, others=others),
    }
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ExportError(
            f"The report cannot be written to “{folder}”: {error.strerror}. Choose another folder."
        ) from error
    return {name: folder / name for name in contents}


def results_csv(evaluation: Evaluation) -> str:
    """One line an object and method, with a header."""
    return evaluation.objects.to_csv(index=False)


def results_json(
    evaluation: Evaluation,
    *,
    studies: Sequence[StudyResult] = (),
    others: Sequence[Comparison] = (),
) -> str:
    """Everything: settings, environment, tables, comparisons, studies and single objects.

    Values that are not finite become null.
    """
    data = {
        "format": "RSAM evaluation 1",
        "dataset": evaluation.name,
        "summary": abstract(evaluation),
        "settings": evaluation.settings.to_dict(),
        "environment": dict(evaluation.environment),
        "images_done": evaluation.images_done,
        "images_total": evaluation.images_total,
        "notes": list(evaluation.notes),
        "failures": [{"image": name, "reason": why} for name, why in evaluation.failures],
        "methods": [asdict(info) for info in evaluation.methods],
        "table": evaluation.table().to_dict("records"),
        "by_size": evaluation.by_size().to_dict("records"),
        "detection": evaluation.detection().to_dict("records"),
        "comparisons": [asdict(c) | {"text": c.text} for c in (*comparisons(evaluation), *others)],
        "studies": [study.to_dict() for study in studies],
        "objects": evaluation.objects.to_dict("records"),
        "images": evaluation.images.to_dict("records"),
    }
    return json.dumps(_plain(data), indent=1, ensure_ascii=False, allow_nan=False)


def report_html(
    evaluation: Evaluation,
    *,
    studies: Sequence[StudyResult] = (),
    others: Sequence[Comparison] = (),
    worst: Sequence[tuple[str, bytes]] = (),
    command: str = "",
) -> str:
    """The report as one HTML page; parameters as for :func:`write_report`."""
    count = _Counter()
    title = f"Segmentation accuracy on {evaluation.name}"
    date = evaluation.environment.get("date", "")
    version = evaluation.environment.get("RSAM", "")
    css = Path(__file__).with_name("evaluate").joinpath("report.css").read_text("utf-8")
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="meta">Report of RSAM {escape(version)}, {escape(date)}</p>',
        f'<div class="abstract"><p><b>Summary.</b> {escape(abstract(evaluation))}</p></div>',
        "<h2>Material and methods</h2>",
        paragraphs(methods_paragraph(evaluation)),
        "<h2>Results</h2>",
        *_results(evaluation, count),
        *_differences([*comparisons(evaluation), *others], count),
        *_worst(evaluation, worst, count),
        *[part for study in studies for part in _study(study, count)],
        "<h2>Limits</h2>",
        html_list(warnings(evaluation)),
        "<h2>Definitions</h2>",
        _definitions(count),
        "<h2>Settings and software</h2>",
        _settings(evaluation, command, count),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


class _Counter:
    """Numbers of tables and figures."""

    def __init__(self) -> None:
        self.tables = self.figures = 0

    def table(self) -> str:
        self.tables += 1
        return f"<b>Table {self.tables}.</b>"

    def figure(self) -> str:
        self.figures += 1
        return f"<b>Figure {self.figures}.</b>"


def _results(evaluation: Evaluation, count: _Counter) -> list[str]:
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
    parts.append(_size_table(evaluation, count))
    parts.append(
        html_figure(
            figures.size_figure(evaluation),
            f"{count.figure()} Mean IoU with its interval by size of the object.",
        )
    )
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
                    *[(span(row[k], row[f"{k}_low"], row[f"{k}_high"]), "range") for k in titles],
                ],
            )
            for row in detection.to_dict("records")
        ]
        caption = (
            f"{count.table()} Objects found without a prompt, matched one to one with the true "
            "ones at IoU 0.5; mean over images [95 % interval, images drawn]. Everything that was "
            "found counts, also things that the truth does not name."
        )
        parts.append(html_table(caption, ["Method", *titles.values()], rows))
    return parts


def _methods_table(evaluation: Evaluation, count: _Counter) -> str:
    best = evaluation.best()
    shown = [key for key in evaluation.measures if key != "iou"]
    header = ["", "Method", "IoU [95 % interval]", "Median", "IoU ≥ 0.5"]
    header += [MEASURES[key] for key in shown] + ["Time an object", "Time an image"]
    rows = []
    for place, row in enumerate(evaluation.table().to_dict("records"), start=1):
        title = escape(row["title"]) + (" †" if row["sees_truth"] else "")
        cells: list[Cell] = [(str(place), ""), (title, "text")]
        cells.append((span(row.get("iou"), row.get("iou_low"), row.get("iou_high")), "range"))
        cells.append((number(row.get("iou_median")), ""))
        cells.append((f"{100 * row['iou_over_50']:.0f} %" if row["objects"] else "–", ""))
        cells += [(number(row.get(key), 1 if key == "hausdorff_95" else 3), "") for key in shown]
        cells += [(clock(row.get("seconds")), ""), (clock(row.get("image_seconds")), "")]
        kind = "best" if row["method"] == best else "bound" if row["sees_truth"] else ""
        rows.append((kind, cells))
    objects = len(evaluation.objects.drop_duplicates(["image", "object"]))
    caption = (
        f"{count.table()} All methods on the same {objects:,} objects: means over objects. "
        "Shaded: the best that a user can apply. †: chooses by the truth, an upper bound. Time an "
        "image is work done once for all objects (embedding, superpixels, automatic mode)."
    )
    return html_table(caption, header, rows, text_columns=(1,))


def _size_table(evaluation: Evaluation, count: _Counter) -> str:
    table = evaluation.by_size()
    counts = table.groupby("size", sort=False)["objects"].max()
    sizes = [s for s in ("under 32²", "32² to 96²", "above 96²") if s in counts]
    rows = []
    for info in evaluation.methods:
        part = table[table["method"] == info.key].set_index("size")
        cells: list[Cell] = [(escape(info.title) + (" †" if info.sees_truth else ""), "text")]
        for size in sizes:
            if size in part.index:
                row = part.loc[size]
                cells.append((span(row["mean"], row["low"], row["high"]), "range"))
            else:
                cells.append(("–", ""))
        rows.append(("bound" if info.sees_truth else "", cells))
    header = ["Method", *[f"{size} pixels, n = {counts[size]:,}" for size in sizes]]
    caption = f"{count.table()} Mean IoU [95 % interval] by size of the object."
    return html_table(caption, header, rows)


def _differences(found: Sequence[Comparison], count: _Counter) -> list[str]:
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
                    (span(d.value, d.low, d.high, signed=True), "range"),
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


def _worst(
    evaluation: Evaluation, pictures: Sequence[tuple[str, bytes]], count: _Counter
) -> list[str]:
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


def _study(study: StudyResult, count: _Counter) -> list[str]:
    rows = [
        (
            "",
            [
                (escape(f"{row['condition']}"), "text"),
                (escape(row["prompt"]), "text"),
                (f"{row['objects']}", ""),
                (span(row["mean"], row["low"], row["high"]), "range"),
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


def _definitions(count: _Counter) -> str:
    rows = [("", [(escape(cell), "text") for cell in row]) for row in definitions()]
    caption = (
        f"{count.table()} TP, FP, FN, TN are pixels of true and false positives and negatives of "
        "one object against the whole image. If truth and prediction are both empty, IoU is 1."
    )
    return html_table(
        caption, ["Metric", "Formula", "Meaning", "Source"], rows, text_columns=(0, 1, 2, 3)
    )


def _settings(evaluation: Evaluation, command: str, count: _Counter) -> str:
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


def _plain(value: Any) -> Any:
    """The same for JSON: numbers of numpy unpacked, nan and infinity as null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
