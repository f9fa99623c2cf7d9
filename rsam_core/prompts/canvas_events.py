"""What the canvas in the browser reports: clicks, boxes and where one looks, checked and in order.

The browser and the program work side by side: the next click may come while the program is still
answering the last one. The canvas therefore numbers what happens on it and repeats everything
that was not acknowledged; whatever comes twice or late is taken once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from rsam_core.errors import PromptError
from rsam_core.prompts.prompt import MIN_BOX
from rsam_core.scene.coordinates import Viewport

EventKind = Literal["point", "box", "pick"]

_REMEMBERED = 8

MAX_EVENTS = 500
"""Events taken from one report; no hand makes more between two answers."""


@dataclass(frozen=True)
class CanvasEvent:
    """Something a person did on the canvas, in scene pixels.

    Attributes
    ----------
    number : int
        Position in the canvas's own count, from 1.
    kind : {"point", "box", "pick"}
        A click that prompts, a dragged box, or a click that selects what is under it.
    x, y, x1, y1 : float
        The click (twice), or the box's top-left and bottom-right corners.
    label : int
        1 include, 0 exclude; for a pick 1 means "in addition to what is selected".
    """

    number: int
    kind: EventKind
    x: float
    y: float
    x1: float
    y1: float
    label: int = 1


@dataclass(frozen=True)
class Acknowledged:
    """How far the events of each canvas in the browser were taken.

    Attributes
    ----------
    canvases : tuple of (str, int)
        Canvas and the last event taken of it, the latest canvas first. A page that is entered
        again has a new canvas, which starts to count anew; the browser may still repeat what
        an earlier one reported.
    """

    canvases: tuple[tuple[str, int], ...] = ()

    @property
    def latest(self) -> tuple[str, int]:
        """The canvas heard of last, and its last event taken."""
        return self.canvases[0] if self.canvases else ("", 0)

    def of(self, canvas: str) -> int:
        """The last event taken of a canvas, 0 if none was."""
        return dict(self.canvases).get(canvas, 0)

    def up_to(self, canvas: str, number: int) -> Acknowledged:
        """The same with a canvas's events taken up to a number."""
        others = tuple(known for known in self.canvases if known[0] != canvas)
        return Acknowledged(((canvas, number), *others)[:_REMEMBERED])


def read_events(
    report: Any, known: Acknowledged, width: int, height: int
) -> tuple[list[CanvasEvent], Acknowledged]:
    """Take the events that were not taken before.

    Parameters
    ----------
    report : Any
        What the canvas sent: ``{"canvas": str, "events": [{"n", "kind", "x", "y", ...}]}``.
        Anything malformed is left out, because it comes from outside.
    known : Acknowledged
    width, height : int
        Size of the scene; points outside are dropped, boxes cut to it.

    Returns
    -------
    events : list of CanvasEvent
        In order.
    acknowledged : Acknowledged
    """
    if not isinstance(report, dict) or not isinstance(report.get("events"), list):
        return [], known
    canvas = str(report.get("canvas", ""))[:40]
    last = known.of(canvas)
    found = []
    for raw in report["events"][:MAX_EVENTS]:
        number = _number(raw)
        if number is None or number <= last:
            continue
        last = number
        event = _event(raw, number, width, height)
        if event is not None:
            found.append(event)
    return found, known.up_to(canvas, last)


def _number(raw: Any) -> int | None:
    value = raw.get("n") if isinstance(raw, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _event(raw: dict[str, Any], number: int, width: int, height: int) -> CanvasEvent | None:
    kind = raw.get("kind")
    if kind not in ("point", "box", "pick"):
        return None
    names = ("x", "y", "x1", "y1") if kind == "box" else ("x", "y")
    values = [raw.get(name) for name in names]
    if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in values):
        return None
    label = 0 if raw.get("label") == 0 else 1
    if kind != "box":
        x, y = float(values[0]), float(values[1])
        if not (0 <= x <= width and 0 <= y <= height):
            return None
        return CanvasEvent(number, kind, x, y, x, y, label)
    x0, x1 = (min(max(float(v), 0.0), float(width)) for v in sorted((values[0], values[2])))
    y0, y1 = (min(max(float(v), 0.0), float(height)) for v in sorted((values[1], values[3])))
    if x1 <= x0 or y1 <= y0:
        return None
    (x0, x1), (y0, y1) = _at_least_a_pixel(x0, x1, width), _at_least_a_pixel(y0, y1, height)
    return CanvasEvent(number, "box", x0, y0, x1, y1)


def _at_least_a_pixel(low: float, high: float, limit: int) -> tuple[float, float]:
    """A side of a box; far zoomed in it may be drawn within one pixel, and then means that one."""
    if high - low >= MIN_BOX:
        return low, high
    first = min(math.floor((low + high) / 2), limit - MIN_BOX)
    return float(first), float(first + MIN_BOX)


def read_viewport(report: Any) -> Viewport | None:
    """Where the canvas looks, or None if the report makes no sense.

    Parameters
    ----------
    report : Any
        ``{"x", "y", "scale", "columns", "rows"}``: see `Viewport`.
    """
    names = ("x", "y", "scale", "columns", "rows")
    if not isinstance(report, dict):
        return None
    values = [report.get(name) for name in names]
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        return None
    try:
        return Viewport(*(float(v) for v in values[:3]), round(values[3]), round(values[4]))
    except (PromptError, OverflowError, ValueError):
        return None
