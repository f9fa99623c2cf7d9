"""Scenes that open well: pixels, windows, formats, hashes, threads."""

from __future__ import annotations

import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.enums import Resampling

from rsam_core.errors import SceneError
from rsam_core.scene.scene import Window, open_scene
from tests.helpers.rasters import UTM, affine, noise_bands, write_tiff

# Files written here without a georeference are meant so; that opening one stays silent has a test.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def noise() -> np.ndarray:
    return noise_bands()


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
    monkeypatch.setattr("rsam_core.scene.rendering.STRIP_PIXELS", 200 * 32)
    monkeypatch.setattr("rsam_core.scene.rendering.STRIP_STEP", 16)
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


def test_pixel_to_map(town: Path) -> None:
    scene = open_scene(town)
    assert scene.pixel_to_map(0, 0) == (500_000, 9_300_000)
    assert scene.pixel_to_map(10.5, 4) == (500_005.25, 9_299_998)
    x, _ = scene.pixel_to_map(np.array([0, 2]), np.array([0, 0]))
    assert x.tolist() == [500_000, 500_001]
