"""The building study, start to finish: from an image to a GeoPackage of classified outlines."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from playwright.sync_api import expect

from rsam_core.samples import TownSample, write_geotiff
from tests.helpers.browser import Screen, middle


def test_everything_large_ones_classes_by_example_smooth_and_geopackage(
    screen: Screen, town: TownSample, tmp_path: Path
):
    screen.open("town.tif", write_geotiff(town))
    screen.mode("Everything")
    screen.button("Find everything").click()
    expect(screen.button("Find everything again")).to_be_visible()
    smallest = screen.page.get_by_role("spinbutton", name="Minimum size (pixels)")
    smallest.fill("300")
    smallest.press("Enter")
    screen.quiet()
    labels = screen.labels()
    ids, areas = np.unique(labels[labels > 0], return_counts=True)
    assert len(ids) >= 10
    # Examples by the sample's truth: four roofs, and four other things.
    roofs = [label for label, kind in town.classes.items() if kind == "roof"]
    shares = [np.isin(town.labels[labels == id], roofs).mean() for id in ids]
    order = np.argsort(-areas)
    buildings = [int(ids[i]) for i in order if shares[i] > 0.8][:4]
    others = [int(ids[i]) for i in order if shares[i] < 0.2][:4]
    assert len(buildings) == len(others) == 4

    screen.go_to("Objects")
    screen.page.get_by_role("tab", name="Classify").click()
    screen.page.locator(".st-key-classify-way button").filter(has_text="By example").click()
    screen.idle()
    for name, chosen in (("building", buildings), ("other", others)):
        for position, id in enumerate(chosen):
            if position:
                screen.page.keyboard.down("Shift")
            screen.click(middle(labels == id))
            screen.page.keyboard.up("Shift")
            screen.expect_text(f"{position + 1} object{'s' if position else ''} selected.")
            screen.idle()
        screen.page.locator(".st-key-class-buttons button").filter(has_text=name).click()
        screen.expect_text(re.compile(rf"{name} · 4"))
        screen.idle()
        screen.button("None").click()
        screen.idle()
    screen.button("Learn from the examples").click()
    screen.expect_text(re.compile(r"of 8 examples"))
    screen.idle()
    screen.button("Classify").click()
    screen.quiet()

    screen.page.get_by_role("tab", name="Refine").click()
    screen.button("Apply to").click()
    screen.quiet()

    target = tmp_path / "town.gpkg"
    target.write_bytes(screen.download("GeoPackage"))
    outlines = gpd.read_file(target)
    assert outlines.crs.to_epsg() == 32637
    assert len(outlines) >= 10
    assert set(outlines["label"]) == {"building", "other"}
    # Outlines are simplified by a pixel: areas agree with the table all the same.
    assert outlines.area.sum() == pytest.approx(outlines["area_m2"].sum(), rel=0.01)
    # What was told to be a building lies on roofs.
    told = outlines[outlines["label"] == "building"]
    transform = ~town.transform
    truth = np.isin(town.labels, roofs)
    inside = [truth[int(y), int(x)] for x, y in (transform * (p.x, p.y) for p in told.centroid)]
    assert np.mean(inside) > 0.7
