"""How a value that somebody gave is repeated in a message: short, and in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_MAX_LENGTH = 40
_DIGITS = 12


def given(value: Any) -> str:
    """Return a value as it is said in a sentence, such as "… must be a number, not “a”".

    Parameters
    ----------
    value : object
        What a file or a person gave, whatever it is.

    Returns
    -------
    str
        A number as it is, a text within quotes and shortened in the middle, without signs that
        cannot be seen; of anything else, only what it is.
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Python refuses to write out numbers of thousands of digits.
        if value.bit_length() > 4 * _DIGITS:
            return f"a number of about {max(1, int(value.bit_length() * math.log10(2))):,} digits"
        return str(value)
    if isinstance(value, float):
        return "not a number (NaN)" if math.isnan(value) else f"{value:.{_DIGITS}g}"
    if isinstance(value, str):
        return f"“{shortened(value)}”"
    if isinstance(value, Mapping):
        return "a group of entries"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "a list" if len(value) else "an empty list"
    return "something else"


def shortened(text: str, most: int = _MAX_LENGTH) -> str:
    """Return a text without signs that cannot be seen, and not longer than `most`."""
    if len(text) > most:
        head = most // 2
        text = f"{text[:head]}…{text[-(most - head - 1) :]}"
    return "".join(sign if sign.isprintable() else "�" for sign in text)
