"""How long something will take, in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time as it is told to somebody who waits for it."""
    if seconds < 90:
        count = max(1, round(seconds))
        return f"{count} second{'s' if count != 1 else ''}"
    return f"{seconds / 60:.1f} minutes"
