"""What refining says it changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rsam_core.objects.instance import Instance
from rsam_core.session.refining import changes, difference


def block(width: int, height: int, x: int, y: int, id: int) -> Instance:
    return Instance(np.ones((height, width), bool), x, y, id=id)


def test_pixels_gained_and_lost():
    # A block of 10 by 4 that moves by three columns, and one that is gone.
    assert difference(block(10, 4, 0, 0, 1), block(10, 4, 3, 0, 1)) == (12, 12)
    assert difference(block(10, 4, 0, 0, 1), block(12, 4, 0, 0, 1)) == (8, 0)
    assert difference(block(10, 4, 0, 0, 1), None) == (0, 40)


def test_the_sentence_counts_objects_and_pixels():
    first, second, third = (block(10, 4, 20 * k, 0, k + 1) for k in range(3))
    wider = block(12, 4, 0, 0, 1)
    told = changes([first, second, third], [wider, second])
    assert told == "2 of 3 objects changed: 8 pixels added, 40 taken away, 1 object removed."
    # Another copy of the same pixels is no change.
    same = replace(first, mask=first.mask.copy())
    assert "Nothing needed it" in changes([first, second], [same, second])
