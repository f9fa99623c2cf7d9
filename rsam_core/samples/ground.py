"""Surfaces of the ground: grass, soil, crops, asphalt, paving, water."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from rsam_core.samples.raster import Canvas, Window
from rsam_core.samples.world import Patch


def visible(period: float, gsd: float) -> float:
    """Contrast left of a pattern of `period` metres after sampling at `gsd`, 0 to 1."""
    return float(np.clip((period / gsd - 1.3) / 2.2, 0.0, 1.0))


def _tone(colour: tuple[float, float, float], factor: np.ndarray) -> np.ndarray:
    base = np.asarray(colour, np.float32) / 255.0
    return base * factor[..., None]


def _tint(surface: np.ndarray, share: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    target = np.asarray(colour, np.float32) / 255.0
    return surface + np.clip(share, 0.0, 1.0)[..., None] * (target - surface)


class Brush:
    """What a material may look at: window, noise, row coordinates, distance to the edge."""

    def __init__(self, canvas: Canvas, window: Window, alpha: np.ndarray, patch: Patch):
        self.canvas, self.window, self.alpha, self.patch = canvas, window, alpha, patch
        self.gsd = canvas.gsd
        cut = window.slices
        noise = canvas.noise
        self.huge, self.large = noise.huge[cut], noise.large[cut]
        self.medium, self.small, self.grain = noise.medium[cut], noise.small[cut], noise.grain[cut]
        # Each patch gets tints of its own from its place, not from a shared random stream.
        place = patch.geometry.centroid
        key = [int(abs(place.x) * 10) + 1, int(abs(place.y) * 10) + 1]
        self.rng = np.random.default_rng(key)

    def across(self) -> np.ndarray:
        """Distance across the rows, metres, slightly wavy."""
        place = self.patch.geometry.centroid
        _, v = self.window.local(place.x, place.y, self.patch.angle)
        return v + 0.10 * self.large

    def along(self) -> np.ndarray:
        place = self.patch.geometry.centroid
        u, _ = self.window.local(place.x, place.y, self.patch.angle)
        return u

    def edge(self) -> np.ndarray:
        """Distance to the border of the patch, metres (the picture's border does not count)."""
        inside = (self.alpha >= 0.5).astype(np.uint8)
        if inside.all():
            return np.full(inside.shape, 50.0, np.float32)
        return cv2.distanceTransform(inside, cv2.DIST_L2, 5) * np.float32(self.gsd)

    def strips(self, width: float) -> np.ndarray:
        """A random number for every strip of the given width across the rows."""
        index = np.floor(self.across() / width).astype(np.int32)
        table = self.rng.standard_normal(257).astype(np.float32)
        return table[index % 257]


def _grass(b: Brush) -> np.ndarray:
    factor = 1 + 0.04 * b.large + 0.03 * b.medium + 0.025 * b.small + 0.05 * b.grain
    surface = _tone(b.patch.colour, factor)
    dry = 0.12 + 0.10 * b.medium + 0.12 * b.large + 0.05 * b.small
    return _tint(surface, dry, (156, 148, 112))


def _rough(b: Brush) -> np.ndarray:
    """Unmown ground: grass, weeds and bare spots."""
    factor = 1 + 0.05 * b.large + 0.05 * b.medium + 0.045 * b.small + 0.07 * b.grain
    surface = _tone(b.patch.colour, factor)
    bare = 0.22 * (b.medium + 0.7 * b.large + 0.3 * b.grain - 0.3)
    surface = _tint(surface, np.minimum(bare, 0.55), (162, 148, 122))
    weeds = 0.22 * (0.7 * b.small + b.medium + b.large + 0.4 * b.grain - 0.9)
    return _tint(surface, np.minimum(weeds, 0.38 + 0.08 * b.grain), (84, 94, 64))


def _soil(b: Brush) -> np.ndarray:
    factor = 1 + 0.04 * b.large + 0.035 * b.medium + 0.035 * b.small + 0.04 * b.grain
    surface = _tone(b.patch.colour, factor)
    surface = _tint(surface, 0.28 * (b.large + 0.6 * b.medium - 0.8), (112, 114, 78))
    return _tint(surface, 0.20 * (b.medium - 0.4), (194, 180, 158))


def _asphalt(b: Brush) -> np.ndarray:
    factor = 1 + 0.022 * b.huge + 0.018 * b.large + 0.011 * b.medium + 0.008 * b.small
    surface = _tone(b.patch.colour, factor + 0.015 * b.grain)
    edge = b.edge()
    dust = 0.24 * np.exp(-edge / 0.7) * (1 + 0.5 * b.medium)
    surface = _tint(surface, dust, (158, 150, 134))
    tracks = np.exp(-np.square((edge - 2.4) / 0.45)) + np.exp(-np.square((edge - 0.95) / 0.4))
    return _tint(surface, 0.08 * tracks * (1 + 0.3 * b.large), (172, 170, 164))


def _lot(b: Brush) -> np.ndarray:
    """Asphalt of a yard: oil stains and repairs instead of wheel tracks."""
    factor = 1 + 0.025 * b.large + 0.014 * b.medium + 0.010 * b.small + 0.018 * b.grain
    surface = _tone(b.patch.colour, factor)
    stain = np.clip(0.8 * b.small + b.medium + 0.6 * b.large - 1.6, 0, 1) * 0.10
    return _tint(surface, stain, (86, 84, 82))


def _dirt_road(b: Brush) -> np.ndarray:
    factor = 1 + 0.04 * b.large + 0.04 * b.medium + 0.035 * b.small + 0.035 * b.grain
    surface = _tone(b.patch.colour, factor)
    edge = b.edge()
    verge = np.exp(-edge / 0.5) * 0.5 * (1 + 0.6 * b.small)
    surface = _tint(surface, verge, (120, 116, 80))
    ruts = 0.18 * np.exp(-np.square((edge - 1.1) / 0.35))
    return _tint(surface, ruts, (206, 190, 160))


def _concrete(b: Brush) -> np.ndarray:
    factor = 1 + 0.03 * b.large + 0.025 * b.medium + 0.015 * b.small + 0.02 * b.grain
    surface = _tone(b.patch.colour, factor)
    period = max(b.patch.period, 1.0)
    joint = np.zeros(b.alpha.shape, np.float32)
    for axis in (b.along(), b.across()):
        offset = np.abs((axis / period) % 1.0 - 0.5) * period
        joint = np.maximum(joint, np.clip(0.5 + (0.06 - offset) / b.gsd, 0, 1))
    surface = _tint(surface, joint * 0.30, (96, 94, 90))
    stain = np.clip(0.5 * b.medium + b.large - 0.9, 0, 1) * 0.22
    return _tint(surface, stain, (104, 98, 90))


def _paving(b: Brush) -> np.ndarray:
    factor = 1 + 0.03 * b.large + 0.02 * b.medium + 0.02 * b.small + 0.03 * b.grain
    return _tone(b.patch.colour, factor)


def _gravel(b: Brush) -> np.ndarray:
    factor = 1 + 0.04 * b.large + 0.03 * b.medium + 0.03 * b.small + 0.055 * b.grain
    return _tone(b.patch.colour, factor)


def _crop(b: Brush) -> np.ndarray:
    """Drilled crop: fine rows, drill strips, tramlines, patchy growth."""
    v = b.across()
    contrast = visible(b.patch.period, b.gsd)
    rows = np.sin(v * np.float32(2 * np.pi / b.patch.period)) * np.float32(0.07 * contrast)
    factor = 1 + rows + 0.018 * b.strips(6.0) + 0.04 * b.huge + 0.03 * b.large
    factor = factor + 0.02 * b.medium + 0.025 * b.small + 0.035 * b.grain
    surface = _tone(b.patch.colour, factor)
    surface = _tint(surface, 0.14 * (b.huge + 0.4 * b.large - 0.3), (166, 154, 118))
    offset = np.abs((v / 18.0) % 1.0 - 0.5) * 18.0
    tram = np.clip(0.5 + (0.22 - np.abs(offset - 0.9)) / b.gsd, 0, 1)
    surface = _tint(surface, tram * 0.38 * (1 + 0.3 * b.medium), (142, 126, 96))
    headland = np.exp(-b.edge() / 3.0) * 0.22 * (1 + 0.5 * b.medium)
    return _tint(surface, headland, (134, 128, 88))


def _plough(b: Brush) -> np.ndarray:
    """Bare ploughed soil: furrows with a lit and a dark flank."""
    v = b.across()
    contrast = visible(b.patch.period, b.gsd)
    rows = np.sin(v * np.float32(2 * np.pi / b.patch.period)) * np.float32(0.09 * contrast)
    factor = 1 + rows * (1 + 0.4 * b.medium) + 0.04 * b.strips(b.patch.period * 3)
    factor = factor + 0.05 * b.huge + 0.04 * b.large + 0.025 * b.small + 0.035 * b.grain
    surface = _tone(b.patch.colour, factor)
    surface = _tint(surface, 0.22 * (b.huge + 0.4 * b.large), (176, 156, 126))
    return _tint(surface, 0.3 * (b.medium + b.small - 1.8), (104, 110, 66))


def _rows(b: Brush) -> np.ndarray:
    """Row crop or vineyard: green rows over soil."""
    v = b.across()
    contrast = visible(b.patch.period, b.gsd)
    wave = 0.5 + 0.5 * np.sin(v * np.float32(2 * np.pi / b.patch.period))
    green = np.clip((wave - 0.35) * 2.2 + 0.35 * b.small + 0.2 * b.medium, 0, 1)
    green = contrast * green + (1 - contrast) * (0.55 + 0.1 * b.medium)
    gaps = np.clip(0.8 * (b.medium + 0.8 * b.large - 1.3), 0, 0.8)
    soil = _tone((156, 132, 102), 1 + 0.05 * b.large + 0.05 * b.small + 0.04 * b.grain)
    leaf = np.asarray(b.patch.colour, np.float32) / 255.0
    leaf = leaf * (1 + 0.08 * b.small + 0.10 * b.grain + 0.05 * b.strips(b.patch.period))[..., None]
    return soil + (green * (1 - gaps))[..., None] * (leaf - soil)


def _water(b: Brush) -> np.ndarray:
    edge = b.edge()
    factor = 1 + 0.03 * b.huge + 0.018 * b.large + 0.012 * b.medium
    ripple = np.sin(b.across() * np.float32(2 * np.pi / 2.4) + 1.6 * b.medium + 2.2 * b.large)
    factor = factor + 0.014 * ripple * visible(2.4, b.gsd) + 0.014 * b.grain
    surface = _tone(b.patch.colour, factor)
    shallow = 0.45 * np.exp(-edge / b.patch.period) * (1 + 0.25 * b.large)
    surface = _tint(surface, shallow, (118, 124, 98))
    return _tint(surface, 0.03 * (b.huge + 0.4 * b.large), (128, 140, 144))


def _pool(b: Brush) -> np.ndarray:
    surface = _tone(b.patch.colour, 1 + 0.05 * b.small + 0.04 * b.grain + 0.05 * b.medium)
    return _tint(surface, 0.35 * np.exp(-b.edge() / 0.7), (206, 226, 226))


def _pitch(b: Brush) -> np.ndarray:
    stripe = np.where(np.floor(b.along() / b.patch.period) % 2 > 0, 0.05, -0.05)
    factor = 1 + stripe + 0.03 * b.large + 0.04 * b.medium + 0.04 * b.small + 0.04 * b.grain
    surface = _tone(b.patch.colour, factor.astype(np.float32))
    return _tint(surface, 0.3 * (b.large + 0.5 * b.medium - 0.8), (160, 148, 108))


def _hedge(b: Brush) -> np.ndarray:
    factor = 1 + 0.16 * b.small + 0.20 * b.grain + 0.08 * b.medium
    return _tone(b.patch.colour, np.clip(factor, 0.4, 1.7))


def _plain(b: Brush) -> np.ndarray:
    return _tone(b.patch.colour, 1 + 0.03 * b.medium + 0.04 * b.grain)


MATERIALS: dict[str, Callable[[Brush], np.ndarray]] = {
    "grass": _grass,
    "rough": _rough,
    "soil": _soil,
    "asphalt": _asphalt,
    "lot": _lot,
    "dirt": _dirt_road,
    "concrete": _concrete,
    "paving": _paving,
    "gravel": _gravel,
    "crop": _crop,
    "plough": _plough,
    "rows": _rows,
    "water": _water,
    "pool": _pool,
    "pitch": _pitch,
    "hedge": _hedge,
    "plain": _plain,
}


def draw_patch(
    canvas: Canvas, patch: Patch, *, strength: float = 1.0, keep_owner: bool = False
) -> None:
    """Draw one ground area.

    Parameters
    ----------
    canvas : Canvas
    patch : Patch
        An area with a class becomes an instance, any other takes its pixels out of what lies
        below (a garden in a field is no field).
    strength : float
        Opacity; worn paint is below 1.
    keep_owner : bool
        Leave ownership alone: paint on a road is part of the road.
    """
    covered = canvas.cover(patch.geometry)
    if covered is None:
        return
    window, alpha = covered
    surface = MATERIALS[patch.material](Brush(canvas, window, alpha, patch))
    label = canvas.new_label(patch.cls) if patch.cls else None if keep_owner else 0
    height: np.ndarray | float | None = None
    if patch.height > 0:
        height = patch.height
        if patch.material == "hedge":
            height = patch.height * (0.85 + 0.2 * canvas.noise.small[window.slices])
    canvas.paint(window, alpha * np.float32(strength), surface, label=label, height=height)
