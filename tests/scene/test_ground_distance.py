"""Ground sample distance in any coordinate system, and typed by the user."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pyproj
import pytest
from affine import Affine
from PIL import Image

from rsam_core.errors import SceneError
from rsam_core.scene.georeference import Place
from rsam_core.scene.ground_distance import ground_pixel_size, ground_sample_distance
from rsam_core.scene.scene import Scene, open_scene
from tests.helpers.rasters import UTM, affine, ellipsoidal, encode, photo, write_tiff

# Files written here without a georeference are meant so; that opening one stays silent has a test.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


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
def test_impossible_ground_distances_are_refused(value: object) -> None:
    with pytest.raises(SceneError, match="metres per pixel is not possible"):
        open_scene(encode(photo(), "PNG")).with_gsd(value)


def test_feet_everywhere_in_a_file(tmp_path: Path) -> None:
    # Texas South Central in US survey feet: half a foot a pixel is 0.1524 m.
    feet = write_tiff(
        tmp_path / "austin.tif",
        np.zeros((3, 40, 60), np.uint8) + 7,
        crs="EPSG:2277",
        transform=affine(3_100_000, 10_070_000, 0.5),
    )
    scene = open_scene(feet)
    assert scene.gsd == pytest.approx(0.5 * 1200 / 3937, rel=1e-6)
    assert scene.pixel_area_m2 == pytest.approx(0.1524003**2, rel=1e-5)


def test_a_turned_image_in_degrees_is_measured_as_in_utm(tmp_path: Path) -> None:
    turned = Affine.translation(39.2, -6.1) @ Affine.rotation(33) @ Affine.scale(3e-6, -3e-6)
    rows = columns = 200
    to_utm = pyproj.Transformer.from_crs(4326, 32737, always_xy=True)
    corners = [(0, 0), (columns, 0), (columns, rows), (0, rows)]
    x, y = np.array([to_utm.transform(*(turned @ corner)) for corner in corners]).T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    gsd = ground_sample_distance(turned, "EPSG:4326", columns, rows)
    assert gsd**2 * rows * columns == pytest.approx(area, rel=2e-3)


def test_both_sides_of_a_pixel() -> None:
    # A degree of longitude at 60° is half of one at the equator: 55.8 km, of latitude 111.4 km.
    across, down = ground_pixel_size(affine(10, 60, 1e-5), "EPSG:4326", 9, 9)
    assert across == pytest.approx(0.558, rel=2e-3)
    assert down == pytest.approx(1.114, rel=2e-3)
    oblong = Affine(0.4, 0, 500_000, 0, -0.9, 9_300_000)
    assert ground_pixel_size(oblong, UTM, 100, 100) == pytest.approx((0.4, 0.9), rel=2e-3)
    assert ground_pixel_size(affine(10, 400, 0.1), "EPSG:4326", 9, 9) is None


@pytest.mark.parametrize(
    ("transform", "crs", "told"),
    [
        (affine(20.0, 60.0, 1e-5), "EPSG:32633", True),
        (affine(-170.0, -17.0, 1e-5), "EPSG:3857", True),
        (affine(10.0, 50.0, 0.01), "EPSG:32633", True),
        (affine(20.0, 60.0, 1e-5), None, True),
        (affine(20.0, 60.0, 1e-5), "EPSG:4326", False),
        (affine(500_000.0, 6_000_000.0, 0.1), "EPSG:32633", False),
        (affine(-40.0, 30.0, 0.5), "EPSG:3857", False),
        (affine(0.0, 50.0, 0.05), None, False),
    ],
)
def test_degrees_that_call_themselves_metres_get_a_note(transform, crs, told):
    notes = " ".join(Place.of(transform, crs, 400, 400).notes)
    assert ("look like degrees" in notes) == told


def test_the_pixel_at_a_pole_has_a_size():
    size = 1000.0
    place = Affine(size, 0, -50 * size, 0, -size, 50 * size)
    # Scale of the polar stereographic map of the Arctic, true at 71° north, at the pole itself.
    pole = pyproj.Proj("EPSG:3995").get_factors(0, 90 - 1e-9).meridional_scale
    assert ground_sample_distance(place, "EPSG:3995", 100, 100) == pytest.approx(size / pole)
    assert ground_pixel_size(place, "EPSG:3995", 100, 100) == pytest.approx((size / pole,) * 2)
