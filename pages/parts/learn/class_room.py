"""Exercises, and the class board on which their results come in."""

from __future__ import annotations


def show(projector: bool) -> None:
    """Show this part."""
