"""Patches of like colour, on pictures whose borders are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from rsam_core.errors import RsamError
from rsam_core.superpixels import (
    SuperpixelSettings,
    borders,
    region_at,
    region_of,
    superpixel_picture,
    superpixels,
)


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


def test_a_click_gives_its_patch_as_an_object():
    labels = superpixels(halves(), SuperpixelSettings(size=12))
    item = region_at(labels, 30.5, 20.2, origin=(0, 0), label="field")
    full = np.zeros(labels.shape, bool)
    x0, y0, x1, y1 = item.bbox
    full[y0:y1, x0:x1] = item.mask
    assert (full == (labels == labels[20, 30])).all()
    assert (item.label, item.source) == ("field", "superpixel")
    moved = region_at(labels, 130.5, 220.2, origin=(100, 200))
    assert moved.bbox == (x0 + 100, y0 + 200, x1 + 100, y1 + 200)


def test_several_clicks_make_one_object():
    labels = np.repeat(np.arange(1, 5, dtype=np.int32), 10)[None].repeat(6, axis=0)
    item = region_of(labels, [(2, 2), (12, 3), (13, 1)])
    assert item.bbox == (0, 0, 20, 6)
    assert item.area == 120


def test_borders_lie_between_patches():
    labels = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]], np.int32)
    assert borders(labels).tolist() == [
        [False, True, False], [True, True, True], [False, False, False]
    ]  # fmt: skip


def test_the_picture_marks_what_is_chosen():
    labels = np.repeat(np.arange(1, 3, dtype=np.int32), 10)[None].repeat(6, axis=0)
    image = np.full((6, 20, 3), 100, np.uint8)
    picture = superpixel_picture(image, labels, [(3, 3)], color=(200, 0, 0))
    assert picture[2, 2].tolist() == [150, 50, 50]
    assert picture[2, 15].tolist() == [100, 100, 100]
    assert picture[2, 9].tolist() != [150, 50, 50]
    assert (image == 100).all()


def test_senseless_input_is_refused():
    with pytest.raises(RsamError, match="colour image"):
        superpixels(np.zeros((5, 5), np.uint8))
    with pytest.raises(RsamError, match="at most 16 million"):
        superpixels(np.broadcast_to(np.uint8(0), (5000, 5000, 3)))
    labels = np.ones((5, 5), np.int32)
    for x, y in ((-1, 2), (5, 2), (2, 5.1)):
        with pytest.raises(RsamError, match="outside"):
            region_at(labels, x, y)
    with pytest.raises(RsamError, match="No patch"):
        region_of(labels, [])
    for wrong in ({"size": 1}, {"compactness": 0}, {"smoothing": -1}):
        with pytest.raises(RsamError):
            SuperpixelSettings(**wrong)
