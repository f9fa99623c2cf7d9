"""What teachers prepare and print: plans and worksheets of the lessons."""

from __future__ import annotations


def show() -> None:
    """Show this part."""
