"""One report for each answer, as HTML and as PDF: map, figures, findings, and what they rest on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.answer import INDICATION, VERDICT, Answer, Checks
from rsam_core.change.apply.charts import chart_of
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.files import NOBODY
from rsam_core.change.apply.maps import drawn_map
from rsam_core.render import html
from rsam_core.render.pdf import pdf

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS, MAX_PICTURES = 40, 12
_KEY = 6

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Thumbnails = Callable[[Any], Pair | None]
"""Gives the place of a shape (on the plane) at both dates, or None."""


def sections_of(
    answer: Answer,
    picture: NDArray[np.uint8],
    checks: Checks = NOBODY,
    thumbnails: Thumbnails | None = None,
    sources: Sequence[str] = (),
) -> list[html.Section]:
    """What a report shows.

    Parameters
    ----------
    answer : Answer
    picture : ndarray of uint8, shape (h, w, 3)
        The whole picture of the site.
    checks : mapping
        What a person said of the findings.
    thumbnails : callable, optional
        For pictures of the first findings.
    sources : sequence of str
        Names of the pictures.
    """
    summary, findings = answer.summary(checks), answer.checked(checks)
    told = [(figure.label, figure.text) for figure in summary.figures]
    drawn = html.photograph(drawn_map(answer, picture, checks))
    first: list[Any] = [
        html.Text(INDICATION, kind="abstract"),
        html.Text(answer.status(checks), lead="State:"),
        html.KeyNumbers(told[:_KEY]),
        html.Figure(drawn, caption=f"{answer.title}. {answer.site.place.name}", alt="Map"),
    ]
    sections = [html.Section("", first)]
    rows = [[figure.label, figure.text, figure.note] for figure in summary.figures]
    sections.append(
        html.Section("Figures", [html.Table(["", "Value", "Note"], rows, text_columns=(0, 2))])
    )
    if summary.charts:
        drawings = [html.Figure(html.drawing(chart_of(chart)), caption=f"{chart.title} by date",
                                alt=chart.title) for chart in summary.charts]  # fmt: skip
        sections.append(html.Section("Over time", drawings))
    for title, table in summary.tables.items():
        if len(table):
            sections.append(html.Section(title, [_table(table.head(MAX_ROWS)), *_more(table)]))
    if len(findings):
        shown = _shown(answer, findings)
        sections.append(html.Section("Findings", [_table(shown.head(MAX_ROWS)), *_more(shown)]))
    pairs = _pairs(answer, findings, thumbnails)
    if pairs:
        sections.append(html.Section("Both dates", [html.Thumbnails(pairs)]))
    commented = [
        f"No. {number}: {text}"
        for number, text in zip(findings.column("id"), findings.column("comment"))
        if text
    ]
    if commented:
        sections.append(html.Section("Comments", [html.Items(commented)]))
    used = dict(answer.inputs)
    used |= {f"Picture {number}": name for number, name in enumerate(sources, 1)}
    if answer.site.attribution:
        used["Source of the picture"] = answer.site.attribution
    used |= {f"Date {number}": date for number, date in enumerate(answer.dates, 1)}
    used["Ground sample distance"] = f"{answer.site.gsd:.3g} m a pixel"
    used["Coordinate system"] = answer.site.place.crs_name if answer.site.placed else (
        "none; positions are pixels of the picture"
    )  # fmt: skip
    sections += [
        html.Section("Assumptions and method", [html.Items(answer.assumptions)]),
        html.Section("What it rests on", [html.Facts(used)]),
    ]
    if answer.settings:
        sections.append(html.Section("Settings", [html.Facts(answer.settings)]))
    if answer.notes:
        sections.append(html.Section("Notes on the layers", [html.Items(answer.notes)]))
    return sections


def html_of(
    answer: Answer, sections: Sequence[html.Section], when: datetime | None = None
) -> bytes:
    """The report as one HTML file that needs no other."""
    return html.page(answer.title, sections, subtitle=_subtitle(answer, when)).encode()


def pdf_of(answer: Answer, sections: Sequence[html.Section], when: datetime | None = None) -> bytes:
    """The report as PDF on A4."""
    footer = f"{answer.title} · indication, not proof"
    return pdf(answer.title, sections, subtitle=_subtitle(answer, when), footer=footer)


def _subtitle(answer: Answer, when: datetime | None) -> str:
    when = when or datetime.now().astimezone()
    parts = [
        answer.site.place.name,
        " to ".join(answer.dates),
        f"made {when:%Y-%m-%d %H:%M} (RSAM)",
    ]
    return " · ".join(part for part in parts if part)


def _shown(answer: Answer, findings: Features) -> pd.DataFrame:
    """The columns that people read, under their headings."""
    table = findings.table
    wanted = {"id": "No.", VERDICT: "Finding", **answer.columns}
    wanted |= {"checked": "Checked"} if any(table["checked"]) else {}
    kept = {name: title for name, title in wanted.items() if name in table}
    return table[list(kept)].rename(columns=kept)


def _more(table: pd.DataFrame) -> list[html.Text]:
    if len(table) <= MAX_ROWS:
        return []
    return [html.Text(f"The first {MAX_ROWS} of {len(table):,}; the table (CSV) has all.",
                      kind="note")]  # fmt: skip


def _table(table: pd.DataFrame) -> html.Table:
    texts = [k for k, name in enumerate(table) if table[name].dtype.kind not in "fiub"]
    rows = [[cell_text(value) for value in row] for row in table.itertuples(index=False)]
    return html.Table([str(name) for name in table], rows, text_columns=texts)


def cell_text(value: Any) -> str:
    """A value of a table for people."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float | np.floating):
        if math.isinf(value):
            return "none"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)


def _pairs(answer: Answer, findings: Features, thumbnails: Thumbnails | None) -> list[Any]:
    pairs: list[Any] = []
    if thumbnails is None:
        return pairs
    for number, verdict, shape in zip(
        findings.column("id"), findings.column(VERDICT), findings.shapes
    ):
        pair = thumbnails(shape)
        if pair is not None:
            pictures = (html.photograph(one, 320) for one in pair)
            pairs.append((f"No. {number}: {verdict}", *pictures))
        if len(pairs) == MAX_PICTURES:
            break
    return pairs
