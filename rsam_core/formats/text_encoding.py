"""Guess in which code page old tables were written that do not say so."""

from __future__ import annotations

import re
from collections.abc import Iterable

ENCODINGS: dict[str, str] = {
    "utf-8": "UTF-8",
    "cp1252": "Western European (Windows-1252)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp866": "Cyrillic (DOS 866)",
    "cp1250": "Central European (Windows-1250)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp932": "Japanese (Shift JIS)",
    "gbk": "Chinese (GBK)",
    "cp949": "Korean (949)",
}
"""Code pages to choose from, by Python's name, with what people call them."""

_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")


def guessed_encoding(texts: Iterable[bytes]) -> str:
    """Return the code page that texts of one table were most likely written in.

    Returns
    -------
    str
        ``"ascii"`` where it makes no difference; else ``"utf-8"`` where all of it is valid UTF-8,
        a Cyrillic page where words consist of its letters throughout, and ``"cp1252"`` otherwise.
    """
    found = [text for text in texts if not text.isascii()]
    if not found:
        return "ascii"
    if all(_is(text, "utf-8") for text in found):
        return "utf-8"
    words = [word for text in found for word in _WORD.findall(text) if not word.isascii()]
    letters = b"".join(words)
    # A word in Latin letters has an accented one here and there; a Cyrillic one has no others.
    whole = sum(len(w) for w in words if not any(byte < 128 for byte in w) and len(w) > 1)
    if whole < 0.8 * len(letters):
        return "cp1252"
    windows = sum(byte >= 0xC0 or byte in (0xA8, 0xB8) for byte in letters)
    dos = sum(0x80 <= byte <= 0xAF or 0xE0 <= byte <= 0xF1 for byte in letters)
    best = max(windows, dos)
    if best < 0.9 * len(letters):
        return "cp1252"
    return "cp1251" if windows >= dos else "cp866"


def _is(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
