"""The app as people meet it: started by its command, driven in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page, Request, sync_playwright

from benchmarks.app_server import Running
from tests.helpers.app_process import Server
from tests.helpers.browser import VIEWPORT, Screen, stranger
from tests.helpers.server import without_departures
from tests.helpers.waiting import PATIENCE

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
            timeout=PATIENCE * 1000,
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def _own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("own"))
    yield server
    server.stop()


@pytest.fixture
def own_server(_own: Server) -> Server:
    """Another app, which tests may stop and start again."""
    if _own.process is None:
        _own.start()
    return _own


@pytest.fixture
def fresh_server(_own: Server) -> Server:
    """The same, just started: nobody has been there."""
    _own.stop()
    _own.start()
    return _own


@pytest.fixture(scope="session")
def _page(browser: Browser) -> Iterator[Page]:
    """The window in which all tests without one of their own happen.

    A browser that has loaded the app once has most of it compiled: the next visit costs a third.
    """
    context = stranger(browser)
    yield context.new_page()
    context.close()


def _leave(page: Page) -> None:
    """Close the app and forget all that it kept in the browser: who comes next is a stranger."""
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.context.clear_cookies()
    page.goto("about:blank")


@pytest.fixture
def screen(_page: Page, address: str, app_log: Path) -> Iterator[Screen]:
    """Home, as somebody sees it who was never there.

    Whatever a test does, the app must neither show an exception, nor print one, nor ask any
    other server for anything.
    """
    before = app_log.stat().st_size
    strangers: list[str] = []
    mistakes: list[str] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            strangers.append(request.url)

    def complain(error: Error) -> None:
        mistakes.append(str(error))

    _page.on("request", note)
    _page.on("pageerror", complain)
    _page.goto(address)
    screen = Screen(_page)
    screen.known()
    yield screen
    exceptions = _page.locator('[data-testid="stException"]').all_inner_texts()
    # A browser that leaves in the middle of an answer makes the server complain.
    screen.quiet()
    _leave(_page)
    _page.remove_listener("request", note)
    _page.remove_listener("pageerror", complain)
    assert _page.viewport_size == VIEWPORT, "the next test expects a window of that size"
    assert not exceptions
    assert not mistakes
    assert not strangers, "the app must work without internet"
    printed = without_departures(app_log.read_text()[before:])
    assert "Traceback" not in printed, printed
