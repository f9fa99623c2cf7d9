"""Zooming and panning: on the screen, and through a scene that is larger than any view."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from playwright.sync_api import expect
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from rsam_core.samples import TownSample, render_town, write_geotiff
from tests.helpers.browser import Screen, bounds, middle

COLUMNS, ROWS = 4, 4


@pytest.fixture(scope="session")
def block() -> TownSample:
    """A suburb with parked cars: 800 × 640 pixels."""
    return render_town(800, 640, gsd=0.3, seed=11, style="suburb")


@pytest.fixture(scope="session")
def large(block: TownSample) -> bytes:
    """A scene of 3200 × 2560 pixels that shows the suburb sixteen times."""
    height, width = block.image.shape[:2]
    profile = {
        "driver": "GTiff", "width": width * COLUMNS, "height": height * ROWS, "count": 3,
        "dtype": "uint8", "crs": "EPSG:32637", "transform": from_origin(5e5, 4e6, 0.3, 0.3),
        "tiled": True, "compress": "deflate",
    }  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            for column in range(COLUMNS):
                for row in range(ROWS):
                    place = rasterio.windows.Window(column * width, row * height, width, height)
                    dataset.write(np.moveaxis(block.image, 2, 0), window=place)
        return memory.read()


def cars(block: TownSample) -> list[np.ndarray]:
    """Masks of the cars that are seen whole, largest first."""
    masks = [block.labels == label for label, kind in block.classes.items() if kind == "car"]
    return sorted((mask for mask in masks if mask.sum() > 50), key=lambda mask: -mask.sum())


def test_the_wheel_zooms_around_the_mouse_and_dragging_pans(screen: Screen, town: TownSample):
    screen.open("town.tif", write_geotiff(town))
    target = (300.0, 100.0)
    before = screen.place(target)
    fitted = screen.camera[2]
    screen.wheel(target, 3)
    assert screen.camera[2] == pytest.approx(3 * fitted, rel=0.03)
    assert screen.place(target) == pytest.approx(before, abs=2), "what is under the mouse stays"
    expect(screen.page.locator(".stage .minimap")).to_be_visible()
    screen.drag((300, 100), (270, 120))
    moved = np.subtract(screen.place(target), before) / screen.camera[2]
    assert moved == pytest.approx((-30, 20), abs=1)
    screen.expect_objects(0)
    screen.page.locator(".stage").get_by_role("button", name="Fit").click()
    expect(screen.page.locator(".stage .minimap")).to_be_hidden()
    assert screen.camera[2] == pytest.approx(fitted, rel=0.01)


def test_a_click_means_the_same_pixel_at_any_zoom(screen: Screen, town: TownSample):
    roof = max(
        (town.labels == label for label, kind in town.classes.items() if kind == "roof"),
        key=np.count_nonzero,
    )
    screen.open("town.tif", write_geotiff(town))
    place = middle(roof)
    screen.click(place)
    screen.expect_rows("Object 1 · 1 click")
    at_first = screen.labels() == 1
    screen.button("Clear").click()
    screen.expect_objects(0)
    screen.wheel(place, 4)
    screen.click(place)
    # Nothing is left of the first one, so numbers begin again.
    screen.expect_rows("Object 1 · 1 click")
    assert (screen.labels() > 0).sum() == pytest.approx(at_first.sum(), rel=0.1)


def test_a_car_is_outlined_in_a_scene_larger_than_any_view(
    screen: Screen, block: TownSample, large: bytes
):
    height, width = block.image.shape[:2]
    car = cars(block)[1]
    # The car of the suburb in the fourth column and third row.
    x, y = np.add(middle(car), (3 * width, 2 * height))
    screen.open("large.tif", large)
    expect(screen.page.locator(".stage .badge")).to_contain_text("Zoom in to find small objects")
    screen.wheel((x, y), 12)
    expect(screen.page.locator(".stage .badge")).to_contain_text("Full resolution")
    screen.idle()
    screen.click((x, y))
    screen.expect_rows("Object 1 · 1 click")
    screen.expect_objects(1)
    row = screen.table().iloc[0]
    left, top, right, bottom = np.add(bounds(car), (3 * width, 2 * height) * 2)
    found = (row["bbox_x"], row["bbox_y"])
    assert np.abs(np.subtract(found, (left, top))).max() <= 6
    assert row["bbox_width"] == pytest.approx(right - left, abs=8)
    assert row["bbox_height"] == pytest.approx(bottom - top, abs=8)
    # Seen from afar it is still there, and so it is from another place.
    screen.page.locator(".stage").get_by_role("button", name="Fit").click()
    expect(screen.page.locator(".stage .badge")).to_contain_text("Zoom in to find small objects")
    screen.expect_objects(1)
    screen.wheel(middle(car), 12)
    expect(screen.page.locator(".stage .badge")).to_contain_text("Full resolution")
    screen.idle()
    screen.click(middle(car))
    # That is far from the first one: whoever means the same object says so.
    screen.expect_rows("Object 2 · 1 click", "Object 1 · 1 click")
    screen.page.locator(".st-key-asked button").filter(has_text="Same object").click()
    screen.expect_rows("Object 1 · 2 clicks")
    assert screen.table().iloc[0]["bbox_x"] <= row["bbox_x"]


def test_the_minimap_moves_the_view(screen: Screen, large: bytes):
    screen.open("large.tif", large)
    width, height = 800 * COLUMNS, 640 * ROWS
    screen.wheel((width / 2, height / 2), 8)
    box = screen.page.locator(".stage .minimap").bounding_box()
    screen.page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.2)
    screen.quiet()
    stage = screen.canvas.bounding_box()
    x, y, scale = screen.camera
    assert x + stage["width"] / scale / 2 == pytest.approx(0.9 * width, abs=120)
    assert y + stage["height"] / scale / 2 == pytest.approx(0.2 * height, abs=120)
