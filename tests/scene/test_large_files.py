"""Large files: read in windows and strips, overviews kept, memory bounded; pyramids and BigTIFF."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from PIL import Image

from benchmarks.memory import LAYOUTS, write
from rsam_core.errors import Cancelled, SceneError
from rsam_core.runtime.cache import ArrayCache
from rsam_core.scene.bands import ViewSettings
from rsam_core.scene.scene import Window, open_scene
from tests.helpers.rasters import PLACE, UTM, encode, tiff, write_tiff

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

TILES = {"tiled": True, "blockxsize": 64, "blockysize": 64}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("max_size", [333, 250, 332, 1])
def test_strips_make_the_same_reduced_picture(
    dtype: str, max_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bands = (np.random.default_rng(0).random((4, 333, 277)) * 200).astype(dtype)
    if dtype == "float32":
        bands[:, 50:90, 60:200] = -9999
        bands[:, 7] = np.nan
    nodata = -9999 if dtype == "float32" else None
    scene = open_scene(tiff(bands, nodata=nodata, **TILES))
    whole = scene.read_rgb(max_size=max_size)
    part = scene.read_rgb(Window(3, 5, 250, 301), max_size=max_size)
    monkeypatch.setattr("rsam_core.scene.rendering.STRIP_PIXELS", 277 * 40)
    monkeypatch.setattr("rsam_core.scene.rendering.STRIP_STEP", 8)
    np.testing.assert_array_equal(scene.read_rgb(max_size=max_size), whole)
    np.testing.assert_array_equal(scene.read_rgb(Window(3, 5, 250, 301), max_size=max_size), part)


def test_a_window_reads_nothing_but_itself(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (3, 512, 512), dtype=np.uint8)
    path = write_tiff(tmp_path / "town.tif", values, compress="deflate", **TILES)
    with rasterio.open(path) as dataset:
        start = int(dataset.get_tag_item("BLOCK_OFFSET_5_5", "TIFF", bidx=1))
        length = int(dataset.get_tag_item("BLOCK_SIZE_5_5", "TIFF", bidx=1))
    content = bytearray(path.read_bytes())
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    # The tile at (320, 320) is spoilt: whoever touches it fails, so nothing else may.
    scene = open_scene(path)
    window = Window(64, 64, 250, 250)
    np.testing.assert_array_equal(scene.read_rgb(window), values.transpose(1, 2, 0)[window.slices])
    with pytest.raises(SceneError, match="damaged"):
        scene.read_rgb(Window(300, 300, 40, 40))


def test_overview_is_read_once_for_each_view(monkeypatch: pytest.MonkeyPatch) -> None:
    bands = np.random.default_rng(0).integers(0, 5000, (4, 200, 300), dtype=np.uint16)
    scene = open_scene(tiff(bands))
    overview = scene.overview(100)
    np.testing.assert_array_equal(overview, scene.read_rgb(max_size=100))
    infrared = scene.with_view(ViewSettings((4, 1, 2)))
    other = infrared.overview(100)
    assert (other != overview).any()
    with pytest.raises(ValueError, match="read-only"):
        overview[0, 0] = 0
    monkeypatch.setattr(type(scene), "read_rgb", None)
    assert scene.overview(100) is overview
    assert infrared.overview(100) is other
    assert scene.with_gsd(2).overview(100) is overview


def test_kept_arrays_stay_within_the_budget() -> None:
    kept = ArrayCache(budget=250)
    made = []

    def make(name: str, size: int = 100) -> np.ndarray:
        return kept.get(name, lambda: made.append(name) or np.zeros(size, np.uint8))

    a = make("a")
    make("b")
    assert make("a") is a
    make("c")  # drops b, which was used longest ago
    assert make("a") is a
    make("b")
    assert made == ["a", "b", "c", "b"]
    make("huge", 300)
    make("huge", 300)
    assert made[4:] == ["huge", "huge"]
    make("b")
    assert len(made) == 6


def test_threads_wait_for_one_reading() -> None:
    kept, made = ArrayCache(), []

    def make() -> np.ndarray:
        made.append(1)
        return np.zeros(9)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: kept.get("x", make), range(40)))
    assert len(made) == 1
    assert all(result is results[0] for result in results)


def test_12000_pixels_of_16_bits_stay_small_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    options = {"count": 4, "width": 12_000, "height": 12_000, "dtype": "uint16"}
    with rasterio.open(path, "w", driver="GTiff", sparse_ok=True, **TILES, **options):
        pass
    # Empty blocks cost no time; the arrays that are made are those of any other content.
    script = f"""
import resource, rsam_core as rsam
from rsam_core.scene.bands import ViewSettings
import numpy, rasterio
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
before = peak()
scene = rsam.open_scene({str(path)!r})
scene.overview(1024), scene.read_rgb(rsam.Window(5000, 5000, 1024, 1024))
scene.with_view(ViewSettings((4,))).read_rgb(rsam.Window(0, 0, 2048, 1024))
print(peak() - before)
"""
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    # All pixels at once are 1,152 MB.
    assert float(output) < 450


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_benchmark_writes_what_it_says(layout: str, tmp_path: Path) -> None:
    write(tmp_path / "large.tif", 600, LAYOUTS[layout])
    with rasterio.open(tmp_path / "large.tif") as dataset:
        assert (dataset.block_shapes[0][1] < 600) == ("tiles" in layout)
        assert (dataset.compression is not None) == ("deflate" in layout)
        assert dataset.overviews(1) == []
    scene = open_scene(tmp_path / "large.tif")
    assert (scene.shape, scene.count, scene.dtype, scene.gsd) == ((600, 600), 4, "uint16", 0.3)
    assert scene.read_rgb(max_size=200).std() > 10


def test_large_uploads_lie_on_disk_as_long_as_the_scene_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rsam_core.scene.sources.SPOOL_ABOVE", 10_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    content = tiff(drawn(), crs=UTM, transform=PLACE)
    scene = open_scene(content, name="town.tif").with_view(ViewSettings((3, 2, 1)))
    (room,) = tmp_path.iterdir()
    # Nobody else may enter, or lay anything beside it.
    assert os.name == "nt" or room.stat().st_mode & 0o777 == 0o700
    (spooled,) = room.iterdir()
    assert spooled.read_bytes() == content
    assert (scene.name, scene.content_hash) == ("town.tif", open_scene(content).content_hash)
    gc.collect()
    np.testing.assert_array_equal(scene.read_bands(), drawn().transpose(1, 2, 0))
    assert open_scene(tiff(drawn("uint8", 1)[:, :50, :50])).count == 1
    del scene
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert open_scene(content).gsd == 0.5


# --- formats for large images ---------------------------------------------------------------------


def drawn(dtype: str = "uint16", count: int = 3) -> np.ndarray:
    """Return (count, 600, 500): smooth hills, different in each band."""
    y, x = np.mgrid[:600, :500]
    hills = [2000 + 1500 * np.sin(x / (40 + 9 * i)) * np.cos(y / 50) for i in range(count)]
    return np.array(hills).astype(dtype)


def test_cloud_optimised_geotiff_serves_its_pyramid(tmp_path: Path) -> None:
    path = tmp_path / "cog.tif"
    with (
        rasterio.MemoryFile(tiff(drawn(), crs=UTM, transform=PLACE)) as memory,
        memory.open() as source,
    ):
        rasterio.shutil.copy(source, path, driver="COG", blocksize=128, compress="DEFLATE")
    with rasterio.open(path) as dataset:
        assert dataset.overviews(1)
        level = rasterio.open(path, overview_level=0).read(1)
    scene = open_scene(path)
    assert (scene.crs, scene.gsd, scene.notes) == (UTM, 0.5, ())
    np.testing.assert_array_equal(scene.read_bands(), drawn().transpose(1, 2, 0))
    (low, high), *_ = scene.stretch
    expected = np.clip((level - low) / (high - low) * 255, 0, 255)
    assert np.abs(scene.read_rgb(max_size=300)[..., 0] - expected).max() <= 1


def test_bigtiff(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "big.tif", drawn(), crs=UTM, transform=PLACE, BIGTIFF="YES")
    assert path.read_bytes()[:4] == b"II+\0"
    scene = open_scene(path)
    assert scene.gsd == 0.5
    np.testing.assert_array_equal(scene.read_bands(), drawn().transpose(1, 2, 0))


def test_georeferenced_jpeg_2000_of_16_bits(tmp_path: Path) -> None:
    from rasterio.drivers import raster_driver_extensions

    if "jp2" not in raster_driver_extensions():
        pytest.skip("this GDAL writes no JPEG 2000")
    path = tmp_path / "sentinel.jp2"
    with (
        rasterio.MemoryFile(tiff(drawn(count=4), crs=UTM, transform=PLACE)) as memory,
        memory.open() as source,
    ):
        rasterio.shutil.copy(
            source,
            path,
            driver="JP2OpenJPEG",
            quality=100,
            reversible="YES",
            blockxsize=256,
            blockysize=256,
        )
    scene = open_scene(path)
    assert (scene.crs, scene.gsd, scene.dtype, scene.count) == (UTM, 0.5, "uint16", 4)
    window = Window(200, 300, 150, 120)
    np.testing.assert_array_equal(
        scene.read_bands(window), drawn(count=4).transpose(1, 2, 0)[window.slices]
    )


# --- what is laid in tiles ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_pictures_are_laid_in_tiles(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    content = encode(Image.fromarray(pixels), kind)
    plain = open_scene(content, examine=False)
    monkeypatch.setattr("rsam_core.scene._photographs.SLOW_PIXELS", 500_000)
    monkeypatch.setattr("rsam_core.scene._rewriting._IN_MEMORY", 100_000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scene = open_scene(content, examine=False)
    np.testing.assert_array_equal(scene.read_rgb(), plain.read_rgb())
    assert scene.content_hash == plain.content_hash
    (room,) = tmp_path.iterdir()
    (tiles,) = room.iterdir()
    with rasterio.open(tiles) as dataset:
        assert dataset.block_shapes[0] == (512, 512)
    with pytest.raises(SceneError, match="damaged"):
        open_scene(content[: len(content) // 2], examine=False)
    del scene
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(SceneError, match="on disk"):
        open_scene(content, examine=False)


@pytest.mark.parametrize("options", [{"nodata": 7}, {"photometric": "MINISWHITE"}, {}])
def test_a_file_in_one_packed_strip_is_laid_in_tiles(
    options: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tiff(drawn(count=1), compress="deflate", blockysize=600, **options)
    plain = open_scene(content, examine=False)
    monkeypatch.setattr("rsam_core.scene._photographs.SLOW_BLOCK_BYTES", 100_000)
    scene = open_scene(content, examine=False)
    assert scene._file.source != content
    np.testing.assert_array_equal(scene.read_rgb(), plain.read_rgb())
    np.testing.assert_array_equal(scene.read_bands(), plain.read_bands())
    assert (scene.nodata, scene.dtype) == (plain.nodata, plain.dtype)


def test_mask_palette_and_alpha_are_kept_in_tiles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("rsam_core.scene._photographs.SLOW_BLOCK_BYTES", 1000)
    values = np.random.default_rng(0).integers(0, 4, (1, 64, 80), dtype=np.uint8)
    palette = {k: (60 * k, 255 - 60 * k, 9 * k, 255) for k in range(4)}
    for case in ("palette", "mask", "alpha"):
        path = tmp_path / f"{case}.tif"
        bands = np.repeat(values, 4, axis=0) * 60 if case == "alpha" else values
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(
                path, "w", driver="GTiff", width=80, height=64, count=len(bands), dtype="uint8",
                compress="deflate", blockysize=64,
                **({"photometric": "RGB", "alpha": "YES"} if case == "alpha" else {}),
            ) as dataset,
        ):  # fmt: skip
            if case == "palette":
                dataset.write_colormap(1, palette)
            dataset.write(bands)
            if case == "mask":
                dataset.write_mask(values[0] > 0)
            if case == "alpha":
                dataset.write(np.where(values[0] > 0, 255, 0).astype(np.uint8), 4)
        scene = open_scene(path)
        assert scene._file.source != path
        if case == "palette":
            expected = np.array([palette[k][:3] for k in range(4)])[values[0]]
            np.testing.assert_array_equal(scene.read_rgb(), expected)
        else:
            np.testing.assert_array_equal(scene.valid_mask(), values[0] > 0)


def test_progress_of_a_large_overview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rsam_core.scene.rendering.STRIP_PIXELS", 500 * 64)
    monkeypatch.setattr("rsam_core.scene.rendering.STRIP_STEP", 64)
    scene, told = open_scene(tiff(drawn())), []
    picture = scene.overview(250, progress=told.append)
    assert len(told) > 5
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] < 1
    assert scene.overview(250, progress=told.clear) is picture

    def stop(share: float) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        scene.overview(100, progress=stop)
