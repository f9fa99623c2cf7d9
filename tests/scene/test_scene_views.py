"""What a scene shows of itself: stretch, bands, nodata, masks, alpha, palettes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from rsam_core.scene import _sample
from rsam_core.scene.scene import open_scene
from tests.helpers.rasters import noise_bands, write_tiff

# Files written here without a georeference are meant so; that opening one stays silent has a test.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def noise() -> np.ndarray:
    return noise_bands()


def test_16_bit_is_stretched_between_percentiles(tmp_path: Path) -> None:
    ramp = np.arange(100 * 100, dtype=np.uint16).reshape(1, 100, 100)
    scene = open_scene(write_tiff(tmp_path / "ramp.tif", ramp))
    # Percentiles of 0 ... 9999, interpolated: 0.02 · 9999 and 0.98 · 9999.
    assert scene.stretch == (pytest.approx((199.98, 9799.02)),)
    picture = scene.read_rgb()
    assert (picture[..., 0] == picture[..., 1]).all()
    assert (picture[..., 0] == picture[..., 2]).all()
    truth = np.clip((ramp[0] - 199.98) / (9799.02 - 199.98) * 255, 0, 255)
    assert np.abs(picture[..., 0] - truth).max() <= 0.51
    np.testing.assert_array_equal(scene.read_bands(), ramp.transpose(1, 2, 0))


def test_large_rasters_are_stretched_by_a_scattered_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sample, "SCATTER_ABOVE", 10_000)
    monkeypatch.setattr(_sample, "SAMPLE_SIDE", 128)
    values = np.random.default_rng(0).normal(2000, 300, (1, 256, 256)).astype(np.uint16)
    scene = open_scene(write_tiff(tmp_path / "large.tif", values))
    (low, high) = scene.stretch[0]
    truth = np.percentile(values, [2, 98])
    assert (low, high) == pytest.approx(tuple(truth), rel=0.02)
    # All the sampled windows empty, but one object between them.
    values[:] = 0
    values[0, 20:30, 20:30] = 500
    sparse = open_scene(write_tiff(tmp_path / "sparse.tif", values, nodata=0))
    assert sparse.valid_mask().sum() == 100


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint32", "float32", "float64", "complex64"])
def test_every_number_type_shows_dark_to_bright(tmp_path: Path, dtype: str) -> None:
    values = np.linspace(1, 3000, 64 * 64).reshape(1, 64, 64).astype(dtype)
    picture = open_scene(write_tiff(tmp_path / "x.tif", values)).read_rgb()[..., 0]
    assert picture[0, 0] == 0
    assert picture[-1, -1] == 255
    assert (np.diff(picture.ravel().astype(int)) >= 0).all()


def test_constant_band_and_rare_objects_stay_visible(tmp_path: Path) -> None:
    flat = open_scene(write_tiff(tmp_path / "flat.tif", np.full((1, 20, 20), 900, np.uint16)))
    assert np.unique(flat.read_rgb()).tolist() == [128]
    rare = np.zeros((1, 100, 100), np.uint8)
    rare[0, 3, 3] = 7
    picture = open_scene(write_tiff(tmp_path / "rare.tif", rare)).read_rgb()
    assert picture[3, 3, 0] == 255
    assert picture.sum() == 3 * 255


@pytest.mark.parametrize(("count", "bands"), [(1, (1,)), (2, (1,)), (3, (1, 2, 3)), (6, (1, 2, 3))])
def test_bands_shown_by_default(tmp_path: Path, count: int, bands: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 5000, (count, 16, 16), dtype=np.uint16)
    scene = open_scene(write_tiff(tmp_path / "x.tif", values))
    assert scene.view_bands == bands
    assert len(scene.stretch) == len(bands)
    assert scene.read_bands().shape == (16, 16, count)


def test_colour_tags_choose_the_bands(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 5000, (4, 16, 16), dtype=np.uint16)
    path = write_tiff(tmp_path / "bgrn.tif", values)
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = (
            ColorInterp.blue,
            ColorInterp.green,
            ColorInterp.red,
            ColorInterp.undefined,
        )
        dataset.set_band_description(4, "near infrared")
    scene = open_scene(path)
    assert scene.view_bands == (3, 2, 1)
    assert scene.band_names == ("blue", "green", "red", "near infrared")


def test_nan_and_nodata_are_black_and_ignored(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(100, 200, (1, 60, 60)).astype(np.float32)
    values[0, :10] = np.nan
    values[0, 10:20] = -9999
    values[0, 20, :5] = np.inf
    scene = open_scene(write_tiff(tmp_path / "holes.tif", values, nodata=-9999))
    truth = np.isfinite(values[0]) & (values[0] != -9999)
    np.testing.assert_array_equal(scene.valid_mask(), truth)
    assert scene.nodata == -9999
    assert scene.stretch[0] == pytest.approx(tuple(np.percentile(values[0][truth], [2, 98])))
    assert not scene.read_rgb()[~truth].any()
    assert any("not numbers" in note for note in scene.notes)


def test_single_nans_do_not_spoil_a_reduced_view(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(100, 200, (1, 160, 160)).astype(np.float32)
    values[0, ::4, 1::4] = np.nan  # one in each 4 × 4 cell, never the one that nearest would pick
    reduced = open_scene(write_tiff(tmp_path / "salt.tif", values)).read_rgb(max_size=40)
    assert (reduced > 0).mean() > 0.9


def test_nodata_of_zero_leaves_dark_colours_alone(tmp_path: Path, noise: np.ndarray) -> None:
    noise[:, :30] = 0
    noise[:, 30:, 0] = np.array([0, 9, 200], np.uint8)[:, None]
    scene = open_scene(write_tiff(tmp_path / "collar.tif", noise, nodata=0))
    np.testing.assert_array_equal(scene.valid_mask(), (noise != 0).any(axis=0))
    np.testing.assert_array_equal(scene.read_rgb(), noise.transpose(1, 2, 0))


def test_internal_mask_is_respected(tmp_path: Path, noise: np.ndarray) -> None:
    path = tmp_path / "masked.tif"
    mask = np.zeros((120, 200), bool)
    mask[20:90, 30:180] = True
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", count=3, height=120, width=200, dtype="uint8"
        ) as dataset,
    ):
        dataset.write(noise)
        dataset.write_mask(mask)
    scene = open_scene(path)
    np.testing.assert_array_equal(scene.valid_mask(), mask)
    np.testing.assert_array_equal(scene.read_rgb(), noise.transpose(1, 2, 0) * mask[..., None])


def test_alpha_of_a_geotiff_marks_valid_pixels(tmp_path: Path, noise: np.ndarray) -> None:
    alpha = np.full((1, 120, 200), 255, np.uint8)
    alpha[0, :40] = 0
    path = write_tiff(tmp_path / "rgba.tif", np.concatenate([noise, alpha]), alpha="YES")
    scene = open_scene(path)
    assert scene.count == 4
    assert scene.stretch is None
    np.testing.assert_array_equal(scene.valid_mask(), alpha[0] > 0)
    np.testing.assert_array_equal(
        scene.read_rgb(), noise.transpose(1, 2, 0) * (alpha[0] > 0)[..., None]
    )


def test_near_infrared_mistaken_for_alpha_is_a_band(tmp_path: Path, noise: np.ndarray) -> None:
    # GDAL marks the fourth band of 8 bits as alpha unless told otherwise.
    infrared = np.roll(noise[:1], 5, axis=2)
    scene = open_scene(write_tiff(tmp_path / "rgbn.tif", np.concatenate([noise, infrared])))
    assert any("Band 4" in note for note in scene.notes)
    assert scene.valid_mask().all()
    assert scene.view_bands == (1, 2, 3)
    # Its colours use all tones: they are shown as they are, and nothing bright is burnt out.
    assert scene.stretch is None
    np.testing.assert_array_equal(scene.read_rgb(), np.moveaxis(noise, 0, -1))


def test_four_dull_bands_of_8_bits_are_stretched(tmp_path: Path, noise: np.ndarray) -> None:
    dull = (np.concatenate([noise, noise[:1]]) // 5 + 90).astype(np.uint8)
    scene = open_scene(write_tiff(tmp_path / "dull.tif", dull))
    assert scene.stretch is not None
    assert np.ptp(scene.read_rgb().astype(int)) > 240


def test_palette_tiff_shows_its_colours(tmp_path: Path) -> None:
    labels = np.arange(3, dtype=np.uint8).repeat(300).reshape(1, 30, 30)
    path = tmp_path / "classes.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=30, width=30, dtype="uint8"
    ) as dataset:
        dataset.write(labels)
        dataset.write_colormap(1, {0: (10, 20, 30), 1: (200, 0, 0), 2: (0, 90, 255)})
    scene = open_scene(path)
    colours = np.array([(10, 20, 30), (200, 0, 0), (0, 90, 255)], np.uint8)
    np.testing.assert_array_equal(scene.read_rgb(), colours[labels[0]])
    assert set(map(tuple, scene.read_rgb(max_size=9).reshape(-1, 3))) == set(map(tuple, colours))
