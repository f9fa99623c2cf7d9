"""Images kept on disk beside the saves, so that work can go on without a second upload.

Each browser has a folder of its own; there a file is named by the hash of its content. What was
used longest ago goes when there is no room, but never an image that is open.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path

from rsam_core.errors import ProjectError
from rsam_core.runtime.budgets import megabytes, setting
from rsam_core.session import atomic_file

FOLDER = "images"
_SETTING = "RSAM_KEPT_IMAGES_MB"
TOTAL = 0 if os.environ.get(_SETTING, "").strip() == "0" else setting(_SETTING, 4 << 30)
"""Bytes of all browsers' images together; none is kept if it is 0."""
EACH = TOTAL // 2
"""Bytes of one browser's."""
SPARE = 1 << 30
"""Bytes of the disk that are left free."""
_LEFT_OVER = 86_400.0
"""Seconds after which a file that was never finished counts as left over."""


def keep(
    where: Path,
    scene_hash: str,
    source: bytes | Path,
    *,
    used: Callable[[], Collection[str]] = frozenset,
    each: int | None = None,
    total: int | None = None,
) -> Path:
    """Keep the file of an image.

    Parameters
    ----------
    where : Path
        The folder of the browser.
    scene_hash : str
        `Scene.content_hash`.
    source : bytes or Path
        The file as it was opened.
    used : callable, optional
        Gives the hashes of images that are open now.
    each, total : int, optional
        Bytes that one browser and all together may hold.

    Raises
    ------
    ProjectError
        If there is no room for it; the message says what to do.
    """
    each, total = EACH if each is None else each, TOTAL if total is None else total
    target = where / FOLDER / _safe(scene_hash)
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if target.is_file() and target.stat().st_size == size:
        touch(where, scene_hash)
        return target
    if size > each:
        raise ProjectError(
            f"The image ({megabytes(size)}) is larger than what is kept for you on this computer "
            f"({megabytes(each)}). Your work is kept without it; to go on another time, open the "
            "image again."
        )
    names = {*map(_safe, used()), target.name}
    _make_room([where], each - size, names)
    _make_room(_browsers(where.parent), total - size, names)
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(target.parent).free < size + SPARE:
            raise ProjectError(
                "The disk is nearly full, so the image is not kept with your work. Make room, or "
                "open the image again when you go on another time."
            )
        if isinstance(source, bytes):
            atomic_file.write(target, source)
        else:
            _copy(source, target)
    except OSError as error:
        raise ProjectError(
            f"The image could not be kept with your work ({error.strerror or error}). Open it "
            "again when you go on another time, and check that the disk has room."
        ) from error
    return target


def find(where: Path, scene_hash: str) -> Path | None:
    """The kept file of an image, or None."""
    path = where / FOLDER / _safe(scene_hash)
    return path if path.is_file() else None


def touch(where: Path, scene_hash: str) -> None:
    """Note that an image was used just now."""
    with contextlib.suppress(OSError):
        os.utime(where / FOLDER / _safe(scene_hash))


def size(where: Path) -> int:
    """Bytes of the images that are kept for a browser."""
    return sum(size for _, size, _ in _files([where]))


def remove(where: Path, but: Collection[str] = ()) -> int:
    """Remove a browser's images but these; the bytes that became free.

    Parameters
    ----------
    where : Path
    but : collection of str
        Hashes, those of open images for example.
    """
    kept, freed = set(map(_safe, but)), 0
    for path in _listed(where / FOLDER):
        with contextlib.suppress(OSError):
            if path.name.startswith(atomic_file.PREFIX) and _age(path) > _LEFT_OVER:
                path.unlink()
    for path, size, _ in _files([where]):
        if path.name not in kept:
            freed += _unlink(path, size)
    return freed


def _copy(source: Path, target: Path) -> None:
    """Copy a file; under another name first."""
    temporary = target.with_name(f"{atomic_file.PREFIX}{target.name}")
    try:
        shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _age(path: Path) -> float:
    """Seconds since a file was written."""
    return time.time() - path.stat().st_mtime


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _browsers(root: Path) -> list[Path]:
    return [path for path in _listed(root) if path.is_dir()]


def _files(folders: list[Path]) -> list[tuple[Path, int, float]]:
    """Path, bytes and last use of each image, the one used longest ago first."""
    found = []
    for folder in folders:
        for path in _listed(folder / FOLDER):
            with contextlib.suppress(OSError):
                if not path.name.startswith(atomic_file.PREFIX):
                    about = path.stat()
                    found.append((path, about.st_size, about.st_mtime))
    return sorted(found, key=lambda item: item[2])


def _make_room(folders: list[Path], most: int, but: Collection[str]) -> None:
    files = _files(folders)
    total = sum(size for _, size, _ in files)
    for path, size, _ in files:
        if total <= most:
            return
        if path.name not in but:
            total -= _unlink(path, size)


def _unlink(path: Path, size: int) -> int:
    try:
        path.unlink()
    except OSError:
        return 0
    return size


def _safe(scene_hash: str) -> str:
    return "".join(sign for sign in scene_hash if sign.isascii() and sign.isalnum())[:64] or "image"
