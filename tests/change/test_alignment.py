"""Two dates onto one grid: known displacements, places, and what cannot be aligned."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from affine import Affine

from rsam_core.change import AlignSettings, ArrayPicture, align, date_in_name
from rsam_core.change.grid import tiles
from rsam_core.change.radiometry import ToneCurve
from rsam_core.errors import AlignError, Cancelled, ChangeError
from rsam_core.samples import PairSample, render_pair
from rsam_core.scene.window import Window

UTM = "EPSG:32637"


@cache
def pair(**options) -> PairSample:
    return render_pair(
        21, ("built", "demolished"), width=400, height=320, style="suburb", **options
    )


def apart(matrix: np.ndarray, truth: np.ndarray, shape: tuple[int, int]) -> float:
    """Mean distance in pixels of what two matrices say of the corners and the centre."""
    height, width = shape
    points = np.array([[x, y, 1] for x in (0, width / 2, width) for y in (0, height / 2, height)])
    return float(np.hypot(*((matrix - truth) @ points.T)[:2]).mean())


def placed(image: np.ndarray, x: float = 500_000, y: float = 4_000_000, size: float = 0.3,
           crs: str = UTM, name: str = "a.tif") -> ArrayPicture:  # fmt: skip
    return ArrayPicture(image, name, crs, Affine(size, 0, x, 0, -size, y), size)


@pytest.mark.parametrize(
    "options",
    [
        {"shift": (1.3, -1.7)},
        {"shift": (-31.0, 24.0)},
        {"shift": (12.0, 9.0), "turn": -4.5, "scale": 0.85},
        {"shift": (-20.0, 5.0), "turn": 3.5, "scale": 1.2},
    ],
)
def test_displacements_are_found_to_half_a_pixel(options):
    sample = pair(**options)
    found = align(sample.before.image, sample.after.image)
    assert apart(found.matrix, sample.matrix, sample.shape) < 0.5
    assert found.residual_px < 1
    assert found.scale == pytest.approx(options.get("scale", 1.0), abs=0.01)
    assert found.turn == pytest.approx(options.get("turn", 0.0), abs=0.3)
    assert found.shift == pytest.approx(options["shift"], abs=0.6)
    assert found.residual_m is None


def test_a_wrong_georeference_is_corrected_and_told_in_metres():
    sample = pair(shift=(6.0, -3.0))
    found = align(placed(sample.before.image), placed(sample.after.image, name="b.tif"))
    assert found.shift == pytest.approx((6.0, -3.0), abs=0.5)
    assert any("6." in note and "2.0 m" in note for note in found.notes)
    assert found.residual_m == pytest.approx(0.3 * found.residual_px)
    kept = align(
        placed(sample.before.image), placed(sample.after.image), AlignSettings(register=False)
    )
    assert kept.shift == (0.0, 0.0)
    assert np.isnan(kept.residual_px)


def test_another_resolution_and_coordinate_system_come_onto_the_grid():
    """The same picture written in another zone, reprojected by rasterio, must fall back on it."""
    from rasterio.warp import Resampling, calculate_default_transform, reproject

    image = pair().before.image
    here = Affine(0.3, 0, 500_000, 0, -0.3, 4_000_000)
    height, width = image.shape[:2]
    bounds = 500_000, 4_000_000 - 0.3 * height, 500_000 + 0.3 * width, 4_000_000
    there, columns, rows = calculate_default_transform(UTM, "EPSG:3857", width, height, *bounds)
    other = np.zeros((3, rows, columns), np.uint8)
    reproject(np.moveaxis(image, 2, 0).copy(), other, src_transform=here, src_crs=UTM,
              dst_transform=there, dst_crs="EPSG:3857", resampling=Resampling.cubic)  # fmt: skip
    second = np.moveaxis(other, 0, 2).copy()
    moved = ArrayPicture(second, "b.tif", "EPSG:3857", there, 0.3, (second > 0).any(2))
    found = align(placed(image), moved, AlignSettings(register=False, radiometry="none"))
    first, back, valid = found.read()
    inner = np.zeros_like(valid)
    inner[20:-20, 20:-20] = True
    assert valid[inner].mean() > 0.99
    error = np.abs(first.astype(int) - back)[valid & inner]
    # Twice interpolated; half a pixel off it would be above ten.
    assert error.mean() < 4.5
    registered = align(placed(image), moved)
    assert np.hypot(*registered.shift) < 0.15


def test_the_coarser_picture_gives_the_grid():
    image = pair().before.image
    small = cv2.resize(pair().after.image, (200, 160), interpolation=cv2.INTER_AREA)
    found = align(placed(image), placed(small, size=0.6))
    assert found.shape == (160, 200)
    first, second, valid = found.read()
    assert first.shape == second.shape == (160, 200, 3)
    assert valid.mean() > 0.95
    whole = cv2.resize(image, (200, 160), interpolation=cv2.INTER_AREA).astype(int)
    # The correction moves it by up to the pair's own displacement.
    assert np.abs(whole - first)[20:-20, 20:-20].mean() < 14


def test_a_window_is_a_part_of_the_whole():
    found = align(pair().before.image, pair(turn=3.0, shift=(4.0, 2.0)).after.image)
    window = Window(130, 70, 160, 140)
    for whole, part in zip(found.read(), found.read(window)):
        difference = np.abs(whole[window.slices].astype(int) - part.astype(int))
        assert difference.mean() < 0.1


def test_scenes_apart_are_told_their_distance():
    image = pair().before.image
    # 250 km east along the grid; the pictures themselves are 120 m wide.
    far = placed(pair().after.image, x=750_000, name="b.tif")
    with pytest.raises(AlignError, match=r"“a.tif” and “b.tif” .* 25\d km apart"):
        align(placed(image), far)
    near = placed(pair().after.image, x=500_000 + 120 + 700)
    with pytest.raises(AlignError, match=r"[67]\d\d m apart"):
        align(placed(image), near)


def test_pictures_of_different_places_share_nothing():
    other = render_pair(99, (), width=400, height=320, style="industrial")
    with pytest.raises(AlignError, match="Nothing in"):
        align(pair().before.image, other.after.image)


def test_same_file_twice_and_swapped_dates():
    image = pair().before.image
    with pytest.raises(ChangeError, match="same picture"):
        align(image, image.copy())
    first = ArrayPicture(image, "town_2020.tif")
    second = ArrayPicture(pair().after.image, "town_2016.tif")
    notes = align(first, second).notes
    assert any("2020" in note and "2016" in note and "swap" in note for note in notes)
    assert not align(second, first).notes


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("claremont_2016.tif", "2016"),
        ("S2_20190704_T32.tif", "2019-07-04"),
        ("town-2018-05.png", "2018-05"),
        ("tile_19999.tif", None),
        ("IMG_0042.jpg", None),
    ],
)
def test_dates_in_file_names(name, date):
    assert date_in_name(name) == date


def test_clouds_and_holes_are_left_out_and_told():
    sample = pair(clouds=0.25, shift=(0.0, 0.0))
    valid = np.ones(sample.shape, bool)
    valid[:80, :100] = False
    found = align(ArrayPicture(sample.before.image, valid=valid), sample.after.image)
    assert any("clouds" in note and "second" in note for note in found.notes)
    assert any("both dates" in note for note in found.notes)
    hidden = found.clouded()
    core = cv2.erode(sample.clouds.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool)
    assert hidden[core].mean() > 0.9
    assert not found.read()[2][:70, :90].any()
    clear = align(pair().before.image, pair().after.image)
    assert not clear.clouded().any()
    assert clear.cloud_share == (0.0, 0.0)


def test_tone_curve_gives_the_histogram_of_the_first_date():
    rng = np.random.default_rng(3)
    wanted = rng.normal(120, 30, (200, 200, 3)).clip(0, 255).astype(np.uint8)
    source = (wanted * 0.6 + 20).astype(np.uint8)
    curve = ToneCurve.matching(source, wanted, np.ones((200, 200), bool))
    assert np.abs(curve(source).astype(int) - wanted).mean() < 2
    same = ToneCurve.unchanged()(source)
    assert np.array_equal(same, source)


def test_tiles_cover_the_grid():
    covered = np.zeros((500, 730), int)
    for window in tiles((500, 730), 256, 32):
        covered[window.slices] += 1
    assert covered.min() >= 1
    assert [(w.x, w.y, w.width, w.height) for w in tiles((90, 80), 256)] == [(0, 0, 80, 90)]


def test_stopping():
    with pytest.raises(Cancelled):
        align(pair().before.image, pair().after.image, cancelled=lambda: True)


def test_settings_are_checked():
    with pytest.raises(ChangeError, match="spline"):
        AlignSettings(model="spline")
    with pytest.raises(ChangeError, match="gamma"):
        AlignSettings(radiometry="gamma")
    with pytest.raises(ChangeError, match="uint8"):
        align(np.zeros((9, 9)), np.zeros((9, 9)))
