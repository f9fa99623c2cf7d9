"""Squares of a picture around an object, for thumbnails."""

from __future__ import annotations


def start_within(start: int, side: int, length: int) -> int:
    """Return where a square of `side` starts so that it lies within `length`, if it fits."""
    if side > length:
        return (length - side) // 2
    return min(max(start, 0), length - side)
