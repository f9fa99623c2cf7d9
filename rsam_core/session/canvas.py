"""What the canvas shows, and how far its events were taken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rsam_core.prompts.canvas_events import Acknowledged, CanvasEvent, read_events
from rsam_core.prompts.superpixel_painting import Painting
from rsam_core.scene.coordinates import Viewport


@dataclass
class CanvasState:
    """The canvas of a session.

    Attributes
    ----------
    viewport : Viewport or None
        What the canvas shows; None until the browser has told.
    look_at : tuple or None
        Where the canvas shall look next: a running number and x0, y0, x1, y1 in scene pixels.
    acknowledged : Acknowledged
        How far the events of the canvas were taken.
    painting : Painting or None
        Patches of the picture that clicks choose, while an area is painted.
    """

    viewport: Viewport | None = None
    look_at: tuple[int, float, float, float, float] | None = None
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    painting: Painting | None = None
    handling: threading.RLock = field(default_factory=threading.RLock, repr=False)
    """Held from the taking of events until all of them are handled, so that two threads of the
    page handle them in their order: what a click means may depend on the one before."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, report: Any, width: int, height: int) -> list[CanvasEvent]:
        """The events of a report that were not taken yet: each is handed out once.

        Parameters
        ----------
        report : Any
            What the canvas has sent; see `rsam_core.prompts.canvas_events.read_events`.
        width, height : int
            Size of the scene.
        """
        with self._lock:
            events, self.acknowledged = read_events(report, self.acknowledged, width, height)
            return events

    def paint(self, change: Callable[[Painting], Painting]) -> bool:
        """Change the painting as it is now; whether there is one."""
        with self._lock:
            if self.painting is None:
                return False
            self.painting = change(self.painting)
            return True

    def look(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Let the canvas look at a part of the scene."""
        number = self.look_at[0] + 1 if self.look_at else 1
        self.look_at = (number, x0, y0, x1, y1)

    def reset(self) -> None:
        """Look at a scene of another size; events of the canvas are numbered on."""
        self.viewport, self.look_at, self.painting = None, None, None
