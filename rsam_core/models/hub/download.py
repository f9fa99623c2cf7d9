"""Downloading a model of the hub: list, licence, resume, checksums, one whole folder at the end."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from rsam_core.errors import Cancelled, DownloadError
from rsam_core.models import transfer
from rsam_core.models.hub.catalog import HubInfo
from rsam_core.models.hub.folders import check, folder_of, state

SPARE_BYTES = 100_000_000
"""Room that a download leaves free on the disk."""

RECORD = "rsam.json"
"""File in a downloaded folder that says where it came from and whose licence was accepted."""

_PARTIAL = ".rsam-hub-partial"
_CHUNK = 1 << 16
_MAX_LIST = 4_000_000
_WANTED = re.compile(
    r"(config|preprocessor_config|processor_config|tokenizer|tokenizer_config|vocab"
    r"|special_tokens_map|added_tokens|model\.safetensors\.index)\.json"
    r"|vocab\.txt|merges\.txt|(LICENSE|NOTICE)[\w.-]{0,20}"
    r"|model(-\d{5}-of-\d{5})?\.safetensors"
)


@dataclass(frozen=True)
class RemoteFile:
    """A file that the hub offers.

    Attributes
    ----------
    name : str
    size : int
        Bytes.
    sha256 : str or None
        Checksum of a large file.
    blob : str or None
        Checksum of a small file, as Git counts it: SHA-1 over a header and the content.
    """

    name: str
    size: int
    sha256: str | None
    blob: str | None


def host() -> str:
    """Address of the hub: ``HF_ENDPOINT``, as other programs call it, or the public one."""
    return (os.environ.get("HF_ENDPOINT", "").strip() or "https://huggingface.co").rstrip("/")


def partial_bytes(info: HubInfo) -> int:
    """Bytes of a download that was stopped and will go on; 0 if there are none."""
    folder = _staging(info)
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def download(
    info: HubInfo,
    accepted: bool,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Path:
    """Download a model, check every file and put the folder in the models folder.

    The folder appears under its name only once it is whole. What arrived of a download that was
    stopped is kept, and the next one goes on there.

    Parameters
    ----------
    info : HubInfo
        One with a repository.
    accepted : bool
        Whether the user has read and accepted the licence.
    progress : callable, optional
        Called as ``progress(bytes_done, bytes_total)``.
    cancel : callable, optional
        Asked often; when it returns True the download stops.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DownloadError
        If the licence was not accepted, access was not granted, the server cannot be reached, the
        content is not what it announces, or the disk is full or read-only.
    Cancelled
        If `cancel` asked for it.
    """
    if info.repository is None:
        raise DownloadError(f"{info.title} is your own folder; there is nothing to download.")
    if not accepted:
        raise DownloadError(
            f"{info.title} comes under the licence {info.licence}. Read it at "
            f"{info.licence_url} and accept it first."
        )
    final = folder_of(info)
    if state(info) == "ready":
        return final
    fetching = _Fetching(info, progress or (lambda done, total: None), cancel or (lambda: False))
    try:
        files, commit = list_files(info)
        staging = _staging(info)
        staging.mkdir(parents=True, exist_ok=True)
        fetching.all_of(files, commit, staging)
        check(staging)
        _write_record(info, files, commit, staging)
        _make_room(final)
        os.replace(staging, final)
        return final
    except transfer.TransferError as error:
        raise DownloadError(
            f"{info.title} was not downloaded: {error}. What arrived is kept; try again and it "
            f"goes on from there. Without internet, {by_hand(info)}"
        ) from error
    except OSError as error:
        raise DownloadError(
            f"The models folder {final.parent} cannot be written ({error.strerror or error}). "
            "Free some space, correct its permissions, or set the environment variable "
            "RSAM_MODELS to another folder and start RSAM again."
        ) from error


def by_hand(info: HubInfo) -> str:
    """How to install a model without this computer being online; the end of a sentence."""
    return (
        f"download the files at {info.page}/tree/main on another computer (those that end in "
        f".json, .txt or .safetensors) and put them into the folder {folder_of(info)} of this one."
    )


def access_hint(info: HubInfo) -> str:
    """How to be let in by a model's owner; whole sentences."""
    return (
        f"The owner of {info.title} grants access to each user. Open {info.page}, sign in, accept "
        "the conditions and wait for the answer. Then either start RSAM with the environment "
        "variable HF_TOKEN set to an access token of your account, or download the files there "
        f"and put them into the folder {folder_of(info)}."
    )


def reachable(info: HubInfo, timeout: float = 3.0) -> bool:
    """Whether the hub answers at all; that access may need to be granted is another matter."""
    if info.repository is None:
        return False
    try:
        address = f"{host()}/api/models/{info.repository}"
        with requests.head(address, timeout=timeout, allow_redirects=True) as response:
            return response.status_code < 500
    except requests.RequestException:
        return False


def list_files(info: HubInfo) -> tuple[list[RemoteFile], str]:
    """The files of a model that RSAM needs, and the state of the repository they belong to.

    Raises
    ------
    DownloadError
        If access was not granted, or there are no weights of a format that RSAM opens.
    TransferError
        If the list did not arrive.
    """
    about = _json(info, f"{host()}/api/models/{info.repository}")
    commit = str(about.get("sha", "")) if isinstance(about, dict) else ""
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        raise transfer.TransferError("the server's answer is not a description of the model")
    entries = _json(info, f"{host()}/api/models/{info.repository}/tree/{commit}")
    if not isinstance(entries, list):
        raise transfer.TransferError("the server's answer is not a list of files")
    files = [file for file in map(_file, entries) if file is not None]
    names = {file.name for file in files}
    if "model.safetensors" in names:
        files = [f for f in files if not re.match(r"model(-|\.safetensors\.index)", f.name)]
    if not any(f.name.endswith(".safetensors") for f in files) or "config.json" not in names:
        raise DownloadError(
            f"{info.page} offers no weights in the format safetensors. Files of other formats can "
            "run a program when they are opened, so RSAM does not download them."
        )
    return sorted(files, key=lambda file: file.size), commit


def _file(entry: Any) -> RemoteFile | None:
    """One entry of the list, if it is a file that is wanted."""
    try:
        name, size = str(entry["path"]), int(entry["size"])
        if entry["type"] != "file" or not _WANTED.fullmatch(name) or size < 0:
            return None
        large = entry.get("lfs") or {}
        sha256 = str(large["oid"]).removeprefix("sha256:") if "oid" in large else None
        blob = None if sha256 else str(entry.get("oid") or "") or None
        return RemoteFile(name, int(large.get("size", size)), sha256, blob)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _headers() -> dict[str, str]:
    # Compressed transfer would make the announced length something else than the file's.
    headers = {"Accept-Encoding": "identity"}
    token = os.environ.get("HF_TOKEN", "").strip()
    if token and host().startswith("https://"):
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _json(info: HubInfo, address: str) -> Any:
    with _answer(info, address, {}) as response:
        text = b""
        for piece in response.iter_content(_CHUNK):
            text += piece
            if len(text) > _MAX_LIST:
                raise transfer.TransferError("the server sends an endless list of files")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise transfer.TransferError("the server's answer cannot be read") from error


@contextlib.contextmanager
def _answer(info: HubInfo, address: str, more: dict[str, str]) -> Any:
    """A server's answer; every way to fail becomes one of our own errors."""
    timeout = (transfer.CONNECT_TIMEOUT, transfer.READ_TIMEOUT)
    begun = False
    try:
        headers = {**_headers(), **more}
        with requests.get(address, stream=True, timeout=timeout, headers=headers) as response:
            if response.status_code in (401, 403):
                raise DownloadError(access_hint(info))
            if response.status_code == 404:
                raise transfer.TransferError("the server does not have it (any more)")
            if response.status_code != 416:
                response.raise_for_status()
            begun = True
            yield response
    except requests.HTTPError as error:
        code = error.response.status_code
        raise transfer.TransferError(f"the server answered with error {code}") from error
    except requests.RequestException as error:
        if begun:
            reason = "the connection broke off"
        elif isinstance(error, requests.Timeout):
            reason = "the server did not answer in time"
        else:
            reason = "the server cannot be reached"
        raise transfer.TransferError(reason) from error


class _Fetching:
    """Fetches files one after another into a folder."""

    def __init__(
        self, info: HubInfo, progress: Callable[[int, int], None], cancel: Callable[[], bool]
    ) -> None:
        self.info, self.progress, self.cancel = info, progress, cancel
        self.done = self.total = 0
        self.commit = "main"

    def all_of(self, files: list[RemoteFile], commit: str, folder: Path) -> None:
        """Fetch what is not there yet of one state of the repository, and check all of it."""
        self.commit = commit
        self.total = sum(file.size for file in files)
        names = {file.name for file in files}
        for path in folder.iterdir():
            if path.name not in names:
                path.unlink()
        self._require_space(folder)
        for file in files:
            self._one(file, folder / file.name)

    def _one(self, file: RemoteFile, path: Path) -> None:
        have = path.stat().st_size if path.is_file() else 0
        if have > file.size:
            path.unlink()
            have = 0
        before = self.done
        if have < file.size or not path.is_file():
            try:
                self._get(file, path, have)
            except (requests.RequestException, transfer.TransferError):
                self._stop_if_cancelled()
                raise
        if not _is_right(file, path):
            path.unlink()
            raise transfer.TransferError(
                f"what arrived as {file.name} is not the published file (another checksum)"
            )
        self.done = before + file.size
        self.progress(self.done, self.total)

    def _get(self, file: RemoteFile, path: Path, have: int) -> None:
        self._stop_if_cancelled()
        address = f"{host()}/{self.info.repository}/resolve/{self.commit}/{file.name}"
        more = {"Range": f"bytes={have}-"} if have else {}
        with _answer(self.info, address, more) as response:
            if response.status_code == 416:
                path.unlink()
                raise transfer.TransferError(f"the server cannot go on with {file.name}")
            # A server that does not know how to go on sends all of it again.
            goes_on = response.status_code == 206
            at = have if goes_on else 0
            with open(path, "ab" if goes_on else "wb") as target:
                for piece in response.iter_content(_CHUNK):
                    self._stop_if_cancelled()
                    at += len(piece)
                    if at > file.size:
                        raise transfer.TransferError(
                            f"the server sends more than the {file.size:,} bytes of {file.name}"
                        )
                    target.write(piece)
                    self.progress(self.done + at, self.total)
            if at < file.size:
                raise transfer.TransferError("the connection broke off")

    def _stop_if_cancelled(self) -> None:
        if self.cancel():
            raise Cancelled(f"The download of {self.info.title} was stopped.")

    def _require_space(self, folder: Path) -> None:
        missing = self.total - partial_bytes(self.info) + SPARE_BYTES
        free = shutil.disk_usage(folder).free
        if free < missing:
            raise DownloadError(
                f"{self.info.title} needs {missing / 1e9:.1f} GB more on the disk of "
                f"{folder.parent}, where {free / 1e9:.1f} GB are free. Free some space, or set "
                "the environment variable RSAM_MODELS to a folder on another disk and start RSAM "
                "again."
            )


def _is_right(file: RemoteFile, path: Path) -> bool:
    """Whether a file has the announced size and checksum."""
    if path.stat().st_size != file.size:
        return False
    if file.sha256 is None and file.blob is None:
        return True
    if file.sha256 is not None:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with open(path, "rb") as source:
        while piece := source.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest() == (file.sha256 or file.blob)


def _staging(info: HubInfo) -> Path:
    folder = folder_of(info)
    return folder.with_name(f".{folder.name}{_PARTIAL}")


def _make_room(final: Path) -> None:
    """Take a folder away that is damaged; what the user put there himself is put aside."""
    if not final.exists():
        return
    if (final / RECORD).is_file():
        shutil.rmtree(final)
        return
    number = 1
    while (aside := final.with_name(f".{final.name}.before-{number}")).exists():
        number += 1
    os.replace(final, aside)


def _write_record(info: HubInfo, files: list[RemoteFile], commit: str, folder: Path) -> None:
    """Keep where the files came from, and that the licence was accepted."""
    record = {
        "source": info.page,
        "commit": commit,
        "licence": info.licence,
        "licence_url": info.licence_url,
        "licence_accepted": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {file.name: file.sha256 or file.blob for file in files},
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")
