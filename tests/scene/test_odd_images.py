"""Files that look odd and open, most of them with a note on it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image, TiffImagePlugin
from rasterio.rpc import RPC

from rsam_core.errors import SceneError
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import measure
from rsam_core.prepare import read_raster
from rsam_core.scene.bands import ViewSettings, presets
from rsam_core.scene.description import facts
from rsam_core.scene.scene import open_scene
from tests.helpers.rasters import PLACE, UTM, encode, photo, textured, tiff

# Files written here without a georeference are meant so; that opening one stays silent has a test.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture(autouse=True)
def _silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing below may print: decoders' own messages are no message to the user."""
    yield
    assert capfd.readouterr().err == ""


def corners(picture: np.ndarray) -> list[str]:
    """Return the colours of the corners: top left, top right, bottom left, bottom right."""
    names = {(220, 30, 30): "red", (30, 200, 30): "green", (30, 30, 210): "blue"}
    names[220, 210, 30] = "yellow"
    values = [picture[y, x].astype(int) for y in (4, -5) for x in (4, -5)]
    return [min(names.items(), key=lambda item: np.abs(v - item[0]).sum())[1] for v in values]


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, ["red", "green", "blue", "yellow"]),
        (2, ["green", "red", "yellow", "blue"]),
        (3, ["yellow", "blue", "green", "red"]),
        (6, ["blue", "red", "yellow", "green"]),  # turn a quarter clockwise
        (8, ["green", "yellow", "red", "blue"]),  # turn a quarter anticlockwise
    ],
)
def test_camera_orientation(orientation: int, expected: list[str]) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    scene = open_scene(encode(photo(), "JPEG", exif=exif, quality=95))
    picture = scene.read_rgb()
    assert picture.shape == ((96, 64, 3) if orientation in (6, 8) else (64, 96, 3))
    assert (scene.height, scene.width) == picture.shape[:2]
    assert corners(picture) == expected
    assert bool(scene.notes) == (orientation != 1)


def test_world_file_of_a_turned_photo_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "drone.jpg"
    exif = Image.Exif()
    exif[274] = 6
    for orientation, georeferenced in ((1, True), (6, False)):
        exif[274] = orientation
        path.write_bytes(encode(photo(), "JPEG", exif=exif))
        (tmp_path / "drone.jgw").write_text("0.5\n0\n0\n-0.5\n500000.25\n9299999.75\n")
        scene = open_scene(path)
        assert (scene.transform == PLACE) == georeferenced
        assert (scene.transform is None) != georeferenced


def test_cmyk_photograph() -> None:
    # Inks of the quarters; without black, red is 255 − cyan and so on.
    inks = np.zeros((64, 96, 4), np.uint8)
    inks[:, :48] = (200, 40, 90, 0)
    inks[:, 48:] = (10, 220, 30, 0)
    scene = open_scene(encode(Image.fromarray(inks, "CMYK"), "JPEG", quality=95))
    picture = scene.read_rgb().astype(int)
    assert picture.shape == (64, 96, 3)
    assert np.abs(picture[:, 8:40] - (55, 215, 165)).max() <= 4
    assert np.abs(picture[:, 56:88] - (245, 35, 225)).max() <= 4


def test_palette_png_with_alpha() -> None:
    indices = np.repeat(np.arange(3, dtype=np.uint8), 300).reshape(30, 30)
    image = Image.fromarray(indices, "P")
    image.putpalette([200, 0, 0, 0, 100, 0, 0, 0, 250])
    scene = open_scene(encode(image, "PNG", transparency=bytes([0, 102, 255])))
    picture = scene.read_rgb()
    assert picture[5, 5].tolist() == [255, 255, 255]
    # 102 / 255 = 0.4 of (0, 100, 0) over 0.6 of white.
    assert picture[15, 5].tolist() == [153, 193, 153]
    assert picture[25, 5].tolist() == [0, 0, 250]
    np.testing.assert_array_equal(scene.valid_mask(), indices > 0)


def test_rgba_png_is_laid_over_white() -> None:
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[:, 10:] = (10, 60, 200, 255)
    scene = open_scene(encode(Image.fromarray(pixels), "PNG"))
    assert scene.read_rgb()[0, 0].tolist() == [255, 255, 255]
    assert scene.read_rgb()[0, 15].tolist() == [10, 60, 200]
    assert scene.valid_mask().sum() == 200


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_animation_shows_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    scene = open_scene(encode(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert (scene.read_rgb() == (255, 0, 0)).all()
    assert any("3 frames" in note for note in scene.notes)


def test_still_gif_with_transparency() -> None:
    image = Image.fromarray(np.repeat(np.uint8([0, 1]), 200).reshape(20, 20), "P")
    image.putpalette([9, 9, 9, 0, 90, 250])
    scene = open_scene(encode(image, "GIF", transparency=0))
    assert scene.notes == ()
    assert scene.read_rgb()[0, 0].tolist() == [255, 255, 255]
    assert scene.read_rgb()[-1, 0].tolist() == [0, 90, 250]
    assert scene.valid_mask().sum() == 200


def test_grey_and_one_bit_pictures() -> None:
    half = np.zeros((20, 20), np.uint8)
    half[:, 10:] = 200
    for image in (Image.fromarray(half), Image.fromarray(half > 0)):
        picture = open_scene(encode(image, "PNG")).read_rgb()
        assert not picture[:, :10].any()
        assert (picture[:, 10:] == 255).all()


def test_50_bands() -> None:
    bands = np.random.default_rng(0).integers(0, 3000, (50, 32, 40), dtype=np.uint16)
    scene = open_scene(tiff(bands))
    assert scene.count == 50
    assert scene.read_rgb().shape == (32, 40, 3)
    assert len(presets(scene)) == 1 + 50
    assert scene.with_view(ViewSettings((50, 7, 1))).view_bands == (50, 7, 1)
    np.testing.assert_array_equal(scene.read_bands(), bands.transpose(1, 2, 0))


def test_one_empty_band_among_others() -> None:
    bands = np.random.default_rng(0).uniform(1, 9, (3, 32, 40)).astype(np.float32)
    bands[1] = -9999
    scene = open_scene(tiff(bands, nodata=-9999))
    assert any("Band 2 holds no data" in note for note in scene.notes)
    assert scene.valid_mask().all()
    assert not scene.read_rgb()[..., 1].any()
    assert scene.read_rgb()[..., 0].max() == 255


def test_huge_values_do_not_hide_the_rest() -> None:
    values = np.random.default_rng(0).uniform(0, 1, (1, 80, 80)).astype(np.float32)
    values[0, 0, :20] = np.inf
    values[0, 1, :20] = 3e38
    scene = open_scene(tiff(values))
    assert scene.stretch[0][1] < 1.01
    assert scene.read_rgb()[10:].std() > 50
    assert scene.valid_mask().sum() == 80 * 80 - 20


def test_transform_without_a_crs() -> None:
    scene = open_scene(tiff(np.ones((3, 20, 20), np.uint8), transform=PLACE))
    assert (scene.crs, scene.gsd) == (None, None)
    assert scene.transform == PLACE
    assert any("does not name its coordinate system" in note for note in scene.notes)
    assert scene.with_gsd(0.5).gsd == 0.5
    assert scene.with_gsd(0.5).notes == ()


@pytest.mark.parametrize(
    "transform",
    [
        Affine(0, 0, 500_000, 0, 0, 9_300_000),
        Affine(0.5, 0, 500_000, 0, 0, 9_300_000),
        Affine(np.nan, 0, 500_000, 0, -0.5, 9_300_000),
        Affine.identity(),
    ],
)
def test_degenerate_geotransform_is_a_plain_image(transform: Affine) -> None:
    options = {} if transform == Affine.identity() else {"transform": transform}
    scene = open_scene(tiff(np.ones((3, 20, 20), np.uint8), crs=UTM, **options))
    assert (scene.crs, scene.transform, scene.gsd) == (None, None, None)
    assert any("plain image" in note for note in scene.notes)
    with pytest.raises(SceneError, match="not georeferenced"):
        scene.pixel_to_map(0, 0)


def test_coordinates_that_do_not_fit_the_crs() -> None:
    wrong = tiff(np.ones((3, 20, 20), np.uint8), crs="EPSG:4326", transform=PLACE)
    scene = open_scene(wrong)
    assert scene.gsd is None
    assert any("do not fit" in note for note in scene.notes)


def test_several_pages() -> None:
    pages = [photo(), textured(96, 64)]
    scene = open_scene(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    np.testing.assert_array_equal(scene.read_rgb(), np.asarray(photo()))
    assert any("2 images" in note for note in scene.notes)


def test_unknown_tags_do_no_harm() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[65_000] = "private"
    tags[34_735] = (1, 1, 0, 1, 1024, 34_737, 400, 90)  # points beyond the text it refers to
    scene = open_scene(encode(photo(), "TIFF", tiffinfo=tags))
    np.testing.assert_array_equal(scene.read_rgb(), np.asarray(photo()))


def test_nodata_that_differs_between_bands(tmp_path: Path) -> None:
    bands = np.random.default_rng(0).integers(10, 3000, (3, 40, 50)).astype(np.int16)
    bands[0, :, :10] = 0
    bands[1, :, :10] = -9999
    bands[1, :, 20:25] = -9999
    path = tmp_path / "mixed.tif"
    path.write_bytes(tiff(bands[:2]))
    values = "".join(
        f"<PAMRasterBand band='{band}'><NoDataValue>{value}</NoDataValue></PAMRasterBand>"
        for band, value in ((1, 0), (2, -9999))
    )
    (tmp_path / "mixed.tif.aux.xml").write_text(f"<PAMDataset>{values}</PAMDataset>")
    scene = open_scene(path)
    assert any("different values (0, -9999)" in note for note in scene.notes)
    first, second = (scene.with_view(ViewSettings((band,))) for band in (1, 2))
    np.testing.assert_array_equal(first.valid_mask(), bands[0] != 0)
    np.testing.assert_array_equal(second.valid_mask(), bands[1] != -9999)
    assert second.stretch[0][0] >= 10
    index = scene.with_view(ViewSettings((1, 2), index="ndvi"))
    np.testing.assert_array_equal(index.valid_mask(), (bands[0] != 0) & (bands[1] != -9999))


@pytest.mark.parametrize("empty", [np.nan, -9999])
def test_first_bands_empty_and_a_later_one_not(empty: float) -> None:
    bands = np.random.default_rng(0).uniform(1, 9, (5, 32, 40)).astype(np.float32)
    bands[:3] = empty
    scene = open_scene(tiff(bands, nodata=-9999))
    assert scene.view_bands == (4,)
    assert any("band 4 is shown in their place" in note for note in scene.notes)
    assert scene.read_rgb().std() > 50


def test_infinite_values_in_one_band_only() -> None:
    bands = np.random.default_rng(0).uniform(1, 9, (3, 32, 40)).astype(np.float32)
    bands[1, :8] = np.inf
    bands[2, 30] = -np.inf
    scene = open_scene(tiff(bands))
    assert scene.valid_mask().sum() == (32 - 8 - 1) * 40
    assert all(1 <= low < high <= 9 for low, high in scene.stretch)
    assert not scene.read_rgb()[:8].any()


# --- what GDAL leaves undone ----------------------------------------------------------------------

# Colours of the corners once the picture is upright, as for `corners`. The Exif standard says on
# which visual side the first row and the first column are.
TURNED = {
    1: ["red", "green", "blue", "yellow"],
    2: ["green", "red", "yellow", "blue"],
    3: ["yellow", "blue", "green", "red"],
    4: ["blue", "yellow", "red", "green"],
    5: ["red", "blue", "green", "yellow"],
    6: ["blue", "red", "yellow", "green"],
    7: ["yellow", "green", "blue", "red"],
    8: ["green", "yellow", "red", "blue"],
}


@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_of_all_kinds(kind: str, orientation: int) -> None:
    if kind == "TIFF":
        content = encode(photo(), kind, tiffinfo={274: orientation})
    else:
        exif = Image.Exif()
        exif[274] = orientation
        content = encode(photo(), kind, exif=exif, quality=95)
    scene = open_scene(content)
    picture = scene.read_rgb()
    assert scene.shape == picture.shape[:2] == ((96, 64) if orientation >= 5 else (64, 96))
    assert corners(picture) == TURNED[orientation]
    assert any("turned upright" in note for note in scene.notes) == (orientation != 1)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [0, 9, 255, 65_535])
def test_nonsense_orientations_are_let_be(kind: str, orientation: int) -> None:
    if kind == "TIFF":
        content = encode(photo(), kind, tiffinfo={274: orientation})
    else:
        exif = Image.Exif()
        exif[274] = orientation
        content = encode(photo(), kind, exif=exif, quality=95)
    scene = open_scene(content)
    assert corners(scene.read_rgb()) == TURNED[1]
    assert scene.notes == ()


@pytest.mark.parametrize("bands", [1, 3])
def test_png_of_16_bits_is_turned_without_loss(bands: int, tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 65_536, (bands, 40, 50), dtype=np.uint16)
    path = tmp_path / "scan.png"
    with rasterio.open(
        path, "w", driver="PNG", width=50, height=40, count=bands, dtype="uint16"
    ) as dataset:
        dataset.write(values)
    content = path.read_bytes()
    # A chunk of camera data after the header (PNG 1.5, 11.3.2.1 and the extension eXIf).
    exif = b"eXIf" + b"II*\0" + struct.pack("<IHHHIII", 8, 1, 274, 3, 1, 6, 0)
    chunk = struct.pack(">I", len(exif) - 4) + exif + struct.pack(">I", zlib.crc32(exif))
    scene = open_scene(content[:33] + chunk + content[33:])
    assert (scene.dtype, scene.shape, scene.count) == ("uint16", (50, 40), bands)
    # A quarter clockwise.
    np.testing.assert_array_equal(
        scene.read_bands(), np.rot90(values, -1, axes=(1, 2)).transpose(1, 2, 0)
    )


def oriented(content: bytes, value: int) -> bytes:
    """Return a little-endian TIFF with an orientation, its directory written anew at the end."""
    changed = bytearray(content)
    (start,) = struct.unpack_from("<I", changed, 4)
    (count,) = struct.unpack_from("<H", changed, start)
    entries = [bytes(changed[start + 2 + 12 * k :][:12]) for k in range(count)]
    entries.append(struct.pack("<HHIHH", 274, 3, 1, value, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    changed += bytes(len(changed) % 2)
    struct.pack_into("<I", changed, 4, len(changed))
    return bytes(changed) + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_a_turned_tiff_keeps_values_nodata_and_names(dtype: str) -> None:
    bands = np.random.default_rng(2).integers(1, 120, (4, 30, 50)).astype(dtype)
    bands[:, :5] = 0
    plain = tiff(bands, names=("a", "b", "c", "d"), nodata=0)
    scene = open_scene(oriented(plain, 8))
    # A quarter anticlockwise.
    np.testing.assert_array_equal(
        scene.read_bands(), np.rot90(bands, 1, axes=(1, 2)).transpose(1, 2, 0)
    )
    assert (scene.nodata, scene.band_names) == (0, ("a", "b", "c", "d"))
    assert scene.valid_mask().sum() == 25 * 50
    assert any("turned upright" in note for note in scene.notes)


def test_a_tiff_with_a_place_on_the_map_is_not_turned() -> None:
    content = oriented(tiff(np.ones((3, 20, 30), np.uint8), crs=UTM, transform=PLACE), 6)
    scene = open_scene(content)
    assert (scene.shape, scene.transform) == ((20, 30), PLACE)
    assert any("not made, because the image is placed on the map" in n for n in scene.notes)
    # A world file says where pixels as stored lie, too.
    content = oriented(tiff(np.ones((3, 20, 30), np.uint8)), 6)
    world = b"0.5\n0\n0\n-0.5\n500000.25\n9299999.75\n"
    assert open_scene(content, world_file=world).shape == (20, 30)
    assert open_scene(content).shape == (30, 20)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_white_is_zero_is_shown_as_photographed(dtype: str) -> None:
    bright = np.linspace(1, 250, 40 * 50).reshape(1, 40, 50).astype(dtype)
    stored = (250 - bright).astype(dtype)
    negative = open_scene(tiff(stored, photometric="MINISWHITE"))
    positive = open_scene(tiff(bright))
    shown, expected = (scene.read_rgb().astype(int) for scene in (negative, positive))
    assert np.abs(shown - expected).max() <= 1
    assert any("low values are bright" in note for note in negative.notes)
    np.testing.assert_array_equal(negative.read_bands()[..., 0], stored[0])
    # Brighter is brighter, for gamma as well.
    gamma = ViewSettings(gamma=2.0)
    shown, expected = (s.with_view(gamma).read_rgb().astype(int) for s in (negative, positive))
    assert np.abs(shown - expected).max() <= 2
    # What is prepared is what was photographed.
    values = read_raster(negative).values[..., 0]
    assert np.corrcoef(values.ravel(), bright.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("nodata", [None, 7])
def test_a_reduced_film_of_16_bits_is_the_mean_of_its_parts(
    dtype: str, nodata: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several strips, as of a film that is too large for memory.
    monkeypatch.setattr("rsam_core.scene.bands_read._STRIP_PIXELS", 5000)
    rng = np.random.default_rng(4)
    stored = rng.integers(40, 100, (1, 80, 128)).astype(dtype)
    if nodata is not None:
        stored[:, :, :5] = nodata
    scene = open_scene(tiff(stored, photometric="MINISWHITE", nodata=nodata), examine=False)
    parts = stored[0].reshape(20, 4, 32, 4).astype(float)
    known = parts != nodata if nodata is not None else np.ones(parts.shape, bool)
    with np.errstate(invalid="ignore"):
        means = np.where(known, parts, 0).sum((1, 3)) / known.sum((1, 3))
    low, high = scene.stretch[0]
    wanted = np.clip(255 * (high - means) / (high - low), 0, 255)
    wanted[np.isnan(means)] = 0
    seen = scene.read_rgb(max_size=32)[..., 0]
    # Means are rounded to whole values before they are stretched.
    assert np.abs(seen - wanted).max() <= 0.5 * 255 / (high - low) + 1


def test_bilevel_scans_of_both_kinds() -> None:
    drawn = np.zeros((20, 20), bool)
    drawn[:, 10:] = True
    for photometric in (0, 1):
        content = encode(
            Image.fromarray(drawn), "TIFF", compression="group4", tiffinfo={262: photometric}
        )
        with Image.open(io.BytesIO(content)) as image:
            expected = np.asarray(image.convert("L"))
        np.testing.assert_array_equal(open_scene(content).read_rgb()[..., 0], expected)


@pytest.mark.parametrize("dtype", ["complex_int16", "complex64", "complex128"])
def test_complex_numbers_are_shown_by_their_magnitudes(dtype: str) -> None:
    rng = np.random.default_rng(4)
    size = np.full((60, 80), 20.0)
    size[20:40, 20:60] = 90
    # Speckle: any phase at all, so that the mean of neighbours is nothing.
    values = (size * np.exp(2j * np.pi * rng.random(size.shape))).astype(np.complex128)
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", width=80, height=60, count=1, dtype=dtype) as dataset:
            stored = values if dtype == "complex128" else values.astype(np.complex64)
            dataset.write(stored[None])
        content = memory.read()
    scene = open_scene(content)
    assert np.dtype(scene.dtype).kind == "c"
    np.testing.assert_allclose(np.abs(scene.read_bands()[..., 0]), size, atol=1.5)
    reduced = scene.read_rgb(max_size=20)[..., 0]
    low, high = scene.stretch[0]
    expected = np.clip((np.array([20, 90]) - low) / (high - low) * 255, 0, 255)
    assert np.abs(reduced[1, 1] - expected[0]) <= 5
    assert np.abs(reduced[7, 10] - expected[1]) <= 5
    assert scene.valid_mask().all()
    assert read_raster(scene).values.dtype == np.float32
    assert facts(scene)


@pytest.mark.parametrize(
    "brand",
    [
        "heic",
        "heix",
        "heim",
        "heis",
        "hevc",
        "hevx",
        "hevm",
        "hevs",
        "mif1",
        "mif2",
        "msf1",
        "miaf",
        "avif",
        "avis",
        "avio",
        "MA1B",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_heic_and_avif_are_told_by_any_brand(brand: str, first: bool) -> None:
    brands = [brand.encode(), b"abcd"] if first else [b"abcd", brand.encode()]
    box = b"ftyp" + brands[0] + bytes(4) + b"".join(brands)
    content = struct.pack(">I", len(box) + 4) + box + bytes(200)
    with pytest.raises(SceneError, match=r"HEIC or AVIF photo\. Save it as JPG"):
        open_scene(content, name="photo.jpg")


def test_films_are_no_photographs() -> None:
    content = struct.pack(">I", 24) + b"ftypisom" + bytes(4) + b"isommp42" + bytes(200)
    with pytest.raises(SceneError, match="is not an image"):
        open_scene(content, name="flight.mp4")


def test_a_camera_model_alone_is_told() -> None:
    one = [1.0] + [0.0] * 19
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", width=40, height=30, count=1, dtype="uint8") as dataset:
            dataset.write(np.ones((1, 30, 40), np.uint8))
            dataset.rpcs = RPC(
                height_off=100, height_scale=500, lat_off=36, lat_scale=0.1, long_off=39,
                long_scale=0.1, line_off=15, line_scale=15, samp_off=20, samp_scale=20,
                line_num_coeff=one, line_den_coeff=one, samp_num_coeff=one, samp_den_coeff=one,
            )  # fmt: skip
        content = memory.read()
    scene = open_scene(content)
    assert scene.transform is None
    assert any("RPC" in note and "plain image" in note for note in scene.notes)


@pytest.mark.parametrize(
    ("unit", "metres"), [('"metre",1', 1.0), ('"US survey foot",0.304800609601219', 1200 / 3937)]
)
def test_local_grids_are_measured_in_their_unit(unit: str, metres: float) -> None:
    grid = f'LOCAL_CS["site",UNIT[{unit}],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
    place = Affine(0.25, 0, 1000, 0, -0.25, 2000)
    scene = open_scene(tiff(np.ones((3, 40, 40), np.uint8), crs=grid, transform=place))
    assert scene.gsd == pytest.approx(0.25 * metres, rel=1e-9)
    assert any("local grid" in note for note in scene.notes)
    square = Instances([Instance(np.ones((20, 20), bool), 0, 0)], (40, 40))
    assert measure(square, scene).area_m2[0] == pytest.approx(25 * metres**2, rel=1e-6)
