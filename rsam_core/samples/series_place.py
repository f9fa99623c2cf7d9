"""A place of which only a part changes: what stands still is drawn once for all frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import box

from rsam_core.samples.ground import draw_patch
from rsam_core.samples.light import Sun, expose, illuminate
from rsam_core.samples.raster import Canvas
from rsam_core.samples.roofs import draw_roof
from rsam_core.samples.trees import draw_tree
from rsam_core.samples.vehicles import draw_vehicle
from rsam_core.samples.world import Patch, World

_PLANTS = np.array([0.20, 0.05, -0.12], np.float32)
"""How red, green and blue of plants change from the wettest to the driest day."""


@dataclass(frozen=True)
class Weather:
    """Sun, dryness of the plants (-1 to 1), haze (0 to 1) and brightness of a frame."""

    sun: Sun
    dry: float = 0.0
    haze: float = 0.0
    level: float = 1.0
    warmth: float = 0.0


def weather_of(rng: np.random.Generator, sun: Sun, season: float) -> Weather:
    """Weather of a frame near a usual sun; `season` is its dryness."""
    return Weather(
        Sun(sun.azimuth + float(rng.normal(0, 0.12)),
            float(np.clip(sun.elevation + rng.normal(0, 0.06), 0.6, 1.1))),
        float(np.clip(season + rng.normal(0, 0.15), -1, 1)),
        float(rng.uniform(0.0, 0.12)),
        float(rng.uniform(0.94, 1.06)),
        float(rng.normal(0, 0.008)),
    )  # fmt: skip


class Place:
    """Ground and what stands on it, as two layers between which other things are drawn.

    Parameters
    ----------
    world : World
    wild : tuple of float
        Colour of ground that nothing covers.
    size : tuple of int
        Width and height in pixels.
    gsd : float
    seed : int
    sun : Sun
        Under which roofs, cars and crowns are drawn. Their own shading stays as it is in all
        frames; cast shadows follow the sun of each.
    """

    def __init__(
        self,
        world: World,
        wild: tuple[float, float, float],
        size: tuple[int, int],
        gsd: float,
        seed: int,
        sun: Sun,
    ) -> None:
        self.gsd = gsd
        self.ground = Canvas(*size, gsd, seed)
        whole = box(-5, -5, world.width + 5, world.height + 5)
        draw_patch(self.ground, Patch(whole, "rough", wild))
        for patch in (*world.patches, *world.roads):
            draw_patch(self.ground, patch)
        for patch in world.marks:
            draw_patch(self.ground, patch, strength=0.75, keep_owner=True)
        for patch in world.overlays:
            draw_patch(self.ground, patch)
        self.ground.labels[:] = 0
        self.ground.classes.clear()
        # Drawn over black and over white, a layer tells its colour and how far it covers.
        dark, light = (self._tops(world, sun, shade) for shade in (0.0, 1.0))
        self._cover = 1.0 - (light.colour - dark.colour).mean(2, keepdims=True)
        self._colour, self._height = dark.colour, dark.height
        self._sun = dark.sun - (1.0 - self._cover[..., 0])
        self._over = dark.labels > 0

    def _tops(self, world: World, sun: Sun, shade: float) -> Canvas:
        canvas = self.ground.part((slice(None), slice(None)))
        canvas.colour[:] = shade
        canvas.height[:] = 0
        canvas.sun[:] = 1
        for vehicle in world.vehicles:
            draw_vehicle(canvas, vehicle, sun)
        for roof in world.roofs:
            draw_roof(canvas, roof, sun)
        for tree in world.trees:
            draw_tree(canvas, tree, sun)
        return canvas

    def begin(self) -> Canvas:
        """A canvas with the ground, to draw on what changes."""
        return self.ground.part((slice(None), slice(None)))

    def finish(self, canvas: Canvas) -> None:
        """Set on top what stands on the ground."""
        canvas.colour *= 1.0 - self._cover
        canvas.colour += self._colour
        canvas.sun *= 1.0 - self._cover[..., 0]
        canvas.sun += self._sun
        np.maximum(canvas.height, self._height, out=canvas.height)
        canvas.labels[self._over] = 0


def photograph(canvas: Canvas, weather: Weather, rng: np.random.Generator) -> NDArray[np.uint8]:
    """What a camera sees of a finished canvas, (H, W, 3)."""
    colour = canvas.colour
    red, green, blue = colour[..., 0], colour[..., 1], colour[..., 2]
    plant = np.clip((green - 0.5 * (red + blue)) * 12, 0, 1)[..., None]
    colour = colour * (1 + plant * np.float32(weather.dry) * _PLANTS)
    lit = illuminate(colour, canvas.sun, canvas.height, weather.sun, canvas.gsd)
    return expose(lit * np.float32(weather.level), rng, haze=weather.haze, noise=1.8,
                  warmth=weather.warmth)  # fmt: skip


def draw_all(canvas: Canvas, patches: Iterable[Patch]) -> None:
    """Draw patches in their order."""
    for patch in patches:
        draw_patch(canvas, patch)
