"""The algebra of cropped masks against the same on whole pictures."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.objects.crops import Crop, clip, cut_out, paste, shared_pixels, span, union
from rsam_core.objects.instance import Instance

SHAPE = (14, 17)


def draw(rng: np.random.Generator) -> tuple[Crop, np.ndarray]:
    """A cropped mask within a picture of `SHAPE`, and the same as a whole picture."""
    height, width = rng.integers(1, 9, 2)
    y, x = int(rng.integers(0, SHAPE[0] - height)), int(rng.integers(0, SHAPE[1] - width))
    mask = rng.random((height, width)) < 0.6
    whole = np.zeros(SHAPE, bool)
    whole[y : y + height, x : x + width] = mask
    return Crop(mask, x, y), whole


@pytest.mark.parametrize("seed", range(60))
def test_as_on_whole_pictures(seed: int):
    rng = np.random.default_rng(seed)
    (one, whole_one), (two, whole_two) = draw(rng), draw(rng)
    assert shared_pixels(one, two) == (whole_one & whole_two).sum() == shared_pixels(two, one)
    joined = union([one, two])
    assert (cut_out(joined, (0, 0, SHAPE[1], SHAPE[0])) == (whole_one | whole_two)).all()
    x0, y0, x1, y1 = span([one, two])
    assert joined.mask.shape == (y1 - y0, x1 - x0)
    assert (joined.x, joined.y) == (x0, y0)

    # A box that may begin left of the picture or above it, and may miss the object.
    left, top = (int(v) for v in rng.integers(-4, 12, 2))
    right, bottom = left + int(rng.integers(1, 12)), top + int(rng.integers(1, 12))
    framed = np.pad(whole_one, 30)[top + 30 : bottom + 30, left + 30 : right + 30]
    box = (left, top, right, bottom)
    assert (cut_out(one, box) == framed).all()
    assert clip(one, box).mask.sum() == framed.sum()
    canvas = np.full(framed.shape, 3)
    paste(canvas, one, left, top, 7)
    assert (canvas == np.where(framed, 7, 3)).all()


def test_by_hand():
    square, row = Crop(np.ones((4, 4), bool), 0, 0), Crop(np.ones((1, 6), bool), 2, 3)
    assert shared_pixels(square, row) == 2
    assert shared_pixels(square, Crop(np.ones((2, 2), bool), 4, 0)) == 0
    assert span([square, row]) == (0, 0, 8, 4)
    assert union([square, row]).mask.sum() == 16 + 6 - 2
    assert clip(square, (3, -5, 9, 2)).mask.tolist() == [[True], [True]]
    assert clip(square, (10, 10, 12, 12)).mask.size == 0


def test_objects_are_cropped_masks():
    item = Instance(np.ones((2, 3), bool), 5, 6)
    assert span([item]) == item.bbox
    assert shared_pixels(item, Crop(np.ones((20, 20), bool), 0, 0)) == item.area
    # A part is the object's own memory: nothing is copied.
    assert np.shares_memory(clip(item, (5, 6, 7, 8)).mask, item.mask)
