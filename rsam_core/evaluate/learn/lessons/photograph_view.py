"""Row 2 of lesson 4: a suburb from straight above and aslant, and two houses to compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.lessons.photograph_camera import Camera, Place, Shot, shoot
from rsam_core.samples import render_relief

STEEPEST = 65
"""Furthest tilt of the camera, degrees from straight down."""
_SIZE, _GSD, _SEED = (640, 560), 0.45, 5
_AIM = (144.0, 160.0)
"""What the camera looks at, metres."""
_DISTANCE, _FOCAL = 110.0, 300.0
WIDTH, HEIGHT = 480, 320
_FROM = {"near": (28.0, 44.0), "far": (-46.0, -30.0)}
"""Where the middles of the two houses lie, metres down the map from what is looked at."""
_ASIDE = 45.0
_STEP = 5
"""Degrees between two pictures that are kept."""


@lru_cache(maxsize=1)
def place() -> Place:
    """The suburb, with the heights of everything."""
    town, heights = render_relief(*_SIZE, gsd=_GSD, seed=_SEED, style="suburb")
    built = np.zeros(max(town.classes) + 1, bool)
    built[[number for number, kind in town.classes.items() if kind == "roof"]] = True
    return Place(town.image, heights, town.labels, built, _GSD)


def camera(tilt: float) -> Camera:
    """The camera, that swings about what it looks at."""
    return Camera(*_AIM, _DISTANCE, float(tilt), WIDTH, HEIGHT, _FOCAL)


@lru_cache(maxsize=STEEPEST // _STEP + 1)
def shot(tilt: int) -> Shot:
    """The picture at a tilt in degrees."""
    return shoot(place(), camera(tilt))


@dataclass(frozen=True)
class House:
    """A house that is compared.

    Attributes
    ----------
    number : int
    x, y : float
        Its middle, metres.
    height : float
        Of the roof there, metres.
    area : float
        Square metres, as seen from straight above.
    """

    number: int
    x: float
    y: float
    height: float
    area: float


@lru_cache(maxsize=1)
def houses() -> dict[str, House]:
    """Two houses of nearly one size, one ``"near"`` the tilted camera and one ``"far"``."""
    ground = place()
    found: dict[str, list[House]] = {"near": [], "far": []}
    for number in np.flatnonzero(ground.built):
        rows, columns = np.nonzero(ground.labels == number)
        if len(rows) < 200:
            continue
        x, y = (columns.mean() + 0.5) * ground.gsd, (rows.mean() + 0.5) * ground.gsd
        height = float(np.median(ground.heights[rows, columns]))
        house = House(int(number), x, y, height, len(rows) * ground.gsd**2)
        for name, (first, last) in _FROM.items():
            if first <= y - _AIM[1] <= last and abs(x - _AIM[0]) <= _ASIDE:
                found[name].append(house)
    near, far = min(
        ((a, b) for a in found["near"] for b in found["far"]),
        key=lambda pair: abs(np.log(pair[0].area / pair[1].area)),
    )
    return {"near": near, "far": far}


def pixels(tilt: int, house: House) -> int:
    """How many pixels of the picture show a house, roof and walls."""
    return int(np.count_nonzero(shot(tilt).labels == house.number))


def ratio(tilt: int) -> float:
    """How many times as large the near house looks as the far one; infinite if that is hidden."""
    near, far = (pixels(tilt, houses()[name]) for name in ("near", "far"))
    return near / far if far else float("inf")


def spots(tilt: int) -> dict[str, tuple[float, float]]:
    """Where the two houses stand in the picture, x and y in pixels."""
    names = list(houses())
    points = np.array([(h.x, h.y, h.height) for h in houses().values()])
    return {name: (float(x), float(y)) for name, (x, y) in zip(names, camera(tilt).project(points))}


def from_above() -> tuple[NDArray[np.uint8], dict[str, tuple[float, float]], float]:
    """The orthophoto of the same ground, where the houses stand in it, and its metres a pixel."""
    ground = place()
    wide = round(WIDTH * _DISTANCE / _FOCAL / ground.gsd)
    high = wide * HEIGHT // WIDTH
    left, top = round(_AIM[0] / ground.gsd - wide / 2), round(_AIM[1] / ground.gsd - high / 2)
    image = np.ascontiguousarray(ground.image[top : top + high, left : left + wide])
    where = {
        name: (house.x / ground.gsd - left, house.y / ground.gsd - top)
        for name, house in houses().items()
    }
    return image, where, ground.gsd
