"""Change in the browser: two dates, a click on what changed, a check that a new visit keeps."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.helpers.browser import Screen
from tests.helpers.dates import HOUSES, SHAPE, files


def test_two_dates_are_compared_and_checked(screen: Screen):
    first, second = files()
    screen.open("place_2016.png", first)
    screen.go_to("Change")
    screen.page.locator('input[type="file"]').first.set_input_files(
        {"name": "place_2020.png", "mimeType": "image/png", "buffer": second}
    )
    expect(screen.button("Find changes")).to_be_visible()
    screen.idle()
    screen.expect_text(re.compile(r"The second date lay"))
    # Both dates with a handle between them.
    expect(screen.page.get_by_text("2020", exact=True).first).to_be_visible()
    screen.page.get_by_test_id("stMain").get_by_role("combobox").first.click()
    screen.page.get_by_text("Change vectors (CVA)").click()
    screen.quiet()
    screen.button("Find changes").click()
    expect(screen.button("one by one")).to_be_visible()
    screen.quiet()
    stage = screen.page.locator(".stage[role=slider]").bounding_box()
    x, y, w, h = HOUSES["new"][1]
    screen.page.mouse.click(
        stage["x"] + (x + w / 2) / SHAPE[1] * stage["width"],
        stage["y"] + (y + h / 2) / SHAPE[0] * stage["height"],
    )
    card = screen.page.locator(".st-key-change-card")
    expect(card).to_contain_text("different")
    screen.quiet()
    screen.page.keyboard.press("a")
    expect(screen.button("Undo")).to_be_enabled()
    screen.quiet()
    screen.page.get_by_role("tab", name="Summary").click()
    screen.expect_text("1 of")
    screen.go_to("Segment")
    screen.go_to("Change")
    expect(screen.button("Undo")).to_be_enabled()
    screen.expect_text("Accept the 3 not checked")
