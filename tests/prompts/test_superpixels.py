"""Patches of like colour, on pictures whose borders are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from rsam_core.errors import RsamError
from rsam_core.prompts.superpixels import SuperpixelSettings, borders, superpixels


def halves() -> np.ndarray:
    image = np.zeros((60, 90, 3), np.uint8)
    image[:, :47] = (200, 40, 40)
    image[:, 47:] = (40, 40, 200)
    return image


def test_patches_are_connected_cover_all_and_have_about_the_size_wanted(town):
    labels = superpixels(town.image, SuperpixelSettings(size=20))
    numbers = np.unique(labels)
    assert numbers.tolist() == list(range(1, len(numbers) + 1))
    assert labels.shape == town.image.shape[:2]
    assert labels.size / len(numbers) == pytest.approx(400, rel=0.35)
    pieces = sum(ndimage.label(labels == number)[1] for number in numbers[::9])
    assert pieces == len(numbers[::9])


def test_patches_follow_a_border_of_colour():
    labels = superpixels(halves(), SuperpixelSettings(size=12, smoothing=0))
    left, right = np.unique(labels[:, :47]), np.unique(labels[:, 47:])
    assert not set(left) & set(right)


def test_borders_lie_between_patches():
    labels = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]], np.int32)
    assert borders(labels).tolist() == [
        [False, True, False], [True, True, True], [False, False, False]
    ]  # fmt: skip


def test_senseless_input_is_refused():
    with pytest.raises(RsamError, match="colour image"):
        superpixels(np.zeros((5, 5), np.uint8))
    with pytest.raises(RsamError, match="at most 16 million"):
        superpixels(np.broadcast_to(np.uint8(0), (5000, 5000, 3)))
    for wrong in ({"size": 1}, {"compactness": 0}, {"smoothing": -1}):
        with pytest.raises(RsamError):
            SuperpixelSettings(**wrong)
