"""Mean and spread of bands and indices under objects, against numpy on the same pixels."""

from __future__ import annotations

import math
from pathlib import Path

import geopandas
import numpy as np
import pytest
from scipy import ndimage

from rsam_core.errors import Cancelled, SceneError
from rsam_core.formats import to_geojson
from rsam_core.objects.band_statistics import band_columns, band_table
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import measure
from rsam_core.samples import write_geotiff
from rsam_core.scene.scene import open_scene
from rsam_core.scene.window import Window

NAIP = Path(__file__).resolve().parents[3] / "shared" / "data" / "scenes"


def blobs(seed: int = 1, size: int = 220) -> np.ndarray:
    values = ndimage.gaussian_filter(np.random.default_rng(seed).random((size, size)), 3)
    return ndimage.label(values > np.median(values) + 0.003, np.ones((3, 3)))[0]


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
    monkeypatch.setattr("rsam_core.objects.band_statistics._STRIP_VALUES", strip)
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


def test_areas_in_square_metres_agree_with_geopandas(town, tmp_path):
    scene = open_scene(write_geotiff(town), name="town.tif")
    objects = Instances.from_label_map(town.labels)
    path = tmp_path / "objects.geojson"
    path.write_bytes(to_geojson(objects, scene))
    on_map = geopandas.read_file(path).to_crs(scene.crs)
    table = measure(objects, scene, shape=True)
    # The map's square metres are a little larger than the ground's: the scale of the projection.
    np.testing.assert_allclose(table["area_m2"], on_map.area, rtol=2e-3)


def test_indices_of_a_scene_with_near_infrared():
    found = sorted(NAIP.glob("m_4709963*2019*.tif")) or sorted(NAIP.glob("m_4709963*.tif"))
    if not found:
        pytest.skip("the NAIP scene is not on this machine")
    scene = open_scene(found[-1])
    item = Instance(np.ones((40, 50), bool), scene.width // 2, scene.height // 2)
    table = band_table(Instances([item], scene.shape), scene)
    window = Window(item.x, item.y, 50, 40)
    values = scene.read_bands(window).astype(float)
    ndvi = (values[..., 3] - values[..., 0]) / (values[..., 3] + values[..., 0])
    assert table["mean_ndvi"][0] == pytest.approx(np.nanmean(ndvi), abs=1e-5)
    assert table["std_ndvi"][0] == pytest.approx(np.nanstd(ndvi), abs=1e-5)
    ndwi = (values[..., 1] - values[..., 3]) / (values[..., 1] + values[..., 3])
    assert table["mean_ndwi"][0] == pytest.approx(np.nanmean(ndwi), abs=1e-5)
