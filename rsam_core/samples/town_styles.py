"""Apartment estates, old towns and informal settlements."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rsam_core.samples.builder import Builder, Frame
from rsam_core.samples.buildings import fit_out, hall, house, place, shack, shed
from rsam_core.samples.regions import pick, vary
from rsam_core.samples.streets import Box, car_rows, grid, park, pitch, street_trees, visible
from rsam_core.samples.world import Occupancy, Roof, Wing


def informal(b: Builder) -> None:
    """Tightly packed tin roofs along lanes of beaten earth."""
    rng = b.rng("informal")
    frame = Frame(rng, b.world.width, b.world.height, bend=0.8)
    blocks = grid(b, frame, (34.0, 52.0), (45.0, 95.0), dirt=True, narrow=3.4, pavement=0.0,
                   parking=0.02, marked=False)  # fmt: skip
    for number, (u0, u1, v0, v1) in enumerate(blocks):
        if not visible(b, frame.quad(u0, u1, v0, v1)):
            continue
        draw = b.rng("block ground", number)
        ground = frame.quad(u0 - 2, u1 + 2, v0 - 2, v1 + 2)
        b.patch(ground, "soil", vary(draw, b.region.soil, 0.05))
        _split(b, frame, (u0 + 0.4, u1 - 0.4, v0 + 0.4, v1 - 0.4), number, 1)
    street_trees(b, 0.06)


def _split(b: Builder, frame: Frame, box: Box, number: int, path: int) -> None:
    """Divide a block until pieces have the size of a dwelling."""
    u0, u1, v0, v1 = box
    rng = b.rng("cell", number, path)
    du, dv = u1 - u0, v1 - v0
    limit = float(rng.uniform(6.0, 12.5))
    if max(du, dv) > limit:
        gap = 0.8 if rng.random() < 0.2 else 0.05
        cut = float(rng.uniform(0.36, 0.64))
        if du > dv:
            m = u0 + cut * du
            first, second = (u0, m - gap, v0, v1), (m + gap, u1, v0, v1)
        else:
            m = v0 + cut * dv
            first, second = (u0, u1, v0, m - gap), (u0, u1, m + gap, v1)
        _split(b, frame, first, number, 2 * path)
        _split(b, frame, second, number, 2 * path + 1)
        return
    stands, _ = b.change(rng)
    um, vm = (u0 + u1) / 2, (v0 + v1) / 2
    x, y = (float(t) for t in frame.world(um, vm))
    if not b.inside(x, y):
        return
    fate = rng.random()
    if fate < 0.10 or min(du, dv) < 2.2:
        if fate < 0.05:
            b.tree(rng, x, y, float(rng.uniform(1.5, 3.5)))
        return
    turn = frame.direction(um, vm) + float(rng.normal(0, 0.045))
    shrink = rng.uniform(0.90, 1.02, 2)
    home = shack(rng, x, y, turn, du * shrink[0], dv * shrink[1])
    b.roof(home, stands=stands, avoid=Occupancy.ROAD, grow=-0.3)
    if rng.random() < 0.12:
        lean = float(rng.uniform(1.2, 2.2))
        px, py = place(x, y, turn, float(rng.uniform(-0.3, 0.3)) * du, 0.5 * dv)
        b.roof(shack(rng, px, py, turn, lean * 1.6, lean), avoid=Occupancy.ROAD, grow=-0.2)


def estate(b: Builder) -> None:
    """Apartment blocks round car parks."""
    rng = b.rng("estate")
    frame = Frame(rng, b.world.width, b.world.height, bend=0.8)
    blocks = grid(b, frame, (72.0, 96.0), (90.0, 130.0), dirt=False, narrow=7.0, parking=0.2)
    for number, (u0, u1, v0, v1) in enumerate(blocks):
        polygon = frame.quad(u0, u1, v0, v1)
        if not visible(b, polygon):
            continue
        draw = b.rng("estate block", number)
        if draw.random() < 0.10:
            park(b, frame, (u0, u1, v0, v1), draw)
            continue
        b.patch(polygon, "rough" if draw.random() < 0.5 else "grass",
                vary(draw, b.region.grass, 0.06))  # fmt: skip
        _estate_block(b, frame, draw, (u0, u1, v0, v1))
    street_trees(b, 0.5)


def _estate_block(b: Builder, frame: Frame, rng: np.random.Generator, box: Box) -> None:
    """Slabs along the streets, a car park and a green court between them."""
    u0, u1, v0, v1 = box
    um, vm = (u0 + u1) / 2, (v0 + v1) / 2
    style, slabs, court, plants = rng.spawn(4)
    covering, colour = pick(
        style,
        [("metal", (200, 202, 200)), ("tile", (148, 92, 76)), ("metal", (138, 152, 136)),
         ("flat", (172, 168, 160)), ("flat", (148, 144, 140)), ("tile", (130, 96, 82))],
        [3, 3, 1.5, 3, 2, 1.5],
    )  # fmt: skip
    kind = "flat" if covering == "flat" else "gable" if style.random() < 0.5 else "hip"
    eave = float(style.uniform(8.0, 13.0))
    width = float(style.uniform(11.0, 13.5))
    inset = 3.5 + width / 2
    spots = [(low, high, v, 0) for v in (v0 + inset, v1 - inset)
             for low, high in _pieces(slabs, u0 + 4, u1 - 4)]  # fmt: skip
    gap = width + 7.5
    spots += [
        (low, high, u, 1)
        for u in (u0 + inset, u1 - inset)
        for low, high in _pieces(slabs, v0 + gap, v1 - gap)
        if style.random() < 0.7
    ]
    for low, high, other, upright in spots:
        centre = (low + high) / 2
        u, v = (other, centre) if upright else (centre, other)
        x, y = (float(t) for t in frame.world(u, v))
        angle = frame.upright(u, v) if upright else frame.direction(u, v)
        stands, _ = b.change(slabs)
        own = slabs.spawn(1)[0]
        wing = Wing(x, y, (high - low) / 2, width / 2, angle, kind, eave, 0.42)
        extra = fit_out(own, x, y, angle, wing.half_length, wing.half_width, kind, covering)
        block = Roof((wing,), covering, vary(own, colour, 0.025), extra,
                     int(own.integers(1 << 30)), 0.25)  # fmt: skip
        b.roof(block, stands=stands, avoid=Occupancy.ROAD | Occupancy.ROOF, grow=0.2)
    half = um + (0.10 if court.random() < 0.5 else -0.10) * (u1 - u0)
    inner = gap + 1.5
    yard_box = (u0 + inner, half, v0 + inner, v1 - inner)
    yard = frame.quad(*yard_box)
    asphalt = vary(court, (138, 136, 132), 0.05)
    b.surface(yard, "lot", asphalt, cls="paved", angle=frame.direction(um, vm))
    gate = (u0 + inner + half) / 2
    lane = frame.quad(gate - 3, gate + 3, v0 - 4, v0 + inner + 1)
    b.surface(lane.difference(yard), "lot", asphalt)
    b.occupancy.fill_geometry(yard.union(lane), Occupancy.PAVED)
    paths = [
        [(half, v0 + inner), (u1 - inner, vm), (half, v1 - inner)],
        [(u0 + 2, v0 + gap - 1.5), (u1 - 2, v0 + gap - 1.5)],
        [(u0 + 2, v1 - gap + 1.5), (u1 - 2, v1 - gap + 1.5)],
    ]
    for path in paths:
        b.patch(frame.line(path).buffer(0.85), "paving", (170, 164, 154))
    if court.random() < 0.4 and u1 - inner - half > 24:
        x, y = (float(t) for t in frame.world((half + u1 - inner) / 2, vm))
        pitch(b, court, x, y, 9.5, 5.5, frame.direction(um, vm))
    cars = b.rng("estate cars", int(um), int(vm), b.date)
    car_rows(b, cars, frame, (yard_box[0] + 0.8, yard_box[1] - 0.8, yard_box[2] + 0.5,
                              yard_box[3] - 0.5), 0.62)  # fmt: skip
    for _ in range(int((u1 - u0) * (v1 - v0) / 75)):
        u, v = plants.uniform(u0, u1), plants.uniform(v0, v1)
        size = None if plants.random() < 0.6 else float(plants.uniform(0.6, 1.6))
        b.tree(plants, *(float(t) for t in frame.world(u, v)), size,
               avoid=Occupancy.HARD | Occupancy.FIELD)  # fmt: skip


def _pieces(rng: np.random.Generator, low: float, high: float) -> list[tuple[float, float]]:
    count = max(1, round((high - low) / float(rng.uniform(32.0, 48.0))))
    edges = np.linspace(low, high, count + 1)
    return [(float(s) + 2.0, float(e) - 2.0) for s, e in pairwise(edges) if e - s > 12]


def old_town(b: Builder) -> None:
    """Perimeter blocks of party-wall houses with courtyards."""
    rng = b.rng("old town")
    frame = Frame(rng, b.world.width, b.world.height, bend=0.6)
    blocks = grid(b, frame, (44.0, 64.0), (46.0, 88.0), dirt=False, narrow=6.0, pavement=1.5,
                  parking=0.4)  # fmt: skip
    for number, box in enumerate(blocks):
        polygon = frame.quad(*box)
        if not visible(b, polygon):
            continue
        draw = b.rng("court", number)
        if draw.random() < 0.06:
            park(b, frame, box, draw)
            continue
        b.patch(polygon, "paving", vary(draw, (156, 150, 140), 0.05))
        _perimeter(b, frame, draw, box)
    street_trees(b, 0.2)


def _perimeter(b: Builder, frame: Frame, rng: np.random.Generator, box: Box) -> None:
    u0, u1, v0, v1 = box
    deep = min(float(rng.uniform(9.5, 12.5)), 0.36 * (v1 - v0), 0.36 * (u1 - u0))
    edge = 0.5 * deep + 0.3
    sides = [
        ((u0, u1), v0 + edge, 0),
        ((u0, u1), v1 - edge, 0),
        ((v0 + deep, v1 - deep), u0 + edge, 1),
        ((v0 + deep, v1 - deep), u1 - edge, 1),
    ]
    for (low, high), other, upright in sides:
        s = low
        while s < high - 4:
            width = float(rng.uniform(7.0, 16.0))
            if high - s - width < 5:
                width = high - s
            u, v = (other, s + width / 2) if upright else (s + width / 2, other)
            _town_house(b, frame, rng.spawn(1)[0], u, v, width, deep, upright)
            s += width
    inner = (u0 + deep + 2, u1 - deep - 2, v0 + deep + 2, v1 - deep - 2)
    if inner[1] - inner[0] < 4 or inner[3] - inner[2] < 4:
        return
    # Plots of the court: gardens, yards, back buildings.
    edges = np.linspace(inner[0], inner[1], max(2, int((inner[1] - inner[0]) / 13) + 1))
    for left, right in pairwise(edges):
        own = rng.spawn(1)[0]
        plot = frame.quad(left + 0.15, right - 0.15, inner[2], inner[3])
        kind = pick(own, ["grass", "rough", "paving", "gravel"], [4, 2, 3, 2])
        tone = (164, 156, 144) if kind in ("paving", "gravel") else b.region.grass
        b.patch(plot, kind, vary(own, tone, 0.06))
        um, vm = (left + right) / 2, float(own.uniform(inner[2], inner[3]))
        turn = frame.direction(um, vm)
        if own.random() < 0.55:
            x, y = (float(t) for t in frame.world(um, vm))
            back = house(own, b.region, x, y, turn, right - left - 1, float(own.uniform(5, 9)),
                         storeys=int(own.integers(1, 3)))  # fmt: skip
            b.roof(back, grow=0.2)
        for _ in range(int(own.poisson(2.2))):
            u, v = own.uniform(left, right), own.uniform(inner[2], inner[3])
            x, y = (float(t) for t in frame.world(u, v))
            if own.random() < 0.3:
                b.roof(shed(own, x, y, turn), grow=0.1)
            else:
                b.tree(own, x, y, float(own.uniform(0.9, 4.0)))
        cars = b.rng("court car", int(um * 10), int(vm * 10), b.date)
        if kind in ("paving", "gravel") and cars.random() < 0.6:
            x, y = (float(t) for t in frame.world(um, cars.uniform(inner[2], inner[3])))
            b.vehicle(cars, x, y, float(turn + cars.normal(0, 0.2)))


def _town_house(
    b: Builder,
    frame: Frame,
    rng: np.random.Generator,
    u: float,
    v: float,
    width: float,
    deep: float,
    upright: int,
) -> None:
    x, y = (float(t) for t in frame.world(u, v))
    turn = frame.upright(u, v) if upright else frame.direction(u, v)
    stands, extended = b.change(rng)
    if not b.inside(x, y, 25.0):
        return
    avoid = Occupancy.ROAD
    if rng.random() < 0.12:
        block = hall(rng, x, y, turn, width, deep)
        roof = Roof(block.wings[:1], "flat", (172, 168, 160), (), block.seed, 0.4)
        b.roof(roof, stands=stands, avoid=avoid, grow=-0.8)
        return
    model = house(rng, b.region, x, y, turn, width, deep, storeys=int(rng.integers(2, 5)))
    main = model.wings[0]
    kind = "flat" if main.kind == "flat" else "gable"
    slope = min(main.slope, 0.6)
    wings = [Wing(x, y, width / 2, deep / 2, turn, kind, main.eave, slope)]
    if rng.random() < 0.3 or extended:
        # A rear wing into the court.
        px, py = place(x, y, turn, 0.2 * width, 0.0)
        a, c = 0.5 * deep + 2.5, min(0.28 * width, 3.2)
        wings.append(Wing(px, py, a, c, turn + np.pi / 2, kind, main.eave - 1.5, slope))
    extra = fit_out(rng, x, y, turn, width / 2, deep / 2, kind, model.covering)
    b.roof(Roof(tuple(wings), model.covering, model.colour, extra, model.seed, model.wear),
           stands=stands, avoid=avoid, grow=-0.8)  # fmt: skip
