"""Catalogues of messages with known translations."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from rsam_core.runtime import language
from rsam_core.runtime.catalogs import path_of


def written(
    folder: Path,
    code: str,
    messages: dict[str | tuple[str, str], object],
    domain: str = language.DOMAIN,
) -> Path:
    """A catalogue with these translations."""
    catalog = Catalog(locale=code, domain=domain)
    for message, translation in messages.items():
        catalog.add(message, translation)
    path = path_of(code, folder, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog)
    return path
