"""Sizes and places of shapes that can be worked out by hand."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace

import numpy as np
import pytest
from rasterio.transform import Affine
from skimage.measure import regionprops

from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import covered_ground, measure, summary

COLUMNS = [
    "id", "label", "source", "score", "area", "perimeter", "bbox_x", "bbox_y", "bbox_width",
    "bbox_height", "centroid_x", "centroid_y",
]  # fmt: skip


def disc(radius: float, size: int = 101) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] + 0.5
    return (rows - size / 2) ** 2 + (columns - size / 2) ** 2 < radius**2


def test_rectangle_by_hand():
    item = Instance(np.ones((20, 40), bool), 10, 30, 0.9, 5, "box", "building")
    row = measure(Instances([item], (100, 100))).iloc[0].to_dict()
    assert list(row) == COLUMNS
    perimeter = row.pop("perimeter")
    assert row == {
        "id": 5, "label": "building", "source": "box", "score": 0.9, "area": 800,
        "bbox_x": 10, "bbox_y": 30, "bbox_width": 40, "bbox_height": 20,
        "centroid_x": 30.0, "centroid_y": 40.0,
    }  # fmt: skip
    # Crofton in four directions, by hand: lines along rows and columns cross the border of the
    # rectangle 2 · 20 and 2 · 40 times, each diagonal direction 2 · (20 + 40 − 1) times, with
    # lines 1 / √2 apart; a quarter of the circle of directions each, π / 2 over the number.
    by_hand = math.pi / 8 * (2 * (20 + 40) + 2 * 2 * (20 + 40 - 1) / math.sqrt(2))
    assert perimeter == pytest.approx(by_hand)
    # Four directions are few: along the grid a rectangle comes out some 6 % short.
    assert perimeter == pytest.approx(120, rel=0.065)


@pytest.mark.parametrize("radius", [8, 20, 45])
def test_perimeter_and_area_of_a_disc(radius):
    table = measure(Instances([Instance(disc(radius))], (101, 101)))
    assert table["perimeter"][0] == pytest.approx(2 * math.pi * radius, rel=0.03)
    assert table["area"][0] == pytest.approx(math.pi * radius**2, rel=0.05)
    assert table["centroid_x"][0] == pytest.approx(50.5)
    assert table["centroid_y"][0] == pytest.approx(50.5)


def test_hole_counts_in_the_perimeter_and_not_in_the_area():
    ring = disc(40) & ~disc(20)
    table = measure(Instances([Instance(ring)], (101, 101)))
    assert table["perimeter"][0] == pytest.approx(2 * math.pi * 60, rel=0.03)
    assert table["area"][0] == pytest.approx(math.pi * 1200, rel=0.02)


def test_agrees_with_scikit_image():
    rng = np.random.default_rng(4)
    labels = np.zeros((60, 70), int)
    for number in range(1, 6):
        row, column = rng.integers(0, 45, 2)
        labels[row : row + 15, column : column + 15][rng.random((15, 15)) < 0.6] = number
    table = measure(Instances.from_label_map(labels)).set_index("id")
    for region in regionprops(labels):
        row = table.loc[region.label]
        assert row["area"] == region.area
        assert row["perimeter"] == pytest.approx(region.perimeter_crofton)
        assert row["centroid_y"] == pytest.approx(region.centroid[0] + 0.5)
        assert row["centroid_x"] == pytest.approx(region.centroid[1] + 0.5)
        assert (row["bbox_y"], row["bbox_x"]) == region.bbox[:2]


def test_metres_and_map_coordinates():
    objects = Instances([Instance(np.ones((4, 6), bool), 10, 20)], (100, 100))
    scene = SimpleNamespace(
        gsd=0.5, pixel_area_m2=0.25, transform=Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000)
    )
    table = measure(objects, scene)
    assert table["area_m2"][0] == pytest.approx(6.0)
    assert table["perimeter_m"][0] == pytest.approx(0.5 * table["perimeter"][0])
    # Centre of the rectangle: pixel (13, 22).
    assert table["map_x"][0] == pytest.approx(500_006.5)
    assert table["map_y"][0] == pytest.approx(3_999_989.0)
    assert measure(objects, SimpleNamespace(gsd=2.0))["area_m2"][0] == 96.0


def test_pixels_only_without_a_ground_sample_distance():
    objects = Instances([Instance(np.ones((4, 6), bool))], (100, 100))
    plain = SimpleNamespace(gsd=None, pixel_area_m2=None, transform=None)
    assert list(measure(objects, plain)) == list(measure(objects)) == COLUMNS
    turned = SimpleNamespace(gsd=None, pixel_area_m2=None, transform=Affine(0, 2, 7, 3, 0, 9))
    table = measure(objects, turned)
    assert (table["map_x"][0], table["map_y"][0]) == (2 * 2 + 7, 3 * 3 + 9)


def test_no_objects():
    table = measure(Instances.empty((5, 5)), SimpleNamespace(gsd=1.0, transform=Affine.identity()))
    assert len(table) == 0
    assert list(table) == [*COLUMNS, "area_m2", "perimeter_m", "map_x", "map_y"]
    figures = summary(table, (5, 5))
    assert (figures["count"], figures["total_area"], figures["coverage"]) == (0, 0, 0)
    assert math.isnan(figures["mean_area"])


def test_summary_by_hand():
    masks = [np.ones((2, 2), bool), np.ones((2, 3), bool), np.ones((4, 5), bool)]
    objects = Instances([Instance(mask, 10 * i, 0) for i, mask in enumerate(masks)], (10, 30))
    table = measure(objects)
    figures = summary(table, objects.shape, 0.5)
    assert figures == pytest.approx(
        {
            "count": 3, "total_area": 30, "mean_area": 10, "median_area": 6, "coverage": 0.1,
            "total_area_m2": 7.5, "mean_area_m2": 2.5, "median_area_m2": 1.5,
        }
    )  # fmt: skip
    assert "total_area_m2" not in summary(table, objects.shape)
    scene = SimpleNamespace(gsd=2.0, pixel_area_m2=3.0, transform=None)
    # The table's own square metres go first: pixels of a map need not be square.
    assert summary(measure(objects, scene), objects.shape, 2.0)["total_area_m2"] == 90


def test_coverage_counts_shared_pixels_once_if_told_how_many():
    objects = Instances([Instance(np.ones((2, 5), bool))] * 2, (4, 5))
    table = measure(objects)
    assert summary(table, objects.shape)["coverage"] == 1.0
    covered = covered_ground(objects, SimpleNamespace(gsd=2.0))
    figures = summary(table, objects.shape, 2.0, covered=covered)
    # Ten pixels of 4 m² in a picture of twenty; the mean is that of whole objects.
    assert (figures["total_area"], figures["total_area_m2"]) == (10, 40)
    assert (figures["coverage"], figures["mean_area"]) == (0.5, 10)


def test_a_thousand_objects_take_well_under_a_second():
    mask = disc(18, 40)
    objects = Instances([Instance(mask, i % 960, i // 2) for i in range(1000)], (1000, 1000))
    measure(objects[:1])
    start = time.process_time()
    table = measure(objects)
    assert time.process_time() - start < 1.0
    assert len(table) == 1000
