"""Layers of an invented place at two dates, from its exact truth: one for every need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.features import Features
from rsam_core.change.apply.site import Site
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.samples import ChangeRecord, Footprint, PairSample, render_pair

SEED = 311
BEFORE, AFTER = "Buildings in 2019", "Buildings in 2023"
PERMITS, RESERVE, DISTRICTS = "Building permits", "Road reserve", "Districts"
PROTECTED, PLACES, ROADS, PARCELS = "Protected area", "Services", "Roads", "Parcels"
FOREST_BEFORE, FOREST_AFTER, TAKEN = "Trees in 2019", "Trees in 2023", "Taken ground"
GRADED, WATER = "Buildings with grades", "Water"

CHOICES: Mapping[str, str] = MappingProxyType(
    {
        "growth/before": BEFORE, "growth/after": AFTER, "growth/zones": DISTRICTS,
        "permits/buildings": AFTER, "permits/permits": PERMITS, "permits/forbidden": RESERVE,
        "permits/before": BEFORE, "damage/buildings": BEFORE, "damage/zones": DISTRICTS,
        "cost/damage": GRADED, "cost/zones": DISTRICTS, "sensitive/objects": AFTER,
        "sensitive/sensitive": PROTECTED, "forest/before": FOREST_BEFORE,
        "forest/after": FOREST_AFTER, "forest/objects": AFTER, "services/buildings": AFTER,
        "services/services": PLACES, "deterioration/buildings": BEFORE, "vacant/taken": TAKEN,
        "vacant/roads": ROADS, "vacant/parcels": PARCELS, "density/buildings": AFTER,
        "density/roads": ROADS, "density/green": FOREST_AFTER,
    }
)  # fmt: skip
"""Layer of the sample for each need, by "question/need"."""

VALUES: Mapping[str, Mapping[str, float | str]] = MappingProxyType(
    {
        "growth": {"population1": 410.0, "population2": 455.0},
        "cost": {"currency": "EUR", "unit_low": 900.0, "unit_likely": 1200.0,
                 "unit_high": 1600.0, "floors": 1.5},
        "services": {"distance": 100.0},
        "sensitive": {"distance": 15.0},
        "vacant": {"least": 150.0},
        "forest": {"least": 20.0, "width": 2.0},
    }
)  # fmt: skip
"""What is typed for the sample; all of it is invented."""


@lru_cache(maxsize=1)
def sample_pair() -> PairSample:
    """The invented place: a garden suburb with every kind of change; drawn once, to be read."""
    return render_pair(SEED, width=720, height=540, style="suburb",
                       counts={"damaged": 9, "built": 5, "cleared": 2}, shift=(0.6, -0.4),
                       haze=0.1)  # fmt: skip


def sample_layers(pair: PairSample, site: Site) -> dict[str, Features]:
    """All layers by name, on the plane of the first date's site.

    Parameters
    ----------
    pair : PairSample
    site : Site
        Of the scene of the first date.
    """
    records = [*pair.records, *pair.unchanged]
    roofs = [record for record in records if record.cls == "roof"]
    before = _roofs(roofs, 0, site, BEFORE)
    after = _roofs(roofs, 1, site, AFTER)
    cleared = [r for r in pair.records if r.kind == "cleared"]
    trees = _class(pair, "tree", site, [r.before for r in cleared])
    gone = _of([r.before for r in cleared if r.before is not None], site, "cleared")
    water = _of([r.after for r in pair.records if r.kind == "flooded" and r.after], site, WATER,
                "water")  # fmt: skip
    roads = _class(pair, "road", site, [], ROADS)
    extent = site.extent
    layers = {
        BEFORE: before,
        AFTER: after,
        PERMITS: _permits(roofs, site),
        RESERVE: _named(RESERVE, [_buffered(roads, 3.0, extent)], ["Road reserve, 3 m"]),
        DISTRICTS: _quarters(extent),
        PROTECTED: _named(PROTECTED, [_corner(extent)], ["Meadow reserve"]),
        PLACES: _places(extent),
        ROADS: roads,
        PARCELS: _parcels(extent),
        FOREST_BEFORE: _joined(FOREST_BEFORE, trees, gone),
        FOREST_AFTER: _joined(FOREST_AFTER, trees),
        TAKEN: _joined(TAKEN, after, trees, water),
        GRADED: _graded(roofs, site),
        WATER: water,
    }
    return {name: layer for name, layer in layers.items() if len(layer)}


def _roofs(records: list[ChangeRecord], date: int, site: Site, name: str) -> Features:
    return _of([end for r in records if (end := (r.before, r.after)[date]) is not None], site, name)


def _of(places: list[Footprint], site: Site, name: str, kind: str = "building") -> Features:
    items = [
        Instance(place.mask, place.x, place.y, 1.0, number, "truth", kind)
        for number, place in enumerate(places, 1)
    ]
    return Features.of_objects(Instances(items, site.shape), site, name)


def _graded(records: list[ChangeRecord], site: Site) -> Features:
    some = [r for r in records if r.before is not None and r.kind in ("damaged", "unchanged")]
    layer = _of([r.before for r in some], site, GRADED)  # type: ignore[misc]
    table = layer.table.assign(grade=[r.grade for r in some])
    return Features(GRADED, layer.shapes, table)


def _permits(records: list[ChangeRecord], site: Site) -> Features:
    """Permits for all that stood, and for every second building that was new."""
    import shapely

    kept, new = [], 0
    for record in records:
        if record.before is not None:
            kept.append(record.before)
        elif record.after is not None:
            new += 1
            if new % 2:
                kept.append(record.after)
    grounds = shapely.buffer(_of(kept, site, PERMITS).shapes, 2.0, join_style="mitre")
    rows = [{"permit": f"2022/{number:03d}"} for number in range(1, len(grounds) + 1)]
    return Features.of_shapes(PERMITS, grounds, rows)


def _class(
    pair: PairSample, kind: str, site: Site, without: list[Footprint | None], name: str = ""
) -> Features:
    """Pieces of ground of one class at the first date, but for some."""
    labels = pair.before.labels
    mask: NDArray[np.bool_] = np.isin(
        labels, [n for n, cls in pair.before.classes.items() if cls == kind]
    )
    for place in without:
        if place is not None:
            height, width = place.mask.shape
            mask[place.y : place.y + height, place.x : place.x + width] &= ~place.mask
    pieces = Instances.from_label_map(cv2.connectedComponents(mask.astype(np.uint8))[1])
    named = Instances([replace(item, label=kind) for item in pieces], pieces.shape)
    return Features.of_objects(named, site, name or kind)


def _named(name: str, shapes: list, titles: list[str]) -> Features:
    kept = [(shape, title) for shape, title in zip(shapes, titles) if not shape.is_empty]
    return Features.of_shapes(name, [s for s, _ in kept], [{"name": t} for _, t in kept])


def _buffered(layer: Features, metres: float, extent):  # type: ignore[no-untyped-def]
    return layer.union.buffer(metres).intersection(extent)


def _joined(name: str, *layers: Features) -> Features:
    rows = [row for layer in layers for row in layer.table.to_dict("records")]
    shapes = np.concatenate([layer.shapes for layer in layers])
    return Features.of_shapes(name, shapes, rows)


def _grid(extent, across: int, down: int, name: Callable[[int, int], str]):  # type: ignore[no-untyped-def]
    import shapely

    x0, y0, x1, y1 = extent.bounds
    xs, ys = np.linspace(x0, x1, across + 1), np.linspace(y1, y0, down + 1)
    shapes, titles = [], []
    for row in range(down):
        for column in range(across):
            shapes.append(shapely.box(xs[column], ys[row + 1], xs[column + 1], ys[row]))
            titles.append(name(column, row))
    return shapes, titles


def _quarters(extent) -> Features:  # type: ignore[no-untyped-def]
    names = (("North-west", "North-east"), ("South-west", "South-east"))
    return _named(DISTRICTS, *_grid(extent, 2, 2, lambda c, r: names[r][c]))


def _parcels(extent) -> Features:  # type: ignore[no-untyped-def]
    return _named(PARCELS, *_grid(extent, 6, 5, lambda c, r: f"{r + 1}/{c + 1}"))


def _corner(extent):  # type: ignore[no-untyped-def]
    import shapely

    x0, y0, x1, y1 = extent.bounds
    return shapely.Polygon([
        (x1, y1), (x1 - 0.45 * (x1 - x0), y1), (x1 - 0.25 * (x1 - x0), y1 - 0.45 * (y1 - y0)),
        (x1, y1 - 0.55 * (y1 - y0)),
    ])  # fmt: skip


def _places(extent) -> Features:  # type: ignore[no-untyped-def]
    import shapely

    x0, y0, x1, y1 = extent.bounds
    places = [("Primary school", "school", 0.22, 0.3), ("Health centre", "clinic", 0.7, 0.62),
              ("Kindergarten", "school", 0.8, 0.2)]  # fmt: skip
    points = [shapely.Point(x0 + a * (x1 - x0), y1 - b * (y1 - y0)) for _, _, a, b in places]
    return Features.of_shapes(PLACES, points, [
        {"name": name, "amenity": kind} for name, kind, _, _ in places
    ])  # fmt: skip
