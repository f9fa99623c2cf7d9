"""Projects saved without being asked, against a lost browser tab."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rsam_core.errors import ProjectError
from rsam_core.runtime.budgets import setting
from rsam_core.session import atomic_file
from rsam_core.session.project import ENDING, ProjectState, load_project, save_project

KEEP = 3
"""Saves kept of each opened image; other tabs and sessions keep theirs."""
AGE = timedelta(days=30)
"""Older saves go."""
COUNT = 1000
"""Saves kept of all images and browsers together."""
TOTAL = setting("RSAM_AUTOSAVE_MB", 1 << 30)
"""Bytes of all saves together."""

_LEFT_OVER = 86_400.0
"""Seconds after which a file that was never finished counts as left over."""
_NAME = re.compile(r"([0-9a-zA-Z]{1,64})-(\d{13,16})(?:-([0-9a-z]{1,16}))?" + re.escape(ENDING))
_stamps = threading.Lock()
_last_stamp = 0


@dataclass(frozen=True)
class Autosave:
    """One saved project.

    Attributes
    ----------
    path : Path
    scene_hash : str
        Of its image.
    time : datetime
        When the work was as it holds it, in UTC.
    size : int
        Bytes.
    writer : str
        The opened image that it was saved for; empty in files of before.
    """

    path: Path
    scene_hash: str
    time: datetime
    size: int
    writer: str = ""


def stamp() -> int:
    """The time in microseconds, later than any that was given out before.

    To be taken when the work is looked at: a save that takes long must not look younger than what
    it holds.
    """
    global _last_stamp
    with _stamps:
        _last_stamp = max(time.time_ns() // 1000, _last_stamp + 1)
        return _last_stamp


def folder() -> Path:
    """Where autosaves lie: ``RSAM_HOME``, or the user's cache, and there ``autosave``."""
    home = os.environ.get("RSAM_HOME")
    if home:
        return Path(home).expanduser() / "autosave"
    import pooch

    return Path(pooch.os_cache("rsam")) / "autosave"


def save(
    state: ProjectState,
    where: Path | None = None,
    *,
    taken: int | None = None,
    writer: str = "",
    keep: int = KEEP,
) -> Autosave:
    """Save a project, and forget all but the latest ones of the same opened image.

    A crash leaves the earlier save whole.

    Parameters
    ----------
    state : ProjectState
        Its image is left out: the user has it, and it may be large.
    where : Path, optional
        Folder; :func:`folder` by default.
    taken : int, optional
        The `stamp` of when the work was as it is in `state`; now by default.
    writer : str
        Up to 16 small letters and digits that tell one opened image from another, in another tab
        for example.
    keep : int
        How many to keep of this writer and image, at least 1.

    Raises
    ------
    ProjectError
        If the folder cannot be written to.
    """
    where = where or folder()
    name = _safe(state.scene_hash)
    moment = stamp() if taken is None else taken
    change = None if state.change is None else replace(state.change, image=None)
    series = None if state.series is None else replace(state.series, files=None)
    data = save_project(replace(state, image=None, change=change, series=series))
    suffix = f"-{writer}" if writer else ""
    try:
        while (target := where / f"{name}-{moment}{suffix}{ENDING}").exists():
            moment += 1
        atomic_file.write(target, data)
    except OSError as error:
        raise ProjectError(
            f"Your work could not be saved automatically ({error.strerror or error}). Save the "
            "project yourself, and check that the disk has room."
        ) from error
    for old in _of_writer(where, name, writer)[max(1, keep) :]:
        discard(old)
    return _entry(target)  # type: ignore[return-value]


def forget(where: Path, scene_hash: str, writer: str, *, taken: int | None = None) -> None:
    """Remove what an opened image has saved: there is nothing left in it to bring back.

    Parameters
    ----------
    where, scene_hash, writer
        As for `save`.
    taken : int, optional
        Only what is older than this `stamp`.
    """
    for old in _of_writer(where, _safe(scene_hash), writer):
        if taken is None or _stamp_of(old) < taken:
            discard(old)


def discard(entry: Autosave) -> None:
    """Remove one save."""
    with contextlib.suppress(OSError):
        entry.path.unlink()


def tidy(
    root: Path,
    *,
    age: timedelta = AGE,
    count: int = COUNT,
    total: int = TOTAL,
    now: datetime | None = None,
) -> int:
    """Remove what is too old, and of the rest the oldest while it is too much.

    Parameters
    ----------
    root : Path
        A folder of saves, or one of such folders.
    age : timedelta
    count : int
        Saves that may lie there, at least 1.
    total : int
        Bytes that they may hold; the latest one stays whatever its size.
    now : datetime, optional
        For tests.

    Returns
    -------
    int
        How many were removed.
    """
    now = now or datetime.now(UTC)
    found: list[Autosave] = []
    folders = [root, *(path for path in _listed(root) if path.is_dir())]
    for path in (path for folder in folders for path in _listed(folder)):
        entry = _entry(path)
        if entry is not None:
            found.append(entry)
        elif path.name.startswith(atomic_file.PREFIX):
            with contextlib.suppress(OSError):
                if now.timestamp() - path.stat().st_mtime > _LEFT_OVER:
                    path.unlink()
    found.sort(key=_stamp_of)
    size, removed = sum(entry.size for entry in found), 0
    while len(found) > 1 and (now - found[0].time > age or len(found) > count or size > total):
        oldest = found.pop(0)
        size -= oldest.size
        removed += 1
        discard(oldest)
    if found and now - found[0].time > age:
        discard(found[0])
        removed += 1
    return removed


def entries(where: Path | None = None, *, scene_hash: str | None = None) -> tuple[Autosave, ...]:
    """Return the autosaves, latest first; those of one image if its hash is given."""
    found = [entry for path in _listed(where or folder()) if (entry := _entry(path)) is not None]
    if scene_hash is not None:
        found = [entry for entry in found if entry.scene_hash == _safe(scene_hash)]
    return tuple(sorted(found, key=_stamp_of, reverse=True))


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


def _safe(scene_hash: str) -> str:
    """A hash as part of a file's name."""
    return re.sub(r"[^0-9a-zA-Z]", "", scene_hash)[:64] or "image"


def _listed(where: Path) -> list[Path]:
    try:
        return list(where.iterdir())
    except OSError:
        return []


def _of_writer(where: Path, scene_hash: str, writer: str) -> list[Autosave]:
    """The saves of one opened image, latest first."""
    return [entry for entry in entries(where, scene_hash=scene_hash) if entry.writer == writer]


def _stamp_of(entry: Autosave) -> int:
    return int(_NAME.fullmatch(entry.path.name).group(2))


def _entry(path: Path) -> Autosave | None:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        size = path.stat().st_size
    except OSError:
        return None
    when = datetime.fromtimestamp(int(match.group(2)) / 1e6, UTC)
    return Autosave(path, match.group(1), when, size, match.group(3) or "")
