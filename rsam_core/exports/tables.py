"""Tables as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def to_csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV that spreadsheets open as they should.

    Parameters
    ----------
    table : pandas.DataFrame
        For example from :func:`rsam_core.measure.measure`.

    Returns
    -------
    bytes
        UTF-8 with a byte order mark, without which spreadsheets garble letters beyond ASCII;
        comma and decimal point; up to ten significant digits; missing values are left blank.
    """
    return table.to_csv(index=False, float_format="%.10g").encode("utf-8-sig")
