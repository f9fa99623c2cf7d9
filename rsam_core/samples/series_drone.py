"""A drone that pans over a street while a car stands or drives there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import LineString, Point, Polygon

from rsam_core.samples.builder import Builder, Road, along
from rsam_core.samples.regions import pick_car
from rsam_core.samples.world import Vehicle, World, rectangle

MARGIN = {False: 2.0, True: 3.0}
"""How many times as far as a picture a place reaches, by whether the camera looks away."""


@dataclass(frozen=True)
class Flight:
    """Where the drone looks and where the car is, frame by frame.

    Attributes
    ----------
    world : World
        Without the car.
    cars : tuple of Vehicle
        The car in each frame, in metres of the world.
    corners : ndarray of int64, shape (T, 2)
        Pixel of the world's picture at each frame's top-left corner, x and y.
    """

    world: World
    cars: tuple[Vehicle, ...]
    corners: NDArray[np.int64]

    def outline(self, frame: int, gsd: float) -> Polygon:
        """The box around the car in pixels of a frame."""
        car = self.cars[frame]
        body = rectangle(car.x, car.y, car.length / 2, car.width / 2, car.angle)
        return Polygon(body / gsd - self.corners[frame])


def flight(
    world: World,
    builder: Builder,
    rng: np.random.Generator,
    count: int,
    size: tuple[int, int],
    gsd: float,
    *,
    leaves: bool,
) -> Flight:
    """Choose a car, its way, and a pan that keeps it in the picture.

    Parameters
    ----------
    world, builder
        The place, as many times as wide and high as a picture as `MARGIN` says.
    rng : numpy.random.Generator
    count : int
        Frames.
    size : tuple of int
        Width and height of a frame in pixels.
    gsd : float
    leaves : bool
        Whether the camera looks away for a fifth of the frames and comes back.
    """
    frame = np.array(size) * gsd
    whole = np.array([world.width, world.height])
    road = _road(builder.roads, world)
    drives = bool(rng.random() < 0.5)
    length = road.line.length
    middle = road.line.project(Point(*(whole / 2)))
    reach = float(rng.uniform(0.25, 0.5)) * frame.min() if drives else 0.0
    way = np.clip(middle + np.linspace(-0.5, 0.5, count) * reach, 3.0, length - 3.0)
    side = float(rng.choice([-1, 1])) * (0.25 * road.width if drives else 0.5 * road.width - 1.3)
    spots = [along(road.line, float(s), side) for s in way]
    body = Vehicle(0, 0, float(rng.uniform(4.1, 4.8)), float(rng.uniform(1.7, 1.9)), 0.0,
                   pick_car(rng), seed=int(rng.integers(1 << 30)))  # fmt: skip
    cars = tuple(replace(body, x=x, y=y, angle=turn) for x, y, turn in spots)
    path = LineString([*((c.x, c.y) for c in cars), (cars[-1].x + 0.01, cars[-1].y)])
    # Nothing may stand in its way or hide it.
    clear = path.buffer(3.4)
    world = replace(
        world,
        vehicles=[v for v in world.vehicles
                  if not Polygon(rectangle(v.x, v.y, v.length / 2, v.width / 2, v.angle))
                  .intersects(clear)],
        trees=[t for t in world.trees if not Point(t.x, t.y).buffer(t.radius).intersects(clear)],
        roofs=[r for r in world.roofs
               if not any(Polygon(w.corners()).intersects(clear) for w in r.wings)],
    )  # fmt: skip
    # The car crosses the picture on a gentle curve.
    turn = float(rng.uniform(0, 2 * np.pi))
    t = np.linspace(-1, 1, count)
    across = np.stack([np.cos(turn) * t - 0.35 * np.sin(turn) * (t**2 - 0.5),
                       np.sin(turn) * t + 0.35 * np.cos(turn) * (t**2 - 0.5)], 1)  # fmt: skip
    seat = frame / 2 + 0.30 * frame * across
    if leaves:
        away = np.clip(1 - np.abs(np.arange(count) - 0.55 * count) / (0.16 * count), 0, 1)
        direction = np.array([np.cos(turn), np.sin(turn)])
        seat = seat + np.minimum(3 * away, 1)[:, None] * direction * 0.9 * frame
    corner = np.array([(c.x, c.y) for c in cars]) - seat
    if not leaves:
        corner = np.clip(corner, 0, whole - frame)
    most = np.array([round(v) for v in whole / gsd]) - size
    corners = np.clip(np.round(corner / gsd), 0, most).astype(np.int64)
    return Flight(world, cars, corners)


def _road(roads: list[Road], world: World) -> Road:
    """The paved road that runs nearest to the middle."""
    middle = Point(world.width / 2, world.height / 2)
    paved = [r for r in roads if r.material == "asphalt"] or roads
    return min(paved, key=lambda r: r.line.distance(middle))
