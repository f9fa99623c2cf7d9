"""Tree crowns from a small library of lumpy height fields."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from rsam_core.samples.light import Sun
from rsam_core.samples.raster import Canvas
from rsam_core.samples.world import Tree

SIZE = 112
VARIANTS = 10


@lru_cache(maxsize=64)
def crown(kind: str, variant: int) -> np.ndarray:
    """Height of a crown over the square [-1.15, 1.15]², from 0 (outside) to 1, float32."""
    rng = np.random.default_rng([sum(map(ord, kind)), variant])
    axis = np.linspace(-1.15, 1.15, SIZE, dtype=np.float32)
    x, y = axis[None, :], axis[:, None]
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    field = np.zeros((SIZE, SIZE), np.float32)
    if kind == "palm":
        count = int(rng.integers(11, 16))
        turns = np.sort(rng.uniform(0, 2 * np.pi, count))
        for turn in turns:
            across = np.abs(np.sin(angle - turn)) * radius
            along = np.cos(angle - turn) * radius
            length = rng.uniform(0.78, 1.05)
            width = 0.15 * np.clip(1.1 - along / length, 0, 1) + 0.02
            frond = np.clip(1 - across / width, 0, 1) * (along > 0) * (along < length)
            field = np.maximum(field, frond * (0.95 - 0.45 * along))
        return np.maximum(field, np.clip(1 - radius / 0.2, 0, 1)).astype(np.float32)
    if kind == "conifer":
        spikes = rng.integers(9, 14)
        phase, wobble = rng.uniform(0, 6.28), rng.uniform(0, 6.28)
        rim = 0.86 + 0.10 * np.cos(spikes * angle + phase) + 0.05 * np.cos(3 * angle + wobble)
        field = np.clip(1 - radius / rim, 0, 1)
        tiers = 0.05 * np.cos(radius * 22 + 1.5 * np.cos(spikes * angle))
        return np.where(field > 0, np.clip(0.12 + 0.88 * field + tiers, 0.05, 1), 0).astype(
            np.float32
        )
    fine = variant % 2 == 1 and kind == "broadleaf"
    lumps = 120 if fine else 46 if kind == "broadleaf" else 22
    stretch = rng.uniform(0.82, 1.0)
    for _ in range(lumps):
        distance = (0.88 if fine else 0.80) * np.sqrt(rng.random())
        turn = rng.uniform(0, 2 * np.pi)
        size = rng.uniform(0.14, 0.34) * (1.15 - 0.4 * distance) * (0.6 if fine else 1.0)
        cx, cy = distance * np.cos(turn), distance * np.sin(turn) * stretch
        top = 0.40 + 0.60 * np.sqrt(max(0.0, 1 - 0.85 * distance**2)) + rng.uniform(-0.10, 0.06)
        gap = np.square((x - cx) / size) + np.square((y - cy) / size)
        lump = np.where(gap < 1, top - 0.5 * size * (1 - np.sqrt(np.maximum(1 - gap, 0))), 0)
        field = np.maximum(field, lump)
    rough = cv2.resize(rng.standard_normal((38, 38)).astype(np.float32), (SIZE, SIZE))
    return np.where(field > 0, np.clip(field + 0.05 * rough, 0.05, 1), 0).astype(np.float32)


def draw_tree(canvas: Canvas, tree: Tree, sun: Sun) -> None:
    """Draw one crown as an instance."""
    reach = 1.15 * tree.radius
    centre = np.array([tree.x, tree.y])
    window = canvas.window(centre - reach, centre + reach)
    if window is None:
        return
    gsd = canvas.gsd
    rng = np.random.default_rng([tree.seed, 3])
    shape = window.shape
    stencil = crown(tree.kind, int(rng.integers(VARIANTS)))
    turn = float(rng.uniform(0, 2 * np.pi))
    # From canvas pixels back to the library's grid.
    grid = (SIZE - 1) / (2.3 * tree.radius)
    c, s = np.cos(turn) * grid, np.sin(turn) * grid
    x0, y0 = float(window.x[0, 0]) - tree.x, float(window.y[0, 0]) - tree.y
    middle = (SIZE - 1) / 2
    matrix = np.array(
        [
            [c * gsd, s * gsd, c * x0 + s * y0 + middle],
            [-s * gsd, c * gsd, -s * x0 + c * y0 + middle],
        ],
        np.float32,
    )
    blur = gsd * grid
    if blur > 1.5:
        stencil = cv2.GaussianBlur(stencil, (0, 0), 0.4 * blur)
    body = cv2.warpAffine(
        stencil, matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    alpha = np.clip((body - 0.16) / 0.22, 0, 1)
    rise = tree.height if tree.kind == "conifer" else 1.1 * tree.radius
    lift = np.gradient(body) if min(shape) > 1 else [np.zeros_like(body)] * 2
    slope_y, slope_x = (g * np.float32(0.55 * rise / gsd) for g in lift)
    lit = 0.42 + 0.58 * sun.on_plane(np.clip(slope_x, -2, 2), np.clip(slope_y, -2, 2))
    lit = np.minimum(lit, 1.35)
    deep = np.clip((body - 0.35) / 0.6, 0, 1)
    grain = canvas.noise.crop(rng, "grain", shape)
    small = canvas.noise.crop(rng, "small", shape)
    factor = (0.70 + 0.34 * deep) * (1 + 0.14 * grain + 0.05 * small)
    base = np.asarray(tree.colour, np.float32) / 255.0
    colour = base * np.clip(factor, 0.3, 1.8)[..., None]
    # Sunlit leaves turn yellowish.
    colour = colour * (1 + 0.07 * (lit - 1)[..., None] * np.array([1.2, 1.0, 0.2], np.float32))
    low = tree.height - 0.75 * rise if tree.kind != "conifer" else 0.0
    height = np.maximum(low + 0.75 * rise * body, 0.5)
    if tree.kind == "conifer":
        height = tree.height * body
    label = canvas.new_label("tree" if tree.kind != "bush" else "bush")
    height = np.maximum(height, canvas.height[window.slices])
    canvas.paint(window, alpha, colour, label=label, height=height, sun=lit)
