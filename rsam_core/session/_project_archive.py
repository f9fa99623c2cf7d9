"""The zip of a project: which parts it has, and reading them from a file that nobody trusts."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from rsam_core.errors import ProjectError
from rsam_core.session.packed_objects import BROKEN, ObjectList

FORMAT = "rsam-project"
VERSION = 1
ENDING = ".rsam.zip"

MANIFEST, OBJECTS, MASKS, IMAGE = "manifest.json", "objects.json", "masks.bin", "image.bin"
TRUTH, TRUTH_MASKS, TRUTH_VALID = "truth.json", "truth_masks.bin", "truth_valid.bin"
CHANGE, CHANGE_OBJECTS = "change.json", "change_objects.json"
CHANGE_MASKS, CHANGE_IMAGE = "change_masks.bin", "change_image.bin"
SERIES, SERIES_OBJECTS = "series.json", "series_objects.json"
SERIES_MASKS, SERIES_FILES = "series_masks.bin", "series_files.bin"
APPLY, APPLY_SHAPES = "apply.json", "apply_shapes.bin"
UNDO, UNDO_OBJECTS, UNDO_MASKS = "undo.json", "undo_objects.json", "undo_masks.bin"
LIMITS = {
    MANIFEST: 64 << 20,
    OBJECTS: 512 << 20,
    MASKS: 2 << 30,
    IMAGE: 4 << 30,
    TRUTH: 512 << 20,
    TRUTH_MASKS: 2 << 30,
    TRUTH_VALID: 2 << 30,
    CHANGE: 512 << 20,
    CHANGE_OBJECTS: 512 << 20,
    CHANGE_MASKS: 2 << 30,
    CHANGE_IMAGE: 4 << 30,
    SERIES: 512 << 20,
    SERIES_OBJECTS: 512 << 20,
    SERIES_MASKS: 2 << 30,
    SERIES_FILES: 4 << 30,
    APPLY: 512 << 20,
    APPLY_SHAPES: 2 << 30,
    UNDO: 512 << 20,
    UNDO_OBJECTS: 512 << 20,
    UNDO_MASKS: 2 << 30,
}
"""Bytes that each part may have once unpacked."""
LISTS = (OBJECTS, TRUTH, CHANGE_OBJECTS, SERIES_OBJECTS, UNDO_OBJECTS)
IMAGES = (IMAGE, CHANGE_IMAGE, SERIES_FILES)
SHRINKING = (
    MANIFEST, *LISTS, CHANGE, SERIES, APPLY, APPLY_SHAPES, UNDO, *IMAGES,
)  # fmt: skip
SMALL, MAX_RATIO = 8 << 20, 60
MAX_PARTS = 64
WHEN = (1980, 1, 1, 0, 0, 0)


def most_bytes(name: str, lists: Mapping[str, ObjectList], shape: tuple[int, int]) -> int:
    """Most bytes that a part can have, by what was read before."""
    of = {
        MASKS: OBJECTS,
        TRUTH_MASKS: TRUTH,
        CHANGE_MASKS: CHANGE_OBJECTS,
        SERIES_MASKS: SERIES_OBJECTS,
        UNDO_MASKS: UNDO_OBJECTS,
    }.get(name)
    if of in lists:
        return lists[of].length
    if name == TRUTH_VALID:
        return min((shape[0] * shape[1] + 7) // 8, LIMITS[name])
    return LIMITS[name]


def check_names(archive: zipfile.ZipFile) -> None:
    """Refuse names that point outside the zip, and names that occur twice."""
    names = [info.filename for info in archive.infolist()]
    if len(names) > MAX_PARTS:
        raise ProjectError(
            f"The file is refused, because it has {len(names):,} parts; a project has a few. It "
            "was not made by RSAM."
        )
    for name in names:
        if (
            name.startswith(("/", "\\"))
            or ":" in name
            or ".." in name.replace("\\", "/").split("/")
        ):
            raise ProjectError(
                f"The file is refused, because a part of it (“{name[:60]}”) points outside the "
                "project. It was not made by RSAM."
            )
    if len(set(names)) != len(names):
        raise ProjectError(BROKEN.format("a part occurs twice"))
    if MANIFEST not in names:
        raise ProjectError(
            "This zip is not an RSAM project: it has no manifest. Choose a file that RSAM saved, "
            f"which ends in {ENDING}."
        )


def read_manifest(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    """What the project says of itself, of a version that can be read."""
    try:
        manifest = json.loads(_read(archive, MANIFEST))
    except (ValueError, RecursionError) as error:
        raise ProjectError(BROKEN.format("its manifest is not readable")) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ProjectError("This zip is not an RSAM project. Choose a file that RSAM saved.")
    version = manifest.get("version")
    if type(version) is not int or version < 1:
        raise ProjectError(BROKEN.format("its version is not readable"))
    if version > VERSION:
        raise ProjectError(
            f"This project was saved by a newer RSAM (format {version}; this one reads up to "
            f"{VERSION}). Update RSAM, then open it again. Your present work is unchanged."
        )
    return manifest


def read_part(archive: zipfile.ZipFile, name: str, digest: Any, most: int) -> bytes:
    """A part with the checksum that the manifest tells, of so many bytes at most."""
    if name not in archive.namelist():
        raise ProjectError(BROKEN.format(f"“{name}” is missing"))
    data = _read(archive, name, most)
    if hashlib.sha256(data).hexdigest() != digest:
        raise ProjectError(BROKEN.format(f"“{name}” is not what was saved"))
    return data


def _read(archive: zipfile.ZipFile, name: str, most: int | None = None) -> bytes:
    """Read a part, but never more than its limit, whatever size the zip claims."""
    import lzma
    import zlib

    limit = LIMITS[name] if most is None else most
    info = archive.getinfo(name)
    # Neither text nor pictures shrink that much; packed bits do, and their length is known.
    if name in SHRINKING and info.file_size > SMALL:
        limit = min(limit, max(MAX_RATIO * info.compress_size, SMALL))
    try:
        with archive.open(name) as stream:
            data = stream.read(limit + 1)
    except (zlib.error, lzma.LZMAError) as error:
        raise ProjectError(BROKEN.format(f"“{name}” cannot be unpacked")) from error
    if len(data) > limit:
        raise ProjectError(
            f"The file is refused, because “{name}” unpacks to more than the "
            f"{limit / 2**20:,.1f} MB that it may have. It is damaged or was not made by RSAM."
        )
    return data


def mapping_of(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An entry of the manifest that is a mapping."""
    value = manifest.get(name)
    if not isinstance(value, dict):
        raise ProjectError(BROKEN.format(f"“{name}” is missing in its manifest"))
    return value
