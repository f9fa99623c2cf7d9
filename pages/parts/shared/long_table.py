"""Tables too long to be sent to a browser whole."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from rsam_core.runtime.language import _, number

MAX_ROWS = 20_000
"""Rows of a table on the page. Ten times as many keep a browser busy for seconds, and everybody
else on the same server waits while they are packed."""


def shortened(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that the page shows; says so where some are left out."""
    if len(table) <= MAX_ROWS:
        return table
    st.caption(
        _(
            "The first {most} of {count} objects are listed. The picture, the sums and the "
            "files have all of them."
        ).format(most=number(MAX_ROWS), count=number(len(table)))
    )
    return table.head(MAX_ROWS)
