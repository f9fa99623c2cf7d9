"""Numbers as a report or a terminal shows them; a dash where there is none."""

from __future__ import annotations

import math

from rsam_core.runtime.durations import duration


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """A number, or a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def span(
    value: float | None, low: float | None, high: float | None, *, signed: bool = False
) -> str:
    """A value with its interval."""
    text = number(value, signed=signed)
    if low is None or not math.isfinite(low):
        return text
    return f"{text} [{number(low, signed=signed)}, {number(high, signed=signed)}]"


def clock(seconds: float | None) -> str:
    """A time, or a dash where none was measured."""
    if seconds is None or not math.isfinite(seconds) or seconds < 5e-5:
        return "–"
    return duration(seconds)


def percent(share: float | None, digits: int = 0) -> str:
    """A share of 1 in percent, or a dash."""
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.{digits}f} %"
