"""Clicks far from the present object: when they are, and what becomes of them."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.objects.instance import Instance
from rsam_core.prompts.history import PromptHistory
from rsam_core.session.far_clicks import clicked, is_far


def square(side: int, x: int, y: int) -> Instance:
    return Instance(np.ones((side, side), bool), x, y)


def test_far_grows_with_the_object():
    # The disc of the area of a square of 100 has a diameter of 112.8; 0.6 of it is 67.7.
    item = square(100, 200, 200)
    assert not is_far(item, 250, 250)
    assert not is_far(item, 300 + 67, 250)
    assert is_far(item, 300 + 68.5, 250)
    assert is_far(item, 300 + 50, 300 + 50), "70.7 from the corner"
    assert not is_far(item, 300 + 45, 300 + 45)
    assert is_far(square(4, 0, 0), 15, 2)
    assert not is_far(square(4, 0, 0), 15, 2, least=16)


def test_the_hole_of_a_ring_is_near_it():
    ring = np.ones((60, 60), bool)
    ring[5:-5, 5:-5] = False
    assert not is_far(Instance(ring, 0, 0), 30, 30)


@pytest.mark.parametrize("new", [True, False])
def test_a_far_click_is_asked_about_and_can_be_decided_otherwise(new):
    book, nothing = clicked(PromptHistory(), False, new, {"x": 1, "y": 1})
    assert nothing is None
    book, far = clicked(book, True, new, {"x": 90, "y": 90})
    assert [len(e.marks) for e in book.entries] == ([1, 1] if new else [2])
    assert far.stands(book)
    other = far.as_new(book, not new)
    assert [len(e.marks) for e in other.entries] == ([2] if new else [1, 1])
    assert far.stands(other)
    assert far.owner(other) == (1 if new else 2)
    later, _ = clicked(book, False, new, {"x": 91, "y": 91})
    assert not far.stands(later)
    assert not far.stands(book.undo())
