"""Painting by patches: a click takes the patch under it, and the object covers what was taken."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import RsamError
from rsam_core.prompts.superpixel_painting import Painting
from rsam_core.prompts.superpixels import SuperpixelSettings
from rsam_core.scene.coordinates import Frame

LABELS = np.kron(np.array([[1, 2], [3, 4]], np.int32), np.ones((10, 15), np.int32))
"""Four patches of 15 × 10 pixels."""


def painting(factor: int = 1) -> Painting:
    return Painting(Frame(100, 50, 30 * factor, 20 * factor, 30, 20), LABELS)


def test_clicks_choose_patches_and_leave_them_out_again():
    first = painting().toggled(101, 51)
    assert first.chosen == {1}
    both = first.toggled(129.9, 69.9)
    assert both.chosen == {1, 4}
    assert both.toggled(110, 55).chosen == {4}
    assert both.toggled(99.9, 55) is both
    assert both.toggled(110, 70.1) is both


def test_the_object_covers_the_chosen_patches_in_scene_pixels():
    item = painting().toggled(101, 51).toggled(101, 61).instance("field")
    assert item.bbox == (100, 50, 115, 70)
    assert item.area == 300
    assert (item.label, item.source) == ("field", "superpixel")


def test_a_reduced_picture_gives_an_object_of_full_size():
    item = painting(4).toggled(101, 51).instance()
    assert item.bbox[:2] == (100, 50)
    assert item.area == pytest.approx(16 * 150, rel=0.05)


def test_nothing_chosen_is_said():
    with pytest.raises(RsamError, match="Click the patches"):
        painting().instance()


def test_the_layer_shows_borders_and_choice():
    layer = painting().toggled(101, 51).layer("#FF0000")
    assert layer[2, 2].tolist()[:3] == [255, 0, 0]
    assert 0 < layer[2, 2, 3] < 255
    assert layer[2, 14].tolist()[:3] == [255, 255, 255], "the right edge of the first patch"
    assert layer[15, 25, 3] == 0


def test_patches_follow_the_colours_of_a_picture():
    image = np.full((60, 80, 3), 40, np.uint8)
    image[20:40, 24:56] = (220, 200, 60)
    made = Painting.start(image, Frame(0, 0, 80, 60, 80, 60), SuperpixelSettings(size=8))
    inside = image[..., 0] > 100
    for x in range(26, 56, 2):
        for y in range(21, 40, 2):
            if made.labels[y, x] not in made.chosen:
                made = made.toggled(x, y)
    found = np.zeros((60, 80), bool)
    item = made.instance()
    x0, y0, x1, y1 = item.bbox
    found[y0:y1, x0:x1] = item.mask
    assert (found & inside).sum() / (found | inside).sum() > 0.85
