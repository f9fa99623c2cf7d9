"""Learn, as pupils meet it: three lessons driven by mouse and by keys, in their language."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from rsam_core.evaluate.learn.asking import Marks, answer, jaccard, segmenter
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.evaluate.learn.lessons import four_kinds_pieces, how_good
from rsam_core.runtime.language import LANGUAGES, _, percent, speaking
from tests.helpers.browser import Screen, middle, stranger

FOCUSED = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at;
}"""


@pytest.fixture
def learn(screen: Screen, address: str) -> Screen:
    """The cards of all lessons."""
    screen.page.goto(f"{address.rstrip('/')}/learn")
    expect(screen.page.locator('[class*="st-key-open-"]')).to_have_count(len(LESSONS))
    screen.quiet()
    return screen


def visit(learn: Screen, key: str) -> Page:
    """Click a lesson's card."""
    learn.page.locator(f".st-key-open-{key} button").click()
    expect(learn.page.get_by_role("heading", name=lesson(key).title)).to_be_visible()
    learn.quiet()
    return learn.page


def expect_done(page: Page, count: int) -> None:
    """Wait until so many checks are done."""
    told = page.locator(".st-key-learn-checks .learn-unseen")
    expect(told).to_have_text(f"{count} of 3 checks done")


def click(picture: Locator, point: tuple[float, float], size: tuple[int, int]) -> None:
    """Click a pixel of a picture of that width and height."""
    box = picture.bounding_box()
    x, y = point[0] / size[0] * box["width"], point[1] / size[1] * box["height"]
    picture.click(position={"x": x, "y": y})


def slide(page: Page, place: str, key: str, times: int = 1) -> None:
    """Move the slider at a place by a key."""
    page.locator(f"{place} input[type=range]").first.focus()
    for _time in range(times):
        page.keyboard.press(key)


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus, as somebody without a mouse does."""
    for _press in range(60):
        page.keyboard.press("Tab")
        handle = page.evaluate_handle(FOCUSED).as_element()
        if handle is not None and handle.evaluate("(e, s) => e.closest(s) !== null", selector):
            return
    pytest.fail(f"Tab does not lead to {selector}")


def moved_iou(pixels: int) -> float:
    """IoU of the lesson's house with itself, moved to the right."""
    truth = how_good.playground()[1]
    moved = np.zeros_like(truth)
    moved[:, pixels:] = truth[:, :-pixels]
    return np.count_nonzero(truth & moved) / np.count_nonzero(truth | moved)


def test_how_good_is_it_by_keyboard_alone(learn: Screen) -> None:
    page, keys = learn.page, learn.page.keyboard
    tab_to(page, ".st-key-open-how_good button")
    keys.press("Enter")
    expect(page.get_by_role("heading", name=lesson("how_good").title)).to_be_visible()
    learn.quiet()
    tab_to(page, ".touch-view")
    # Each arrow goes a fiftieth of the picture; as many as bring the IoU nearest to one half.
    side = how_good.playground()[1].shape[1]
    steps = min(range(1, 15), key=lambda n: abs(moved_iou(round(n * side / 50)) - 0.5))
    keys.press("Enter")
    for _step in range(steps):
        keys.press("ArrowRight")
    expect(page.locator(".touch-view svg path")).to_have_count(2)
    keys.press("Enter")
    expect_done(page, 1)
    iou = moved_iou(round(steps * side / 50))
    expect(page.locator(".bars .bar-value").first).to_have_text(percent(iou, 1))
    # A mask grown by 12 misses nothing, and with more ground around it the rest looks good.
    tab_to(page, ".st-key-learn-how_good-grow input[type=range]")
    for _step in range(12):
        keys.press("ArrowRight")
    learn.quiet()
    tab_to(page, ".st-key-learn-how_good-around input[type=range]")
    for _step in how_good.AROUND[2:]:
        keys.press("ArrowRight")
    expect_done(page, 3)
    expect(page.get_by_text("All three done")).to_be_visible()


def test_four_kinds_by_clicks_on_the_picture(learn: Screen) -> None:
    page, subject = visit(learn, "four_kinds"), four_kinds_pieces.sample()
    picture = page.locator(".touch-view").first
    embedding = segmenter().embed(subject.image)
    where = {n: middle(subject.mask(n)) for n in four_kinds_pieces.houses(subject)}
    good = next(
        point
        for number, point in where.items()
        if jaccard(best(answer(segmenter(), embedding, Marks(((*point, 1),)))),
                   subject.mask(number)) > 0.93
    )  # fmt: skip
    click(picture, good, subject.shape[::-1])
    expect_done(page, 1)
    page.get_by_role("radio", name="Superpixels").click()
    learn.quiet()
    slide(page, ".st-key-learn-four_kinds-size", "ArrowLeft", 2)
    expect_done(page, 2)


def best(found) -> np.ndarray:
    """The mask in the whole picture that a model thinks best."""
    mask = np.zeros(four_kinds_pieces.SIDE[::-1], bool)
    crop = found.crops[0]
    mask[found.y : found.y + crop.shape[0], found.x : found.x + crop.shape[1]] = crop
    return mask


def test_square_metres_by_its_sliders(learn: Screen) -> None:
    page = visit(learn, "square_metres")
    key = ".st-key-learn-square_metres"
    # (1 + 0.41)² is 2.
    slide(page, f"{key}-error", "ArrowRight", 41)
    expect_done(page, 1)
    page.locator(f"{key}-experiment button").nth(1).click()
    learn.quiet()
    # Mercator enlarges by 1 / cos² of the latitude: four times at 60°.
    slide(page, f"{key}-latitude", "PageUp")
    while (at := int(value(page, f"{key}-latitude"))) != 60:
        slide(page, f"{key}-latitude", "ArrowRight" if at < 60 else "ArrowLeft")
    expect_done(page, 2)


def value(page: Page, place: str) -> str:
    """Where a slider stands."""
    return page.locator(f"{place} input[type=range]").first.input_value()


def test_a_language_is_chosen_and_stays(learn: Screen, address: str) -> None:
    page = visit(learn, "how_good")
    page.locator(".st-key-language-choice").get_by_role("combobox").click()
    page.get_by_role("option", name=LANGUAGES["fr"]).click()
    learn.quiet()
    with speaking("fr"):
        title, heading = _("Learn"), _(lesson("how_good").title)
        expect(page.locator(".bars .bar-value").first).to_have_text(percent(1, 1))
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    learn.page.get_by_test_id("stTopNavLink").nth(1).click()
    learn.quiet()
    page.go_back()
    expect(page.locator(".bars .bar-value").first).to_contain_text("100,0")


def test_the_language_of_the_browser_comes_first(browser: Browser, address: str) -> None:
    context = stranger(browser, locale="vi-VN")
    page = context.new_page()
    page.goto(f"{address.rstrip('/')}/learn?lesson=how_good")
    chosen = page.locator(".st-key-language-choice").get_by_role("combobox")
    expect(chosen).to_have_value(LANGUAGES["vi"])
    with speaking("vi"):
        expect(page.locator(".bars .bar-value").first).to_have_text(percent(1, 1))
    context.close()
