"""Fetching one file over HTTP: progress, cancelling, timeouts, and a check of what arrived."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pooch
import requests

from rsam_core.errors import Cancelled
from rsam_core.models.info import ModelInfo

CONNECT_TIMEOUT = 10.0
"""Seconds until a server that does not answer is given up."""

READ_TIMEOUT = 20.0
"""Seconds of silence in the middle of a download until it is given up."""

_CHUNK = 1 << 16


class TransferError(Exception):
    """Why a file did not arrive, as the middle of a sentence."""


class Downloader:
    """Streams a URL into a file in the way that pooch calls it.

    Parameters
    ----------
    info : ModelInfo
        The model whose checkpoint is fetched.
    progress : callable, optional
        Called as ``progress(bytes_done, bytes_total or None)``.
    cancel : callable, optional
        Asked before each piece; when it returns True the download stops.
    """

    def __init__(
        self,
        info: ModelInfo,
        progress: Callable[[int, int | None], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> None:
        self._info = info
        self._progress = progress or (lambda done, total: None)
        self._cancel = cancel or (lambda: False)
        self.started = False

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        """Download; see `pooch.HTTPDownloader`.

        Raises
        ------
        TransferError
            If the server offers something that cannot be the published file.
        Cancelled
            If `cancel` asked for it.
        """
        timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
        # Compressed transfer would make the announced length something else than the file's.
        headers = {"Accept-Encoding": "identity"}
        expected = self._info.bytes
        self.stop_if_cancelled()
        with requests.get(url, stream=True, timeout=timeout, headers=headers) as response:
            response.raise_for_status()
            self.started = True
            announced = response.headers.get("Content-Length", "")
            total = int(announced) if announced.isdigit() else None
            if expected is not None and total not in (None, expected):
                raise TransferError(f"the server offers {total:,} bytes instead of {expected:,}")
            done = 0
            with open(output_file, "wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    self.stop_if_cancelled()
                    done += len(chunk)
                    if expected is not None and done > expected:
                        raise TransferError(f"the server sends more than {expected:,} bytes")
                    file.write(chunk)
                    self._progress(done, total or expected)

    def stop_if_cancelled(self) -> None:
        """Raise `Cancelled` if `cancel` asks for it."""
        if self._cancel():
            raise Cancelled(f"The download of {self._info.title} was cancelled.")


def fetch(info: ModelInfo, staging: Path, downloader: Downloader) -> Path:
    """Download a checkpoint into a folder and check its SHA-256.

    Parameters
    ----------
    info : ModelInfo
    staging : Path
        An existing folder; its content is the caller's to remove afterwards.
    downloader : Downloader

    Returns
    -------
    Path
        The checked file.

    Raises
    ------
    TransferError
        If it did not arrive, or is not the published one.
    OSError
        If the folder cannot be written.
    Cancelled
        If the downloader was asked to stop.
    """
    try:
        path = pooch.retrieve(
            info.url, info.sha256, fname=info.file, path=staging, downloader=downloader
        )
    except requests.HTTPError as error:
        raise TransferError(
            f"the server answered with error {error.response.status_code}"
        ) from error
    except requests.RequestException as error:
        # Whoever cancels a download that hangs has cancelled it, whatever ends it then.
        downloader.stop_if_cancelled()
        if downloader.started:
            reason = "the connection broke off"
        elif isinstance(error, requests.Timeout):
            reason = "the server did not answer in time"
        else:
            reason = "the server cannot be reached"
        raise TransferError(reason) from error
    except ValueError as error:  # how pooch reports another hash
        reason = "what arrived is not the published file (another SHA-256)"
        raise TransferError(reason) from error
    return Path(path)
