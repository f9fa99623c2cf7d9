"""One invented place through many frames, with the exact outline of one object in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import cv2
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from shapely.geometry import Polygon

from rsam_core.errors import Cancelled, SceneError
from rsam_core.samples import series_land
from rsam_core.samples.light import Sun
from rsam_core.samples.series_drone import MARGIN, flight
from rsam_core.samples.series_place import Place, Weather, draw_all, photograph, weather_of
from rsam_core.samples.town import build_world, georeference_of
from rsam_core.samples.vehicles import draw_vehicle

SERIES: Mapping[str, str] = {
    "lake": "A lake that shrinks",
    "quarry": "A growing quarry",
    "field": "A field through its year",
    "car": "A drone pans over a car",
}
"""Kinds of series that :func:`render_series` draws, with a title."""

_LAND = {"lake": series_land.lake, "quarry": series_land.quarry, "field": series_land.field}
_STYLE = {"lake": ("village", "farmland"), "quarry": ("farmland",), "field": ("farmland",),
          "car": ("suburb", "estate")}  # fmt: skip
_GSD = {"lake": 0.6, "quarry": 0.6, "field": 0.6, "car": 0.1}


@dataclass(frozen=True, eq=False)
class SeriesSample:
    """Frames of one place.

    Attributes
    ----------
    kind : str
        A key of :data:`SERIES`.
    seed : int
    images : ndarray of uint8, shape (T, H, W, 3)
    masks : ndarray of bool, shape (T, H, W)
        What is to be seen of the object in each frame: not what a crown hides.
    outlines : tuple of Polygon
        The whole object in pixels of each frame, hidden or not.
    names : tuple of str
        Of each frame, with its date, or its time for a flight.
    gsd : float
        Metres per pixel.
    crs : str or None
        None for a flight, whose frames show different ground.
    transform : Affine or None
    """

    kind: str
    seed: int
    images: NDArray[np.uint8] = field(repr=False)
    masks: NDArray[np.bool_] = field(repr=False)
    outlines: tuple[Polygon, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    gsd: float
    crs: str | None
    transform: Affine | None

    @property
    def point(self) -> tuple[float, float]:
        """The place deepest within the object in the first frame, x and y in pixels."""
        inside = np.pad(self.masks[0].astype(np.uint8), 1)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        return float(x) + 0.5, float(y) + 0.5

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The tight box around the object in the first frame: x0, y0, x1, y1."""
        rows, columns = np.flatnonzero(self.masks[0].any(1)), np.flatnonzero(self.masks[0].any(0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def render_series(
    kind: str,
    seed: int,
    frames: int = 30,
    *,
    width: int = 512,
    height: int = 512,
    leaves: bool = False,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SeriesSample:
    """Draw a series in which one object changes or moves.

    Sun, season, haze and noise differ from frame to frame; a flight keeps its light.

    Parameters
    ----------
    kind : str
        A key of :data:`SERIES`.
    seed : int
        Which place.
    frames : int
        2 to 400.
    width, height : int
        Size in pixels, 128 to 2048.
    leaves : bool
        For "car": the camera looks away for some frames and comes back.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        True ends the work.

    Returns
    -------
    SeriesSample

    Raises
    ------
    SceneError
        If the kind, the number of frames or the size makes no sense.
    Cancelled
        If `cancelled` said so.
    """
    if kind not in SERIES:
        raise SceneError(f"There is no series “{kind}”. Choose one of: {', '.join(SERIES)}.")
    if seed < 0 or not 2 <= frames <= 400 or not (min(width, height) >= 128
                                                  and max(width, height) <= 2048):  # fmt: skip
        raise SceneError(
            "A series needs a seed of 0 or more, 2 to 400 frames and 128 to 2048 pixels a side."
        )

    def tell(done: int) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        if progress is not None:
            progress(done / frames, f"frame {done} of {frames}")

    rng = np.random.default_rng([seed, 51, sorted(SERIES).index(kind)])
    sun = Sun(float(rng.uniform(-2.6, -0.5)), float(rng.uniform(0.75, 1.0)))
    draw = _flown if kind == "car" else _still
    images, masks, outlines = draw(kind, seed, frames, (width, height), rng, sun, leaves, tell)
    gsd = _GSD[kind]
    crs, transform = (None, None) if kind == "car" else georeference_of(seed, gsd)
    return SeriesSample(kind, seed, images, masks, tuple(outlines), _names(kind, frames), gsd,
                        crs, transform)  # fmt: skip


def _still(
    kind: str,
    seed: int,
    frames: int,
    size: tuple[int, int],
    rng: np.random.Generator,
    sun: Sun,
    leaves: bool,
    tell: Callable[[int], None],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], list[Polygon]]:
    """Frames of land that is always seen from the same place."""
    gsd = _GSD[kind]
    extent = round(size[0] * gsd, 6), round(size[1] * gsd, 6)
    style = _STYLE[kind][int(rng.integers(len(_STYLE[kind])))]
    world, builder = build_world(*extent, seed=seed, date=0, style=style)
    land = _LAND[kind](world, builder, rng, frames)
    place = Place(land.world, builder.region.wild, size, gsd, seed, sun)
    images = np.empty((frames, size[1], size[0], 3), np.uint8)
    masks = np.empty((frames, size[1], size[0]), bool)
    for k in range(frames):
        tell(k)
        canvas = place.begin()
        draw_all(canvas, land.patches(k))
        place.finish(canvas)
        # A field's year passes once; other series are taken at about the same time of the year.
        season = float(np.sin(2 * np.pi * k / frames)) if kind == "field" else 0.2
        camera = np.random.default_rng([seed, 52, k])
        images[k] = photograph(canvas, weather_of(camera, sun, season), camera)
        wanted = [label for label, cls in canvas.classes.items() if cls == land.cls]
        masks[k] = np.isin(canvas.labels, wanted)
    return images, masks, [series_land.in_pixels(outline, gsd) for outline in land.outlines]


def _flown(
    kind: str,
    seed: int,
    frames: int,
    size: tuple[int, int],
    rng: np.random.Generator,
    sun: Sun,
    leaves: bool,
    tell: Callable[[int], None],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], list[Polygon]]:
    """Frames of a camera that moves."""
    gsd = _GSD[kind]
    whole = tuple(int(MARGIN[leaves] * side) for side in size)
    extent = round(whole[0] * gsd, 6), round(whole[1] * gsd, 6)
    style = _STYLE[kind][int(rng.integers(len(_STYLE[kind])))]
    world, builder = build_world(*extent, seed=seed, date=0, style=style)
    path = flight(world, builder, rng, frames, size, gsd, leaves=leaves)
    place = Place(path.world, builder.region.wild, whole, gsd, seed, sun)
    ready = place.begin()
    place.finish(ready)
    images = np.empty((frames, size[1], size[0], 3), np.uint8)
    masks = np.empty((frames, size[1], size[0]), bool)
    weather = Weather(sun, 0.0, float(rng.uniform(0, 0.1)))
    for k in range(frames):
        tell(k)
        x, y = (int(v) for v in path.corners[k])
        canvas = ready.part((slice(y, y + size[1]), slice(x, x + size[0])))
        car = path.cars[k]
        canvas.classes.clear()
        canvas.labels[:] = 0
        draw_vehicle(canvas, replace(car, x=car.x - x * gsd, y=car.y - y * gsd), sun)
        images[k] = photograph(canvas, weather, np.random.default_rng([seed, 53, k]))
        masks[k] = canvas.labels > 0
    return images, masks, [path.outline(k, gsd) for k in range(frames)]


def _names(kind: str, frames: int) -> tuple[str, ...]:
    if kind == "car":
        return tuple(f"{k / 5:.1f} s" for k in range(frames))
    if kind == "field":
        first = date(2024, 3, 1)
        days = [first + timedelta(days=round(365 * k / frames)) for k in range(frames)]
    elif kind == "quarry":
        days = [date(2016 + k // 4, 1 + 3 * (k % 4), 10) for k in range(frames)]
    else:
        days = [date(1995 + k, 7, 5 + (7 * k) % 23) for k in range(frames)]
    return tuple(f"{kind} {day.isoformat()}" for day in days)
