"""Changes made to an invented place between two dates: building, damage, floods, other cars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from shapely import STRtree
from shapely.geometry import Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from rsam_core.samples.buildings import place
from rsam_core.samples.pair_records import GRADES
from rsam_core.samples.regions import Region, pick, vary
from rsam_core.samples.world import Colour, Patch, Roof, Tree, Vehicle, Wing, World, rectangle

_SMALLEST = 30.0
"""Square metres of the smallest building that is chosen for a change: no sheds."""

_COVERINGS: tuple[tuple[str, Colour], ...] = (
    ("tile", (156, 92, 74)),
    ("metal", (206, 208, 206)),
    ("metal", (96, 124, 156)),
    ("slate", (78, 78, 84)),
    ("metal", (122, 152, 128)),
    ("tin", (176, 140, 116)),
)
"""What a roof is covered with anew, where the region's own coverings look too much alike."""


@dataclass
class Edited:
    """A place at both dates: roofs, trees and vehicles with a number that stays the same.

    Attributes
    ----------
    roofs, trees, vehicles : tuple of two dicts
        By number, at the first and at the second date.
    ground : tuple of two lists of Patch
        Drawn over the ground, below vehicles, roofs and trees.
    rubble : tuple of two dicts
        Patches drawn over the roof of that number.
    fates : dict of int to (str, str)
        Kind of change and grade of damage by number of the roof.
    floods : list of Patch
        Water of the second date.
    cleared : list of (set of int, Patch)
        Numbers of the trees that went, and what is there now.
    """

    roofs: tuple[dict[int, Roof], dict[int, Roof]]
    trees: tuple[dict[int, Tree], dict[int, Tree]]
    vehicles: tuple[dict[int, Vehicle], dict[int, Vehicle]]
    ground: tuple[list[Patch], list[Patch]] = field(default_factory=lambda: ([], []))
    rubble: tuple[dict[int, list[Patch]], dict[int, list[Patch]]] = field(
        default_factory=lambda: ({}, {})
    )
    fates: dict[int, tuple[str, str]] = field(default_factory=dict)
    floods: list[Patch] = field(default_factory=list)
    cleared: list[tuple[set[int], Patch]] = field(default_factory=list)


class Editor:
    """Makes changes to a place, one kind at a time.

    Parameters
    ----------
    world : World
        The place, in metres.
    region : Region
        Its palette.
    frame : tuple of float
        x0, y0, x1, y1 in metres: only what lies well inside it is changed.
    rng : numpy.random.Generator
    """

    def __init__(
        self,
        world: World,
        region: Region,
        frame: tuple[float, float, float, float],
        rng: np.random.Generator,
    ) -> None:
        self.region, self.rng = region, rng
        roofs = dict(enumerate(world.roofs))
        trees = dict(enumerate(world.trees))
        cars = dict(enumerate(world.vehicles))
        self.edited = Edited((roofs, dict(roofs)), (trees, dict(trees)), (cars, dict(cars)))
        self.frame = box(*frame).buffer(-3.0)
        self.roads = unary_union([p.geometry for p in world.roads if p.cls == "road"])
        self.outlines = {number: outline(roof) for number, roof in roofs.items()}
        free = [
            number
            for number, shape in self.outlines.items()
            if shape.area >= _SMALLEST and self.frame.contains(shape)
        ]
        rng.shuffle(free)
        self._free = free

    def apply(self, kind: str, count: int) -> None:
        """Make up to `count` changes of a kind; fewer where the place has no room for them."""
        if kind == "cars":
            raise ValueError("other cars come from another day: see `swap_cars`")
        if kind in ("flooded", "cleared"):
            change: Callable[[], bool] = self._flood if kind == "flooded" else self._clear
            done, tries = 0, 0
            while done < count and tries < 4 * count:
                done += change()
                tries += 1
            return
        done = 0
        for number in list(self._free):
            if done == count:
                return
            if self._change_roof(kind, number, done):
                self._free.remove(number)
                done += 1

    def swap_cars(self, others: list[Vehicle]) -> None:
        """Let the vehicles of another day stand there at the second date."""
        start = len(self.edited.vehicles[0])
        later = self.edited.vehicles[1]
        later.clear()
        later.update(enumerate(others, start))
        solid = [outline(roof) for roof in self.edited.roofs[1].values()]
        tree = STRtree(solid)
        for number, car in list(later.items()):
            body = Polygon(rectangle(car.x, car.y, car.length / 2, car.width / 2, car.angle))
            if len(tree.query(body, predicate="intersects")):
                del later[number]

    # -- roofs ------------------------------------------------------------------------------
    def _change_roof(self, kind: str, number: int, turn: int) -> bool:
        first, second = self.edited.roofs
        roof, shape = first[number], self.outlines[number]
        grade = GRADES[0]
        if kind == "built":
            del first[number]
            if self.rng.random() < 0.4:
                self._bare(0, shape)
        elif kind == "demolished":
            del second[number]
            if self.rng.random() < 0.6:
                self._bare(1, shape)
        elif kind in ("extended", "reduced"):
            larger = self._extended(number, roof)
            if larger is None:
                return False
            self._fell(outline(larger).difference(shape).buffer(0.8))
            (second if kind == "extended" else first)[number] = larger
        elif kind == "reroofed":
            second[number] = self._recovered(roof)
        elif kind == "damaged":
            grade = GRADES[1 + turn % 3]
            self._damage(number, roof, shape, grade)
        else:
            raise ValueError(kind)
        self.edited.fates[number] = (kind, grade)
        return True

    def _bare(self, date: int, shape: BaseGeometry) -> None:
        site = shape.buffer(float(self.rng.uniform(0.5, 2.0))).difference(self.roads)
        self.edited.ground[date].append(Patch(site, "soil", vary(self.rng, self.region.soil)))

    def _fell(self, area: BaseGeometry) -> None:
        """Take away, at both dates, trees whose trunk stands in an area, and cars on it."""
        for date in (0, 1):
            for things in (self.edited.trees[date], self.edited.vehicles[date]):
                for number, thing in list(things.items()):
                    if area.contains(Point(thing.x, thing.y)):
                        del things[number]

    def _extended(self, number: int, roof: Roof) -> Roof | None:
        """The same house with one wing more, where there is room for it."""
        main = roof.wings[0]
        others = unary_union([s for n, s in self.outlines.items() if n != number])
        blocked = unary_union([others.buffer(0.6), self.roads])
        area = self.outlines[number].area
        sides = [(1, 0), (-1, 0), (0, 1), (0, -1)]
        self.rng.shuffle(sides)
        for along, across in sides:
            if along:
                a, b = main.half_length * float(self.rng.uniform(0.35, 0.55)), main.half_width * 0.8
                u, v = along * (main.half_length + a - 0.4), 0.0
            else:
                a, b = main.half_length * 0.6, main.half_width * float(self.rng.uniform(0.4, 0.6))
                u, v = 0.0, across * (main.half_width + b - 0.4)
            x, y = place(main.x, main.y, main.angle, u, v)
            kind = "flat" if main.kind == "flat" else "shed" if self.rng.random() < 0.4 else "gable"
            wing = Wing(x, y, max(a, b), min(a, b), main.angle + (np.pi / 2 if b > a else 0.0),
                        kind, max(2.5, main.eave - 1.0), min(main.slope, 0.4))  # fmt: skip
            shape = Polygon(wing.corners())
            grown = unary_union([shape, self.outlines[number]])
            fits = self.frame.contains(shape) and not shape.intersects(blocked)
            if fits and grown.area > 1.22 * area:
                return replace(roof, wings=(*roof.wings, wing))
        return None

    def _recovered(self, roof: Roof) -> Roof:
        """The same house under another covering."""
        choices = [(c, tone) for c, tone, _ in self.region.roofs] + list(_COVERINGS)
        apart = [np.linalg.norm(np.subtract(tone, roof.colour)) for _, tone in choices]
        clear = [choice for choice, distance in zip(choices, apart) if distance > 60]
        covering, tone = clear[int(self.rng.integers(len(clear)))]
        if roof.covering == "flat":
            covering = "flat"
        return replace(roof, covering=covering, colour=vary(self.rng, tone, 0.04), wear=0.1,
                       seed=int(self.rng.integers(1 << 30)))  # fmt: skip

    def _damage(self, number: int, roof: Roof, shape: Polygon, grade: str) -> None:
        rng = self.rng
        patches: list[Patch] = []
        if grade == GRADES[1]:
            for _ in range(int(rng.integers(2, 5))):
                spot = self._blob(shape, float(rng.uniform(0.10, 0.18)) * np.sqrt(shape.area))
                dark = rng.random() < 0.6
                tone: Colour = (62, 58, 54) if dark else (60, 104, 176)
                patches.append(Patch(spot.intersection(shape), "plain", vary(rng, tone, 0.1)))
        elif grade == GRADES[2]:
            hole = self._blob(shape, float(rng.uniform(0.40, 0.55)) * np.sqrt(shape.area))
            hole = hole.intersection(shape)
            patches.append(Patch(hole, "plain", vary(rng, (70, 64, 58), 0.1), height=0.6))
            patches += self._debris(hole.buffer(1.5), 22)
        else:
            heap = unary_union([shape.buffer(0.6), self._blob(shape, 0.5 * np.sqrt(shape.area))])
            patches.append(Patch(heap, "gravel", vary(rng, (148, 136, 122), 0.06), height=0.7))
            patches += self._debris(heap, int(30 + heap.area / 4))
        self.edited.rubble[1][number] = [p for p in patches if not p.geometry.is_empty]

    def _blob(self, shape: BaseGeometry, radius: float) -> Polygon:
        """An irregular outline around a random point inside."""
        x0, y0, x1, y1 = shape.bounds
        centre = shape.representative_point()
        for _ in range(20):
            point = Point(self.rng.uniform(x0, x1), self.rng.uniform(y0, y1))
            if shape.contains(point):
                centre = point
                break
        return irregular(self.rng, centre.x, centre.y, radius)

    def _debris(self, area: BaseGeometry, count: int) -> list[Patch]:
        x0, y0, x1, y1 = area.bounds
        tones = [(182, 172, 158), (120, 104, 92), (84, 78, 72), (158, 112, 92), (204, 200, 192)]
        result = []
        for _ in range(count):
            x, y = self.rng.uniform(x0, x1), self.rng.uniform(y0, y1)
            if not area.contains(Point(x, y)):
                continue
            a, b = self.rng.uniform(0.3, 1.6), self.rng.uniform(0.15, 0.7)
            piece = Polygon(rectangle(x, y, a, b, float(self.rng.uniform(0, np.pi))))
            tone = vary(self.rng, tones[int(self.rng.integers(len(tones)))], 0.08)
            height = float(self.rng.uniform(0.5, 1.6))
            result.append(Patch(piece, "plain", tone, height=height))
        return result

    # -- ground -----------------------------------------------------------------------------
    def _flood(self) -> bool:
        rng = self.rng
        x0, y0, x1, y1 = self.frame.bounds
        reach = min(x1 - x0, y1 - y0)
        centre = rng.uniform(x0, x1), rng.uniform(y0, y1)
        shape = irregular(rng, *centre, float(rng.uniform(0.16, 0.26)) * reach)
        shape = shape.intersection(self.frame)
        standing = self.edited.roofs[1].values()
        dry = unary_union([outline(roof).buffer(0.3) for roof in standing])
        water = shape.difference(dry)
        if water.area < 150:
            return False
        tone = pick(rng, [(132, 116, 92), (98, 104, 92), (74, 86, 84)], [3, 2, 1])
        self.edited.floods.append(Patch(water, "water", vary(rng, tone, 0.06), cls="water",
                                        period=2.0))  # fmt: skip
        for number, car in list(self.edited.vehicles[1].items()):
            if water.contains(Point(car.x, car.y)):
                del self.edited.vehicles[1][number]
        return True

    def _clear(self) -> bool:
        """Plant a copse at the first date where there is none at the second."""
        rng = self.rng
        x0, y0, x1, y1 = self.frame.bounds
        taken = unary_union([*self.outlines.values(), self.roads,
                             *(p.geometry for p in self.edited.floods)])  # fmt: skip
        best, room = None, 0.0
        for _ in range(60):
            point = Point(rng.uniform(x0, x1), rng.uniform(y0, y1))
            free = min(taken.distance(point), self.frame.exterior.distance(point))
            if free > room:
                best, room = point, free
        if best is None or room < 5.0:
            return False
        radius = min(room, 22.0) * float(rng.uniform(0.8, 0.95))
        site = irregular(rng, best.x, best.y, 0.85 * radius)
        self._fell(site)
        number = max(self.edited.trees[0], default=0) + 1 + 10_000 * len(self.edited.cleared)
        planted: set[int] = set()
        names = [t[0] for t in self.region.trees]
        for _ in range(int(site.area / 9)):
            x, y = (
                rng.uniform(best.x - radius, best.x + radius),
                rng.uniform(best.y - radius, best.y + radius),
            )
            if not site.contains(Point(x, y)):
                continue
            size = float(rng.uniform(1.8, 3.6))
            leaf = vary(rng, pick(rng, self.region.leaves, np.ones(len(self.region.leaves))), 0.08)
            kind = pick(rng, names, [t[1] for t in self.region.trees])
            self.edited.trees[0][number] = Tree(float(x), float(y), size, 2.2 * size, leaf, kind,
                                                int(rng.integers(1 << 30)))  # fmt: skip
            planted.add(number)
            number += 1
        if len(planted) < 4:
            return False
        bare = Patch(site.buffer(1.0), "soil", vary(rng, self.region.soil, 0.05))
        self.edited.cleared.append((planted, bare))
        return True


def outline(roof: Roof) -> Polygon:
    """Outline of a roof in metres."""
    return unary_union([Polygon(wing.corners()) for wing in roof.wings])


def irregular(rng: np.random.Generator, x: float, y: float, radius: float) -> Polygon:
    """A closed, gently lobed outline."""
    t = np.linspace(0, 2 * np.pi, 49)[:-1]
    rim = 1 + sum(
        rng.normal(0, 0.14 / k) * np.sin(k * t + rng.uniform(0, 2 * np.pi)) for k in (1, 2, 3, 5)
    )
    ring = np.stack([x + radius * rim * np.cos(t), y + radius * rim * np.sin(t)], 1)
    return Polygon(ring).buffer(0)
