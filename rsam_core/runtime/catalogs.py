"""The catalogues of messages: collected from the program, merged, compiled.

``python -m rsam_core.runtime.catalogs update`` collects all marked messages and merges them into
the catalogue of each language (what is new stands there empty); ``… compile`` writes the binary
files that gettext reads, which set-up does by itself.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from rsam_core.runtime.language import DOMAIN, FOLDER, LANGUAGES, SOURCE, compiled

ROOT = FOLDER.parents[2]
_KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
_ROOTS = ("rsam_core", "pages")
# Others may call something else by the same short names.
_IMPORT = re.compile(r"runtime\.language import|runtime import .*\blanguage\b")


def sources(root: Path = ROOT) -> list[Path]:
    """Files that may hold messages."""
    return [path for folder in _ROOTS for path in sorted((root / folder).rglob("*.py"))]


def collect(root: Path = ROOT) -> Catalog:
    """All marked messages of the program, with the files they stand in."""
    found = Catalog(domain=DOMAIN, project="RSAM", charset="utf-8")
    for path in sources(root):
        text = path.read_text(encoding="utf-8")
        if not _IMPORT.search(text):
            continue
        place = path.relative_to(root).as_posix()
        for _line, message, comments, _context in extract_from_file(
            "python", str(path), keywords=_KEYWORDS, comment_tags=("For translators:",)
        ):
            # Line numbers would change the catalogues with every edit.
            found.add(message, locations=[(place, 0)], auto_comments=comments)
    return found


def path_of(language: str, folder: Path = FOLDER) -> Path:
    """Where the catalogue of a language stands."""
    return folder / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(path: Path) -> Catalog:
    """The catalogue in a file."""
    with path.open("rb") as file:
        return read_po(file, domain=DOMAIN)


def update(root: Path = ROOT, folder: Path = FOLDER) -> dict[str, int]:
    """Merge all messages into the catalogue of each language.

    Returns
    -------
    dict of str to int
        How many messages each language lacks.
    """
    template = collect(root)
    missing = {}
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        path = path_of(language, folder)
        if path.exists():
            catalog = read(path)
        else:
            catalog = Catalog(locale=language, domain=DOMAIN, project="RSAM", charset="utf-8")
        catalog.header_comment = f"# {LANGUAGES[language]}: messages of RSAM.\n#"
        catalog.project, catalog.version = "RSAM", "0.1.0"
        catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
        catalog.fuzzy = False
        # A guess from a similar message would be a wrong translation that nobody notices.
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalog, sort_by_file=True, include_lineno=False, width=100)
        missing[language] = sum(
            not is_translated(message.string) for message in catalog if message.id
        )
    return missing


def is_translated(string: str | tuple[str, ...] | None) -> bool:
    """Whether a message has its translation, in all its forms."""
    return all(string) if isinstance(string, (tuple, list)) else bool(string)


def compile_all(folder: Path = FOLDER) -> list[Path]:
    """Write the binary form of each catalogue beside it.

    Returns
    -------
    list of Path
        The files written; none where they were new enough.
    """
    written = []
    for source in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            # Under another name first: a running app may be reading it.
            new = target.with_suffix(f".{os.getpid()}")
            new.write_bytes(compiled(source))
            os.replace(new, target)
            written.append(target)
    return written


def main(arguments: list[str]) -> int:
    """Do what the command line says; see the module."""
    if arguments == ["update"]:
        for language, count in update().items():
            print(f"{language}: {count} messages without translation")
    elif arguments == ["compile"]:
        for path in compile_all():
            print(path.relative_to(ROOT))
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
