"""A page loaded again, a server started again, two browsers on one server: nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.app_process import Server, picture
from tests.helpers.browser import Screen, stranger


@pytest.fixture
def window(browser: Browser, own_server: Server) -> Iterator[Callable[[], Screen]]:
    """Opens Home in a browser of its own."""
    contexts = []

    def open_window() -> Screen:
        context = stranger(browser)
        contexts.append(context)
        page = context.new_page()
        page.goto(own_server.address)
        screen = Screen(page)
        screen.known()
        return screen

    yield open_window
    for context in contexts:
        context.close()


def work(screen: Screen, folder: Path, name: str = "field.png") -> None:
    """Open an image and outline two things, of which one is taken back."""
    screen.open(name, picture(folder, name).read_bytes())
    screen.mode("Boxes")
    screen.drag((150, 100), (250, 180))
    screen.expect_objects(1)
    screen.drag((20, 20), (60, 60))
    screen.expect_objects(2)
    screen.button("Undo").click()
    screen.expect_objects(1)


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Go on", exact=True).first.click()


def all_is_back(screen: Screen) -> None:
    """Image, object, page, and what was undone can be done again."""
    expect(screen.canvas).to_be_visible()
    screen.expect_objects(1)
    expect(screen.page).to_have_url(re.compile("/segment$"))
    screen.button("Redo").click()
    screen.expect_objects(2)


def test_a_page_loaded_again_goes_on_at_once(window, tmp_path: Path) -> None:
    screen = window()
    work(screen, tmp_path)
    # At once: what is saved a moment after each change has not been saved yet.
    screen.page.reload()
    screen.idle()
    expect(screen.page.get_by_text("Go on with field.png")).to_be_visible()
    go_on(screen.page)
    all_is_back(screen)
    screen.go_to("Open")
    expect(screen.page.get_by_text("Go on where you were")).to_be_visible()
    expect(screen.page.get_by_text(re.compile("2 objects · on Segment"))).to_be_visible()


def test_after_a_restart_of_the_server_all_is_back(
    own_server: Server, window, tmp_path: Path
) -> None:
    screen = window()
    work(screen, tmp_path)
    own_server.stop()
    screen.page.wait_for_selector('[data-test-connection-state="PINGING_SERVER"]')
    own_server.start()
    screen.idle()
    # Nothing had to be clicked for that, and nothing was uploaded again.
    expect(screen.page.get_by_text("Go on with field.png")).to_be_visible()
    screen.go_to("Open")
    go_on(screen.page)
    all_is_back(screen)


def test_two_browsers_never_see_each_others_work(window, tmp_path: Path) -> None:
    first, second = window(), window()
    work(first, tmp_path, "mine.png")
    first.go_to("Open")
    expect(first.page.get_by_text("mine.png").first).to_be_visible()
    for _ in range(2):
        second.page.reload()
        second.idle()
        second.quiet()
        assert second.page.get_by_text("Go on where you were").count() == 0
        assert second.page.get_by_text("mine.png").count() == 0
        # Not even by opening the same image.
    second.open("mine.png", picture(tmp_path, "mine.png").read_bytes())
    second.quiet()
    assert second.page.get_by_text("Earlier work on this image").count() == 0
    second.go_to("Open")
    expect(second.page.get_by_text("nothing outlined yet")).to_be_visible()
    first.page.reload()
    first.quiet()
    expect(first.page.get_by_text(re.compile("1 object ·"))).to_be_visible()
