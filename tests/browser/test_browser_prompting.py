"""Boxes dragged and points clicked on the real canvas end up as objects in the right place."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from rsam_core.samples import TownSample, write_geotiff
from tests.helpers.browser import Screen, bounds, iou, middle

SIZE = (448, 320)


@pytest.fixture(scope="session")
def roofs(town: TownSample) -> list[np.ndarray]:
    """Masks of the roofs that lie wholly inside the picture, largest first."""
    found = []
    for label, kind in town.classes.items():
        mask = town.labels == label
        x0, y0, x1, y1 = bounds(mask)
        if kind == "roof" and mask.sum() > 2000 and min(x0, y0) > 0 and (x1, y1) < SIZE:
            found.append(mask)
    found = [mask for mask in found if bounds(mask)[3] < SIZE[1]]
    assert len(found) >= 4, "the town of the tests has changed"
    return sorted(found, key=lambda mask: -mask.sum())


@pytest.fixture
def segment(screen: Screen, town: TownSample) -> Screen:
    """The town, open on the Segment page."""
    screen.open("town.tif", write_geotiff(town))
    return screen


def test_a_dragged_box_finds_the_roof(segment: Screen, roofs: list[np.ndarray], town: TownSample):
    x0, y0, x1, y1 = bounds(roofs[0])
    segment.mode("Boxes")
    segment.drag((x0 - 2, y0 - 2), (x1 + 2, y1 + 2))
    segment.expect_objects(1)
    row = segment.table().iloc[0]
    assert row["source"] == "box"
    found = (row["bbox_x"], row["bbox_y"], row["bbox_x"] + row["bbox_width"])
    found = (*found, row["bbox_y"] + row["bbox_height"])
    assert np.abs(np.subtract(found, (x0, y0, x1, y1))).max() <= 6
    assert iou(segment.labels() == row["id"], roofs[0]) > 0.5
    assert row["area_m2"] == pytest.approx(row["area"] * town.gsd**2)


def test_a_box_may_be_dragged_in_any_direction(segment: Screen, roofs: list[np.ndarray]):
    x0, y0, x1, y1 = bounds(roofs[0])
    segment.mode("Boxes")
    segment.drag((x1 + 2, y1 + 2), (x0 - 2, y0 - 2))
    segment.expect_objects(1)
    assert iou(segment.labels() > 0, roofs[0]) > 0.5


def test_three_boxes_are_three_objects(segment: Screen, roofs: list[np.ndarray]):
    segment.mode("Boxes")
    for count, roof in enumerate(roofs[:3], start=1):
        x0, y0, x1, y1 = bounds(roof)
        segment.drag((x0 - 2, y0 - 2), (x1 + 2, y1 + 2))
        segment.expect_objects(count)
    segment.expect_rows("Object 3 · 1 box", "Object 2 · 1 box", "Object 1 · 1 box")
    labels = segment.labels()
    assert [iou(labels == n, roof) > 0.5 for n, roof in enumerate(roofs[:3], 1)] == [True] * 3


def test_points_include_and_exclude(segment: Screen, roofs: list[np.ndarray]):
    inside, outside = middle(roofs[0]), middle(roofs[1])
    segment.click(inside)
    segment.expect_rows("Object 1 · 1 click")
    segment.expect_objects(1)
    segment.points("Take away")
    segment.click(outside)
    segment.expect_rows("Object 1 · 1 click · 1 taken away")
    kinds = [kind for kind, _, _ in segment.marks]
    places = [place for _, *place in segment.marks]
    assert kinds == ["Click", "Taken away"]
    # Whole numbers are shown, and the mouse stands on whole pixels of the screen.
    assert np.abs(np.subtract(places, [inside, outside])).max() <= 1.5
    mask = segment.labels() == 1
    assert iou(mask, roofs[0]) > 0.5
    assert not mask[int(outside[1]), int(outside[0])]


def test_new_object_undo_redo_and_clear(segment: Screen, roofs: list[np.ndarray]):
    first, second = "Object 1 · 1 click", "Object 2 · 1 click"
    segment.click(middle(roofs[0]))
    segment.expect_rows(first)
    segment.button("New object").click()
    expect(segment.button("New object")).to_be_disabled()
    segment.click(middle(roofs[1]))
    segment.expect_rows(second, first)
    segment.button("Undo").click()
    segment.expect_rows(first)
    segment.button("Redo").click()
    segment.expect_rows(second, first)
    segment.button("Clear").click()
    segment.expect_objects(0)
    segment.page.keyboard.press("Control+z")
    segment.expect_rows(second, first)
    segment.expect_objects(2)
    # What follows goes on as ever: the second object is the current one.
    segment.click((middle(roofs[1])[0] + 4, middle(roofs[1])[1]))
    segment.expect_rows("Object 2 · 2 clicks", first)


def test_right_and_shift_clicks_exclude(segment: Screen, roofs: list[np.ndarray]):
    segment.click(middle(roofs[0]))
    segment.expect_rows("Object 1 · 1 click")
    segment.click(middle(roofs[1]), button="right")
    segment.expect_rows("Object 1 · 1 click · 1 taken away")
    segment.page.keyboard.down("Shift")
    segment.click(middle(roofs[2]))
    segment.page.keyboard.up("Shift")
    segment.expect_rows("Object 1 · 1 click · 2 taken away")


WATCH_RUNS = """() => {
  window.__ran = false;
  const app = document.querySelector('[data-testid="stApp"]');
  new MutationObserver(() => {
    window.__ran ||= app.getAttribute("data-test-script-state") === "running";
  }).observe(app, { attributeFilter: ["data-test-script-state"] });
}"""


def test_quick_clicks_are_all_taken_once(segment: Screen, roofs: list[np.ndarray]):
    places = [middle(roof) for roof in roofs[:4]]
    for place in places:
        segment.click(place)
    # Roofs far from each other are objects of their own, and the picture asks.
    segment.expect_rows(*[f"Object {n} · 1 click" for n in (4, 3, 2, 1)])
    expect(segment.page.locator(".st-key-asked")).to_contain_text("Far from object 3")
    # While the page is still busy with one click, the next one comes.
    segment.page.evaluate(WATCH_RUNS)
    segment.click((10, 10), button="right")
    # A quick run would be over before one could see it.
    segment.page.wait_for_function("window.__ran")
    segment.click((20, 10), button="right")
    others = [f"Object {n} · 1 click" for n in (3, 2, 1)]
    segment.expect_rows("Object 4 · 1 click · 2 taken away", *others)
    found = [place for _, *place in segment.marks]
    wanted = [places[3], (10, 10), (20, 10)]
    assert np.abs(np.subtract(found, wanted)).max() <= 1.5


def test_a_click_right_after_new_object_is_not_lost(segment: Screen, roofs: list[np.ndarray]):
    segment.click(middle(roofs[0]))
    segment.expect_rows("Object 1 · 1 click")
    expect(segment.button("New object")).to_be_enabled()
    segment.page.keyboard.press("n")
    segment.click(middle(roofs[1]))
    segment.expect_rows("Object 2 · 1 click", "Object 1 · 1 click")
    segment.expect_objects(2)
    labels = segment.labels()
    assert [iou(labels == n, roof) > 0.4 for n, roof in enumerate(roofs[:2], 1)] == [True] * 2


def test_each_click_may_be_an_object_of_its_own(segment: Screen, roofs: list[np.ndarray]):
    segment.page.get_by_text("Every click is an object of its own").click()
    segment.idle()
    for roof in roofs[:3]:
        segment.click(middle(roof))
    segment.expect_rows(*[f"Object {n} · 1 click" for n in (3, 2, 1)])


def test_nothing_moves_when_a_mask_arrives(segment: Screen, roofs: list[np.ndarray]):
    places = [
        segment.canvas,
        segment.page.get_by_test_id("stTabs"),
        segment.page.locator(".st-key-toolbar"),
        segment.page.locator(".st-key-objects"),
    ]
    before = [place.bounding_box() for place in places]
    segment.click(middle(roofs[0]))
    segment.expect_objects(1)
    after = [place.bounding_box() for place in places]
    tops = [[box["y"] for box in boxes] for boxes in (before, after)]
    assert tops[0] == tops[1]
    assert before[0] == after[0]
    header = segment.page.get_by_test_id("stHeader").bounding_box()
    assert header["y"] + header["height"] <= after[2]["y"] + 1, "the header must not hide buttons"


def test_a_slip_of_the_mouse_is_no_box_but_a_hint(segment: Screen):
    segment.mode("Boxes")
    segment.click((100, 100))
    expect(segment.page.locator(".stage .note")).to_contain_text("drag to the opposite corner")
    segment.expect_objects(0)
    segment.drag((100, 100), (180, 160))
    segment.expect_rows("Object 1 · 1 box")
