"""The app around the pages: any address first, a restarted server, a cut connection, odd names."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.parts.shared.menu import MENU, SCREENS
from tests.helpers.app_process import Server, picture
from tests.helpers.browser import Screen, stranger

EVIL = "<img src=x onerror=window.__hit=1>[a](javascript:window.__hit=1)"


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    context = stranger(browser)
    yield context.new_page()
    context.close()


def whole(page: Page) -> None:
    """The app is all there: its pages, its style, and it knows the browser."""
    expect(page.get_by_test_id("stTopNavLink")).to_have_text(
        [re.compile("Open"), re.compile("Prepare")]
    )
    headings = page.get_by_test_id("stTopNavSection")
    expect(headings).to_have_text([re.compile(name) for name in MENU if name])
    assert page.get_by_test_id("stSidebarNavItems").count() == 0
    assert page.locator('[role="dialog"]').count() == 0
    padding = page.get_by_test_id("stMainBlockContainer").evaluate(
        "(block) => getComputedStyle(block).maxWidth"
    )
    assert padding == "1900px", "the style sheet is in force"
    page.wait_for_function("localStorage.getItem('rsam-browser') !== null")


@pytest.mark.parametrize("path", ["segment", "one-shot", "models"])
def test_any_address_may_be_opened_first(fresh_server: Server, window: Page, path: str) -> None:
    window.goto(f"{fresh_server.address}/{path}")
    Screen(window).idle()
    whole(window)
    assert window.url.endswith(f"/{path}")
    title, _ = SCREENS[path.replace("-", "_")]
    expect(window.locator("h1").first).to_contain_text(title)


class Cable:
    """A line between browser and server that can be cut and mended."""

    def __init__(self, port: int) -> None:
        self.port, self.whole, self.ends = port, True, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.whole:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.port))
            self.ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while content := one.recv(65536):
                other.sendall(content)
        except OSError:
            pass
        for end in (one, other):
            end.close()

    def cut(self) -> None:
        self.whole = False
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.ends = []

    def mend(self) -> None:
        self.whole = True


def test_clicks_of_a_cut_connection_are_sent_when_it_is_back(
    own_server: Server, window: Page, tmp_path: Path
) -> None:
    cable = Cable(own_server.port)
    window.goto(cable.address)
    screen = Screen(window)
    screen.idle()
    screen.open("field.png", picture(tmp_path).read_bytes())
    screen.mode("Boxes")
    screen.drag((150, 100), (250, 180))
    screen.expect_objects(1)
    cable.cut()
    window.wait_for_selector('[data-test-connection-state="PINGING_SERVER"]')
    screen.drag((20, 20), (60, 60))
    screen.drag((300, 200), (380, 280))
    cable.mend()
    screen.idle()
    screen.expect_objects(3)
    cable.listener.close()


def test_script_in_names_does_not_run(own_server: Server, window: Page, tmp_path: Path) -> None:
    window.add_init_script("window.__hit = 0")
    called: list[str] = []
    window.on("request", lambda request: called.append(request.url))
    window.goto(own_server.address)
    screen = Screen(window)
    screen.idle()
    content = picture(tmp_path).read_bytes()
    name = EVIL.replace("/", "") + ".png"
    screen.give(name, content)
    expect(screen.canvas).to_be_visible()
    screen.idle()
    screen.click((200, 140))
    screen.expect_objects(1)
    sidebar = window.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("<img src=x onerror=").first).to_be_visible()
    assert sidebar.locator("a[href^=javascript], img[src=x]").count() == 0
    screen.go_to("Objects")
    window.get_by_role("tab", name="Classify").click()
    window.get_by_text("Edit classes").click()
    box = window.get_by_label("Name", exact=True)
    box.fill(EVIL[:58])
    box.press("Enter")
    screen.idle()
    window.get_by_role("button", name="Add class").click()
    expect(window.locator(".st-key-class-buttons").get_by_text("<img src=x").first).to_be_visible()
    screen.button("Export").click()
    window.locator(".st-key-export-purpose button").filter(has_text="Table and report").click()
    screen.quiet()
    with window.expect_download() as waiting:
        window.get_by_role("dialog").get_by_role("button", name="Report (HTML)").click()
    window.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(window.get_by_role("dialog")).to_have_count(0)
    assert re.fullmatch(r"[\w.() -]{1,100}\.html", waiting.value.suggested_filename)
    report = Path(waiting.value.path()).read_text()
    screen.go_to("Open")
    link = window.get_by_test_id("stPageLink")
    expect(link).to_contain_text("Back to <img src=x")
    assert link.locator("a a, img[src=x]").count() == 0
    assert window.evaluate("window.__hit") == 0
    # The report on its own has no policy of a server to protect it.
    window.goto("about:blank")
    window.set_content(report)
    window.wait_for_timeout(300)
    assert "onerror" in window.inner_text("h1")
    assert window.evaluate("window.__hit || 0") == 0
    width = window.evaluate("document.documentElement.scrollWidth")
    assert width <= 1280
    strangers = [
        url for url in called if not url.startswith((own_server.address, "data:", "blob:"))
    ]
    assert strangers == []
