"""The invented place: every object in metres, before any pixel is drawn.

Coordinates are metres in the image frame: x right, y down, origin at the picture's top-left
corner. Nothing here depends on the ground sample distance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from shapely import get_parts
from shapely.geometry.base import BaseGeometry

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Patch:
    """A flat area of the ground: lawn, field, road, water, ...

    Attributes
    ----------
    geometry : shapely geometry
        Polygon or multipolygon in metres.
    material : str
        Name of a material of :mod:`rsam_core.samples.ground`.
    colour : tuple of float
        Mean colour, RGB from 0 to 255.
    cls : str or None
        Class of the instance; None leaves the area unlabelled.
    angle : float
        Direction of rows, radians from the x axis.
    period : float
        Distance between rows, metres.
    height : float
        Height above the ground, metres.
    """

    geometry: BaseGeometry
    material: str
    colour: Colour
    cls: str | None = None
    angle: float = 0.0
    period: float = 1.0
    height: float = 0.0


@dataclass(frozen=True)
class Wing:
    """One rectangular wing of a building; a roof is the highest of its wings at each point.

    ``half_length`` runs along ``angle`` (the ridge), ``half_width`` across it. ``kind`` is
    "gable", "hip", "shed", "flat" or "vault"; ``eave`` is the height of the gutter and
    ``slope`` the tangent of the pitch.
    """

    x: float
    y: float
    half_length: float
    half_width: float
    angle: float
    kind: str = "gable"
    eave: float = 3.0
    slope: float = 0.6

    def corners(self, grow: float = 0.0) -> np.ndarray:
        """Corners of the rectangle, shape (4, 2), metres."""
        a, b = self.half_length + grow, self.half_width + grow
        return rectangle(self.x, self.y, a, b, self.angle)


@dataclass(frozen=True)
class Fitting:
    """A small box on a roof: chimney, air conditioner, skylight, solar panel."""

    x: float
    y: float
    half_length: float
    half_width: float
    angle: float
    height: float
    colour: Colour


@dataclass(frozen=True)
class Roof:
    """A building seen from above: wings, covering and fittings."""

    wings: tuple[Wing, ...]
    covering: str
    colour: Colour
    fittings: tuple[Fitting, ...] = ()
    seed: int = 0
    wear: float = 0.3


@dataclass(frozen=True)
class Vehicle:
    """A car, truck, container or boat; ``kind`` is also the class of its instance."""

    x: float
    y: float
    length: float
    width: float
    angle: float
    colour: Colour
    kind: str = "car"
    seed: int = 0


@dataclass(frozen=True)
class Tree:
    """A crown of ``radius`` metres; ``kind`` is "broadleaf", "conifer", "palm" or "bush"."""

    x: float
    y: float
    radius: float
    height: float
    colour: Colour
    kind: str = "broadleaf"
    seed: int = 0


@dataclass
class World:
    """All objects of a place, in drawing order within each list."""

    width: float
    height: float
    patches: list[Patch] = field(default_factory=list)
    roads: list[Patch] = field(default_factory=list)
    marks: list[Patch] = field(default_factory=list)
    roofs: list[Roof] = field(default_factory=list)
    vehicles: list[Vehicle] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    overlays: list[Patch] = field(default_factory=list)


def rectangle(x: float, y: float, a: float, b: float, angle: float) -> np.ndarray:
    """Corners of a rotated rectangle with half sides `a` and `b`, shape (4, 2)."""
    c, s = np.cos(angle), np.sin(angle)
    u = np.array([-a, a, a, -a])
    v = np.array([-b, -b, b, b])
    return np.stack([x + u * c - v * s, y + u * s + v * c], axis=1)


class Occupancy:
    """A coarse raster that remembers what ground is taken, so that objects do not collide."""

    ROAD, ROOF, PAVED, WATER, FIELD = 1, 2, 4, 8, 16
    HARD = ROAD | ROOF | PAVED | WATER

    def __init__(self, width: float, height: float, margin: float = 40.0, cell: float = 0.5):
        self.margin, self.cell = margin, cell
        shape = (int((height + 2 * margin) / cell) + 1, int((width + 2 * margin) / cell) + 1)
        self.grid = np.zeros(shape, np.uint8)

    def _cells(self, points: np.ndarray) -> np.ndarray:
        return np.round((np.asarray(points) + self.margin) / self.cell - 0.5).astype(np.int32)

    def fill(self, corners: np.ndarray, code: int) -> None:
        """Mark a convex or simple polygon, shape (n, 2), metres."""
        cells = self._cells(corners)
        low = np.maximum(cells.min(0) - 1, 0)
        high = np.minimum(cells.max(0) + 2, self.grid.shape[::-1])
        if (high <= low).any():
            return
        stamp = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        cv2.fillPoly(stamp, [cells - low.astype(np.int32)], 1)
        self.grid[low[1] : high[1], low[0] : high[0]] |= stamp * np.uint8(code)

    def fill_geometry(self, geometry: BaseGeometry, code: int) -> None:
        """Mark every polygon of a shapely geometry, holes left free."""
        stamp = np.zeros_like(self.grid)
        for part in get_parts(geometry):
            if part.geom_type != "Polygon" or part.is_empty:
                continue
            rings: Iterable = [part.exterior, *part.interiors]
            cv2.fillPoly(stamp, [self._cells(np.asarray(r.coords)) for r in rings], 1)
        self.grid |= stamp * np.uint8(code)

    def taken(self, corners: np.ndarray, code: int) -> bool:
        """Whether any cell of the polygon carries one of the bits of `code`."""
        cells = self._cells(corners)
        low = np.maximum(cells.min(0), 0)
        high = np.minimum(cells.max(0) + 1, self.grid.shape[::-1])
        if (high <= low).any():
            return True
        stamp = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        cv2.fillPoly(stamp, [cells - low.astype(np.int32)], 1)
        window = self.grid[low[1] : high[1], low[0] : high[0]]
        return bool(((window & code) != 0)[stamp > 0].any())

    def at(self, x: float, y: float) -> int:
        """Bits at one place; everything outside the raster counts as taken."""
        column, row = self._cells(np.array([[x, y]]))[0]
        if 0 <= row < self.grid.shape[0] and 0 <= column < self.grid.shape[1]:
            return int(self.grid[row, column])
        return 255
