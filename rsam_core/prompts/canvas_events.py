"""What the canvas in the browser reports: clicks, boxes and where one looks, checked and in order.

The browser and the program work side by side: the next click may come while the program is still
answering the last one. The canvas therefore numbers what happens on it and repeats everything
that was not acknowledged; whatever comes twice or late is taken once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict, get_args

from rsam_core.errors import PromptError
from rsam_core.prompts.prompt import MIN_BOX
from rsam_core.scene.coordinates import Viewport

EventKind = Literal["point", "box", "pick", "take", "hover"]
_KINDS = get_args(EventKind)

_REMEMBERED = 8

MAX_EVENTS = 500
"""Events taken from one report; no hand makes more between two answers."""


# What canvas and program tell each other, as in the canvas's types.js; a test compares the keys.


class LayerMessage(TypedDict):
    """A picture and the box of the scene that it shows."""

    url: str
    box: list[float]
    smooth: bool
    """Whether it is smoothed where it is enlarged."""
    region: NotRequired[list[float]]
    """Of the objects: the part of the scene in which they were drawn."""


class OutlinesMessage(TypedDict):
    """Outlines in a file of their own, fetched once."""

    url: str
    key: str
    """Another one for other outlines."""


class ProposedMessage(TypedDict):
    """The proposals of the view, one of which is shown under the pointer."""

    url: str
    key: str
    taken: list[int]
    """Numbers of those that are objects already."""
    current: int | None
    """The one that the current object is."""


class MarkMessage(TypedDict):
    """A click or a box that is drawn."""

    kind: str
    x: float
    y: float
    x1: NotRequired[float]
    y1: NotRequired[float]
    label: NotRequired[int]


class PlaceMessage(TypedDict):
    """Where the scene lies on Earth; see `rsam_core.scene.compass`."""

    grid: list[list[float]]
    """Longitude and latitude of places spread evenly over the scene, row by row."""
    north: float
    """Degrees clockwise from the top."""


class CanvasData(TypedDict):
    """What the program sends; boxes are x0, y0, x1, y1 in scene pixels."""

    token: str
    """Another one means another scene."""
    scene: list[float]
    """Its width and height."""
    gsd: float | None
    """Metres a scene pixel."""
    height: int
    """Of the canvas in CSS pixels."""
    mode: str
    """What a click or a drag means: "points", "boxes", "select" or "look"."""
    label: int
    """1 for include, 0 for exclude points."""
    pictures: list[LayerMessage]
    """From below."""
    overlay: LayerMessage | None
    """The objects."""
    extra: LayerMessage | None
    """A further layer, above the objects."""
    drawn: list[float] | None
    """Where the objects were drawn."""
    view: list[float]
    """The window that the model looks at."""
    marks: list[MarkMessage]
    """Of the current object."""
    canvas: str
    """The canvas heard of last."""
    ack: int
    """Its last event that was taken."""
    look: list[float] | None
    """Where to look next: a running number and a box."""
    badge: str
    """A line on the canvas."""
    camera: list[float] | None
    """Where the last canvas looked: x, y, scale, columns, rows."""
    proposals: ProposedMessage | None
    rests: bool
    """Whether to tell where the pointer rests, if there is no proposal."""
    answer: OutlinesMessage | None
    """What was found where the pointer rested."""
    place: PlaceMessage | None
    """None where the scene has no place on Earth."""


class EventMessage(TypedDict):
    """Something a person did, as the canvas tells it."""

    n: int
    """Position in the canvas's own count, from 1."""
    kind: str
    x: float
    y: float
    x1: NotRequired[float]
    """Of a box: the opposite corner, on whichever side."""
    y1: NotRequired[float]
    label: NotRequired[int]
    """Of a point and a pick."""
    of: NotRequired[str]
    """Of a taken proposal: the name of its list."""
    proposal: NotRequired[int]
    """Its number."""


class ViewportMessage(TypedDict):
    """What the canvas shows: its top-left corner in the scene, and its size in CSS pixels."""

    x: float
    y: float
    scale: float
    columns: float
    rows: float


class ReportMessage(TypedDict):
    """What the program is told."""

    canvas: str
    """Name of this canvas."""
    events: list[EventMessage]
    """All that were not acknowledged yet."""
    viewport: ViewportMessage
    stamp: float
    """Makes each report another one."""


@dataclass(frozen=True)
class CanvasEvent:
    """Something a person did on the canvas, in scene pixels.

    Attributes
    ----------
    number : int
        Position in the canvas's own count, from 1.
    kind : {"point", "box", "pick", "take", "hover"}
        A click that prompts, a dragged box, a click that selects what is under it, a click that
        takes the proposal under it, or a pointer that rests where there is none.
    x, y, x1, y1 : float
        The place (twice), or the box's top-left and bottom-right corners.
    label : int
        1 include, 0 exclude; for a pick 1 means "in addition to what is selected".
    of : str
        Of a taken proposal: the key of its list.
    proposal : int
        Its place in that list, from 0.
    """

    number: int
    kind: EventKind
    x: float
    y: float
    x1: float
    y1: float
    label: int = 1
    of: str = ""
    proposal: int = 0


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
    if kind not in _KINDS:
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
        if kind != "take":
            return CanvasEvent(number, kind, x, y, x, y, label)
        of, proposal = raw.get("of"), raw.get("proposal")
        if not isinstance(of, str) or type(proposal) is not int or proposal < 0:
            return None
        return CanvasEvent(number, "take", x, y, x, y, 1, of[:40], proposal)
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
