"""A tower from above: where its shadow falls, where it leans, and what it hides.

The surface is a height for each pixel, so that what the sun does not reach and what the camera does
not see are the same computation with another direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely.geometry import box

from rsam_core.samples.ground import draw_patch
from rsam_core.samples.light import Sun, cast_shadow, illuminate
from rsam_core.samples.raster import Canvas
from rsam_core.samples.roofs import draw_roof
from rsam_core.samples.trees import draw_tree
from rsam_core.samples.vehicles import draw_vehicle
from rsam_core.samples.world import Patch, Roof, Tree, Vehicle, Wing

GSD = 0.2
EXTENT = (96.0, 60.0)
SUN = (20, 75)
"""Lowest and highest sun, degrees above the horizon."""
LEAN = 30
"""Furthest that the camera looks aslant, degrees from straight down."""
TOWER_HEIGHT = 36.0
TOWER = (44.0, 22.0, 56.0, 38.0)
"""Left, top, right and bottom of the tower's footprint, metres."""
_AZIMUTH = -2.2
"""Direction of the sun in the picture: from the upper left."""
_GROUND, _SKY = np.array([0.70, 0.655, 0.58]), np.array([0.335, 0.375, 0.43])
_WALL = np.array([0.80, 0.76, 0.69], np.float32)
_WINDOW = np.array([0.25, 0.30, 0.36], np.float32)
_STOREY = 3.0
_ABOVE = 0.6
"""Metres above its ground from which something hides or is hidden."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The place before any light falls on it.

    Attributes
    ----------
    colour : (H, W, 3) ndarray of float32
    height : (H, W) ndarray of float32
        Metres.
    direct : (H, W) ndarray of float32
        Direct light on the surface, 1 on level ground.
    labels : (H, W) ndarray of int32
    tower : int
        The tower's number among them.
    walls : (H, W) ndarray of bool
        Where houses stand, whose sides are walls.
    """

    colour: NDArray[np.float32]
    height: NDArray[np.float32]
    direct: NDArray[np.float32]
    labels: NDArray[np.int32]
    tower: int
    walls: NDArray[np.bool_]

    @property
    def footprint(self) -> NDArray[np.bool_]:
        """(H, W) mask of the ground that the tower stands on."""
        return self.labels == self.tower


def _roof(x: float, y: float, a: float, b: float, kind: str, eave: float, covering: str,
          colour: tuple[float, float, float], seed: int) -> Roof:  # fmt: skip
    return Roof((Wing(x, y, a, b, 0.0, kind, eave),), covering, colour, seed=seed)


@lru_cache(maxsize=1)
def surface() -> Surface:
    """A tower between houses, trees and a street with cars."""
    width, height = (round(side / GSD) for side in EXTENT)
    canvas = Canvas(width, height, GSD, 4)
    sun = Sun(_AZIMUTH, np.deg2rad(50))
    ground = ((-5, -5, 101, 65), "grass", (112, 122, 76))
    court = ((38, 14, 64, 46), "paving", (168, 162, 150))
    street = ((-5, 50, 101, 57), "asphalt", (112, 112, 114))
    for sides, material, colour in (ground, court, street):
        draw_patch(canvas, Patch(box(*sides), material, colour))
    for x, y, turn, colour in (
        (14, 51.6, 0, (196, 40, 36)),
        (24, 51.6, 0, (226, 226, 228)),
        (60, 55.4, 3.1416, (44, 72, 140)),
        (78, 51.6, 0, (60, 62, 66)),
        (61, 20, 1.57, (218, 196, 70)),
        (61, 28, 1.57, (224, 226, 228)),
    ):
        draw_vehicle(canvas, Vehicle(x, y, 4.5, 1.8, turn, colour), sun)  # fmt: skip
    draw_roof(canvas, _roof(16, 14, 8, 5, "gable", 5.5, "tile", (158, 78, 56), 3), sun)
    draw_roof(canvas, _roof(18, 36, 7, 5, "hip", 5.5, "tile", (120, 112, 108), 5), sun)
    draw_roof(canvas, _roof(81, 16, 8, 5, "hip", 5.5, "tile", (166, 88, 62), 7), sun)
    draw_roof(canvas, _roof(83, 38, 6, 5, "gable", 5.5, "tile", (128, 96, 82), 8), sun)
    left, top, right, bottom = TOWER
    draw_roof(canvas, _roof((left + right) / 2, (top + bottom) / 2, (right - left) / 2,
                            (bottom - top) / 2, "flat", TOWER_HEIGHT, "flat", (176, 174, 170), 9),
              sun)  # fmt: skip
    tower = len(canvas.classes)
    walls = canvas.height > _ABOVE
    for x, y, radius, tall in ((33, 9, 3.0, 7), (34, 44, 2.6, 6), (70, 8, 2.8, 7), (70, 46, 2.4, 6),
                               (5, 24, 3.2, 8), (92, 27, 3.0, 8), (69, 27, 2.2, 5),
                               (30, 25, 2.4, 6)):  # fmt: skip
        draw_tree(canvas, Tree(x, y, radius, tall, (70, 96, 52), seed=int(x * 7 + y)), sun)
    walls &= np.isin(canvas.labels, [n for n, kind in canvas.classes.items() if kind == "roof"])
    return Surface(canvas.colour, canvas.height, canvas.sun, canvas.labels, tower, walls)


def sun_at(elevation: float) -> Sun:
    """The sun so many degrees above the horizon."""
    return Sun(_AZIMUTH, float(np.deg2rad(elevation)))


@lru_cache(maxsize=8)
def lit(elevation: float) -> NDArray[np.float32]:
    """The place from straight above under a sun so high, (H, W, 3), 0 to about 1."""
    s = surface()
    return illuminate(s.colour, s.direct, s.height, sun_at(elevation), GSD)


def shadow_length(height: float, elevation: float) -> float:
    """How long a shadow something so high casts on level ground, in the unit of `height`."""
    return height / float(np.tan(np.deg2rad(elevation)))


def displacement(height: float, lean: float) -> float:
    """How far the top of something so high is shown from its foot; signed as `lean` is."""
    return height * float(np.tan(np.deg2rad(lean)))


def hidden(lean: float) -> NDArray[np.bool_]:
    """(H, W): where the camera does not see what lies there, because something stands before it.

    Parameters
    ----------
    lean : float
        Degrees from straight down; above 0 the camera stands on the left and looks to the right.
    """
    s = surface()
    if not lean:
        return np.zeros(s.height.shape, bool)
    # What looks along a ray sees what a sun there would light.
    camera = Sun(np.pi if lean > 0 else 0.0, float(np.deg2rad(90 - abs(lean))))
    return cast_shadow(s.height, camera, GSD) > _ABOVE


@dataclass(frozen=True, eq=False)
class Photo:
    """What the camera takes.

    Attributes
    ----------
    image : (H, W, 3) ndarray of uint8
    roof : (H, W) ndarray of bool
        Where the tower's roof is shown.
    """

    image: NDArray[np.uint8]
    roof: NDArray[np.bool_]


@lru_cache(maxsize=32)
def photo(elevation: float, lean: float) -> Photo:
    """The place from a direction aslant, as far away as a satellite, so that lines stay parallel.

    Each pixel shows the highest point on its ray: at height z the ray to the ground point u has
    come to u − z · tan(lean).
    """
    s, light = surface(), lit(elevation)
    slope = abs(float(np.tan(np.deg2rad(lean)))) / GSD
    if not slope:
        return Photo(_exposed(light), s.footprint)
    # The camera on the right sees the mirror image of what one on the left would see.
    turn = np.s_[:, ::-1] if lean < 0 else np.s_[:, :]
    height = s.height[turn]
    shift = np.zeros(height.shape, np.int32)
    for d in range(1, int(height.max() * slope + 0.5) + 1):
        higher = height[:, :-d] >= (d - 0.5) / slope
        np.copyto(shift[:, d:], d, where=higher)
    rows, columns = np.indices(shift.shape)
    source = rows, columns - shift
    level = np.maximum(shift - 0.5, 0) / slope
    side = height[source] - level > 1 / slope + 0.35
    image = light[turn][source]
    image[side] *= np.float32(0.62)
    wall = side & s.walls[turn][source]
    image[wall] = _wall_colours(elevation, lean, level[wall], rows[wall])
    top = (s.labels[turn][source] == s.tower) & ~side
    return Photo(_exposed(image[turn]), top[turn])


def _wall_colours(
    elevation: float, lean: float, level: NDArray[np.float64], rows: NDArray[np.int_]
) -> NDArray[np.float32]:
    """Light walls with windows, at heights and rows of the picture, (n, 3)."""
    sun = sun_at(elevation)
    facing = -1.0 if lean > 0 else 1.0
    direct = max(facing * sun.toward[0], 0.0) / sun.toward[2]
    light = (min(direct, 1.3) * _GROUND + 0.8 * _SKY).astype(np.float32)
    along = rows * GSD % 2.4
    up = level % _STOREY
    window = (along > 0.7) & (along < 2.0) & (up > 0.9) & (up < 2.2)
    return np.where(window[:, None], _WINDOW, _WALL) * light


def _exposed(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(picture * 1.15 * 255, 0, 255).astype(np.uint8)


def orthophoto(elevation: float, lean: float) -> NDArray[np.uint8]:
    """The photo put right by the heights: everything at its place, what was hidden striped."""
    image = _exposed(lit(elevation))
    unseen = hidden(lean)
    rows, columns = np.indices(unseen.shape)
    stripes = np.where((rows + columns) // 6 % 2, 60, 130).astype(np.uint8)
    return np.where(unseen[..., None], stripes[..., None], image)


def hidden_ground(lean: float) -> float:
    """Square metres that the camera does not see."""
    return float(hidden(lean).sum()) * GSD**2


def roof_iou(lean: float, orthophoto: bool = False) -> float:
    """IoU between the tower's roof, as a photo or an orthophoto shows it, and its footprint."""
    foot = surface().footprint
    roof = foot & ~hidden(lean) if orthophoto else photo(50.0, lean).roof
    return float((roof & foot).sum() / max((roof | foot).sum(), 1))


def outlined(
    picture: NDArray[np.uint8], lean: float, roof: bool, scale: int = 1
) -> NDArray[np.uint8]:
    """A picture with the tower's footprint in yellow, and its roof, as it is shown, in cyan."""
    height, width = picture.shape[:2]
    shown = cv2.resize(picture, (width * scale, height * scale), interpolation=cv2.INTER_LINEAR)
    boxes = [(TOWER, FOOTPRINT)]
    if roof:
        shift = displacement(TOWER_HEIGHT, lean)
        moved = TOWER[0] + shift, TOWER[1], TOWER[2] + shift, TOWER[3]
        boxes.append((moved, ROOF))
    for (left, top, right, bottom), colour in boxes:
        corners = [round(v / GSD * scale) for v in (left, top, right, bottom)]
        cv2.rectangle(shown, corners[:2], corners[2:], (16, 20, 24), 4, cv2.LINE_AA)
        cv2.rectangle(shown, corners[:2], corners[2:], colour, 2, cv2.LINE_AA)
    return shown


FOOTPRINT, ROOF = (255, 230, 0), (0, 194, 255)
"""Colours of the two outlines."""
