"""Lengths of time in words: as a figure in a report, and for somebody who waits."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """A measured time with a fitting unit, to two figures."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"


def waiting_time(seconds: float) -> str:
    """How long something will take, for somebody who waits for it."""
    if seconds < 90:
        count = max(1, round(seconds))
        return f"{count} second{'s' if count != 1 else ''}"
    return f"{seconds / 60:.1f} minutes"
