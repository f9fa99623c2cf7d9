"""Names for files that people take along: short, and safe on every system."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 80
"""Characters of a file's name before its ending."""
_LONGEST_BYTES = 160
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
        At most `LONGEST` characters and 160 bytes of UTF-8.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = re.sub(r"[^\w.() -]+", "_", last)
    kept = re.sub(r"\s+", " ", kept)[:LONGEST]
    while len(kept.encode()) > _LONGEST_BYTES:
        kept = kept[:-1]
    # A dot in front hides a file, dots and blanks at the end are lost, a hyphen reads as an option.
    kept = kept.strip(" ._-")
    if not kept:
        return default
    return f"_{kept}" if _DEVICES.match(kept) else kept
