"""Work out which objects each sentence means, from the plan of rendered towns.

``python -m tests.segment.words.make_towns`` writes ``data/towns.json``. Nothing of what it measures
comes from the code under test: paint and wings are those of the plan, distances and shares are
counted on the label map.
"""

from __future__ import annotations

import colorsys
import json
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from rsam_core.models.tiny.kinds import OF_RENDERED
from rsam_core.samples.town import TownSample, build_world, render_town

DATA = Path(__file__).parent / "data"
SMALLEST = 16
"""Pixels; what is smaller is no object of the towns."""
NEAR, NEXT_TO, BETWEEN = 20.0, 5.0, 50.0

TOWNS = [
    {"style": style, "seed": 4211 + number, "gsd": 0.3, "width": 900, "height": 700}
    for number, style in enumerate(
        ("suburb", "estate", "village", "harbour", "industrial", "town", "suburb", "harbour")
    )
]
# Pools are asked for there.
TOWNS[6]["region"] = "mediterranean"


class Plan:
    """A rendered town with what its plan says of each object."""

    def __init__(self, town: TownSample, region: str | None = None) -> None:
        self.town, self.gsd, self.labels = town, town.gsd, town.labels
        areas = np.bincount(self.labels.ravel(), minlength=max(town.classes) + 1)
        self.area = {i: int(areas[i]) for i in town.classes if areas[i] >= SMALLEST}
        self.kind = {i: OF_RENDERED[town.classes[i]] for i in self.area}
        self.boxes = ndimage.find_objects(self.labels)
        height, width = self.labels.shape
        extent = round(width * self.gsd, 6), round(height * self.gsd, 6)
        self.world, _ = build_world(
            *extent, seed=town.seed, date=town.date, style=town.style, region=region
        )

    def mask(self, i: int, margin: int = 0) -> tuple[np.ndarray, tuple[slice, slice]]:
        rows, columns = self.boxes[i - 1]
        window = (
            slice(max(rows.start - margin, 0), rows.stop + margin),
            slice(max(columns.start - margin, 0), columns.stop + margin),
        )
        return self.labels[window] == i, window

    def _owner(self, corners: np.ndarray, classes: tuple[str, ...]) -> int | None:
        """The label that most pixels of a polygon in metres belong to, among some classes."""
        canvas = np.zeros(self.labels.shape, np.uint8)
        cv2.fillPoly(canvas, [np.round(corners / self.gsd - 0.5).astype(np.int32)], 1)
        found = self.labels[canvas > 0]
        found = [i for i in found[found > 0] if self.town.classes[i] in classes]
        return int(np.bincount(found).argmax()) if found else None

    @cached_property
    def roofs(self) -> dict:
        pairs = {}
        for roof in self.world.roofs:
            owner = self._owner(roof.wings[0].corners(), ("roof",))
            if owner in self.area:
                pairs[owner] = roof
        return pairs

    @cached_property
    def vehicles(self) -> dict:
        pairs = {}
        for item in self.world.vehicles:
            c, s = np.cos(item.angle), np.sin(item.angle)
            a, b = item.length / 2 * np.array([c, s]), item.width / 2 * np.array([-s, c])
            corners = np.add([a + b, a - b, -a - b, b - a], [item.x, item.y])
            owner = self._owner(corners, ("car", "truck", "boat", "container"))
            if owner in self.area:
                pairs[owner] = item
        return pairs

    def paint(self, i: int) -> str | None:
        thing = self.roofs.get(i) or self.vehicles.get(i)
        return None if thing is None else paint_name(thing.colour)

    # ---- what a sentence may ask --------------------------------------------------------
    def of(self, *kinds: str) -> list[int]:
        return [i for i, kind in self.kind.items() if kind in kinds]

    def large(self, ids: list[int], share: float = 0.75) -> list[int]:
        limit = np.quantile([self.area[i] for i in ids], share)
        return [i for i in ids if self.area[i] >= limit]

    def small(self, ids: list[int]) -> list[int]:
        limit = np.quantile([self.area[i] for i in ids], 0.25)
        return [i for i in ids if self.area[i] <= limit]

    def m2(self, i: int) -> float:
        return self.area[i] * self.gsd**2

    def sides(self, i: int) -> tuple[float, float]:
        """Long and short side of the narrowest rectangle, in metres, by trying all directions."""
        mask, _ = self.mask(i)
        y, x = np.nonzero(mask)
        corners = np.concatenate(
            [np.column_stack([x + a, y + b]) for a in (0, 1) for b in (0, 1)]
        ).astype(float)
        best = (np.inf, 0.0, 0.0)
        for angle in np.deg2rad(np.arange(0, 90, 1.0)):
            c, s = np.cos(angle), np.sin(angle)
            wide, high = np.ptp(corners @ [c, s]), np.ptp(corners @ [-s, c])
            best = min(best, (wide * high, wide, high))
        return max(best[1:]) * self.gsd, min(best[1:]) * self.gsd

    def long(self, i: int) -> bool:
        long, short = self.sides(i)
        return long >= 2.5 * short

    def square(self, i: int) -> bool:
        long, short = self.sides(i)
        return long <= 1.25 * short and self.m2(i) >= 0.85 * long * short

    def round(self, i: int) -> bool:
        y, x = np.nonzero(self.mask(i)[0])
        _, radius = cv2.minEnclosingCircle(np.column_stack([x, y]).astype(np.float32))
        return self.area[i] >= 0.75 * np.pi * (radius + 0.5) ** 2

    def l_shaped(self, i: int) -> bool:
        roof = self.roofs.get(i)
        if roof is None or len(roof.wings) < 2:
            return False
        main, cross = roof.wings[:2]
        turned = abs(np.cos(main.angle - cross.angle)) < 0.1
        dx, dy = cross.x - main.x, cross.y - main.y
        along = abs(dx * np.cos(main.angle) + dy * np.sin(main.angle))
        return turned and along >= 0.8 * (main.half_length - cross.half_width)

    def gap(self, i: int, others: list[int]) -> float:
        """Metres from the edge of an object to the nearest of others."""
        key = tuple(others)
        if key not in self._fields:
            there = np.isin(self.labels, others)
            self._fields[key] = (
                ndimage.distance_transform_edt(~there)
                if there.any()
                else np.full(there.shape, np.inf)
            )
        mask, window = self.mask(i)
        return max(float(self._fields[key][window][mask].min()) - 1.0, 0.0) * self.gsd

    @cached_property
    def _fields(self) -> dict:
        return {}

    def near(self, others: list[int], within: float = NEAR) -> Callable[[int], bool]:
        return lambda i: self.gap(i, others) <= within

    def touching(self, others: list[int]) -> Callable[[int], bool]:
        return lambda i: self.gap(i, others) == 0

    def surrounded(self, others: list[int], share: float) -> Callable[[int], bool]:
        """Whether so much of the ring two pixels around an object belongs to others."""

        def test(i: int) -> bool:
            mask, window = self.mask(i, 3)
            ring = ndimage.binary_dilation(mask, iterations=2) & ~mask
            return bool(np.isin(self.labels[window][ring], others).mean() >= share)

        return test

    def between(self, one: list[int], two: list[int]) -> Callable[[int], bool]:
        def nearest(others: list[int]) -> tuple[np.ndarray, np.ndarray]:
            there = np.isin(self.labels, others)
            return ndimage.distance_transform_edt(~there, return_indices=True)

        (far1, where1), (far2, where2) = nearest(one), nearest(two)

        def test(i: int) -> bool:
            mask, window = self.mask(i)
            y, x = (int(v.mean()) for v in np.nonzero(mask))
            y, x = y + window[0].start, x + window[1].start
            if max(far1[y, x], far2[y, x]) * self.gsd > BETWEEN:
                return False
            a, b = where1[:, y, x] - [y, x], where2[:, y, x] - [y, x]
            cosine = (a @ b) / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9)
            return bool(cosine <= np.cos(np.deg2rad(120)))

        return test


def paint_name(colour: tuple[float, float, float]) -> str:
    """The everyday name of a paint, by its hue, saturation and value."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in colour))
    hue *= 360
    if saturation < (0.22 if value < 0.35 else 0.12 if value < 0.6 else 0.10):
        return "black" if value < 0.35 else "white" if value > 0.73 else "grey"
    if hue < 22 or hue > 340:
        return "red" if saturation >= 0.28 else "brown"
    if hue < 48:
        return "brown" if value < 0.68 else "beige"
    if hue < 68:
        return "yellow"
    if hue < 170:
        return "green"
    return "blue" if hue < 255 else "purple"


Sentence = tuple[str, Callable[[Plan], list[int]]]


def _pick(ids: list[int], *tests: Callable[[int], bool]) -> list[int]:
    return [i for i in ids if all(test(i) for test in tests)]


def _colour(p: Plan, *names: str) -> Callable[[int], bool]:
    return lambda i: p.paint(i) in names


B, R, C, T, G, W, P, S = (
    "building", "road", "car", "tree", "grass or field", "water", "pool", "boat",
)  # fmt: skip

SENTENCES: list[list[Sentence]] = [
    [  # a suburb
        ("buildings", lambda p: p.of(B)),
        ("large buildings", lambda p: p.large(p.of(B))),
        ("houses over 150 m²", lambda p: _pick(p.of(B), lambda i: p.m2(i) > 150)),
        ("white cars", lambda p: _pick(p.of(C), _colour(p, "white"))),
        ("trees within 3 m of a building", lambda p: _pick(p.of(T), p.near(p.of(B), 3))),
        ("cars on the road", lambda p: _pick(p.of(C), p.surrounded(p.of(R), 0.5))),
        ("the five largest trees", lambda p: sorted(p.of(T), key=lambda i: -p.area[i])[:5]),
        ("L-shaped houses", lambda p: _pick(p.of(B), p.l_shaped)),
    ],
    [  # an estate
        ("small trees", lambda p: p.small(p.of(T))),
        ("voitures noires", lambda p: _pick(p.of(C), _colour(p, "black"))),
        ("long buildings", lambda p: _pick(p.of(B), p.long)),
        ("buildings not near sports fields",
         lambda p: _pick(p.of(B), lambda i: not p.near(p.of(G))(i))),
        ("red or blue cars", lambda p: _pick(p.of(C), _colour(p, "red", "blue"))),
        ("trees within 10 m of a road", lambda p: _pick(p.of(T), p.near(p.of(R), 10))),
        ("ba tòa nhà lớn nhất", lambda p: sorted(p.of(B), key=lambda i: -p.area[i])[:3]),
        ("round trees over 20 m²",
         lambda p: _pick(p.of(T), p.round, lambda i: p.m2(i) > 20)),
    ],
    [  # a village
        ("fields", lambda p: p.of(G)),
        ("campos de más de 2.000 m²", lambda p: _pick(p.of(G), lambda i: p.m2(i) > 2000)),
        ("trees near water", lambda p: _pick(p.of(T), p.near(p.of(W)))),
        ("nhà gần đường", lambda p: _pick(p.of(B), p.near(p.of(R)))),
        ("buildings under 100 square metres", lambda p: _pick(p.of(B), lambda i: p.m2(i) < 100)),
        ("everything except trees", lambda p: [i for i in p.kind if p.kind[i] != T]),
        ("trees touching a building", lambda p: _pick(p.of(T), p.touching(p.of(B)))),
        ("small buildings or large trees", lambda p: p.small(p.of(B)) + p.large(p.of(T))),
    ],
    [  # a harbour
        ("boats", lambda p: p.of(S)),
        ("boats in the water", lambda p: _pick(p.of(S), p.surrounded(p.of(W), 0.8))),
        ("white boats", lambda p: _pick(p.of(S), _colour(p, "white"))),
        ("bateaux de plus de 10 m de long",
         lambda p: _pick(p.of(S), lambda i: p.sides(i)[0] > 10)),
        ("cars within 50 m of the water", lambda p: _pick(p.of(C), p.near(p.of(W), 50))),
        ("water", lambda p: p.of(W)),
        ("the three longest boats", lambda p: sorted(p.of(S), key=lambda i: -p.sides(i)[0])[:3]),
        ("cars that are not white", lambda p: _pick(p.of(C), lambda i: p.paint(i) != "white")),
    ],
    [  # works
        ("buildings over 1000 m²", lambda p: _pick(p.of(B), lambda i: p.m2(i) > 1000)),
        ("grandes bâtiments", lambda p: p.large(p.of(B))),
        ("trees next to a road", lambda p: _pick(p.of(T), p.near(p.of(R), NEXT_TO))),
        ("coches blancos", lambda p: _pick(p.of(C), _colour(p, "white"))),
        ("large cars", lambda p: p.large(p.of(C))),
        ("grey or black cars", lambda p: _pick(p.of(C), _colour(p, "grey", "black"))),
        ("trees more than 30 m from buildings",
         lambda p: _pick(p.of(T), lambda i: p.gap(i, p.of(B)) > 30)),
    ],
    [  # an old town
        ("buildings with red roofs", lambda p: _pick(p.of(B), _colour(p, "red"))),
        ("large buildings with red roofs",
         lambda p: _pick(p.large(p.of(B)), _colour(p, "red"))),
        ("xe trên đường", lambda p: _pick(p.of(C), p.surrounded(p.of(R), 0.5))),
        ("square buildings", lambda p: _pick(p.of(B), p.square)),
        ("buildings between 100 and 200 m²",
         lambda p: _pick(p.of(B), lambda i: 100 <= p.m2(i) <= 200)),
        ("trees between buildings and roads",
         lambda p: _pick(p.of(T), p.between(p.of(B), p.of(R)))),
        ("cars or trees", lambda p: p.of(C, T)),
    ],
    [  # another suburb
        ("swimming pools", lambda p: p.of(P)),
        ("houses with a pool", lambda p: _pick(p.of(B), p.near(p.of(P), NEXT_TO))),
        ("casas a menos de 15 m de una piscina", lambda p: _pick(p.of(B), p.near(p.of(P), 15))),
        ("dark cars", lambda p: _pick(p.of(C), _colour(p, "black"))),
        ("small buildings near the road", lambda p: _pick(p.small(p.of(B)), p.near(p.of(R)))),
        ("houses except the large ones", lambda p: sorted(set(p.of(B)) - set(p.large(p.of(B))))),
        ("arbres près des bâtiments", lambda p: _pick(p.of(T), p.near(p.of(B)))),
    ],
    [  # another harbour
        ("vehicles", lambda p: p.of(C)),
        ("thuyền dài hơn 8 m", lambda p: _pick(p.of(S), lambda i: p.sides(i)[0] > 8)),
        ("large boats in the water",
         lambda p: _pick(p.large(p.of(S)), p.surrounded(p.of(W), 0.8))),
        ("buildings near water", lambda p: _pick(p.of(B), p.near(p.of(W)))),
        ("small boats", lambda p: p.small(p.of(S))),
        ("boats that are not large",
         lambda p: sorted(set(p.of(S)) - set(p.large(p.of(S))))),
        ("cars within 20 m of a building", lambda p: _pick(p.of(C), p.near(p.of(B), 20))),
    ],
]  # fmt: skip


def towns() -> list[dict]:
    """Every town with its sentences and the numbers that they mean."""
    result = []
    for facts, sentences in zip(TOWNS, SENTENCES, strict=True):
        plan = Plan(render_town(**facts), facts.get("region"))
        rows = []
        for text, meant in sentences:
            rows.append({"text": text, "ids": sorted(int(i) for i in meant(plan))})
        result.append({"town": facts, "objects": len(plan.kind), "sentences": rows})
    return result


if __name__ == "__main__":
    found = towns()
    lines = json.dumps(found, ensure_ascii=False, indent=1)
    # One line for each set of numbers.
    lines = re.sub(r"\[\s+((?:\d+,?\s*)+)\]", lambda m: "[" + " ".join(m[1].split()) + "]", lines)
    (DATA / "towns.json").write_text(lines + "\n", encoding="utf-8")
    for town in found:
        print(town["town"]["style"], town["objects"])
        for row in town["sentences"]:
            print("  ", len(row["ids"]), row["text"])
