"""The language in which RSAM speaks: catalogues of messages, and who decides which one.

Messages are English in the program and are translated where they are shown: ``_("Open")``. Text
that stands outside functions is only marked, ``N_("Open")``, and translated later by ``_``. What
varies is a placeholder, never an f-string: ``_("{count} roofs").format(count=number(n))``.
Catalogues are gettext's, two for each language beside this file: in
``locale/<language>/LC_MESSAGES/rsam.po`` nothing is missing, in ``pages.po`` what has no
translation yet is shown in English. Set-up compiles them, and where that was not done they are
compiled when first used.
"""

from __future__ import annotations

import gettext
import io
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import lru_cache
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale
    from babel.numbers import NumberPattern

LANGUAGES = {"en": "English", "es": "Español", "fr": "Français", "vi": "Tiếng Việt"}
"""Names of the languages, as their speakers write them."""
SOURCE = "en"
FOLDER = Path(__file__).resolve().with_name("locale")
DOMAIN = "rsam"
"""Messages of which none may be without a translation."""
REST = "pages"
"""Messages that are shown in English until somebody translates them."""

_said: ContextVar[str | None] = ContextVar("language", default=None)
_asked: list[Callable[[], str | None]] = []


def ask(who: Callable[[], str | None]) -> None:
    """Let somebody decide, message by message, such as the pages for each of their browsers.

    Parameters
    ----------
    who : callable
        Returns the code of a language, or None where it does not know. The last one asked first.
    """
    _asked[:] = [who]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language whatever else is decided, such as in a worksheet."""
    before = _said.set(known(language))
    try:
        yield
    finally:
        _said.reset(before)


def current() -> str:
    """The code of the language in use, such as ``"fr"``."""
    said = _said.get()
    if said is None and _asked:
        said = _asked[0]()
    return known(said or SOURCE)


@lru_cache(maxsize=256)
def known(wish: str) -> str:
    """The language among ours that a wish such as ``"fr-CA"`` means; else English."""
    code = wish.replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else SOURCE


def _(message: str) -> str:
    """A message in the language in use."""
    return _found(_catalog(current()), message) if message else ""


@lru_cache(maxsize=16_384)
def _found(catalog: gettext.NullTranslations, message: str) -> str:
    # A page asks for hundreds at each run; gettext is slow where a message is missing.
    return catalog.gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The form of a message for a count, in the language in use."""
    return _catalog(current()).ngettext(one, many, count)


def N_(message: str) -> str:
    """Mark a message for translation, and leave it as it is."""
    return message


def number(value: float, digits: int = 0) -> str:
    """A number as it is written in the language in use.

    Parameters
    ----------
    value : float
    digits : int
        Decimal places, all of which are shown.
    """
    from babel.numbers import format_decimal

    code = current()
    if code == SOURCE or not math.isfinite(value):
        return f"{value:,.{digits}f}"
    return format_decimal(_exact(value), format=_pattern(digits), locale=_locale(code))


@lru_cache(maxsize=16)
def _pattern(digits: int) -> NumberPattern:
    from babel.numbers import parse_pattern

    return parse_pattern("#,##0" + ("." + "0" * digits if digits else ""))


@lru_cache(maxsize=len(LANGUAGES))
def _locale(code: str) -> Locale:
    from babel import Locale

    return Locale.parse(code)


def percent(share: float, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage, as it is written in the language in use."""
    from babel.numbers import format_percent

    code = current()
    if code == SOURCE or not math.isfinite(share):
        return f"{share:,.{digits}%}"
    locale = _locale(code)
    # Whether there is a space before the sign, and which, is a matter of the language.
    pattern = locale.percent_formats[None].pattern
    if digits:
        pattern = pattern.replace("0", "0." + "0" * digits, 1)
    return format_percent(_exact(share), format=pattern, locale=locale)


def _exact(value: float) -> Decimal:
    """A number as the computer holds it: then it is rounded alike in all languages."""
    return Decimal(int(value) if isinstance(value, Integral) else float(value))


@lru_cache(maxsize=len(LANGUAGES))
def _catalog(language: str) -> gettext.NullTranslations:
    found = _translations(language, DOMAIN)
    found.add_fallback(_translations(language, REST))
    return found


def _translations(language: str, domain: str) -> gettext.NullTranslations:
    place = FOLDER / language / "LC_MESSAGES"
    source, binary = place / f"{domain}.po", place / f"{domain}.mo"
    if not source.exists():
        return gettext.NullTranslations()
    fresh = binary.exists() and binary.stat().st_mtime >= source.stat().st_mtime
    return gettext.GNUTranslations(io.BytesIO(binary.read_bytes() if fresh else compiled(source)))


def is_translated(string: str | tuple[str, ...] | None) -> bool:
    """Whether a message of a catalogue has its translation, in all its forms."""
    return all(string) if isinstance(string, (tuple, list)) else bool(string)


def compiled(catalog: Path) -> bytes:
    """A catalogue of gettext (.po) in the binary form that is read (.mo)."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with catalog.open("rb") as file:
        found = read_po(file, domain=catalog.stem)
    # Babel would take the English of the first form for the translation of all.
    for message in [message for message in found if message.id]:
        if not is_translated(message.string):
            found.delete(message.id)
    out = io.BytesIO()
    write_mo(out, found)
    return out.getvalue()
