"""Turning, mirroring, cutting, straightening: against known distortions and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from affine import Affine

from rsam_core.errors import PrepareError
from rsam_core.prepare import Raster
from rsam_core.prepare import geometric as g
from rsam_core.prepare.resampling import resize, sample
from rsam_core.prepare.steps.geometric import (
    Crop,
    Flip,
    GroundDistance,
    Reproject,
    Rotate,
    Straighten,
)
from tests.helpers.spots import draw_spots, draw_through, find_spots

SPOTS = np.array([[30.5, 24.0], [120.2, 30.7], [40.9, 80.3], [101.4, 71.8], [75.0, 52.5]])
SHAPE = (110, 150)
PLACE = Affine(0.5, 0, 500_000, 0, -0.5, 9_000_000)


def everywhere(values: np.ndarray) -> np.ndarray:
    return np.ones(values.shape[:2], bool)


def placed(values: np.ndarray, **fields) -> Raster:
    defaults = {"transform": PLACE, "crs": "EPSG:32737", "gsd": 0.5}
    return Raster.of_array(values, **(defaults | fields))


def psnr(truth: np.ndarray, other: np.ndarray, white: float = 255.0) -> float:
    return float(10 * np.log10(white**2 / np.mean((truth.astype(float) - other) ** 2)))


@pytest.mark.parametrize("degrees", [7.0, -33.3, 90, 135.5, 180])
def test_rotation_moves_spots_by_the_rotation_formula(degrees: float):
    picture = draw_spots(SHAPE, SPOTS)
    moved = g.rotate(picture, everywhere(picture), degrees)
    height, width = moved.valid.shape
    angle = math.radians(degrees)
    dx, dy = SPOTS[:, 0] - 75, SPOTS[:, 1] - 55
    # Clockwise with y down: right goes to down.
    expected = np.column_stack(
        [
            dx * math.cos(angle) - dy * math.sin(angle) + width / 2,
            dx * math.sin(angle) + dy * math.cos(angle) + height / 2,
        ]
    )
    assert np.abs(moved.to_result(SPOTS) - expected).max() < 1e-9
    assert np.abs(find_spots(moved.values, expected) - expected).max() < 0.1


def test_rotating_there_and_back_restores_picture_and_spots():
    picture = draw_spots(SHAPE, SPOTS)
    there = g.rotate(picture, everywhere(picture), 18)
    back = g.rotate(there.values, there.valid, -18)
    expected = back.to_result(there.to_result(SPOTS))
    assert np.abs(find_spots(back.values, expected) - expected).max() < 0.1
    y, x = (back.valid.shape[0] - SHAPE[0]) / 2, (back.valid.shape[1] - SHAPE[1]) / 2
    assert np.abs(expected - SPOTS - (x, y)).max() < 1e-9


def test_rotation_keeps_all_or_the_frame_and_marks_what_is_outside():
    picture = np.full((60, 100, 2), 7, np.float32)
    whole = g.rotate(picture, everywhere(picture), 30)
    assert whole.valid.shape == (102, 117)  # 100 sin 30 + 60 cos 30, 100 cos 30 + 60 sin 30
    assert abs(int(whole.valid.sum()) - 6000) < 60
    assert not whole.valid[0, 0]
    assert (whole.values[~whole.valid] == 0).all()
    assert np.allclose(whole.values[whole.valid], 7)
    assert g.rotate(picture, everywhere(picture), 30, expand=False).valid.shape == (60, 100)


def test_quarter_turns_and_mirrors_follow_numpy():
    values = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    valid = values[..., 0] != 6
    for quarter in (0, 90, 180, 270):
        moved = g.rotate(values, valid, quarter)
        assert np.array_equal(moved.values, np.rot90(values, -quarter // 90))
        assert np.array_equal(moved.valid, np.rot90(valid, -quarter // 90))
        x, y = moved.to_result((3.5, 0.5))
        assert moved.values[int(y), int(x), 0] == values[0, 3, 0]
    assert np.array_equal(g.flip(values, valid, "left-right").values, values[:, ::-1])
    assert np.array_equal(g.flip(values, valid, "top-bottom").values, values[::-1])
    with pytest.raises(PrepareError, match="quarter"):
        g.quarter_turn(values, valid, 45)
    with pytest.raises(PrepareError, match="mirror"):
        g.flip(values, valid, "sideways")


@pytest.mark.parametrize(
    "step",
    [Rotate(degrees=25), Rotate(degrees=90), Flip(), Flip(axis="top-bottom"), Crop(20, 10, 120, 0)],
    ids=["turn", "quarter", "left-right", "top-bottom", "crop"],
)
def test_spots_keep_their_map_coordinates(step):
    raster = placed(draw_spots(SHAPE, SPOTS))
    result = step.apply(raster)
    for spot in SPOTS:
        place = PLACE * tuple(spot)
        there = np.array(~result.transform * place)
        seen = find_spots(result.values, there[None])[0]
        assert np.abs(seen - there).max() < 0.1
    assert (result.crs, result.gsd) == ("EPSG:32737", 0.5)


def test_crop_cuts_and_refuses_what_lies_outside():
    raster = placed(draw_spots(SHAPE, SPOTS))
    part = Crop(x=20, y=10, width=50, height=40).apply(raster)
    assert np.array_equal(part.values, raster.values[10:50, 20:70])
    assert (part.transform.c, part.transform.f) == (500_010, 8_999_995)
    reduced = Crop(x=20, y=10, width=50, height=40).apply(raster.changed(scale=2.0))
    assert reduced.values.shape[:2] == (20, 25)
    assert Crop(x=20, y=10, width=500).summary() == "500 × all px from (20, 10)"
    assert Crop(x=20, y=10, width=500).window(150, 110) == (20, 10, 130, 100)
    with pytest.raises(PrepareError, match="outside"):
        Crop(x=150).window(150, 110)
    with pytest.raises(PrepareError, match="outside"):
        Crop(x=150).apply(raster)


def test_larger_pixels_are_means_and_smaller_ones_keep_spots():
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 1000, (60, 90, 5)).astype(np.float32)
    coarse = GroundDistance(gsd=1.5).apply(placed(values))
    expected = values.reshape(20, 3, 30, 3, 5).mean((1, 3))
    assert np.allclose(coarse.values, expected, atol=1e-2)
    assert (coarse.gsd, coarse.transform.a, coarse.transform.e) == (1.5, 1.5, -1.5)
    fine = GroundDistance(gsd=0.2).apply(placed(draw_spots(SHAPE, SPOTS)))
    assert fine.values.shape == (275, 375, 1)
    assert np.abs(find_spots(fine.values, SPOTS * 2.5, 20) - SPOTS * 2.5).max() < 0.1
    with pytest.raises(PrepareError, match="not known"):
        GroundDistance(gsd=1).apply(Raster.of_array(values))
    with pytest.raises(PrepareError, match="more than RSAM can hold"):
        GroundDistance(gsd=0.001).apply(placed(values))


def test_ground_distance_of_an_odd_ratio_is_exact():
    coarse = GroundDistance(gsd=0.7).apply(placed(draw_spots((101, 99), SPOTS[:, ::-1], 4)))
    assert coarse.values.shape == (72, 71, 1)  # 101 / 1.4, 99 / 1.4
    assert coarse.transform.a == pytest.approx(0.7, abs=1e-12)
    expected = SPOTS[[0, 2, 4]][:, ::-1] / 1.4
    assert np.abs(find_spots(coarse.values, expected) - expected).max() < 0.1


def keystone() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture of flat ground at an angle, the homography ground → picture, and a rectangle."""
    ground = np.array([[10, 10], [140, 10], [140, 100], [10, 100]], float)
    seen = np.array([[52, 22], [118, 18], [158, 112], [8, 104]], float)
    matrix = g.homography(ground, seen)
    back = np.linalg.inv(matrix)

    def to_ground(x, y):
        w = back[2, 0] * x + back[2, 1] * y + back[2, 2]
        return (
            (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / w,
            (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / w,
        )

    return draw_through((125, 170), SPOTS, to_ground, 3.5), matrix, seen


@pytest.mark.parametrize("keep_all", [False, True])
def test_keystone_is_corrected_to_half_a_pixel(keep_all: bool):
    picture, matrix, seen = keystone()
    moved = g.straighten(picture, everywhere(picture), seen, aspect=130 / 90, keep_all=keep_all)
    where = moved.to_result(seen)
    assert np.ptp(where[[0, 1], 1]) < 1e-6
    assert np.ptp(where[[0, 3], 0]) < 1e-6
    scale = (where[1, 0] - where[0, 0]) / 130
    expected = (SPOTS - 10) * scale + where[0]
    error = np.linalg.norm(find_spots(moved.values, expected, 12) - expected, axis=1)
    before = np.linalg.norm(g.apply_homography(matrix, SPOTS) - SPOTS, axis=1)
    assert error.max() < 0.5
    assert before.max() > 20


def test_corners_come_in_any_order():
    _, _, seen = keystone()
    for order in ([0, 1, 2, 3], [2, 0, 3, 1], [3, 2, 1, 0]):
        assert np.array_equal(g.order_corners(seen[order]), seen)


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (10, 0), (10, 10)],
        [(0, 0), (10, 0), (20, 0), (30, 0)],
        [(0, 0), (0, 0), (10, 10), (0, 10)],
        [(0, 0), (40, 0), (10, 10), (0, 40)],
        [(0, 0), (10, 0), (10, np.nan), (0, 10)],
    ],
    ids=["three", "line", "twice", "inwards", "nan"],
)
def test_impossible_corners_are_refused(corners):
    picture = np.zeros((50, 50, 1), np.float32)
    with pytest.raises(PrepareError, match="corners"):
        g.straighten(picture, everywhere(picture), corners)


def test_straightening_to_the_horizon_is_refused():
    picture = np.zeros((400, 400, 1), np.float32)
    corners = [(190, 300), (210, 300), (390, 390), (10, 390)]
    with pytest.raises(PrepareError, match="horizon"):
        g.straighten(picture, everywhere(picture), corners, keep_all=True)
    assert g.straighten(picture, everywhere(picture), corners).valid.all()


def test_straighten_step_gives_the_typed_size_and_drops_the_georeference():
    picture, _, seen = keystone()
    # The rectangle is 130 × 90 units of the ground; a unit is half a metre.
    step = Straighten(corners=tuple(map(tuple, seen)), width=65, height=45, keep_all=False)
    result = step.apply(placed(picture))
    assert (result.transform, result.crs) == (None, None)
    scale = 0.5 / result.gsd
    found = find_spots(result.values, (SPOTS - 10) * scale, 12)
    metres = np.linalg.norm(found[1:] - found[:-1], axis=1) * result.gsd
    truth = np.linalg.norm(np.diff(SPOTS, axis=0), axis=1) * 0.5
    assert np.abs(metres - truth).max() < 0.5 * result.gsd
    reduced = step.apply(placed(picture[::2, ::2], scale=2.0))
    assert reduced.gsd == pytest.approx(2 * result.gsd, rel=0.02)
    assert Straighten(corners=step.corners).apply(placed(picture)).gsd is None
    untouched = placed(picture)
    assert Straighten().apply(untouched) is untouched


def test_invalid_pixels_neither_show_nor_bleed():
    values = np.full((40, 40, 3), 100, np.float32)
    valid = np.ones((40, 40), bool)
    values[10:20, 10:20], valid[10:20, 10:20] = -9999, False
    for moved in (
        g.rotate(values, valid, 12),
        g.straighten(values, valid, [(2, 1), (38, 3), (39, 37), (1, 39)]),
        g.to_ground_distance(values, valid, 1, 0.7),
        g.to_ground_distance(values, valid, 1, 3.0),
    ):
        assert np.allclose(moved.values[moved.valid], 100, atol=1e-3)
        assert not moved.valid.all()
        assert moved.values.shape[2] == 3


def test_sampling_is_exact_on_a_plane_and_stays_in_range():
    y, x = np.mgrid[0:30, 0:40] + 0.5
    plane = (3 * x + 5 * y)[..., None].astype(np.float32)
    read, valid = sample(
        plane, everywhere(plane), lambda u, v: (u * 0.5 + 6.3, v * 0.5 + 4.7), (20, 30), "bilinear"
    )
    v, u = np.mgrid[0:20, 0:30] + 0.5
    assert valid.all()
    assert np.allclose(read[..., 0], 3 * (u * 0.5 + 6.3) + 5 * (v * 0.5 + 4.7), atol=1e-3)
    step = np.zeros((20, 20, 1), np.float32)
    step[:, 10:] = 65535
    read, _ = sample(step, everywhere(step), lambda u, v: (u + 0.4, v), (20, 19))
    assert read.min() >= 0
    assert read.max() <= 65535


def test_resize_matches_pillow_for_a_whole_picture(town):
    from PIL import Image

    grey = town.image.astype(np.float32)[..., :1]
    out, _ = resize(grey, everywhere(grey), (160, 224), kernel="lanczos")
    expected = Image.fromarray(grey[..., 0]).resize((224, 160), Image.Resampling.LANCZOS)
    assert np.array_equal(out[..., 0], np.asarray(expected))


def test_rotation_of_a_town_there_and_back_is_close_to_the_original(town):
    values = town.image.astype(np.float32)
    there = g.rotate(values, everywhere(values), 11)
    back = g.rotate(there.values, there.valid, -11)
    corner = back.to_result(there.to_result((0, 0)))

    def places(x, y):
        return x + corner[0], y + corner[1]

    restored, _ = sample(back.values, back.valid, places, (320, 448))
    inner = slice(20, -20), slice(20, -20)
    # Three interpolations cost the finest texture only; one pixel of shift would cost far more.
    shifted = np.roll(values, 1, axis=1)
    assert psnr(values[inner], restored[inner]) > psnr(values[inner], shifted[inner]) + 6


def test_steps_refuse_nonsense_and_leave_the_input_alone():
    raster = placed(draw_spots(SHAPE, SPOTS))
    before = raster.values.copy()
    for step in (Rotate(degrees=10), Flip(), GroundDistance(gsd=0.8)):
        step.apply(raster)
    assert np.array_equal(raster.values, before)
    with pytest.raises(PrepareError, match="place on the map"):
        Reproject().apply(raster.changed(crs=None, transform=None))
    with pytest.raises(PrepareError):
        Rotate(degrees=float("nan"))
    with pytest.raises(PrepareError, match="number"):
        g.rotate(raster.values, raster.valid, math.inf)
