"""The one place where screen, view and scene coordinates are converted.

All coordinates are continuous: x to the right, y down, origin at the top-left corner of the
top-left pixel. Three frames nest:

- **scene**: full-resolution pixels of the opened image; everything stored is in these;
- **view**: pixels of the picture that the model encodes, which shows a window of the scene;
- **screen**: CSS pixels of the canvas in the browser, which shows any part of the scene.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import PromptError

MAX_VIEW = 2048
"""Longest side of a view in pixels; a larger window is shrunk to it before encoding."""

SHORTEST_VIEW = 1024
"""A view of a larger scene shows at least so many pixels, so that a little panning stays in it."""

_STEP = 256
"""Views of large scenes start at multiples of this many of their pixels, so that one that was
left and comes back is found in the cache."""


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

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Edges x0, y0, x1, y1 of the window in scene pixels."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def to_scene(self, points: ArrayLike) -> NDArray[np.float64]:
        """Picture coordinates (..., 2) to scene coordinates."""
        return np.asarray(points, float) / self.scale + (self.x, self.y)

    def from_scene(self, points: ArrayLike) -> NDArray[np.float64]:
        """Scene coordinates (..., 2) to picture coordinates."""
        return (np.asarray(points, float) - (self.x, self.y)) * self.scale

    def contains(
        self, x: float, y: float, x1: float | None = None, y1: float | None = None
    ) -> bool:
        """Whether the window holds a point, or a whole box, of the scene."""
        left, top, right, bottom = self.bounds
        x1, y1 = x if x1 is None else x1, y if y1 is None else y1
        return left <= x and x1 <= right and top <= y and y1 <= bottom


def view_frame(width: int, height: int, longest: int = MAX_VIEW) -> Frame:
    """The view of a whole scene: native resolution, or shrunk so that its longest side fits."""
    shrink = min(1.0, longest / max(width, height))
    return Frame(0, 0, width, height, max(1, round(width * shrink)), max(1, round(height * shrink)))


@dataclass(frozen=True)
class Viewport:
    """The part of a scene that the canvas on the screen shows; it may reach beyond the scene.

    Parameters
    ----------
    x, y : float
        Scene pixels at the top-left corner of the canvas.
    scale : float
        Screen pixels per scene pixel: above 1 the scene is enlarged.
    columns, rows : int
        Size of the canvas in CSS pixels.

    Raises
    ------
    PromptError
        If a number is not finite or not positive where it must be.
    """

    x: float
    y: float
    scale: float
    columns: int
    rows: int

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.scale, self.columns, self.rows)
        if not all(math.isfinite(v) for v in numbers) or min(numbers[2:]) <= 0:
            raise PromptError("The view has lost its place. Press “Fit” to see the whole image.")

    @classmethod
    def fitting(cls, width: int, height: int, columns: int, rows: int) -> Viewport:
        """The whole scene in the middle of the canvas."""
        scale = min(columns / width, rows / height)
        return cls((width - columns / scale) / 2, (height - rows / scale) / 2, scale, columns, rows)

    def fits(self, width: int, height: int) -> bool:
        """Whether the canvas shows a scene of that size whole and as large as it can."""
        return math.isclose(self.scale, min(self.columns / width, self.rows / height), rel_tol=0.01)

    @property
    def width(self) -> float:
        """Scene pixels across the canvas."""
        return self.columns / self.scale

    @property
    def height(self) -> float:
        """Scene pixels down the canvas."""
        return self.rows / self.scale

    def within(self, width: int, height: int, margin: float = 0.0) -> Frame | None:
        """What of a scene of ``width`` × ``height`` pixels is on the screen, as a screen picture.

        Parameters
        ----------
        width, height : int
            Size of the scene.
        margin : float
            How much further the picture reaches on each side, as a share of the canvas, so that
            a little panning shows no empty border.

        Returns
        -------
        Frame or None
            Its window is of whole scene pixels; None where the scene is out of sight.
        """
        dx, dy = margin * self.width, margin * self.height
        x0, y0 = max(0, math.floor(self.x - dx)), max(0, math.floor(self.y - dy))
        x1 = min(width, math.ceil(self.x + self.width + dx))
        y1 = min(height, math.ceil(self.y + self.height + dy))
        if x1 <= x0 or y1 <= y0:
            return None
        columns = max(1, round((x1 - x0) * self.scale))
        rows = max(1, round((y1 - y0) * self.scale))
        return Frame(x0, y0, x1 - x0, y1 - y0, columns, rows)


def choose_view(
    width: int, height: int, viewport: Viewport | None, present: Frame | None = None
) -> Frame:
    """Choose what the model sees, given what the user sees.

    A scene that fits into one view is always seen whole, so that no answer depends on zooming.
    Of a larger one the model sees a window around the screen: at native resolution when at least
    half a screen pixel is spent on a scene pixel, otherwise reduced by a power of two. The
    present view stays as long as it holds what is on the screen at about the right resolution.

    Parameters
    ----------
    width, height : int
        Size of the scene in pixels.
    viewport : Viewport or None
        What is on the screen; None shows everything.
    present : Frame, optional
        The view so far.

    Returns
    -------
    Frame
    """
    whole = view_frame(width, height)
    if viewport is None or whole.scale == (1.0, 1.0):
        return whole
    region = viewport.within(width, height)
    if region is None:
        return whole
    needed = math.log2(max(region.width, region.height) / MAX_VIEW)
    level = max(0, math.floor(math.log2(1 / viewport.scale) + 1e-9), math.ceil(needed))
    if level >= math.log2(max(width, height) / MAX_VIEW):
        return whole
    if present is not None and present.contains(*region.bounds):
        finer = present.scale[0] / viewport.scale
        native = present.scale[0] == 1.0
        if finer <= 2.4 and (finer >= 0.85 or native):
            return present
    return _window(width, height, region, 2**level)


def _window(width: int, height: int, region: Frame, factor: int) -> Frame:
    """A view around a region, reduced by a factor, on the grid of possible views."""
    grid = _STEP * factor

    def span(start: float, length: float, limit: int) -> tuple[int, int]:
        size = min(max(length * 1.25, SHORTEST_VIEW * factor), MAX_VIEW * factor)
        size = min(math.ceil(size / grid) * grid, MAX_VIEW * factor)
        if size >= limit:
            return 0, limit
        first = round((start + length / 2 - size / 2) / grid) * grid
        # On the grid the window may miss an end of the region; the region comes first.
        first = max(min(first, round(start)), round(start + length) - size)
        first = min(max(first, 0), limit - size)
        return first, size

    x, w = span(region.x, region.width, width)
    y, h = span(region.y, region.height, height)
    return Frame(x, y, w, h, max(1, round(w / factor)), max(1, round(h / factor)))
