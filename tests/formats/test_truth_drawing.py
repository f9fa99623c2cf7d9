"""Outlines drawn on the canvas, as the canvas tells of them."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import MetricError
from rsam_core.formats.truth import truth_from_polygons
from rsam_core.formats.truth_drawn import drawn_polygons

CORNERS = [(10, 20), (50, 20), (50, 40), (10, 40)]


def polygon(**changes) -> dict:
    """A rectangle as the canvas hands it back when it has just been closed."""
    item = {"type": "Polygon", "originX": "center", "originY": "center", "left": 30, "top": 30}
    item |= {"scaleX": 1, "scaleY": 1, "angle": 0, "strokeWidth": 2}
    item["points"] = [{"x": x, "y": y} for x, y in CORNERS]
    return {"objects": [item | changes]}


def test_corners_are_those_that_were_clicked():
    (found,) = drawn_polygons(polygon())
    assert found.tolist() == [list(corner) for corner in CORNERS]
    (scaled,) = drawn_polygons(polygon(), 2.5)
    assert scaled == pytest.approx(2.5 * np.array(CORNERS))


def test_moved_enlarged_and_turned_polygons_are_where_they_are_shown():
    (moved,) = drawn_polygons(polygon(left=130, top=60))
    assert moved == pytest.approx(np.add(CORNERS, (100, 30)))
    (larger,) = drawn_polygons(polygon(scaleX=2, scaleY=0.5))
    assert larger == pytest.approx(np.array([(-10, 25), (70, 25), (70, 35), (-10, 35)]))
    # A quarter turn clockwise on the screen, where y points down.
    (turned,) = drawn_polygons(polygon(angle=90))
    assert turned == pytest.approx(np.array([(40, 10), (40, 50), (20, 50), (20, 10)]))
    (by_corner,) = drawn_polygons(polygon(originX="left", originY="top", left=9, top=19))
    assert by_corner == pytest.approx(np.array(CORNERS))


def test_they_become_truth():
    truth = truth_from_polygons(drawn_polygons(polygon(), 2.0), (120, 140))
    expected = np.zeros((120, 140), bool)
    expected[40:80, 20:100] = True
    assert (truth.mask == expected).all()


def test_other_kinds_and_nothing_drawn():
    assert drawn_polygons(None) == []
    assert drawn_polygons({"objects": []}) == []
    assert drawn_polygons({"objects": [{"type": "Rect", "left": 3}]}) == []
    assert drawn_polygons(polygon(points=[{"x": 1, "y": 2}, {"x": 3, "y": 4}])) == []


@pytest.mark.parametrize("changes", [{"points": [{"x": 1}]}, {"left": "here"}, {"angle": np.nan}])
def test_a_damaged_drawing_is_refused(changes: dict):
    with pytest.raises(MetricError, match="Clear the canvas"):
        drawn_polygons(polygon(**changes))
