"""An evaluation as files: CSV, JSON and a report in one HTML file, fit to be handed in.

The report needs no other file and no internet: figures are embedded, and it prints on A4.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsam_core.errors import ExportError
from rsam_core.evaluate.report.sections import (
    definitions_section,
    results_section,
    settings_section,
    study_section,
    worst_section,
)
from rsam_core.evaluate.report.sentences import (
    abstract,
    comparisons,
    methods_paragraph,
    warnings,
)
from rsam_core.evaluate.results import Evaluation
from rsam_core.formats.tables import without_formulas
from rsam_core.render import html

if TYPE_CHECKING:
    from rsam_core.evaluate.statistics.compare import Comparison
    from rsam_core.evaluate.studies import StudyResult


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
        From :mod:`rsam_core.evaluate.studies`.
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
    return without_formulas(evaluation.objects).to_csv(index=False)


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
        "by_label": evaluation.by_label().to_dict("records"),
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
    about = evaluation.environment
    sections = [
        html.Section("", [html.Text(abstract(evaluation), "Summary.", "abstract")]),
        html.Section("Material and methods", methods_paragraph(evaluation)),
        results_section(evaluation, [*comparisons(evaluation), *others]),
        *worst_section(evaluation, worst),
        *(study_section(study) for study in studies),
        html.Section("Limits", [html.Items(warnings(evaluation))]),
        definitions_section(),
        settings_section(evaluation, command),
    ]
    return html.page(
        f"Segmentation accuracy on {evaluation.name}",
        sections,
        subtitle=f"Report of RSAM {about.get('RSAM', '')}, {about.get('date', '')}",
    )


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
