"""Figures of urban growth: by date, by period, by zone, and SDG indicator 11.3.1."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.answer import VERDICT, Chart, Figure, Summary, in_zones
from rsam_core.change.apply.expansion import COLOURS, GONE, NEW
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.land_consumption import LandConsumption, land_consumption
from rsam_core.change.apply.overlaps import covered_areas, shared_ground
from rsam_core.change.summary import years_between
from rsam_core.errors import ApplyError, ChangeError


@dataclass(frozen=True, eq=False)
class Stage:
    """A place at one date.

    Attributes
    ----------
    name : str
        For headings: the date, or what stands for it.
    date : str
        Empty where it is not known.
    buildings : Features
    people : float or None
        Population.
    """

    name: str
    date: str
    buildings: Features
    people: float | None = None


@dataclass(frozen=True, eq=False)
class Growth:
    """What figures of growth rest on beside the findings.

    Attributes
    ----------
    stages : tuple of Stage
        In the order of time.
    zones : Features or None
    came, went : tuple of ndarray of bool
        For each period which buildings of its end are new, and which of its beginning are gone.
    """

    stages: tuple[Stage, ...]
    zones: Features | None
    came: tuple[NDArray[np.bool_], ...]
    went: tuple[NDArray[np.bool_], ...]

    def years(self) -> list[float | None]:
        """Years of each period; None where a date is not known.

        Raises
        ------
        ApplyError
            A date is none, or they are not in the order of time.
        """
        _years(self.stages[0], self.stages[-1])
        return [_years(one, two) for one, two in pairwise(self.stages)]

    def corrected(self, findings: Features) -> list[Features]:
        """The buildings of each date, as they are if a person was right to refuse findings."""
        verdicts = np.array(findings.column(VERDICT), dtype=object)
        interval = np.array(findings.column("interval"), dtype=int)
        result = [self.stages[0].buildings]
        refused: list[Features] = []
        staying: list[Features] = []
        for k, (one, two) in enumerate(pairwise(self.stages)):
            some = interval == k + 1
            new = two.buildings.select(self.came[k])
            gone = one.buildings.select(self.went[k])
            kept = _same_places(new, findings.select(some & (verdicts != GONE)))
            left = _same_places(gone, findings.select(some & (verdicts == GONE)))
            wanted = np.ones(len(two.buildings), bool)
            wanted[np.flatnonzero(self.came[k])] = kept
            for layer in refused:
                wanted &= ~_stands_on(two.buildings, layer)
            staying = [layer.select(~_stands_on(layer, two.buildings)) for layer in staying]
            refused.append(new.select(~kept))
            staying.append(gone.select(~left))
            shapes = [layer.shapes for layer in (two.buildings.select(wanted), *staying)]
            result.append(Features.of_shapes(two.buildings.name, np.concatenate(shapes)))
        return result


def growth_summary(known: Growth, findings: Features) -> Summary:
    """Figures and tables of the findings that a person did not refuse."""
    stages, each = known.stages, known.corrected(findings)
    areas = [float(layer.union.area) for layer in each]
    figures = [Figure(f"Buildings, {s.name}", len(layer)) for s, layer in zip(stages, each)]
    figures += [
        Figure(f"Built-up area, {s.name}", area, "m²") for s, area in zip(stages, areas)
    ]  # fmt: skip
    figures.append(Figure("Built-up area gained", areas[-1] - areas[0], "m²"))
    verdicts = np.array(findings.column(VERDICT), dtype=object)
    for kind in COLOURS:
        some = verdicts == kind
        area = float(findings.areas[some].sum())
        figures.append(Figure(f"{kind.capitalize()}: buildings", int(some.sum())))
        figures.append(Figure(f"{kind.capitalize()}: area", area, "m²"))
    years = _years(stages[0], stages[-1])
    if years is not None:
        figures += _overall(areas, known, years)
    tables: dict[str, Any] = {}
    charts: tuple[Chart, ...] = ()
    if len(stages) > 2:
        tables["By date"] = _by_date(stages, each, areas)
        tables["By period"] = _by_period(known, areas, findings)
        charts = _charts(known, areas)
    if known.zones is not None:
        tables["By zone"] = _by_zone(known, known.zones, each, years)
    return Summary(tuple(figures), tables, charts)


def _years(one: Stage, two: Stage) -> float | None:
    try:
        return years_between(one.date, two.date)
    except ChangeError as error:
        raise ApplyError(str(error)) from error


def _rates(one: Stage, two: Stage, areas: tuple[float, float], years: float) -> LandConsumption:
    people = (one.people, two.people)
    known = people if None not in people else (None, None)
    return land_consumption(*areas, years, *known)


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _overall(areas: list[float], known: Growth, years: float) -> list[Figure]:
    first, last = known.stages[0], known.stages[-1]
    rates = _rates(first, last, (areas[0], areas[-1]), years)
    figures = [
        Figure("Years between the dates", years, "years"),
        Figure("Land consumption rate (LCR) a year", _percent(rates.land_rate), "%",
               "" if rates.land_rate is not None else "nothing was built up at the first date"),
    ]  # fmt: skip
    if first.people is not None and last.people is not None:
        same = "" if rates.ratio is not None else "the population did not change"
        figures += [
            Figure("Population growth rate (PGR) a year", _percent(rates.population_rate), "%"),
            Figure("LCR / PGR (SDG 11.3.1)", rates.ratio, "", same),
            Figure("Built-up area a person, first date", areas[0] / first.people, "m² a person"),
            Figure("Built-up area a person, second date" if len(areas) == 2 else
                   "Built-up area a person, last date", areas[-1] / last.people, "m² a person"),
        ]  # fmt: skip
    return figures


def _by_date(stages: tuple[Stage, ...], each: list[Features], areas: list[float]) -> Any:
    import pandas as pd

    table = pd.DataFrame({
        "Date": [stage.name for stage in stages],
        "Buildings": [len(layer) for layer in each],
        "Built-up (m²)": areas,
    })  # fmt: skip
    people = [stage.people for stage in stages]
    if any(number is not None for number in people):
        table["Population"] = people
        table["Built-up a person (m²)"] = [
            None if number is None else area / number for area, number in zip(areas, people)
        ]
    return table


def _by_period(known: Growth, areas: list[float], findings: Features) -> Any:
    import pandas as pd

    verdicts = np.array(findings.column(VERDICT), dtype=object)
    interval = np.array(findings.column("interval"), dtype=int)
    rows = []
    for k, (years, (one, two)) in enumerate(zip(known.years(), pairwise(known.stages))):
        rates = LandConsumption(None, None, None)
        if years is not None:
            rates = _rates(one, two, (areas[k], areas[k + 1]), years)
        own = verdicts[interval == k + 1]
        row: dict[str, Any] = {"From": one.name, "To": two.name, "Years": years}
        row["Gained (m²)"] = areas[k + 1] - areas[k]
        row["LCR a year (%)"] = _percent(rates.land_rate)
        row["PGR a year (%)"] = _percent(rates.population_rate)
        row["LCR / PGR"] = rates.ratio
        rows.append(row | {kind.capitalize(): int((own == kind).sum()) for kind in COLOURS})
    table = pd.DataFrame(rows)
    return table.dropna(axis=1, how="all")


def _charts(known: Growth, areas: list[float]) -> tuple[Chart, ...]:
    names = tuple(stage.name for stage in known.stages)
    spans = known.years()
    steps = [1.0] * len(spans) if None in spans else [float(span or 0) for span in spans]
    when = tuple(np.concatenate([[0.0], np.cumsum(steps)]).tolist())
    charts = [Chart("Built-up area", "m²", names, when, {"Built-up area": tuple(areas)})]
    people = tuple(stage.people for stage in known.stages)
    if sum(number is not None for number in people) > 1:
        charts.append(Chart("Population", "people", names, when, {"Population": people}))
    return tuple(charts)


def _by_zone(known: Growth, zones: Features, each: list[Features], years: float | None) -> Any:
    import pandas as pd

    names = [stage.name for stage in known.stages]
    places = [in_zones(layer, zones) for layer in each]
    built = [_covered(layer, zones) for layer in each]
    rows = []
    for number, name in enumerate(zones.names()):
        covered = [float(areas[number]) for areas in built]
        row: dict[str, Any] = {"Zone": name, "Zone (m²)": zones.areas[number]}
        row |= {f"Buildings, {n}": int((p == number).sum()) for n, p in zip(names, places)}
        row |= {f"Built-up (m²), {n}": area for n, area in zip(names, covered)}
        if years is not None:
            rate = land_consumption(covered[0], covered[-1], years).land_rate
            row["Land consumption a year (%)"] = _percent(rate)
        rows.append(row)
    return pd.DataFrame(rows)


def _covered(part: Features, zones: Features) -> NDArray[np.float64]:
    """Square metres of each zone that buildings cover, counted once."""
    import shapely

    pieces = shapely.get_parts(part.union)
    once = Features.of_shapes("", pieces[~shapely.is_empty(pieces)])
    pairs = shared_ground(once, zones)
    return np.bincount(pairs.second, pairs.area, minlength=len(zones))


def _stands_on(some: Features, ground: Features) -> NDArray[np.bool_]:
    """Which shapes others cover by more than half, (N,)."""
    if not len(some) or not len(ground):
        return np.zeros(len(some), bool)
    return covered_areas(some, ground) > (1 - NEW) * some.areas


def _same_places(all_of: Features, kept: Features) -> NDArray[np.bool_]:
    """Which shapes are among those kept: findings are the very same geometries."""
    known = {id(shape) for shape in kept.shapes}
    return np.array([id(shape) in known for shape in all_of.shapes], dtype=bool)
