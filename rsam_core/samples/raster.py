"""Drawing with area coverage: antialiased colour, and labels by the half-pixel rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from shapely import clip_by_rect, get_parts
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from rsam_core.samples.noise import NoiseField


def coverage(rings: list[np.ndarray], shape: tuple[int, int], sub: int = 4) -> np.ndarray:
    """Share of every pixel that lies inside the rings.

    Crossings of the edges with `sub` scan lines a row are accumulated with their sign and their
    exact position within the pixel, then summed along the row: exact horizontally, sampled
    vertically, and without the half-pixel growth of integer fillers.

    Parameters
    ----------
    rings : list of numpy.ndarray
        Each (n, 2), pixel coordinates; outer rings turn one way, holes the other.
    shape : tuple of int
        Rows and columns of the result.
    sub : int
        Scan lines a row.

    Returns
    -------
    numpy.ndarray
        Shape `shape`, float32, 0 to 1.
    """
    rows, columns = shape
    starts = np.concatenate([np.asarray(r, np.float64) for r in rings])
    ends = np.concatenate([np.roll(np.asarray(r, np.float64), -1, axis=0) for r in rings])
    sign = np.where(ends[:, 1] > starts[:, 1], 1.0, -1.0)
    upper = np.where((sign > 0)[:, None], starts, ends)
    lower = np.where((sign > 0)[:, None], ends, starts)
    first = np.clip(np.ceil(upper[:, 1] * sub - 0.5), 0, rows * sub).astype(np.int64)
    last = np.clip(np.ceil(lower[:, 1] * sub - 0.5), 0, rows * sub).astype(np.int64)
    count = np.maximum(last - first, 0)
    total = int(count.sum())
    if total == 0:
        return np.zeros(shape, np.float32)
    edge = np.repeat(np.arange(len(count)), count)
    line = np.arange(total) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    slope = (lower[:, 0] - upper[:, 0]) / np.maximum(lower[:, 1] - upper[:, 1], 1e-12)
    x = upper[edge, 0] + ((line + 0.5) / sub - upper[edge, 1]) * slope[edge]
    x = np.clip(x, 0.0, columns)
    column = np.floor(x).astype(np.int64)
    part = x - column
    index = (line // sub) * (columns + 2) + column
    weight = sign[edge] / sub
    size = rows * (columns + 2)
    steps = np.bincount(index, weight * (1.0 - part), size)
    steps += np.bincount(index + 1, weight * part, size + 1)[:size]
    filled = np.cumsum(steps.reshape(rows, columns + 2)[:, :columns], axis=1)
    return np.minimum(np.abs(filled), 1.0).astype(np.float32)


@dataclass(frozen=True)
class Window:
    """A rectangle of the canvas with the metre coordinates of its pixel centres."""

    slices: tuple[slice, slice]
    x: np.ndarray
    y: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return self.y.shape[0], self.x.shape[1]

    def local(self, x: float, y: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
        """Pixel centres in the axes of an object at (x, y) turned by `angle`."""
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = self.x - np.float32(x), self.y - np.float32(y)
        return dx * c + dy * s, dy * c - dx * s


class Canvas:
    """Colour, height, sunlight and labels of one picture.

    Parameters
    ----------
    width, height : int
    gsd : float
    seed : int
        Of the noise.
    origin : tuple of float
        Where the picture's top-left corner lies in the world, metres.

    Attributes
    ----------
    colour : numpy.ndarray
        (H, W, 3) float32, surface colour in display values from 0 to 1, before light.
    height : numpy.ndarray
        (H, W) float32, metres above the ground.
    sun : numpy.ndarray
        (H, W) float32, direct sunlight on the surface; 1 on level ground.
    labels : numpy.ndarray
        (H, W) int32.
    """

    def __init__(
        self,
        width: int,
        height: int,
        gsd: float,
        seed: int,
        origin: tuple[float, float] = (0.0, 0.0),
    ):
        self.gsd = gsd
        self.origin = origin
        self.shape = (height, width)
        self.colour = np.zeros((height, width, 3), np.float32)
        self.height = np.zeros((height, width), np.float32)
        self.sun = np.ones((height, width), np.float32)
        self.labels = np.zeros((height, width), np.int32)
        self.classes: dict[int, str] = {}
        self.noise = NoiseField(seed, self.shape, gsd)
        x, y = (np.arange(side, dtype=np.float32) + np.float32(0.5) for side in (width, height))
        self._x = (x * np.float32(gsd) + np.float32(origin[0]))[None, :]
        self._y = (y * np.float32(gsd) + np.float32(origin[1]))[:, None]

    def part(self, slices: tuple[slice, slice]) -> Canvas:
        """A copy of a part, with pixel (0, 0) at its own corner; noise is shared, not copied."""
        part = object.__new__(Canvas)
        part.gsd, part.origin = self.gsd, self.origin
        part.colour, part.height = self.colour[slices].copy(), self.height[slices].copy()
        part.sun, part.labels = self.sun[slices].copy(), self.labels[slices].copy()
        part.shape, part.classes = part.labels.shape, dict(self.classes)
        part.noise = self.noise
        height, width = part.shape
        part._x, part._y = self._x[:, :width], self._y[:height]
        return part

    def window(self, low: np.ndarray, high: np.ndarray, pad: float = 0.0) -> Window | None:
        """The part of the canvas that covers a rectangle in metres; None when outside."""
        margin = pad + self.gsd
        low, high = low - np.array(self.origin), high - np.array(self.origin)
        x0 = max(int(np.floor((low[0] - margin) / self.gsd)), 0)
        y0 = max(int(np.floor((low[1] - margin) / self.gsd)), 0)
        x1 = min(int(np.ceil((high[0] + margin) / self.gsd)), self.shape[1])
        y1 = min(int(np.ceil((high[1] + margin) / self.gsd)), self.shape[0])
        if x1 <= x0 or y1 <= y0:
            return None
        rows, columns = slice(y0, y1), slice(x0, x1)
        return Window((rows, columns), self._x[:, columns], self._y[rows])

    def new_label(self, cls: str) -> int:
        """Start an instance."""
        label = len(self.classes) + 1
        self.classes[label] = cls
        return label

    def cover(self, geometry: BaseGeometry) -> tuple[Window, np.ndarray] | None:
        """Coverage of a shapely geometry (metres) and the window it falls into."""
        x, y = self.origin
        right, bottom = x + self.shape[1] * self.gsd, y + self.shape[0] * self.gsd
        clipped = clip_by_rect(geometry, x - 5.0, y - 5.0, right + 5.0, bottom + 5.0)
        rings: list[np.ndarray] = []
        for part in get_parts(clipped):
            for piece in get_parts(part):
                if isinstance(piece, Polygon) and not piece.is_empty:
                    turned = orient(piece)
                    rings.append(np.asarray(turned.exterior.coords)[:-1])
                    rings.extend(np.asarray(r.coords)[:-1] for r in turned.interiors)
        if not rings:
            return None
        return self.cover_rings(rings)

    def cover_rings(self, rings: list[np.ndarray]) -> tuple[Window, np.ndarray] | None:
        """Coverage of rings in metres (outer and inner of opposite turn)."""
        points = np.concatenate(rings)
        window = self.window(points.min(0), points.max(0))
        if window is None:
            return None
        start = np.array([window.slices[1].start, window.slices[0].start])
        corner = np.array(self.origin)
        alpha = coverage([(r - corner) / self.gsd - start for r in rings], window.shape)
        return window, alpha

    def paint(
        self,
        window: Window,
        alpha: np.ndarray,
        colour: np.ndarray,
        *,
        label: int | None = None,
        height: np.ndarray | float | None = None,
        sun: np.ndarray | float = 1.0,
    ) -> None:
        """Lay a surface over the canvas.

        Parameters
        ----------
        window : Window
        alpha : numpy.ndarray
            (h, w) coverage from 0 to 1.
        colour : numpy.ndarray
            Broadcasts to (h, w, 3), 0 to 1.
        label : int, optional
            Owner of the pixels that are at least half covered; None keeps the owner.
        height : array or float, optional
            New height in metres where at least half covered; None keeps it.
        sun : array or float
            Direct sunlight on the surface.
        """
        region = self.colour[window.slices]
        region += alpha[..., None] * (np.asarray(colour, np.float32) - region)
        light = self.sun[window.slices]
        light += alpha * (np.asarray(sun, np.float32) - light)
        if label is None and height is None:
            return
        owned = alpha >= 0.5
        if label is not None:
            self.labels[window.slices][owned] = label
        if height is not None:
            target = self.height[window.slices]
            np.copyto(target, np.asarray(height, np.float32), where=owned)
