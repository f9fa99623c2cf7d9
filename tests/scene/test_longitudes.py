"""Outlines, truth and projections around the 180th meridian and the poles."""

from __future__ import annotations

import io
import json
import re
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

import rsam_core as rsam
from rsam_core import formats as export
from rsam_core.objects.instances import Instance, Instances
from rsam_core.prepare.ground_control import fit_ground_control
from rsam_core.prepare.reproject import known_crs, reproject
from rsam_core.scene.description import centre_of
from rsam_core.scene.longitudes import cut_longitudes, shapes_near, wrap_longitudes_near

GEOD = Geod(ellps="WGS84")
FIJI = Transformer.from_crs(4326, 32701, always_xy=True).transform(180, -17)
"""The 180th meridian at 17° south, in UTM zone 1 south."""


def raster(crs: str, transform: Affine, shape=(64, 80), values=None) -> bytes:
    values = np.arange(shape[0] * shape[1]).reshape(shape) % 251 if values is None else values
    with rasterio.MemoryFile() as memory:
        profile = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": 1}
        with memory.open(**profile, dtype="uint8", crs=crs, transform=transform) as dataset:
            dataset.write(values.astype(np.uint8), 1)
        return memory.read()


def scene(crs: str, transform: Affine, shape=(64, 80)):
    return rsam.open_scene(raster(crs, transform, shape), name="place.tif")


def objects(shape, *boxes) -> Instances:
    """Rectangles: x, y, width, height."""
    return Instances([Instance(np.ones((h, w), bool), x, y) for x, y, w, h in boxes], shape)


def geojson(found, place):
    features = json.loads(export.to_geojson(found, place))["features"]
    return [shapely.geometry.shape(feature["geometry"]) for feature in features]


def ground_area(shape) -> float:
    """Square metres, with corners so close that edges follow their parallel."""
    pieces = shapely.get_parts(shapely.segmentize(shape, 0.25))
    return sum(abs(GEOD.geometry_area_perimeter(piece)[0]) for piece in pieces)


def test_longitudes_are_named_as_near_as_can_be():
    assert wrap_longitudes_near(-170, 185) == 190
    assert wrap_longitudes_near([190, 550, -170], 0).tolist() == [-170, -170, -170]
    assert wrap_longitudes_near([-200.0], 190, 400).tolist() == [200], "in gons"
    assert np.isinf(wrap_longitudes_near(np.inf, 0))


def test_an_object_over_the_meridian_is_cut_into_two_with_its_area():
    fiji = scene("EPSG:32701", Affine(1, 0, FIJI[0] - 40, 0, -1, FIJI[1] + 32))
    found = objects((64, 80), (20, 20, 40, 20), (2, 2, 10, 10))
    cut, whole = geojson(found, fiji)
    assert cut.geom_type == "MultiPolygon"
    assert whole.geom_type == "Polygon"
    left, right = sorted(piece.bounds for piece in cut.geoms)
    assert left[0] == -180
    assert right[2] == 180
    assert left[2] < -179.999
    assert right[0] > 179.999
    assert ground_area(cut) == pytest.approx(800, rel=0.01)
    assert all(piece.exterior.is_ccw for piece in cut.geoms)
    kml = export.to_kml(found, fiji).decode()
    assert kml.count("<MultiGeometry>") == 1
    pairs = re.findall(r"(-?[\d.]+),(-?[\d.]+)", "".join(re.findall("<coordinates>.*?</", kml)))
    assert all(-180 <= float(x) <= 180 for x, _ in pairs)


def test_the_scene_s_own_projected_system_keeps_objects_whole_and_degrees_cut_them():
    found = objects((64, 80), (20, 20, 40, 20))
    fiji = scene("EPSG:32701", Affine(1, 0, FIJI[0] - 40, 0, -1, FIJI[1] + 32))
    own = gpd.read_file(io.BytesIO(export.to_geopackage(found, fiji)))
    assert own.geometry[0].area == pytest.approx(800)
    assert len(shapely.get_parts(own.geometry[0])) == 1
    degrees = scene("EPSG:4326", Affine(1e-5, 0, 180 - 40e-5, 0, -1e-5, -17))
    for content in (export.to_geopackage(found, degrees), export.to_shapefile(found, degrees)):
        shape = gpd.read_file(io.BytesIO(content)).geometry[0]
        assert len(shapely.get_parts(shape)) == 2
        assert shape.bounds[0] == -180
        assert shape.bounds[2] == 180
        assert shape.area == pytest.approx(800e-10)


def test_longitudes_beyond_180_come_back():
    east = scene("EPSG:4326", Affine(1e-4, 0, 190, 0, -1e-4, 10))
    found = objects((64, 80), (10, 10, 50, 20))
    for shape in (
        geojson(found, east)[0],
        gpd.read_file(io.BytesIO(export.to_geopackage(found, east))).geometry[0],
    ):
        assert shape.geom_type == "Polygon"
        np.testing.assert_allclose(shape.bounds, (-169.999, 9.997, -169.994, 9.999), atol=1e-9)
    assert centre_of(east)[0] == pytest.approx(-169.996)
    assert rsam.measure(found, east)["map_x"][0] == pytest.approx(190.0035), "the map's own"


def test_a_world_counted_from_0_to_360_is_joined_where_it_begins():
    world = scene("EPSG:4326", Affine(1, 0, 0, 0, -1, 90), (180, 360))
    belt, half = geojson(objects((180, 360), (0, 80, 360, 10), (20, 80, 250, 10)), world)
    assert belt.geom_type == "Polygon"
    assert belt.bounds == (-180, 0, 180, 10)
    assert sorted(piece.bounds for piece in half.geoms) == [(-180, 0, -90, 10), (20, 0, 180, 10)]


RING = np.ones((40, 40), bool)
RING[10:30, 10:30] = False


@pytest.mark.parametrize("crs", ["EPSG:3413", "EPSG:3031", "EPSG:6931"])
@pytest.mark.parametrize("shift", [0, 0.3])
@pytest.mark.parametrize(
    ("mask", "x", "y"),
    [
        (np.ones((20, 20), bool), 40, 40),
        (np.ones((10, 10), bool), 50, 50),
        (np.ones((10, 20), bool), 40, 50),
        (RING, 30, 30),
        (np.ones((10, 10), bool), 70, 20),
    ],
    ids=["around", "corner at the pole", "edge at the pole", "ring around", "beside"],
)
def test_objects_around_a_pole_keep_their_area(crs, shift, mask, x, y):
    size = 10_000.0
    polar = scene(crs, Affine(size, 0, (shift - 50) * size, 0, -size, 50 * size), (100, 100))
    found = Instances([Instance(mask, x, y)], (100, 100))
    shape = geojson(found, polar)[0]
    assert shape.is_valid
    measured = rsam.measure(found, polar)["area_m2"][0]
    assert ground_area(shape) == pytest.approx(measured, rel=0.002)
    if crs == "EPSG:6931":  # True to area by itself.
        assert measured == pytest.approx(mask.sum() * size**2, rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    west=st.floats(-200, 560), south=st.floats(-60, 50), width=st.floats(0.1, 350)
)  # fmt: skip
def test_cut_outlines_cover_the_same_ground(west, south, width):
    shape = shapely.box(west, south, west + width, south + 10)
    cut = cut_longitudes(np.array([shape], dtype=object))[0]
    assert cut.is_valid
    assert cut.bounds[0] >= -180
    assert cut.bounds[2] <= 180
    assert cut.area == pytest.approx(shape.area)
    points = west + width * np.linspace(0.01, 0.99, 23)
    back = wrap_longitudes_near(points, 0)
    assert shapely.intersects_xy(shapely.buffer(cut, 1e-6), back, south + 5).all()
    again = shapes_near(np.array([cut], dtype=object), west + width / 2)[0]
    assert again.symmetric_difference(shape).area < 1e-6


@pytest.mark.parametrize(("west", "zone"), [(190, 2), (-170, 2), (550, 2), (180.1, 1), (179, 60)])
def test_utm_zone_of_any_longitude(west, zone):
    place = Affine(1e-4, 0, west, 0, -1e-4, 10)
    target = known_crs("UTM", place, "EPSG:4326", (64, 80))
    assert target == f"EPSG:{32600 + zone}"
    values, valid = np.ones((64, 80, 1), np.float32), np.ones((64, 80), bool)
    _, there, grid = reproject(values, valid, place, "EPSG:4326", target)
    assert there.mean() > 0.9
    middle = grid.transform @ (grid.width / 2, grid.height / 2)
    lon, lat = Transformer.from_crs(target, 4326, always_xy=True).transform(*middle)
    assert wrap_longitudes_near(lon, west) == pytest.approx(west + 0.004, abs=1e-3)
    assert lat == pytest.approx(10 - 0.0032, abs=1e-3)


@pytest.mark.parametrize("target", ["EPSG:4326", "EPSG:4269"])
def test_a_picture_over_the_meridian_stays_together_in_degrees(target):
    place = Affine(1, 0, FIJI[0] - 40, 0, -1, FIJI[1] + 32)
    values, valid = np.ones((64, 80, 1), np.float32), np.ones((64, 80), bool)
    _, there, grid = reproject(values, valid, place, "EPSG:32701", target)
    assert there.mean() > 0.9
    assert grid.width < 100
    assert grid.height < 100
    assert grid.transform.c == pytest.approx(180, abs=0.001)


def test_control_points_on_both_sides_of_the_meridian_are_neighbours():
    pixel = [(0, 0), (100, 0), (0, 100), (100, 100)]
    place = [(179.995, 1), (-179.995, 1), (179.995, 0.99), (-179.995, 0.99)]
    fit = fit_ground_control(pixel, place, crs="EPSG:4326")
    assert fit.rmse_px < 1e-6
    assert fit.rmse_m < 1e-3
    assert fit.transform.a == pytest.approx(1e-4)


@pytest.mark.parametrize(("own", "other"), [(190, -170), (-170, 190), (-170, 550)])
@pytest.mark.parametrize("shifted", [0, 5])
def test_truth_is_found_under_the_other_name_of_its_longitude(own, other, shifted):
    place = scene("EPSG:4326", Affine(1e-4, 0, own, 0, -1e-4, 10))
    mask = np.zeros((64, 80), np.uint8)
    mask[10:30, 20:50] = 1
    content = raster(
        "EPSG:4326", Affine(1e-4, 0, other + shifted * 1e-4, 0, -1e-4, 10), values=mask
    )
    found = rsam.read_truth(content, place, name="mask.tif").objects
    assert found[0].bbox == (20 + shifted, 10, 50 + shifted, 30)
    outline = shapely.box(other + 0.002, 9.997, other + 0.005, 9.999)
    text = gpd.GeoSeries([outline], crs=4326).to_json().encode()
    assert rsam.read_truth(text, place, name="truth.geojson").objects[0].bbox == (20, 10, 50, 30)


@pytest.mark.parametrize("west", [179.996, -180.004])
def test_what_was_cut_at_the_meridian_comes_back_as_one_object(west):
    place = scene("EPSG:4326", Affine(1e-4, 0, west, 0, -1e-4, -17))
    found = objects((64, 80), (20, 20, 40, 20))
    for name, content in (
        ("truth.geojson", export.to_geojson(found, place)),
        ("truth.gpkg", export.to_geopackage(found, place)),
    ):
        back = rsam.read_truth(content, place, name=name).objects
        assert [item.bbox for item in back] == [(20, 20, 60, 40)], name
        assert back[0].area == 800
    fiji = scene("EPSG:32701", Affine(1, 0, FIJI[0] - 40, 0, -1, FIJI[1] + 32))
    back = rsam.read_truth(export.to_geojson(found, fiji), fiji, name="truth.geojson").objects
    assert len(back) == 1
    assert back[0].area == pytest.approx(800, abs=10)


def test_shapefile_over_the_meridian_is_one_record():
    place = scene("EPSG:4326", Affine(1e-4, 0, 179.996, 0, -1e-4, -17))
    content = export.to_shapefile(objects((64, 80), (20, 20, 40, 20)), place)
    assert "objects.shp" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert len(gpd.read_file(io.BytesIO(content))) == 1
