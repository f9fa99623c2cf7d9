"""What the canvas shows under the pointer, and what a page does about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rsam_core.prompts.canvas_events import CanvasEvent, OutlinesMessage, ProposedMessage


@dataclass(frozen=True)
class Hovering:
    """Outlines under the pointer.

    Attributes
    ----------
    take : callable
        Takes the proposal of an event, and returns False if it is none of those known now; the
        click then counts as any other.
    rest : callable
        Told where the pointer rests.
    proposals : ProposedMessage or None
        The proposals of the view.
    rests : bool
        Whether the page wants to know where the pointer rests.
    answer : OutlinesMessage or None
        What was found where it rested.
    """

    take: Callable[[CanvasEvent], bool]
    rest: Callable[[CanvasEvent], None]
    proposals: ProposedMessage | None = None
    rests: bool = False
    answer: OutlinesMessage | None = None
