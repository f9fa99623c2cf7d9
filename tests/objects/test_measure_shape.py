"""Shape of objects, against hand, scikit-image and geopandas."""

from __future__ import annotations

import math
from types import SimpleNamespace

import geopandas
import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import regionprops, regionprops_table

from rsam_core.formats import outline_polygon
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import density_per_hectare, histogram, measure
from rsam_core.objects.shape import SHAPE_COLUMNS, shape_table

SCIKIT = (
    "equivalent_diameter_area", "axis_major_length", "axis_minor_length", "orientation",
    "eccentricity", "extent", "euler_number",
)  # fmt: skip


def blobs(seed: int = 1, size: int = 220) -> np.ndarray:
    values = ndimage.gaussian_filter(np.random.default_rng(seed).random((size, size)), 3)
    return ndimage.label(values > np.median(values) + 0.003, np.ones((3, 3)))[0]


def one(mask: np.ndarray) -> dict[str, float]:
    return shape_table(Instances([Instance(mask)], mask.shape)).iloc[0].to_dict()


def test_agrees_with_scikit_image():
    labels = blobs()
    table = shape_table(Instances.from_label_map(labels))
    expected = regionprops_table(labels, properties=SCIKIT)
    assert len(table) > 30
    for name in SCIKIT:
        np.testing.assert_allclose(table[name], expected[name], atol=1e-9, err_msg=name)
    # scikit-image counts the pixels of the hull, RSAM takes its area.
    large = [region.area > 150 for region in regionprops(labels)]
    solidity = np.array([region.solidity for region in regionprops(labels)])
    np.testing.assert_allclose(table["solidity"][large], solidity[large], atol=0.04)


def test_convex_hull_and_area_agree_with_geopandas():
    objects = Instances.from_label_map(blobs(2))
    outlines = geopandas.GeoSeries([outline_polygon(item) for item in objects])
    table = measure(objects, shape=True)
    np.testing.assert_allclose(table["area"], outlines.area)
    np.testing.assert_allclose(table["solidity"], outlines.area / outlines.convex_hull.area)
    boxes = outlines.minimum_rotated_rectangle()
    np.testing.assert_allclose(table["rectangularity"], outlines.area / boxes.area, rtol=0.02)
    np.testing.assert_allclose(table["centroid_x"], outlines.centroid.x)
    np.testing.assert_allclose(table["centroid_y"], outlines.centroid.y)


def test_rectangle_by_hand():
    row = one(np.ones((20, 40), bool))
    assert list(row) == list(SHAPE_COLUMNS)
    assert row["extent"] == row["solidity"] == row["rectangularity"] == pytest.approx(1)
    assert row["elongation"] == pytest.approx(0.5)
    # The variance of n equal steps is (n² − 1) / 12.
    assert row["axis_major_length"] == pytest.approx(4 * math.sqrt((40**2 - 1) / 12))
    assert row["axis_minor_length"] == pytest.approx(4 * math.sqrt((20**2 - 1) / 12))
    assert abs(row["orientation"]) == pytest.approx(math.pi / 2)
    assert row["equivalent_diameter_area"] == pytest.approx(math.sqrt(3200 / math.pi))
    assert (row["holes"], row["parts"], row["euler_number"]) == (0, 1, 1)


def test_disc_by_hand():
    rows, columns = np.mgrid[:121, :121] - 60
    row = one(rows**2 + columns**2 <= 55**2)
    assert row["compactness"] == pytest.approx(1, abs=0.02)
    assert row["eccentricity"] == pytest.approx(0, abs=1e-9)
    assert row["rectangularity"] == pytest.approx(math.pi / 4, abs=0.02)
    assert row["solidity"] > 0.98
    assert row["elongation"] == pytest.approx(0, abs=0.02)
    assert row["axis_major_length"] == pytest.approx(110, rel=0.01)


def test_a_turned_rectangle():
    rows, columns = np.mgrid[:140, :140] - 69.5
    along, across = (columns + rows) / math.sqrt(2), (rows - columns) / math.sqrt(2)
    row = one((np.abs(along) < 45) & (np.abs(across) < 15))
    assert row["elongation"] == pytest.approx(1 - 30 / 90, abs=0.02)
    assert row["rectangularity"] > 0.95
    assert row["extent"] < 0.5
    # From the downward axis to the one that runs down and right: 45° counter-clockwise.
    assert row["orientation"] == pytest.approx(math.pi / 4, abs=0.01)


def test_holes_and_parts():
    mask = np.zeros((30, 60), bool)
    mask[2:28, 2:28] = True
    mask[5:9, 5:9] = mask[15:20, 15:20] = False
    mask[4:10, 40:46] = True
    mask[10:12, 46:48] = True  # touches at a corner: no part of its own
    row = one(mask)
    assert (row["holes"], row["parts"], row["euler_number"]) == (2, 2, 0)
    courtyard = one(mask[:, :30])
    whole = one(np.ones((26, 26), bool))
    assert courtyard["compactness"] < whole["compactness"]


def test_one_pixel_and_none():
    row = one(np.ones((1, 1), bool))
    assert row["axis_major_length"] == row["eccentricity"] == row["elongation"] == 0
    assert row["solidity"] == 1
    table = measure(Instances.empty((9, 9)), shape=True, neighbours=True)
    assert len(table) == 0
    assert set(SHAPE_COLUMNS) <= set(table)


def test_lengths_in_metres():
    objects = Instances([Instance(np.ones((4, 6), bool))], (20, 20))
    table = shape_table(objects, 0.5)
    assert table["axis_major_length_m"][0] == pytest.approx(table["axis_major_length"][0] / 2)
    assert list(shape_table(objects)) == list(SHAPE_COLUMNS)


def test_the_old_columns_come_first_and_unchanged():
    objects = Instances.from_label_map(blobs(3, 90))
    plain = measure(objects)
    full = measure(objects, shape=True, neighbours=True)
    assert list(full)[: len(plain.columns)] == list(plain)
    assert full[list(plain)].equals(plain)


def test_density():
    # 200 × 100 pixels of 0.5 m are 5,000 m², half a hectare.
    assert density_per_hectare(7, (100, 200), 0.5) == pytest.approx(14)
    assert math.isnan(density_per_hectare(7, (100, 200), None))


def test_histogram():
    table = histogram([0, 1, 1, 2, 10, math.nan], bins=5)
    assert table["count"].tolist() == [3, 1, 0, 0, 1]
    assert table["start"].tolist() == [0, 2, 4, 6, 8]
    small = histogram([1, 2, 2, 4])
    assert small["count"].tolist() == [1, 2, 0, 1]
    assert small["start"].tolist() == [0.5, 1.5, 2.5, 3.5]
    assert histogram([2.5, 2.5])["count"].sum() == 2
    assert len(histogram([])) == 0
    decades = histogram([1, 5, 20, 300, 10_000], bins=4, log=True)
    assert decades["count"].tolist() == [2, 1, 1, 1]
    np.testing.assert_allclose(decades["end"], [10, 100, 1000, 10_000])
    assert histogram([0, 5, 900.5], bins=4, log=True)["start"].tolist()[0] == 0


def test_figures_are_kept_with_an_object(monkeypatch):
    item = Instance(np.ones((4, 4), bool))
    assert item.basics is item.basics
    assert item.extras is item.extras
    assert measure(Instances([item], (9, 9)), SimpleNamespace(gsd=None))["perimeter"][0] > 0
