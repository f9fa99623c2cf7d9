"""A lake that shrinks, a quarry that grows, a field through its year."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from shapely import STRtree, affinity
from shapely.geometry import Point, Polygon, box
from shapely.ops import unary_union

from rsam_core.errors import SceneError
from rsam_core.samples.builder import Builder
from rsam_core.samples.regions import vary
from rsam_core.samples.world import Colour, Patch, World

_BED, _ROCK, _STUBBLE = (168, 152, 124), (196, 186, 168), (190, 172, 128)
_VERGE = 2.4
"""Metres of grass around the followed field."""

_STEPS = 96
"""Corners of an outline."""


@dataclass(frozen=True)
class Land:
    """What changes of a place.

    Attributes
    ----------
    world : World
        Everything else.
    outlines : tuple of Polygon
        Of the object in each frame, metres.
    patches : callable
        What is drawn in a frame of that number; the object carries the class `cls`.
    cls : str
    """

    world: World
    outlines: tuple[Polygon, ...]
    patches: Callable[[int], Iterator[Patch]]
    cls: str


def lake(world: World, builder: Builder, rng: np.random.Generator, count: int) -> Land:
    """A lake that dries up to about a third of its area, not evenly on all sides."""
    size = min(world.width, world.height)
    shore = _Shore(rng, (0.20 * size, 0.27 * size), stretch=(1.15, 1.7))
    x, y = _quiet_spot(world, builder, rng, shore.reach)
    depth = 1 + 0.45 * shore.wave(rng)
    water = vary(
        rng, [(58, 78, 84), (70, 88, 78), (84, 92, 76), (52, 70, 88)][rng.integers(4)], 0.1
    )
    bed = vary(rng, _BED, 0.06)
    lowest = float(rng.uniform(0.38, 0.48))
    levels = lowest * np.linspace(0, 1, count) ** float(rng.uniform(0.8, 1.2))
    levels[1:] += rng.normal(0, 0.006, count - 1)
    outlines = tuple(shore.polygon(x, y, 1 - np.clip(v, 0, 1) * depth) for v in levels)

    def patches(k: int) -> Iterator[Patch]:
        yield Patch(outlines[0], "soil", bed)
        # What has been dry for years grows over.
        for age, share in ((14, 0.75), (9, 0.4)):
            if k >= age:
                ring = outlines[0].difference(outlines[k - age])
                yield Patch(ring, "rough", _mix(bed, builder.region.wild, share))
        yield Patch(outlines[k], "water", water, cls="water", period=7.0,
                    angle=float(shore.phase[0]))  # fmt: skip

    return Land(_cleared(world, outlines[0].buffer(2)), outlines, patches, "water")


def quarry(world: World, builder: Builder, rng: np.random.Generator, count: int) -> Land:
    """A pit that eats into the land, mostly to one side; benches step down to its floor."""
    size = min(world.width, world.height)
    shore = _Shore(rng, (0.22 * size, 0.28 * size), stretch=(1.0, 1.4))
    x, y = _quiet_spot(world, builder, rng, shore.reach)
    rock = vary(rng, _ROCK, 0.06)
    late = 1 + 0.35 * np.cos(shore.angles - rng.uniform(0, 2 * np.pi))
    begin = float(rng.uniform(0.32, 0.42))
    shares = begin + (1 - begin) * np.linspace(0, 1, count) ** float(rng.uniform(0.8, 1.2))
    shares = np.maximum.accumulate(shares + rng.normal(0, 0.004, count))
    outlines = tuple(shore.polygon(x, y, np.minimum(s**late, 1.02)) for s in shares)

    def patches(k: int) -> Iterator[Patch]:
        outline = outlines[k]
        yield Patch(outline, "gravel", rock, cls="quarry")
        step = 0.045 * size
        for level in range(1, 6):
            inner = outline.buffer(-step * level)
            if inner.is_empty:
                break
            # The face of a bench lies in its own shade, its floor is bright.
            face = outline.buffer(-step * level + 1.1)
            yield Patch(face, "plain", _mix(rock, (110, 100, 88), 0.55), cls="quarry")
            tone = _mix(rock, (172, 156, 132) if level % 2 else (206, 200, 188), 0.6)
            yield Patch(inner, "soil" if level > 2 else "gravel", tone, cls="quarry")

    return Land(_cleared(world, outlines[-1].buffer(4)), outlines, patches, "quarry")


def field(world: World, builder: Builder, rng: np.random.Generator, count: int) -> Land:
    """A field that is ploughed, greens, ripens and is cut, among others that do the same."""
    middle = Point(world.width / 2, world.height / 2)
    fields = [p for p in world.patches if p.cls == "field"]
    others = [
        p for p in world.patches if p.cls != "field" and p.geometry.area < 0.5 * world.width**2
    ]
    taken = unary_union([*(p.geometry for p in (*others, *world.roads, *world.overlays))])
    frame = box(6, 6, world.width - 6, world.height - 6)
    free = [_largest(p.geometry.difference(taken.buffer(0.5))) for p in fields]

    def fitness(ground: Polygon | None) -> float:
        """The largest field near the middle, one that lies whole in the picture if there is."""
        seen = None if ground is None else ground.intersection(frame)
        if ground is None or seen is None or seen.is_empty:
            return 0.0
        whole = 1.0 if seen.area > 0.97 * ground.area else 0.3
        return whole * seen.area / (1 + seen.distance(middle) / 60)

    chosen = int(np.argmax([fitness(ground) for ground in free]))
    outline = free[chosen]
    if outline is None:
        raise SceneError("There is no field in this place. Choose another seed.")
    # A verge that can be seen: without one nobody could tell where a field ends beside its like.
    free = [g if k == chosen or g is None else _largest(g.difference(outline.buffer(_VERGE)))
            for k, g in enumerate(free)]  # fmt: skip
    starts = rng.uniform(-0.14, 0.14, len(fields))
    near = outline.buffer(8)
    for k, ground in enumerate(free):
        if k != chosen and ground is not None and ground.intersects(near):
            # Another crop than beside it, sown at another time.
            starts[k] = float(rng.choice([-1, 1]) * rng.uniform(0.18, 0.32))
    greens = [vary(rng, (98, 122, 62), 0.10) for _ in fields]
    grass = rng.random(len(fields)) < 0.25
    grass[chosen], starts[chosen] = False, 0.0

    def patches(k: int) -> Iterator[Patch]:
        for n, (patch, ground) in enumerate(zip(fields, free)):
            if ground is None:
                continue
            time = 1.05 * k / max(count - 1, 1) + float(starts[n])
            look = patch if grass[n] else _crop_at(time, patch, greens[n])
            yield replace(look, geometry=ground, cls="followed" if n == chosen else None)

    others_left = [p for p in world.patches if p.cls != "field"]
    return Land(replace(world, patches=others_left), (outline,) * count, patches, "followed")


def _crop_at(time: float, patch: Patch, green: Colour) -> Patch:
    """A field at a time of its year, 0 to 1."""
    soil = (142, 118, 92)
    ripe = (188, 168, 102)
    stages = ((0.00, soil), (0.16, soil), (0.36, green), (0.58, green), (0.72, ripe),
              (0.80, ripe), (0.82, _STUBBLE), (0.92, _STUBBLE))  # fmt: skip
    if time < 0.10 or time >= 0.92:
        return replace(patch, material="plough", colour=soil, period=1.6)
    for (t0, first), (t1, second) in pairwise(stages):
        if t0 <= time < t1:
            return replace(patch, material="crop", period=0.75,
                           colour=_mix(first, second, (time - t0) / (t1 - t0)))  # fmt: skip
    return replace(patch, material="plough", colour=soil, period=1.6)


class _Shore:
    """A wavy closed outline around a centre."""

    def __init__(
        self, rng: np.random.Generator, radius: tuple[float, float], stretch: tuple[float, float]
    ) -> None:
        self.angles = np.linspace(0, 2 * np.pi, _STEPS, endpoint=False)
        self.phase = rng.uniform(0, 2 * np.pi, 5)
        wave = sum(
            float(rng.normal(0, 0.15 / k)) * np.cos(k * self.angles + self.phase[k - 1])
            for k in range(2, 6)
        )
        long = float(rng.uniform(*stretch))
        turned = self.angles - self.phase[0]
        ellipse = 1 / np.hypot(np.cos(turned) / np.sqrt(long), np.sin(turned) * np.sqrt(long))
        self.radii = float(rng.uniform(*radius)) * ellipse * np.clip(1 + wave, 0.55, 1.5)
        self.reach = float(self.radii.max())

    def wave(self, rng: np.random.Generator) -> np.ndarray:
        """A smooth number for each direction, between about -1 and 1."""
        first, second = rng.uniform(0, 2 * np.pi, 2)
        return 0.7 * np.cos(self.angles + first) + 0.4 * np.cos(2 * self.angles + second)

    def polygon(self, x: float, y: float, share: np.ndarray | float) -> Polygon:
        """The outline with each radius times a share."""
        radii = self.radii * share
        points = np.stack([x + radii * np.cos(self.angles), y + radii * np.sin(self.angles)], 1)
        return Polygon(points).buffer(0)


def _quiet_spot(
    world: World, builder: Builder, rng: np.random.Generator, reach: float
) -> tuple[float, float]:
    """A middle for something of that reach, far from roads and buildings, within the picture."""
    low = min(reach + 4, 0.5 * min(world.width, world.height))
    solid = [Polygon(w.corners()) for roof in world.roofs for w in roof.wings]
    solid = STRtree([*solid, *(p.geometry for p in world.roads)])
    best, gap = (world.width / 2, world.height / 2), -1.0
    for _ in range(60):
        x = float(rng.uniform(low, max(world.width - low, low + 1e-6)))
        y = float(rng.uniform(low, max(world.height - low, low + 1e-6)))
        near = solid.query_nearest(Point(x, y), return_distance=True)[1]
        away = float(near[0]) if len(near) else np.inf
        if away > gap:
            best, gap = (x, y), away
    return best


def _cleared(world: World, zone: Polygon) -> World:
    """A world without what stands or runs through a zone; crowns may hang over its border."""
    inner = zone.buffer(-3)

    def free(patch: Patch) -> Patch:
        return replace(patch, geometry=patch.geometry.difference(zone))

    return replace(
        world,
        roads=[free(p) for p in world.roads],
        marks=[free(p) for p in world.marks],
        overlays=[free(p) for p in world.overlays],
        roofs=[r for r in world.roofs
               if not any(Polygon(w.corners(2)).intersects(zone) for w in r.wings)],
        vehicles=[v for v in world.vehicles if not Point(v.x, v.y).buffer(3).intersects(zone)],
        trees=[t for t in world.trees if not Point(t.x, t.y).intersects(inner)],
    )  # fmt: skip


def _largest(geometry) -> Polygon | None:
    parts = [p for p in getattr(geometry, "geoms", [geometry]) if p.geom_type == "Polygon"]
    return max(parts, key=lambda p: p.area, default=None)


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    return tuple(float(a + share * (b - a)) for a, b in zip(first, second))


def in_pixels(outline: Polygon, gsd: float) -> Polygon:
    """An outline in metres as one in pixels."""
    return affinity.scale(outline, 1 / gsd, 1 / gsd, origin=(0, 0))
