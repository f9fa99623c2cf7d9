"""Lengths of time in words."""

from __future__ import annotations

import math

import pytest

from rsam_core.runtime.durations import duration, waiting_time


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.00042, "0.42 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.1 s"),
        (1.26, "1.3 s"),
        (9.96, "10 s"),
        (432.4, "432 s"),
        (math.inf, "an unknown time"),
        (math.nan, "an unknown time"),
    ],
)
def test_measured_times_have_two_figures(seconds: float, words: str):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 second"), (1.4, "1 second"), (2.2, "2 seconds"), (89.4, "89 seconds"),
     (90, "1.5 minutes"), (3600, "60.0 minutes")],
)  # fmt: skip
def test_who_waits_is_told_seconds_or_minutes(seconds: float, words: str):
    assert waiting_time(seconds) == words
