"""Downloading folders of models from a small hub on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save

from rsam_core.errors import Cancelled, DownloadError
from rsam_core.models import downloads, transfer
from rsam_core.models.hub import download as hub
from rsam_core.models.hub.catalog import HUB
from rsam_core.models.hub.folders import check
from tests.helpers.waiting import PATIENCE

WEIGHTS = save({"weight": torch.arange(200_000, dtype=torch.float32)})
CONFIG = json.dumps({"model_type": "sam2"}).encode()
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def blob(content: bytes) -> str:
    """Git's name of a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub:
    """What the server has, and how it misbehaves."""

    def __init__(self) -> None:
        self.files = {
            "config.json": CONFIG,
            "model.safetensors": WEIGHTS,
            "LICENSE": b"Do good.",
            "README.md": b"# never fetched",
            "pytorch_model.bin": b"never fetched",
            "code.py": b"never fetched",
        }
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.cut_at: int | None = None
        self.status = 200
        self.ranges = True
        self.corrupt = False

    def listing(self) -> list[dict]:
        rows = [{"type": "directory", "path": "images", "size": 0, "oid": "x"}]
        for name, content in self.files.items():
            row = {"type": "file", "path": name, "size": len(content), "oid": blob(content)}
            if name.endswith((".safetensors", ".bin")):
                row["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
            rows.append(row)
        return rows

    def answer(self, path: str) -> bytes | None:
        if path == "/api/models/owner/model":
            return json.dumps({"sha": COMMIT}).encode()
        if path == f"/api/models/owner/model/tree/{COMMIT}":
            return json.dumps(self.listing()).encode()
        content = self.files.get(path.removeprefix(f"/owner/model/resolve/{COMMIT}/"))
        return content[::-1] if content and self.corrupt and "safetensors" in path else content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.send_response(self.server.hub.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        shown: Hub = self.server.hub
        asked = self.headers.get("Range")
        shown.asked.append((self.path, asked, self.headers.get("Authorization")))
        body = shown.answer(self.path)
        status = 404 if body is None else shown.status
        body = body or b""
        if status == 200 and asked and shown.ranges:
            status, body = 206, body[int(asked.removeprefix("bytes=").rstrip("-")) :]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.close_connection = True
        self.end_headers()
        if shown.cut_at is not None and "safetensors" in self.path:
            body = body[: shown.cut_at]
        with contextlib.suppress(ConnectionError):  # some tests want the client to go
            self.wfile.write(body)

    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def remote(server, tmp_path, monkeypatch) -> Hub:
    server.hub = Hub()
    monkeypatch.setenv("RSAM_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(transfer, "CONNECT_TIMEOUT", PATIENCE)
    monkeypatch.setattr(transfer, "READ_TIMEOUT", PATIENCE)
    monkeypatch.setattr(hub, "reachable", partial(hub.reachable, timeout=PATIENCE))
    return server.hub


@pytest.fixture
def info():
    return replace(HUB[0], repository="owner/model")


def test_only_what_is_needed_arrives_whole_and_its_origin_is_kept(remote, info):
    told = []
    folder = hub.download(info, True, progress=lambda done, total: told.append((done, total)))
    assert sorted(p.name for p in folder.iterdir()) == [
        "LICENSE",
        "config.json",
        "model.safetensors",
        hub.RECORD,
    ]
    assert check(folder) == "sam2"
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    total = len(WEIGHTS) + len(CONFIG) + len(b"Do good.")
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    record = json.loads((folder / hub.RECORD).read_text())
    assert record["commit"] == COMMIT
    assert record["licence"] == "Apache-2.0"
    assert record["files"]["model.safetensors"] == hashlib.sha256(WEIGHTS).hexdigest()
    assert [p.name for p in folder.parent.iterdir()] == [folder.name], "nothing is left over"
    asked = len(remote.asked)
    assert hub.download(info, True) == folder
    assert len(remote.asked) == asked, "nothing is fetched twice"


def test_the_licence_comes_first(remote, info):
    with pytest.raises(DownloadError, match=r"licence Apache-2\.0.*apache\.org.*accept"):
        hub.download(info, False)
    assert remote.asked == []


def test_a_broken_download_goes_on(remote, info):
    remote.cut_at = 300_000
    with pytest.raises(DownloadError, match=r"broke off.*is kept; try again"):
        hub.download(info, True)
    small = len(CONFIG) + len(b"Do good.")
    have = hub.partial_bytes(info) - small
    assert 200_000 < have <= 300_000
    remote.cut_at = None
    remote.asked.clear()
    folder = hub.download(info, True)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    fetched = [(path.rpartition("/")[2], ranged) for path, ranged, _ in remote.asked[2:]]
    assert fetched == [("model.safetensors", f"bytes={have}-")]
    assert hub.partial_bytes(info) == 0


def test_a_server_that_cannot_go_on_sends_all_again(remote, info):
    remote.cut_at = 300_000
    with pytest.raises(DownloadError):
        hub.download(info, True)
    remote.cut_at, remote.ranges = None, False
    assert (hub.download(info, True) / "model.safetensors").read_bytes() == WEIGHTS


def test_cancelling_keeps_what_has_arrived(remote, info):
    seen = []
    with pytest.raises(Cancelled):
        hub.download(
            info, True, progress=lambda done, _: seen.append(done), cancel=lambda: len(seen) > 5
        )
    assert hub.partial_bytes(info) > 0
    assert not hub.folder_of(info).exists()
    assert (hub.download(info, True) / "model.safetensors").read_bytes() == WEIGHTS


def test_another_content_than_announced_is_refused(remote, info):
    remote.corrupt = True
    with pytest.raises(DownloadError, match=r"model\.safetensors is not the published file"):
        hub.download(info, True)
    assert not hub.folder_of(info).exists()
    remote.corrupt = False
    assert (hub.download(info, True) / "model.safetensors").read_bytes() == WEIGHTS


def test_small_files_are_checked_too(remote, info, monkeypatch):
    rows = remote.listing()
    rows[1]["oid"] = "0" * 40
    monkeypatch.setattr(remote, "listing", lambda: rows)
    with pytest.raises(DownloadError, match=r"config\.json is not the published file"):
        hub.download(info, True)


def test_only_files_that_can_run_programs(remote, info):
    del remote.files["model.safetensors"]
    with pytest.raises(DownloadError, match="no weights in the format safetensors"):
        hub.download(info, True)


def test_names_that_lead_elsewhere_are_left_alone(remote, info):
    remote.files["../evil.json"] = b"{}"
    remote.files["sub/config.json"] = b"{}"
    folder = hub.download(info, True)
    assert not (folder.parent / "evil.json").exists()
    assert not (folder / "sub").exists()


@pytest.mark.parametrize("status", [401, 403])
def test_access_that_must_be_granted_is_explained(remote, info, status):
    remote.status = status
    with pytest.raises(DownloadError, match=r"grants access.*HF_TOKEN.*into the folder") as caught:
        hub.download(info, True)
    assert str(hub.folder_of(info)) in str(caught.value)


def test_the_token_is_not_sent_over_an_open_line(remote, info, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub.download(info, True)
    assert {token for _, _, token in remote.asked} == {None}
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    assert hub._headers()["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("status", [404, 500, 503])
def test_servers_that_fail(remote, info, status):
    remote.status = status
    with pytest.raises(DownloadError, match=r"SAM 2\.1 tiny was not downloaded.*Without internet"):
        hub.download(info, True)
    assert hub.reachable(info) == (status < 500)


def test_no_connection_is_said_at_once(remote, info, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="the server cannot be reached"):
        hub.download(info, True)
    assert not hub.reachable(info)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"sha": "../../x"}', b'{"sha": 7}'])
def test_answers_that_make_no_sense(remote, info, monkeypatch, answer):
    monkeypatch.setattr(remote, "answer", lambda path: answer)
    with pytest.raises(DownloadError, match="was not downloaded"):
        hub.download(info, True)


def test_too_little_space(remote, info, monkeypatch):
    monkeypatch.setattr(hub.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(DownloadError, match=r"needs 0\.1 GB more"):
        hub.download(info, True)


def test_what_the_user_put_there_is_put_aside_not_deleted(remote, info):
    folder = hub.folder_of(info)
    folder.mkdir(parents=True)
    (folder / "pytorch_model.bin").write_bytes(b"mine")
    hub.download(info, True)
    (kept,) = folder.parent.glob(".*before*")
    assert (kept / "pytorch_model.bin").read_bytes() == b"mine"


class TestInTheBackground:
    @pytest.fixture(autouse=True)
    def fresh(self):
        downloads.forget()
        yield
        downloads.forget()

    def test_from_missing_to_ready(self, remote, info):
        while downloads.status(info) == "checking":
            threading.Event().wait(0.005)
        assert downloads.status(info) == "downloadable"
        job = downloads.start(info, True)
        assert job.wait(PATIENCE)
        assert job.state == "done"
        assert downloads.status(info) == "ready"

    def test_offline(self, remote, info, monkeypatch):
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        while downloads.status(info) == "checking":
            threading.Event().wait(0.005)
        assert downloads.status(info) == "unreachable"

    def test_one_check_serves_all_models_of_the_hub(self, remote, info, monkeypatch):
        asked = []
        monkeypatch.setattr(hub, "reachable", lambda info: bool(asked.append(info)) or True)
        for one in HUB:
            while downloads.status(one) == "checking":
                threading.Event().wait(0.005)
        assert len(asked) == 1
