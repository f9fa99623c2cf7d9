"""Sizes in metres against geodesics of pyproj, where pixels are oblong, turned or unequal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.ground_sizes import ground_perimeters
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import density_per_hectare, measure, summary, total_area_m2
from rsam_core.objects.semantic import class_areas
from rsam_core.scene.ground_distance import ground_sample_distance
from rsam_core.scene.ground_scale import ground_of

WGS84 = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Placed:
    """What measuring needs of a scene."""

    transform: Affine | None
    crs: str | None
    width: int
    height: int
    typed: float | None = None

    @property
    def gsd(self) -> float | None:
        if self.typed is not None or self.crs is None:
            return self.typed
        return ground_sample_distance(self.transform, self.crs, self.width, self.height)


def geodesic(scene: Placed, outline: shapely.Polygon) -> tuple[float, float]:
    """Area and perimeter on the ellipsoid of an outline in pixels, by pyproj alone."""
    t = scene.transform
    crs = CRS.from_user_input(scene.crs)
    move = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    fine = shapely.segmentize(outline, outline.length / 800)

    def lonlat(xy):
        x, y = xy.T
        places = t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f
        return np.stack(move.transform(*places), axis=1)

    area, perimeter = crs.get_geod().geometry_area_perimeter(shapely.transform(fine, lonlat))
    return abs(area), perimeter


def block(*boxes: tuple[int, int, int, int], shape=(400, 400)) -> Instances:
    """Rectangles: x, y, width, height."""
    return Instances([Instance(np.ones((h, w), bool), x, y) for x, y, w, h in boxes], shape)


def compare(scene: Placed, boxes, area: float = 0.01, perimeter: float = 0.07) -> None:
    table = measure(block(*boxes, shape=(scene.height, scene.width)), scene)
    for row, (x, y, w, h) in enumerate(boxes):
        right_area, right_perimeter = geodesic(scene, shapely.box(x, y, x + w, y + h))
        assert table["area_m2"][row] == pytest.approx(right_area, rel=area)
        assert table["perimeter_m"][row] == pytest.approx(right_perimeter, rel=perimeter)


def turned(x: float, y: float, across: float, down: float, angle: float, skew: float) -> Affine:
    place = Affine.translation(x, y) @ Affine.rotation(angle) @ Affine.shear(skew)
    return place @ Affine.scale(across, -down)


BOXES = [(20, 5, 30, 150), (150, 158, 200, 25), (330, 300, 60, 60)]


@settings(max_examples=60, deadline=None)
@given(
    lat=st.floats(-80, 80),
    lon=st.floats(-360, 360),
    size=st.floats(1e-6, 1e-4),
    oblong=st.floats(0.4, 2.5),
    angle=st.floats(-180, 180),
    skew=st.floats(-25, 25),
)
def test_degrees_at_any_latitude_turned_and_skewed(lat, lon, size, oblong, angle, skew):
    place = turned(lon, lat, size, size * oblong, angle, skew)
    scene = Placed(place, "EPSG:4326", 400, 400)
    metric = ground_of(scene).metrics([200], [200])[0]
    across, down = math.sqrt(metric[0, 0]), math.sqrt(metric[1, 1])
    # Pixels more than six times as long as wide, or flat like a knife, are no pictures.
    assume(1 / 6 < across / down < 6)
    assume(math.sqrt(np.linalg.det(metric)) > 0.5 * across * down)
    compare(scene, BOXES)


@settings(max_examples=60, deadline=None)
@given(
    lat=st.floats(-80, 80),
    system=st.sampled_from(["EPSG:3857", "EPSG:3395", "EPSG:6933", "EPSG:32633", "EPSG:4258"]),
    size=st.floats(0.05, 100),
    angle=st.floats(-180, 180),
)
def test_projected_maps_at_any_latitude(lat, system, size, angle):
    x, y = Transformer.from_crs(4326, system, always_xy=True).transform(16.0, lat)
    size = size / 111_000 if system == "EPSG:4258" else size
    compare(Placed(turned(x, y, size, size, angle, 0), system, 400, 400), BOXES)


@settings(max_examples=25, deadline=None)
@given(
    lat=st.floats(-80, 80),
    turn=st.floats(0, math.pi),
    wide=st.floats(15, 60),
    long=st.floats(15, 60),
    angle=st.floats(-90, 90),
)
def test_perimeter_and_axes_of_ellipses_in_degrees(lat, turn, wide, long, angle):
    """Slanting and round outlines, which staircases follow: ellipses on the ground."""
    scene = Placed(turned(20, lat, 1e-5, 1e-5, angle, 0), "EPSG:4326", 1600, 1600)
    metric = ground_of(scene).metrics([800], [800])[0]
    to_pixels = np.linalg.inv(np.linalg.cholesky(metric).T)
    angles = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    round_ = to_pixels @ rotation @ np.stack([wide * np.cos(angles), long * np.sin(angles)])
    outline = shapely.Polygon(round_.T + 800)
    x0, y0, x1, y1 = (int(value) for value in outline.bounds)
    rows, columns = np.mgrid[y0 - 1 : y1 + 2, x0 - 1 : x1 + 2] + 0.5
    mask = shapely.contains_xy(outline, columns, rows)
    table = measure(
        Instances([Instance(mask, x0 - 1, y0 - 1)], (1600, 1600)), scene, shape=True
    ).iloc[0]
    area, perimeter = geodesic(scene, outline)
    assert table["area_m2"] == pytest.approx(area, rel=0.02)
    assert table["perimeter_m"] == pytest.approx(perimeter, rel=0.07)
    longer, shorter = sorted((2 * wide, 2 * long), reverse=True)
    assert table["axis_major_length_m"] == pytest.approx(longer, rel=0.03)
    assert table["axis_minor_length_m"] == pytest.approx(shorter, rel=0.03)
    assert table["equivalent_diameter_area_m"] == pytest.approx(math.sqrt(4 * area / math.pi), 0.01)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:3395"])
def test_every_object_of_a_tall_scene_by_its_own_latitude(crs):
    left, top = Transformer.from_crs(4326, crs, always_xy=True).transform(20, 70)
    _, bottom = Transformer.from_crs(4326, crs, always_xy=True).transform(20, 50)
    size = (top - bottom) / 1000
    scene = Placed(Affine(size, 0, left, 0, -size, top), crs, 300, 1000)
    boxes = [(10, 5, 30, 20), (10, 970, 30, 20), (40, 5, 200, 990), (250, 10, 12, 980)]
    compare(scene, boxes)


@pytest.mark.parametrize("lat", [0, 40, -65])
def test_an_object_that_spans_forty_degrees(lat):
    scene = Placed(Affine(0.05, 0, 10, 0, -0.05, lat + 20), "EPSG:4326", 800, 800)
    compare(scene, [(0, 0, 800, 800), (100, 50, 40, 700)], area=0.003, perimeter=0.06)


def test_the_whole_globe_in_degrees():
    scene = Placed(Affine(0.5, 0, -180, 0, -0.5, 90), "EPSG:4326", 720, 360)
    area = measure(block((0, 0, 720, 360), shape=(360, 720)), scene)["area_m2"][0]
    assert area == pytest.approx(510_065_621.7e6, rel=1e-3)
    assert ground_of(scene).window_area(720, 360) == pytest.approx(510_065_621.7e6, rel=1e-3)


@pytest.mark.parametrize("shift", [0, 0.25])
def test_a_disc_around_a_pole(shift):
    size, radius = 5000.0, 60
    scene = Placed(
        Affine(size, 0, (shift - 100) * size, 0, -size, 100 * size), "EPSG:3995", 200, 200
    )
    rows, columns = np.mgrid[:200, :200] + 0.5 - 100
    mask = columns**2 + rows**2 < radius**2
    row = measure(Instances([Instance(mask)], (200, 200)), scene).iloc[0]
    circle = shapely.Point(100, 100).buffer(radius, quad_segs=90)
    t = scene.transform
    move = Transformer.from_crs(scene.crs, 4326, always_xy=True)
    lon, lat = move.transform(*(t @ tuple(shapely.get_coordinates(circle).T)))
    area, perimeter = WGS84.polygon_area_perimeter(lon, lat)
    assert row["area_m2"] == pytest.approx(abs(area), rel=0.01)
    assert row["perimeter_m"] == pytest.approx(perimeter, rel=0.03)


def test_thin_roads_of_oblong_pixels():
    """Roads a pixel or two wide, along the grid and across it, at 70 degrees north."""
    scene = Placed(Affine(1e-5, 0, 20, 0, -1e-5, 70), "EPSG:4326", 400, 400)
    boxes = [(10, 10, 1, 380), (20, 10, 2, 380), (30, 10, 300, 1), (30, 20, 300, 2)]
    compare(scene, boxes, perimeter=0.07)


def test_square_pixels_keep_the_perimeter_in_pixels():
    scene = Placed(Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000), "EPSG:32633", 400, 400)
    rng = np.random.default_rng(4)
    masks = [rng.random((30, 40)) < 0.7 for _ in range(5)]
    items = Instances([Instance(mask, 50 * n, 9) for n, mask in enumerate(masks)], (400, 400))
    table = measure(items, scene, shape=True, neighbours=True)
    np.testing.assert_allclose(table["perimeter_m"], table["perimeter"] * 0.5, rtol=1e-12)
    np.testing.assert_allclose(table["area_m2"], table["area"] * 0.25, rtol=1e-12)
    for name in ("axis_major_length", "axis_minor_length", "equivalent_diameter_area"):
        np.testing.assert_allclose(table[f"{name}_m"], table[name] * 0.5, rtol=1e-9)
    np.testing.assert_allclose(table["nearest_neighbour_m"], table["nearest_neighbour"] * 0.5)


def test_crossings_are_counted_like_the_crofton_formula_says():
    """On the square grid the formula for oblong pixels gives the very same perimeter."""
    rng = np.random.default_rng(5)
    items = Instances([Instance(rng.random((9, 17)) < 0.5, 20 * n) for n in range(8)], (50, 200))
    metres = ground_perimeters(items, ground_of(3.0))
    np.testing.assert_allclose(metres, 3 * measure(items)["perimeter"], rtol=1e-12)


def test_a_typed_ground_distance_stands_for_square_pixels():
    scene = Placed(Affine(1e-5, 0, 20, 0, -1e-5, 60), "EPSG:4326", 400, 400, typed=2.0)
    row = measure(block((10, 10, 100, 30)), scene).iloc[0]
    assert row["area_m2"] == 4 * 3000
    assert row["perimeter_m"] == pytest.approx(2 * row["perimeter"])
    assert "area_m2" not in measure(block((1, 1, 5, 5)), Placed(None, None, 9, 9))


def test_table_summary_classes_and_density_use_the_same_areas():
    scene = Placed(Affine(0.02, 0, 20, 0, -0.02, 70), "EPSG:4326", 100, 1000)
    items = [
        Instance(np.ones((20, 30), bool), 10, y, label=label)
        for y, label in ((5, "building"), (970, "building"), (500, "road"))
    ]
    found = Instances(items, (1000, 100))
    table = measure(found, scene)
    total = table["area_m2"].sum()
    assert summary(table, found.shape, scene.gsd)["total_area_m2"] == pytest.approx(total)
    assert total_area_m2(found, scene) == pytest.approx(total)
    classes = class_areas(found, ClassList(), scene).set_index("class")["area_m2"]
    by_label = table.groupby("label")["area_m2"].sum()
    assert classes["building"] == pytest.approx(by_label["building"], rel=2e-3)
    assert classes["road"] == pytest.approx(by_label["road"], rel=2e-3)
    whole, _ = geodesic(scene, shapely.box(0, 0, 100, 1000))
    assert classes.sum() == pytest.approx(whole, rel=1e-3)
    assert density_per_hectare(3, found.shape, scene) == pytest.approx(3e4 / whole, rel=1e-3)


def test_objects_off_the_map_have_no_ground():
    """In a map of the globe as an oval, the corners of the picture lie nowhere."""
    scene = Placed(Affine(36_000, 0, -18e6, 0, -18_000, 9e6), "ESRI:54009", 1000, 1000)
    table = measure(block((0, 0, 20, 20), (480, 480, 40, 40), shape=(1000, 1000)), scene)
    assert math.isnan(table["area_m2"][0])
    assert math.isnan(table["perimeter_m"][0])
    right, _ = geodesic(scene, shapely.box(480, 480, 520, 520))
    assert table["area_m2"][1] == pytest.approx(right, rel=0.01)
    figures = summary(table, (1000, 1000))
    assert figures["total_area_m2"] == pytest.approx(table["area_m2"][1])


def true_distance(scene: Placed, one, two) -> float:
    t = scene.transform
    move = Transformer.from_crs(scene.crs, 4326, always_xy=True)
    places = [move.transform(*(t @ tuple(map(float, place)))) for place in (one, two)]
    return WGS84.inv(*places[0], *places[1])[2]


@pytest.mark.parametrize("lat", [0, 60, -75])
@pytest.mark.parametrize("size", [1e-5, 1e-2])
def test_the_nearest_neighbour_on_the_ground(lat, size):
    """Ten pixels to the side and eight below: the former is nearer from 37 degrees on."""
    scene = Placed(Affine(size, 0, 20, 0, -size, lat + 200 * size), "EPSG:4326", 400, 400)
    found = block((190, 190, 20, 20), (220, 190, 20, 20), (190, 218, 20, 20))
    row = measure(found, scene, neighbours=True).iloc[0]
    assert row["nearest_neighbour"] == 8
    side = min(true_distance(scene, (210, y), (220, y)) for y in (190, 210))
    below = true_distance(scene, (200, 210), (200, 218))
    assert row["nearest_neighbour_m"] == pytest.approx(min(side, below), rel=2e-3)
    assert row["nearest_id"] == (2 if side < below else 3)


def test_neighbours_across_the_seam_of_the_globe_and_across_a_pole():
    globe = Placed(Affine(0.5, 0, -180, 0, -0.5, 90), "EPSG:4326", 720, 360)
    found = block((0, 100, 4, 4), (716, 100, 4, 4), (340, 100, 4, 4), shape=(360, 720))
    table = measure(found, globe, neighbours=True)
    assert table["nearest_neighbour_m"][0] == pytest.approx(0, abs=1e-3)
    assert table["nearest_id"].tolist()[:2] == [2, 1]
    found = block((10, 2, 4, 4), (370, 2, 4, 4), (190, 30, 4, 4), shape=(360, 720))
    table = measure(found, globe, neighbours=True)
    assert table["nearest_id"].tolist()[:2] == [2, 1]
    corners = [true_distance(globe, (a, 2), (b, 2)) for a in (10, 14) for b in (370, 374)]
    assert table["nearest_neighbour_m"][0] == pytest.approx(min(corners), rel=1e-3)
    inside = Instances(
        [Instance(np.pad(np.zeros((80, 80), bool), 60, constant_values=True), 100, 50),
         Instance(np.ones((120, 120), bool), 140, 90)], (360, 720)
    )  # fmt: skip
    assert measure(inside, globe, neighbours=True)["nearest_neighbour_m"].tolist() == [0, 0]


def test_many_objects_are_measured_together():
    """As many calls a group of objects, not an object: counted, not timed."""
    calls = 0
    scene = Placed(Affine(1e-5, 0, 20, 0, -1e-5, 45), "EPSG:4326", 2000, 2000)
    ground = ground_of(scene)
    boxes = [(20 * (n % 100), 20 * (n // 100), 12, 9) for n in range(2000)]
    found = block(*boxes, shape=(2000, 2000))
    original = type(ground).metrics

    def counted(self, x, y):
        nonlocal calls
        calls += 1
        return original(self, x, y)

    try:
        type(ground).metrics = counted
        measure(found, scene, shape=True)
    finally:
        type(ground).metrics = original
    assert calls <= 6
