"""Prepare in the browser: a step, its before and after, and the prepared image in use."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from rsam_core.samples import TownSample, write_geotiff
from tests.helpers.browser import Screen, middle


def test_a_prepared_image_is_what_one_segments(screen: Screen, town: TownSample):
    roof = max(
        (town.labels == label for label, kind in town.classes.items() if kind == "roof"),
        key=lambda mask: mask.sum(),
    )
    screen.open("town.tif", write_geotiff(town))
    screen.click(middle(roof))
    screen.expect_rows("Object 1 · 1 click")
    before = screen.labels() > 0
    screen.go_to("Prepare")
    screen.button("Add step").click()
    choice = screen.page.get_by_role("dialog").get_by_role("button", name="Remove haze")
    expect(choice).to_be_visible()
    screen.quiet()
    choice.click()
    expect(screen.page.get_by_role("dialog")).to_be_hidden()
    screen.expect_text("Takes away the veil of light")
    # The picture is shown before and after, with a handle between.
    expect(screen.page.get_by_text("Before", exact=True).first).to_be_visible()
    expect(screen.page.get_by_text("After", exact=True).first).to_be_visible()
    screen.idle()
    screen.button("Use the prepared image").click()
    expect(screen.page.get_by_text(re.compile("In use:.*prepared")).first).to_be_visible()
    screen.quiet()
    screen.go_to("Segment")
    # Size and place are the same, so the object is still there, and prompting goes on.
    screen.expect_rows("Object 1 · 1 click")
    assert ((screen.labels() > 0) == before).all()
    screen.page.keyboard.press("n")
    screen.click((30, 30))
    screen.expect_rows("Object 2 · 1 click", "Object 1 · 1 click")
