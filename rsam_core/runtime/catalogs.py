"""The catalogues of messages: collected from the program, merged, compiled.

``python -m rsam_core.runtime.catalogs update`` collects all marked messages and merges them into
the catalogues of each language (what is new stands there empty); ``… compile`` writes the binary
files that gettext reads, which set-up does by itself.

A language has two catalogues. ``rsam.po`` holds the messages of the files in `WHOLE`, and a test
fails while one of them has no translation. ``pages.po`` holds all others: translate there as much
as you like, in any order; the rest is shown in English. When a page has all its translations, add
its files to `WHOLE`, and ``update`` moves its messages over.
"""

from __future__ import annotations

import os
import re
import sys
from copy import deepcopy
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from rsam_core.runtime.language import (
    DOMAIN,
    FOLDER,
    LANGUAGES,
    REST,
    SOURCE,
    compiled,
    is_translated,
)

WHOLE = (
    "pages/parts/learn/",
    "pages/screens/learn.py",
    "pages/parts/shared/banner.py",
    "pages/parts/shared/downloads.py",
    "pages/parts/shared/gallery.py",
    "pages/parts/shared/menu.py",
    "pages/parts/shared/progress.py",
    "pages/parts/shared/speech.py",
    "rsam_core/evaluate/learn/",
)
"""Files and folders of whose messages none may be without a translation."""

ROOT = FOLDER.parents[2]
_KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
_ROOTS = ("rsam_core", "pages")
# Others may call something else by the same short names.
_IMPORT = re.compile(r"runtime\.language import|runtime import .*\blanguage\b")


def sources(root: Path = ROOT) -> list[Path]:
    """Files that may hold messages."""
    return [path for folder in _ROOTS for path in sorted((root / folder).rglob("*.py"))]


def domain_of(place: str) -> str:
    """The catalogue that messages of a file belong to.

    Parameters
    ----------
    place : str
        Path of the file below the root, with slashes.
    """
    return DOMAIN if place.startswith(WHOLE) else REST


def collect(root: Path = ROOT, domain: str | None = None) -> Catalog:
    """Marked messages of the program, with the files they stand in.

    Parameters
    ----------
    root : Path
    domain : str, optional
        Only those of one catalogue. What several files say belongs to the one in which nothing
        may be missing, if one of these files does. By default the messages of all.
    """
    found = {name: Catalog(domain=name, project="RSAM", charset="utf-8") for name in (DOMAIN, REST)}
    for path in sources(root):
        text = path.read_text(encoding="utf-8")
        if not _IMPORT.search(text):
            continue
        place = path.relative_to(root).as_posix()
        into = found[DOMAIN if domain is None else domain_of(place)]
        for _line, message, comments, _context in extract_from_file(
            "python", str(path), keywords=_KEYWORDS, comment_tags=("For translators:",)
        ):
            # Line numbers would change the catalogues with every edit.
            into.add(message, locations=[(place, 0)], auto_comments=comments)
    for message in [message for message in found[REST] if message.id]:
        if message.id in found[DOMAIN]:
            found[REST].delete(message.id)
    return found[domain or DOMAIN]


def path_of(language: str, folder: Path = FOLDER, domain: str = DOMAIN) -> Path:
    """Where a catalogue of a language stands."""
    return folder / language / "LC_MESSAGES" / f"{domain}.po"


def read(path: Path) -> Catalog:
    """The catalogue in a file."""
    with path.open("rb") as file:
        return read_po(file, domain=path.stem)


def update(root: Path = ROOT, folder: Path = FOLDER) -> dict[str, dict[str, int]]:
    """Merge all messages into the catalogues of each language.

    Returns
    -------
    dict of str to dict of str to int
        How many messages each language lacks, by catalogue.
    """
    templates = {domain: collect(root, domain) for domain in (DOMAIN, REST)}
    missing = {}
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        paths = {domain: path_of(language, folder, domain) for domain in templates}
        known = [message for path in paths.values() if path.exists() for message in read(path)]
        missing[language] = {}
        for domain, template in templates.items():
            there = [path for path in (paths[domain], *paths.values()) if path.exists()]
            # Its head says how the language counts, also where another one is new.
            catalog = (
                read(there[0]) if there
                else Catalog(locale=language, domain=domain, project="RSAM", charset="utf-8")
            )  # fmt: skip
            # A guess from a similar message would be a wrong translation that nobody notices.
            # What is new is put in as it is, and must not carry one language's words into the next.
            catalog.update(deepcopy(template), no_fuzzy_matching=True)
            catalog.obsolete.clear()
            _take_over(catalog, known)
            _write(catalog, language, paths[domain])
            missing[language][domain] = sum(
                not is_translated(message.string) for message in catalog if message.id
            )
    return missing


def _take_over(catalog: Catalog, known: list[Message]) -> None:
    """Give messages that moved from one catalogue to the other their translations."""
    for old in known:
        key = old.id[0] if isinstance(old.id, tuple) else old.id
        new = catalog.get(key) if key else None
        if new is not None and new.id == old.id and not is_translated(new.string):
            new.string, new.user_comments = old.string, old.user_comments


def _write(catalog: Catalog, language: str, path: Path) -> None:
    catalog.header_comment = f"# {LANGUAGES[language]}: messages of RSAM.\n#"
    catalog.project, catalog.version = "RSAM", "0.1.0"
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    catalog.fuzzy = False
    for message in catalog:
        # Alike whether they were read or collected, so that the order is always the same.
        message.locations.sort()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, sort_by_file=True, include_lineno=False, width=100)


def compile_all(folder: Path = FOLDER) -> list[Path]:
    """Write the binary form of each catalogue beside it.

    Returns
    -------
    list of Path
        The files written; none where they were new enough.
    """
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
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
        for language, missing in update().items():
            told = ", ".join(f"{count} in {domain}.po" for domain, count in missing.items())
            print(f"{language}: messages without translation: {told}")
    elif arguments == ["compile"]:
        for path in compile_all():
            print(path.relative_to(ROOT))
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
