"""Names that come from outside (of files, classes, layers, systems), shown as what they are.

Streamlit takes labels, captions and messages for Markdown, and a name may hold anything: it could
be a link, a picture from another server, a heading or a formula. Whatever shows a name, or a text
with a name in it, puts it through `plain`; whatever builds HTML, through `markup`.
"""

from __future__ import annotations

import html
import re
import unicodedata

LONGEST = 60
"""Characters of a name that still stand in a line."""

_MARKS = re.compile(r"([\\`*_\[\]<>#$~|]|:(?=\S)|&(?=[#A-Za-z]))")
_START = re.compile(r"^([-+=]|\d+(?=[.)](?:\s|$)))")
# An invisible sign that joins words. It keeps addresses from becoming links, and dashes and
# arrows from being set as one sign, both of which Streamlit does whatever is escaped.
_JOINER = "\u2060"
_JOINED = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)|(?<=-)(?=[->])|(?<=<)(?=-)", re.IGNORECASE)
# Signs without a width that letters of some languages, and composed pictures, need.
_SHAPING = set("\u200c\u200d")
# Signs that turn the direction of writing: "gpj.exe" would be read as "exe.jpg".
_TURNING = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: object, most: int | None = None) -> str:
    """A text as Markdown that shows it letter by letter, in one line.

    Parameters
    ----------
    text : object
        Its ``str`` is shown.
    most : int, optional
        Characters to show at most; what is longer is shortened in the middle.
    """
    words = _JOINED.sub(_JOINER, visible(text, most))
    escaped = _MARKS.sub(r"\\\1", words)
    # What only the start of a paragraph makes special: lists, rules.
    return _START.sub(lambda m: m[1] + "\\" if m[1].isdigit() else "\\" + m[1], escaped)


def paragraphs(text: object) -> str:
    """A longer text as Markdown that shows it letter by letter; its lines stay lines."""
    return "  \n".join(plain(line) for line in str(text).splitlines())


def markup(text: object, most: int | None = None) -> str:
    """A text within HTML, between tags or in a quoted attribute; `most` as in `plain`."""
    return html.escape(visible(text, most))


def visible(text: object, most: int | None = None) -> str:
    """A text in one line, without signs that cannot be seen or that turn others round.

    For what shows text as it is: tables, the choices of a selection, pictures.

    Parameters
    ----------
    text : object
    most : int, optional
        See `shortened`.
    """
    kept = (sign for sign in str(text) if sign.isspace() or _is_seen(sign))
    line = " ".join("".join(kept).split())
    return line if most is None else shortened(line, most)


def _is_seen(sign: str) -> bool:
    if sign in _SHAPING:
        return True
    return sign not in _TURNING and unicodedata.category(sign)[0] != "C"


def shortened(name: str, most: int = LONGEST) -> str:
    """A name of so many characters at most: the middle goes, start and ending stay.

    Parameters
    ----------
    name : str
    most : int
        At least 5.
    """
    if len(name) <= most:
        return name
    tail = (most - 1) // 2
    return f"{name[: most - 1 - tail]}…{name[-tail:]}"


def full(name: object, most: int = LONGEST) -> str | None:
    """The whole name as a tooltip, if showing it in `most` characters shortens it."""
    line = visible(name)
    return plain(line) if len(line) > most else None
