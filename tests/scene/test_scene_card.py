"""The facts of a scene in words."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from rsam_core.scene.description import centre_of, facts, share_text
from rsam_core.scene.scene import open_scene
from tests.helpers.rasters import PLACE, SHARED, UTM, affine, encode, photo, tiff

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

RGB = np.full((3, 100, 200), 9, np.uint8)


def test_of_a_plain_image() -> None:
    assert facts(open_scene(encode(photo(), "PNG"))) == [
        ("Size", "96 × 64 pixels"),
        ("Bands", "3: red, green, blue"),
        ("Values", "8 bits"),
        ("Coordinates", "none: a plain image"),
        ("Pixel on the ground", "unknown"),
    ]


def test_of_a_georeferenced_image() -> None:
    found = dict(facts(open_scene(tiff(RGB, crs=UTM, transform=PLACE))))
    assert found["Coordinates"] == "WGS 84 / UTM zone 37N (EPSG:32637)"
    assert found["Pixel on the ground"] == "0.5 m"
    assert found["Extent"] == "100 × 50 m"
    assert found["Centre"].endswith("° E")
    # From the central meridian of zone 37 (39° E) 50 m to the east; a degree of longitude there is
    # 6,378,137 m × 1.0033 × π / 180 × cos 83.75°.
    lon, lat = centre_of(open_scene(tiff(RGB, crs=UTM, transform=PLACE)))
    assert lon == pytest.approx(39 + 50 / 12_165, abs=1e-5)
    assert lat == pytest.approx(83.75, abs=0.01)


def test_typed_ground_distance_gives_the_extent() -> None:
    found = dict(facts(open_scene(encode(photo(), "PNG")).with_gsd(0.05)))
    assert found["Pixel on the ground"] == "5 cm"
    assert found["Extent"] == "5 × 3 m"


def test_pixels_in_degrees_are_not_square() -> None:
    # At 60° north 1e-5° are 0.558 m of longitude and 1.114 m of latitude.
    scene = open_scene(tiff(RGB, crs="EPSG:4326", transform=affine(-10, 60, 1e-5)))
    found = dict(facts(scene))
    assert found["Pixel on the ground"] == "0.558 × 1.11 m"
    assert found["Extent"] == "112 × 111 m"
    assert found["Centre"] == "59.99950° N, 9.99900° W"


def test_without_a_coordinate_system() -> None:
    found = dict(facts(open_scene(tiff(RGB, transform=PLACE))))
    assert found["Coordinates"] == "not named in the file"
    assert "Centre" not in found


def test_large_extents_are_in_kilometres() -> None:
    scene = open_scene(tiff(RGB, crs=UTM, transform=Affine(30, 0, 5e5, 0, -30, 1e6)))
    assert dict(facts(scene))["Extent"] == "6.0 × 3.0 km"


def test_many_and_nameless_bands() -> None:
    bands = np.ones((9, 16, 16), np.int16)
    assert dict(facts(open_scene(tiff(bands))))["Bands"] == "9, not named"
    names = tuple("abcdefghi")
    assert dict(facts(open_scene(tiff(bands, names))))["Bands"] == "9: a, b, c, d, e, …"


def test_share_without_data() -> None:
    bands = np.ones((1, 100, 100), np.float32) * np.arange(1, 101)
    bands[0, :25] = np.nan
    scene = open_scene(tiff(bands.astype(np.float32)))
    assert scene.nodata_share == pytest.approx(0.25)
    assert dict(facts(scene))["Without data"] == "about 25 %"
    assert share_text(0.0004) == "under 1 %"
    assert share_text(0.9999) == "over 99 %"
    assert "Without data" not in dict(facts(open_scene(tiff(RGB))))


def test_centre_agrees_with_the_footprints_of_a_real_scene() -> None:
    name = "aoi1_zanzibar_tz_z19"
    if not (SHARED / f"{name}.tif").exists():
        pytest.skip("shared data absent")
    import geopandas as gpd

    west, south, east, north = gpd.read_file(SHARED / f"{name}_buildings.geojson").total_bounds
    lon, lat = centre_of(open_scene(SHARED / f"{name}.tif"))
    assert west < lon < east
    assert south < lat < north


def test_coordinates_off_the_earth_have_no_centre() -> None:
    scene = open_scene(tiff(RGB, crs="EPSG:4326", transform=PLACE))
    assert centre_of(scene) is None
    assert dict(facts(scene))["Pixel on the ground"] == "unknown"
