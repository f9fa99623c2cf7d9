"""The language in which RSAM speaks: catalogues of messages, and who decides which one.

Messages are English in the program and are translated where they are shown: ``_("Open")``. Text
that stands outside functions is only marked, ``N_("Open")``, and translated later by ``_``. What
varies is a placeholder, never an f-string: ``_("{count} roofs").format(count=number(n))``.
Catalogues are gettext's (``locale/<language>/LC_MESSAGES/rsam.po`` beside this file); set-up
compiles them, and where that was not done they are compiled when first used.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

LANGUAGES = {"en": "English", "es": "Español", "fr": "Français", "vi": "Tiếng Việt"}
"""Names of the languages, as their speakers write them."""
SOURCE = "en"
FOLDER = Path(__file__).resolve().with_name("locale")
DOMAIN = "rsam"

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


def known(wish: str) -> str:
    """The language among ours that a wish such as ``"fr-CA"`` means; else English."""
    code = wish.replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else SOURCE


def _(message: str) -> str:
    """A message in the language in use."""
    return _catalog(current()).gettext(message) if message else ""


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

    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=current())


def percent(share: float, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage, as it is written in the language in use."""
    from babel import Locale
    from babel.numbers import format_percent

    # Whether there is a space before the sign, and which, is a matter of the language.
    pattern = Locale.parse(current()).percent_formats[None].pattern
    if digits:
        pattern = pattern.replace("0", "0." + "0" * digits, 1)
    return format_percent(share, format=pattern, locale=current())


@lru_cache(maxsize=len(LANGUAGES))
def _catalog(language: str) -> gettext.NullTranslations:
    place = FOLDER / language / "LC_MESSAGES"
    source, binary = place / f"{DOMAIN}.po", place / f"{DOMAIN}.mo"
    if not source.exists():
        return gettext.NullTranslations()
    fresh = binary.exists() and binary.stat().st_mtime >= source.stat().st_mtime
    return gettext.GNUTranslations(io.BytesIO(binary.read_bytes() if fresh else compiled(source)))


def compiled(catalog: Path) -> bytes:
    """A catalogue of gettext (.po) in the binary form that is read (.mo)."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    out = io.BytesIO()
    with catalog.open("rb") as file:
        write_mo(out, read_po(file, domain=DOMAIN))
    return out.getvalue()
