"""Reports stay as wide as the window and as the paper, however long a name is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.helpers.browser import stranger
from tests.helpers.reports import PAGES

PAPER = 672
"""Pixels of the browser between the margins of A4."""
WIDEST = """() => Math.max(document.documentElement.scrollWidth,
    ...[...document.querySelectorAll('body *')].map(e => e.getBoundingClientRect().right))"""
BROKEN = """() => [...document.querySelectorAll('th, td')]
    .filter(cell => !cell.matches('.long') && cell.scrollWidth > cell.clientWidth + 1)
    .map(cell => cell.textContent)"""


@pytest.mark.parametrize("name", ["w" * 5000, "Plan", "a long name of many words " * 40])
@pytest.mark.parametrize("report", PAGES)
def test_nothing_is_wider_than_the_paper(browser: Browser, report: str, name: str) -> None:
    page = stranger(browser, viewport={"width": PAPER, "height": 900}).new_page()
    page.set_content(PAGES[report](name))
    page.emulate_media(media="print")
    assert page.evaluate(WIDEST) <= PAPER
    assert page.evaluate(BROKEN) == []
    # On the screen a wide table is scrolled, not the page.
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.context.close()
