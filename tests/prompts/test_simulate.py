"""Simulated clicks against hand-drawn shapes and SciPy's distance transform."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from rsam_core.errors import PromptError
from rsam_core.prompts.simulated import (
    centre_click,
    corrective_click,
    depth,
    largest_error,
    tight_box,
)
from tests.helpers.models import disc, rectangle

SHAPE = (40, 60)


def test_depth_agrees_with_scipy_and_counts_the_image_border():
    rng = np.random.default_rng(0)
    mask = ndimage.gaussian_filter(rng.normal(size=SHAPE), 3) > 0
    expected = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    assert depth(mask) == pytest.approx(expected, abs=1e-3)
    whole = depth(np.ones((5, 9), bool))
    assert whole[0, 4] == 1
    assert whole[2, 4] == 3


def test_centre_click_is_the_centre_of_the_deepest_pixel():
    assert centre_click(rectangle(SHAPE, 10, 20, 15, 25)) == (12.5, 22.5)
    assert centre_click(disc(SHAPE, 30.5, 15.5, 9)) == (30.5, 15.5)
    assert centre_click(rectangle(SHAPE, 59, 39, 60, 40)) == (59.5, 39.5)


def test_centre_click_of_a_bent_shape_lies_inside_it():
    # The centre of mass of this corner lies outside it; its wide arm is deepest.
    mask = rectangle(SHAPE, 0, 0, 40, 3) | rectangle(SHAPE, 0, 0, 7, 40)
    x, y = centre_click(mask)
    assert mask[int(y), int(x)]
    assert 3 <= x <= 4
    assert not mask[tuple(int(v) for v in ndimage.center_of_mass(mask))]


def test_tight_box_runs_along_pixel_edges():
    assert tight_box(rectangle(SHAPE, 10, 20, 15, 27)) == (10, 20, 15, 27)
    single = np.zeros(SHAPE, bool)
    single[3, 4] = True
    assert tight_box(single) == (4, 3, 5, 4)
    assert tight_box(np.ones(SHAPE, bool)) == (0, 0, 60, 40)


@pytest.mark.parametrize("click", [centre_click, tight_box])
def test_empty_mask_has_neither_centre_nor_box(click):
    with pytest.raises(PromptError, match="empty mask"):
        click(np.zeros(SHAPE, bool))


def test_corrective_click_asks_for_what_is_missing():
    truth = rectangle(SHAPE, 10, 10, 30, 20)
    predicted = rectangle(SHAPE, 10, 10, 21, 20)  # nine columns are missing
    error, label = largest_error(truth, predicted)
    assert np.array_equal(error, rectangle(SHAPE, 21, 10, 30, 20))
    assert label == 1
    x, y, label = corrective_click(truth, predicted)
    assert label == 1
    assert x == 25.5
    assert 14 <= y <= 16


def test_corrective_click_takes_away_what_is_too_much():
    truth = rectangle(SHAPE, 10, 10, 30, 20)
    too_much = rectangle(SHAPE, 41, 25, 52, 36)  # 121 pixels, deepest in the middle
    assert corrective_click(truth, truth | too_much) == (46.5, 30.5, 0)


def test_largest_error_is_one_connected_piece():
    truth = np.zeros(SHAPE, bool)
    predicted = rectangle(SHAPE, 0, 0, 5, 5) | rectangle(SHAPE, 30, 10, 36, 16)
    # Touches by a corner only: not connected.
    predicted |= rectangle(SHAPE, 36, 16, 39, 19)
    error, label = largest_error(truth, predicted)
    assert label == 0
    assert np.array_equal(error, rectangle(SHAPE, 30, 10, 36, 16))


def test_missing_and_excess_are_compared_by_size():
    truth = rectangle(SHAPE, 0, 0, 6, 6)
    predicted = rectangle(SHAPE, 20, 20, 25, 27)  # 35 against 36 missing pixels
    assert largest_error(truth, predicted)[1] == 1
    predicted[20:27, 25] = True  # 42
    assert largest_error(truth, predicted)[1] == 0


def test_no_error_needs_no_click():
    mask = rectangle(SHAPE, 10, 10, 30, 20)
    assert largest_error(mask, mask) is None
    assert corrective_click(mask, mask) is None
