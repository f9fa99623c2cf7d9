"""Tables as CSV."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def to_csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV that spreadsheets open as they should.

    Parameters
    ----------
    table : pandas.DataFrame
        For example from :func:`rsam_core.objects.measurements.measure`.

    Returns
    -------
    bytes
        UTF-8 with a byte order mark, without which spreadsheets garble letters beyond ASCII;
        comma and decimal point; up to ten significant digits; missing values are left blank.
        Texts that a spreadsheet would take for a formula get an apostrophe in front.
    """
    harmless = without_formulas(table)
    return harmless.to_csv(index=False, float_format="%.10g").encode("utf-8-sig", "replace")


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text, column names included, is a formula to a spreadsheet.

    Numbers, and texts that are nothing but a number, stay as they are.
    """
    table = table.rename(columns=plain_cell)
    texts = [place for place, kind in enumerate(table.dtypes) if kind.kind not in "iufbcmM"]
    for place in texts:
        column = table.iloc[:, place]
        table.isetitem(place, column.astype(object).map(plain_cell, na_action="ignore"))
    return table


def plain_cell(value: Any) -> Any:
    """Return the content of a cell; text that begins like a formula gets an apostrophe.

    Blanks in front do not count: some programs drop them.
    """
    if not isinstance(value, str):
        return value
    begins = value.startswith(_STARTS) or value.lstrip().startswith(_STARTS)
    return f"'{value}" if begins and not _NUMBER.fullmatch(value.strip()) else value
