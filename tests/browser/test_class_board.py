"""A class board on one server: a teacher, five pupils in browsers of their own, one exercise."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.helpers.browser import Screen, stranger

NAMES = ("Anna", "Anna", "Bo", "Châu", "")


@pytest.fixture
def pupils(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Five browsers that know nothing of each other."""
    contexts = [stranger(browser) for _ in NAMES]
    yield contexts
    for context in contexts:
        context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def rows(teacher: Page) -> Locator:
    return teacher.locator(".class-table tbody tr")


def outline(page: Page) -> None:
    """Click on the mark of the object that is asked for, and wait for the answer."""
    # Until nothing moves any more.
    Screen(page).quiet()
    ring = page.locator(".touch-view svg circle").first.bounding_box()
    assert ring is not None
    page.mouse.click(ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("1")


def test_five_browsers_on_one_board(screen: Screen, address: str, pupils: list[BrowserContext]):
    teacher = screen.page
    teacher.goto(f"{address}/learn?part=class")
    press(teacher, "Make an exercise")
    # One object, so that five browsers are quick.
    count = teacher.locator(".st-key-learn-maker-count input")
    count.press("Home")
    expect(teacher.locator(".st-key-learn-maker-count")).to_contain_text("1")
    screen.quiet()
    press(teacher, "Open a class board")
    code = teacher.locator(".board-code").inner_text()
    assert re.fullmatch(r"[A-Z0-9]{5}", code)

    pages = [context.new_page() for context in pupils]
    mistakes: list[str] = []
    for page in pages:
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.goto(f"{address}/learn?board={code}")
    for page, name in zip(pages, NAMES):
        page.get_by_role("textbox", name="Your name").fill(name)
        Screen(page).quiet()
        press(page, "Join")
    expect(rows(teacher)).to_have_count(5)
    for page in pages:
        press(page, "Begin")
        expect(page.locator(".touch-view.live svg circle").first).to_be_visible()
    for page in pages:
        outline(page)
    # Somebody reloads in the middle of it.
    pages[2].reload()
    expect(pages[2].get_by_test_id("stMetricValue").first).to_have_text("1")
    for page in pages[:4]:
        press(page, "Done")
        expect(page.get_by_text("Handed in")).to_be_visible()

    # The teacher sees five, by names that differ, without doing anything.
    names = rows(teacher).locator("th")
    expect(names).to_have_text(["Anna", "Anna (2)", "Bo", "Châu", "Pupil 5"], ignore_case=False)
    expect(teacher.locator(".class-table tr.done")).to_have_count(4)
    expect(teacher.locator(".class-table tr.working")).to_have_count(1)

    # Nobody sees anybody else: neither names, nor the picture of another's answer.
    for page in pages[:4]:
        expect(page.locator(".touch-view")).to_have_count(1)
        expect(page.get_by_text("If your teacher shows")).to_be_visible()
    assert "Anna (2)" not in pages[0].content()
    assert "Châu" not in pages[0].content()

    teacher.get_by_role("combobox", name="Look at the work of").click()
    teacher.get_by_role("option", name="Châu").click()
    press(teacher, "Show to all")
    for page in pages[:4]:
        expect(page.get_by_text("Your teacher shows the work of Châu")).to_be_visible()
        expect(page.locator(".touch-view")).to_have_count(2)
    # Who still works is not disturbed.
    expect(pages[4].locator(".touch-view")).to_have_count(1)
    press(teacher, "Stop showing")
    expect(pages[0].locator(".touch-view")).to_have_count(1)

    press(teacher, "Close")
    press(teacher, "Close the board")
    expect(teacher.get_by_text("For teachers")).to_be_visible()
    # Closed in the middle of it: one message, and the work is still there.
    pages[4].reload()
    expect(pages[4].get_by_text(f"no class board with the code {code}")).to_be_visible()
    pages[0].get_by_text("The class board is closed. Your result is still here.").wait_for()
    assert mistakes == []
