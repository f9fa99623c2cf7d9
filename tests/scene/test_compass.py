"""Where a scene lies, and where north is, by transforms whose answer is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from affine import Affine

from rsam_core.scene.compass import SIDE, compass_of

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@dataclass(frozen=True)
class Placed:
    transform: Affine | None
    crs: str | None
    width: int = 400
    height: int = 200

    def pixel_to_map(self, x, y):
        return self.transform * (np.asarray(x, float), np.asarray(y, float))


def test_degrees_run_along_the_sides():
    found = compass_of(Placed(Affine(0.01, 0, 10, 0, -0.01, 50), "EPSG:4326"))
    assert len(found.grid) == SIDE**2
    np.testing.assert_allclose(found.grid[0], (10, 50))
    np.testing.assert_allclose(found.grid[SIDE - 1], (14, 50))
    np.testing.assert_allclose(found.grid[-1], (14, 48))
    np.testing.assert_allclose(found.grid[SIDE**2 // 2], (12, 49))
    assert found.north == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("turn", [30.0, 90.0, 200.0])
def test_north_follows_a_turned_picture(turn: float):
    # Around the central meridian of the zone, where grid north is north.
    place = Affine.translation(500_000, 4_000_000) * Affine.rotation(turn) * Affine.scale(1, -1)
    found = compass_of(Placed(place, "EPSG:32637", 20, 20))
    assert found.north == pytest.approx(turn % 360, abs=0.05)


def test_convergence_of_meridians_is_seen():
    # At 3 degrees from the central meridian and 60 degrees north: atan(tan(3) sin(60)) = 2.6.
    place = Placed(Affine(1, 0, 667_000, 0, -1, 6_655_000), "EPSG:32637", 20, 20)
    expected = -math.degrees(math.atan(math.tan(math.radians(3)) * math.sin(math.radians(60))))
    assert compass_of(place).north == pytest.approx(expected % 360, abs=0.1)


def test_across_the_180th_meridian_longitudes_run_on():
    found = compass_of(Placed(Affine(0.01, 0, 178, 0, -0.01, 10), "EPSG:4326"))
    assert np.ptp([lon for lon, _ in found.grid]) == pytest.approx(4)


def test_without_a_place_there_is_none():
    assert compass_of(Placed(None, "EPSG:4326")) is None
    assert compass_of(Placed(Affine(1, 0, 0, 0, -1, 0), None)) is None
