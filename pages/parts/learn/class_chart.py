"""The class as dots: how many clicks for which IoU, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts.shared.names import markup
from rsam_core.evaluate.learn.board import Row
from rsam_core.runtime.language import _, ngettext, number, percent

_SMALL, _LARGE = 0.7, 1.7
"""Diameters of the dots of the quickest and the slowest, in letters' heights."""
_NEAR_THE_EDGE = 0.7
_LETTERS = 24
_LINES = 12
"""Lines of names that have room above each other."""


def chart(rows: Sequence[Row], names: Sequence[str]) -> None:
    """Show the chart of those who are done.

    Parameters
    ----------
    rows : sequence of Row
    names : sequence of str
        What stands beside each dot.
    """
    done = [(row, name) for row, name in zip(rows, names) if row.iou is not None]
    most = max([row.clicks for row, _name in done] + [5])
    longest = max([row.seconds or 0.0 for row, _name in done] + [1.0])
    parts = _axes(most)
    # The small dots lie on the large ones; those in one place share one line of names.
    beside: dict[tuple[int, int], list[str]] = {}
    for row, name in done:
        beside.setdefault(_spot(row), []).append(name)
    for row, _name in sorted(done, key=lambda entry: -(entry[0].seconds or 0.0)):
        across, up = row.clicks / most, row.iou or 0.0
        name = ", ".join(beside.pop(_spot(row), []))
        size = _SMALL + (_LARGE - _SMALL) * (row.seconds or 0.0) / longest
        side = "left" if across > _NEAR_THE_EDGE else "right"
        parts.append(
            f'<span class="dot" style="left:{100 * across:.1f}%;bottom:{100 * up:.1f}%;'
            f'--size:{size:.2f}em"><span class="name {side}">{markup(name, _LETTERS)}</span></span>'
        )
    said = ngettext(
        "{count} pupil is done: mean IoU against clicks; large dots took long.",
        "{count} pupils are done: mean IoU against clicks; large dots took long.", len(done),
    ).format(count=number(len(done)))  # fmt: skip
    words = markup(_("Clicks (large dots took long)"))
    st.html(
        f'<div class="class-chart" role="img" aria-label="{markup(said)}">'
        f'<div class="room">{"".join(parts)}</div><div class="axis">{words}</div></div>'
    )


def _spot(row: Row) -> tuple[int, int]:
    return row.clicks, round((row.iou or 0.0) * _LINES)


def _axes(most: int) -> list[str]:
    parts = [
        f'<span class="grid" style="bottom:{25 * tick}%"><span>{percent(tick / 4)}</span></span>'
        for tick in range(5)
    ]
    step = max(1, -(-most // 8))
    return parts + [
        f'<span class="tick" style="left:{100 * tick / most:.1f}%">{number(tick)}</span>'
        for tick in range(0, most + 1, step)
    ]
