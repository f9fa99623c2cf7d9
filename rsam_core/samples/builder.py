"""Shared state and helpers while a place is laid out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from shapely import get_parts
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from rsam_core.samples.regions import REGIONS, Region, pick, pick_car, vary
from rsam_core.samples.world import Colour, Occupancy, Patch, Roof, Tree, Vehicle, World, rectangle

CAR = 32


@dataclass
class Road:
    """A stretch of road: centre line in metres, width, surface and furniture."""

    line: LineString
    width: float
    material: str = "asphalt"
    marked: bool = False
    pavement: float = 0.0
    parking: float = 0.0
    traffic: float = 0.006


class Frame:
    """Gently bent street coordinates (u, v) and their way into the world (metres)."""

    def __init__(self, rng: np.random.Generator, width: float, height: float, bend: float = 1.0):
        self.centre = np.array([width / 2, height / 2])
        self.radius = 0.5 * float(np.hypot(width, height)) + 60.0
        self.angle = float(rng.uniform(-0.6, 0.6)) + (np.pi / 2 if rng.random() < 0.3 else 0.0)
        self.bend = bend * rng.uniform(4.0, 9.0, 2)
        self.wave = rng.uniform(150.0, 260.0, 2)
        self.phase = rng.uniform(0, 2 * np.pi, 2)

    def world(self, u: np.ndarray | float, v: np.ndarray | float) -> np.ndarray:
        """Points in metres, shape (..., 2)."""
        u, v = np.asarray(u, float), np.asarray(v, float)
        pu = u + self.bend[0] * np.sin(2 * np.pi * v / self.wave[0] + self.phase[0])
        pv = v + self.bend[1] * np.sin(2 * np.pi * u / self.wave[1] + self.phase[1])
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.stack([pu * c - pv * s, pu * s + pv * c], axis=-1) + self.centre

    def direction(self, u: float, v: float) -> float:
        """Direction of growing u at a point, radians."""
        step = self.world(u + 1.0, v) - self.world(u - 1.0, v)
        return float(np.arctan2(step[1], step[0]))

    def upright(self, u: float, v: float) -> float:
        """Direction of growing v at a point, radians."""
        step = self.world(u, v + 1.0) - self.world(u, v - 1.0)
        return float(np.arctan2(step[1], step[0]))

    def quad(self, u0: float, u1: float, v0: float, v1: float) -> Polygon:
        """A rectangle of street coordinates as a polygon in metres."""
        lu = np.linspace(u0, u1, max(2, int(abs(u1 - u0) / 8) + 2))
        lv = np.linspace(v0, v1, max(2, int(abs(v1 - v0) / 8) + 2))
        ring = [
            self.world(lu, np.full_like(lu, v0)),
            self.world(np.full_like(lv, u1), lv),
            self.world(lu[::-1], np.full_like(lu, v1)),
            self.world(np.full_like(lv, u0), lv[::-1]),
        ]
        return Polygon(np.concatenate(ring))

    def line(self, points: list[tuple[float, float]]) -> LineString:
        """A path of street coordinates, resampled every few metres."""
        path = LineString(points)
        steps = np.linspace(0, path.length, max(2, int(path.length / 6) + 1))
        uv = np.array([path.interpolate(t).coords[0] for t in steps])
        return LineString(self.world(uv[:, 0], uv[:, 1]))


class Builder:
    """Collects the objects of a place and keeps them from colliding."""

    def __init__(
        self, width: float, height: float, seed: int, date: int, region: str | None = None
    ):
        self.seed, self.date = seed, date
        self.world = World(width, height)
        self.occupancy = Occupancy(width, height)
        rng = self.rng("place")
        names = list(REGIONS)
        self.region: Region = REGIONS[region or names[int(rng.integers(len(names)))]]
        self.roads: list[Road] = []
        self.under: list[Patch] = []
        self.over: list[Patch] = []
        self.pavement_colour: Colour = vary(rng, (168, 164, 156), 0.05)
        self.network: BaseGeometry = MultiPolygon()

    def rng(self, *keys: str | int) -> np.random.Generator:
        """A random stream of its own for a thing, the same at every date."""
        numbers = [
            zlib.crc32(k.encode()) if isinstance(k, str) else int(k) % (1 << 32) for k in keys
        ]
        return np.random.default_rng([self.seed, *numbers])

    def inside(self, x: float, y: float, margin: float = 15.0) -> bool:
        return -margin < x < self.world.width + margin and -margin < y < self.world.height + margin

    def change(self, rng: np.random.Generator) -> tuple[bool, bool]:
        """Whether a building stands at this date, and whether it has been extended."""
        fate = rng.random()
        if fate < 0.035:
            return self.date == 0, False
        if fate < 0.085:
            return self.date >= 1, False
        return True, fate < 0.15 and self.date >= 1

    # -- ground -----------------------------------------------------------------------------
    def patch(self, geometry: BaseGeometry, material: str, colour: Colour, **keys) -> None:
        """Ground below pavements and roads."""
        self.under.append(Patch(geometry, material, colour, **keys))

    def surface(self, geometry: BaseGeometry, material: str, colour: Colour, **keys) -> None:
        """Drives, yards and other ground over the pavements."""
        self.over.append(Patch(geometry, material, colour, **keys))

    def open_roads(self) -> None:
        """Join the roads into networks; call before buildings are placed."""
        for material in ("dirt", "gravel", "asphalt"):
            lines = [r for r in self.roads if r.material == material]
            if not lines:
                continue
            joined = unary_union([r.line.buffer(r.width / 2, cap_style="flat") for r in lines])
            # Closing rounds the kerbs at the corners.
            joined = joined.buffer(4.5).buffer(-4.5)
            self.occupancy.fill_geometry(joined, Occupancy.ROAD)
            paved = [r for r in lines if r.pavement > 0]
            if paved:
                band = unary_union(
                    [r.line.buffer(r.width / 2 + r.pavement, cap_style="flat") for r in paved]
                )
                band = band.buffer(3.0).buffer(-3.0)
                self.world.roads.append(Patch(band, "paving", self.pavement_colour))
                kerb = joined.buffer(0.22)
                self.world.roads.append(Patch(kerb, "plain", (182, 180, 174)))
            base = self.region.asphalt if material == "asphalt" else self.region.soil
            tone = vary(self.rng("road", material), base, 0.06)
            if material != "asphalt":
                tone = tuple(min(c * 1.12 + 8, 225) for c in tone)
            for part in get_parts(joined):
                self.world.roads.append(Patch(part, material, tone, cls="road"))
            self.network = self.network.union(joined)

    def junctions(self) -> list[Point]:
        """Places where centre lines meet."""
        points = []
        for i, first in enumerate(self.roads):
            for second in self.roads[i + 1 :]:
                crossing = first.line.intersection(second.line.buffer(1.0))
                if not crossing.is_empty:
                    points.append(crossing.centroid)
        return points

    def furnish_roads(self) -> None:
        """Lane marks, parked and moving cars."""
        junctions = self.junctions()
        spots = np.array([[p.x, p.y] for p in junctions]).reshape(-1, 2)
        marks: list[Polygon] = []
        for index, road in enumerate(self.roads):
            rng = self.rng("traffic", index, self.date)
            length = road.line.length
            if road.marked:
                marks.extend(_lane_marks(road, spots))
            lanes = ((-1, 1.0), (1, 1.0))
            for side, _ in lanes:
                s = float(rng.uniform(0, 8))
                while s < length:
                    near = rng.random() < road.parking
                    if near:
                        self._car_on_road(rng, road, s, side * (road.width / 2 - 1.05), spots, 9.0)
                        s += float(rng.uniform(5.4, 7.0))
                    else:
                        s += float(rng.uniform(5.5, 11.0))
                for _ in range(rng.poisson(road.traffic * length)):
                    at = float(rng.uniform(0, length))
                    offset = side * max(road.width / 4, 1.1)
                    self._car_on_road(rng, road, at, offset, spots, 0.0, driving=True)
        if marks:
            self.world.marks.append(Patch(MultiPolygon(marks), "plain", (214, 212, 206)))

    def _car_on_road(
        self,
        rng: np.random.Generator,
        road: Road,
        s: float,
        offset: float,
        spots: np.ndarray,
        clearance: float,
        driving: bool = False,
    ) -> None:
        x, y, angle = along(road.line, s, offset)
        if len(spots) and np.hypot(*(spots - [x, y]).T).min() < clearance:
            return
        heading = angle if (offset > 0) == (self.seed % 4 > 0) else angle + np.pi
        if not driving and rng.random() < 0.2:
            heading += np.pi
        heading += rng.normal(0, 0.02)
        if driving and road.width > 7 and rng.random() < 0.10:
            self.vehicle(rng, x, y, heading, "truck", avoid=CAR)
        else:
            self.vehicle(rng, x, y, heading, avoid=CAR | Occupancy.ROOF)

    # -- objects ----------------------------------------------------------------------------
    def vehicle(
        self,
        rng: np.random.Generator,
        x: float,
        y: float,
        angle: float,
        kind: str = "car",
        *,
        avoid: int = CAR | Occupancy.ROOF | Occupancy.WATER,
    ) -> bool:
        """Place a vehicle unless something is in the way."""
        length, width = float(rng.uniform(3.7, 4.9)), float(rng.uniform(1.68, 1.92))
        colour = pick_car(rng)
        seed = int(rng.integers(1 << 30))
        if kind == "truck":
            length, width = float(rng.uniform(7.0, 14.0)), 2.5
        elif kind == "container":
            length, width = (12.2 if rng.random() < 0.6 else 6.1), 2.44
        if not self.inside(x, y):
            return False
        body = rectangle(x, y, length / 2 + 0.25, width / 2 + 0.2, angle)
        if self.occupancy.taken(body, avoid):
            return False
        self.occupancy.fill(body, CAR)
        self.world.vehicles.append(Vehicle(x, y, length, width, angle, colour, kind, seed))
        return True

    def roof(
        self,
        roof: Roof,
        *,
        stands: bool = True,
        avoid: int = Occupancy.ROAD | Occupancy.ROOF | Occupancy.WATER,
        grow: float = 0.6,
    ) -> bool:
        """Place a building unless ground is taken; an absent one keeps its ground reserved."""
        if not self.inside(roof.wings[0].x, roof.wings[0].y, 30.0):
            return False
        if any(self.occupancy.taken(w.corners(grow), avoid) for w in roof.wings):
            if len(roof.wings) == 1:
                return False
            roof = Roof(roof.wings[:1], roof.covering, roof.colour, roof.fittings, roof.seed,
                        roof.wear)  # fmt: skip
            if self.occupancy.taken(roof.wings[0].corners(grow), avoid):
                return False
        for wing in roof.wings:
            self.occupancy.fill(wing.corners(0.2), Occupancy.ROOF)
        if stands:
            self.world.roofs.append(roof)
        return True

    def tree(
        self,
        rng: np.random.Generator,
        x: float,
        y: float,
        radius: float | None = None,
        *,
        kind: str | None = None,
        avoid: int = Occupancy.HARD,
    ) -> bool:
        """Plant a tree unless its trunk would stand on something."""
        size = float(np.clip(rng.gamma(6.0, 0.5), 1.3, 6.2)) if radius is None else radius
        names = [t[0] for t in self.region.trees]
        species = kind or pick(rng, names, [t[1] for t in self.region.trees])
        colour = vary(rng, pick(rng, self.region.leaves, np.ones(len(self.region.leaves))), 0.09)
        seed, survives = int(rng.integers(1 << 30)), rng.random() > 0.06
        height = size * float(rng.uniform(1.7, 2.6))
        if species == "conifer":
            size, height = 0.7 * size, height * 1.3
            colour = tuple(c * f for c, f in zip(colour, (0.78, 0.84, 0.92)))
        if species == "palm":
            size, height = float(np.clip(size, 1.8, 3.2)), 7.0
        if species == "bush":
            height = 1.3 * size
        if self.date >= 1:
            size *= 1.05
        if not self.inside(x, y, 8.0) or self.occupancy.at(x, y) & avoid:
            return False
        if survives or self.date == 0:
            self.world.trees.append(Tree(x, y, size, height, colour, species, seed))
        return True

    def finish(self) -> World:
        """The finished place in drawing order."""
        world = self.world
        roads = world.roads
        bands = [p for p in roads if p.cls is None]
        lanes = [p for p in roads if p.cls is not None]
        world.patches = self.under
        world.roads = [*bands, *self.over, *lanes]
        # Tall crowns overhang low ones.
        world.trees.sort(key=lambda t: t.height)
        return world


def along(line: LineString, s: float, offset: float = 0.0) -> tuple[float, float, float]:
    """Point at arc length `s`, shifted to the side by `offset`, and the direction there."""
    low, high = line.interpolate(max(s - 1.0, 0.0)), line.interpolate(s + 1.0)
    angle = float(np.arctan2(high.y - low.y, high.x - low.x))
    point = line.interpolate(s)
    return point.x - offset * np.sin(angle), point.y + offset * np.cos(angle), angle


def _lane_marks(road: Road, spots: np.ndarray) -> list[Polygon]:
    """Dashed centre line, interrupted at junctions, and zebra crossings beside them."""
    marks = []
    for s in np.arange(2.0, road.line.length, 7.5):
        x, y, angle = along(road.line, float(s))
        if len(spots) and np.hypot(*(spots - [x, y]).T).min() < 9.0:
            continue
        marks.append(Polygon(rectangle(x, y, 1.5, 0.09, angle)))
    for spot in spots:
        point = Point(spot)
        if road.pavement == 0 or road.width < 8 or road.line.distance(point) > 1.0:
            continue
        s = road.line.project(point)
        for side in (-11.0,):
            if not 2 < s + side < road.line.length - 2:
                continue
            for offset in np.arange(-road.width / 2 + 0.7, road.width / 2 - 0.5, 1.0):
                x, y, angle = along(road.line, s + side, float(offset))
                marks.append(Polygon(rectangle(x, y, 1.5, 0.25, angle)))
    return marks
