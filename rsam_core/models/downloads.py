"""Downloads and connection checks in the background, shared by every browser session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

from rsam_core.models import weights
from rsam_core.models.catalog import ModelInfo, resolve
from rsam_core.models.hub import download as hub_download
from rsam_core.models.hub import folders as hub_folders
from rsam_core.models.hub.catalog import HubInfo
from rsam_core.runtime.jobs import Job, JobRegistry

Status = Literal["ready", "downloadable", "downloading", "checking", "unreachable", "damaged"]
"""What to tell a person about a model; ``"checking"`` lasts a few seconds at most."""

CHECK_VALID_FOR = 300.0
"""Seconds for which the answer of a connection check is believed."""

_downloads = JobRegistry()
_checks = JobRegistry()
_checked_at: dict[str, float] = {}
_lock = threading.Lock()


def start(model: str | ModelInfo, accepted: bool = False) -> Job:
    """Download a model in the background.

    Parameters
    ----------
    model : str or ModelInfo
    accepted : bool
        Whether its licence was accepted; only models of the hub ask.

    Returns
    -------
    Job
        The running download of that model if there is one, whichever session started it. Its
        result is the path of the checkpoint.
    """
    info = resolve(model)
    if isinstance(info, HubInfo):
        return _downloads.start(info.name, _download_folder, info, accepted)
    return _downloads.start(info.name, _download, info)


def current(model: str | ModelInfo) -> Job | None:
    """The last download of a model since the program started.

    Parameters
    ----------
    model : str or ModelInfo

    Returns
    -------
    Job or None
        Running or finished; None if there was none.
    """
    return _downloads.get(resolve(model).name)


def status(model: str | ModelInfo) -> Status:
    """Sum up file, download and connection in one word, without ever waiting.

    Parameters
    ----------
    model : str or ModelInfo

    Returns
    -------
    {"ready", "downloadable", "downloading", "checking", "unreachable", "damaged"}
    """
    info = resolve(model)
    job = current(info)
    if job is not None and not job.finished:
        return "downloading"
    state = hub_folders.state(info) if isinstance(info, HubInfo) else weights.state(info)
    if state != "downloadable":
        return state
    return {True: "downloadable", False: "unreachable", None: "checking"}[reachability(info)]


def reachability(model: str | ModelInfo) -> bool | None:
    """Tell whether a model's server can be reached, without ever waiting for it.

    Parameters
    ----------
    model : str or ModelInfo

    Returns
    -------
    bool or None
        None while a check is running; the first call starts one in the background.
    """
    info = resolve(model)
    # All models of the hub are on one server.
    key = info.family if isinstance(info, HubInfo) else info.name
    with _lock:
        job = _checks.get(key)
        age = time.monotonic() - _checked_at.get(key, 0.0)
        if job is None or (job.finished and age > CHECK_VALID_FOR):
            _checked_at[key] = time.monotonic()
            job = _checks.start(key, _check, info)
    return bool(job.result) if job.finished else None


def forget_reachability() -> None:
    """Let the next calls of `reachability` check the connection again."""
    with _lock:
        _checks.clear()


def forget() -> None:
    """Forget finished downloads, their errors and all connection checks."""
    _downloads.clear()
    forget_reachability()


def _download(
    info: ModelInfo,
    *,
    progress: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> object:
    def report(done: int, total: int | None) -> None:
        if total and done >= total:
            progress(1.0, "Checking the file")
        elif total:
            progress(done / total, f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB")
        else:
            progress(0.0, f"{done / 1e6:,.0f} MB")

    progress(0.0, "Connecting")
    return weights.download(info, progress=report, cancel=cancelled)


def _download_folder(
    info: HubInfo,
    accepted: bool,
    *,
    progress: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> object:
    def report(done: int, total: int) -> None:
        progress(done / max(total, 1), f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    progress(0.0, "Connecting")
    return hub_download.download(info, accepted, progress=report, cancel=cancelled)


def _check(
    info: ModelInfo,
    *,
    progress: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> bool:
    if isinstance(info, HubInfo):
        return hub_download.reachable(info)
    return weights.reachable(info)
