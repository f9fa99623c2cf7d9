"""Industrial estates and harbours."""

from __future__ import annotations

import numpy as np

from rsam_core.samples.builder import Builder, Frame
from rsam_core.samples.buildings import hall, house
from rsam_core.samples.regions import pick, vary
from rsam_core.samples.streets import Box, car_rows, grid, park, street_trees, visible
from rsam_core.samples.world import Occupancy, Vehicle, rectangle

BOXES = (
    (138, 70, 58), (70, 92, 122), (120, 124, 122), (86, 110, 92), (166, 122, 70),
    (176, 176, 172), (96, 62, 56), (62, 74, 90),
)  # fmt: skip


def industrial(b: Builder) -> None:
    """Halls, yards, car parks and containers."""
    rng = b.rng("industrial")
    frame = Frame(rng, b.world.width, b.world.height, bend=0.6)
    blocks = grid(b, frame, (105.0, 150.0), (120.0, 190.0), dirt=False, narrow=8.5, parking=0.1,
                   pavement=1.6)  # fmt: skip
    for number, box in enumerate(blocks):
        if visible(b, frame.quad(*box)):
            works_block(b, frame, b.rng("works", number), box)
    street_trees(b, 0.35)


def works_block(b: Builder, frame: Frame, rng: np.random.Generator, box: Box) -> None:
    """One block: verge, yard, one to three halls, parking, containers, trees."""
    u0, u1, v0, v1 = box
    polygon = frame.quad(u0, u1, v0, v1)
    b.patch(polygon, "rough", vary(rng, b.region.wild, 0.05))
    count = max(1, round((u1 - u0) / float(rng.uniform(60, 110))))
    edges = np.linspace(u0, u1, count + 1)
    for k in range(count):
        _plot(b, frame, b.rng("plot", int(u0 * 10), int(v0 * 10), k),
              (float(edges[k]) + 1.5, float(edges[k + 1]) - 1.5, v0 + 2, v1 - 2))  # fmt: skip


def _plot(b: Builder, frame: Frame, rng: np.random.Generator, box: Box) -> None:
    u0, u1, v0, v1 = box
    um, vm = (u0 + u1) / 2, (v0 + v1) / 2
    turn = frame.direction(um, vm)
    if rng.random() < 0.08:
        park(b, frame, box, rng)
        return
    layout, build, cars, green = rng.spawn(4)
    yard = frame.quad(u0 + 2, u1 - 2, v0 + 3, v1 - 3)
    material, tone = pick(
        layout, [("concrete", (174, 170, 163)), ("lot", (138, 136, 133)),
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
    model = hall(build, x, y, turn, length, depth, extended=extended)
    if not b.roof(model, stands=stands, grow=0.2):
        b.roof(hall(build, x, y, turn, 0.8 * length, 0.8 * depth), stands=stands)
    front = v1 - 10 - depth
    if layout.random() < 0.6:
        ox, oy = (float(t) for t in frame.world(u0 + 16, v0 + 13))
        office = house(
            build, b.region, ox, oy, turn, float(layout.uniform(16, 22)), 11.0, storeys=2
        )
        b.roof(office)
    parking = b.rng("bays", int(um * 10), int(vm * 10), b.date)
    filled = float(layout.uniform(0.35, 0.85))
    if layout.random() < 0.5:
        car_rows(b, parking, frame, (um - 4, u1 - 5, v0 + 6, min(front - 8, v0 + 38)), filled)
    else:
        stacks(b, layout, frame, (um, u1 - 8, v0 + 8, front - 14))
    if layout.random() < 0.5:
        car_rows(b, parking, frame, (u0 + 5, um - 8, v0 + 24, front - 10), 0.7 * filled)
    elif layout.random() < 0.6:
        stacks(b, layout, frame, (u0 + 6, um - 6, v0 + 26, front - 14))
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


def stacks(b: Builder, rng: np.random.Generator, frame: Frame, box: Box) -> None:
    """Rows of containers."""
    u0, u1, v0, v1 = box
    v = v0
    while v < v1:
        rows = int(rng.integers(2, 5))
        for k in range(rows):
            u = u0 + 6.5
            while u < u1 - 6.2:
                x, y = (float(t) for t in frame.world(u, v + 2.6 * k))
                fate = rng.random()
                colour = vary(rng, BOXES[int(rng.integers(len(BOXES)))], 0.07)
                length = 12.2 if rng.random() < 0.75 else 6.1
                seed = int(rng.integers(1 << 30))
                turn = frame.direction(u, v)
                if fate < 0.86 and b.inside(x, y, 8):
                    body = rectangle(x, y, length / 2, 1.22, turn)
                    if not b.occupancy.taken(body, Occupancy.ROOF | Occupancy.ROAD | 32):
                        b.occupancy.fill(body, 32)
                        b.world.vehicles.append(
                            Vehicle(x, y, length, 2.44, turn, colour, "container", seed)
                        )
                u += 12.9
        v += 2.6 * rows + float(rng.uniform(5, 9))
