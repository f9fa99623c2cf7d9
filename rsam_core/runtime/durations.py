"""Times told to people."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Time with a fitting unit."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
