"""Urban growth: built-up area by date, SDG indicator 11.3.1, and where a town grows.

References
----------
.. [1] Xiaoping Liu et al., "A new landscape index for quantifying urban expansion using
   multi-temporal remotely sensed data", Landscape Ecology 25, 2010.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.answer import (
    VERDICT,
    Answer,
    Figure,
    Summary,
    in_zones,
    numbered,
    zone_names,
)
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.land_consumption import land_consumption
from rsam_core.change.apply.overlaps import covered_areas, shared_ground
from rsam_core.change.apply.question import Inputs, Need, Question, Setting, text_of_dates

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

INFILL, EDGE, OUTLYING, GONE = "infill", "edge growth", "outlying", "no longer there"
COLOURS = {INFILL: "#2F7BFF", EDGE: "#F2A900", OUTLYING: "#E84FD0", GONE: "#7C4DFF"}
_NEW = 0.5
"""Share of a building that must stand on ground without buildings at the first date."""


def expansion_index(patches: Features, old: BaseGeometry, distance: float) -> NDArray[np.float64]:
    """Landscape expansion index of new patches, 0 to 100, shape (N,).

    Parameters
    ----------
    patches : Features
        What is new.
    old : shapely geometry
        What was built up before.
    distance : float
        Width of the ring around a patch, metres.

    Notes
    -----
    100 A₀ / (A₀ + Aᵥ), where of the ring around a patch A₀ was built up before and Aᵥ was not.
    Above 50 growth is infill, from there down to 0 edge growth, and 0 outlying.
    """
    import shapely

    if not len(patches):
        return np.zeros(0)
    rings = shapely.difference(shapely.buffer(patches.shapes, distance), patches.shapes)
    pieces = shapely.get_parts(old)
    pieces = pieces[~shapely.is_empty(pieces)]
    tree = shapely.STRtree(pieces)
    which, where = tree.query(rings, predicate="intersects")
    shared = shapely.area(shapely.intersection(rings[which], pieces[where]))
    occupied = np.bincount(which, shared, minlength=len(rings))
    return 100 * occupied / np.maximum(shapely.area(rings), 1e-9)


def settled(buildings: Features, gap: float) -> BaseGeometry:
    """Ground of a settlement: buildings, and gaps narrower than twice `gap` metres between them."""
    import shapely

    if not len(buildings):
        return shapely.Polygon()
    wide = shapely.union_all(shapely.buffer(buildings.shapes, gap, quad_segs=4))
    return shapely.union_all([shapely.buffer(wide, -gap, quad_segs=4), buildings.union])


def urban_growth(inputs: Inputs) -> Answer:
    """How much a place grew between two dates, where and how; see `QUESTION`."""
    import pandas as pd

    before = inputs.layers["before"].clipped(inputs.site.extent)
    after = inputs.layers["after"].clipped(inputs.site.extent)
    zones = inputs.layer("zones")
    zones = zones.clipped(inputs.site.extent) if zones is not None else None
    values, years = inputs.values, inputs.years
    new = _uncovered(after, before) >= _NEW
    gone = _uncovered(before, after) >= _NEW
    patches = after.select(new)
    old = settled(before, values["gap"])
    index = expansion_index(patches, old, values["ring"])
    kinds = np.where(index > 50, INFILL, np.where(index > 0, EDGE, OUTLYING)).tolist()
    left = before.select(gone)
    shapes = np.concatenate([patches.shapes, left.shapes])
    places = np.concatenate([in_zones(patches, zones), in_zones(left, zones)])
    table = pd.DataFrame(
        {
            VERDICT: kinds + [GONE] * len(left),
            "area_m2": np.concatenate([patches.areas, left.areas]),
            "expansion_index": np.concatenate([index, np.full(len(left), np.nan)]),
            "zone": zone_names(zones, places),
        }
    )
    findings = numbered(Features("growth", shapes, table))
    people = (values["population1"], values["population2"])
    known = _Known(before, after, zones, years, people, text_of_dates(inputs.dates))
    notes = []
    if years is None:
        notes.append("Without both dates there are no rates a year. Type them.")
    if (people[0] is None) != (people[1] is None):
        notes.append("The population of both dates is needed for its growth.")
    return Answer(
        "growth", "", inputs.site, findings, partial(_summary, known), COLOURS,
        {"zone": "Zone", "area_m2": "Area (m²)", "expansion_index": "Expansion index"},
        context=() if zones is None else (zones,),
        notes=tuple(notes),
        assumptions=(
            "Built-up area is the ground that outlines of buildings cover, counted once where they "
            "overlap. It is that of the picture, not of a whole city.",
            "Land consumption rate = (V2 − V1) / V1 / years; population growth rate = ln(P2 / P1) "
            "/ years; their ratio is SDG indicator 11.3.1 (UN-Habitat, metadata of 2021).",
            f"New is a building that stands by at least {100 * _NEW:g} % on ground without "
            "buildings at the first date.",
            f"Landscape expansion index (Liu et al. 2010): share of a ring of {values['ring']:g} m "
            "around a new building that was settled before; above 50 infill, above 0 edge growth, "
            f"0 outlying. Settled: buildings, and gaps narrower than {2 * values['gap']:g} m.",
        ),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Known:
    """What figures rest on beside the findings."""

    before: Features
    after: Features
    zones: Features | None
    years: float | None
    people: tuple[float | None, float | None]
    dates: tuple[str, str]


def _summary(known: _Known, findings: Features) -> Summary:
    import pandas as pd

    names = known.dates
    verdicts = np.array(findings.column(VERDICT), dtype=object)
    came, went = verdicts != GONE, verdicts == GONE
    # What a person refused as new, or as gone, is taken as it was at the other date.
    first, second = known.before, known.after
    all_new = _uncovered(second, first) >= _NEW
    all_gone = _uncovered(first, second) >= _NEW
    kept_new = _same_places(second.select(all_new), findings.select(came))
    kept_gone = _same_places(first.select(all_gone), findings.select(went))
    second_now = [
        second.select(~all_new), second.select(all_new).select(kept_new),
        first.select(all_gone).select(~kept_gone),
    ]  # fmt: skip
    shapes = np.concatenate([part.shapes for part in second_now])
    later = Features.of_shapes(second.name, shapes)
    areas = [float(first.union.area), float(later.union.area)]
    figures = [
        Figure(f"Buildings, {names[0]}", len(first)),
        Figure(f"Buildings, {names[1]}", len(later)),
        Figure(f"Built-up area, {names[0]}", areas[0], "m²"),
        Figure(f"Built-up area, {names[1]}", areas[1], "m²"),
        Figure("Built-up area gained", areas[1] - areas[0], "m²"),
    ]
    for kind in (INFILL, EDGE, OUTLYING, GONE):
        some = verdicts == kind
        area = float(findings.areas[some].sum())
        figures.append(Figure(f"{kind.capitalize()}: buildings", int(some.sum())))
        figures.append(Figure(f"{kind.capitalize()}: area", area, "m²"))
    if known.years is not None:
        figures += _rates(areas, known)
    tables: dict[str, Any] = {}
    if known.zones is not None:
        rows = []
        places = [in_zones(part, known.zones) for part in (first, later)]
        built = [_covered(part, known.zones) for part in (first, later)]
        for number, name in enumerate(known.zones.names()):
            covered = [float(areas[number]) for areas in built]
            row: dict[str, Any] = {
                "Zone": name,
                "Zone (m²)": known.zones.areas[number],
                f"Buildings, {names[0]}": int((places[0] == number).sum()),
                f"Buildings, {names[1]}": int((places[1] == number).sum()),
                f"Built-up (m²), {names[0]}": covered[0],
                f"Built-up (m²), {names[1]}": covered[1],
            }
            if known.years is not None:
                rate = land_consumption(*covered, known.years).land_rate
                row["Land consumption a year (%)"] = None if rate is None else 100 * rate
            rows.append(row)
        tables["By zone"] = pd.DataFrame(rows)
    return Summary(tuple(figures), tables)


def _covered(part: Features, zones: Features) -> NDArray[np.float64]:
    """Square metres of each zone that buildings cover, counted once."""
    import shapely

    pieces = shapely.get_parts(part.union)
    once = Features.of_shapes("", pieces[~shapely.is_empty(pieces)])
    pairs = shared_ground(once, zones)
    return np.bincount(pairs.second, pairs.area, minlength=len(zones))


def _rates(areas: list[float], known: _Known) -> list[Figure]:
    people = known.people if None not in known.people else (None, None)
    rates = land_consumption(*areas, known.years, *people)

    def percent(value: float | None) -> float | None:
        return None if value is None else 100 * value

    figures = [
        Figure("Years between the dates", known.years, "years"),
        Figure("Land consumption rate (LCR) a year", percent(rates.land_rate), "%",
               "" if rates.land_rate is not None else "nothing was built up at the first date"),
    ]  # fmt: skip
    if people[0] is not None:
        same = "" if rates.ratio is not None else "the population did not change"
        figures += [
            Figure("Population growth rate (PGR) a year", percent(rates.population_rate), "%"),
            Figure("LCR / PGR (SDG 11.3.1)", rates.ratio, "", same),
            Figure("Built-up area a person, first date", areas[0] / people[0], "m² a person"),
            Figure("Built-up area a person, second date", areas[1] / people[1], "m² a person"),
        ]
    return figures


def _uncovered(some: Features, others: Features) -> NDArray[np.float64]:
    """Share of each shape that none of the others covers, shape (N,)."""
    if not len(some):
        return np.zeros(0)
    return 1 - covered_areas(some, others) / np.maximum(some.areas, 1e-9)


def _same_places(all_of: Features, kept: Features) -> NDArray[np.bool_]:
    """Which shapes are among those kept: findings are the very same geometries."""
    known = {id(shape) for shape in kept.shapes}
    return np.array([id(shape) in known for shape in all_of.shapes], dtype=bool)


QUESTION = Question(
    "growth",
    "Urban growth",
    "trending_up",
    "How much did the built-up area grow, where, and in proportion to the population?",
    "Built-up area and buildings by date, land consumption and SDG 11.3.1, infill, edge and "
    "outlying growth, by zone.",
    (
        Need("before", "Buildings at the first date", "Compare both dates on the Change page, or "
             "give a layer of buildings.", date=0),
        Need("after", "Buildings at the second date", "Compare both dates on the Change page, or "
             "give a layer of buildings.", date=1),
        Need("zones", "Zones", "Districts or plots by which figures are given as well.",
             optional=True, kinds=()),
    ),
    (
        Setting("population1", "Population at the first date", None, "people", low=1,
                optional=True, step=100, help="Of the place that the picture shows."),
        Setting("population2", "Population at the second date", None, "people", low=1,
                optional=True, step=100),
        Setting("ring", "Ring around a new building", 10.0, "m", low=1, high=500,
                help="Within it counts what was settled before: mostly (infill), partly (edge) "
                "or not at all (outlying)."),
        Setting("gap", "Gaps that belong to a settlement", 20.0, "m", low=0, high=500,
                help="Half the width of a gap between buildings that counts as settled."),
    ),
    urban_growth,
)  # fmt: skip
