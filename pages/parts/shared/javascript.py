"""JavaScript of the components, in files of its own, as the one string that Streamlit takes."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import\s*\{[^}]*\}\s*from\s*"\./([\w.]+)";[ \t]*\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async |class |function|const |let |var ))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_NAME = re.compile(
    r"^(?:async )?(?:class|function\*?|const|let|var)\s+([A-Za-z_$][\w$]*)", re.MULTILINE
)


def script(entry: Path) -> str:
    """A module and all that it imports, as one module.

    Parameters
    ----------
    entry : Path
        The module with ``export default``. It and the modules it imports may import names by
        ``import { a, b } from "./other.js";`` from files of the same folder, and export by
        ``export`` before a declaration.

    Returns
    -------
    str
        The modules, each once and after those it imports, without their import and export lines
        but for the ``export default`` of the entry.

    Raises
    ------
    ValueError
        If a file imports or exports in another way, if modules import each other in a circle, or
        if two of them declare the same name, which then would mean both.
    """
    found: dict[str, str] = {}
    _collect(entry, found, ())
    declared: dict[str, str] = {}
    for name, text in found.items():
        for word in _NAME.findall(text):
            if word in declared:
                raise ValueError(f"{declared[word]} and {name} both declare {word!r}.")
            declared[word] = name
    return "\n".join(found.values())


def _collect(path: Path, found: dict[str, str], importers: tuple[str, ...]) -> None:
    """Add a module to those found, after the ones it imports."""
    if path.name in importers:
        raise ValueError(f"{' → '.join((*importers, path.name))}: these import each other.")
    if path.name in found:
        return
    text = path.read_text(encoding="utf-8")
    for other in _IMPORT.findall(text):
        _collect(path.parent / other, found, (*importers, path.name))
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    for line in _OTHER.findall(text):
        if importers or not line.startswith("export default"):
            raise ValueError(f"{path.name} cannot be joined with others because of: {line}")
    found[path.name] = text
