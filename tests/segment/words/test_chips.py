"""Pieces of what was understood: their words, counts, and areas in place of "large"."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.words import describe, words
from rsam_core.segment.words.chips import counts, joined, piece_text, pieces, with_numbers


def squares(labels: list[str | None]) -> Instances:
    """Squares of 5, 6, 7… pixels a side."""
    items = [
        Instance(np.ones((5 + k, 5 + k), bool), 20 * k, 0, id=k + 1, label=label)
        for k, label in enumerate(labels)
    ]
    return Instances(items, (40, 20 * len(labels) + 20))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("red buildings", ["kind = building", "colour ≈ red"]),
        ("houses over 180 m²", ["kind = building", "area > 180 m²"]),
        ("roads of at least 1200 px", ["kind = road", "area ≥ 1,200 px"]),
        ("cars within 50 m of trees", ["kind = car", "within 50 m of tree"]),
        ("the two longest roads not near water or a pool",
         ["kind = road", "not near water or pool", "the 2 longest"]),
        ("cars or boats", ["kind = car or kind = boat"]),
    ],
)  # fmt: skip
def test_pieces_say_what_was_understood(text, told):
    assert [piece_text(item) for item in pieces(words(text).conditions)] == told


def test_counts_are_those_that_each_piece_leaves():
    known = describe(squares(["house"] * 6 + ["tree"] * 2), 1.0)
    items = pieces(words("houses over 40 m²").conditions)
    # Areas 25, 36, 49, 64, 81, 100 and two trees.
    assert counts(known, items) == [6, 4]
    assert joined(()) is None


def test_large_becomes_the_area_from_which_the_same_objects_are_large():
    for labels in (["house"] * 8, [None] * 8):
        known = describe(squares(labels))
        text = "large houses" if labels[0] else "large objects"
        items = pieces(words(text).conditions)
        numbers = with_numbers(items, known)
        assert numbers != items
        assert known.match(joined(items)).tolist() == known.match(joined(numbers)).tolist()
    mixed = describe(squares(["house"] * 4 + ["tree"] * 4))
    items = pieces(words("large objects").conditions)
    assert with_numbers(items, mixed) == items
