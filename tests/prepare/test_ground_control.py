"""Control points: fits against known mappings, residuals by hand, errors for bad points."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from rsam_core.errors import PrepareError
from rsam_core.prepare import Pipeline, Raster, write_scene
from rsam_core.prepare.ground_control import NEEDED, fit_ground_control, ground_lengths
from rsam_core.prepare.rectify import map_units_per_metre, plan_grid, rectify
from rsam_core.prepare.steps.geometric import GroundControlPoints
from tests.helpers.spots import draw_through, find_spots

CRS = "EPSG:32737"
ORIGIN = np.array([500_000.0, 9_328_000.0])
PIXEL = np.array(
    [(x, y) for y in (12.0, 70.0, 131.0, 188.0) for x in (15.0, 90.0, 168.0, 236.0)]
) + np.tile([[0, 3], [4, -2], [-3, 1], [2, 2]], (4, 1))


def bent(pixel: np.ndarray) -> np.ndarray:
    """A mapping to the map with turn, shear, perspective-free bends up to third order."""
    x, y = pixel[:, 0] / 100, pixel[:, 1] / 100
    east = 30 * x + 4 * y + 1.2 * x * y - 0.8 * x**2 + 0.3 * x**3
    north = 5 * x - 31 * y + 0.9 * y**2 + 0.5 * x * y**2
    return ORIGIN + np.column_stack([east, north])


def bowed(pixel: np.ndarray) -> np.ndarray:
    """A mapping to the map of second order."""
    x, y = pixel[:, 0] / 100, pixel[:, 1] / 100
    east = 30 * x + 4 * y + 0.9 * x * y - 0.5 * x**2
    north = 5 * x - 31 * y + 0.6 * y**2
    return ORIGIN + np.column_stack([east, north])


def seen_at_an_angle(pixel: np.ndarray) -> np.ndarray:
    scale = 1 + pixel @ [2e-4, 9e-4]
    return ORIGIN + pixel @ [[0.3, 0.05], [0.02, -0.33]] / scale[:, None]


def test_affine_is_recovered_exactly_with_its_transform():
    true = Affine(0.3, 0.05, ORIGIN[0], 0.04, -0.31, ORIGIN[1])
    place = np.array([true * tuple(p) for p in PIXEL])
    fit = fit_ground_control(PIXEL, place, "affine", crs=CRS)
    assert np.allclose(fit.transform[:6], true[:6], rtol=1e-9)
    assert fit.rmse_px < 1e-6
    assert fit.rmse_m < 1e-6
    assert fit.left_out_rmse_px < 1e-6


@pytest.mark.parametrize(
    ("kind", "mapping", "bound"),
    [
        ("projective", seen_at_an_angle, 1e-5),
        ("polynomial3", bent, 0.3),
    ],
)
def test_the_right_model_fits_and_the_affine_does_not(kind, mapping, bound):
    place = mapping(PIXEL)
    assert fit_ground_control(PIXEL, place, kind, crs=CRS).left_out_rmse_px < bound
    assert fit_ground_control(PIXEL, place, "affine", crs=CRS).rmse_px > 1


@pytest.mark.parametrize("kind", list(NEEDED))
def test_the_way_back_is_the_inverse(kind):
    fit = fit_ground_control(PIXEL, bent(PIXEL), kind, crs=CRS)
    elsewhere = np.array([[1.0, 2.0], [120.3, 99.9], [240.0, 190.0]])
    assert np.allclose(fit.to_pixel(fit.to_map(elsewhere)), elsewhere, atol=1e-5)


def test_residuals_of_one_wrong_point_by_hand():
    # Four corners of a square; one is marked 4 px too far right. The affine fit spreads a
    # quarter of it to each corner, with alternating signs.
    place = np.array([[0, 0], [100, 0], [100, -100], [0, -100]], float)
    pixel = np.array([[0, 0], [100, 0], [104, 100], [0, 100]], float)
    fit = fit_ground_control(pixel, place, "affine")
    assert np.allclose(fit.residuals[:, 0], [-1, 1, -1, 1])
    assert fit.rmse_px == pytest.approx(1)
    # Left out, the fourth corner is predicted from a parallelogram: 4 px off, wherever it is.
    assert np.allclose(fit.left_out_px, 4)
    assert fit.rmse_m is None
    assert [row["error_px"] for row in fit.table()] == pytest.approx([1, 1, 1, 1])


@pytest.mark.parametrize("kind", list(NEEDED))
def test_the_one_wrong_point_is_found(kind):
    rng = np.random.default_rng(8)
    place = ORIGIN + PIXEL @ [[0.3, 0.05], [0.02, -0.31]]
    clicked = PIXEL + rng.normal(0, 0.3, PIXEL.shape)
    assert fit_ground_control(clicked, place, kind, crs=CRS).suspect is None
    for wrong in (0, 6):
        moved = clicked.copy()
        moved[wrong] += (25, -18)
        assert fit_ground_control(moved, place, kind, crs=CRS).suspect == wrong
    assert fit_ground_control(clicked[: NEEDED[kind]], place[: NEEDED[kind]], kind).exact


@pytest.mark.parametrize("kind", ["affine", "projective"])
def test_swapped_map_coordinates_mirror_the_picture(kind):
    place = seen_at_an_angle(PIXEL) - ORIGIN
    assert not fit_ground_control(PIXEL, place, kind).mirrored
    assert fit_ground_control(PIXEL, place[:, ::-1], kind).mirrored
    upside_down = -PIXEL
    assert not fit_ground_control(upside_down, place, kind).mirrored


def test_affine_residuals_match_numpy_least_squares():
    rng = np.random.default_rng(3)
    place = bent(PIXEL)
    noisy = PIXEL + rng.normal(0, 0.7, PIXEL.shape)
    design = np.column_stack([place - ORIGIN, np.ones(len(place))])
    solution, *_ = np.linalg.lstsq(design, noisy, rcond=None)
    fit = fit_ground_control(noisy, place, "affine", crs=CRS)
    assert np.allclose(fit.residuals, design @ solution - noisy, atol=1e-6)
    assert fit.left_out_rmse_px > fit.rmse_px


def test_residuals_in_metres_are_ground_distances():
    fit = fit_ground_control(PIXEL, seen_at_an_angle(PIXEL), "affine", crs=CRS)
    # 0.3 m a pixel and some perspective: metres and pixels go together.
    ratio = fit.errors_m / fit.errors_px
    assert (ratio > 0.2).all()
    assert (ratio < 0.4).all()
    # One degree of longitude at 60° north is half of one at the equator (a spheroid: 0.5 %).
    lengths = ground_lengths([(10, 0), (10, 60)], [(11, 0), (11, 60)], "EPSG:4326")
    assert lengths[0] == pytest.approx(111_319.5, rel=1e-4)
    assert lengths[1] == pytest.approx(lengths[0] / 2, rel=5e-3)
    # Web Mercator doubles lengths there.
    mercator = ground_lengths([(0, 8_399_738)], [(1000, 8_399_738)], "EPSG:3857")
    assert mercator[0] == pytest.approx(500, rel=5e-3)


@pytest.mark.parametrize("kind", list(NEEDED))
def test_too_few_points_are_counted_in_the_message(kind):
    few = NEEDED[kind] - 1
    with pytest.raises(PrepareError, match=f"at least {NEEDED[kind]} .* {few}. Add 1 more"):
        fit_ground_control(PIXEL[:few], bent(PIXEL[:few]), kind)


@pytest.mark.parametrize("kind", list(NEEDED))
def test_points_on_a_line_or_in_one_place_are_refused(kind):
    along = np.linspace(0, 200, 12)
    line = np.column_stack([along, 0.5 * along + 7])
    for pixel in (line, np.tile([[5.0, 6.0]], (12, 1))):
        with pytest.raises(PrepareError, match="one line or too close"):
            fit_ground_control(pixel, ORIGIN + pixel * 0.3, kind)


def test_three_of_four_points_in_line_do_not_fix_a_projective_model():
    pixel = np.array([[0, 0], [100, 0], [200, 0], [50, 120]], float)
    with pytest.raises(PrepareError, match="one line"):
        fit_ground_control(pixel, ORIGIN + pixel * [0.3, -0.3], "projective")


def test_bad_coordinates_and_systems_are_explained():
    place = seen_at_an_angle(PIXEL)
    with pytest.raises(PrepareError, match="degrees"):
        fit_ground_control(PIXEL, place, crs="EPSG:4326")
    with pytest.raises(PrepareError, match="not a coordinate reference system"):
        fit_ground_control(PIXEL, place, crs="EPSG:99999999")
    with pytest.raises(PrepareError, match="kind"):
        fit_ground_control(PIXEL, place, "spline")
    with pytest.raises(PrepareError, match="lacks a coordinate"):
        fit_ground_control(PIXEL, np.where(place == place[0], np.nan, place))


def test_swapped_points_cannot_be_a_view_of_flat_ground():
    place = seen_at_an_angle(PIXEL[[0, 3, 15, 12]])
    with pytest.raises(PrepareError, match="contradict"):
        fit_ground_control(PIXEL[[0, 3, 12, 15]], place, "projective")


@pytest.mark.parametrize(
    ("kind", "mapping"),
    [("projective", seen_at_an_angle), ("polynomial3", bent), ("polynomial2", bowed)],
)
def test_a_warped_scene_is_laid_on_the_map_to_half_a_pixel(kind, mapping):
    # The picture is drawn through the mapping itself; RSAM only sees the control points.
    checks = np.array([(50.0, 40.0), (200.0, 48.0), (128.0, 101.0), (60.0, 160.0), (190.0, 150.0)])
    places = mapping(checks)

    def to_ground(x, y):
        flat = mapping(np.column_stack([x.ravel(), y.ravel()]))
        return flat[:, 0].reshape(x.shape), flat[:, 1].reshape(x.shape)

    picture = draw_through((200, 250), places, to_ground, sigma=0.9)
    fit = fit_ground_control(PIXEL, mapping(PIXEL), kind, crs=CRS)
    valid = np.ones(picture.shape[:2], bool)
    values, inside, grid = rectify(picture, valid, fit, plan_grid(fit, valid.shape, 0.3))
    expected = np.array([~grid.transform * tuple(place) for place in places])
    error = np.linalg.norm(find_spots(values, expected) - expected, axis=1)
    assert error.max() < 0.5
    # GDAL's convention: a grid in metres of the map, so 0.3 m up to the scale of UTM.
    assert grid.transform.a == pytest.approx(0.3, rel=1e-3)
    assert 0.5 < inside.mean() < 1


def test_the_step_gives_objects_their_place_and_reduced_copies_match():
    place = seen_at_an_angle(PIXEL)
    control = tuple((*p, *m) for p, m in zip(PIXEL, place))
    step = GroundControlPoints(control=control, crs="32737", model="projective")
    raster = Raster.of_array(np.full((200, 250), 90, np.uint8))
    result = step.apply(raster)
    assert result.crs == CRS
    assert result.gsd == pytest.approx(0.28, abs=0.04)
    half = step.apply(
        raster.changed(values=raster.values[::2, ::2], valid=raster.valid[::2, ::2], scale=2.0)
    )
    assert half.gsd == pytest.approx(2 * result.gsd, rel=0.02)
    assert (half.transform.c, half.transform.f) == pytest.approx(
        (result.transform.c, result.transform.f), abs=0.6
    )
    scene = write_scene(result, "placed.tif")
    assert scene.crs == CRS
    assert scene.pixel_to_map(0, 0) == (result.transform.c, result.transform.f)
    again = Pipeline.from_json(Pipeline().add(step).to_json())
    assert again.steps[0] == step


def test_the_step_can_give_a_transform_without_touching_pixels():
    place = ORIGIN + PIXEL @ [[0.3, 0.04], [0.03, -0.31]]
    control = tuple((*p, *m) for p, m in zip(PIXEL, place))
    raster = Raster.of_array(np.random.default_rng(0).integers(0, 255, (200, 250, 4), np.uint8))
    result = GroundControlPoints(control=control, crs=CRS, resample=False).apply(raster)
    assert np.array_equal(result.values, raster.values)
    assert np.allclose(
        np.array(result.transform[:6]), [0.3, 0.03, ORIGIN[0], 0.04, -0.31, ORIGIN[1]]
    )
    with pytest.raises(PrepareError, match="affine"):
        GroundControlPoints(control=control, crs=CRS, resample=False, model="projective").apply(
            raster
        )
    with pytest.raises(PrepareError, match="four numbers"):
        GroundControlPoints(control=((1, 2),), crs=CRS).apply(raster)
    with pytest.raises(PrepareError, match="CRS"):
        GroundControlPoints(control=control, crs=" ").apply(raster)
    assert GroundControlPoints().apply(raster) is raster


def test_a_coarser_grid_averages_and_stays_in_place():
    noise = np.random.default_rng(5).uniform(0, 255, (160, 200, 2)).astype(np.float32)
    place = ORIGIN + PIXEL * [0.5, -0.5]
    fit = fit_ground_control(PIXEL, place, "affine", crs=CRS)
    grid = plan_grid(fit, (160, 200), 2.0)
    values, _, _ = rectify(noise, np.ones((160, 200), bool), fit, grid, kernel="bilinear")
    means = noise.reshape(40, 4, 50, 4, 2).mean((1, 3))
    # UTM is true to 4 parts in 10,000 here, which moves the last pixel by a fiftieth.
    assert values.shape[:2] in {(40, 50), (41, 51)}
    assert np.abs(values[:38, :48] - means[:38, :48]).mean() < 2


def test_a_folding_polynomial_is_refused():
    # All points in the upper left corner; the cubic runs wild at the other end.
    corner = PIXEL / 10
    place = ORIGIN + corner * [0.3, -0.3] + 1e-3 * corner**3 * [-1, 1]
    fit = fit_ground_control(corner, place, "polynomial3", crs=CRS)
    with pytest.raises(PrepareError, match="fold"):
        plan_grid(fit, (200, 250))


def test_degrees_are_turned_into_metres_locally():
    # 111.3 km a degree of longitude and 110.6 of latitude at the equator.
    units = map_units_per_metre("EPSG:4326", (39.0, 0.0))
    assert units == pytest.approx(1 / np.sqrt(111_319.5 * 110_574), rel=1e-3)
    assert map_units_per_metre("EPSG:3857", (0, 8_399_738)) == pytest.approx(2, rel=5e-3)
    assert map_units_per_metre(None, (0, 0)) == 1
