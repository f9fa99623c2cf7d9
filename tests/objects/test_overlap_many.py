"""Who owns a pixel where many objects lie on each other."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.objects import overlap
from rsam_core.objects.instance import Instance


def square(x: int, y: int, side: int, score: float, id: int) -> Instance:
    return Instance(np.ones((side, side), bool), x, y, score, id)


def test_small_objects_win_in_more_than_one_part_of_the_search() -> None:
    # 700 fields, each with a house of lower score inside: more than are looked at together.
    fields = [square(20 * n, 0, 16, 0.9, n + 1) for n in range(700)]
    houses = [square(20 * n + 4, 4, 5, 0.5, 1000 + n) for n in range(700)]
    order = overlap.resolve_overlap([*fields, *houses]).tolist()
    place = {position: rank for rank, position in enumerate(order)}
    assert all(place[n + 700] > place[n] for n in range(700))


def test_without_end_of_pairs_the_score_alone_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    nested = [square(0, 0, side, 1 / side, side) for side in range(40, 2, -1)]
    best_on_top = overlap.resolve_overlap(nested).tolist()
    assert best_on_top == list(range(38))
    turned = [square(0, 0, side, side / 40, side) for side in range(40, 2, -1)]
    assert overlap.resolve_overlap(turned).tolist() == list(range(38))
    monkeypatch.setattr(overlap, "MAX_PAIRS", 100)
    assert overlap.resolve_overlap(turned).tolist() == list(range(38))[::-1]


def test_neighbours_that_only_touch_are_no_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each of 400 squares touches up to eight others; only the one inside another meets any.
    tiles = [square(4 * (n % 20), 4 * (n // 20), 4, 0.9, n + 1) for n in range(400)]
    inner = square(41, 41, 2, 0.5, 1000)
    monkeypatch.setattr(overlap, "MAX_NEAR", 403)
    order = overlap.resolve_overlap([*tiles, inner]).tolist()
    assert order[-1] == 400
    # Beyond the limit the score alone decides.
    monkeypatch.setattr(overlap, "MAX_NEAR", 402)
    assert overlap.resolve_overlap([*tiles, inner]).tolist()[0] == 400
