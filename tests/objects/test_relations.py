"""How objects lie to each other, against distances between all their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from scipy.spatial.distance import cdist

from rsam_core.errors import ClassifyError
from rsam_core.objects.classify.rules import Condition, Relation, Rule
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.relations import Places

ANY = Rule((Condition("area", ">", 0),))


def scattered(seed: int, count: int = 40) -> Instances:
    """Blobs of random shape, some of which overlap."""
    rng = np.random.default_rng(seed)
    items = []
    for _ in range(count):
        height, width = rng.integers(1, 14, 2)
        mask = rng.random((height, width)) < 0.7
        mask[rng.integers(height), rng.integers(width)] = True
        items.append(Instance(mask, int(rng.integers(0, 110)), int(rng.integers(0, 80))))
    return Instances(items, (100, 130))


def pixels(item: Instance) -> np.ndarray:
    y, x = np.nonzero(item.mask)
    return np.column_stack([x + item.x, y + item.y]).astype(float)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("reach", [0.0, 3.5, 12.0])
def test_within_a_distance_is_that_of_the_nearest_pixels(seed, reach):
    objects = scattered(seed)
    rng = np.random.default_rng(seed)
    others = rng.random(len(objects)) < 0.4
    among = rng.random(len(objects)) < 0.7
    gaps = np.full(len(objects), np.inf)
    for i, item in enumerate(objects):
        for j in np.flatnonzero(others):
            if i != j:
                apart = cdist(pixels(item), pixels(objects[int(j)])).min() - 1
                gaps[i] = min(gaps[i], apart)
    found = Places(objects).related(Relation("within", (ANY,), reach, "px"), (others,), among)
    assert (found == ((gaps <= reach) & among)).all()


def test_metres_follow_the_size_of_pixels_in_each_direction():
    class Oblong:
        gsd, crs, width, height = 2.0, "EPSG:32631", 130, 100
        transform = Affine(4, 0, 500_000, 0, -1, 5_000_000)

    one = Instance(np.ones((4, 4), bool), 10, 10)
    right, below = (Instance(np.ones((4, 4), bool), x, y) for x, y in ((24, 10), (10, 50)))
    others = np.array([True, False, False])
    places = Places(Instances([one, right, below], (100, 130)), Oblong)
    # Ten pixels to the right are 40 m, 36 downwards 36 m.
    for far, found in ((30, [0, 0, 0]), (39, [0, 0, 1]), (44, [0, 1, 1])):
        answer = places.related(Relation("within", (ANY,), far), (others,))
        assert answer.tolist() == found, far


def test_metres_that_are_not_known_are_asked_for():
    objects = scattered(0)
    every = np.ones(len(objects), bool)
    with pytest.raises(ClassifyError, match="ground distance"):
        Places(objects).related(Relation("within", (ANY,), 5), (every,))
    assert not Places(objects).metres_known


def ringed() -> Instances:
    """A lake with an island cut out, a boat in it, a car mostly on a road, a far tree."""
    lake = np.ones((60, 60), bool)
    lake[20:30, 20:30] = False
    return Instances(
        [
            Instance(lake, 0, 0),
            Instance(np.ones((10, 10), bool), 20, 20),
            Instance(np.ones((6, 6), bool), 40, 40),
            Instance(np.ones((8, 40), bool), 70, 0),
            Instance(np.ones((6, 6), bool), 80, 3),
            Instance(np.ones((4, 4), bool), 100, 80),
        ],
        (100, 120),
    )


def test_on_and_inside_look_at_the_surroundings():
    objects = ringed()
    lake, road = np.zeros(6, bool), np.zeros(6, bool)
    lake[0], road[3] = True, True
    places = Places(objects)
    # The island belongs to the hole, the boat lies over the lake: both are in it.
    assert places.related(Relation("inside", (ANY,)), (lake,)).tolist() == [0, 1, 1, 0, 0, 0]
    # Of the 40 pixels around the car, 24 are road.
    assert places.related(Relation("on", (ANY,)), (road,)).tolist() == [0, 0, 0, 0, 1, 0]
    assert not places.related(Relation("inside", (ANY,)), (road,)).any()


def test_touching_needs_no_pixel_between():
    parts = [Instance(np.ones((4, 4), bool), x, 0) for x in (0, 4, 9)]
    parts.append(Instance(np.ones((4, 4), bool), 13, 4))
    objects = Instances(parts, (20, 20))
    every = np.ones(4, bool)
    touching = Places(objects).related(Relation("touching", (ANY,)), (every,))
    # The third and the fourth meet at a corner.
    assert touching.tolist() == [1, 1, 1, 1]
    only = np.array([True, False, False, False])
    assert Places(objects).related(Relation("touching", (ANY,)), (only,)).tolist() == [0, 1, 0, 0]


def test_between_sees_both_in_opposite_directions():
    square = np.ones((4, 4), bool)
    places = [(0, 50), (30, 50), (60, 50), (30, 20), (90, 50)]
    objects = Instances([Instance(square, x, y) for x, y in places], (100, 100))
    left, right = np.zeros(5, bool), np.zeros(5, bool)
    left[0], right[2] = True, True
    found = Places(objects, 1.0).related(Relation("between", (ANY, ANY)), (left, right))
    # The one above sees them under a right angle, the last one on the same side.
    assert found.tolist() == [0, 1, 0, 0, 0]
    both = left | right
    found = Places(objects, 1.0).related(Relation("between", (ANY, ANY)), (both, both))
    assert found.tolist() == [0, 1, 0, 0, 0]


def test_nothing_is_related_to_nothing():
    objects = scattered(1)
    none = np.zeros(len(objects), bool)
    assert not Places(objects).related(Relation("near", (ANY,)), (none,)).any()
    assert Places(Instances.empty((9, 9))).related(
        Relation("on", (ANY,)), (np.zeros(0, bool),)
    ).shape == (0,)


def test_nothing_lies_between_what_is_out_of_reach():
    items = [Instance(np.ones((4, 4), bool), x, 10) for x in (0, 500, 990)]
    places = Places(Instances(items, (20, 1000)), 1.0)
    ends, middle = np.array([True, False, False]), np.array([False, True, False])
    other = Relation("between", (ANY, ANY))
    assert not places.related(other, (ends, ~ends & ~middle), middle).any()
