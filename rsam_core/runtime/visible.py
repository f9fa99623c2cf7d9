"""Texts from outside (names of files, classes, layers) without signs that nobody sees."""

from __future__ import annotations

import unicodedata

# Signs without a width that letters of some languages, and composed pictures, need.
_SHAPING = set("\u200c\u200d")


def visible(text: object) -> str:
    """A text in one line, without signs that cannot be seen or that turn others round.

    Marks that turn the direction of writing would show "gpj.exe" as "exe.jpg"; control signs and
    halves of letters cannot be written into every file.

    Parameters
    ----------
    text : object
        Its ``str`` is taken.
    """
    kept = (sign for sign in str(text) if sign.isspace() or _is_seen(sign))
    return " ".join("".join(kept).split())


def _is_seen(sign: str) -> bool:
    # Category C holds the marks of direction too.
    return sign in _SHAPING or unicodedata.category(sign)[0] != "C"
