"""Broken files: each raises one SceneError with a plain message."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from rsam_core.errors import SceneError
from rsam_core.scene.scene import Window, open_scene
from tests.helpers.rasters import PLACE, UTM, encode, photo, refused, textured, tiff

# Files written here without a georeference are meant so; that opening one stays silent has a test.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture(autouse=True)
def _silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing below may print: decoders' own messages are no message to the user."""
    yield
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"These are my notes on the survey.\n", "is not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not an image"),
        (b"<VRTDataset rasterXSize='9' rasterYSize='9'/>", "names other files"),
        (b"\xef\xbb\xbf \n<VRTDataset/>", "names other files"),
        (b"PK\x03\x04" + bytes(60), "Unpack it"),
        (b"%PDF-1.7\n" + bytes(60), "Export the page"),
        (b"\0\0\0\x18ftypheic" + bytes(60), "Save it as JPG"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "HDF5 or netCDF"),
        (bytes(1024) + b"\x89HDF\r\n\x1a\n" + bytes(60), "HDF5 or netCDF"),
        (b"CDF\x01" + bytes(60), "netCDF"),
        (b"CDF\x02" + bytes(60), "netCDF"),
        (b"CDF\x05" + bytes(60), "netCDF"),
        (b"\x0e\x03\x13\x01" + bytes(60), "HDF4"),
        (b"EHFA_HEADER_TAG" + bytes(60), "as GeoTIFF"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(60), "is not an image"),
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
    # A first look draws a small picture at once.
    with pytest.raises(SceneError, match=r"scratched\.tif.*damaged"):
        open_scene(bytes(content), name="scratched.tif")
    scene = open_scene(bytes(content), name="scratched.tif", examine=False)
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


@pytest.mark.parametrize("header", [png_header, jpeg_header, gif_header, bmp_header])
@pytest.mark.parametrize("side", [12_000, 30_000])
def test_a_header_that_is_all_there_is(header: object, side: int) -> None:
    message = refused(header(side, side), "huge")
    assert f"{side:,} × {side:,}" in message
    assert f"{side * side / 1e6:.0f} megapixels" in message
    assert "Copy or export it again" in message


def test_what_has_to_be_unpacked_whole_is_limited_by_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rsam_core.scene.checks.PLAIN_PIXELS", 10_000)
    monkeypatch.setattr("rsam_core.scene.checks.MEMORY", 300_000)
    progressive = encode(textured(), "JPEG", progressive=True)
    for content in (progressive, encode(textured(), "WEBP"), encode(textured(), "GIF")):
        with pytest.raises(SceneError, match=r"unpacked all at once.*tiled GeoTIFF"):
            open_scene(content, examine=False)
    # These come from the top down, and take no more memory however large they are.
    for kind in ("JPEG", "PNG", "BMP"):
        assert open_scene(encode(textured(), kind), examine=False).shape == (200, 256)


def test_a_tiff_has_no_limit_of_pixels() -> None:
    scene = open_scene(tiff_header(60_000, 50_000))
    assert scene.shape == (50_000, 60_000)
    assert scene.read_rgb(Window(59_000, 49_000, 1000, 1000)).shape == (1000, 1000, 3)
    with pytest.raises(SceneError, match="smaller window"):
        scene.read_rgb()


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


# --- files that claim or hide too much ------------------------------------------------------------


def retagged(content: bytes, tag: int, value: int) -> bytes:
    """Return a little-endian TIFF with another value in a tag of one short number."""
    broken = bytearray(content)
    (start,) = struct.unpack_from("<I", broken, 4)
    (count,) = struct.unpack_from("<H", broken, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", broken, place)[0] == tag:
            struct.pack_into("<H", broken, place + 8, value)
            return bytes(broken)
    raise LookupError(tag)


@pytest.mark.parametrize("code", [34_712, 34_933, 60_000])
def test_unsupported_compression(code: int) -> None:
    content = tiff(np.asarray(textured()).transpose(2, 0, 1), compress="lzw")
    message = refused(retagged(content, 259, code), "odd.tif")
    assert "compressed in a way" in message
    assert "Deflate or LZW" in message


def test_content_that_is_not_what_its_compression_says() -> None:
    content = tiff(np.asarray(textured()).transpose(2, 0, 1), compress="lzw")
    with pytest.raises(SceneError, match="damaged"):
        open_scene(retagged(content, 259, 8), name="odd.tif").read_rgb()


def test_a_tiny_file_that_claims_gigabytes() -> None:
    # 4,096 tiles of 1024 × 1024 pixels that all name the same bytes.
    tile = zlib.compress(b"\x07" * 2**20)
    content = shared_tiles(64 * 1024, 64 * 1024, 1024, tile, bits=16)
    assert len(content) < 100_000
    assert "claims to hold 9 GB" in refused(content, "bomb.tif")


def shared_tiles(width: int, height: int, side: int, tile: bytes, bits: int) -> bytes:
    """Return a TIFF all of whose tiles are the same bytes, written by hand."""
    count = (width // side) * (height // side)
    offsets = 8 + len(tile)
    lengths = offsets + 4 * count
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, bits),
        (259, 3, 1, 8),
        (262, 3, 1, 1),
        (277, 3, 1, 1),
        (322, 4, 1, side),
        (323, 4, 1, side),
        (324, 4, count, offsets),
        (325, 4, count, lengths),
    ]
    directory = struct.pack("<H", len(tags))
    for tag in tags:
        directory += struct.pack("<HHII", *tag)
    tables = struct.pack("<I", 8) * count + struct.pack("<I", len(tile)) * count
    start = lengths + 4 * count
    return b"II*\0" + struct.pack("<I", start) + tile + tables + directory + bytes(4)


def deflate_bomb(width: int, height: int, stream: bytes, bits: int = 8) -> bytes:
    """Return a TIFF of one Deflate strip with any content, written by hand."""
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, bits),
        (259, 3, 8),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, len(stream)),
    ]
    directory = struct.pack("<H", len(tags))
    for tag, kind, value in tags:
        directory += struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
    start = 8 + len(stream)
    return b"II*\0" + struct.pack("<I", start) + stream + directory + bytes(4)


def test_a_strip_that_unpacks_to_more_than_its_pixels() -> None:
    # 100 MB behind 64 × 64 pixels: only what belongs to the picture is unpacked.
    bomb = zlib.compress(b"\x07" * 100_000_000, 9)
    scene = open_scene(deflate_bomb(64, 64, bomb), name="bomb.tif")
    values = scene.read_bands()
    assert values.shape == (64, 64, 1)
    # How the surplus is cut off, and whether it costs the last rows, is the decoder's affair.
    assert (values[:32] == 7).all()


def test_a_strip_that_unpacks_to_the_whole_image_is_refused() -> None:
    # One block of 16,000 × 16,000 × 4 bytes would have to be unpacked for every single read.
    content = deflate_bomb(16_000, 16_000, zlib.compress(bytes(100_000)), bits=32)
    message = refused(content, "bomb.tif")
    assert "blocks of 1.0 GB" in message
    assert "tiled GeoTIFF" in message


def test_a_session_goes_on_after_bad_files() -> None:
    good = open_scene(encode(photo(), "PNG"))
    before = good.read_rgb()
    for content in (b"", b"x", encode(textured(), "PNG")[:500], deflate_bomb(9, 9, b"nothing")):
        with pytest.raises(SceneError):
            open_scene(content, name="bad").read_rgb()
    np.testing.assert_array_equal(good.read_rgb(), before)


def test_a_tiff_with_fewer_strips_than_its_height_asks_for() -> None:
    content = tiff(np.asarray(textured()).transpose(2, 0, 1), compress="lzw")
    assert "incomplete" in refused(retagged(content, 257, 60_000), "tall.tif")


def test_damaged_jpeg_2000_comes_to_an_end() -> None:
    # Asked for the structure of such files, GDAL may never come back.
    content = encode(textured(40, 30), "JPEG2000")
    rng, outcomes = np.random.default_rng(8), {"opened": 0, "refused": 0}
    for _ in range(60):
        broken = bytearray(content)
        for place in rng.integers(0, 500, 3):
            broken[place] = rng.choice([0, 255, rng.integers(256)])
        try:
            open_scene(bytes(broken)).read_rgb(max_size=20)
            outcomes["opened"] += 1
        except SceneError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5
