"""One-shot in the browser: a box around one roof, the others found, one refused by a click."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.helpers.browser import Screen
from tests.helpers.shots import BLUES, REDS, SIZE, lawn
from tests.helpers.waiting import until


@pytest.fixture
def open_lawn(screen: Screen) -> Screen:
    """A lawn with six red roofs and three blue ones, on the One-shot page."""
    stream = io.BytesIO()
    Image.fromarray(lawn()).save(stream, "PNG")
    screen.open("lawn.png", stream.getvalue())
    screen.go_to("One-shot")
    return screen


def found(screen: Screen) -> int:
    text = screen.page.locator(".st-key-objects").inner_text()
    return int(re.search(r"([\d,]+) more found", text)[1].replace(",", ""))


def colour(screen: Screen, corner: tuple[int, int]) -> tuple[float, float, float]:
    """Mean red, green and blue on the screen over a roof."""
    x0, y0 = screen.place((corner[0] + 6, corner[1] + 6))
    x1, y1 = screen.place((corner[0] + SIZE - 6, corner[1] + SIZE - 6))
    clip = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
    picture = Image.open(io.BytesIO(screen.page.screenshot(clip=clip))).convert("RGB")
    red, green, blue = np.asarray(picture).reshape(-1, 3).mean(0).tolist()
    return red, green, blue


def is_pink(red: float, green: float, blue: float) -> bool:
    """A find over a red roof."""
    return blue > green + 25


def is_blue(red: float, green: float, blue: float) -> bool:
    """An example over a red roof."""
    return blue > red


def is_orange(red: float, green: float, blue: float) -> bool:
    """What was refused, over a blue roof."""
    return red > green


def test_one_example_finds_the_others_and_a_refused_one_goes(open_lawn: Screen):
    screen = open_lawn
    x, y = REDS[0]
    screen.drag((x - 1, y - 1), (x + SIZE + 1, y + SIZE + 1))
    screen.button("as example").click()
    screen.button("Find others like it").click()
    expect(screen.button("Accept all")).to_be_visible()
    screen.quiet()
    assert found(screen) >= 5
    # The browser draws the layer when it has unpacked it.
    for corner in REDS[1:]:
        until(lambda corner=corner: is_pink(*colour(screen, corner)))
    until(lambda: is_blue(*colour(screen, REDS[0])))
    # A roof of another kind, shown by a lower threshold, is refused by a click on it.
    slider = screen.page.locator(".st-key-alike").get_by_role("slider")
    slider.focus()
    screen.page.keyboard.press("Home")
    screen.quiet()
    most = found(screen)
    middle = (BLUES[0][0] + SIZE / 2, BLUES[0][1] + SIZE / 2)
    screen.click(middle)
    screen.expect_text(re.compile(r"\d+% alike"))
    screen.quiet()
    screen.button("Not this one").click()
    expect(screen.page.locator("[class*='st-key-forget-']")).to_have_count(2)
    screen.quiet()
    assert found(screen) < most
    until(lambda: is_orange(*colour(screen, BLUES[0])))
    left = found(screen)
    screen.button("Accept all").click()
    screen.quiet()
    screen.go_to("Objects")
    # The finds, and the example, which was an object before.
    screen.page.get_by_role("tab", name="Refine").click()
    expect(screen.button(f"Apply to {left + 1} objects")).to_be_visible()
