"""Street grids with lots: suburb, old town blocks, apartment estates, informal settlement."""

from __future__ import annotations

import numpy as np
from shapely.geometry import LineString, Polygon

from .builder import Builder, Frame, Road
from .buildings import hall, house, place, shack, shed
from .regions import pick, vary
from .world import Occupancy, Roof, Wing, rectangle


def _grid(
    b: Builder, frame: Frame, depth: tuple[float, float], block: tuple[float, float], **keys
) -> list[tuple[float, float, float, float]]:
    """Lay parallel streets with offset cross streets; return blocks as (u0, u1, v0, v1)."""
    rng = b.rng("grid")
    reach = frame.radius
    dirt = rng.random() < b.region.dirt_streets if "dirt" not in keys else keys["dirt"]
    material = "dirt" if dirt else "asphalt"
    pavement = 0.0 if dirt else keys.get("pavement", 1.8)
    narrow = keys.get("narrow", 6.4)
    v, rows = -reach, []
    while v < reach:
        step = rng.uniform(*depth)
        rows.append((v, v + step))
        v += step
    middle = int(np.argmin([abs(r[0]) for r in rows]))
    blocks = []
    parking = keys.get("parking", 0.25)
    for index, (v0, v1) in enumerate(rows):
        main = (index - middle) % 4 == 0 and keys.get("main", True)
        width = 9.6 if main else narrow
        b.roads.append(
            Road(
                frame.line([(-reach, v0), (reach, v0)]),
                width,
                "asphalt" if main else material,
                marked=main and not keys.get("unmarked", False),
                pavement=max(pavement, 2.2) if main else pavement,
                parking=parking * (0.5 if main else 1.0),
                traffic=0.014 if main else 0.004,
            )
        )
        u = -reach + float(rng.uniform(-block[1], 0))
        next_main = (index + 1 - middle) % 4 == 0 and keys.get("main", True)
        top, bottom = width / 2, (9.6 if next_main else narrow) / 2
        while u < reach:
            step = float(rng.uniform(*block))
            b.roads.append(
                Road(
                    frame.line([(u, v0), (u, v1)]),
                    narrow,
                    material,
                    pavement=pavement,
                    parking=0.6 * parking,
                    traffic=0.003,
                )
            )
            side = narrow / 2 + pavement
            blocks.append((u + side, u + step - side, v0 + top + pavement, v1 - bottom - pavement))
            u += step
    b.open_roads()
    return blocks


def _visible(b: Builder, polygon: Polygon, margin: float = 4.0) -> bool:
    x0, y0, x1, y1 = polygon.bounds
    return (
        x1 > -margin
        and y1 > -margin
        and x0 < b.world.width + margin
        and (y0 < b.world.height + margin)
    )


def suburb(b: Builder) -> None:
    """Detached houses with gardens, drives, hedges and pools."""
    rng = b.rng("suburb")
    frame = Frame(rng, b.world.width, b.world.height)
    lot = float(rng.uniform(15.0, 21.0))
    blocks = _grid(b, frame, (58.0, 74.0), (95.0, 150.0))
    for number, (u0, u1, v0, v1) in enumerate(blocks):
        if not _visible(b, frame.quad(u0, u1, v0, v1)):
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
    if not _visible(b, polygon, 12.0):
        return
    region = b.region
    inward = 1.0 if back > front else -1.0
    depth, width = abs(back - front), u1 - u0
    lawn = vary(rng, region.grass if rng.random() < 0.75 else region.wild, 0.07)
    neglected = rng.random() < 0.18
    if not stands:
        lawn, neglected = vary(rng, region.soil, 0.05), True
    b.patch(polygon, "rough" if neglected else "grass", lawn)
    turn = frame.direction((u0 + u1) / 2, front)
    side = 1.0 if rng.random() < 0.5 else -1.0

    def at(u: float, v: float) -> tuple[float, float]:
        """Point by position across the lot (-1 to 1) and depth in metres."""
        px, py = frame.world((u0 + u1) / 2 + u * width / 2, front + inward * v)
        return float(px), float(py)

    long = min(width - rng.uniform(4.0, 6.0), rng.uniform(10.0, 15.0))
    deep = float(rng.uniform(7.2, 10.0))
    setback = float(rng.uniform(4.0, 7.5))
    x, y = at(-side * 0.12, setback + deep / 2)
    home = house(rng, region, x, y, turn + rng.normal(0, 0.02), long, deep, extended=extended)
    built = b.roof(home, stands=stands)
    # Drive along one side, with a garage at its end now and then.
    drive_u = side * (1 - 3.0 / width)
    length = float(rng.uniform(0.9, 1.6)) * (setback + 3.0)
    cx, cy = at(drive_u, (length - 2.5) / 2)
    drive = rectangle(cx, cy, (length + 2.5) / 2, 1.55, turn + np.pi / 2)
    tones = [(166, 162, 154), (122, 122, 122), (160, 132, 112), (182, 172, 152)]
    tone = vary(rng, pick(rng, tones, [4, 2, 1.2, 1.5]), 0.06)
    kind = pick(rng, ["concrete", "paving", "gravel"], [3, 3, 1.5])
    # All draws happen whether used or not: both dates must see the same garden.
    draws = rng.random(12)
    if built and stands:
        b.surface(Polygon(drive), kind, tone, cls="paved", angle=turn, period=3.0)
        b.occupancy.fill(drive, Occupancy.PAVED)
        cars = b.rng("drive", int(x * 10), int(y * 10), b.date)
        if cars.random() < 0.55:
            px, py = at(drive_u, float(cars.uniform(2.8, max(3.0, length - 2.5))))
            heading = turn + np.pi / 2 + (np.pi if cars.random() < 0.5 else 0)
            b.vehicle(cars, px, py, heading + cars.normal(0, 0.03))
        if draws[0] < 0.30:
            px, py = at(drive_u, length + 1.4)
            b.roof(shed(rng, px, py, turn + np.pi / 2), grow=0.1)
        if draws[1] < 0.5:
            px, py = at(-side * 0.1, setback + deep + 1.6)
            patio = Polygon(rectangle(px, py, 0.3 * long, 1.9, turn))
            b.surface(patio, "paving", vary(rng, (172, 160, 146), 0.07))
    yard = rng.random()
    if yard < region.pools and depth > setback + deep + 9:
        px, py = at(float(rng.uniform(-0.3, 0.3)), setback + deep + 6.2)
        size = rng.uniform(3.2, 4.6), rng.uniform(1.6, 2.3)
        rim = Polygon(rectangle(px, py, size[0], size[1], turn)).buffer(0.8)
        b.surface(rim.buffer(0.9, join_style="mitre"), "paving", (184, 178, 166))
        b.surface(rim.buffer(-0.1), "pool", vary(rng, (108, 178, 190), 0.05), cls="pool")
        b.occupancy.fill_geometry(rim.buffer(0.8), Occupancy.WATER)
    elif yard < 0.42:
        px, py = at(float(rng.uniform(-0.55, 0.55)), depth - rng.uniform(3.5, 6.0))
        plot = Polygon(rectangle(px, py, rng.uniform(1.8, 3.6), rng.uniform(1.4, 2.6), turn))
        b.patch(plot, "rows", vary(rng, (100, 114, 66), 0.1), angle=turn, period=0.9)
    if draws[2] < 0.38:
        px, py = at(float(rng.choice([-0.72, 0.72])), depth - 2.4)
        b.roof(shed(rng, px, py, turn), stands=draws[3] > 0.1 or b.date > 0, grow=0.1)
    if draws[4] < 0.75:
        _boundary(b, frame, rng, (u0, u1, front, back), draws)
    for _ in range(int(rng.poisson(2.0))):
        px, py = at(float(rng.uniform(-0.92, 0.92)), float(rng.uniform(setback + deep, depth)))
        b.tree(rng, px, py)
    for _ in range(int(rng.poisson(0.7))):
        px, py = at(float(rng.uniform(-0.9, 0.9)), float(rng.uniform(1.0, setback)))
        b.tree(rng, px, py, float(rng.uniform(1.0, 2.2)))
    for _ in range(int(rng.poisson(2.5))):
        px, py = at(float(rng.uniform(-0.95, 0.95)), float(rng.uniform(0.6, depth)))
        b.tree(rng, px, py, float(rng.uniform(0.5, 1.0)), kind="bush")


def _boundary(b, frame, rng, box, draws) -> None:
    """Hedge or fence on one side and at the back."""
    u0, u1, front, back = box
    inward = 1.0 if back > front else -1.0
    line = frame.line([(u0 + 0.4, front + inward * 4.0), (u0 + 0.4, back), (u1 - 0.4, back)])
    if draws[5] < 0.45:
        band = line.buffer(float(0.45 + 0.35 * draws[6]), cap_style="flat")
        tone = vary(rng, b.region.leaves[0], 0.1)
        b.world.overlays.append(Patch_hedge(band.difference(b.network), tone))
    else:
        tone = vary(rng, pick(rng, [(150, 138, 122), (176, 170, 160), (122, 108, 94)], [2, 2, 1]))
        b.world.overlays.append(fence(line, tone))


def Patch_hedge(band, tone):
    from .world import Patch

    return Patch(band, "hedge", tone, cls="hedge", height=1.7)


def fence(line: LineString, tone):
    from .world import Patch

    return Patch(line.buffer(0.14, cap_style="flat"), "plain", tone, height=1.6)


def park(b: Builder, frame: Frame, box, rng: np.random.Generator) -> None:
    """A park with paths, trees and a sports field."""
    u0, u1, v0, v1 = box
    polygon = frame.quad(u0, u1, v0, v1)
    b.patch(polygon, "grass", vary(rng, b.region.grass, 0.04))
    um, vm = (u0 + u1) / 2, (v0 + v1) / 2
    turn = frame.direction(um, vm)
    x, y = (float(t) for t in frame.world(um - 0.12 * (u1 - u0), vm))
    a = min(0.34 * (u1 - u0), 46.0)
    h = min(0.40 * (v1 - v0), 0.62 * a)
    pitch(b, rng, x, y, a, h, turn)
    for _ in range(int((u1 - u0) * (v1 - v0) / 90)):
        u, v = rng.uniform(u0 + 2, u1 - 2), rng.uniform(v0 + 2, v1 - 2)
        px, py = frame.world(u, v)
        b.tree(rng, float(px), float(py), avoid=Occupancy.HARD | Occupancy.FIELD)


def pitch(b, rng, x: float, y: float, a: float, h: float, turn: float) -> None:
    """A football field or a hard court with its lines."""
    from .world import Patch

    hard = rng.random() < 0.3
    colour = (146, 98, 82) if hard else b.region.grass
    field = Polygon(rectangle(x, y, a, h, turn))
    b.surface(field, "paving" if hard else "pitch", vary(rng, colour, 0.05), cls="sports field",
              angle=turn, period=5.5)  # fmt: skip
    b.occupancy.fill(rectangle(x, y, a + 1, h + 1, turn), Occupancy.FIELD | Occupancy.PAVED)
    inner = Polygon(rectangle(x, y, a - 2, h - 2, turn)).exterior
    ends = [place(x, y, turn, 0, -h + 2), place(x, y, turn, 0, h - 2)]
    lines = [inner, LineString(ends)]
    lines.append(Polygon(_circle(x, y, min(9.0, 0.3 * h))).exterior)
    for side in (-1, 1):
        bx, by = place(x, y, turn, side * (a - 2 - 0.16 * a), 0)
        lines.append(Polygon(rectangle(bx, by, 0.16 * a, 0.5 * h, turn)).exterior)
    for line in lines:
        b.world.marks.append(Patch(line.buffer(0.09), "plain", (206, 208, 200)))


def _circle(x: float, y: float, radius: float) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 33)[:-1]
    return np.stack([x + radius * np.cos(t), y + radius * np.sin(t)], axis=1)


def street_trees(b: Builder, share: float) -> None:
    """Rows of trees along some of the streets."""
    for index, road in enumerate(b.roads):
        rng = b.rng("avenue", index)
        if rng.random() > share:
            continue
        radius = float(rng.uniform(1.8, 3.2))
        for s in np.arange(4.0, road.line.length, float(rng.uniform(9.0, 14.0))):
            for side in (-1, 1):
                point = road.line.interpolate(float(s))
                ahead = road.line.interpolate(float(s) + 1.0)
                angle = np.arctan2(ahead.y - point.y, ahead.x - point.x)
                offset = side * (road.width / 2 + road.pavement * 0.75 + 0.5)
                size = radius * float(rng.uniform(0.75, 1.2))
                x = point.x - offset * np.sin(angle)
                y = point.y + offset * np.cos(angle)
                if rng.random() < 0.8:
                    b.tree(rng, float(x), float(y), size)


def informal(b: Builder) -> None:
    """Tightly packed tin roofs along lanes of beaten earth."""
    rng = b.rng("informal")
    frame = Frame(rng, b.world.width, b.world.height, bend=1.6)
    blocks = _grid(b, frame, (34.0, 52.0), (45.0, 95.0), dirt=True, narrow=3.4, pavement=0.0,
                   parking=0.02, main=True, unmarked=True)  # fmt: skip
    for number, (u0, u1, v0, v1) in enumerate(blocks):
        if not _visible(b, frame.quad(u0, u1, v0, v1)):
            continue
        _split(b, frame, (u0 + 0.4, u1 - 0.4, v0 + 0.4, v1 - 0.4), number, 1)
    street_trees(b, 0.06)


def _split(b: Builder, frame: Frame, box, number: int, path: int) -> None:
    """Divide a block until pieces have the size of a dwelling."""
    u0, u1, v0, v1 = box
    rng = b.rng("cell", number, path)
    du, dv = u1 - u0, v1 - v0
    limit = float(rng.uniform(6.5, 12.5))
    if max(du, dv) > limit:
        gap = 0.9 if rng.random() < 0.25 else 0.1
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
    turn = frame.direction(um, vm) + float(rng.normal(0, 0.06))
    shrink = rng.uniform(0.86, 1.0, 2)
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
    blocks = _grid(b, frame, (72.0, 96.0), (90.0, 130.0), dirt=False, narrow=7.0, parking=0.2)
    for number, (u0, u1, v0, v1) in enumerate(blocks):
        polygon = frame.quad(u0, u1, v0, v1)
        if not _visible(b, polygon):
            continue
        draw = b.rng("estate block", number)
        if draw.random() < 0.10:
            park(b, frame, (u0, u1, v0, v1), draw)
            continue
        b.patch(polygon, "rough" if draw.random() < 0.5 else "grass",
                vary(draw, b.region.grass, 0.06))  # fmt: skip
        _estate_block(b, frame, draw, (u0, u1, v0, v1))
    street_trees(b, 0.5)


def _estate_block(b: Builder, frame: Frame, rng: np.random.Generator, box) -> None:
    u0, u1, v0, v1 = box
    um, vm = (u0 + u1) / 2, (v0 + v1) / 2
    turn = frame.direction(um, vm)
    style = b.rng("block roof", int(um), int(vm))
    covering, colour = pick(
        style,
        [("metal", (204, 206, 204)), ("tile", (160, 88, 70)), ("metal", (136, 154, 134)),
         ("flat", (170, 166, 158)), ("flat", (148, 144, 140)), ("tile", (136, 94, 78))],
        [3, 3, 1.5, 3, 2, 1.5],
    )  # fmt: skip
    kind = "flat" if covering == "flat" else "gable" if style.random() < 0.5 else "hip"
    eave = float(style.uniform(8.0, 13.0))
    width = float(style.uniform(11.0, 13.5))
    yard = frame.quad(u0 + width + 4, u1 - width - 4, v0 + width + 5, v1 - width - 5)
    b.surface(yard, "asphalt", vary(rng, (140, 138, 134), 0.05), cls="paved", angle=turn)
    entrance = frame.quad(um - 3, um + 3, v0 - 4, v0 + width + 6)
    b.surface(entrance, "asphalt", vary(rng, (140, 138, 134), 0.05))
    b.occupancy.fill_geometry(entrance, Occupancy.PAVED)
    b.occupancy.fill_geometry(yard, Occupancy.PAVED)
    sides = [(v0 + width / 2 + 1.5, 0.0), (v1 - width / 2 - 1.5, 0.0)]
    spots = []
    for v, angle in sides:
        spots += [(u, v, angle) for u in _pieces(rng, u0 + 3, u1 - 3)]
    for u in (u0 + width / 2 + 1.5, u1 - width / 2 - 1.5):
        spots += [(piece, u, 1.0) for piece in _pieces(rng, v0 + width + 5, v1 - width - 5)]
    for (low, high), other, upright in spots:
        centre = (low + high) / 2
        u, v = (other, centre) if upright else (centre, other)
        x, y = (float(t) for t in frame.world(u, v))
        stands, _ = b.change(rng)
        wing = Wing(x, y, (high - low) / 2, width / 2, turn + upright * np.pi / 2, kind, eave, 0.42)
        tone = vary(rng, colour, 0.025)
        from .buildings import _fittings

        extra = _fittings(rng, x, y, wing.angle, wing.half_length, wing.half_width, kind, covering)
        block = Roof((wing,), covering, tone, extra, int(rng.integers(1 << 30)), 0.25)
        b.roof(block, stands=stands,
               avoid=Occupancy.ROAD | Occupancy.ROOF | Occupancy.PAVED)  # fmt: skip
    cars = b.rng("estate cars", int(um), int(vm), b.date)
    car_rows(b, cars, frame, (u0 + width + 5, u1 - width - 5, v0 + width + 6, v1 - width - 6), 0.6)
    for _ in range(int((u1 - u0) * (v1 - v0) / 190)):
        px, py = frame.world(rng.uniform(u0, u1), rng.uniform(v0, v1))
        b.tree(rng, float(px), float(py), float(rng.uniform(1.2, 3.4)))


def _pieces(rng: np.random.Generator, low: float, high: float) -> list[tuple[float, float]]:
    count = max(1, round((high - low) / float(rng.uniform(32.0, 48.0))))
    edges = np.linspace(low, high, count + 1)
    return [(float(s) + 2.0, float(e) - 2.0) for s, e in zip(edges, edges[1:]) if e - s > 12]


def car_rows(b: Builder, rng: np.random.Generator, frame: Frame, box, filled: float) -> None:
    """Bays of parked cars over a yard, with their marks."""
    from .world import Patch

    u0, u1, v0, v1 = box
    v, row = v0 + 2.6, 0
    lines = []
    while v < v1 - 2.4:
        for u in np.arange(u0 + 1.5, u1 - 1.3, 2.55):
            x, y = (float(t) for t in frame.world(u, v))
            turn = frame.direction(u, v) + np.pi / 2
            if b.inside(x, y, 6.0):
                px, py = (float(t) for t in frame.world(u - 1.27, v))
                lines.append(Polygon(rectangle(px, py, 2.4, 0.06, turn)))
            if rng.random() < filled:
                heading = turn + (np.pi if rng.random() < 0.5 else 0.0) + rng.normal(0, 0.03)
                b.vehicle(rng, x, y + 0.0, heading)
        v += 5.3 if row % 2 else 11.6
        row += 1
    if lines:
        from shapely.geometry import MultiPolygon

        b.world.marks.append(Patch(MultiPolygon(lines), "plain", (196, 194, 188)))


def old_town(b: Builder) -> None:
    """Perimeter blocks of party-wall houses with courtyards."""
    rng = b.rng("old town")
    frame = Frame(rng, b.world.width, b.world.height, bend=1.3)
    blocks = _grid(b, frame, (46.0, 70.0), (50.0, 95.0), dirt=False, narrow=6.0, pavement=1.6,
                   parking=0.4)  # fmt: skip
    for number, (u0, u1, v0, v1) in enumerate(blocks):
        polygon = frame.quad(u0, u1, v0, v1)
        if not _visible(b, polygon):
            continue
        draw = b.rng("court", number)
        b.patch(polygon, "paving", vary(draw, (150, 144, 134), 0.06))
        if draw.random() < 0.06:
            park(b, frame, (u0, u1, v0, v1), draw)
            continue
        deep = float(draw.uniform(9.5, 12.5))
        sides = [((u0, u1), v0 + deep / 2, 0.0), ((u0, u1), v1 - deep / 2, 0.0),
                 ((v0 + deep, v1 - deep), u0 + deep / 2, 1.0),
                 ((v0 + deep, v1 - deep), u1 - deep / 2, 1.0)]  # fmt: skip
        for (low, high), other, upright in sides:
            s = low
            while s < high - 5:
                width = min(float(draw.uniform(7.0, 16.0)), high - s)
                if high - s - width < 5:
                    width = high - s
                u, v = (other, s + width / 2) if upright else (s + width / 2, other)
                _town_house(b, frame, draw, u, v, width, deep, upright)
                s += width
        for _ in range(int(draw.poisson(5))):
            u, v = draw.uniform(u0 + deep, u1 - deep), draw.uniform(v0 + deep, v1 - deep)
            x, y = (float(t) for t in frame.world(u, v))
            fate = draw.random()
            if fate < 0.4:
                b.roof(shed(draw, x, y, frame.direction(u, v)), grow=0.0)
            else:
                b.tree(draw, x, y, float(draw.uniform(1.5, 4.0)))
    street_trees(b, 0.15)


def _town_house(b, frame, rng, u, v, width, deep, upright) -> None:
    x, y = (float(t) for t in frame.world(u, v))
    turn = frame.direction(u, v) + upright * np.pi / 2
    stands, _ = b.change(rng)
    seed = int(rng.integers(1 << 30))
    if not b.inside(x, y):
        return
    own = np.random.default_rng(seed)
    if own.random() < 0.12:
        block = hall(own, x, y, turn, width, deep)
        b.roof(Roof(block.wings[:1], "flat", (168, 164, 156), (), seed, 0.4), stands=stands,
               avoid=Occupancy.ROAD, grow=-0.3)  # fmt: skip
        return
    model = house(own, b.region, x, y, turn, width, deep, storeys=int(own.integers(2, 5)))
    main = model.wings[0]
    kind = "flat" if main.kind == "flat" else "gable"
    wing = Wing(x, y, width / 2, deep / 2, turn, kind, main.eave, min(main.slope, 0.6))
    from .buildings import _fittings

    extra = _fittings(own, x, y, turn, width / 2, deep / 2, kind, model.covering)
    b.roof(Roof((wing,), model.covering, model.colour, extra, seed, model.wear), stands=stands,
           avoid=Occupancy.ROAD, grow=-0.3)  # fmt: skip
