"""World files: reading them, finding them beside an image, and what goes wrong with them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from rsam_core.errors import SceneError
from rsam_core.scene.scene import open_scene
from rsam_core.scene.world_file import belongs, is_world_file, pair_uploads, parse_world_file
from tests.helpers.rasters import PLACE, UTM, encode, photo, refused, tiff

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

# The corner of PLACE is (500000, 9300000); the centre of its first pixel is half a pixel inside.
WORLD = b"0.5\n0\n0\n-0.5\n500000.25\n9299999.75\n"
PLAIN = np.full((3, 20, 30), 9, np.uint8)


def test_it_gives_the_centre_of_the_first_pixel() -> None:
    assert parse_world_file(WORLD) == PLACE


def test_it_may_be_turned() -> None:
    # Lines are A, D, B, E, C, F: column 1 of the transform, then column 2, then the centre.
    transform = parse_world_file(b"3\r\n4\r\n-4\r\n3\r\n100\r\n200\r\n")
    assert tuple(transform[:6]) == (3, -4, 100.5, 4, 3, 196.5)
    x, y = transform.a * 0.5 + transform.b * 0.5 + transform.c, transform.d * 0.5 + transform.f
    assert x == 100
    assert y + transform.e * 0.5 == 200


def test_decimal_commas_and_byte_order_marks_are_understood() -> None:
    text = WORLD.decode().replace(".", ",")
    assert parse_world_file(b"\xef\xbb\xbf" + text.encode()) == PLACE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"0.5\n0\n0\n-0.5\n500000\n", "six numbers"),
        (WORLD + b"7\n", "six numbers"),
        (b"a\nb\nc\nd\ne\nf\n", "six numbers"),
        (b"\xff\xfe\x00\x01", "six numbers"),
        (b"1 " * 5000, "six numbers"),
        (b"0\n0\n0\n-0.5\n500000\n9300000\n", "no size on the map"),
        (b"1\n2\n2\n4\n500000\n9300000\n", "no size on the map"),
        (b"nan\n0\n0\n-0.5\n500000\n9300000\n", "no size on the map"),
        (b"0.5\n0\n0\n-0.5\ninf\n9300000\n", "no size on the map"),
    ],
)
def test_broken(content: bytes, message: str) -> None:
    with pytest.raises(SceneError, match=f"map.tfw.*{message}"):
        parse_world_file(content, "map.tfw")
    with pytest.raises(SceneError, match=message):
        open_scene(encode(photo(), "PNG"), name="map.png", world_file=content)


@pytest.mark.parametrize(
    ("world", "image", "expected"),
    [
        ("town.tfw", "town.tif", True),
        ("TOWN.TFW", "town.tiff", True),
        ("town.tifw", "Town.TIF", True),
        ("town.tif.tfw", "town.tif", True),
        ("town.wld", "town.png", True),
        ("town.jgw", "town.jpeg", True),
        ("town.j2w", "town.jp2", True),
        ("town.pgw", "town.tif", False),
        ("city.tfw", "town.tif", False),
        ("town.txt", "town.tif", False),
    ],
)
def test_names_that_belong_together(world: str, image: str, expected: bool) -> None:
    assert belongs(world, image) is expected


def test_uploads_are_paired_by_name() -> None:
    names = ["b.jgw", "a.tif", "b.jpg", "c.png"]
    assert pair_uploads(names) == {"a.tif": None, "b.jpg": "b.jgw", "c.png": None}
    with pytest.raises(SceneError, match=r"“d\.tfw” does not go with “a\.tif”"):
        pair_uploads(["a.tif", "d.tfw"])
    assert [name for name in names if is_world_file(name)] == ["b.jgw"]


def test_uploaded_bytes_place_the_image_and_a_typed_code_gives_metres() -> None:
    content = encode(photo(), "PNG")
    scene = open_scene(content, name="map.png", world_file=WORLD)
    assert (scene.transform, scene.crs, scene.gsd) == (PLACE, None, None)
    assert scene.pixel_to_map(0, 0) == (500_000, 9_300_000)
    assert any("does not name its coordinate system" in note for note in scene.notes)
    typed = scene.with_crs(32637)
    assert (typed.crs, typed.gsd, typed.notes) == (UTM, 0.5, ())
    assert open_scene(content, name="map.png", world_file=WORLD, crs="epsg:32637").gsd == 0.5


@pytest.mark.parametrize(
    ("kind", "ending", "world"),
    [
        ("TIFF", "tif", "tfw"),
        ("TIFF", "tiff", "tifw"),
        ("JPEG", "jpg", "jgw"),
        ("PNG", "png", "PGW"),
        ("WEBP", "webp", "wpw"),
        ("GIF", "gif", "gfw"),
        ("BMP", "bmp", "wld"),
        ("JPEG2000", "jp2", "j2w"),
    ],
)
def test_one_beside_a_path_is_found(tmp_path: Path, kind: str, ending: str, world: str) -> None:
    path = tmp_path / f"map.{ending}"
    path.write_bytes(encode(photo(), kind))
    assert open_scene(path).transform is None
    (tmp_path / f"other.{world}").write_bytes(b"9\n0\n0\n-9\n0\n0\n")
    assert open_scene(path).transform is None
    (tmp_path / f"map.{world}").write_bytes(WORLD)
    assert open_scene(path).transform == PLACE


def test_projection_file_beside_a_path_names_the_crs(tmp_path: Path) -> None:
    import pyproj

    (tmp_path / "map.png").write_bytes(encode(photo(), "PNG"))
    (tmp_path / "map.pgw").write_bytes(WORLD)
    (tmp_path / "map.prj").write_text(pyproj.CRS(UTM).to_wkt("WKT1_ESRI"))
    scene = open_scene(tmp_path / "map.png")
    assert scene.gsd == 0.5
    assert "37" in scene.crs
    (tmp_path / "map.prj").write_text("scribble")
    assert open_scene(tmp_path / "map.png").crs is None


def test_a_broken_one_beside_a_path_is_a_note_only(tmp_path: Path) -> None:
    (tmp_path / "map.tif").write_bytes(tiff(PLAIN))
    (tmp_path / "map.tfw").write_text("scribble")
    scene = open_scene(tmp_path / "map.tif")
    assert scene.transform is None
    assert any("“map.tfw” is not a world file" in note for note in scene.notes)


def test_one_of_another_image_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.tfw"
    other.write_bytes(WORLD)
    upload = io.BytesIO(WORLD)
    upload.name = "other.tfw"
    for world_file in (other, upload):
        message = refused(tiff(PLAIN), "map.tif", world_file=world_file)
        assert "“other.tfw” does not go with" in message
    other.unlink()
    with pytest.raises(SceneError, match=r"gone\.tfw.*cannot be read"):
        open_scene(tiff(PLAIN), name="gone.tif", world_file=tmp_path / "gone.tfw")


def test_the_images_own_place_comes_first() -> None:
    content = tiff(PLAIN, crs=UTM, transform=PLACE)
    agreeing = open_scene(content, name="map.tif", world_file=WORLD)
    assert (agreeing.transform, agreeing.notes) == (PLACE, ())
    elsewhere = open_scene(content, name="map.tif", world_file=b"0.5\n0\n0\n-0.5\n7\n8\n")
    assert elsewhere.transform == PLACE
    assert any("place it differently" in note for note in elsewhere.notes)


def test_it_mends_a_broken_georeference_and_keeps_the_crs() -> None:
    broken = tiff(PLAIN, crs=UTM, transform=Affine(0, 0, 5, 0, 0, 5))
    for content in (broken, tiff(PLAIN, crs=UTM)):
        scene = open_scene(content, name="map.tif", world_file=WORLD)
        assert (scene.crs, scene.transform, scene.gsd) == (UTM, PLACE, 0.5)
        assert scene.notes == ()


def test_a_turned_photo_loses_it() -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[274] = 6
    content = encode(photo(), "JPEG", exif=exif)
    scene = open_scene(content, name="drone.jpg", world_file=WORLD)
    assert scene.transform is None
    assert any("before turning" in note for note in scene.notes)


# --- coordinate systems typed by the user ---------------------------------------------------------


@pytest.mark.parametrize("code", ["EPSG:999999", "Zanzibar", "", "EPSG:5773"])
def test_unknown_or_unfit_systems(code: str) -> None:
    scene = open_scene(tiff(PLAIN, transform=PLACE))
    with pytest.raises(SceneError, match=r"coordinate system.*EPSG"):
        scene.with_crs(code)
    with pytest.raises(SceneError, match="coordinate system"):
        open_scene(tiff(PLAIN, transform=PLACE), crs=code)


def test_coordinates_that_do_not_fit() -> None:
    scene = open_scene(tiff(PLAIN, transform=PLACE), name="map.tif")
    with pytest.raises(SceneError, match=r"“map\.tif” do not fit EPSG:4326"):
        scene.with_crs("EPSG:4326")


def test_a_plain_image_needs_more_than_a_code() -> None:
    content = encode(photo(), "PNG")
    with pytest.raises(SceneError, match="world file"):
        open_scene(content).with_crs(UTM)
    scene = open_scene(content, crs=UTM)
    assert scene.crs is None
    assert any("has no effect" in note for note in scene.notes)


def test_a_typed_code_replaces_that_of_the_file() -> None:
    # The same numbers read as feet of New York: 0.5 × 1200 / 3937 m.
    content = tiff(PLAIN, crs=UTM, transform=Affine(0.5, 0, 1_000_000, 0, -0.5, 200_000))
    scene = open_scene(content).with_crs("EPSG:2263")
    assert scene.gsd == pytest.approx(0.5 * 1200 / 3937, rel=1e-6)
