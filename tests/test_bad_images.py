"""Odd and broken files: each opens correctly, or raises one SceneError with a plain message."""

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

from rsam_core.errors import SceneError
from rsam_core.scene import open_scene

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

UTM = "EPSG:32637"
PLACE = Affine(0.5, 0, 500_000, 0, -0.5, 9_300_000)


@pytest.fixture(autouse=True)
def _silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing below may print: decoders' own messages are no message to the user."""
    yield
    assert capfd.readouterr().err == ""


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(bands: np.ndarray, **options: object) -> bytes:
    """Return (bands, H, W) as the bytes of a TIFF."""
    count, height, width = bands.shape
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype, **options
        ) as dataset:
            dataset.write(bands)
        return memory.read()


def photo(width: int = 96, height: int = 64) -> Image.Image:
    """Return a picture whose four quarters are red, green, blue and yellow."""
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    pixels[:top, :left] = (220, 30, 30)
    pixels[:top, left:] = (30, 200, 30)
    pixels[top:, :left] = (30, 30, 210)
    pixels[top:, left:] = (220, 210, 30)
    return Image.fromarray(pixels)


def textured(width: int = 256, height: int = 200) -> Image.Image:
    values = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def refused(content: bytes, name: str) -> str:
    """Return the message of the SceneError, which must name the file and end as a sentence."""
    with pytest.raises(SceneError) as caught:
        open_scene(content, name=name)
    message = str(caught.value)
    assert f"“{name}”" in message
    assert message.endswith(".")
    assert "/vsimem" not in message
    return message


# --- files that are refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"These are my notes on the survey.\n", "is not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not an image"),
        (b"<VRTDataset rasterXSize='9' rasterYSize='9'/>", "is not an image"),
        (b"PK\x03\x04" + bytes(60), "Unpack it"),
        (b"%PDF-1.7\n" + bytes(60), "Export the page"),
        (b"\0\0\0\x18ftypheic" + bytes(60), "Save it as JPG"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "as GeoTIFF"),
        (b"x", "is not an image"),
    ],
)
def test_other_files_named_png(content: bytes, remedy: str) -> None:
    assert remedy in refused(content, "photo.png")


def test_zero_bytes() -> None:
    assert "empty (0 bytes)" in refused(b"", "empty.jpg")


def test_zero_byte_file_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "empty.tif"
    path.touch()
    with pytest.raises(SceneError, match=r"empty\.tif.*0 bytes"):
        open_scene(path)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF"])
def test_too_small(size: tuple[int, int], kind: str) -> None:
    assert "too small to segment" in refused(encode(Image.new("RGB", size), kind), "dot")


def test_eight_pixels_are_enough() -> None:
    assert open_scene(encode(Image.new("RGB", (8, 8)), "PNG")).read_rgb().shape == (8, 8, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "JPEG2000", "TIFF"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.97])
def test_truncated(kind: str, kept: float) -> None:
    content = encode(textured(), kind)
    message = refused(content[: int(len(content) * kept)], f"cut.{kind.lower()}")
    assert "damaged or incomplete" in message
    assert "again" in message


@pytest.mark.parametrize("options", [{"progressive": True}, {"exif": {274: 6}}, {"cmyk": True}])
def test_truncated_photographs_of_other_kinds(options: dict) -> None:
    image = textured().convert("CMYK") if options.pop("cmyk", False) else textured()
    if "exif" in options:
        exif = Image.Exif()
        exif.update(options["exif"])
        options = {"exif": exif}
    content = encode(image, "JPEG", **options)
    assert "incomplete" in refused(content[: len(content) // 2], "cut.jpg")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compress": "deflate"},
        {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "lzw"},
        {"interleave": "band"},
    ],
)
@pytest.mark.parametrize("lost", [0.9, 0.5, 0.003])
def test_geotiff_with_a_missing_tail(tmp_path: Path, options: dict, lost: float) -> None:
    bands = np.asarray(textured()).transpose(2, 0, 1)
    content = tiff(bands, crs=UTM, transform=PLACE, **options)
    path = tmp_path / "tail.tif"
    path.write_bytes(content[: int(len(content) * (1 - lost))])
    with pytest.raises(SceneError, match=r"tail\.tif.*incomplete"):
        open_scene(path)


def test_damage_inside_is_found_on_reading() -> None:
    bands = np.asarray(textured()).transpose(2, 0, 1)
    content = bytearray(tiff(bands, compress="deflate"))
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    scene = open_scene(bytes(content), name="scratched.tif")
    with pytest.raises(SceneError, match=r"scratched\.tif.*damaged"):
        scene.read_rgb()


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = b"IDAT" + zlib.compress(bytes(100))
    tail = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return b"\x89PNG\r\n\x1a\n" + chunk + tail


def jpeg_header(width: int, height: int) -> bytes:
    content = bytearray(encode(photo(), "JPEG"))
    start = content.index(b"\xff\xc0")
    content[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def gif_header(width: int, height: int) -> bytes:
    content = bytearray(encode(photo(), "GIF"))
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


def bmp_header(width: int, height: int) -> bytes:
    content = bytearray(encode(photo(), "BMP"))
    content[18:26] = struct.pack("<ii", width, height)
    return bytes(content)


def tiff_header(width: int, height: int) -> bytes:
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=3,
            width=width,
            height=height,
            dtype="uint8",
            tiled=True,
            blockxsize=2048,
            blockysize=2048,
            sparse_ok=True,
        ):
            pass
        return memory.read()


@pytest.mark.parametrize("header", [png_header, jpeg_header, gif_header, bmp_header, tiff_header])
def test_a_header_of_30_000_by_30_000(header: object) -> None:
    message = refused(header(30_000, 30_000), "huge")
    assert "30,000 × 30,000" in message
    assert "900 megapixels" in message


@pytest.mark.parametrize("header", [png_header, jpeg_header, bmp_header])
def test_formats_without_tiles_have_a_tighter_limit(header: object) -> None:
    message = refused(header(12_000, 12_000), "large")
    assert "limit for this format is 100" in message
    assert "tiled GeoTIFF" in message
    assert open_scene(tiff_header(12_000, 12_000)).shape == (12_000, 12_000)


def test_one_huge_block_is_refused() -> None:
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=10,
            width=16_000,
            height=16_000,
            dtype="float64",
            tiled=True,
            blockxsize=16_000,
            blockysize=16_000,
            sparse_ok=True,
        ):
            pass
        content = memory.read()
    assert "tiled GeoTIFF" in refused(content, "bomb.tif")


@pytest.mark.parametrize(
    "options", [{"nodata": 0}, {"nodata": -9999, "fill": -9999}, {"fill": np.nan}]
)
def test_all_nodata(options: dict) -> None:
    bands = np.full((1, 40, 40), options.pop("fill", 0), np.float32)
    assert "holds no data" in refused(tiff(bands, **options), "blank.tif")


def test_path_problems(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"nowhere\.tif.*does not exist"):
        open_scene(tmp_path / "nowhere.tif")
    with pytest.raises(SceneError, match="is a folder"):
        open_scene(tmp_path)
    for strange in ("", "a\0b.png", "/vsicurl/http://127.0.0.1/x.tif", "x" * 5000):
        with pytest.raises(SceneError):
            open_scene(strange)


@pytest.mark.parametrize("source", [None, 7, [1, 2], np.zeros((9, 9, 3), np.uint8)])
def test_other_kinds_of_source(source: object) -> None:
    with pytest.raises(SceneError, match="Give the path of an image"):
        open_scene(source)


def test_text_mode_file(tmp_path: Path) -> None:
    path = tmp_path / "words.png"
    path.write_text("hello")
    with path.open() as handle, pytest.raises(SceneError, match="binary mode"):
        open_scene(handle)


def test_file_deleted_or_replaced_after_opening(tmp_path: Path) -> None:
    path = tmp_path / "gone.png"
    path.write_bytes(encode(photo(), "PNG"))
    scene = open_scene(path)
    path.write_bytes(encode(photo(40, 40), "PNG"))
    with pytest.raises(SceneError, match=r"gone\.png.*changed on disk"):
        scene.read_rgb()
    path.unlink()
    with pytest.raises(SceneError, match=r"gone\.png.*moved or deleted"):
        scene.read_rgb()


def test_random_damage_never_raises_anything_else() -> None:
    rng = np.random.default_rng(5)
    bands = np.asarray(textured(40, 30)).transpose(2, 0, 1)
    files = [encode(textured(40, 30), kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP")]
    files.append(tiff(bands, crs=UTM, transform=PLACE, compress="lzw"))
    outcomes = {"opened": 0, "refused": 0}
    for content in files:
        for _ in range(25):
            broken = bytearray(content)
            for place in rng.integers(0, min(len(broken), 400), 4):
                broken[place] = rng.integers(256)
            try:
                scene = open_scene(bytes(broken))
                scene.read_rgb(max_size=20)
                scene.valid_mask()
                outcomes["opened"] += 1
            except SceneError:
                outcomes["refused"] += 1
    assert min(outcomes.values()) > 10


# --- files that look odd and open ---------------------------------------------------------------


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
