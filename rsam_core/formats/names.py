"""Names for files that people take along: short, and safe on every system."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 80
"""Characters of a file's name before its ending."""
_MAX_BYTES = 160
_MAX_PART = 200
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


def safe_name(name: str, *, default: str = "image") -> str:
    """A name for a file, without ending, that no system and no program takes for more.

    Letters and digits of every script stay, and ``.``, ``-``, ``_``, ``(``, ``)`` and blanks; all
    else becomes ``_``. Whatever stands before the last ``/`` or ``\\`` goes.

    Parameters
    ----------
    name : str
        Such as the name of an image, without its ending.
    default : str
        Taken if nothing of the name is left.

    Returns
    -------
    str
        At most `MAX_LENGTH` characters and 160 bytes of UTF-8.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = re.sub(r"[^\w.() -]+", "_", last)
    kept = re.sub(r"\s+", " ", kept)[:MAX_LENGTH]
    while len(kept.encode()) > _MAX_BYTES:
        kept = kept[:-1]
    # A dot in front hides a file, dots and blanks at the end are lost, a hyphen reads as an option.
    kept = kept.strip(" ._-")
    if not kept:
        return default
    return f"_{kept}" if _DEVICES.match(kept) else kept


def safe_part(name: str, *, default: str = "image") -> str:
    """One part of a path, changed only as far as some system could not keep it as it is.

    Unlike :func:`safe_name` it stays the same for every name that is harmless, so that files find
    each other by their names.
    """
    text = unicodedata.normalize("NFC", name)
    text = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in text)
    text = re.sub(r'[<>:"/\\|?*]', "_", text)
    stem, dot, ending = text.rpartition(".")
    if not dot or not stem or len(ending) > 16:
        stem, dot, ending = text, "", ""
    while len(stem.encode()) > _MAX_PART:
        stem = stem[:-1]
    text = f"{stem}{dot}{ending}".strip(" ").rstrip(" .")
    if not text or text.strip(".") == "":
        return default
    return f"_{text}" if _DEVICES.match(text) else text


def safe_path(path: str, *, default: str = "image") -> str:
    """A path within a folder, with forward slashes, that cannot lead out of it.

    Parts that lead up, a drive and what makes a path absolute are left out; the others are
    changed by :func:`safe_part`.
    """
    parts = re.split(r"[/\\]", re.sub(r"^[A-Za-z]:(?=[/\\])", "", path))
    kept = [safe_part(part) for part in parts if part.strip(" .")]
    return "/".join(kept) or default
