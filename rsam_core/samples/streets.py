"""Street grids and what lines them: parks, car parks, hedges, fences, rows of trees."""

from __future__ import annotations

import numpy as np
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from rsam_core.samples.builder import Builder, Frame, Road
from rsam_core.samples.buildings import place
from rsam_core.samples.regions import vary
from rsam_core.samples.world import Colour, Occupancy, Patch, rectangle

Box = tuple[float, float, float, float]


def grid(
    b: Builder,
    frame: Frame,
    depth: tuple[float, float],
    block: tuple[float, float],
    *,
    dirt: bool | None = None,
    pavement: float = 1.8,
    narrow: float = 6.4,
    parking: float = 0.25,
    marked: bool = True,
    span: tuple[float, float] | None = None,
) -> list[Box]:
    """Lay parallel streets with offset cross streets; return blocks as (u0, u1, v0, v1)."""
    rng = b.rng("grid")
    reach = frame.radius
    chance = rng.random() < b.region.dirt_streets
    dirt = chance if dirt is None else dirt
    material = "dirt" if dirt else "asphalt"
    pavement = 0.0 if dirt else pavement
    low, high = span or (-reach, reach)
    sense = 1.0 if high > low else -1.0
    v, rows = low, []
    while sense * v < sense * high:
        step = sense * float(rng.uniform(*depth))
        rows.append((v, v + step))
        v += step
    middle = 0 if span else int(np.argmin([abs(r[0]) for r in rows]))
    blocks = []
    for index, (v0, v1) in enumerate(rows):
        main = (index - middle) % 4 == 0
        width = 9.6 if main else narrow
        b.roads.append(
            Road(
                frame.line([(-reach, v0), (reach, v0)]),
                width,
                "asphalt" if main else material,
                marked=main and marked,
                pavement=max(pavement, 2.2) if main else pavement,
                parking=parking * (0.5 if main else 1.0),
                traffic=0.014 if main else 0.004,
            )
        )
        u = -reach + float(rng.uniform(-block[1], 0))
        next_main = (index + 1 - middle) % 4 == 0
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
            inner = sorted((v0 + sense * (top + pavement), v1 - sense * (bottom + pavement)))
            blocks.append((u + side, u + step - side, inner[0], inner[1]))
            u += step
    b.open_roads()
    return blocks


def visible(b: Builder, polygon: Polygon, margin: float = 4.0) -> bool:
    """Whether any of the polygon's box falls into the picture."""
    x0, y0, x1, y1 = polygon.bounds
    return (
        x1 > -margin
        and y1 > -margin
        and x0 < b.world.width + margin
        and (y0 < b.world.height + margin)
    )


def hedge(band: BaseGeometry, tone: Colour) -> Patch:
    """A clipped hedge over the given ground."""
    return Patch(band, "hedge", tone, cls="hedge", height=1.7)


def fence(line: LineString, tone: Colour) -> Patch:
    """A fence or garden wall, too thin to be an instance."""
    return Patch(line.buffer(0.13, cap_style="flat"), "plain", tone, height=1.6)


def park(b: Builder, frame: Frame, box: Box, rng: np.random.Generator) -> None:
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
    walk = frame.line([(u0, v0 + 3), (um, v1 - 4), (u1, v1 - 9)]).buffer(1.1)
    b.patch(walk, "gravel", vary(rng, (178, 166, 146), 0.04))
    clumps = rng.uniform((u0, v0), (u1, v1), (4, 2))
    for _ in range(int((u1 - u0) * (v1 - v0) / 70)):
        u, v = rng.uniform(u0 + 2, u1 - 2), rng.uniform(v0 + 2, v1 - 2)
        if rng.random() < 0.6:
            u, v = clumps[int(rng.integers(4))] + rng.normal(0, 9.0, 2)
        px, py = frame.world(u, v)
        b.tree(rng, float(px), float(py), avoid=Occupancy.HARD | Occupancy.FIELD)


def pitch(
    b: Builder, rng: np.random.Generator, x: float, y: float, a: float, h: float, turn: float
) -> None:
    """A football field or a hard court with its lines."""
    hard = rng.random() < 0.25
    colour = (150, 112, 96) if hard else b.region.grass
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


def car_rows(b: Builder, rng: np.random.Generator, frame: Frame, box: Box, filled: float) -> None:
    """Bays of parked cars over a yard, with their marks and islands of trees."""
    u0, u1, v0, v1 = box
    lines, v, row = [], v0 + 2.6, 0
    island = int(rng.integers(6, 11))
    while v < v1 - 2.4:
        for k, u in enumerate(np.arange(u0 + 1.5, u1 - 1.3, 2.55)):
            x, y = (float(t) for t in frame.world(u, v))
            if not b.inside(x, y, 6.0):
                continue
            turn = frame.upright(u, v)
            lines.append(Polygon(rectangle(*frame.world(u - 1.27, v), 2.4, 0.07, turn)))
            if k % island == island - 1:
                green = Polygon(rectangle(x, y, 2.3, 1.0, turn)).buffer(0.2)
                b.surface(green, "grass", b.region.grass)
                own = b.rng("island", int(x * 10), int(y * 10))
                b.tree(own, x, y, float(own.uniform(1.4, 2.8)), avoid=Occupancy.ROOF)
                b.occupancy.fill(rectangle(x, y, 2.3, 1.0, turn), 32)
                continue
            if rng.random() < filled:
                heading = turn + (np.pi if rng.random() < 0.5 else 0.0) + rng.normal(0, 0.03)
                b.vehicle(rng, x + rng.normal(0, 0.08), y + rng.normal(0, 0.08), heading)
        v += 5.3 if row % 2 else 11.2
        row += 1
    if lines:
        b.world.marks.append(Patch(MultiPolygon(lines), "plain", (206, 204, 198)))
