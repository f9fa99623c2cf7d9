"""Roofs: pitched, hipped and flat, with covering, wear and fittings."""

from __future__ import annotations

import numpy as np

from rsam_core.samples.ground import visible
from rsam_core.samples.light import Sun
from rsam_core.samples.raster import Canvas, Window
from rsam_core.samples.world import Fitting, Roof, Wing

PARAPET = 0.55


def _wing_surface(
    wing: Wing, window: Window, gsd: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Coverage, height, slope (x, y), coordinate along the eave, down the roof, ridge distance."""
    u, v = window.local(wing.x, wing.y, wing.angle)
    a, b = np.float32(wing.half_length), np.float32(wing.half_width)
    side_u, side_v = a - np.abs(u), b - np.abs(v)
    alpha = np.clip(0.5 + side_u / gsd, 0, 1) * np.clip(0.5 + side_v / gsd, 0, 1)
    slope = np.float32(wing.slope)
    zero = np.zeros_like(u)
    along, down = u, side_v
    slope_u, slope_v = zero, zero
    if wing.kind == "gable":
        height = wing.eave + np.maximum(side_v, 0) * slope
        slope_v = -np.sign(v) * slope
        ridge = np.abs(v)
    elif wing.kind == "hip":
        inset = np.minimum(side_u, side_v)
        height = wing.eave + np.maximum(inset, 0) * slope
        end = side_u < side_v
        slope_u = np.where(end, -np.sign(u) * slope, zero)
        slope_v = np.where(end, zero, -np.sign(v) * slope)
        along, down = np.where(end, v, u), inset
        ridge = np.minimum(np.abs(side_u - side_v) * np.float32(0.71), np.abs(v) + 9 * end)
        ridge = np.minimum(ridge, np.where(a - b > np.abs(u), np.abs(v), ridge))
    elif wing.kind == "shed":
        height = wing.eave + (b + v) * slope
        slope_v = np.full_like(u, slope)
        down = b + v
        ridge = zero + 9.0
    elif wing.kind == "vault":
        rise = slope * b
        height = wing.eave + rise * np.clip(1 - np.square(v / b), 0, 1)
        slope_v = -2 * rise * v / np.square(b)
        ridge = zero + 9.0
    else:
        rim = np.minimum(side_u, side_v) < 0.35
        height = wing.eave + np.where(rim, np.float32(PARAPET), np.float32(0.0))
        ridge = zero + 9.0
        down = np.minimum(side_u, side_v)
    c, s = np.float32(np.cos(wing.angle)), np.float32(np.sin(wing.angle))
    slope_x, slope_y = slope_u * c - slope_v * s, slope_u * s + slope_v * c
    return alpha, height, slope_x, slope_y, along, down, ridge


def _covering(
    canvas: Canvas,
    roof: Roof,
    shape: tuple[int, int],
    along: np.ndarray,
    down: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Colour of the covering, (h, w, 3)."""
    gsd = canvas.gsd
    noise = canvas.noise
    medium = noise.crop(rng, "medium", shape)
    small = noise.crop(rng, "small", shape)
    grain = noise.crop(rng, "grain", shape)
    large = noise.crop(rng, "large", shape)
    base = np.asarray(roof.colour, np.float32) / 255.0
    two_pi = np.float32(2 * np.pi)
    factor = 1 + 0.015 * medium + 0.018 * large
    tint_share, tint = np.zeros(shape, np.float32), (90, 84, 74)
    if roof.covering in ("tile", "slate"):
        course = np.sin(down * (two_pi / 0.36)) * np.float32(0.10 * visible(0.36, gsd))
        column = np.sin(along * (two_pi / 0.28)) * np.float32(0.06 * visible(0.28, gsd))
        factor = factor + course + column + 0.012 * small + 0.026 * grain
        tint_share = roof.wear * 0.40 * np.clip(0.3 + 0.4 * medium + 0.12 * small, 0, 1)
        tint = (88, 82, 70)
    elif roof.covering == "shingle":
        course = np.sin(down * (two_pi / 0.22)) * np.float32(0.06 * visible(0.22, gsd))
        factor = factor + course + 0.010 * small + 0.026 * grain
        tint_share = roof.wear * 0.3 * np.clip(0.5 * medium + 0.5 * small, 0, 1)
    elif roof.covering in ("metal", "tin"):
        period = 0.55 if roof.covering == "metal" else 0.8
        seam = np.sin(along * (two_pi / period)) * np.float32(0.06 * visible(period, gsd))
        table = rng.standard_normal(509).astype(np.float32)
        sheet = np.floor(along / 0.9).astype(np.int32) * 7
        if roof.covering == "tin":
            sheet = sheet + np.floor(down / 2.3).astype(np.int32) * 31
        streak = table[sheet % 509]
        amount = (0.018 if roof.covering == "metal" else 0.05) * (0.5 + roof.wear)
        factor = factor + seam + amount * streak + 0.015 * small + 0.02 * grain
        rust = medium + 0.5 * small + 0.6 * large + 0.35 * streak
        tint_share = np.clip((rust - 1.7 + 2.2 * roof.wear) * 0.9, 0, 1) * (0.25 + 0.6 * roof.wear)
        tint = (134, 98, 74)
        if roof.covering == "metal":
            tint_share, tint = tint_share * 0.4, (128, 118, 106)
    elif roof.covering == "thatch":
        factor = factor + 0.04 * small + 0.08 * grain
        tint_share = roof.wear * 0.5 * np.clip(0.5 + 0.6 * medium, 0, 1)
        tint = (96, 88, 70)
    else:
        seam = np.minimum(np.abs((along / 2.0) % 1 - 0.5), np.abs((down / 6.0) % 1 - 0.5) * 3) * 2.0
        joint = np.clip(0.5 + (0.05 - seam) / gsd, 0, 1) * np.float32(0.05 * visible(2.0, gsd))
        factor = factor + 0.035 * large - joint + 0.012 * small + 0.02 * grain
        tint_share = np.clip(0.5 * medium + 0.9 * large - 0.5, 0, 1) * (0.10 + 0.35 * roof.wear)
        tint = (104, 100, 94)
    colour = base * factor[..., None]
    target = np.asarray(tint, np.float32) / 255.0
    return colour + tint_share[..., None] * (target - colour)


def draw_roof(canvas: Canvas, roof: Roof, sun: Sun) -> None:
    """Draw one roof as an instance, with height for its shadow."""
    points = np.concatenate([w.corners() for w in roof.wings])
    window = canvas.window(points.min(0), points.max(0), pad=canvas.gsd)
    if window is None:
        return
    gsd = canvas.gsd
    rng = np.random.default_rng([roof.seed, 5])
    surfaces = [_wing_surface(w, window, gsd) for w in roof.wings]
    alpha, height, slope_x, slope_y, along, down, ridge = surfaces[0]
    flat = np.full(window.shape, roof.wings[0].kind == "flat")
    if len(surfaces) > 1:
        height = np.where(alpha > 0, height, -1.0)
        for wing, other in zip(roof.wings[1:], surfaces[1:]):
            # The higher roof wins where wings cross, which gives valleys; coverage decides
            # at the rims.
            above = (
                (other[0] > 0)
                & ((other[1] > height) | (alpha < 0.5))
                & ((other[0] >= 0.5) | (alpha < other[0]))
            )
            height = np.where(above, other[1], height)
            slope_x = np.where(above, other[2], slope_x)
            slope_y = np.where(above, other[3], slope_y)
            along = np.where(above, other[4], along)
            down = np.where(above, other[5], down)
            ridge = np.where(above, other[6], ridge)
            flat = np.where(above, wing.kind == "flat", flat)
            alpha = np.maximum(alpha, other[0])
    colour = _covering(canvas, roof, window.shape, along, down, rng)
    if flat.any():
        rim = np.clip(0.5 + (0.35 - down) / gsd, 0, 1) * flat
        edge = np.asarray(roof.colour, np.float32) / 255.0 * 0.55 + 0.34
        colour = colour + (0.75 * rim)[..., None] * (edge - colour)
    cap = np.clip(0.5 + (0.16 - ridge) / gsd, 0, 1) * min(1.0, 0.32 / gsd + 0.2)
    lift = 0.10 if roof.covering != "thatch" else -0.12
    colour = colour * (1 + (lift * cap))[..., None]
    gutter = np.clip(0.5 + (0.10 - down) / gsd, 0, 1) * ~flat * np.float32(min(1.0, 0.2 / gsd))
    colour = colour * (1 - 0.22 * gutter)[..., None]
    lit = sun.on_plane(slope_x, slope_y)
    # Strong contrast between the faces, yet no burnt-out sunny side.
    lit = np.where(lit > 1.0, 1.0 + 0.55 * (lit - 1.0), lit)
    label = canvas.new_label("roof")
    canvas.paint(window, alpha, colour, label=label, height=height, sun=lit)
    for fitting in roof.fittings:
        _draw_fitting(canvas, roof, fitting)


def _draw_fitting(canvas: Canvas, roof: Roof, fitting: Fitting) -> None:
    reach = np.hypot(fitting.half_length, fitting.half_width)
    centre = np.array([fitting.x, fitting.y])
    window = canvas.window(centre - reach, centre + reach)
    if window is None:
        return
    gsd = canvas.gsd
    u, v = window.local(fitting.x, fitting.y, fitting.angle)
    alpha = np.clip(0.5 + (fitting.half_length - np.abs(u)) / gsd, 0, 1)
    alpha = alpha * np.clip(0.5 + (fitting.half_width - np.abs(v)) / gsd, 0, 1)
    tone = np.ones(window.shape, np.float32)
    if fitting.height < 0.2:  # panels and skylights show their cells
        cells = np.maximum(
            np.cos(u * np.float32(2 * np.pi)), np.cos(v * np.float32(2 * np.pi / 1.6))
        )
        tone = 1 + 0.25 * visible(1.0, gsd) * np.clip(cells - 0.9, 0, 1) * 10
    colour = np.asarray(fitting.colour, np.float32) / 255.0 * tone[..., None]
    base = canvas.height[window.slices]
    raised = base + np.float32(fitting.height) if fitting.height > 0.2 else None
    owner = canvas.labels[window.slices]
    row, column = owner.shape[0] // 2, owner.shape[1] // 2
    # A fitting belongs to its roof, wherever a part of it stands over the rim it is cut.
    alpha = np.where(owner == owner[row, column], alpha, 0.0)
    canvas.paint(window, alpha, colour, height=raised)
