"""Rasters: what is read from a scene, and the scene that is made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

import rsam_core as rsam
from rsam_core.errors import PrepareError
from rsam_core.prepare import Raster, _writing, geotiff, read_raster, write_scene
from rsam_core.samples import TownSample, write_geotiff
from rsam_core.scene.bands import ViewSettings

pytestmark = pytest.mark.filterwarnings(
    "ignore::rasterio.errors.NotGeoreferencedWarning", "ignore::PendingDeprecationWarning"
)


def tiff(values: np.ndarray, *, nodata: float | None = None, names: tuple[str, ...] = ()) -> bytes:
    """A GeoTIFF in UTM 37 N with pixels of 2 m; values are (H, W, C)."""
    height, width, count = values.shape
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=width, height=height, count=count, dtype=values.dtype,
            crs="EPSG:32637", transform=from_origin(500_000, 4_000_000, 2, 2), nodata=nodata,
        ) as target:  # fmt: skip
            target.write(np.moveaxis(values, 2, 0))
            for band, name in enumerate(names, start=1):
                target.set_band_description(band, name)
        return memory.read()


@pytest.fixture
def measured() -> np.ndarray:
    """60 × 80 pixels of four bands, uint16, each band with a range of its own."""
    rng = np.random.default_rng(1)
    return (rng.integers(200, 900, (60, 80, 4)) * [1, 2, 3, 4]).astype(np.uint16)


def test_a_picture_comes_and_goes_unchanged(town: TownSample):
    scene = rsam.open_scene(write_geotiff(town), name="town.tif")
    raster = read_raster(scene)
    assert raster.limits == (0, 255)
    assert raster.dtype == "uint8"
    assert raster.scale == 1
    np.testing.assert_array_equal(raster.values, town.image)
    again = write_scene(raster, "again.tif")
    assert again.name == "again.tif"
    np.testing.assert_array_equal(again.read_bands(), scene.read_bands())
    np.testing.assert_array_equal(again.read_rgb(), scene.read_rgb())
    assert (again.crs, again.transform, again.dtype) == (scene.crs, scene.transform, scene.dtype)
    assert again.gsd == pytest.approx(scene.gsd)


def test_sixteen_bits_keep_values_names_and_look(measured: np.ndarray):
    names = ("blue", "green", "red", "nir")
    scene = rsam.open_scene(tiff(measured, names=names), name="four.tif")
    raster = read_raster(scene)
    assert raster.band_names == names
    assert raster.dtype == "uint16"
    lows, highs = zip(*scene.stretch)
    assert raster.limits == (min(lows), max(highs))
    np.testing.assert_array_equal(raster.rgb(), scene.read_rgb())
    again = write_scene(raster, "four.tif")
    assert again.dtype == "uint16"
    assert again.band_names == names
    assert again.view_bands == scene.view_bands
    np.testing.assert_array_equal(again.read_bands(), measured)
    np.testing.assert_array_equal(again.read_rgb(), scene.read_rgb())


def test_brighter_sixteen_bits_are_not_stretched_away_again(measured: np.ndarray):
    raster = read_raster(rsam.open_scene(tiff(measured), name="four.tif"))
    brighter = raster.with_values(raster.values + 0.2 * raster.span)
    shown = write_scene(brighter, "four.tif").read_rgb()
    # The values were rounded to whole numbers in between.
    np.testing.assert_allclose(shown.astype(int), brighter.rgb(), atol=1)
    assert shown.mean() > raster.rgb().mean() + 20


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_nodata_stays_nodata(dtype: str):
    values = np.random.default_rng(2).integers(10, 200, (40, 50, 3)).astype(dtype)
    values[5:15, 10:30] = 0
    scene = rsam.open_scene(tiff(values, nodata=0), name="gap.tif")
    raster = read_raster(scene)
    gap = np.zeros((40, 50), bool)
    gap[5:15, 10:30] = True
    np.testing.assert_array_equal(raster.valid, ~gap)
    # Valid pixels that a step brings to the old nodata value are data all the same.
    done = raster.with_values(np.where(raster.values > 100, raster.values, 0))
    np.testing.assert_array_equal(done.values[gap], raster.values[gap])
    again = write_scene(done, "gap.tif")
    assert again.dtype == dtype
    np.testing.assert_array_equal(again.valid_mask(), ~gap)
    np.testing.assert_array_equal(read_raster(again).valid, ~gap)


def test_nan_and_infinity_are_no_data():
    values = np.linspace(0, 1, 30 * 40 * 2, dtype=np.float32).reshape(30, 40, 2)
    values[3, 4, 0], values[7, 8, 1] = np.nan, np.inf
    raster = Raster.of_array(values)
    assert np.isfinite(raster.values).all()
    assert np.argwhere(~raster.valid).tolist() == [[3, 4], [7, 8]]
    low, high = np.percentile(values[raster.valid], (2, 98))
    assert raster.limits == pytest.approx((low, high))


def test_transparency_is_no_band_but_says_where_data_is():
    values = np.random.default_rng(3).integers(0, 255, (20, 30, 4), dtype=np.uint8)
    values[..., 3] = 255
    values[:, 20:, 3] = 0
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=30, height=20, count=4, dtype="uint8", photometric="RGB",
            alpha="YES",
        ) as target:  # fmt: skip
            target.write(np.moveaxis(values, 2, 0))
        scene = rsam.open_scene(memory.read(), name="alpha.tif")
    raster = read_raster(scene)
    assert raster.count == 3
    np.testing.assert_array_equal(raster.valid[:, :20], True)
    np.testing.assert_array_equal(raster.valid[:, 20:], False)
    np.testing.assert_array_equal(write_scene(raster, "alpha.tif").valid_mask(), raster.valid)


def test_a_window_and_a_reduced_copy_know_their_place(town: TownSample):
    scene = rsam.open_scene(write_geotiff(town), name="town.tif")
    part = read_raster(scene, rsam.Window(100, 50, 64, 32))
    np.testing.assert_array_equal(part.values, town.image[50:82, 100:164])
    assert part.transform * (0, 0) == pytest.approx(scene.pixel_to_map(100, 50))
    small = read_raster(scene, max_size=112)
    assert (small.width, small.height, small.scale) == (112, 80, 4.0)
    assert small.gsd == pytest.approx(scene.gsd * 4)
    assert small.transform * (112, 80) == pytest.approx(scene.pixel_to_map(448, 320))
    cell = town.image[40:44, 80:84].reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(small.values[10, 20], cell, atol=0.51)
    inner = part.cropped(10, 5, 20, 10)
    np.testing.assert_array_equal(inner.values, town.image[55:65, 110:130])
    assert inner.transform * (0, 0) == pytest.approx(scene.pixel_to_map(110, 55))


def test_a_typed_ground_distance_stays():
    values = np.random.default_rng(4).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", width=30, height=20, count=3, dtype="uint8") as target:
            target.write(np.moveaxis(values, 2, 0))
        scene = rsam.open_scene(memory.read(), name="plain.tif").with_gsd(0.25)
    again = write_scene(read_raster(scene), "plain.tif")
    assert again.gsd == 0.25
    assert again.transform is None


def test_a_large_result_lives_on_disk_as_long_as_its_scene(
    monkeypatch: pytest.MonkeyPatch, measured: np.ndarray, tmp_path
):
    monkeypatch.setattr(_writing, "MEMORY_BYTES", 0)
    monkeypatch.setattr(_writing.tempfile, "tempdir", str(tmp_path))
    scene = write_scene(Raster.of_array(measured), "large.tif")
    np.testing.assert_array_equal(scene.read_bands(), measured)
    assert len(list(tmp_path.glob("*.tif"))) == 1
    assert geotiff(scene) == next(tmp_path.glob("*.tif")).read_bytes()
    other = scene.with_gsd(1.0)
    del scene
    np.testing.assert_array_equal(other.read_bands(), measured)
    del other
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, measured, tmp_path):
    monkeypatch.setattr(_writing.tempfile, "tempdir", str(tmp_path))
    write_scene(Raster.of_array(measured), "small.tif")
    assert list(tmp_path.iterdir()) == []
    empty = Raster.of_array(measured, valid=np.zeros(measured.shape[:2], bool))
    with pytest.raises(rsam.RsamError, match="holds no data"):
        write_scene(empty, "empty.tif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"values": np.zeros((4, 0, 3))}, "rows, columns and bands"),
        ({"values": np.zeros((4, 5, 3, 2))}, "rows, columns and bands"),
        ({"valid": np.ones((5, 4), bool)}, "same rows and columns"),
        ({"band_names": ("red",)}, "3 bands need as many names"),
    ],
)
def test_a_raster_that_does_not_fit_together_is_refused(fields: dict, message: str):
    whole = {
        "values": np.zeros((4, 5, 3)),
        "valid": np.ones((4, 5), bool),
        "limits": (0, 255),
        "band_names": ("a", "b", "c"),
    }
    with pytest.raises(PrepareError, match=message):
        Raster(**(whole | fields))


def test_the_file_written_is_one_that_other_programs_read(town: TownSample, tmp_path):
    valid = np.ones(town.labels.shape, bool)
    valid[:10] = False
    raster = Raster.of_array(town.image, valid, band_names=("red", "green", "blue"))
    scene = write_scene(raster, "masked.tif")
    path = tmp_path / "masked.tif"
    path.write_bytes(geotiff(scene))
    with rasterio.open(path) as dataset:
        assert dataset.descriptions == ("red", "green", "blue")
        np.testing.assert_array_equal(dataset.dataset_mask() > 0, valid)


def test_the_view_that_was_chosen_stays(measured: np.ndarray):
    scene = rsam.open_scene(tiff(measured), name="four.tif")
    scene = scene.with_view(ViewSettings((4, 2, 1), percentiles=(5, 95), gamma=1.5))
    raster = read_raster(scene)
    assert raster.count == 4
    assert raster.view_bands == (3, 1, 0)
    np.testing.assert_array_equal(raster.rgb(), scene.read_rgb())
    again = write_scene(raster, "four.tif")
    assert again.view_bands == (4, 2, 1)
    np.testing.assert_array_equal(again.read_rgb(), scene.read_rgb())
    assert again.roles.nir == scene.roles.nir == 4


def test_behind_a_spectral_index_all_bands_are_prepared(measured: np.ndarray):
    scene = rsam.open_scene(tiff(measured), name="four.tif")
    raster = read_raster(scene.with_view(ViewSettings(index="ndvi")))
    np.testing.assert_array_equal(raster.values, measured)
    np.testing.assert_array_equal(raster.rgb(), scene.read_rgb())


def test_four_bands_of_eight_bits_stay_measurements():
    values = np.random.default_rng(5).integers(0, 255, (40, 50, 4), dtype=np.uint8)
    values[..., 3] = np.where(values[..., 3] > 120, 255, 0)
    scene = write_scene(Raster.of_array(values), "four.tif")
    assert scene.data_bands == (1, 2, 3, 4)
    np.testing.assert_array_equal(scene.read_bands(), values)


def test_colours_of_a_palette():
    indices = (np.indices((20, 30)).sum(axis=0) % 3).astype(np.uint8)
    colours = {0: (255, 0, 0, 255), 1: (0, 200, 0, 255), 2: (10, 20, 30, 255)}
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", width=30, height=20, count=1, dtype="uint8") as target:
            target.write(indices, 1)
            target.write_colormap(1, colours)
        scene = rsam.open_scene(memory.read(), name="classes.tif")
    raster = read_raster(scene)
    assert raster.count == 3
    expected = np.array([colours[i][:3] for i in range(3)])[indices]
    np.testing.assert_array_equal(raster.values, expected)
    np.testing.assert_array_equal(write_scene(raster, "classes.tif").read_rgb(), expected)


SCENES = Path(__file__).resolve().parents[3] / "shared" / "data" / "scenes"


@pytest.mark.skipif(not SCENES.is_dir(), reason="real imagery is not at hand")
@pytest.mark.parametrize(
    "pattern", ["aoi1_zanzibar*.tif", "spacenet2*.tif", "spacenet3*.tif", "m_4709963*2010*.tif"]
)
def test_real_scenes_come_back_as_they_were(pattern: str):
    scene = rsam.open_scene(sorted(SCENES.glob(pattern))[0])
    window = rsam.Window(60, 40, 512, 384)
    raster = read_raster(scene, window)
    again = write_scene(raster, scene.name)
    data = [band - 1 for band in scene.data_bands]
    np.testing.assert_array_equal(again.read_bands(), scene.read_bands(window)[..., data])
    np.testing.assert_array_equal(again.read_rgb(), scene.read_rgb(window))
    np.testing.assert_array_equal(again.valid_mask(), scene.valid_mask(window))
    assert again.crs == scene.crs
    # True ground distance varies within a scene of degrees or web mercator.
    assert again.gsd == pytest.approx(scene.gsd, rel=1e-3)
    assert again.pixel_to_map(0, 0) == pytest.approx(scene.pixel_to_map(60, 40))
