"""A turned square made of pixels, and three answers to how long its outline is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.objects import palette
from rsam_core.objects.ground_sizes import ground_perimeters
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.ground_scale import Ground

SIDE = 20.0
"""Of the square, in metres."""
SIZES = (0.25, 0.5, 1.0, 2.0)
"""Sides of a pixel in metres."""
ANGLES = 0, 45
_ROOM = 32.0
_SCALE = 16
_INSIDE = (196, 224, 217)
_STAIRS = palette.to_rgb(palette.FALSE_POSITIVE)
_TRUE = (29, 78, 216)


@dataclass(frozen=True)
class Perimeters:
    """How long an outline is, in metres.

    Attributes
    ----------
    true : float
        Of the square.
    edges : float
        Of all edges of pixels between inside and outside, added up.
    measured : float
        By RSAM.
    """

    true: float
    edges: float
    measured: float

    @property
    def edges_error(self) -> float:
        """Share by which the edges are too long."""
        return self.edges / self.true - 1

    @property
    def measured_error(self) -> float:
        """Share by which RSAM's answer is too long; too short below 0."""
        return self.measured / self.true - 1


def square(angle: float, gsd: float) -> NDArray[np.bool_]:
    """The pixels whose centres lie in a square of 20 m that is turned by `angle` degrees."""
    count = round(_ROOM / gsd)
    at = (np.arange(count) + 0.5) * gsd - _ROOM / 2
    x, y = np.meshgrid(at, at)
    turn = np.radians(angle)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return (np.abs(along) < SIDE / 2) & (np.abs(across) < SIDE / 2)


def edges(mask: NDArray[np.bool_]) -> int:
    """How many edges of pixels lie between inside and outside."""
    framed = np.pad(mask, 1)
    return sum(int(np.count_nonzero(np.diff(framed.view(np.uint8), axis=axis))) for axis in (0, 1))


@lru_cache(maxsize=512)
def perimeters(angle: float, gsd: float) -> Perimeters:
    """The outline of the turned square in pixels of a size, measured in three ways."""
    mask = square(angle, gsd)
    one = Instances([Instance(mask)], mask.shape)
    measured = float(ground_perimeters(one, Ground.square(gsd))[0])
    return Perimeters(4 * SIDE, edges(mask) * gsd, measured)


@lru_cache(maxsize=64)
def picture(angle: float, gsd: float) -> NDArray[np.uint8]:
    """The pixels, the staircase around them in orange, and the square in blue, (512, 512, 3)."""
    side = round(_ROOM * _SCALE)
    cell = round(gsd * _SCALE)
    mask = square(angle, gsd)
    large = np.repeat(np.repeat(mask, cell, 0), cell, 1)
    shown = np.full((side, side, 3), 255, np.uint8)
    shown[large] = _INSIDE
    if cell >= 8:
        shown[::cell] = shown[::cell] // 8 * 7
        shown[:, ::cell] = shown[:, ::cell] // 8 * 7
    for x0, y0, x1, y1 in _steps(mask):
        ends = (x0 * cell, y0 * cell), (x1 * cell, y1 * cell)
        cv2.line(shown, *ends, _STAIRS, 3)
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * SIDE / 2 @ rotation
    points = np.round((corners + _ROOM / 2) * _SCALE * 16).astype(np.int32)
    cv2.polylines(shown, [points], True, _TRUE, 2, cv2.LINE_AA, shift=4)
    return shown


def _steps(mask: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Each edge between inside and outside, from x0, y0 to x1, y1 in pixels."""
    framed = np.pad(mask, 1).view(np.uint8)
    found = []
    for row, column in np.argwhere(np.diff(framed, axis=0)):
        found.append((column - 1, row, column, row))
    for row, column in np.argwhere(np.diff(framed, axis=1)):
        found.append((column, row - 1, column, row))
    return [tuple(int(v) for v in step) for step in found]
