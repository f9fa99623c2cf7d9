"""What the canvas shows, and how far its events were taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from rsam_core.canvas_events import Acknowledged
from rsam_core.coordinates import Viewport
from rsam_core.painting import Painting


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

    def look(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Let the canvas look at a part of the scene."""
        number = self.look_at[0] + 1 if self.look_at else 1
        self.look_at = (number, x0, y0, x1, y1)

    def reset(self) -> None:
        """Look at a scene of another size; events of the canvas are numbered on."""
        self.viewport, self.look_at, self.painting = None, None, None
