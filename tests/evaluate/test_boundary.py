"""Metrics of outlines, by hand and against scikit-image and the published algorithm."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.metrics import hausdorff_distance as peer_hausdorff

from rsam_core.errors import MetricError
from rsam_core.evaluate.metrics.boundary import (
    band_width,
    boundary_f_score,
    boundary_iou,
    boundary_pixels,
    hausdorff_distance,
    instance_boundary,
    median_band,
    object_band,
)
from rsam_core.evaluate.metrics.objects import object_table
from rsam_core.objects.instances import Instance, Instances

EMPTY = np.zeros((50, 60), bool)


def square(x: int, y: int, side: int) -> np.ndarray:
    mask = EMPTY.copy()
    mask[y : y + side, x : x + side] = True
    return mask


def blobs(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).random((50, 60)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 4) > 0.5


def test_boundary_pixels_by_hand():
    assert boundary_pixels(square(10, 10, 10)).sum() == 36
    assert boundary_pixels(square(0, 0, 10)).sum() == 36, "the edge of the image is outside"
    assert boundary_pixels(square(5, 5, 1)).sum() == 1
    assert boundary_pixels(EMPTY).sum() == 0


def test_boundary_f_score_by_hand():
    truth = square(10, 10, 10)
    assert boundary_f_score(truth, truth, 0) == 1
    # A square larger by one pixel all round: every boundary pixel is within sqrt(2) at most.
    larger = square(9, 9, 12)
    assert boundary_f_score(truth, larger, 0) == 0
    # Of 44 outer pixels the 4 corners are sqrt(2) off, of 36 inner ones none.
    precision, recall = 40 / 44, 1
    assert boundary_f_score(truth, larger, 1) == pytest.approx(
        2 * precision * recall / (precision + recall)
    )
    assert boundary_f_score(truth, larger, 1.5) == 1


def test_boundary_iou_by_hand():
    truth, shifted = square(10, 10, 10), square(11, 10, 10)
    # Bands of one pixel: 36 each; shared are the top and bottom rows (9 each); the left edge of
    # one lies inside the other.
    assert boundary_iou(truth, shifted, 1) == pytest.approx(18 / (72 - 18))
    assert boundary_iou(truth, shifted, 30) == pytest.approx(90 / 110), "as IoU if very wide"


@pytest.mark.parametrize("seed", range(3))
def test_boundary_iou_agrees_with_the_published_algorithm(seed):
    truth, prediction = blobs(seed), np.roll(blobs(seed), 2, axis=1)
    steps = max(1, round(0.02 * np.sqrt(50**2 + 60**2)))

    def band(mask: np.ndarray) -> np.ndarray:
        padded = np.pad(mask.astype(np.uint8), 1)
        for _ in range(steps):
            padded = np.pad(padded[1:-1, 1:-1], 1)
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
            padded = np.pad(windows.min((2, 3)), 1)
        return mask & (padded[1:-1, 1:-1] == 0)

    one, two = band(truth), band(prediction)
    assert steps == band_width((50, 60))
    assert boundary_iou(truth, prediction) == pytest.approx((one & two).sum() / (one | two).sum())


@pytest.mark.parametrize("seed", range(4))
def test_hausdorff_agrees_with_scikit_image(seed):
    truth, prediction = blobs(seed), blobs(seed + 10)
    outlines = boundary_pixels(truth), boundary_pixels(prediction)
    assert hausdorff_distance(truth, prediction, 100) == pytest.approx(peer_hausdorff(*outlines))
    assert hausdorff_distance(truth, prediction) <= hausdorff_distance(truth, prediction, 100)


def test_hausdorff_by_hand():
    truth = square(10, 10, 10)
    assert hausdorff_distance(truth, square(13, 10, 10), 100) == 3
    # One stray pixel among a hundred and more: it is left out at 95 %.
    stray = square(10, 10, 30)
    truth = stray.copy()
    stray[0, 59] = True
    assert hausdorff_distance(truth, stray, 95) == 0
    assert hausdorff_distance(truth, stray, 100) == pytest.approx(np.hypot(20, 10))


def test_percentile_is_that_of_each_direction():
    truth = EMPTY.copy()
    truth[10, :20] = True
    prediction = truth.copy()
    prediction[10, 20:25] = True
    # 25 predicted pixels, the last five 1 to 5 px beyond; numpy's linear percentile.
    expected = np.percentile([0] * 20 + [1, 2, 3, 4, 5], 95)
    assert hausdorff_distance(truth, prediction) == pytest.approx(expected)
    assert hausdorff_distance(prediction, truth) == pytest.approx(expected), "symmetric"


def test_empty_masks_have_stated_values():
    some = square(3, 3, 5)
    assert boundary_f_score(EMPTY, EMPTY) == boundary_iou(EMPTY, EMPTY) == 1
    assert hausdorff_distance(EMPTY, EMPTY) == 0
    for pair in ((EMPTY, some), (some, EMPTY)):
        assert boundary_f_score(*pair) == boundary_iou(*pair) == 0
        assert hausdorff_distance(*pair) == np.inf


@pytest.mark.parametrize("seed", range(3))
def test_an_object_gives_the_same_as_its_full_mask(seed):
    rng = np.random.default_rng(seed)
    truth, prediction = (
        square(int(rng.integers(0, 30)), int(rng.integers(0, 20)), int(rng.integers(4, 30)))
        for _ in range(2)
    )
    found = instance_boundary(Instance.from_mask(truth), Instance.from_mask(prediction), 1.5)
    assert found["boundary_f"] == pytest.approx(boundary_f_score(truth, prediction, 1.5))
    width = object_band(truth)
    assert found["boundary_iou"] == pytest.approx(boundary_iou(truth, prediction, width))
    assert found["hausdorff_95"] == pytest.approx(hausdorff_distance(truth, prediction))
    missed = instance_boundary(Instance.from_mask(truth), None)
    assert missed == {"boundary_f": 0, "boundary_iou": 0, "hausdorff_95": np.inf}


def test_bad_input_is_refused():
    with pytest.raises(MetricError, match="60 × 50"):
        boundary_iou(EMPTY, np.zeros((5, 5), bool))
    with pytest.raises(MetricError, match="tolerance"):
        boundary_f_score(EMPTY, EMPTY, -1)
    with pytest.raises(MetricError, match="band"):
        boundary_iou(EMPTY, EMPTY, 0)
    with pytest.raises(MetricError, match="between 0 and 100"):
        hausdorff_distance(EMPTY, EMPTY, 101)


def house(side: int, x: int, y: int) -> Instance:
    return Instance(np.ones((side, side), bool), x, y)


@pytest.mark.parametrize("side", [12_000, 2048, 512, 200])
def test_the_size_of_the_scene_does_not_matter(side):
    truth, found = house(60, side - 100, side - 90), house(60, side - 98, side - 89)
    both = (Instances([item], (side, side)) for item in (truth, found))
    row = object_table(*both).iloc[0]
    # By hand: bands 6 pixels wide are frames of 60² - 48²; shifted by (2, 1) they share the frame
    # of the common part less what lies within either hole.
    frame = 60 * 60 - 48 * 48
    band = np.zeros((61, 62), bool)
    band[:60, :60] = True
    band[6:54, 6:54] = False
    other = np.zeros_like(band)
    other[1:, 2:] = band[:60, :60]
    shared = int((band & other).sum())
    assert row["boundary_iou"] == pytest.approx(shared / (2 * frame - shared))
    mask_iou = 58 * 59 / (2 * 60 * 60 - 58 * 59)
    assert row["iou"] == pytest.approx(mask_iou)
    assert row["boundary_iou"] < mask_iou - 0.1


def test_the_band_follows_the_object():
    assert object_band(np.ones((60, 60))) == 6
    assert object_band(np.ones((600, 600))) == 60
    assert object_band(np.ones((8, 3000))) == 1, "a road is thin however long it is"
    assert object_band(np.ones((1, 1))) == 1
    assert object_band(np.zeros((5, 5))) == 1
    some = Instances([house(60, 0, 0), house(60, 100, 0), house(600, 300, 0)], (1000, 1000))
    assert median_band(some) == 6
    assert median_band(Instances([], (9, 9))) == 1
