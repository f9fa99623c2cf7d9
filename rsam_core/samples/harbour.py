"""A harbour: sea, quays, a basin with yachts, sheds and streets behind."""

from __future__ import annotations

import numpy as np
from shapely import get_parts

from rsam_core.samples.builder import Builder, Frame
from rsam_core.samples.buildings import hall
from rsam_core.samples.regions import pick, vary
from rsam_core.samples.streets import car_rows, grid, street_trees, visible
from rsam_core.samples.works_styles import stacks, works_block
from rsam_core.samples.world import Colour, Occupancy, Patch, Vehicle


def harbour(b: Builder) -> None:
    """A quay with a basin and a marina in front of halls and streets."""
    rng = b.rng("harbour")
    frame = Frame(rng, b.world.width, b.world.height, bend=0.25)
    short = min(b.world.width, b.world.height)
    if rng.random() < 0.5:
        frame.angle += np.pi
    # The sea lies at growing v, the land at falling v.
    shore = float(rng.uniform(-0.02, 0.10)) * short
    reach = frame.radius
    basin = float(rng.uniform(-0.3, 0.05)) * short
    width, cut = float(rng.uniform(50, 62)), float(rng.uniform(45, 65))
    pier_u = basin + width + float(rng.uniform(60, 85))
    sea = frame.quad(-reach, reach, shore, 2 * reach)
    dock = frame.quad(basin, basin + width, shore - cut, shore + 2)
    pier = frame.quad(pier_u, pier_u + 16, shore - 4, shore + 0.28 * short)
    mole = frame.quad(-reach, reach, shore + 0.36 * short, shore + 0.36 * short + 9)
    mouth = frame.quad(basin - 10, basin + width + 30, shore, reach)
    land = pier.union(mole.difference(mouth))
    water = sea.union(dock).difference(land)
    front = shore - cut - 16.0
    b.network = water.buffer(1.0)
    blocks = grid(b, frame, (95.0, 130.0), (110.0, 170.0), dirt=False, narrow=8.0, parking=0.15,
                  pavement=1.5, span=(front, front - 2 * reach))  # fmt: skip
    tone = vary(rng, (176, 172, 164), 0.04)
    apron = frame.quad(-reach, reach, front + 5.5, shore).difference(water)
    lawn = frame.quad(-reach, reach, front + 4.0, front + 8.0)
    for part in get_parts(apron.union(land)):
        b.patch(part, "concrete", tone, cls="paved", angle=frame.angle, period=6.0)
    b.patch(lawn, "grass", vary(rng, b.region.grass, 0.05))
    quay = water.buffer(1.1, join_style="mitre").difference(water)
    b.patch(quay, "plain", (190, 188, 180))
    deep = vary(rng, pick(rng, [(66, 84, 86), (70, 90, 86), (60, 76, 82)], [1, 1, 1]), 0.05)
    for part in get_parts(water):
        b.over.insert(0, Patch(part, "water", deep, "water", frame.angle, 3.0))
    b.occupancy.fill_geometry(water.buffer(1.0), Occupancy.WATER)
    for number, box in enumerate(blocks):
        if visible(b, frame.quad(*box)):
            works_block(b, frame, b.rng("works", number), box)
    _quayside(b, frame, rng, (front + 9, shore - 7), (basin, basin + width))
    _boats(b, frame, shore, (basin, width, cut, pier_u))
    for u in np.arange(-reach, reach, 9.0):
        own = b.rng("quay tree", int(u))
        if own.random() < 0.7:
            x, y = frame.world(u, front + 6.0)
            b.tree(own, float(x), float(y), float(own.uniform(1.6, 3.0)))
    street_trees(b, 0.3)


def _quayside(
    b: Builder,
    frame: Frame,
    rng: np.random.Generator,
    band: tuple[float, float],
    dock: tuple[float, float],
) -> None:
    """Sheds, container stacks and car parks between the street and the water."""
    low, high = band
    u = -frame.radius
    while u < frame.radius:
        length = float(rng.uniform(45, 85))
        own = b.rng("quay", int(u))
        cars = b.rng("quay cars", int(u), b.date)
        use, depth = own.random(), float(own.uniform(18, 26))
        if u < dock[1] + 10 and u + length > dock[0] - 10:
            u = dock[1] + 10.0
            continue
        if use < 0.45:
            middle = u + length / 2
            x, y = (float(t) for t in frame.world(middle, high - 4 - depth / 2))
            stands, _ = b.change(own)
            model = hall(own, x, y, frame.direction(middle, high), length * 0.86, depth)
            b.roof(model, stands=stands)
            car_rows(b, cars, frame, (u + 2, u + length - 2, low, high - depth - 12), 0.45)
        elif use < 0.78:
            stacks(b, own, frame, (u, u + length, low, high - 6))
        else:
            car_rows(b, cars, frame, (u, u + length, low, low + 34), 0.55)
        for k in range(int(own.integers(1, 4))):
            lorry = b.rng("quay lorry", int(u), k, b.date)
            x, y = frame.world(u + lorry.uniform(0, length), high - lorry.uniform(0, 3))
            b.vehicle(lorry, float(x), float(y), frame.direction(u, high),
                      "truck" if lorry.random() < 0.6 else "car")  # fmt: skip
        u += length + 7


def _boat(
    b: Builder,
    rng: np.random.Generator,
    at: np.ndarray,
    length: float,
    beam: float,
    angle: float,
    hulls: list[Colour],
) -> None:
    x, y = float(at[0]), float(at[1])
    hull = vary(rng, hulls[int(rng.integers(len(hulls)))], 0.05)
    seed = int(rng.integers(1 << 30))
    if b.inside(x, y, length / 2):
        b.world.vehicles.append(Vehicle(x, y, length, beam, angle, hull, "boat", seed))


def _boats(
    b: Builder, frame: Frame, shore: float, marks: tuple[float, float, float, float]
) -> None:
    """Jetties with yachts in the basin, ships along the quays and under way."""
    basin, width, cut, pier_u = marks
    white = (228, 228, 224)
    dark: list[Colour] = [(104, 72, 64), (66, 78, 94), (92, 98, 96)]
    yachts: list[Colour] = [white, white, white, (76, 88, 110), (146, 74, 66)]
    v0, v1 = shore - cut + 6, shore - 4
    for u in (basin + width * 0.26, basin + width * 0.74):
        jetty = frame.quad(u - 0.8, u + 0.8, v0 - 7.5, v1)
        b.over.append(Patch(jetty, "paving", (156, 146, 130), "jetty", height=0.8))
        for v in np.arange(v0 + 2, v1 - 1, 4.0):
            for side in (-1, 1):
                own = b.rng("boat", int(u), int(v * 10), side, b.date)
                length, beam = float(own.uniform(6.0, 9.5)), float(own.uniform(2.2, 3.0))
                if own.random() < 0.78:
                    angle = frame.direction(u, v) + (0 if side > 0 else np.pi)
                    spot = frame.world(u + side * (1.3 + length / 2), v)
                    _boat(b, own, spot, length, beam, angle, yachts)
    berths = [(pier_u - 5.0, 0.12, 1), (pier_u + 21.0, 0.16, 1), (basin - 45, 0, 0),
              (basin - 110, 0, 0), (pier_u + 70, 0, 0)]  # fmt: skip
    short = min(b.world.width, b.world.height)
    for k, (u, share, upright) in enumerate(berths):
        own = b.rng("ship", k, b.date)
        length = float(own.uniform(20, 38))
        v = shore + (share * short if upright else 5.0)
        angle = frame.upright(u, v) if upright else frame.direction(u, v)
        if own.random() < 0.85:
            _boat(b, own, frame.world(u, v), length, length / 4.6, angle, dark)
    for k in range(10):
        own = b.rng("sailing", k, b.date)
        u, v = own.uniform(-frame.radius, frame.radius), shore + own.uniform(0.06, 0.33) * short
        clear = not pier_u - 20 < u < pier_u + 36
        if own.random() < 0.5 and clear:
            _boat(b, own, frame.world(u, v), float(own.uniform(6, 12)), 2.8,
                  float(own.uniform(0, 6.3)), yachts)  # fmt: skip
