"""Coarser, noisier and hazier images against formulas worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.studies import degrade
from tests.helpers.models import disc, overlap, rectangle


def grey(values: np.ndarray) -> np.ndarray:
    """Three equal bands."""
    return np.repeat(np.rint(values)[..., None], 3, -1).astype(np.uint8)


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("mtf", [0.1, 0.25])
def test_stripes_at_the_new_nyquist_frequency_keep_the_stated_contrast(factor, mtf):
    x = np.arange(factor * 40) + 0.5
    # The larger pixels' centres fall on the crests and troughs.
    wave = np.cos(np.pi * (x - factor / 2) / factor)
    image = grey(np.broadcast_to(128 + 120 * wave, (factor * 20, factor * 40)))
    found = degrade.coarser(image, factor, mtf=mtf)
    assert found.shape == (20, 40, 3)
    inner = found[8, 10:30, 0].astype(float)
    contrast = (inner.max() - inner.min()) / 240
    # The original's own blur, mtf ** (1 / factor²) at that frequency, is already in it. Sampling
    # between pixels of an even factor averages two of them: cos(π / 2 / factor).
    expected = mtf ** (1 - 1 / factor**2) * math.cos(math.pi / 2 / factor)
    assert contrast == pytest.approx(expected, abs=0.012)


def test_blur_adds_up_in_squares_and_starts_at_nothing():
    s = math.sqrt(2 * math.log(4)) / math.pi
    assert degrade.blur_sigma(1) == 0
    assert degrade.blur_sigma(3) == pytest.approx(s * math.sqrt(8))
    # By way of ×2: what is missing from 2 to 6 is 2 · blur(3).
    two_steps = math.hypot(degrade.blur_sigma(2), 2 * degrade.blur_sigma(3))
    assert two_steps == pytest.approx(degrade.blur_sigma(6))


@pytest.mark.parametrize(("factor", "mtf"), [(0.5, 0.25), (math.nan, 0.25), (2, 0), (2, 1)])
def test_impossible_sensors_are_refused(factor, mtf):
    with pytest.raises(EvaluationError):
        degrade.blur_sigma(factor, mtf)


def test_a_coarser_image_stays_in_place():
    spot = 40 + 200 * np.exp(-((np.indices((96, 128)) + 0.5 - [[[30]], [[70]]]) ** 2).sum(0) / 128)
    for factor in (2, 3, 4.5):
        found = degrade.coarser(grey(spot), factor)[..., 0].astype(float) - 40
        rows, columns = (np.indices(found.shape) + 0.5) * factor
        found = found.clip(2, None) - 2
        assert (rows * found).sum() / found.sum() == pytest.approx(30, abs=0.3)
        assert (columns * found).sum() / found.sum() == pytest.approx(70, abs=0.3)
        again = degrade.enlarged(degrade.coarser(grey(spot), factor), factor, (96, 128))
        assert again.shape == (96, 128, 3)
        assert np.abs(again.astype(float)[..., 0] - spot).mean() < 3


def test_even_colour_and_factor_one_change_nothing():
    even = np.full((31, 45, 3), (10, 128, 250), np.uint8)
    found = degrade.coarser(even, 4)
    assert found.shape == (8, 12, 3)
    assert (found == (10, 128, 250)).all()
    noise = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    assert np.array_equal(degrade.coarser(noise, 1), noise)
    with pytest.raises(EvaluationError, match="cannot be made"):
        degrade.coarser(noise, 10)


def test_masks_become_coarse_by_majority_and_come_back():
    mask = rectangle((24, 32), 8, 4, 24, 16)
    small = degrade.coarser_mask(mask, 4)
    assert np.array_equal(small, rectangle((6, 8), 2, 1, 6, 4))
    # Half a pixel is not more than half.
    assert not degrade.coarser_mask(rectangle((8, 8), 0, 0, 2, 4), 4)[0, 0]
    assert degrade.coarser_mask(rectangle((8, 8), 0, 0, 3, 4), 4)[0, 0]
    back = degrade.enlarged_mask(small, 4, (24, 32))
    assert overlap(back, mask) > 0.9
    round_roof = disc((90, 90), 45, 45, 30)
    for factor in (1.5, 2, 3):
        back = degrade.enlarged_mask(
            degrade.coarser_mask(round_roof, factor), factor, round_roof.shape
        )
        assert overlap(back, round_roof) > 0.96


def test_noise_has_its_strength_and_its_seed():
    even = np.full((200, 200, 3), 128, np.uint8)
    found = degrade.noisy(even, 12, seed=5)
    assert found.astype(float).std() == pytest.approx(12, rel=0.02)
    assert found.mean() == pytest.approx(128, abs=0.2)
    assert np.array_equal(found, degrade.noisy(even, 12, seed=5))
    assert not np.array_equal(found, degrade.noisy(even, 12, seed=6))
    assert np.array_equal(degrade.noisy(even, 0), even)
    for strength in (-1, math.inf):
        with pytest.raises(EvaluationError):
            degrade.noisy(even, strength)


def test_haze_follows_koschmieder():
    image = np.array([[[0, 100, 200]]], np.uint8)
    found = degrade.hazy(image, 0.25, airlight=(200, 220, 240))
    assert found.tolist() == [[[150, 190, 230]]]
    assert np.array_equal(degrade.hazy(image, 1), image)
    for transmission in (0, 1.1, math.nan):
        with pytest.raises(EvaluationError):
            degrade.hazy(image, transmission)
