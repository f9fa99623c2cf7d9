"""Villages, farmland and rivers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from shapely.geometry import LineString, Polygon, box
from shapely.ops import unary_union

from rsam_core.samples.builder import Builder, Frame, Road, along
from rsam_core.samples.buildings import hall, house, place, shed
from rsam_core.samples.regions import pick, vary
from rsam_core.samples.streets import Box
from rsam_core.samples.world import Occupancy, Patch, rectangle

CROPS = (
    ("crop", (128, 138, 78), 0.75, 4),
    ("crop", (112, 128, 70), 1.0, 3),
    ("crop", (178, 162, 110), 0.75, 4),
    ("crop", (150, 142, 92), 1.5, 2),
    ("crop", (188, 178, 88), 0.75, 0.7),
    ("plough", (146, 120, 94), 1.6, 3),
    ("plough", (124, 104, 84), 2.2, 2),
    ("rows", (92, 112, 60), 1.5, 2),
    ("rows", (84, 104, 58), 2.6, 1.5),
    ("grass", (126, 134, 84), 1.0, 2),
)


def _curve(rng: np.random.Generator, start: ArrayLike, end: ArrayLike, sway: float) -> LineString:
    """A gently swaying path between two points."""
    t = np.linspace(0, 1, 40)
    start, end = np.asarray(start, float), np.asarray(end, float)
    direction = end - start
    normal = np.array([-direction[1], direction[0]]) / (np.hypot(*direction) + 1e-9)
    bend = sum(
        rng.normal(0, sway / k) * np.sin(np.pi * k * t + rng.uniform(0, 2 * np.pi))
        for k in (1, 2, 3)
    )
    return LineString(start + t[:, None] * direction + bend[:, None] * normal)


def _across(
    rng: np.random.Generator, b: Builder, angle: float, shift: float, sway: float
) -> LineString:
    centre = np.array([b.world.width, b.world.height]) / 2
    reach = 0.5 * np.hypot(*(2 * centre)) + 80
    d = np.array([np.cos(angle), np.sin(angle)])
    centre = centre + shift * np.array([-d[1], d[0]])
    return _curve(rng, centre - reach * d, centre + reach * d, sway)


def fields(b: Builder, frame: Frame, size: tuple[float, float]) -> None:
    """Cover the whole land with fields separated by verges."""
    reach = frame.radius
    rng = b.rng("fields")
    v, row = -reach, 0
    while v < reach:
        dv = float(rng.uniform(*size)) * 0.7
        u = -reach + float(rng.uniform(-size[1], 0))
        while u < reach:
            du = float(rng.uniform(*size))
            draw = b.rng("field", row, int(u * 10))
            _field(b, frame, draw, (u, u + du, v, v + dv))
            u += du
        v += dv
        row += 1


def _field(b: Builder, frame: Frame, rng: np.random.Generator, cell: Box) -> None:
    u0, u1, v0, v1 = cell
    skew = rng.normal(0, 0.03, 8) * (u1 - u0)
    corners = frame.world(
        np.array([u0, u1, u1, u0]) + 0.4 * skew[:4], np.array([v0, v0, v1, v1]) + 0.4 * skew[4:]
    )
    area = Polygon(corners).buffer(-float(rng.uniform(0.8, 2.2)), join_style="round")
    area = area.buffer(-4).buffer(4)
    turn = frame.direction((u0 + u1) / 2, (v0 + v1) / 2)
    if rng.random() < 0.3:
        turn += np.pi / 2
    crops = b.rng("crop", int(u0 * 10), int(v0 * 10), b.date if rng.random() < 0.5 else 0)
    material, colour, period, _ = pick(crops, CROPS, [c[3] for c in CROPS])
    tone = vary(crops, colour, 0.06)
    land = area.difference(b.network.buffer(2.0))
    clear = box(-10, -10, b.world.width + 10, b.world.height + 10)
    if land.is_empty or not land.intersects(clear):
        return
    for part in getattr(land, "geoms", [land]):
        if part.area > 60 and part.geom_type == "Polygon":
            b.patch(part, material, tone, cls="field", angle=turn, period=period)
    if rng.random() < 0.45:
        edge = LineString([corners[0], corners[1]])
        dense = rng.random() < 0.5
        for s in np.arange(2, edge.length, 4.5 if dense else 11.0):
            x, y, _ = along(edge, float(s), float(rng.normal(0, 0.8)))
            if rng.random() < 0.75:
                b.tree(rng, x, y, float(np.clip(rng.gamma(5, 0.55), 1.0, 6)))


def village(b: Builder) -> None:
    """Houses along a winding road, fields all round, a stream or a pond."""
    rng = b.rng("village")
    frame = Frame(rng, b.world.width, b.world.height)
    angle = float(rng.uniform(0, np.pi))
    main = _across(rng, b, angle, float(rng.uniform(-30, 30)), 18.0)
    dirt = rng.random() < b.region.dirt_streets * 0.7
    surface = "dirt" if dirt else "asphalt"
    b.roads.append(Road(main, 6.5, surface, marked=not dirt, pavement=0 if dirt else 1.4,
                        parking=0.05, traffic=0.008))  # fmt: skip
    for k in (0.36, 0.58):
        point = main.interpolate(k, normalized=True)
        turn = angle + np.pi / 2 + float(rng.normal(0, 0.25)) + (np.pi if k > 0.5 else 0)
        end = (point.x + 420 * np.cos(turn), point.y + 420 * np.sin(turn))
        lane = _curve(rng, (point.x, point.y), end, 9.0)
        lane = LineString([(point.x, point.y), *list(lane.coords)[1:]])
        b.roads.append(Road(lane, 4.8, "dirt" if dirt or rng.random() < 0.3 else "asphalt",
                            parking=0.04, traffic=0.003))  # fmt: skip
    _track(b, rng, angle)
    b.open_roads()
    stream(b, rng, angle + np.pi / 2 + 0.5, 150 if rng.random() < 0.5 else -150)
    fields(b, frame, (70.0, 170.0))
    lots: list[Polygon] = []
    for index, road in enumerate(b.roads[:3]):
        length = road.line.length
        start = 0.18 if index == 0 else 0.0
        stop = 0.82 if index == 0 else min(1.0, 190.0 / length)
        for side in (-1, 1):
            draw = b.rng("row", index, side)
            s = start * length + float(draw.uniform(8, 20))
            number = 0
            while s < stop * length:
                width = float(draw.uniform(20, 32))
                _farm_lot(b, b.rng("farm", index, side, number), road, s, side, width, lots)
                s += width + (float(draw.uniform(5, 40)) if draw.random() < 0.2 else 0.0)
                number += 1
    _scatter(b, rng, 0.0006)


def _farm_lot(
    b: Builder,
    rng: np.random.Generator,
    road: Road,
    s: float,
    side: int,
    width: float,
    lots: list[Polygon],
) -> None:
    x, y, turn = along(road.line, s + width / 2)
    depth = float(rng.uniform(34, 52))
    first = road.width / 2 + road.pavement

    def at(u: float, v: float) -> tuple[float, float]:
        return place(x, y, turn, u * width / 2, side * (first + v))

    ring = [at(-1, 0.3), at(1, 0.3), at(1, depth), at(-1, depth)]
    plot = Polygon(ring).buffer(0).difference(b.network)
    if plot.geom_type != "Polygon" or plot.area < 300 or not b.inside(x, y, 60):
        return
    if any(plot.intersection(other).area > 60 for other in lots):
        return
    lots.append(plot)
    parts = rng.spawn(4)
    stands, extended = b.change(rng)
    tone = b.region.grass if rng.random() < 0.6 else b.region.wild
    b.patch(plot, "grass" if rng.random() < 0.6 else "rough", vary(rng, tone, 0.07))
    home_rng, barn_rng, yard_rng, tree_rng = parts
    long, deep = float(home_rng.uniform(10, 15)), float(home_rng.uniform(7.5, 9.5))
    across = home_rng.random() < 0.3
    hx, hy = at(float(home_rng.uniform(-0.3, 0.1)), float(home_rng.uniform(5, 8)) + deep / 2)
    home = house(home_rng, b.region, hx, hy, turn + across * np.pi / 2, long, deep,
                 extended=extended)  # fmt: skip
    b.roof(home, stands=stands)
    if barn_rng.random() < 0.4:
        bx, by = at(float(barn_rng.uniform(-0.4, 0.4)), depth - 9)
        barn = house(barn_rng, b.region, bx, by, turn, float(barn_rng.uniform(14, 20)), 9.0,
                     storeys=2)  # fmt: skip
        b.roof(barn)
    elif barn_rng.random() < 0.6:
        bx, by = at(float(barn_rng.uniform(-0.7, 0.7)), float(barn_rng.uniform(20, depth - 4)))
        b.roof(shed(barn_rng, bx, by, turn), grow=0.1)
    yard = Polygon([at(0.42, -1.2), at(0.85, -1.2), at(0.85, 17), at(0.42, 17)])
    if yard_rng.random() < 0.8:
        kind = pick(yard_rng, ["gravel", "concrete", "dirt"], [3, 2, 2])
        tone = vary(yard_rng, (170, 158, 138), 0.06)
        b.surface(yard, kind, tone, cls="paved", angle=turn, period=3.5)
        b.occupancy.fill_geometry(yard, Occupancy.PAVED)
        cars = b.rng("yard", int(x * 10), int(y * 10), side, b.date)
        if cars.random() < 0.6:
            cx, cy = at(0.63, float(cars.uniform(4, 14)))
            b.vehicle(cars, cx, cy, turn + np.pi / 2 + cars.normal(0, 0.1))
    if yard_rng.random() < 0.5:
        gx, gy = at(float(yard_rng.uniform(-0.5, 0.5)), depth - 8)
        bed = Polygon(rectangle(gx, gy, float(yard_rng.uniform(3, 6)), 3.0, turn))
        b.patch(bed, "rows", vary(yard_rng, (98, 114, 66), 0.08), angle=turn, period=0.9)
    for _ in range(int(tree_rng.poisson(4.5))):
        tx, ty = at(float(tree_rng.uniform(-0.95, 0.95)), float(tree_rng.uniform(2, depth)))
        b.tree(tree_rng, tx, ty)
    for _ in range(int(tree_rng.poisson(3))):
        tx, ty = at(float(tree_rng.uniform(-0.95, 0.95)), float(tree_rng.uniform(1, depth)))
        b.tree(tree_rng, tx, ty, float(tree_rng.uniform(0.6, 1.1)), kind="bush")
    if tree_rng.random() < 0.5:
        line = LineString([at(-0.97, 3), at(-0.97, depth), at(0.97, depth)])
        band = line.buffer(0.6, cap_style="flat")
        b.world.overlays.append(
            Patch(band, "hedge", vary(tree_rng, b.region.leaves[0], 0.1), cls="hedge", height=1.6)
        )


def _track(b: Builder, rng: np.random.Generator, angle: float) -> None:
    line = _across(rng, b, angle + float(rng.uniform(0.2, 0.6)), float(rng.uniform(60, 110)), 12.0)
    b.roads.append(Road(line, 3.2, "dirt", traffic=0.001))


def stream(b: Builder, rng: np.random.Generator, angle: float, shift: float) -> None:
    """A small river lined by trees."""
    line = _across(rng, b, angle, shift, 26.0)
    width = float(rng.uniform(5.0, 13.0))
    bank = line.buffer(width / 2 + 3.5)
    water = line.buffer(width / 2)
    land = b.network.buffer(0.3)
    b.patch(bank.difference(land), "rough", vary(rng, b.region.wild, 0.05))
    for part in getattr(water.difference(land), "geoms", [water.difference(land)]):
        b.over.insert(0, Patch(part, "water", vary(rng, (82, 96, 84), 0.08), cls="water",
                               angle=angle, period=1.6))  # fmt: skip
    b.occupancy.fill_geometry(water.buffer(0.6), Occupancy.WATER)
    b.network = unary_union([b.network, water.buffer(3.0)])
    for s in np.arange(0, line.length, 5.0):
        for side in (-1, 1):
            if rng.random() < 0.5:
                x, y, _ = along(line, float(s), side * (width / 2 + float(rng.uniform(1.5, 6))))
                b.tree(rng, x, y, float(np.clip(rng.gamma(6, 0.5), 1.2, 6)))


def _scatter(b: Builder, rng: np.random.Generator, density: float) -> None:
    for _ in range(int(b.world.width * b.world.height * density)):
        b.tree(rng, float(rng.uniform(0, b.world.width)), float(rng.uniform(0, b.world.height)))


def farmland(b: Builder) -> None:
    """Large fields, farmsteads, a country road, copses and ponds."""
    rng = b.rng("farmland")
    frame = Frame(rng, b.world.width, b.world.height)
    angle = float(rng.uniform(0, np.pi))
    road = _across(rng, b, angle, float(rng.uniform(-40, 40)), 14.0)
    b.roads.append(Road(road, 6.5, "asphalt", marked=True, traffic=0.006))
    _track(b, rng, angle + 1.2)
    b.open_roads()
    if rng.random() < 0.7:
        stream(b, rng, angle + 0.9, float(rng.uniform(-120, 120)))
    fields(b, frame, (120.0, 260.0))
    for k in range(int(2 + b.world.width * b.world.height / 60000)):
        draw = b.rng("farmstead", k)
        s = float(draw.uniform(0.25, 0.75)) * road.length
        x, y, turn = along(road, s, float(draw.choice([-1, 1])) * 34)
        _farmstead(b, draw, x, y, turn)
    for k in range(int(1 + b.world.width * b.world.height / 50000)):
        draw = b.rng("copse", k)
        x, y = draw.uniform(0, b.world.width), draw.uniform(0, b.world.height)
        radius = float(draw.uniform(14, 40))
        if draw.random() < 0.35:
            pond(b, draw, float(x), float(y), 0.5 * radius)
            continue
        for _ in range(int(radius**2 / 7)):
            t, r = draw.uniform(0, 2 * np.pi), radius * np.sqrt(draw.random())
            b.tree(draw, float(x + r * np.cos(t)), float(y + 0.7 * r * np.sin(t)))


def pond(b: Builder, rng: np.random.Generator, x: float, y: float, radius: float) -> None:
    """A pond with a soft outline."""
    t = np.linspace(0, 2 * np.pi, 41)[:-1]
    rim = 1 + sum(rng.normal(0, 0.12 / k) * np.sin(k * t + rng.uniform(0, 6.3)) for k in (2, 3, 4))
    shape = Polygon(
        np.stack([x + radius * rim * np.cos(t), y + 0.75 * radius * rim * np.sin(t)], 1)
    )
    shape = shape.buffer(0).difference(b.network)
    if shape.geom_type != "Polygon" or shape.area < 40:
        return
    b.patch(shape.buffer(2.2), "rough", vary(rng, b.region.wild, 0.05))
    b.patch(shape, "water", vary(rng, (78, 90, 84), 0.08), cls="water", period=2.0)
    b.occupancy.fill_geometry(shape.buffer(0.5), Occupancy.WATER)
    for _ in range(int(radius)):
        if rng.random() < 0.4:
            a = rng.uniform(0, 2 * np.pi)
            b.tree(rng, float(x + 1.2 * radius * np.cos(a)), float(y + 0.95 * radius * np.sin(a)))


def _farmstead(b: Builder, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    ground = Polygon(rectangle(x, y, 34, 24, turn)).buffer(-6).buffer(6).difference(b.network)
    if ground.geom_type != "Polygon" or ground.area < 900:
        return
    b.patch(ground, "rough", vary(rng, b.region.wild, 0.05))
    yard = Polygon(rectangle(x, y, 15, 10, turn)).buffer(3)
    b.surface(yard, "gravel", vary(rng, (172, 160, 140), 0.05), cls="paved")
    spots = [(-20, -4, np.pi / 2), (4, -16, 0.0), (22, 5, np.pi / 2), (-4, 16, 0.0)]
    for k, (u, v, lean) in enumerate(spots):
        px, py = place(x, y, turn, u, v)
        stands, extended = b.change(rng)
        if k == 0:
            model = house(rng, b.region, px, py, turn + lean, 13, 9, extended=extended)
        else:
            model = hall(
                rng, px, py, turn + lean, float(rng.uniform(16, 28)), float(rng.uniform(9, 13))
            )
        b.roof(model, stands=stands and rng.random() < 0.9)
    cars = b.rng("farm cars", int(x * 10), int(y * 10), b.date)
    for _ in range(int(cars.integers(1, 5))):
        px, py = place(x, y, turn, float(cars.uniform(-12, 12)), float(cars.uniform(-8, 8)))
        b.vehicle(
            cars, px, py, float(cars.uniform(0, 6.3)), "truck" if cars.random() < 0.2 else "car"
        )
    for _ in range(26):
        px, py = place(x, y, turn, float(rng.uniform(-34, 34)), float(rng.uniform(-24, 24)))
        b.tree(rng, px, py, avoid=Occupancy.HARD)
