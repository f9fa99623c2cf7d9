"""Checkpoints on disk: where they are, whether they are whole, and how to get them."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pooch
import requests

from rsam_core.errors import DownloadError, ModelError
from rsam_core.models.catalog import ModelInfo, resolve
from rsam_core.models.place import State, models_folder
from rsam_core.models.transfer import Downloader, TransferError, fetch

SPARE_BYTES = 100_000_000
"""Room that a download leaves free on the disk."""

_PARTIAL = ".rsam-partial"
# Far longer than a download may be silent and than the check of its content takes.
_ABANDONED_AFTER = 600.0


def install_hint(model: str | ModelInfo) -> str:
    """Say how to install a checkpoint without this computer being online.

    Parameters
    ----------
    model : str or ModelInfo

    Returns
    -------
    str
        The end of a sentence, with the address, the file name and the folder.
    """
    info = resolve(model)
    return (
        f"on a computer with internet access, download {info.url} and put the file "
        f"{info.file} into the folder {models_folder()} of this one."
    )


def state(model: str | ModelInfo) -> State:
    """Tell quickly whether a model can be used.

    The size of the file and the remembered result of its last check are looked at; the content is
    checked when the file is first loaded (see `find`).

    Parameters
    ----------
    model : str or ModelInfo

    Returns
    -------
    {"ready", "downloadable", "damaged"}
    """
    info = resolve(model)
    if info.embedded:
        return "ready"
    path = _path(info)
    if not path.is_file():
        return "downloadable"
    if info.bytes is not None and path.stat().st_size != info.bytes:
        return "damaged"
    known = _remembered_hash(path)
    return "damaged" if known is not None and not _is_right(info, known) else "ready"


def find(model: str | ModelInfo) -> Path | None:
    """Locate the checkpoint of a model and make sure that it is the right one.

    The content is hashed once; the result is remembered beside the file for as long as its size
    and its modification time stay the same.

    Parameters
    ----------
    model : str or ModelInfo

    Returns
    -------
    Path or None
        None if there is no such file yet, or if the weights come with RSAM.

    Raises
    ------
    ModelError
        If the file is there but is not the published one.
    """
    info = resolve(model)
    if info.embedded:
        return None
    path = _path(info)
    if not path.is_file():
        return None
    remedy = "Download it again on the Models page, or delete it and copy the file anew."
    size = path.stat().st_size
    if info.bytes is not None and size != info.bytes:
        raise ModelError(
            f"{path} is damaged: it has {size:,} bytes instead of {info.bytes:,}. {remedy}"
        )
    known = _remembered_hash(path)
    if known is None:
        try:
            known = pooch.file_hash(str(path), alg="sha256")
        except OSError as error:
            raise ModelError(
                f"{path} cannot be read ({error.strerror}). Check its permissions."
            ) from error
        _remember_hash(path, known)
    if not _is_right(info, known):
        raise ModelError(
            f"{path} is not the published file: its SHA-256 is {known[:12]}… instead of "
            f"{str(info.sha256)[:12]}…. {remedy}"
        )
    return path


def download(
    model: str | ModelInfo,
    progress: Callable[[int, int | None], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Path:
    """Download a checkpoint, check its SHA-256 and put it in the models folder.

    The file appears under its name only once it is whole; whatever goes wrong leaves nothing
    behind, and a damaged file that was there before stays until it can be replaced.

    Parameters
    ----------
    model : str or ModelInfo
    progress : callable, optional
        Called as ``progress(bytes_done, bytes_total or None)`` while it runs.
    cancel : callable, optional
        Asked often; when it returns True the download stops.

    Returns
    -------
    Path
        The checkpoint.

    Raises
    ------
    DownloadError
        If the server cannot be reached, the content is not the published one, or the disk is full
        or read-only.
    Cancelled
        If `cancel` asked for it.
    """
    info = resolve(model)
    if info.embedded or info.url is None:
        raise DownloadError(f"{info.title} comes with RSAM; there is nothing to download.")
    if state(info) == "ready":
        with contextlib.suppress(ModelError):
            if (path := find(info)) is not None:
                return path
    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder)
        _require_space(folder, info)
        with _staging(folder, info) as staging:
            whole = fetch(info, staging, Downloader(info, progress, cancel))
            # Temporary files are private; other users of a shared folder need to read the model.
            whole.chmod(0o644)
            os.replace(whole, _path(info))
    except TransferError as error:
        raise DownloadError(
            f"{info.title} was not downloaded: {error}. Nothing was kept. Check the internet "
            f"connection and try again, or install the file by hand: {install_hint(info)}"
        ) from error
    except OSError as error:
        raise DownloadError(
            f"The models folder {folder} cannot be written ({error.strerror or error}). Free "
            "some space, correct its permissions, or set the environment variable RSAM_MODELS "
            "to another folder and start RSAM again."
        ) from error
    if info.sha256 is not None:
        _remember_hash(_path(info), info.sha256)
    return _path(info)


def reachable(model: str | ModelInfo, timeout: float = 3.0) -> bool:
    """Ask the server whether it has the checkpoint, without downloading it.

    Parameters
    ----------
    model : str or ModelInfo
    timeout : float
        Seconds to wait for an answer.

    Returns
    -------
    bool
        False if the server cannot be reached or does not have the file.
    """
    info = resolve(model)
    if info.url is None:
        return False
    try:
        with requests.head(info.url, timeout=timeout, allow_redirects=True) as response:
            return response.ok
    except requests.RequestException:
        return False


def _require_space(folder: Path, info: ModelInfo) -> None:
    free = shutil.disk_usage(folder).free
    needed = (info.bytes or 0) + SPARE_BYTES
    if free < needed:
        raise DownloadError(
            f"{info.title} needs {needed / 1e9:.1f} GB on the disk of {folder}, where "
            f"{free / 1e9:.1f} GB are free. Free some space, or set the environment variable "
            "RSAM_MODELS to a folder on another disk and start RSAM again."
        )


@contextlib.contextmanager
def _staging(folder: Path, info: ModelInfo) -> Iterator[Path]:
    """A temporary folder on the same disk, so that the last step is one atomic rename."""
    name = tempfile.mkdtemp(prefix=f".{info.file}.", suffix=_PARTIAL, dir=folder)
    remove = partial(shutil.rmtree, name, ignore_errors=True)
    # Closing the program kills background downloads before they can clean up.
    atexit.register(remove)
    try:
        yield Path(name)
    finally:
        remove()
        atexit.unregister(remove)


def _remove_abandoned(folder: Path) -> None:
    """Remove what downloads left whose process was killed; a running one is recent."""
    for staging in folder.glob(f".*{_PARTIAL}"):
        with contextlib.suppress(OSError):  # another process may remove it at the same time
            times = [entry.stat().st_mtime for entry in (staging, *staging.iterdir())]
            if time.time() - max(times) > _ABANDONED_AFTER:
                shutil.rmtree(staging, ignore_errors=True)


def _path(info: ModelInfo) -> Path:
    return models_folder() / str(info.file)


def _is_right(info: ModelInfo, sha256: str) -> bool:
    return info.sha256 is None or sha256.lower() == info.sha256.lower()


def _sidecar(path: Path) -> Path:
    return path.with_name(f".{path.name}.checked.json")


def _remembered_hash(path: Path) -> str | None:
    """The SHA-256 found by the last check, unless the file has changed since."""
    try:
        record = json.loads(_sidecar(path).read_text(encoding="utf-8"))
        found = path.stat()
        same = (record["size"], record["mtime_ns"]) == (found.st_size, found.st_mtime_ns)
        return str(record["sha256"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember_hash(path: Path, sha256: str) -> None:
    found = path.stat()
    record = {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": sha256}
    # A folder that is read-only costs a check at every start, nothing more.
    with contextlib.suppress(OSError):
        _sidecar(path).write_text(json.dumps(record), encoding="utf-8")
