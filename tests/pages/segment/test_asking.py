"""Which proposal a single click begins with."""

from __future__ import annotations

import numpy as np

from pages.parts.segment.asking import MARKER, visible
from rsam_core.segment.segmenter import Candidates


def proposals(*sides: int, scores: list[float]) -> Candidates:
    crops = np.zeros((len(sides), 60, 60), bool)
    for crop, side in zip(crops, sides):
        crop[:side, :side] = True
    values = np.array(scores, np.float32)
    return Candidates(crops, 0, 0, values, values, (60, 60), [None] * len(sides))


def test_a_speck_below_its_own_mark_gives_way_where_the_model_is_unsure():
    unsure = [0.3, 0.25, 0.2]
    assert visible(proposals(5, 50, 20, scores=unsure), 1.0) == 2, "the smallest to be seen"
    assert visible(proposals(MARKER, 50, 20, scores=unsure), 1.0) == 0
    assert visible(proposals(5, 50, 20, scores=unsure), 4.0) == 0, "large on the screen"
    assert visible(proposals(5, 50, 20, scores=[0.6, 0.5, 0.4]), 1.0) == 0
    assert visible(proposals(5, 6, 7, scores=unsure), 1.0) == 0, "none can be seen"
