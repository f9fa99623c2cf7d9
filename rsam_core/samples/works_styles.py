"""Industrial estates and harbours."""

from __future__ import annotations

import numpy as np
from shapely.geometry import MultiPolygon, Polygon

from .builder import Builder, Frame
from .buildings import hall, house, place
from .regions import pick, vary
from .town_styles import _grid, _visible, car_rows, street_trees
from .world import Occupancy, Patch, Vehicle, rectangle

BOXES = (
    (138, 70, 58), (70, 92, 122), (120, 124, 122), (86, 110, 92), (166, 122, 70),
    (176, 176, 172), (96, 62, 56), (62, 74, 90),
)  # fmt: skip


def industrial(b: Builder) -> None:
    """Halls, yards, car parks and containers."""
    rng = b.rng("industrial")
    frame = Frame(rng, b.world.width, b.world.height, bend=0.6)
    blocks = _grid(b, frame, (105.0, 150.0), (120.0, 190.0), dirt=False, narrow=8.5, parking=0.1,
                   pavement=1.6)  # fmt: skip
    for number, box in enumerate(blocks):
        if _visible(b, frame.quad(*box)):
            works_block(b, frame, b.rng("works", number), box)
    street_trees(b, 0.35)


def works_block(b: Builder, frame: Frame, rng: np.random.Generator, box) -> None:
    """One block: verge, yard, one to three halls, parking, containers, trees."""
    u0, u1, v0, v1 = box
    polygon = frame.quad(u0, u1, v0, v1)
    b.patch(polygon, "rough", vary(rng, b.region.wild, 0.05))
    count = max(1, round((u1 - u0) / float(rng.uniform(60, 110))))
    edges = np.linspace(u0, u1, count + 1)
    for k in range(count):
        _plot(b, frame, b.rng("plot", int(u0 * 10), int(v0 * 10), k),
              (float(edges[k]) + 1.5, float(edges[k + 1]) - 1.5, v0 + 2, v1 - 2))  # fmt: skip


def _plot(b: Builder, frame: Frame, rng: np.random.Generator, box) -> None:
    u0, u1, v0, v1 = box
    um, vm = (u0 + u1) / 2, (v0 + v1) / 2
    turn = frame.direction(um, vm)
    if rng.random() < 0.08:
        from .town_styles import park

        park(b, frame, box, rng)
        return
    layout, build, cars, green = rng.spawn(4)
    yard = frame.quad(u0 + 2, u1 - 2, v0 + 3, v1 - 3)
    material, tone = pick(
        layout, [("concrete", (172, 168, 160)), ("asphalt", (134, 132, 130)),
                 ("gravel", (168, 156, 138))], [4, 4, 1.5]
    )  # fmt: skip
    b.surface(yard, material, vary(layout, tone, 0.05), cls="paved", angle=turn, period=5.0)
    gate = frame.quad(um - 4, um + 4, v0 - 6, v0 + 4)
    b.surface(gate, material, vary(layout, tone, 0.04))
    length, depth = (
        (u1 - u0) * float(layout.uniform(0.5, 0.72)),
        (v1 - v0) * float(layout.uniform(0.36, 0.55)),
    )
    stands, extended = b.change(rng)
    shift = float(layout.uniform(-0.10, 0.10)) * (u1 - u0)
    x, y = (float(t) for t in frame.world(um + shift, v1 - 7 - depth / 2))
    b.roof(hall(build, x, y, turn, length, depth, extended=extended), stands=stands)
    front = v1 - 10 - depth
    if layout.random() < 0.6:
        ox, oy = (float(t) for t in frame.world(u0 + 16, v0 + 13))
        office = house(
            build, b.region, ox, oy, turn, float(layout.uniform(16, 22)), 11.0, storeys=2
        )
        b.roof(office)
    use = layout.random()
    if use < 0.55:
        parking = b.rng("bays", int(um * 10), int(vm * 10), b.date)
        car_rows(b, parking, frame, (um - 4, u1 - 5, v0 + 6, min(front - 6, v0 + 32)),
                 float(layout.uniform(0.35, 0.85)))  # fmt: skip
    else:
        stacks(b, layout, frame, (um, u1 - 8, v0 + 8, front - 12))
    for k in range(int(cars.integers(2, 7))):
        own = b.rng("lorry", int(um * 10), int(vm * 10), k, b.date)
        u = own.uniform(u0 + 8, u1 - 8)
        px, py = (float(t) for t in frame.world(u, front - float(own.uniform(2, 12))))
        at_dock = own.random() < 0.7
        heading = turn - np.pi / 2 if at_dock else turn
        b.vehicle(own, px, py, heading + own.normal(0, 0.02),
                  "truck" if own.random() < 0.6 else "car")  # fmt: skip
    for _ in range(int((u1 - u0) * 0.28)):
        side = green.random()
        u = green.uniform(u0, u1)
        v = green.choice([v0, v1]) + green.normal(0, 0.8)
        if side < 0.4:
            u, v = green.choice([u0, u1]) + green.normal(0, 0.6), green.uniform(v0, v1)
        px, py = frame.world(u, v)
        b.tree(green, float(px), float(py), float(green.uniform(1.0, 3.4)),
               avoid=Occupancy.ROAD | Occupancy.ROOF)  # fmt: skip


def stacks(b: Builder, rng: np.random.Generator, frame: Frame, box) -> None:
    """Rows of containers."""
    u0, u1, v0, v1 = box
    v = v0
    while v < v1:
        rows = int(rng.integers(1, 4))
        for k in range(rows):
            u = u0 + 6.5
            while u < u1 - 6.2:
                x, y = (float(t) for t in frame.world(u, v + 2.6 * k))
                fate = rng.random()
                colour = vary(rng, BOXES[int(rng.integers(len(BOXES)))], 0.07)
                length = 12.2 if rng.random() < 0.75 else 6.1
                seed = int(rng.integers(1 << 30))
                turn = frame.direction(u, v)
                if fate < 0.72 and b.inside(x, y, 8):
                    body = rectangle(x, y, length / 2, 1.22, turn)
                    if not b.occupancy.taken(body, Occupancy.ROOF | Occupancy.ROAD | 32):
                        b.occupancy.fill(body, 32)
                        b.world.vehicles.append(
                            Vehicle(x, y, length, 2.44, turn, colour, "container", seed)
                        )
                u += 12.9
        v += 2.6 * rows + float(rng.uniform(7, 11))


def harbour(b: Builder) -> None:
    """A quay with a basin and a marina in front of halls and streets."""
    rng = b.rng("harbour")
    frame = Frame(rng, b.world.width, b.world.height, bend=0.25)
    short = min(b.world.width, b.world.height)
    sign = 1.0 if rng.random() < 0.5 else -1.0
    shore = sign * float(rng.uniform(0.0, 0.12)) * short
    reach = frame.radius
    far = sign * reach * 1.6
    basin = float(rng.uniform(-0.2, 0.1)) * short
    width = float(rng.uniform(44, 62))
    cut = sign * float(rng.uniform(50, 80))
    sea = frame.quad(-reach, reach, *sorted((shore, far)))
    dock = frame.quad(basin, basin + width, *sorted((shore - cut, shore + sign * 2)))
    pier_u = basin + width + float(rng.uniform(60, 85))
    pier = frame.quad(pier_u, pier_u + 16, *sorted((shore - sign * 4, shore + sign * 95)))
    mole = frame.quad(-reach, reach, *sorted((shore + sign * 150, shore + sign * 160)))
    opening = frame.quad(basin - 10, basin + width + 30,
                         *sorted((shore + sign * 140, shore + sign * 170)))  # fmt: skip
    land = [pier, mole.difference(opening)]
    water = sea.union(dock)
    for piece in land:
        water = water.difference(piece)
    b.network = water.buffer(1.0)
    blocks = _grid(b, frame, (100.0, 140.0), (110.0, 170.0), dirt=False, narrow=8.0, parking=0.15,
                   pavement=1.5)  # fmt: skip
    b.network = water.buffer(1.0)
    # The sea takes back what the street grid drew over it.
    apron_band = sea.union(dock).buffer(24.0, join_style="mitre")
    keep = []
    for patch in b.world.roads:
        left = patch.geometry.difference(apron_band)
        if not left.is_empty:
            keep.append(Patch(left, patch.material, patch.colour, patch.cls))
    b.world.roads = keep
    b.roads = [r for r in b.roads if _clip_road(r, apron_band)]
    b.occupancy.grid[:] = 0
    for patch in keep:
        if patch.cls == "road":
            b.occupancy.fill_geometry(patch.geometry, Occupancy.ROAD)
    apron = apron_band
    for piece in land:
        apron = apron.union(piece)
    tone = vary(rng, (174, 170, 162), 0.04)
    ground = apron.difference(water)
    for part in getattr(ground, "geoms", [ground]):
        if part.area > 30:
            b.patch(part, "concrete", tone, cls="paved", angle=frame.angle, period=6.0)
    quay = water.buffer(1.1, join_style="mitre").difference(water)
    b.patch(quay, "plain", (190, 188, 180))
    deep = vary(rng, pick(rng, [(56, 78, 84), (62, 86, 86), (48, 70, 82)], [1, 1, 1]), 0.05)
    for part in getattr(water, "geoms", [water]):
        b.over.insert(0, Patch(part, "water", deep, "water", frame.angle, 3.0))
    b.occupancy.fill_geometry(water.buffer(1.0), Occupancy.WATER)
    for number, box in enumerate(blocks):
        u0, u1, v0, v1 = box
        polygon = frame.quad(*box)
        if _visible(b, polygon) and not polygon.intersects(apron_band):
            works_block(b, frame, b.rng("works", number), box)
    _quayside(b, frame, rng, shore, sign, (basin, basin + width, pier_u))
    _boats(b, frame, rng, shore, sign, (basin, width, cut, pier_u))
    street_trees(b, 0.25)


def _clip_road(road, band) -> bool:
    left = road.line.difference(band)
    if left.is_empty:
        return False
    pieces = [g for g in getattr(left, "geoms", [left]) if g.length > 5]
    if not pieces:
        return False
    road.line = max(pieces, key=lambda g: g.length)
    return True


def _quayside(b, frame, rng, shore, sign, marks) -> None:
    """Sheds, stacks and cranes' ground along the water."""
    basin, end, _ = marks
    u = -frame.radius
    while u < frame.radius:
        length = float(rng.uniform(40, 80))
        inland = shore - sign * 15.0
        x, y = (float(t) for t in frame.world(u + length / 2, inland))
        own = b.rng("quay", int(u))
        if not (u < end + 8 and u + length > basin - 8):
            if own.random() < 0.4:
                stands, extended = b.change(own)
                model = hall(own, x, y, frame.direction(u, inland), length * 0.85, 15.0)
                b.roof(model, stands=stands)
            elif own.random() < 0.6:
                low, high = sorted((shore - sign * 22, shore - sign * 9))
                stacks(b, own, frame, (u, u + length, low, high))
            else:
                cars = b.rng("quay cars", int(u), b.date)
                low, high = sorted((shore - sign * 23, shore - sign * 8))
                car_rows(b, cars, frame, (u, u + length, low, high), 0.55)
        u += length + 8


def _boats(b, frame, rng, shore, sign, marks) -> None:
    """Jetties with yachts in the basin, barges and work boats along the quays."""
    basin, width, cut, pier_u = marks
    turn = frame.angle
    jetties = []
    for u in (basin + width * 0.33, basin + width * 0.70):
        v0, v1 = sorted((shore - cut + sign * 6, shore - sign * 4))
        jetties.append(frame.quad(u - 0.8, u + 0.8, v0, v1))
        for v in np.arange(v0 + 3, v1 - 2, 4.2):
            for side in (-1, 1):
                own = b.rng("boat", int(u), int(v * 10), side, b.date)
                length, beam = float(own.uniform(6.5, 11)), float(own.uniform(2.3, 3.1))
                x, y = (float(t) for t in frame.world(u + side * (1.2 + length / 2), v))
                if own.random() < 0.75 and b.inside(x, y, 4):
                    hull = vary(own, pick(own, [(226, 226, 222), (70, 84, 110), (150, 64, 56)],
                                          [7, 1.5, 0.7]), 0.04)  # fmt: skip
                    lean = turn + (0 if side > 0 else np.pi)
                    b.world.vehicles.append(
                        Vehicle(x, y, length, beam, lean, hull, "boat", int(own.integers(1 << 30)))
                    )
    b.over.append(Patch(MultiPolygon([Polygon(j.exterior) for j in jetties]), "paving",
                        (150, 140, 124), "jetty", height=0.8))  # fmt: skip
    for k, u in enumerate((pier_u - 5.5, pier_u + 22.0, basin - 40, basin - 100)):
        own = b.rng("ship", k, b.date)
        alongside = k >= 2
        v = shore + sign * (5.5 if alongside else float(own.uniform(25, 70)))
        x, y = (float(t) for t in frame.world(u, v))
        length = float(own.uniform(22, 42))
        heading = turn + (0.0 if alongside else np.pi / 2) + own.normal(0, 0.01)
        hull = vary(own, pick(own, [(104, 66, 58), (60, 74, 92), (86, 92, 90)], [1, 1, 1]), 0.05)
        if own.random() < 0.8 and b.inside(x, y, 20):
            b.world.vehicles.append(
                Vehicle(x, y, length, length / 5.2, heading, hull, "boat",
                        int(own.integers(1 << 30)))
            )  # fmt: skip
    for k in range(8):
        own = b.rng("sailing", k, b.date)
        u, v = own.uniform(-frame.radius, frame.radius), shore + sign * own.uniform(20, 220)
        x, y = (float(t) for t in frame.world(u, v))
        if b.inside(x, y, 0) and own.random() < 0.5:
            b.world.vehicles.append(
                Vehicle(x, y, float(own.uniform(6, 12)), 2.8, float(own.uniform(0, 6.3)),
                        (224, 224, 220), "boat", int(own.integers(1 << 30)))
            )  # fmt: skip


__all__ = ["harbour", "industrial", "place"]
