"""Pieces of HTML that a report is made of. Texts come escaped."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from typing import Any

from rsam_core.render.figures import to_svg
from rsam_core.runtime.durations import duration

Cell = tuple[str, str]
"""HTML of a cell and its class."""


def html_table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[tuple[str, Sequence[Cell]]],
    text_columns: Sequence[int] = (0,),
) -> str:
    """A table; rows are a class and the cells."""
    head = "".join(
        f'<th scope="col"{" class=text" if i in text_columns else ""}>{escape(name)}</th>'
        for i, name in enumerate(header)
    )
    lines = []
    for kind, cells in rows:
        mark = f' class="{kind}"' if kind else ""
        inner = "".join(f"<td{f' class={c}' if c else ''}>{text}</td>" for text, c in cells)
        lines.append(f"<tr{mark}>{inner}</tr>")
    return (
        f'<div class="wide"><table><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def html_figure(figure: Any, caption: str) -> str:
    """A figure, embedded as SVG."""
    image = base64.b64encode(to_svg(figure).encode()).decode()
    return (
        f'<figure><img alt="" src="data:image/svg+xml;base64,{image}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def html_list(texts: Sequence[str]) -> str:
    """A list of plain texts."""
    if not texts:
        return "<p>Nothing to report.</p>"
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """A number, or a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def span(
    value: float | None, low: float | None, high: float | None, *, signed: bool = False
) -> str:
    """A value with its interval."""
    text = number(value, signed=signed)
    if low is None or not math.isfinite(low):
        return text
    return f"{text} [{number(low, signed=signed)}, {number(high, signed=signed)}]"


def clock(seconds: float | None) -> str:
    """A time, or a dash where none was measured."""
    if seconds is None or not math.isfinite(seconds) or seconds < 5e-5:
        return "–"
    return duration(seconds)
