"""Projects saved without being asked, against a lost browser tab."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rsam_core.errors import ProjectError
from rsam_core.project import ENDING, ProjectState, load_project, save_project

KEEP = 5
"""Saves kept for each image."""

_NAME = re.compile(r"([0-9a-zA-Z]{1,64})-(\d{13,16})" + re.escape(ENDING))


@dataclass(frozen=True)
class Autosave:
    """One saved project.

    Attributes
    ----------
    path : Path
    scene_hash : str
        Of its image.
    time : datetime
        When it was saved, in UTC.
    size : int
        Bytes.
    """

    path: Path
    scene_hash: str
    time: datetime
    size: int


def folder() -> Path:
    """Where autosaves lie: ``RSAM_HOME``, or the user's cache, and there ``autosave``."""
    home = os.environ.get("RSAM_HOME")
    if home:
        return Path(home).expanduser() / "autosave"
    import pooch

    return Path(pooch.os_cache("rsam")) / "autosave"


def save(state: ProjectState, where: Path | None = None, *, keep: int = KEEP) -> Autosave:
    """Save a project, and forget all but the latest ones of its image.

    It is written to a file of another name first, so that a crash leaves the earlier save whole.

    Parameters
    ----------
    state : ProjectState
        Its image is left out: the user has it, and it may be large.
    where : Path, optional
        Folder; :func:`folder` by default.
    keep : int
        How many to keep, at least 1.

    Raises
    ------
    ProjectError
        If the folder cannot be written to.
    """
    from dataclasses import replace

    where = where or folder()
    name = re.sub(r"[^0-9a-zA-Z]", "", state.scene_hash)[:64] or "image"
    data = save_project(replace(state, image=None))
    try:
        where.mkdir(parents=True, exist_ok=True)
        stamp = time.time_ns() // 1000
        while (target := where / f"{name}-{stamp}{ENDING}").exists():
            stamp += 1
        handle, temporary = tempfile.mkstemp(dir=where, prefix=".saving-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise ProjectError(
            f"Your work could not be saved automatically ({error.strerror or error}). Save the "
            "project yourself, and check that the disk has room."
        ) from error
    for old in entries(where, scene_hash=name)[max(1, keep) :]:
        with contextlib.suppress(OSError):
            old.path.unlink()
    return _entry(target)  # type: ignore[return-value]


def entries(where: Path | None = None, *, scene_hash: str | None = None) -> tuple[Autosave, ...]:
    """Return the autosaves, latest first; those of one image if its hash is given."""
    where = where or folder()
    if not where.is_dir():
        return ()
    found = [entry for path in where.iterdir() if (entry := _entry(path)) is not None]
    if scene_hash is not None:
        found = [entry for entry in found if entry.scene_hash == scene_hash]
    return tuple(sorted(found, key=lambda entry: entry.path.name.split("-")[-1], reverse=True))


def load(entry: Autosave) -> ProjectState:
    """Read an autosave.

    Raises
    ------
    ProjectError
        If it is gone or damaged.
    """
    try:
        data = entry.path.read_bytes()
    except OSError as error:
        raise ProjectError("This save is no longer there. Choose another one.") from error
    return load_project(data)


def _entry(path: Path) -> Autosave | None:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        size = path.stat().st_size
    except OSError:
        return None
    when = datetime.fromtimestamp(int(match.group(2)) / 1e6, UTC)
    return Autosave(path, match.group(1), when, size)
