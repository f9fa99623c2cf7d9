"""Numbers under the two pictures of lesson 4, and the columns that they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.parts.shared.names import markup
from rsam_core.runtime.language import _


def sides(left: str = "", right: str = "") -> tuple[Any, Any]:
    """Two columns, one for the photograph and one for the image from above, with their names."""
    columns = st.columns(2, gap="medium")
    for column, name in zip(columns, (left or _("Photograph"), right or _("Image from above"))):
        column.markdown(f"**{name}**")
    return columns[0], columns[1]


def facts(entries: Sequence[tuple[str, str]]) -> None:
    """Show names and values in two columns, the values large."""
    rows = "".join(
        f"<div><dt>{markup(name)}</dt><dd>{markup(value)}</dd></div>" for name, value in entries
    )
    st.html(f'<dl class="learn-facts">{rows}</dl>')
