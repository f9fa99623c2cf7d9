"""The app as people meet it: started by its command, driven in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest
from helpers_browser import PATIENCE, Screen
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def app_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server prints."""
    return tmp_path_factory.mktemp("server") / "log.txt"


@pytest.fixture(scope="session")
def address(app_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, running on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    options = {
        "--server.port": port,
        "--server.address": "127.0.0.1",
        "--server.headless": "true",
        "--server.fileWatcherType": "none",
    }
    command += [str(part) for option in options.items() for part in option]
    folders = {name: str(tmp_path_factory.mktemp(name)) for name in ("RSAM_MODELS", "RSAM_HOME")}
    environment = os.environ | folders
    with app_log.open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", server, app_log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


def wait_until_up(url: str, server: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the app did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests: the system's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=FLAGS,
        )
        yield chromium
        chromium.close()


@pytest.fixture
def screen(browser: Browser, address: str, app_log: Path) -> Iterator[Screen]:
    """Home in a fresh browser window.

    Whatever a test does, the app must neither show an exception, nor print one, nor ask any
    other server for anything.
    """
    before = app_log.stat().st_size
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    strangers: list[str] = []
    mistakes: list[str] = []

    def note(request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            strangers.append(request.url)

    page.on("request", note)
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.goto(address)
    screen = Screen(page)
    screen.idle()
    yield screen
    exceptions = page.locator('[data-testid="stException"]').all_inner_texts()
    # A browser that leaves in the middle of an answer makes the server complain.
    screen.quiet()
    context.close()
    assert not exceptions
    assert not mistakes
    assert not strangers, "the app must work without internet"
    printed = without_departures(app_log.read_text()[before:])
    assert "Traceback" not in printed, printed


def without_departures(printed: str) -> str:
    """What the server printed, but for browsers that left while it was talking to them.

    Streamlit's web server reports those with a traceback in which nothing of RSAM occurs.
    """
    parts = re.split(r"(?=^Exception in ASGI application)", printed, flags=re.MULTILINE)
    ours = ("rsam_core", "pages/", "app.py")
    return "".join(
        part
        for part in parts
        if not ("WebSocketDisconnected" in part and not any(name in part for name in ours))
    )
