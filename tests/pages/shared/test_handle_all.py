"""What the canvas hands out only once is taken as a whole, whatever the browser asks meanwhile."""

from __future__ import annotations

import pytest
from streamlit.runtime.scriptrunner import RerunData, RerunException

from pages.parts.shared.streamlit_adapter import handle_all


def test_a_wish_for_the_next_run_loses_no_event_and_doubles_none():
    taken, wishes = [], {2, 3}

    def handle(number: int) -> None:
        # As a look at the page's state does, before anything is changed.
        if number in wishes:
            wishes.remove(number)
            raise RerunException(RerunData())
        taken.append(number)

    with pytest.raises(RerunException):
        handle_all([1, 2, 3, 4], handle)
    assert taken == [1, 2, 3, 4]


def test_an_event_that_fails_is_told_and_the_others_are_taken():
    taken = []

    def handle(number: int) -> None:
        if number == 2:
            raise ValueError("the second")
        taken.append(number)

    with pytest.raises(ValueError, match="the second"):
        handle_all([1, 2, 3], handle)
    assert taken == [1, 3]


def test_without_either_it_just_ends():
    taken = []
    handle_all("abc", taken.append)
    assert taken == ["a", "b", "c"]
