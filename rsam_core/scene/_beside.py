"""What lies beside an image on disk and belongs to it: found, checked and handed over by name.

GDAL would open whatever it finds beside a file, and whatever that names in turn. So it gets to
see a folder that holds nothing but links to what passed here.
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

from rsam_core.scene._formats import driver_of
from rsam_core.scene._room import Room
from rsam_core.scene._tiff_header import GDAL_METADATA, directories
from rsam_core.scene.crs_text import is_plain

# Overviews and masks are TIFFs, too, and may have such files of their own.
_RASTERS = (".ovr", ".msk", ".msk.ovr", ".ovr.ovr")
_NOTES = ".aux.xml"
_MAX_NOTES = 16 * 2**20
_HARMLESS_DOMAINS = frozenset({"", "IMAGE_STRUCTURE", "RPC", "IMD", "AREA_OR_POINT"})


def inside(path: Path, folder: Path) -> Path | None:
    """Return a file after all links, if it is one and lies in the folder or below."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    return real if real.is_file() and real.is_relative_to(folder.resolve()) else None


def linked(path: Path) -> tuple[Path, object] | None:
    """Return a link to an image beside links to its overviews, mask and notes, if it has any.

    Parameters
    ----------
    path : pathlib.Path
        The image, with links resolved.

    Returns
    -------
    (pathlib.Path, object) or None
        The link, and what keeps its folder. None where there is nothing beside the image that may
        be used, or where links cannot be made.
    """
    found = {}
    for ending in (*_RASTERS, _NOTES):
        real = inside(path.with_name(path.name + ending), path.parent)
        if real is None:
            continue
        harmless = _harmless_notes if ending == _NOTES else _harmless_raster
        if harmless(real):
            found[path.name + ending] = real
    if not found:
        return None
    try:
        room = Room()
        for name, real in {path.name: path, **found}.items():
            os.symlink(real, room.path / name)
    except (OSError, NotImplementedError):
        # Windows makes links for administrators only; the image itself is there all the same.
        return None
    return room.path / path.name, room


def _harmless_raster(path: Path) -> bool:
    """Tell whether a file is a TIFF that names no other."""

    def read(start: int, length: int) -> bytes:
        file.seek(min(start, 2**62))
        return file.read(length)

    try:
        with path.open("rb") as file:
            return driver_of(file.read(16)) == "GTiff" and not any(
                b"OVERVIEW" in directory.text(GDAL_METADATA).upper()
                for directory in directories(read)
            )
    except OSError:
        return False


def _harmless_notes(path: Path) -> bool:
    """Tell whether notes of GDAL hold nothing that it would follow."""
    try:
        if path.stat().st_size > _MAX_NOTES:
            return False
        content = path.read_bytes()
        # Names of entities would be read differently here and there.
        if b"<!" in content.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
            return False
        root = ElementTree.fromstring(content)
    except (OSError, ElementTree.ParseError, ValueError, LookupError):
        return False
    domains = {item.get("domain", "") for item in root.iter("Metadata")}
    systems = [item.text or "" for item in root.iter("SRS")]
    systems += [item.get("Projection", "") for item in root.iter("GCPList")]
    return (
        domains <= _HARMLESS_DOMAINS
        and b"OVERVIEW" not in content.upper()
        # A coordinate system may name grids, which would be opened.
        and all(not text.strip() or is_plain(text) for text in systems)
    )
