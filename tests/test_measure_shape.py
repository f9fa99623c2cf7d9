"""Shape, colours and neighbours of objects, against hand, scikit-image and geopandas."""

from __future__ import annotations

import math
from types import SimpleNamespace

import geopandas
import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import regionprops, regionprops_table

from rsam_core.errors import Cancelled, SceneError
from rsam_core.export import outline_polygon
from rsam_core.instance import Instance
from rsam_core.instances import Instances
from rsam_core.measure import density_per_hectare, histogram, measure
from rsam_core.neighbours import neighbour_table
from rsam_core.shape import SHAPE_COLUMNS, shape_table
from rsam_core.spectral import band_columns, band_table

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


# --- neighbours --------------------------------------------------------------------------


def scattered(count: int, size: int, density: float, seed: int) -> Instances:
    random = np.random.default_rng(seed)
    items = []
    for _ in range(count):
        mask = random.random(random.integers(3, 30, 2)) < density
        mask[0, 0] = True
        items.append(Instance(mask, *random.integers(0, size - 30, 2).tolist()))
    return Instances(items, (size, size))


@pytest.mark.parametrize(
    ("count", "size", "density"), [(40, 400, 0.9), (40, 2500, 0.5), (2, 2000, 0.9), (60, 220, 0.7)]
)
def test_neighbours_agree_with_geopandas(count, size, density):
    objects = scattered(count, size, density, count)
    outlines = geopandas.GeoSeries([outline_polygon(item) for item in objects])
    table = neighbour_table(objects)
    for position, outline in enumerate(outlines):
        others = outlines.drop(position).distance(outline)
        assert table["nearest_neighbour"][position] == pytest.approx(others.min(), abs=1e-9)
        nearest = int(table["nearest_id"][position])
        assert others[objects.ids.tolist().index(nearest)] == pytest.approx(others.min(), abs=1e-9)


def test_neighbours_by_hand():
    square = np.ones((10, 10), bool)
    ring = np.ones((40, 40), bool)
    ring[5:35, 5:35] = False
    objects = Instances(
        [
            Instance(square, 0, 0, id=1),
            Instance(square, 13, 14, id=2),  # 3 to the right and 4 below
            Instance(ring, 100, 100, id=3),
            Instance(square, 110, 115, id=4),  # in the ring: 5 from its inner edge
            Instance(square, 200, 200, id=5),
            Instance(square, 210, 210, id=6),  # touches at a corner
            Instance(np.ones((4, 4), bool), 203, 203, id=7),  # lies on object 5
        ],
        (300, 300),
    )
    table = neighbour_table(objects, 0.5).set_index("nearest_id", append=True)
    assert table["nearest_neighbour"].tolist() == [5, 5, 5, 5, 0, 0, 0]
    assert table["nearest_neighbour_m"].tolist() == [2.5, 2.5, 2.5, 2.5, 0, 0, 0]
    assert [id for _, id in table.index[:4]] == [2, 1, 4, 3]


def test_a_single_object_has_no_neighbour():
    objects = Instances([Instance(np.ones((3, 3), bool))], (9, 9))
    table = neighbour_table(objects)
    assert math.isnan(table["nearest_neighbour"][0])
    assert table["nearest_id"][0] == 0


# --- colours -----------------------------------------------------------------------------


class Picture:
    """As much of a scene as is measured."""

    def __init__(self, values: np.ndarray, names: tuple[str, ...], index: bool = False) -> None:
        self.values, self.band_names, self.reads = values, names, 0
        self.with_index = index

    def read_bands(self, window) -> np.ndarray:
        self.reads += 1
        return self.values[self._slices(window)]

    def valid_mask(self, window) -> np.ndarray:
        return (self.values[self._slices(window)] != 0).any(axis=2)

    def index(self, name: str, window) -> np.ndarray:
        if not self.with_index:
            raise SceneError("no near infrared")
        part = self.values[self._slices(window)].astype(float)
        one, two = (part[..., 3], part[..., 0]) if name == "ndvi" else (part[..., 1], part[..., 3])
        return (one - two) / (one + two)

    def _slices(self, window) -> tuple[slice, slice]:
        rows = slice(window.y, window.y + window.height)
        return rows, slice(window.x, window.x + window.width)


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(8).integers(1, 60_000, (220, 220, 4)).astype(np.uint16)


@pytest.mark.parametrize("strip", [24_000_000, 9_000])
def test_mean_and_spread_of_each_band(values, strip, monkeypatch):
    monkeypatch.setattr("rsam_core.spectral._STRIP_VALUES", strip)
    objects = Instances.from_label_map(blobs())
    picture = Picture(values, ("Red", "Green", "band 3", "NIR"), index=True)
    table = band_table(objects, picture)
    assert (picture.reads > 5) == (strip == 9_000)
    labels = blobs()
    for position, item in enumerate(objects):
        inside = values[labels == item.id].astype(float)
        for band, name in enumerate(("red", "green", "band_3", "nir")):
            assert table[f"mean_{name}"][position] == pytest.approx(inside[:, band].mean())
            assert table[f"std_{name}"][position] == pytest.approx(inside[:, band].std())
        ndvi = (inside[:, 3] - inside[:, 0]) / (inside[:, 3] + inside[:, 0])
        assert table["mean_ndvi"][position] == pytest.approx(ndvi.mean())
        assert table["std_ndvi"][position] == pytest.approx(ndvi.std())
        ndwi = (inside[:, 1] - inside[:, 3]) / (inside[:, 1] + inside[:, 3])
        assert table["mean_ndwi"][position] == pytest.approx(ndwi.mean())


def test_pixels_without_data_are_left_out(values):
    values = values.astype(float)
    values[:10, :10] = 0
    values[12, 12] = (np.nan, 5, 5, 5)
    objects = Instances(
        [
            Instance(np.ones((5, 5), bool), 0, 0),
            Instance(np.ones((4, 4), bool), 8, 8),
            Instance(np.ones((2, 2), bool), 12, 12),
        ],
        (220, 220),
    )
    table = band_table(objects, Picture(values, ("a", "b", "c", "d")))
    assert math.isnan(table["mean_a"][0])
    assert table["mean_a"][1] == pytest.approx(
        values[8:12, 8:12, 0][values[8:12, 8:12, 0] > 0].mean()
    )
    assert table["mean_a"][2] == pytest.approx(np.nanmean(values[12:14, 12:14, 0]))
    assert table["mean_b"][2] == pytest.approx(values[12:14, 12:14, 1].mean())
    assert "mean_ndvi" not in table


def test_large_values_with_little_spread_keep_their_digits():
    values = 1e9 + np.random.default_rng(1).normal(size=(50, 50, 1))
    objects = Instances([Instance(np.ones((50, 50), bool))], (50, 50))
    table = band_table(objects, Picture(values, ("height",)))
    assert table["std_height"][0] == pytest.approx(values.std(), rel=1e-6)


def test_column_names_and_transparency(values):
    assert band_columns(("Red", "NIR 1", "red", "", "ndvi")) == [
        "red", "nir_1", "red_3", "band_4", "ndvi_5",
    ]  # fmt: skip
    objects = Instances([Instance(np.ones((5, 5), bool))], (220, 220))
    table = band_table(objects, Picture(values, ("red", "green", "blue", "alpha")))
    assert not [name for name in table if "alpha" in name]


def test_measuring_colours_can_be_stopped(values):
    objects = Instances([Instance(np.ones((5, 5), bool))], (220, 220))
    picture = Picture(values, ("a", "b", "c", "d"))
    with pytest.raises(Cancelled):
        band_table(objects, picture, cancelled=lambda: True)
    shares = []
    band_table(objects, picture, progress=lambda share, text: shares.append(share))
    assert shares[-1] == 1
    assert len(band_table(Instances.empty((220, 220)), picture)) == 0


def test_a_scene_brings_bands_and_metres(town):
    from rsam_core.samples import write_geotiff
    from rsam_core.scene import open_scene

    scene = open_scene(write_geotiff(town), name="town.tif")
    objects = Instances.from_label_map(town.labels)
    table = measure(objects, scene, shape=True, bands=True, neighbours=True)
    position = int(np.argmax(objects.areas))
    inside = town.image[town.labels == objects.ids[position]].astype(float)
    names = [name for name in table if name.startswith("mean_")]
    assert [table[name][position] for name in names[:3]] == pytest.approx(inside.mean(0).tolist())
    np.testing.assert_allclose(
        table["nearest_neighbour_m"], 0.3 * table["nearest_neighbour"], rtol=0.01
    )


# --- summaries ---------------------------------------------------------------------------


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
