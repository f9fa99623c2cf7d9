"""Lengths of time in words: as a figure in a report, and for somebody who waits."""

from __future__ import annotations

import math

from rsam_core.runtime.language import _, ngettext, number


def duration(seconds: float) -> str:
    """A measured time with a fitting unit, to two figures."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"


def waiting_time(seconds: float) -> str:
    """How long something will take, for somebody who waits for it, in the language in use."""
    if seconds < 90:
        count = max(1, round(seconds))
        return ngettext("{count} second", "{count} seconds", count).format(count=count)
    return _("{count} minutes").format(count=number(seconds / 60, 1))
