"""Cars, trucks, containers and boats."""

from __future__ import annotations

import numpy as np

from rsam_core.samples.light import Sun
from rsam_core.samples.raster import Canvas
from rsam_core.samples.world import Vehicle

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Coverage, colour and height of a vehicle."""

GLASS = np.array([42, 48, 56], np.float32) / 255.0


def _box(u: np.ndarray, v: np.ndarray, a: float, b: float, radius: float, gsd: float) -> np.ndarray:
    """Coverage of a rounded rectangle centred at the origin."""
    qu, qv = np.abs(u) - np.float32(a - radius), np.abs(v) - np.float32(b - radius)
    outside = np.hypot(np.maximum(qu, 0), np.maximum(qv, 0))
    distance = outside + np.minimum(np.maximum(qu, qv), 0) - np.float32(radius)
    return np.clip(0.5 - distance / np.float32(gsd), 0, 1)


def _span(t: np.ndarray, low: float, high: float, gsd: float) -> np.ndarray:
    """Coverage of the interval [low, high]."""
    return np.clip(0.5 + (t - low) / gsd, 0, 1) * np.clip(0.5 + (high - t) / gsd, 0, 1)


def _mix(colour: np.ndarray, share: np.ndarray, target: np.ndarray | float) -> np.ndarray:
    return colour + share[..., None] * (np.asarray(target, np.float32) - colour)


def draw_vehicle(canvas: Canvas, vehicle: Vehicle, sun: Sun) -> None:
    """Draw one vehicle as an instance of its kind."""
    half = np.array([vehicle.length / 2, vehicle.width / 2])
    reach = float(np.hypot(*half))
    centre = np.array([vehicle.x, vehicle.y])
    window = canvas.window(centre - reach, centre + reach)
    if window is None:
        return
    gsd = canvas.gsd
    u, v = window.local(vehicle.x, vehicle.y, vehicle.angle)
    a, b = float(half[0]), float(half[1])
    rng = np.random.default_rng([vehicle.seed, 11])
    base = np.asarray(vehicle.colour, np.float32) / 255.0
    colour = np.broadcast_to(base, (*window.shape, 3)).copy()
    draw = {"car": _car, "truck": _truck, "container": _container, "boat": _boat}[vehicle.kind]
    alpha, colour, height = draw(u, v, a, b, colour, gsd, rng)
    # The flank towards the sun shines.
    sx, sy, _ = sun.toward
    c, s = np.cos(vehicle.angle), np.sin(vehicle.angle)
    side = np.float32(sy * c - sx * s)
    gloss = 0.16 * np.clip(side * v / b, -1, 1) * np.abs(v / b)
    colour = colour * (1 + gloss)[..., None]
    label = canvas.new_label(vehicle.kind)
    ground = canvas.height[window.slices]
    canvas.paint(window, alpha, colour, label=label, height=ground + height, sun=1.12)


def _car(
    u: np.ndarray,
    v: np.ndarray,
    a: float,
    b: float,
    colour: np.ndarray,
    gsd: float,
    rng: np.random.Generator,
) -> Drawn:
    alpha = _box(u, v, a, b, min(0.45, 0.5 * b), gsd)
    van = rng.random() < 0.15
    nose, tail = (0.62, -0.98) if van else (0.40, -0.62)
    shift = float(rng.uniform(-0.06, 0.06))
    front, back = (nose + shift) * a, (tail + shift) * a
    # Bonnet and boot are a little darker than the roof, panel gaps and bumpers darker still.
    colour = colour * np.where((u > front) | (u < back), 0.93, 1.0).astype(np.float32)[..., None]
    taper = 0.16 * np.square(v / b)
    depth = 0.30 * a
    screen = _span(u + taper, front - depth, front, gsd) * _span(np.abs(v), -1, 0.84 * b, gsd)
    colour = _mix(colour, screen * 0.9, GLASS * float(rng.uniform(0.8, 1.5)))
    if not van:
        rear = _span(u - taper, back, back + 0.20 * a, gsd) * _span(np.abs(v), -1, 0.80 * b, gsd)
        colour = _mix(colour, rear * 0.88, GLASS)
    sides = _span(np.abs(v), 0.80 * b, 0.95 * b, gsd) * _span(u, back + 0.1 * a, front - 0.2, gsd)
    colour = _mix(colour, sides * 0.75, GLASS)
    rim = 1.0 - _box(u, v, a - 0.12, b - 0.10, 0.3, gsd)
    colour = colour * (1 - 0.28 * rim)[..., None]
    lamp = _span(np.abs(v), 0.55 * b, 0.92 * b, gsd) * _span(u, 0.90 * a, 0.98 * a, gsd)
    colour = _mix(colour, lamp * 0.6, np.array([0.86, 0.86, 0.82]))
    brake = _span(np.abs(v), 0.55 * b, 0.95 * b, gsd) * _span(u, -0.98 * a, -0.93 * a, gsd)
    colour = _mix(colour, brake * 0.6, np.array([0.50, 0.12, 0.10]))
    cabin = (u < front) & (u > back) & (np.abs(v) < 0.85 * b)
    height = np.where(cabin, 1.50, 0.85).astype(np.float32)
    return alpha, colour, height


def _truck(
    u: np.ndarray,
    v: np.ndarray,
    a: float,
    b: float,
    colour: np.ndarray,
    gsd: float,
    rng: np.random.Generator,
) -> Drawn:
    cab_length = min(2.2, 0.34 * 2 * a)
    start = a - cab_length
    alpha = _box(u, v, a, b, 0.15, gsd)
    gap = _span(u, start - 0.35, start, gsd)
    load = np.array(
        [(224, 222, 216), (196, 190, 180), (108, 122, 140), (150, 104, 84)][rng.integers(4)]
    )
    colour = np.where((u < start)[..., None], load.astype(np.float32) / 255.0, colour)
    ribs = np.cos(u * np.float32(2 * np.pi / 1.2)) * np.float32(0.04 * min(1.0, 0.3 / gsd))
    colour = colour * (1 + ribs * (u < start))[..., None]
    colour = _mix(colour, gap * 0.85, np.array([0.16, 0.16, 0.17]))
    screen = _span(u, a - 0.55, a - 0.10, gsd) * _span(np.abs(v), -1, 0.86 * b, gsd)
    colour = _mix(colour, screen * 0.85, GLASS)
    height = np.where(u < start, 3.3, 2.7).astype(np.float32)
    return alpha, colour, height


def _container(
    u: np.ndarray,
    v: np.ndarray,
    a: float,
    b: float,
    colour: np.ndarray,
    gsd: float,
    rng: np.random.Generator,
) -> Drawn:
    alpha = _box(u, v, a, b, 0.02, gsd)
    ribs = np.cos(u * np.float32(2 * np.pi / 0.6)) * np.float32(0.08 * min(1.0, 0.2 / gsd))
    rim = 1.0 - _box(u, v, a - 0.12, b - 0.12, 0.02, gsd)
    colour = colour * (1 + ribs - 0.2 * rim)[..., None]
    level = float(rng.integers(1, 4)) * 2.6
    return alpha, colour, np.full(u.shape, level, np.float32)


def _boat(
    u: np.ndarray,
    v: np.ndarray,
    a: float,
    b: float,
    colour: np.ndarray,
    gsd: float,
    rng: np.random.Generator,
) -> Drawn:
    t = np.clip((u / a + 1) / 2, 0, 1)
    ship = a > 9
    start = 0.78 if ship else 0.45
    bow = np.clip((t - start) / (1 - start), 0, 1)
    stern = np.clip(1 - t / 0.08, 0, 1)
    beam = np.float32(b) * (1 - np.power(bow, 2.2)) * (1 - 0.25 * np.square(stern))
    if not ship:
        beam = beam * (0.86 + 0.3 * np.minimum(t, 0.45))
    alpha = np.clip(0.5 + (beam - np.abs(v)) / gsd, 0, 1)
    alpha = alpha * np.clip(0.5 + (a - np.abs(u)) / gsd, 0, 1)
    inner = np.clip(0.5 + (beam - 0.3 - np.abs(v)) / gsd, 0, 1)
    if ship:
        deck = np.array([(128, 96, 84), (122, 124, 120), (96, 112, 100)][rng.integers(3)])
        colour = _mix(colour, inner * 0.85, deck.astype(np.float32) / 255.0)
        hatches = np.zeros(u.shape, np.float32)
        for k in range(3):
            hatch = _box(u - (0.30 - 0.34 * k) * a, v, 0.13 * a, 0.58 * b, 0.1, gsd)
            hatches = np.maximum(hatches, hatch)
        colour = _mix(colour, hatches * 0.8, np.array([0.62, 0.62, 0.58]))
        cabin = _box(u + 0.78 * a, v, 0.13 * a, 0.75 * b, 0.2, gsd)
        height = (2.5 + 1.2 * hatches + 5.0 * cabin).astype(np.float32)
    else:
        wood = np.array([186, 170, 144], np.float32) / 255.0
        colour = _mix(colour, inner * _span(u, -0.85 * a, -0.1 * a, gsd) * 0.6, wood)
        cabin = _box(u - 0.08 * a, v, 0.26 * a, 0.55 * b, 0.2, gsd)
        height = (0.9 + 1.2 * cabin).astype(np.float32)
    colour = _mix(colour, cabin, np.array([0.88, 0.88, 0.86]))
    front = (-0.68 if ship else 0.26) * a
    glass = _span(u, front, front + 0.09 * a, gsd) * _span(np.abs(v), -1, 0.5 * b, gsd)
    return alpha, _mix(colour, glass * 0.8, GLASS), height
