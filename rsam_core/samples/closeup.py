"""A part of an invented place, drawn finer than the whole."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import SceneError
from rsam_core.samples.builder import Builder
from rsam_core.samples.light import expose, illuminate
from rsam_core.samples.raster import Canvas
from rsam_core.samples.town import build_world, draw_world, light_of
from rsam_core.samples.world import World

_AROUND = 12.0
"""Metres round a part that are drawn, too, because their shadows reach into it."""


@lru_cache(maxsize=4)
def _world(extent: tuple[float, float], seed: int, style: str) -> tuple[World, Builder]:
    return build_world(*extent, seed=seed, date=0, style=style)


def render_part(
    extent: tuple[float, float],
    corner: tuple[float, float],
    size: tuple[int, int],
    *,
    gsd: float,
    seed: int,
    style: str,
) -> NDArray[np.uint8]:
    """Draw a part of the place that `render_town` draws for the same seed, style and extent.

    All objects are the same and stand at the same places; only the finest grain of surfaces and
    the camera's noise fall differently.

    Parameters
    ----------
    extent : (float, float)
        Width and height of the whole place, metres.
    corner : (float, float)
        Left and upper edge of the part, metres from those of the whole.
    size : (int, int)
        Width and height of the picture, pixels.
    gsd : float
        Metres a pixel.
    seed : int
    style : str

    Returns
    -------
    (height, width, 3) ndarray of uint8

    Raises
    ------
    SceneError
        If the part does not lie within the place.
    """
    far = corner[0] + size[0] * gsd, corner[1] + size[1] * gsd
    if min(*corner, *size) < 0 or any(f > e + 1e-6 for f, e in zip(far, extent)):
        raise SceneError("The part lies outside the place. Choose one that lies within it.")
    world, builder = _world(extent, seed, style)
    sun, rng, _ = light_of(seed, 0)
    warmth = float(rng.normal(0.0, 0.012))
    pad = round(_AROUND / gsd)
    origin = corner[0] - pad * gsd, corner[1] - pad * gsd
    canvas = Canvas(size[0] + 2 * pad, size[1] + 2 * pad, gsd, seed, origin)
    draw_world(canvas, world, builder, sun)
    inner = np.s_[pad : pad + size[1], pad : pad + size[0]]
    lit = illuminate(canvas.colour, canvas.sun, canvas.height, sun, gsd)[inner]
    return expose(lit, rng, haze=0.0, noise=1.8, warmth=warmth)
