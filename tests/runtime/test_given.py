"""Values of any kind, as a message repeats them."""

from __future__ import annotations

import math

import pytest

from rsam_core.runtime.given import given, shortened


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "nothing"),
        (True, "true"),
        (7, "7"),
        (-12.5, "-12.5"),
        (math.nan, "not a number (NaN)"),
        (math.inf, "inf"),
        ("a", "“a”"),
        ("a\0b\n", "“a�b�”"),
        ([1, 2], "a list"),
        ([], "an empty list"),
        ({"a": 1}, "a group of entries"),
        (b"x", "something else"),
    ],
)
def test_each_kind_is_said_in_words(value: object, said: str) -> None:
    assert given(value) == said


def test_numbers_too_long_to_write_are_described() -> None:
    # Python itself refuses to write more than 4,300 digits.
    assert given(10**5000) == "a number of about 5,000 digits"
    assert given(10**11) == "100000000000"


def test_long_texts_are_shortened_in_the_middle() -> None:
    said = given("begin" + "x" * 10**6 + "end")
    assert len(said) == 42
    assert said.startswith("“begin")
    assert said.endswith("end”")
    assert shortened("x" * 40) == "x" * 40
    assert len(shortened("x" * 41)) == 40
