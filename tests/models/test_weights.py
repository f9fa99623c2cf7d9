from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest
import requests

from rsam_core.errors import Cancelled, DownloadError, ModelError
from rsam_core.models import downloads, transfer, weights
from rsam_core.models.catalog import ModelInfo
from tests.helpers.waiting import PATIENCE

CONTENT = bytes(range(256)) * 4096  # 1 MiB
WRONG = CONTENT[:-1] + b"!"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()

    def do_GET(self):
        self.server.requests.append(self.path)
        body = {"/wrong": WRONG, "/page": b"<html>Please sign in</html>"}.get(self.path, CONTENT)
        self.send_response(404 if self.path == "/missing" else 200)
        self.close_connection = True
        if self.path != "/endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            if self.path == "/cut":
                self.wfile.write(body[:300_000])
            elif self.path == "/stall":
                self.wfile.write(body[:300_000])
                self.wfile.flush()
                self.server.release.wait(PATIENCE)
            elif self.path == "/endless":
                for _ in range(50):
                    self.wfile.write(body)
            else:
                self.wfile.write(body)
        except ConnectionError:
            pass  # the client has gone, as some tests want it

    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.requests = []
        server.release = threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.release.set()
        server.shutdown()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    monkeypatch.setenv("RSAM_MODELS", str(folder))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(transfer, "CONNECT_TIMEOUT", PATIENCE)
    monkeypatch.setattr(transfer, "READ_TIMEOUT", PATIENCE)
    monkeypatch.setattr(weights, "reachable", partial(weights.reachable, timeout=PATIENCE))
    return folder


@pytest.fixture
def model(server, folder):
    def make(path: str = "/model.pth", port: int | None = None, **changes) -> ModelInfo:
        facts = {
            "name": "test",
            "title": "Test model",
            "family": "sam",
            "description": "",
            "licence": "Apache-2.0",
            "memory_mb": 1,
            "file": "model.pth",
            "bytes": len(CONTENT),
            "sha256": hashlib.sha256(CONTENT).hexdigest(),
            "url": f"http://127.0.0.1:{port or server.server_address[1]}{path}",
        }
        return ModelInfo(**(facts | changes))

    return make


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def place(folder: Path, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.pth"
    path.write_bytes(content)
    return path


class TestFolder:
    def test_environment_variable_decides(self, monkeypatch):
        monkeypatch.setenv("RSAM_MODELS", "~/somewhere")
        assert weights.models_folder() == Path.home() / "somewhere"

    @pytest.mark.parametrize("value", [None, "", " "])
    def test_default_is_in_the_cache_of_the_user(self, monkeypatch, value):
        if value is None:
            monkeypatch.delenv("RSAM_MODELS", raising=False)
        else:
            monkeypatch.setenv("RSAM_MODELS", value)
        assert weights.models_folder() == Path(pooch.os_cache("rsam"))


class TestFilesPlacedByHand:
    def test_embedded_model_is_always_ready(self, folder):
        assert weights.state("rsam-tiny") == "ready"
        assert weights.find("rsam-tiny") is None

    def test_nothing_there(self, model, folder):
        assert weights.state(model()) == "downloadable"
        assert weights.find(model()) is None

    def test_right_file_is_found_and_hashed_once(self, model, folder, monkeypatch):
        path = place(folder, CONTENT)
        assert weights.state(model()) == "ready"
        assert weights.find(model()) == path

        def no_second_time(*args, **kwargs):
            raise AssertionError("hashed again")

        monkeypatch.setattr(pooch, "file_hash", no_second_time)
        assert weights.find(model()) == path
        assert weights.state(model()) == "ready"

    def test_wrong_size_is_damaged(self, model, folder):
        place(folder, CONTENT[:-1])
        assert weights.state(model()) == "damaged"
        with pytest.raises(ModelError, match=r"damaged: it has 1,048,575 bytes.*1,048,576"):
            weights.find(model())

    def test_wrong_content_is_refused_and_remembered(self, model, folder):
        place(folder, WRONG)
        assert weights.state(model()) == "ready"  # nobody has looked inside yet
        for _ in range(2):
            with pytest.raises(ModelError, match=r"not the published file.*Download it again"):
                weights.find(model())
            assert weights.state(model()) == "damaged"

    def test_a_changed_file_is_checked_again(self, model, folder):
        path = place(folder, WRONG)
        with pytest.raises(ModelError):
            weights.find(model())
        place(folder, CONTENT)
        os.utime(path, (1, 1))
        assert weights.find(model()) == path

    def test_unknown_size_and_hash_are_accepted(self, model, folder):
        path = place(folder, b"anything")
        info = model(bytes=None, sha256=None)
        assert weights.state(info) == "ready"
        assert weights.find(info) == path

    def test_a_broken_note_is_ignored(self, model, folder):
        path = place(folder, CONTENT)
        weights.find(model())
        (note,) = folder.glob(".*.json")
        assert json.loads(note.read_text())["sha256"] == model().sha256
        for broken in ("", "[]", "{}", "null"):
            note.write_text(broken)
            assert weights.find(model()) == path

    def test_a_folder_in_place_of_the_file_is_no_model(self, model, folder):
        (folder / "model.pth").mkdir(parents=True)
        assert weights.state(model()) == "downloadable"


class TestDownload:
    def test_success(self, model, folder):
        seen = []
        path = weights.download(model(), progress=lambda done, total: seen.append((done, total)))
        assert path == folder / "model.pth"
        assert path.read_bytes() == CONTENT
        assert seen[-1] == (len(CONTENT), len(CONTENT))
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert weights.state(model()) == "ready"
        assert files(folder) == [".model.pth.checked.json", "model.pth"]

    @pytest.mark.skipif(os.name != "posix", reason="permissions of other systems differ")
    def test_other_users_may_read_it(self, model):
        assert weights.download(model()).stat().st_mode & 0o044 == 0o044

    def test_nothing_is_fetched_twice(self, model, server):
        weights.download(model())
        count = len(server.requests)
        weights.download(model())
        assert len(server.requests) == count

    @pytest.mark.parametrize(
        ("path", "changes", "message"),
        [
            ("/wrong", {}, "another SHA-256"),
            ("/cut", {}, "the connection broke off"),
            ("/stall", {}, "the connection broke off"),
            ("/missing", {}, "the server answered with error 404"),
            ("/page", {}, r"the server offers 27 bytes instead of 1,048,576"),
            ("/endless", {}, r"the server sends more than 1,048,576 bytes"),
            ("/wrong", {"bytes": None}, "another SHA-256"),
        ],
    )
    def test_failure_leaves_nothing_and_says_what_to_do(
        self, model, folder, path, changes, message, monkeypatch
    ):
        if path == "/stall":
            monkeypatch.setattr(transfer, "READ_TIMEOUT", 1.0)
        info = model(path, **changes)
        with pytest.raises(DownloadError, match=message) as caught:
            weights.download(info)
        assert files(folder) == []
        for remedy in ("Check the internet connection", info.url, info.file, str(folder)):
            assert remedy in str(caught.value)

    def test_refused_port(self, model, folder):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            info = model(port=unused.getsockname()[1])
            with pytest.raises(DownloadError, match="the server cannot be reached"):
                weights.download(info)
        assert files(folder) == []

    def test_server_that_does_not_answer(self, model, folder, monkeypatch):
        def timeout(*args, **kwargs):
            raise requests.ConnectTimeout

        monkeypatch.setattr(requests, "get", timeout)
        with pytest.raises(DownloadError, match="did not answer in time"):
            weights.download(model())
        assert files(folder) == []

    def test_cancel(self, model, folder):
        pieces = []
        with pytest.raises(Cancelled, match="Test model"):
            weights.download(
                model(),
                progress=lambda done, total: pieces.append(done),
                cancel=lambda: len(pieces) >= 3,
            )
        assert len(pieces) == 3
        assert files(folder) == []

    def test_damaged_file_is_replaced_only_by_a_whole_one(self, model, folder):
        path = place(folder, CONTENT[:1000])
        with pytest.raises(DownloadError):
            weights.download(model("/cut"))
        assert path.read_bytes() == CONTENT[:1000]
        assert weights.download(model()).read_bytes() == CONTENT

    def test_file_of_right_size_and_wrong_content_is_replaced(self, model, folder):
        place(folder, WRONG)
        assert weights.download(model()).read_bytes() == CONTENT

    def test_too_little_space(self, model, folder, monkeypatch):
        usage = shutil.disk_usage("/")._replace(free=50_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
        with pytest.raises(DownloadError, match=r"needs 0\.1 GB.*RSAM_MODELS"):
            weights.download(model())
        assert files(folder) == []

    def test_folder_that_cannot_be_made(self, model, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("RSAM_MODELS", str(tmp_path / "file" / "models"))
        with pytest.raises(DownloadError, match=r"cannot be written.*RSAM_MODELS"):
            weights.download(model())

    def test_embedded_model_cannot_be_downloaded(self):
        with pytest.raises(DownloadError, match="comes with RSAM"):
            weights.download("rsam-tiny")

    def test_leftovers_of_a_killed_process_are_removed(self, model, folder):
        old, recent = folder / ".x.pth.1.rsam-partial", folder / ".x.pth.2.rsam-partial"
        for staging in (old, recent):
            staging.mkdir(parents=True)
            (staging / "tmp").write_bytes(b"half")
        yesterday = time.time() - 86_400
        for path in (old / "tmp", old):
            os.utime(path, (yesterday, yesterday))
        weights.download(model())
        assert not old.exists()
        assert recent.exists()

    def test_closing_the_program_leaves_nothing(self, model, folder):
        info = model("/stall")
        script = (
            "import sys, threading\n"
            "from rsam_core.models import weights\n"
            "from rsam_core.models.catalog import ModelInfo, Traits\n"
            f"info = {info!r}\n"
            "begun = threading.Event()\n"
            "def run(): weights.download(info, progress=lambda done, total: begun.set())\n"
            "threading.Thread(target=run, daemon=True).start()\n"
            "sys.exit(0 if begun.wait(500) else 1)\n"
        )
        root = Path(__file__).resolve().parents[2]
        finished = subprocess.run(
            [sys.executable, "-c", script], cwd=root, timeout=5 * PATIENCE, check=False
        )
        assert finished.returncode == 0
        assert files(folder) == []


class TestReachable:
    def test_server_with_the_file(self, model):
        assert weights.reachable(model())

    def test_server_without_the_file(self, model):
        assert not weights.reachable(model("/missing"))

    def test_no_server(self, model):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            assert not weights.reachable(model(port=unused.getsockname()[1]))

    def test_embedded_model_has_no_server(self):
        assert not weights.reachable("rsam-tiny")


class TestInTheBackground:
    @pytest.fixture(autouse=True)
    def fresh(self):
        downloads.forget_reachability()
        yield
        downloads.forget_reachability()

    def test_download_with_progress(self, model):
        info = model(name="background")
        assert downloads.current(info) is None
        job = downloads.start(info)
        assert downloads.current(info) is job
        assert job.wait(PATIENCE)
        assert (job.state, job.fraction) == ("done", 1.0)
        assert job.result.read_bytes() == CONTENT

    def test_status_follows_the_model_from_missing_to_ready(self, model, folder, monkeypatch):
        info, answer = model(name="status"), threading.Event()
        monkeypatch.setattr(weights, "reachable", lambda info: answer.wait(PATIENCE))
        assert downloads.status(info) == "checking"
        answer.set()
        while downloads.status(info) == "checking":
            time.sleep(0.005)
        assert downloads.status(info) == "downloadable"
        place(folder, CONTENT[:5])
        assert downloads.status(info) == "damaged"
        downloads.start(info).wait(PATIENCE)
        assert downloads.status(info) == "ready"

    def test_status_without_a_connection(self, model, monkeypatch):
        monkeypatch.setattr(weights, "reachable", lambda info: False)
        info = model(name="offline")
        while downloads.status(info) == "checking":
            time.sleep(0.005)
        assert downloads.status(info) == "unreachable"

    def test_two_sessions_share_a_download_and_one_cancels_it(self, model, folder, server):
        info = model("/stall", name="shared")
        job = downloads.start(info)
        while not job.fraction and not job.finished:
            time.sleep(0.005)
        assert job.text == "0 of 1 MB"
        assert downloads.start(info) is job
        assert downloads.status(info) == "downloading"
        job.cancel()
        server.release.set()
        assert job.wait(PATIENCE)
        server.release.clear()
        assert job.state == "cancelled"
        assert files(folder) == []

    def test_failure_is_kept_for_the_page(self, model):
        job = downloads.start(model("/missing", name="fails"))
        assert job.wait(PATIENCE)
        assert job.state == "failed"
        assert isinstance(job.error, DownloadError)

    def test_reachability_does_not_wait_and_is_remembered(self, model, monkeypatch):
        answer, asked = threading.Event(), []

        def slow(info):
            asked.append(info.name)
            return answer.wait(PATIENCE)

        monkeypatch.setattr(weights, "reachable", slow)
        info = model()
        assert downloads.reachability(info) is None
        answer.set()
        while downloads.reachability(info) is None:
            time.sleep(0.005)
        assert downloads.reachability(info) is True
        assert asked == ["test"]
        downloads.forget_reachability()
        while downloads.reachability(info) is None:
            time.sleep(0.005)
        assert asked == ["test", "test"]
