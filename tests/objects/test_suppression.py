"""Suppression of doubles against the plain definition, and masks in packed form."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.objects.instance import Instance
from rsam_core.objects.packed_masks import PackedMasks
from rsam_core.objects.suppression import near_pairs, suppress
from tests.helpers.models import overlap


def random_masks(count: int, seed: int = 0) -> list[Instance]:
    """Ellipses of all sizes in a scene of 300 × 300 pixels."""
    rng = np.random.default_rng(seed)
    result = []
    for _ in range(count):
        h, w = rng.integers(3, 90, 2)
        y, x = rng.integers(0, 300 - h), rng.integers(0, 300 - w)
        rows, columns = np.ogrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
        result.append(Instance(rows**2 + columns**2 <= 1.2, int(x), int(y), float(rng.random())))
    return sorted(result, key=lambda m: -m.score)


def spread(item: Instance) -> np.ndarray:
    full = np.zeros((300, 300), bool)
    x0, y0, x1, y1 = item.bbox
    full[y0:y1, x0:x1] = item.mask
    return full


def plain(masks: list[np.ndarray], limit: float, groups=None) -> list[int]:
    """Greedy suppression as its definition says, every pair compared."""
    kept: list[int] = []
    for i, mask in enumerate(masks):
        rivals = [j for j in kept if groups is None or groups[i] == groups[j]]
        if all(overlap(mask, masks[j]) <= limit for j in rivals):
            kept.append(i)
    return kept


def arrays(items: list[Instance]):
    boxes = np.array([m.bbox for m in items], np.int64).reshape(-1, 4)
    return boxes, np.array([m.area for m in items], np.int64)


@pytest.mark.parametrize("limit", [0.0, 0.2, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("grouped", [False, True])
def test_suppression_agrees_with_its_definition(limit, grouped):
    items = random_masks(150)
    groups = np.arange(150) % 3 if grouped else None
    boxes, areas = arrays(items)
    found = suppress(lambda i: items[i].mask, boxes, areas, limit, groups)
    assert found.tolist() == plain([spread(m) for m in items], limit, groups)
    assert limit == 1 or len(found) < 150


@pytest.mark.parametrize("limit", [0.0, 0.3, 0.6])
def test_near_pairs_miss_no_pair_above_the_limit(limit):
    items = random_masks(80, seed=3)
    masks = [spread(m) for m in items]
    first, second = near_pairs(*arrays(items), limit)
    pairs = set(zip(first.tolist(), second.tolist()))
    assert len(pairs) == len(first)
    assert (first < second).all()
    above = {
        (i, j) for i in range(80) for j in range(i + 1, 80) if overlap(masks[i], masks[j]) > limit
    }
    assert above
    assert above <= pairs
    assert len(pairs) < 80 * 79 / 2


def test_nothing_to_suppress():
    empty = np.zeros((0, 4), np.int64), np.zeros(0, np.int64)
    assert suppress(lambda i: np.ones((1, 1), bool), *empty, 0.5).tolist() == []
    one = random_masks(1)
    assert suppress(lambda i: one[i].mask, *arrays(one), 0.5).tolist() == [0]


# ------------------------------------------------------------------ packed masks


def test_packed_masks_come_out_as_they_went_in():
    items = random_masks(40)
    packed = PackedMasks.pack(items)
    assert len(packed) == 40
    for before, after in zip(items, packed):
        assert np.array_equal(before.mask, after.mask)
        assert (before.bbox, before.score, before.area) == (after.bbox, after.score, after.area)
    assert packed.areas.tolist() == [m.area for m in items]
    assert packed.nbytes < sum(m.mask.nbytes for m in items) / 4


def test_packed_masks_are_joined_and_taken_by_position():
    items = random_masks(30)
    packed = PackedMasks.concat([PackedMasks.pack(part) for part in (items[:7], [], items[7:])])
    order = np.array([29, 3, 3, 12])
    for position, found in zip(order, packed.take(order)):
        assert np.array_equal(found.mask, items[position].mask)
        assert found.bbox == items[position].bbox
    assert packed[-1].bbox == items[-1].bbox
    assert [m.bbox for m in packed[5:9]] == [m.bbox for m in items[5:9]]
    with pytest.raises(IndexError):
        packed[30]


def test_no_masks_can_be_packed():
    for empty in (PackedMasks.pack([]), PackedMasks.concat([])):
        assert len(empty) == 0
        assert empty.boxes.shape == (0, 4)
        assert list(empty) == []
