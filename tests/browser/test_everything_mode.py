"""Everything mode in the browser: progress, result, sliders that act at once, stop."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from rsam_core.samples import TownSample
from tests.helpers.browser import Screen


@pytest.fixture
def everything(screen: Screen, town: TownSample) -> Screen:
    """A part of the town of 320 × 256 pixels, open in everything mode."""
    stream = io.BytesIO()
    Image.fromarray(town.image[:256, :320]).save(stream, "PNG")
    screen.open("part.png", stream.getvalue())
    screen.mode("Everything")
    return screen


def density(screen: Screen, steps: int) -> None:
    """Look between the proposals, too, and move the density from Medium; negative is coarser."""
    screen.page.locator(".st-key-everything-between").get_by_text("Look also between").click()
    slider = screen.page.locator(".st-key-density").get_by_role("slider")
    slider.focus()
    for _ in range(abs(steps)):
        screen.page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")


def count(screen: Screen) -> int:
    text = screen.page.locator(".st-key-objects").inner_text()
    return int(re.match(r"([\d,]+) objects? · ", text)[1].replace(",", ""))


def test_everything_finds_objects_and_sliders_act_at_once(everything: Screen):
    density(everything, -1)
    everything.expect_text(re.compile(r"35 points, about"))
    everything.idle()
    everything.button("Find everything").click()
    expect(everything.button("Find everything again")).to_be_visible()
    everything.idle()
    found = count(everything)
    assert found > 0
    table = everything.table()
    assert len(table) == found
    assert set(table["source"]) == {"everything"}
    # From here on nothing is decoded: no progress bar comes up.
    bar = "window.__bars = 0; new MutationObserver(() => { if (document.querySelector("
    bar += "'[data-testid=stProgress]')) window.__bars += 1; }).observe(document.body, "
    bar += "{childList: true, subtree: true});"
    everything.page.evaluate(bar)
    slider = everything.page.locator('[class*="st-key-quality-"]').get_by_role("slider")
    slider.focus()
    everything.page.keyboard.press("End")
    everything.expect_objects(0)
    slider.focus()
    everything.page.keyboard.press("Home")
    expect(everything.page.locator(".st-key-objects")).to_contain_text(re.compile(r"^\d+ object"))
    everything.idle()
    assert count(everything) >= found
    assert everything.page.evaluate("window.__bars") == 0


def test_progress_is_shown_and_stop_keeps_what_was_found(everything: Screen):
    density(everything, 2)
    everything.expect_text(re.compile(r"\b414 points, about"))
    everything.idle()
    everything.button("Find everything").click()
    expect(everything.page.get_by_test_id("stProgress")).to_contain_text(
        re.compile(r"\d+ of \d+ places")
    )
    everything.button("Stop and keep what is found").click()
    everything.expect_text(re.compile(r"Stopped after \d+ places"))
    everything.idle()
    text = everything.page.get_by_text(re.compile(r"Stopped after \d+ places")).first.inner_text()
    assert 0 < int(re.search(r"after (\d+)", text)[1]) < 414
    expect(everything.button("Find everything again")).to_be_visible()
