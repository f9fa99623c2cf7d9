"""Scenes that open well: pixels, stretch, windows, georeference and ground sample distance."""

from __future__ import annotations

import io
import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from PIL import Image
from rasterio.enums import ColorInterp, Resampling

from rsam_core import _sample
from rsam_core.errors import SceneError
from rsam_core.ground_distance import ground_sample_distance
from rsam_core.scene import Scene, Window, open_scene

# Files written here without a georeference are meant so; that opening one stays silent has a test.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

SHARED = Path(__file__).resolve().parents[2] / "shared/data/scenes"
UTM = "EPSG:32637"


def affine(x: float, y: float, size: float) -> Affine:
    return Affine(size, 0, x, 0, -size, y)


def write_tiff(path: Path, bands: np.ndarray, **options: object) -> Path:
    """Write (bands, H, W) as a TIFF."""
    count, height, width = bands.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=count,
        height=height,
        width=width,
        dtype=bands.dtype,
        **options,
    ) as dataset:
        dataset.write(bands)
    return path


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (3, 120, 200), dtype=np.uint8)


@pytest.fixture
def town(tmp_path: Path, noise: np.ndarray) -> Path:
    return write_tiff(
        tmp_path / "town.tif",
        noise,
        crs=UTM,
        transform=affine(500_000, 9_300_000, 0.5),
        tiled=True,
        blockxsize=64,
        blockysize=64,
    )


def test_reports_what_the_file_holds(town: Path) -> None:
    scene = open_scene(town)
    assert (scene.name, scene.width, scene.height, scene.count) == ("town.tif", 200, 120, 3)
    assert scene.shape == (120, 200)
    assert (scene.dtype, scene.nodata, scene.crs) == ("uint8", None, UTM)
    assert scene.transform == affine(500_000, 9_300_000, 0.5)
    assert scene.gsd == 0.5
    assert scene.pixel_area_m2 == 0.25
    assert scene.band_names == ("red", "green", "blue")
    assert scene.notes == ()
    assert scene.stretch is None


def test_three_bands_of_uint8_come_unchanged(town: Path, noise: np.ndarray) -> None:
    scene = open_scene(town)
    truth = noise.transpose(1, 2, 0)
    picture = scene.read_rgb()
    assert picture.dtype == np.uint8
    assert picture.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(picture, truth)
    np.testing.assert_array_equal(scene.read_bands(), truth)
    assert scene.valid_mask().all()


def test_path_bytes_and_file_object_open_alike(town: Path) -> None:
    content = town.read_bytes()
    stream = io.BytesIO(content)
    stream.name = "folder/upload.tif"
    stream.read()  # an upload that somebody has read before
    with town.open("rb") as handle:
        scenes = [open_scene(s) for s in (town, str(town), content, stream, handle)]
    assert [s.name for s in scenes] == ["town.tif", "town.tif", "image", "upload.tif", "town.tif"]
    assert len({s.content_hash for s in scenes}) == 1
    assert len({s.read_rgb().tobytes() for s in scenes}) == 1
    assert open_scene(content, name="mine.tif").name == "mine.tif"


def test_hash_tells_contents_apart(town: Path) -> None:
    content = bytearray(town.read_bytes())
    content[-1] ^= 1
    assert open_scene(bytes(content)).content_hash != open_scene(town).content_hash


@pytest.mark.parametrize("window", [(0, 0, 200, 120), (13, 7, 64, 50), (199, 119, 1, 1)])
def test_windows_equal_slices_of_the_whole(
    tmp_path: Path, window: tuple[int, int, int, int]
) -> None:
    rng = np.random.default_rng(1)
    bands = rng.normal(500, 100, (4, 120, 200)).astype(np.float32)
    bands[:, 5:30, 10:40] = np.nan
    scene = open_scene(write_tiff(tmp_path / "floats.tif", bands))
    part = Window(*window)
    np.testing.assert_array_equal(scene.read_rgb(part), scene.read_rgb()[part.slices])
    np.testing.assert_array_equal(scene.read_bands(part), scene.read_bands()[part.slices])
    np.testing.assert_array_equal(scene.valid_mask(part), scene.valid_mask()[part.slices])


def test_strips_make_the_same_picture(
    town: Path, noise: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rsam_core._view.STRIP_PIXELS", 200 * 32)
    monkeypatch.setattr("rsam_core._view.STRIP_STEP", 16)
    part = Window(3, 5, 190, 111)
    np.testing.assert_array_equal(
        open_scene(town).read_rgb(part), noise.transpose(1, 2, 0)[part.slices]
    )


@pytest.mark.parametrize(
    "window",
    [(-1, 0, 5, 5), (0, 0, 201, 5), (0, 116, 5, 5), (500, 500, 5, 5)],
)
def test_windows_outside_are_refused(town: Path, window: tuple[int, int, int, int]) -> None:
    with pytest.raises(SceneError, match="reaches beyond the image of 200 × 120"):
        open_scene(town).read_rgb(Window(*window))


@pytest.mark.parametrize(
    ("values", "message"), [((0, 0, 0, 5), "empty"), ((0.5, 0, 4, 4), "whole pixels")]
)
def test_window_checks_itself(values: tuple, message: str) -> None:
    with pytest.raises(SceneError, match=message):
        Window(*values)
    assert Window(np.int64(3), 2, 1, 1).x == 3


def test_max_size_averages_areas(town: Path, noise: np.ndarray) -> None:
    scene = open_scene(town)
    reduced = scene.read_rgb(max_size=50)
    assert reduced.shape == (30, 50, 3)
    means = noise.reshape(3, 30, 4, 50, 4).mean(axis=(2, 4)).transpose(1, 2, 0)
    assert np.abs(reduced - means).max() <= 1
    assert scene.read_rgb(Window(0, 0, 40, 20), max_size=1000).shape == (20, 40, 3)
    assert scene.read_rgb(Window(8, 8, 80, 20), max_size=40).shape == (10, 40, 3)
    with pytest.raises(SceneError, match="at least 1"):
        scene.read_rgb(max_size=0)


def test_overviews_serve_reduced_views(tmp_path: Path, noise: np.ndarray) -> None:
    path = write_tiff(tmp_path / "pyramid.tif", noise)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([4], Resampling.nearest)
    with rasterio.open(path, overview_level=0) as overview:
        truth = overview.read().transpose(1, 2, 0)
    np.testing.assert_array_equal(open_scene(path).read_rgb(max_size=50), truth)


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
    assert scene.stretch is not None


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


@pytest.mark.parametrize("driver", ["PNG", "BMP", "WEBP", "JP2OpenJPEG"])
def test_lossless_picture_formats_come_unchanged(driver: str, noise: np.ndarray) -> None:
    stream = io.BytesIO()
    name = "JPEG2000" if driver == "JP2OpenJPEG" else driver
    options = {"lossless": True} if driver == "WEBP" else {}
    truth = noise.transpose(1, 2, 0)
    Image.fromarray(truth).save(stream, name, **options)
    scene = open_scene(stream)
    np.testing.assert_array_equal(scene.read_rgb(), truth)
    assert (scene.crs, scene.transform, scene.gsd, scene.notes) == (None, None, None, ())


def test_opening_a_plain_image_warns_of_nothing(noise: np.ndarray) -> None:
    stream = io.BytesIO()
    Image.fromarray(noise.transpose(1, 2, 0)).save(stream, "PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_scene(stream).read_rgb().shape == (120, 200, 3)


def test_16_bit_png_keeps_its_depth() -> None:
    ramp = np.arange(0, 40_000, 4, dtype=np.uint16).reshape(100, 100)
    stream = io.BytesIO()
    Image.fromarray(ramp).save(stream, "PNG")
    scene = open_scene(stream)
    assert scene.dtype == "uint16"
    np.testing.assert_array_equal(scene.read_bands()[..., 0], ramp)


def test_many_threads_read_one_scene(town: Path, noise: np.ndarray) -> None:
    scene = open_scene(town.read_bytes())
    windows = [Window(x, y, 40, 30) for x in range(0, 160, 20) for y in range(0, 90, 15)]
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(scene.read_rgb, windows))
    truth = noise.transpose(1, 2, 0)
    assert all(np.array_equal(part, truth[w.slices]) for part, w in zip(parts, windows))


def test_whole_reads_have_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "wide.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=30,
        height=6000,
        width=6000,
        dtype="uint16",
        tiled=True,
        sparse_ok=True,
    ):
        pass
    scene = open_scene(path)
    with pytest.raises(SceneError, match=r"2\.2 GB.*smaller window"):
        scene.read_bands()
    assert scene.read_bands(Window(0, 0, 10, 10)).shape == (10, 10, 30)


# --- ground sample distance ---------------------------------------------------------------------


def ellipsoidal(latitude: float) -> float:
    """Ground metres per web Mercator metre, from the radii of curvature of WGS 84."""
    e2 = 0.00669437999014
    phi = math.radians(latitude)
    w = 1 - e2 * math.sin(phi) ** 2
    meridian, normal = (1 - e2) / w**1.5, 1 / math.sqrt(w)
    return math.cos(phi) * math.sqrt(meridian * normal)


@pytest.mark.parametrize("latitude", [0.0, -6.0, 36.24, 60.0])
def test_web_mercator_shrinks_with_latitude(latitude: float) -> None:
    _, y = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(39.0, latitude)
    transform = affine(4_341_460, y + 0.29858 * 128, 0.29858)
    gsd = ground_sample_distance(transform, "EPSG:3857", 256, 256)
    assert gsd == pytest.approx(0.29858 * ellipsoidal(latitude), rel=1e-5)
    # The usual rule of thumb, on a sphere, is off by at most a third of a percent.
    assert gsd == pytest.approx(0.29858 * math.cos(math.radians(latitude)), rel=0.0034)


def test_web_mercator_at_zanzibar_by_hand() -> None:
    # 0.2986 m × cos(6.04°) = 0.2986 × 0.99445 = 0.2969 m on a sphere; the earth's flattening takes
    # another 0.33 %.
    transform = affine(4_368_223, -673_868, 0.2986)
    gsd = ground_sample_distance(transform, "EPSG:3857", 2048, 1024)
    assert gsd == pytest.approx(0.2969 * 0.9967, abs=1e-4)


@pytest.mark.parametrize(("lon", "lat"), [(2.28, 48.98), (-115.17, 36.24), (39.2, -6.1)])
def test_degrees_are_measured_as_in_the_local_utm_zone(lon: float, lat: float) -> None:
    size, pixels = 2.7e-6, 400
    zone = int((lon + 180) // 6) + 1
    utm = (32600 if lat > 0 else 32700) + zone
    to_utm = pyproj.Transformer.from_crs(4326, utm, always_xy=True)
    side = size * pixels
    corners = [(lon, lat), (lon + side, lat), (lon + side, lat - side), (lon, lat - side)]
    x, y = np.array([to_utm.transform(*corner) for corner in corners]).T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    gsd = ground_sample_distance(affine(lon, lat, size), "EPSG:4326", pixels, pixels)
    assert gsd**2 * pixels**2 == pytest.approx(area, rel=2e-3)


def test_projected_units_and_rotation() -> None:
    # New York Long Island is in US survey feet: 1200 / 3937 m each.
    feet = ground_sample_distance(affine(1_000_000, 200_000, 2.0), "EPSG:2263", 100, 100)
    assert feet == pytest.approx(2 * 1200 / 3937, rel=1e-9)
    rotated = affine(500_000, 9_300_000, 0.5) @ Affine.rotation(30)
    assert ground_sample_distance(rotated, UTM, 100, 100) == pytest.approx(0.5, rel=1e-12)
    oblong = Affine(0.4, 0, 500_000, 0, -0.9, 9_300_000)
    assert ground_sample_distance(oblong, UTM, 100, 100) == pytest.approx(0.6, rel=1e-12)


def test_horizontal_part_of_a_compound_crs_counts() -> None:
    assert ground_sample_distance(affine(500_000, 9_300_000, 0.5), f"{UTM}+5773", 9, 9) == 0.5


def test_coordinates_off_the_earth_give_none() -> None:
    assert ground_sample_distance(affine(10, 400, 0.1), "EPSG:4326", 100, 100) is None
    assert ground_sample_distance(affine(1e12, 1e12, 1), UTM, 100, 100) is None


def test_tall_degree_rasters_say_that_the_scale_varies(tmp_path: Path) -> None:
    world = write_tiff(
        tmp_path / "world.tif",
        np.zeros((3, 60, 60), np.uint8),
        crs="EPSG:4326",
        transform=affine(0, 60, 1.0),
    )
    scene = open_scene(world)
    assert any("varies" in note for note in scene.notes)


def test_user_types_the_ground_distance() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (20, 10)).save(stream, "PNG")
    plain = open_scene(stream)
    assert plain.gsd is None
    assert plain.pixel_area_m2 is None
    typed = plain.with_gsd(0.3)
    assert isinstance(typed, Scene)
    assert (typed.gsd, plain.gsd) == (0.3, None)
    assert typed.pixel_area_m2 == pytest.approx(0.09)
    assert typed.content_hash == plain.content_hash
    assert typed.read_rgb().shape == (10, 20, 3)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 1000.5, "wide", None])
def test_impossible_ground_distances_are_refused(town: Path, value: object) -> None:
    with pytest.raises(SceneError, match="metres per pixel is not possible"):
        open_scene(town).with_gsd(value)


def test_pixel_to_map(town: Path) -> None:
    scene = open_scene(town)
    assert scene.pixel_to_map(0, 0) == (500_000, 9_300_000)
    assert scene.pixel_to_map(10.5, 4) == (500_005.25, 9_299_998)
    x, _ = scene.pixel_to_map(np.array([0, 2]), np.array([0, 0]))
    assert x.tolist() == [500_000, 500_001]


@pytest.mark.parametrize(
    ("name", "size", "crs", "gsd"),
    [
        ("aoi1_zanzibar_tz_z19.tif", (2048, 1024, 3), "EPSG:3857", 0.29858 * ellipsoidal(-6.04)),
        ("aoi5_nairobi_ke_z19.tif", (1024, 1024, 3), "EPSG:3857", 0.29858 * ellipsoidal(-1.305)),
        ("m_4709963_se_14_1_20100629.tif", (934, 723, 4), "EPSG:26914", 5.0),
        ("m_4709963_se_14_1_20190904.tif", (934, 723, 4), "EPSG:26914", 5.0),
        # 2.7e-6° of latitude are 0.300 m; of longitude as much times the cosine.
        ("spacenet2_paris_rgb_img1447.tif", (650, 650, 3), "EPSG:4326", 0.2435),
        ("spacenet3_vegas_img0_4band.tif", (1300, 1300, 4), "EPSG:4326", 0.2695),
    ],
)
def test_real_scenes(name: str, size: tuple[int, int, int], crs: str, gsd: float) -> None:
    if not (SHARED / name).exists():
        pytest.skip("shared data absent")
    scene = open_scene(SHARED / name)
    assert (scene.width, scene.height, scene.count) == size
    assert scene.crs == crs
    assert scene.gsd == pytest.approx(gsd, rel=1e-3)
    window = Window(100, 200, 256, 128)
    view = scene.read_rgb(window)
    assert view.shape == (128, 256, 3)
    assert view.std() > 10
    if size[2] == 3:
        with rasterio.open(SHARED / name) as dataset:
            truth = dataset.read().transpose(1, 2, 0)
        np.testing.assert_array_equal(view, truth[window.slices])
