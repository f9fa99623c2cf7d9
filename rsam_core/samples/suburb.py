"""Suburb: detached houses with gardens, drives, hedges and pools."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from shapely.geometry import Polygon

from rsam_core.samples.builder import Builder, Frame
from rsam_core.samples.buildings import house, shed
from rsam_core.samples.regions import pick, vary
from rsam_core.samples.streets import Box, fence, grid, hedge, park, street_trees, visible
from rsam_core.samples.world import Occupancy, Patch, rectangle


def suburb(b: Builder) -> None:
    """Detached houses with gardens, drives, hedges and pools."""
    rng = b.rng("suburb")
    frame = Frame(rng, b.world.width, b.world.height, bend=0.7)
    lot = float(rng.uniform(15.0, 21.0))
    blocks = grid(b, frame, (58.0, 74.0), (95.0, 150.0))
    for number, (u0, u1, v0, v1) in enumerate(blocks):
        if not visible(b, frame.quad(u0, u1, v0, v1)):
            continue
        special = b.rng("special", number)
        if special.random() < 0.07:
            park(b, frame, (u0, u1, v0, v1), special)
            continue
        middle = (v0 + v1) / 2
        for row, (front, back) in enumerate(((v0, middle), (v1, middle))):
            count = max(1, round((u1 - u0) / lot))
            edges = np.linspace(u0, u1, count + 1)
            for k in range(count):
                draw = b.rng("lot", number, row, k)
                _garden_lot(b, frame, draw, float(edges[k]), float(edges[k + 1]), front, back)
    street_trees(b, 0.35)


def _garden_lot(
    b: Builder,
    frame: Frame,
    rng: np.random.Generator,
    u0: float,
    u1: float,
    front: float,
    back: float,
) -> None:
    polygon = frame.quad(u0, u1, min(front, back), max(front, back))
    stands, extended = b.change(rng)
    if not visible(b, polygon, 12.0):
        return
    region = b.region
    inward = 1.0 if back > front else -1.0
    depth, width = abs(back - front), u1 - u0
    lawn = vary(rng, region.grass if rng.random() < 0.75 else region.wild, 0.07)
    neglected = rng.random() < 0.18
    bare = not stands and rng.random() < 0.6
    ground = "soil" if bare else "rough" if neglected or not stands else "grass"
    b.patch(polygon, ground, vary(rng, region.soil, 0.05) if bare else lawn)
    turn = frame.direction((u0 + u1) / 2, front)
    side = 1.0 if rng.random() < 0.5 else -1.0

    def at(u: float, v: float) -> tuple[float, float]:
        """Point by position across the lot (-1 to 1) and depth in metres."""
        px, py = frame.world((u0 + u1) / 2 + u * width / 2, front + inward * v)
        return float(px), float(py)

    # Streams of their own: a house that is absent at one date must not change the garden.
    home_rng, drive_rng, yard_rng, edge_rng, tree_rng, clutter_rng = rng.spawn(6)
    long = min(width - home_rng.uniform(3.0, 5.5), home_rng.uniform(11.0, 16.0))
    deep = float(home_rng.uniform(7.6, 10.5))
    setback = float(home_rng.uniform(4.0, 7.5))
    x, y = at(-side * 0.12, setback + deep / 2)
    lean = turn + float(home_rng.normal(0, 0.02))
    home = house(home_rng, region, x, y, lean, long, deep, extended=extended)
    if b.roof(home, stands=stands) and stands:
        _drive(b, drive_rng, at, side * (1 - 3.0 / width), setback, turn)
        px, py = at(-side * 0.1, setback + deep + 1.6)
        if drive_rng.random() < 0.55:
            patio = Polygon(rectangle(px, py, 0.3 * long, 1.9, turn))
            b.surface(patio, "paving", vary(drive_rng, (172, 160, 146), 0.07))
        _clutter(b, clutter_rng, at, setback + deep, depth, turn)
    _yard(b, yard_rng, at, setback + deep, depth, turn)
    if edge_rng.random() < 0.8:
        _boundary(b, frame, edge_rng, (u0, u1, front, back))
    _plants(b, tree_rng, at, setback + deep, depth)


Place = Callable[[float, float], tuple[float, float]]


def _drive(
    b: Builder, rng: np.random.Generator, at: Place, u: float, setback: float, turn: float
) -> None:
    """A drive along one side of the house, often with a car and a garage at its end."""
    length = float(rng.uniform(0.9, 1.6)) * (setback + 3.0)
    cx, cy = at(u, (length - 2.5) / 2)
    drive = rectangle(cx, cy, (length + 2.5) / 2, float(rng.uniform(1.4, 2.2)), turn + np.pi / 2)
    tones = [(166, 162, 154), (128, 127, 125), (158, 138, 122), (178, 170, 154)]
    tone = vary(rng, pick(rng, tones, [4, 2, 1.2, 1.5]), 0.06)
    kind = pick(rng, ["concrete", "paving", "gravel"], [3, 3, 1.5])
    b.surface(Polygon(drive), kind, tone, cls="paved", angle=turn, period=3.0)
    b.occupancy.fill(drive, Occupancy.PAVED)
    if rng.random() < 0.30:
        b.roof(shed(rng, *at(u, length + 1.4), turn + np.pi / 2), grow=0.1)
    cars = b.rng("drive", int(cx * 10), int(cy * 10), b.date)
    if cars.random() < 0.55:
        px, py = at(u, float(cars.uniform(2.8, max(3.0, length - 2.5))))
        heading = turn + np.pi / 2 + (np.pi if cars.random() < 0.5 else 0)
        b.vehicle(cars, px, py, heading + cars.normal(0, 0.03))


def _yard(
    b: Builder, rng: np.random.Generator, at: Place, behind: float, depth: float, turn: float
) -> None:
    """Pool, vegetable plot and shed behind the house."""
    kind, u = rng.random(), float(rng.uniform(-0.4, 0.4))
    if kind < b.region.pools and depth > behind + 9:
        px, py = at(u, behind + 6.2)
        size = rng.uniform(2.6, 4.2), rng.uniform(1.3, 2.1)
        basin = Polygon(rectangle(px, py, size[0], size[1], turn))
        basin = basin.buffer(0.5) if rng.random() < 0.7 else basin.buffer(1.4)
        b.surface(basin.buffer(1.1, join_style="mitre"), "paving", (184, 178, 166))
        b.surface(basin, "pool", vary(rng, (120, 164, 170), 0.06), cls="pool")
        b.occupancy.fill_geometry(basin.buffer(0.8), Occupancy.WATER)
    elif kind < 0.45:
        px, py = at(1.3 * u, depth - float(rng.uniform(3.5, 6.0)))
        plot = Polygon(rectangle(px, py, rng.uniform(1.8, 3.6), rng.uniform(1.4, 2.6), turn))
        b.patch(plot, "rows", vary(rng, (100, 114, 70), 0.1), angle=turn, period=0.9)
    if rng.random() < 0.4:
        new = rng.random() < 0.12
        px, py = at(0.72 if rng.random() < 0.5 else -0.72, depth - 2.4)
        b.roof(shed(rng, px, py, turn), stands=not new or b.date > 0, grow=0.1)


def _clutter(
    b: Builder, rng: np.random.Generator, at: Place, behind: float, depth: float, turn: float
) -> None:
    """Tables, tarpaulins, boxes and washing: small light and dark things round a house."""
    tones = [(206, 204, 198), (150, 148, 144), (84, 88, 92), (92, 116, 140), (140, 112, 88)]
    for _ in range(int(rng.poisson(2.5))):
        px, py = at(float(rng.uniform(-0.85, 0.85)), float(rng.uniform(behind + 0.6, depth - 1)))
        size = rng.uniform(0.3, 1.1, 2)
        spot = rectangle(px, py, size[0], size[1], turn + float(rng.normal(0, 0.4)))
        if not b.occupancy.taken(spot, Occupancy.HARD):
            tone = vary(rng, tones[int(rng.integers(len(tones)))], 0.1)
            b.world.overlays.append(Patch(Polygon(spot), "plain", tone, height=0.7))


def _plants(b: Builder, rng: np.random.Generator, at: Place, behind: float, depth: float) -> None:
    """Trees and shrubs, mostly behind the house and along the borders."""
    leafy = float(rng.gamma(2.0, 1.5))
    for _ in range(int(rng.poisson(leafy))):
        u = float(rng.uniform(-0.95, 0.95))
        if rng.random() < 0.4:
            u = float(np.sign(u)) * float(rng.uniform(0.8, 0.98))
        b.tree(rng, *at(u, float(rng.uniform(behind, depth))))
    for _ in range(int(rng.poisson(0.8))):
        b.tree(rng, *at(float(rng.uniform(-0.9, 0.9)), float(rng.uniform(1.0, behind - 8))),
               float(rng.uniform(1.0, 2.4)))  # fmt: skip
    for _ in range(int(rng.poisson(4.0))):
        u = float(rng.uniform(-0.97, 0.97))
        b.tree(rng, *at(u, float(rng.uniform(0.6, depth))), float(rng.uniform(0.45, 1.1)),
               kind="bush")  # fmt: skip


def _boundary(b: Builder, frame: Frame, rng: np.random.Generator, box: Box) -> None:
    """Hedge or fence on one side and at the back."""
    u0, u1, front, back = box
    inward = 1.0 if back > front else -1.0
    line = frame.line([(u0 + 0.4, front + inward * 4.0), (u0 + 0.4, back), (u1 - 0.4, back)])
    if rng.random() < 0.5:
        band = line.buffer(float(rng.uniform(0.4, 0.8)), cap_style="flat")
        tone = vary(rng, b.region.leaves[0], 0.1)
        b.world.overlays.append(hedge(band.difference(b.network), tone))
    else:
        tone = vary(rng, pick(rng, [(150, 138, 122), (176, 170, 160), (122, 108, 94)], [2, 2, 1]))
        b.world.overlays.append(fence(line, tone))
