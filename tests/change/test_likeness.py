"""How much two dates differ at each pixel: drawn pictures, distances by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.change import appearance
from rsam_core.change.likeness import Likeness, steps
from rsam_core.objects.instance import Instance

SHAPE = (60, 80)


def picture(*squares: tuple[int, int, int, tuple[float, float, float]]) -> np.ndarray:
    """CIELAB of even ground with squares: x, y, side, colour."""
    lab = np.full((*SHAPE, 3), (50.0, 0.0, 0.0), np.float32)
    for x, y, side, colour in squares:
        lab[y : y + side, x : x + side] = colour
    return lab


def test_a_displacement_within_the_slack_is_no_step():
    first = picture((20, 20, 10, (80, 20, 20)))
    moved = picture((22, 18, 10, (80, 20, 20)))
    assert steps(first, moved).max() == 0
    assert steps(first, picture((26, 20, 10, (80, 20, 20)))).max() > 10


def test_steps_weigh_colour_above_light():
    lighter = steps(picture(), picture((0, 0, 60, (60, 0, 0))))[30, 30]
    redder = steps(picture(), picture((0, 0, 60, (50, 10, 0))))[30, 30]
    assert lighter == pytest.approx(np.sqrt(0.5) * 10)
    assert redder == pytest.approx(np.sqrt(2.0) * 10)


def test_what_differs_more_than_usual_stands_out():
    item = Instance(np.ones((20, 20), bool), 24, 16)
    ring = Instance(np.ones((20, 20), bool), 50, 16)
    cells = np.ones((4, 8, 10), np.float32)
    turned = cells.copy()
    turned[:2, 2:5, 3:6] = -1
    lab = picture((24, 16, 24, (80, 0, 0)))
    maps = Likeness.between(picture(), lab, (cells, 8.0), (turned, 8.0))
    mean, top, around, relative, more = maps.of(item, ring)
    assert (mean, top) == pytest.approx((1.0, 1.0), abs=0.15)
    assert around == pytest.approx(0.0, abs=0.05)
    assert relative == pytest.approx(np.log(1.05 / 0.05), abs=0.2)
    assert more > 2
    blind = Likeness.between(picture(), lab, None, None)
    assert blind.of(item, ring)[:4] == [0.0, 0.0, 0.0, 0.0]


def test_a_hole_in_a_roof_is_seen_and_another_light_on_all_of_it_is_not():
    roof = (20, 15, 30, (60.0, 20.0, 20.0))
    item = Instance(np.ones((30, 30), bool), 20, 15)
    everywhere = np.ones(SHAPE, bool)
    darker = picture((20, 15, 30, (52, 20, 20)))
    holed = picture(roof, (28, 22, 10, (20, 0, 0)))
    named = [
        dict(zip(appearance.COLUMNS, appearance.look(item, picture(roof), after, everywhere)))
        for after in (darker, holed)
    ]
    assert named[0]["changed_share"] == 0
    assert named[1]["changed_share"] == pytest.approx(100 / 28**2, rel=0.01)
    assert named[1]["blob_dark"] == pytest.approx(-40)
    assert named[0]["lightness_step"] == pytest.approx(-8)


def test_an_object_that_is_hardly_shown_has_no_looks():
    item = Instance(np.ones((10, 10), bool), 5, 5)
    nothing = appearance.look(item, picture(), picture(), np.zeros(SHAPE, bool))
    assert np.isnan(nothing).all()
