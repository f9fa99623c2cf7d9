"""A legend: what the colours of a picture mean."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared.names import MAX_LENGTH, markup
from rsam_core.evaluate.metrics.counts import Counts
from rsam_core.runtime.language import _, number


def counted(counts: Counts) -> str:
    """How many pixels are right and wrong, in words, with the letters of the formulas."""
    return _(
        "Pixels: {tp} right (TP) · {fp} too much (FP) · {fn} missed (FN) · {tn} rightly left "
        "out (TN)"
    ).format(tp=number(counts.tp), fp=number(counts.fp), fn=number(counts.fn), tn=number(counts.tn))


def chips(entries: list[tuple[str, str]]) -> None:
    """A legend: coloured squares with their meaning."""
    squares = "".join(
        f'<span style="display:inline-flex;align-items:center;margin-right:1.1rem">'
        f'<span style="width:.8rem;height:.8rem;border-radius:3px;background:{markup(colour)};'
        f'display:inline-block;margin-right:.4rem"></span>{markup(_(text), MAX_LENGTH)}</span>'
        for text, colour in entries
    )
    st.html(f'<div style="font-size:.85rem;opacity:.85">{squares}</div>')
