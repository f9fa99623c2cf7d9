"""A part of a place drawn finer shows the same objects at the same places."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from shapely.geometry import Polygon

from rsam_core.errors import SceneError
from rsam_core.samples import render_town
from rsam_core.samples.closeup import render_part
from rsam_core.samples.raster import Canvas

EXTENT = (72.0, 48.0)


def test_a_canvas_elsewhere_is_a_part_of_the_whole() -> None:
    whole, part = Canvas(80, 60, 0.5, 1), Canvas(30, 20, 0.5, 1, origin=(10.0, 5.0))
    shape = Polygon([(12, 6), (23, 8), (19, 14), (3, 12)])
    for canvas in (whole, part):
        window, alpha = canvas.cover(shape)
        canvas.paint(window, alpha, np.ones(3), label=7)
    assert part.labels.any()
    np.testing.assert_array_equal(part.labels, whole.labels[10:30, 20:50])
    np.testing.assert_allclose(part.colour, whole.colour[10:30, 20:50], atol=1e-5)


def test_a_part_shows_what_the_whole_shows_there() -> None:
    whole = render_town(240, 160, gsd=0.3, seed=3, style="suburb").image
    part = render_part(EXTENT, (24.0, 12.0), (300, 240), gsd=0.1, seed=3, style="suburb")
    assert part.shape == (240, 300, 3)
    small = cv2.resize(part, (100, 80), interpolation=cv2.INTER_AREA)

    def likeness(dx: int, dy: int) -> float:
        there = whole[40 + dy : 120 + dy, 80 + dx : 180 + dx]
        return float(np.corrcoef(there.ravel(), small.ravel())[0, 1])

    found = {(dx, dy): likeness(dx, dy) for dx in (-2, 0, 2) for dy in (-2, 0, 2)}
    assert max(found, key=found.__getitem__) == (0, 0)
    assert found[0, 0] > 0.85


@pytest.mark.parametrize("corner", [(-1.0, 0.0), (60.0, 0.0), (0.0, 40.0)])
def test_a_part_outside_is_refused(corner: tuple[float, float]) -> None:
    with pytest.raises(SceneError, match="within"):
        render_part(EXTENT, corner, (300, 240), gsd=0.1, seed=3, style="suburb")
