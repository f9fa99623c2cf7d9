"""Cleaning and smoothing of masks, against drawn shapes."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.objects.refine import closing, fill_holes, opening, remove_specks, smooth_boundary


def disc(radius: float, margin: int = 12) -> np.ndarray:
    size = int(2 * radius) + 2 * margin
    rows, columns = np.mgrid[:size, :size] + 0.5
    return (rows - size / 2) ** 2 + (columns - size / 2) ** 2 < radius**2


def rectangle(height: int, width: int, margin: int = 16) -> np.ndarray:
    return np.pad(np.ones((height, width), bool), margin)


def test_specks_go_and_the_largest_piece_stays():
    mask = rectangle(10, 10)
    mask[2, 2] = mask[3, 3] = True  # they touch at a corner: one speck of two pixels
    mask[30:32, 2:5] = True  # six pixels
    assert remove_specks(mask, 3).sum() == 106
    assert remove_specks(mask, 6).sum() == 106
    assert remove_specks(mask, 7).sum() == 100
    # An object that is a speck itself does not vanish.
    assert (remove_specks(rectangle(2, 2), 1000) == rectangle(2, 2)).all()


def test_holes_are_filled_up_to_a_size_and_bays_stay():
    mask = rectangle(20, 20)
    mask[20:22, 20:22] = False
    mask[28:31, 28:31] = False
    assert fill_holes(mask, 4).sum() == 400 - 13
    assert fill_holes(mask, 5).sum() == 400 - 9
    assert fill_holes(mask, 10).sum() == 400
    bay = rectangle(20, 20)
    bay[16:26, 25] = False
    assert (fill_holes(bay, 1e6) == bay).all()


def test_a_gap_open_to_the_edge_of_the_scene_is_not_a_hole():
    mask = np.ones((10, 10), bool)
    mask[:3, 4:6] = False
    assert (fill_holes(mask, 1e6) == mask).all()


def test_opening_cuts_a_bridge_and_keeps_corners():
    mask = np.zeros((30, 60), bool)
    mask[5:25, 5:25] = mask[5:25, 35:55] = True
    both = mask.copy()
    mask[14, 25:35] = True
    opened = opening(mask, 1)
    assert not opened[14, 27:33].any()
    assert (opened[:, :25] == both[:, :25]).all()
    assert (opened[:, 35:] == both[:, 35:]).all()
    turned = np.rot90(mask).copy()
    assert (opening(turned, 1) == np.rot90(opened)).all()


def test_closing_closes_a_slit_and_keeps_inner_corners():
    mask = np.zeros((40, 40), bool)
    mask[5:35, 5:20] = mask[20:35, 5:35] = True  # an L
    whole = mask.copy()
    mask[5:18, 12] = False
    closed = closing(mask, 1)
    # A shallow notch stays at its mouth; inner and outer corners are as they were.
    rows, columns = np.nonzero(closed != whole)
    assert set(columns) == {12}
    assert rows.max() <= 7


def test_thin_objects_survive_the_opening():
    path = np.zeros((20, 80), bool)
    path[10, 5:75] = True
    assert (opening(path, 3) == path).all()


def test_nothing_is_eroded_at_the_edge_of_the_scene():
    mask = np.zeros((40, 40), bool)
    mask[:20, :30] = True
    for change in (lambda m: opening(m, 4), lambda m: closing(m, 4)):
        assert (change(mask) == mask).all()
    smooth = smooth_boundary(mask, 2)
    assert smooth[0, :28].all()
    assert smooth[:18, 0].all()


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("radius", [4, 7.5, 13, 30, 80])
def test_smoothing_keeps_the_area_of_discs(radius, sigma):
    mask = disc(radius)
    assert smooth_boundary(mask, sigma).sum() == pytest.approx(mask.sum(), rel=0.01)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("size", [(6, 6), (8, 20), (21, 13), (40, 60), (3, 50), (120, 90)])
def test_smoothing_keeps_the_area_of_rectangles(size, sigma):
    mask = rectangle(*size)
    assert smooth_boundary(mask, sigma).sum() == pytest.approx(mask.sum(), rel=0.01)


def test_smoothing_takes_the_noise_off_a_disc():
    clean = disc(30)
    rows, columns = np.mgrid[: len(clean), : len(clean)] + 0.5 - len(clean) / 2
    noise = np.random.default_rng(2).normal(size=clean.shape)
    noisy = np.hypot(rows, columns) + 1.5 * noise < 30
    before = np.count_nonzero(noisy ^ clean)
    after = np.count_nonzero(smooth_boundary(noisy, 2) ^ clean)
    assert after < before / 2


def test_smoothing_of_nothing_and_of_everything():
    for mask in (np.zeros((5, 5), bool), np.ones((5, 5), bool)):
        assert (smooth_boundary(mask, 2) == mask).all()
    assert (smooth_boundary(disc(5), 0) == disc(5)).all()
