"""A camera for lesson 4: the picture that it takes of a rendered place, from above or aslant.

The place is a grid of columns, each as high as what stands there. For every compass direction a
ray walks away from the camera and keeps the steepest look that is still free; a place shows in all
looks that it is the first to fill. That panorama of directions and looks is then bent into the
plane of the film, so that verticals meet where they should at any tilt.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

SKY = -1
"""In place of an object's number where a picture shows no ground."""
WALL = 0.6
"""A rise from one column to the next by more metres is a side that stands upright."""
_SKY_COLOUR = np.array([196, 208, 216], np.float32)
_PLASTER = np.array([172, 163, 150], np.float32)
_PANE = np.array([64, 70, 80], np.float32)
_STOREY, _BAY = 2.8, 2.6
"""Metres from window to window, up and across."""


@dataclass(frozen=True, eq=False)
class Place:
    """What a camera can look at; x right, y down, in pixels of the grid.

    Attributes
    ----------
    image : ndarray
        (H, W, 3) uint8 RGB, seen from straight above everywhere: an orthophoto.
    heights : ndarray
        (H, W) float32, metres.
    labels : ndarray
        (H, W) int32, number of the object on top, 0 for none.
    built : ndarray
        (N + 1,) bool, which numbers are buildings.
    gsd : float
        Metres a pixel.
    """

    image: NDArray[np.uint8] = field(repr=False)
    heights: NDArray[np.float32] = field(repr=False)
    labels: NDArray[np.int32] = field(repr=False)
    built: NDArray[np.bool_] = field(repr=False)
    gsd: float


@dataclass(frozen=True)
class Camera:
    """A camera that looks at a point of the ground, towards the top of the map.

    Attributes
    ----------
    x, y : float
        What it looks at, in metres from the place's corner.
    distance : float
        Metres from there to the camera.
    tilt : float
        Degrees from straight down, 0 to 80.
    width, height : int
        Of the picture, in pixels.
    focal : float
        Focal length in pixels.
    """

    x: float
    y: float
    distance: float
    tilt: float
    width: int
    height: int
    focal: float

    @property
    def position(self) -> tuple[float, float, float]:
        """Where it stands: metres to the right, down the map, and above the ground."""
        angle = np.deg2rad(self.tilt)
        return (
            self.x,
            self.y + self.distance * float(np.sin(angle)),
            self.distance * float(np.cos(angle)),
        )

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels (N, 2) of points (N, 3) in metres: right, down the map, up."""
        sine, cosine = np.sin(np.deg2rad(self.tilt)), np.cos(np.deg2rad(self.tilt))
        right, down, up = (np.asarray(points, float) - self.position).T
        depth = -sine * down - cosine * up
        across, below = right, cosine * down - sine * up
        middle = np.array([self.width / 2, self.height / 2])
        return middle + self.focal * np.stack([across / depth, below / depth], axis=1)

    def looks(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of each pixel: compass direction and angle below the horizon, radians.

        Direction 0 is the top of the map, positive to the right.
        """
        sine, cosine = np.sin(np.deg2rad(self.tilt)), np.cos(np.deg2rad(self.tilt))
        u = (np.arange(self.width) + 0.5 - self.width / 2)[None, :] / self.focal
        v = (np.arange(self.height) + 0.5 - self.height / 2)[:, None] / self.focal
        ahead, fall = sine - v * cosine, cosine + v * sine
        direction = np.arctan2(u + 0 * v, ahead + 0 * u)
        below = np.arctan2(fall + 0 * u, np.hypot(u, ahead))
        return direction.astype(np.float32), below.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture.

    Attributes
    ----------
    image : ndarray
        (h, w, 3) uint8 RGB.
    labels : ndarray
        (h, w) int32, number of the object that is seen, 0 for ground, `SKY` for none.
    hidden : float
        Share of the open ground within the picture that something hides.
    """

    image: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int32] = field(repr=False)
    hidden: float


def shoot(place: Place, camera: Camera) -> Shot:
    """Take a picture.

    Parameters
    ----------
    place : Place
    camera : Camera
        Above everything that stands there.

    Returns
    -------
    Shot
    """
    direction, below = camera.looks()
    # Where straight down is in sight, so are all directions.
    around = np.ptp(direction) > np.pi
    first, last = (-np.pi, np.pi) if around else (float(direction.min()), float(direction.max()))
    low, high = float(below.min()), float(below.max())
    fine = 1.1 * camera.focal
    columns = max(int((last - first) * fine * np.cos(max(low, 0.0))), 2)
    rows = max(int((high - low) * fine), 2)
    directions = np.linspace(first, last, columns, dtype=np.float32)
    looks = np.linspace(low, high, rows, dtype=np.float32)
    walk = _Walk(place, camera, directions, low)
    picture, numbers = walk.panorama(looks)
    across = (direction - first) / (last - first) * (columns - 1)
    down = (below - low) / (high - low) * (rows - 1)
    image = cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    at = np.clip(np.rint(down).astype(int), 0, rows - 1), np.rint(across).astype(int)
    return Shot(np.rint(image).astype(np.uint8), numbers[at], walk.hidden())


class _Walk:
    """Rays from the camera's foot over the ground, one a direction, in steps of a pixel."""

    def __init__(
        self, place: Place, camera: Camera, directions: NDArray[np.float32], low: float
    ) -> None:
        self.place, self.camera = place, camera
        height, width = place.heights.shape
        x, y, self.up = camera.position
        corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) * place.gsd
        far = float(np.hypot(*(corners - (x, y)).T).max())
        if low > 0:
            far = min(far, self.up / np.tan(low) + place.gsd)
        near = max(y - height * place.gsd, 0.0)
        self.steps = np.arange(near + place.gsd / 2, far, place.gsd, dtype=np.float32)
        sine, cosine = np.sin(directions), np.cos(directions)
        self.x = (x + self.steps[:, None] * sine) / place.gsd
        self.y = (y - self.steps[:, None] * cosine) / place.gsd
        column, row = self.x.astype(np.int32), self.y.astype(np.int32)
        self.there = (self.x >= 0) & (self.y >= 0) & (column < width) & (row < height)
        self.cell = np.where(self.there, row * width + column, 0)
        self.top = place.heights.ravel()[self.cell]
        # A column is seen as far as its far edge.
        look = np.arctan2(self.up - self.top, self.steps[:, None] + place.gsd / 2)
        look[~self.there] = np.inf
        self.first = self.there.argmax(axis=0)
        self.free = np.minimum.accumulate(look, axis=0)

    def panorama(self, looks: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Colour (R, C, 3) and numbers (R, C) of each look in each direction."""
        count = len(self.steps)
        at = np.empty((len(looks), self.free.shape[1]), np.int64)
        for column, free in enumerate(-self.free.T):
            at[:, column] = np.searchsorted(free, -looks)
        sky = at == count
        at = np.minimum(at, count - 1)
        across = np.arange(at.shape[1])[None, :]
        cell = self.cell[at, across]
        fall = np.tan(np.minimum(looks, 1.5705))[:, None]
        # How high the look passes the border between this column and the one before.
        above = self.up - (self.steps[at] - self.place.gsd / 2) * fall
        sky |= (at == self.first) & (above < -0.5 * self.place.gsd * fall)
        labels = self.place.labels.ravel()[cell]
        colour = self.place.image.reshape(-1, 3)[cell].astype(np.float32)
        top = self.top[at, across]
        before = self.top[np.maximum(at - 1, 0), across]
        side = (top - before > WALL) & (above < top)
        wall = side & self.place.built[labels]
        leaves = side & ~wall
        depth = np.clip((top - above)[leaves] / np.maximum(top[leaves], 1), 0, 1)
        colour[leaves] *= (0.85 - 0.4 * depth)[:, None]
        along = self.x[at, across][wall] * self.place.gsd
        colour[wall] = _wall(along, above[wall])
        haze = np.clip(self.steps[at] / 900.0, 0, 0.5)[..., None]
        colour += haze * (_SKY_COLOUR - colour)
        colour[sky] = _SKY_COLOUR
        return colour, np.where(sky, SKY, labels)

    def hidden(self) -> float:
        """Share of the open ground in the picture that something stands in front of."""
        x, y = self.x * self.place.gsd, self.y * self.place.gsd
        open_ground = self.there & (self.top < 0.3)
        part = np.stack([x[open_ground], y[open_ground], np.zeros(open_ground.sum())], axis=1)
        pixels = self.camera.project(part)
        inside = np.all((pixels >= 0) & (pixels < (self.camera.width, self.camera.height)), axis=1)
        # Rays part from each other: a step stands for more ground the farther it is away.
        weight = np.broadcast_to(self.steps[:, None], self.top.shape)[open_ground] * inside
        centre = np.arctan2(self.up - self.top, self.steps[:, None])
        before = np.vstack([np.full_like(self.free[:1], np.inf), self.free[:-1]])
        seen = (centre <= before)[open_ground]
        return float(1 - (weight * seen).sum() / max(weight.sum(), 1e-9))


def _wall(along: NDArray[np.float32], above: NDArray[np.float32]) -> NDArray[np.float32]:
    """Plaster with windows."""
    storey, bay = (above % _STOREY) / _STOREY, (along % _BAY) / _BAY
    pane = (storey > 0.35) & (storey < 0.8) & (bay > 0.3) & (bay < 0.7)
    return np.where(pane[:, None], _PANE, _PLASTER)
