"""Images come in by upload, and stay with their objects while one looks at other pages."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from rsam_core.samples import TownSample, write_geotiff
from tests.helpers.browser import Screen, bounds


def encoded(town: TownSample, kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(town.image).crop((0, 0, 401, 299)).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(("name", "kind"), [("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.tif", "TIFF")])
def test_an_uploaded_image_opens_with_its_size(
    screen: Screen, town: TownSample, name: str, kind: str
):
    screen.open(name, encoded(town, kind))
    expect(screen.page.get_by_test_id("stSidebar")).to_contain_text("401 × 299 pixels")
    box = screen.canvas.bounding_box()
    # It is fitted, in the middle.
    x, y, scale = screen.camera
    assert scale == pytest.approx(min(box["width"] / 401, box["height"] / 299), rel=0.01)
    assert x + box["width"] / scale / 2 == pytest.approx(401 / 2, abs=1)
    assert y + box["height"] / scale / 2 == pytest.approx(299 / 2, abs=1)
    screen.expect_text("Start here")


def test_a_bad_file_is_one_message_and_the_next_one_opens(screen: Screen, town: TownSample):
    screen.give("notes.png", b"Bring the ladder.")
    alerts = screen.page.get_by_test_id("stAlert")
    expect(alerts).to_have_count(1)
    expect(alerts).to_contain_text("“notes.png” is not an image")
    screen.idle()
    screen.open("town.jpg", encoded(town, "JPEG"))
    expect(alerts.filter(has_text="not an image")).to_have_count(0)


def test_objects_stay_while_one_looks_at_other_pages(screen: Screen, town: TownSample):
    roof = next(
        mask
        for label, kind in town.classes.items()
        if kind == "roof" and (mask := town.labels == label).sum() > 3000
    )
    x0, y0, x1, y1 = bounds(roof)
    screen.open("town.tif", write_geotiff(town))
    inside = ((x0 + x1) / 2, (y0 + y1) / 2)
    screen.click(inside)
    screen.expect_rows("Object 1 · 1 click")
    before = screen.table()
    screen.go_to("Open")
    screen.expect_text("Outline anything in an aerial image")
    screen.go_to("Models")
    screen.go_to("Segment")
    screen.expect_rows("Object 1 · 1 click")
    assert screen.table().equals(before)
    # The canvas shows the mark again, and a further click goes to the same object.
    screen.click((inside[0] + 6, inside[1]))
    screen.expect_rows("Object 1 · 2 clicks")
    assert [kind for kind, _, _ in screen.marks] == ["Click", "Click"]


def test_a_sample_is_one_click_away(screen: Screen):
    screen.button("Harbour").click()
    expect(screen.canvas).to_be_visible()
    expect(screen.page.get_by_test_id("stSidebar")).to_contain_text("Harbour.tif")
    expect(screen.page.get_by_test_id("stSidebar")).to_contain_text("on the ground")
    screen.idle()
