"""Distance to the nearest neighbour, against hand and geopandas."""

from __future__ import annotations

import math

import geopandas
import numpy as np
import pytest

from rsam_core.formats import outline_polygon
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.neighbours import neighbour_table


def scattered(count: int, size: int, density: float, seed: int) -> Instances:
    random = np.random.default_rng(seed)
    items = []
    for _ in range(count):
        mask = random.random(random.integers(3, 30, 2)) < density
        mask[0, 0] = True
        items.append(Instance(mask, *random.integers(0, size - 30, 2).tolist()))
    return Instances(items, (size, size))


@pytest.mark.parametrize(
    ("count", "size", "density"), [(40, 400, 0.9), (40, 2500, 0.5), (2, 2000, 0.9), (60, 220, 0.7)]
)
def test_neighbours_agree_with_geopandas(count, size, density):
    objects = scattered(count, size, density, count)
    outlines = geopandas.GeoSeries([outline_polygon(item) for item in objects])
    table = neighbour_table(objects)
    for position, outline in enumerate(outlines):
        others = outlines.drop(position).distance(outline)
        assert table["nearest_neighbour"][position] == pytest.approx(others.min(), abs=1e-9)
        nearest = int(table["nearest_id"][position])
        assert others[objects.ids.tolist().index(nearest)] == pytest.approx(others.min(), abs=1e-9)


def test_neighbours_by_hand():
    square = np.ones((10, 10), bool)
    ring = np.ones((40, 40), bool)
    ring[5:35, 5:35] = False
    objects = Instances(
        [
            Instance(square, 0, 0, id=1),
            Instance(square, 13, 14, id=2),  # 3 to the right and 4 below
            Instance(ring, 100, 100, id=3),
            Instance(square, 110, 115, id=4),  # in the ring: 5 from its inner edge
            Instance(square, 200, 200, id=5),
            Instance(square, 210, 210, id=6),  # touches at a corner
            Instance(np.ones((4, 4), bool), 203, 203, id=7),  # lies on object 5
        ],
        (300, 300),
    )
    table = neighbour_table(objects, 0.5).set_index("nearest_id", append=True)
    assert table["nearest_neighbour"].tolist() == [5, 5, 5, 5, 0, 0, 0]
    assert table["nearest_neighbour_m"].tolist() == [2.5, 2.5, 2.5, 2.5, 0, 0, 0]
    assert [id for _, id in table.index[:4]] == [2, 1, 4, 3]


def test_a_single_object_has_no_neighbour():
    objects = Instances([Instance(np.ones((3, 3), bool))], (9, 9))
    table = neighbour_table(objects)
    assert math.isnan(table["nearest_neighbour"][0])
    assert table["nearest_id"][0] == 0
