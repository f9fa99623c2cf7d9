"""The one place where canvas, view and scene coordinates are converted.

All coordinates are continuous: x to the right, y down, origin at the top-left corner of the
top-left pixel. Three frames nest:

- **scene**: full-resolution pixels of the opened image; everything stored is in these;
- **view**: pixels of the picture that the model encodes, which shows a window of the scene;
- **canvas**: pixels of the picture on the screen, which shows the same window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import PromptError
from rsam_core.prompts import Prompt

LONGEST_VIEW = 2048
"""Longest side of a view in pixels; a larger window is shrunk to it before encoding."""


@dataclass(frozen=True)
class Frame:
    """A picture of ``columns`` × ``rows`` pixels that shows a window of the scene.

    Parameters
    ----------
    x, y, width, height : float
        The window in scene pixels.
    columns, rows : int
        Size of the picture in its own pixels.
    """

    x: float
    y: float
    width: float
    height: float
    columns: int
    rows: int

    def __post_init__(self) -> None:
        if min(self.width, self.height) <= 0 or min(self.columns, self.rows) < 1:
            raise PromptError("A view needs a size above zero. Open the image again.")

    @property
    def scale(self) -> tuple[float, float]:
        """Picture pixels per scene pixel, along x and y."""
        return self.columns / self.width, self.rows / self.height

    def to_scene(self, points: ArrayLike) -> NDArray[np.float64]:
        """Picture coordinates (..., 2) to scene coordinates."""
        return np.asarray(points, float) / self.scale + (self.x, self.y)

    def from_scene(self, points: ArrayLike) -> NDArray[np.float64]:
        """Scene coordinates (..., 2) to picture coordinates."""
        return (np.asarray(points, float) - (self.x, self.y)) * self.scale

    def prompt_from_scene(self, prompt: Prompt) -> Prompt:
        """A prompt in scene pixels as the model needs it, in picture pixels."""
        sx, sy = self.scale
        return prompt.moved(self.scale, (-self.x * sx, -self.y * sy))

    def resized(self, columns: int, rows: int) -> Frame:
        """The same window in a picture of another size."""
        return Frame(self.x, self.y, self.width, self.height, columns, rows)


def view_frame(width: int, height: int, longest: int = LONGEST_VIEW) -> Frame:
    """The view of a whole scene: native resolution, or shrunk so that its longest side fits."""
    shrink = min(1.0, longest / max(width, height))
    return Frame(0, 0, width, height, max(1, round(width * shrink)), max(1, round(height * shrink)))


def canvas_frame(view: Frame, columns: int, tallest: int = 10_000) -> Frame:
    """The view's window on a canvas at most ``columns`` wide and ``tallest`` high."""
    scale = min(columns / view.width, tallest / view.height)
    return view.resized(max(1, round(view.width * scale)), max(1, round(view.height * scale)))


POINT_RADIUS, POINT_STROKE, BOX_STROKE = 5, 2, 2

SMALLEST_DRAWN_BOX = 2.0 * BOX_STROKE + 1.0
"""A box shorter than this on the canvas, in pixels, is a slip of the mouse: however little the
mouse moves, the component draws two stroke widths."""


@dataclass(frozen=True)
class CanvasMark:
    """A click or a box that was drawn on the canvas, in canvas pixels.

    Attributes
    ----------
    kind : str
        ``"point"`` or ``"box"``.
    x, y : float
        The click, or the box's top-left corner.
    x1, y1 : float
        The box's bottom-right corner; equal to x, y for a click.
    label : int
        1 for the object, 0 for what is not the object.
    """

    kind: str
    x: float
    y: float
    x1: float
    y1: float
    label: int = 1

    @property
    def slip(self) -> bool:
        """Whether it is a box too small to have been drawn on purpose."""
        return self.kind == "box" and min(self.x1 - self.x, self.y1 - self.y) < SMALLEST_DRAWN_BOX

    def near(self, other: CanvasMark, tolerance: float = 0.75) -> bool:
        """Whether two marks are the same but for rounding in the browser."""
        return (
            self.kind == other.kind
            and self.label == other.label
            and max(
                abs(self.x - other.x),
                abs(self.y - other.y),
                abs(self.x1 - other.x1),
                abs(self.y1 - other.y1),
            )
            <= tolerance
        )


INCLUDE_COLOUR, EXCLUDE_COLOUR, BOX_COLOUR = "#12b76a", "#e5383b", "#ffd166"
"""Outline colours on the canvas; a point's colour is what tells its label."""


def read_canvas(drawing: dict | None, columns: int, rows: int) -> list[CanvasMark]:
    """Turn the canvas component's Fabric drawing into clicks and boxes.

    Parameters
    ----------
    drawing : dict or None
        ``json_data`` of ``streamlit_drawable_canvas.st_canvas``.
    columns, rows : int
        Size of the canvas; boxes are cut to it, clicks outside are dropped.

    Returns
    -------
    list of CanvasMark
        In drawing order. Boxes without area are left out.

    Notes
    -----
    A point is a circle whose left-most edge lies at ``left``, outline included, so that the
    click is at ``left + radius + strokeWidth / 2``; its ``top`` is the click's y because the
    component centres it vertically. A resized shape keeps its width and has a scale, and one
    dragged past its own corner comes back with a negative size.
    """
    marks = []
    for shape in (drawing or {}).get("objects", []):
        kind = str(shape.get("type", "")).lower()
        if kind == "circle":
            mark = _read_point(shape)
            inside = 0 <= mark.x <= columns and 0 <= mark.y <= rows
        elif kind in ("rect", "labeledrect"):
            mark = _read_box(shape, columns, rows)
            inside = min(mark.x1 - mark.x, mark.y1 - mark.y) > 0
        else:
            continue
        if inside:
            marks.append(mark)
    return marks


def _origin(shape: dict, key: str, low: str, high: str) -> float:
    return {low: 0.0, "center": 0.5, high: 1.0}.get(shape.get(key, low), 0.0)


def _read_point(shape: dict) -> CanvasMark:
    stroke = float(shape.get("strokeWidth", 0))
    reach_x = float(shape.get("radius", 0)) * float(shape.get("scaleX", 1)) + stroke / 2
    reach_y = float(shape.get("radius", 0)) * float(shape.get("scaleY", 1)) + stroke / 2
    # From the named origin of the outlined circle to its centre.
    x = float(shape["left"]) + reach_x * (1 - 2 * _origin(shape, "originX", "left", "right"))
    y = float(shape["top"]) + reach_y * (1 - 2 * _origin(shape, "originY", "top", "bottom"))
    label = 0 if str(shape.get("stroke", "")).lower() == EXCLUDE_COLOUR else 1
    return CanvasMark("point", x, y, x, y, label)


def _read_box(shape: dict, columns: int, rows: int) -> CanvasMark:
    width = float(shape.get("width", 0)) * float(shape.get("scaleX", 1))
    height = float(shape.get("height", 0)) * float(shape.get("scaleY", 1))
    left = float(shape["left"]) - _origin(shape, "originX", "left", "right") * width
    top = float(shape["top"]) - _origin(shape, "originY", "top", "bottom") * height
    x0, x1 = sorted((left, left + width))
    y0, y1 = sorted((top, top + height))
    x0, x1 = (min(max(v, 0.0), float(columns)) for v in (x0, x1))
    y0, y1 = (min(max(v, 0.0), float(rows)) for v in (y0, y1))
    return CanvasMark("box", x0, y0, x1, y1)


def draw_canvas(marks: list[CanvasMark]) -> dict:
    """The Fabric drawing that shows marks; `read_canvas` reads it back."""
    objects = []
    for mark in marks:
        if mark.kind == "point":
            colour = INCLUDE_COLOUR if mark.label else EXCLUDE_COLOUR
            objects.append(
                {
                    "type": "Circle",
                    "originX": "left",
                    "originY": "center",
                    "left": mark.x - POINT_RADIUS - POINT_STROKE / 2,
                    "top": mark.y,
                    "radius": POINT_RADIUS,
                    "fill": colour + "b0",
                    "stroke": colour,
                    "strokeWidth": POINT_STROKE,
                }
            )
        else:
            objects.append(
                {
                    "type": "Rect",
                    "originX": "left",
                    "originY": "top",
                    "left": mark.x,
                    "top": mark.y,
                    "width": mark.x1 - mark.x,
                    "height": mark.y1 - mark.y,
                    "fill": "rgba(0,0,0,0)",
                    "stroke": BOX_COLOUR,
                    "strokeWidth": BOX_STROKE,
                }
            )
    return {"objects": objects}


@dataclass(frozen=True)
class MarkChange:
    """How the marks on the canvas differ from those known before.

    Attributes
    ----------
    kept : list of (int, int)
        Pairs (old position, new position) of marks that are still there, moved or not.
    removed : list of int
        Old positions that are gone.
    added : list of int
        New positions that were not there.
    """

    kept: list[tuple[int, int]]
    removed: list[int]
    added: list[int]


def compare_marks(old: list[CanvasMark], new: list[CanvasMark]) -> MarkChange:
    """Match the marks of two readings of the canvas, in order.

    Unchanged marks pair up first; then a mark that moved pairs with the one at the same place
    in the order if as many are missing as are new (a shape that was dragged or resized). A
    point never pairs with one of the other label: that is a new click after an undone one.
    """
    kept: list[tuple[int, int]] = []
    left = list(range(len(new)))
    removed = []
    for i, mark in enumerate(old):
        match = next((j for j in left if mark.near(new[j])), None)
        if match is None:
            removed.append(i)
        else:
            left.remove(match)
            kept.append((i, match))
    if removed and len(removed) == len(left):
        pairs = [
            (i, j)
            for i, j in zip(removed, left)
            if (old[i].kind, old[i].label) == (new[j].kind, new[j].label)
        ]
        kept += pairs
        removed = [i for i in removed if i not in {p[0] for p in pairs}]
        left = [j for j in left if j not in {p[1] for p in pairs}]
    return MarkChange(sorted(kept), removed, left)
