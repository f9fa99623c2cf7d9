"""The server as it is started: whom it answers, what it says, what it forbids."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import run
from benchmarks.app_server import free_port
from tests.helpers.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def started(folder: Path) -> Iterator[int]:
    """The app, started by Streamlit's own command with no option but a free port."""
    number = free_port()
    log, home = folder / "log.txt", {"RSAM_HOME": str(folder / "home")}
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(number)],
            cwd=ROOT, env=os.environ | home, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and server.poll() is None:
            try:
                if ask(number, "/_stcore/health")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise AssertionError(log.read_text())
        yield number
    finally:
        server.terminate()
        server.wait(PATIENCE)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where the app answers."""
    with started(tmp_path_factory.mktemp("server")) as number:
        yield number


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict, str]:
    """Status, headers (lower case) and text of an answer."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        link.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = link.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read().decode("utf-8", "replace")
    finally:
        link.close()


def test_it_listens_to_this_computer_only(port: int) -> None:
    lines = Path("/proc/net/tcp")
    if not lines.exists():
        pytest.skip("needs Linux")
    rows = [line.split() for line in lines.read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    assert listening == {f"0100007F:{port:04X}"}
    wide = Path("/proc/net/tcp6").read_text() if Path("/proc/net/tcp6").exists() else ""
    assert f":{port:04X} " not in wide


@pytest.mark.parametrize("path", ["/", "/segment", "/_stcore/health", "/_stcore/host-config"])
def test_every_answer_forbids_what_is_not_needed(port: int, path: str) -> None:
    status, headers, _ = ask(port, path)
    assert status == 200
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert "'unsafe-inline'" not in policy["script-src"]
    assert "http" not in policy["script-src"]
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["referrer-policy"] == "no-referrer"


def test_foreign_names_get_no_answer(port: int) -> None:
    for name in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "", "a b"):
        status, _, text = ask(port, "/", Host=name)
        assert status in (400, 421)
        assert "stApp" not in text
    for name in ("localhost", f"127.0.0.1:{port}", f"LOCALHOST:{port}"):
        assert ask(port, "/", Host=name)[0] == 200


@pytest.mark.parametrize(
    ("origin", "opened"),
    [
        ("http://127.0.0.1:{port}", True),
        ("http://evil.example", False),
        ("http://127.0.0.1:1", False),
        ("null", False),
    ],
)
def test_pages_of_others_cannot_talk_to_it(port: int, origin: str, opened: bool) -> None:
    status, *_ = ask(
        port, "/_stcore/stream", Host=f"127.0.0.1:{port}", Origin=origin.format(port=port),
        Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Version="13",
        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", Sec_WebSocket_Protocol="streamlit",
    )  # fmt: skip
    assert (status == 101) == opened


def test_it_ends_and_saves_though_a_connection_is_not_closed() -> None:
    code = (
        "import os, signal, threading\n"
        "from pages.parts.shared import serving\n"
        "from rsam_core.session import safekeeping\n"
        "safekeeping.flush = lambda: print('saved', flush=True)\n"
        "serving.STOPPING = 1.0\n"
        # Like a web server that waits for its connections.
        "told = lambda number, frame: print('waiting', flush=True)\n"
        "signal.signal(signal.SIGTERM, told)\n"
        "server = serving.saving_at_the_end(None)\n"
        "next(server.__aenter__().__await__(), None)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "threading.Event().wait()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=5 * PATIENCE
    )
    assert ended.stdout.split() == ["waiting", "saved"], ended.stderr
    assert ended.returncode == 0


def test_uploads_without_the_token_are_refused(port: int) -> None:
    status, _, text = ask(port, "/_stcore/upload_file/session/file", "PUT", Content_Length="0")
    assert status in (400, 403)
    assert str(ROOT) not in text


def test_what_is_not_there_tells_no_path(port: int) -> None:
    for path in ("/media/nothing.png", "/component/none/../../etc/passwd", "/_stcore/none"):
        status, _, text = ask(port, path)
        assert str(ROOT) not in text
        assert "Traceback" not in text
        assert "root:" not in text
        assert status < 500


def test_settings_in_force() -> None:
    code = (
        "from streamlit import config; config.get_config_options();"
        "print([config.get_option(n) for n in ("
        "'server.enableXsrfProtection','server.enableCORS','server.maxUploadSize',"
        "'server.maxMessageSize','server.fileWatcherType','server.runOnSave',"
        "'server.enableStaticServing','browser.gatherUsageStats','client.showErrorDetails',"
        "'client.toolbarMode','runner.magicEnabled','runner.fastReruns','runner.postScriptGC','server.address')])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    guarded = [True, True, 1024, 200, "none", False, False]
    quiet = [False, "none", "minimal", False]
    # Two runs of one person at once share their state without a lock; and a collection after
    # each run would stop those of all others, see `rsam_core.runtime.idle_collector`.
    one_at_a_time = [False, False]
    assert said.strip() == str([*guarded, *quiet, *one_at_a_time, "127.0.0.1"])


def test_sharing_is_asked_for(capsys: pytest.CaptureFixture) -> None:
    assert run.shared(["--server.port", "80"]) == ["--server.port", "80"]
    everywhere = ["--server.address", "0.0.0.0"]
    assert run.shared(["--share"]) == everywhere
    assert run.shared(["--share", "--server.port", "80"]) == [*everywhere, "--server.port", "80"]
    named = [*everywhere, "--browser.serverAddress", "maps.school.example"]
    assert run.shared(["--share", "maps.school.example"]) == named
    assert "Everybody in this network" in capsys.readouterr().out
