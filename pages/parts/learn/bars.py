"""Numbers between 0 and 1 as bars, each with its formula."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts.shared.names import markup
from rsam_core.runtime.language import percent


def bars(entries: Sequence[tuple[str, float, str]], said: Sequence[str] | None = None) -> None:
    """Show bars.

    Parameters
    ----------
    entries : sequence of (str, float, str)
        Name, value between 0 and 1, and formula or explanation of each.
    said : sequence of str, optional
        What is written beside the bars; their values as percentages by default.
    """
    values = [percent(value, 1) for _, value, _ in entries] if said is None else said
    rows = "".join(
        f'<div class="bar"><span class="bar-name">{markup(name)}</span>'
        f'<span class="bar-room"><span class="bar-fill" '
        f'style="width:{100 * min(max(value, 0.0), 1.0):.1f}%"></span></span>'
        f'<span class="bar-value">{markup(text)}</span>'
        f'<span class="bar-formula">{markup(formula)}</span></div>'
        for (name, value, formula), text in zip(entries, values)
    )
    st.html(f'<div class="bars">{rows}</div>')
