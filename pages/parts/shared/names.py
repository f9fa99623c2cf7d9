"""Names that come from outside (of files, classes, layers, systems), shown as what they are.

Streamlit takes labels, captions and messages for Markdown, and a name may hold anything: it could
be a link, a picture from another server, a heading or a formula. Whatever shows a name, or a text
with a name in it, puts it through `plain`; whatever builds HTML, through `markup`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

from rsam_core.runtime.language import _, ngettext, number
from rsam_core.runtime.visible import visible as in_one_line

MAX_LENGTH = 60
"""Characters of a name that still stand in a line."""

_MARKS = re.compile(r"([\\`*_\[\]<>#$~|]|:(?=\S)|&(?=[#A-Za-z]))")
_START = re.compile(r"^([-+=]|\d+(?=[.)](?:\s|$)))")
# An invisible sign that joins words. It keeps addresses from becoming links, and dashes and
# arrows from being set as one sign, both of which Streamlit does whatever is escaped.
_JOINER = "\u2060"
_JOINED = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)|(?<=-)(?=[->])|(?<=<)(?=-)", re.IGNORECASE)


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
    line = in_one_line(text)
    return line if most is None else shortened(line, most)


def shortened(name: str, most: int = MAX_LENGTH) -> str:
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


def full(name: object, most: int = MAX_LENGTH) -> str | None:
    """The whole name as a tooltip, if showing it in `most` characters shortens it."""
    line = visible(name)
    return plain(line) if len(line) > most else None


def with_icon(icons: Mapping[str, str]) -> Callable[[str], str]:
    """How to show choices that have an icon each, in the language in use.

    Parameters
    ----------
    icons : mapping of str to str
        By choice, whose word is marked for translation.
    """
    return lambda choice: f"{icons[choice]} {_(choice)}"


def so_many_objects(count: int) -> str:
    """A number of objects in words, in the language in use."""
    return ngettext("{count} object", "{count} objects", count).format(count=number(count))
