"""The app as people meet it: started by its command, driven in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from benchmarks.app_server import Running
from tests.helpers.browser import PATIENCE, Screen
from tests.helpers.server import without_departures

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
def address(served: Running) -> str:
    """Where the app is."""
    return served.address


@pytest.fixture(scope="session")
def app_log(served: Running) -> Path:
    """What the server prints."""
    return served.log


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
    # The browser says who it is, and the page is drawn once more.
    screen.quiet()
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
