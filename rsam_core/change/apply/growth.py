"""Urban growth: built-up area by date, SDG indicator 11.3.1, and where a town grows."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from rsam_core.change.apply.answer import VERDICT, Answer, in_zones, numbered, zone_names
from rsam_core.change.apply.expansion import (
    COLOURS,
    GONE,
    NEW,
    appeared,
    expansion_index,
    kinds_of,
    settled,
)
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.growth_figures import Growth, Stage, growth_summary
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.question import Inputs, Question, text_of_dates
from rsam_core.change.dates import day_of, typed_date
from rsam_core.errors import ApplyError, FollowError

MAX_BETWEEN = 6
"""Dates between the first and the last."""


def stages_of(inputs: Inputs) -> list[Stage]:
    """Buildings, date and population at each date, in the order of time.

    Raises
    ------
    ApplyError
        A date is none.
    """
    extent, values = inputs.site.extent, inputs.values
    names = text_of_dates(inputs.dates)
    known = inputs.dates if len(inputs.dates) >= 2 else ("", "")
    between = []
    for k in range(1, MAX_BETWEEN + 1):
        layer = inputs.layer(f"between_{k}")
        if layer is None:
            continue
        try:
            date = typed_date(values[f"date_{k}"]) or ""
        except FollowError as error:
            raise ApplyError(str(error)) from error
        people = values[f"people_{k}"]
        between.append(Stage(date or f"date between ({k})", date, layer.clipped(extent), people))
    if all(stage.date for stage in between):
        between.sort(key=lambda stage: str(day_of(stage.date)))
    ends = [
        Stage(name, date, inputs.layers[key].clipped(extent), values[people])
        for name, date, key, people in zip(names, known, ("before", "after"),
                                           ("population1", "population2"))
    ]  # fmt: skip
    return [ends[0], *between, ends[1]]


def urban_growth(inputs: Inputs) -> Answer:
    """How much a place grew from date to date, where and how; see `QUESTION`."""
    import pandas as pd

    stages, values = stages_of(inputs), inputs.values
    zones = inputs.layer("zones")
    zones = zones.clipped(inputs.site.extent) if zones is not None else None
    came, went, parts = [], [], []
    for number, (one, two) in enumerate(pairwise(stages), 1):
        new, gone = (appeared(two.buildings, one.buildings),
                     appeared(one.buildings, two.buildings))  # fmt: skip
        came.append(new)
        went.append(gone)
        patches, left = two.buildings.select(new), one.buildings.select(gone)
        index = expansion_index(patches, settled(one.buildings, values["gap"]), values["ring"])
        shapes = np.concatenate([patches.shapes, left.shapes])
        places = np.concatenate([in_zones(patches, zones), in_zones(left, zones)])
        table = pd.DataFrame(
            {
                VERDICT: kinds_of(index) + [GONE] * len(left),
                "period": f"{one.name} to {two.name}",
                "interval": number,
                "area_m2": np.concatenate([patches.areas, left.areas]),
                "expansion_index": np.concatenate([index, np.full(len(left), np.nan)]),
                "zone": zone_names(zones, places),
            }
        )
        parts.append(Features("growth", shapes, table))
    findings = Features(
        "growth",
        np.concatenate([part.shapes for part in parts]),
        pd.concat([part.table for part in parts], ignore_index=True),
    )
    known = Growth(tuple(stages), zones, tuple(came), tuple(went))
    # Dates in a wrong order are told at once, not when figures are wanted.
    known.years()
    series = len(stages) > 2
    columns = {"period": "Period"} if series else {}
    columns |= {"zone": "Zone", "area_m2": "Area (m²)", "expansion_index": "Expansion index"}
    return Answer(
        "growth", "", inputs.site, numbered(findings), partial(growth_summary, known), COLOURS,
        columns,
        context=() if zones is None else (zones,),
        dates=tuple(stage.name for stage in stages) if series else (),
        notes=tuple(_notes(stages)),
        assumptions=(
            "Built-up area is the ground that outlines of buildings cover, counted once where they "
            "overlap. It is that of the picture, not of a whole city.",
            "Land consumption rate = (V2 − V1) / V1 / years; population growth rate = ln(P2 / P1) "
            "/ years; their ratio is SDG indicator 11.3.1 (UN-Habitat, metadata of 2021).",
            f"New is a building that stands by at least {100 * NEW:g} % on ground without "
            "buildings at the date before.",
            f"Landscape expansion index (Liu et al. 2010): share of a ring of {values['ring']:g} m "
            "around a new building that was settled before; above 50 infill, above 0 edge growth, "
            f"0 outlying. Settled: buildings, and gaps narrower than {2 * values['gap']:g} m.",
            *(("Each period is compared by itself. What a person refuses as new is taken away "
               "from all later dates; what is refused as gone stays until another building stands "
               "there.",) if series else ()),
        ),
    )  # fmt: skip


def _notes(stages: list[Stage]) -> list[str]:
    notes = []
    first, last = stages[0], stages[-1]
    if not (first.date and last.date):
        notes.append("Without both dates there are no rates a year. Type them.")
    undated = [stage.name for stage in stages[1:-1] if not stage.date]
    if undated:
        notes.append(f"Without a date there are no rates of the periods beside it: "
                     f"{', '.join(undated)}. Type it.")  # fmt: skip
    if (first.people is None) != (last.people is None):
        notes.append("The population of both dates is needed for its growth.")
    return notes


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
        *(
            Need(f"between_{k}", f"Buildings at a date between ({k})", "A third date, to see how "
                 "growth went on: a layer of buildings, for example found in another picture of "
                 "the place and saved there.", optional=True, kinds=(),
                 beside=f"between_{k - 1}" if k > 1 else "")
            for k in range(1, MAX_BETWEEN + 1)
        ),
        Need("zones", "Zones", "Districts or plots by which figures are given as well.",
             optional=True, kinds=()),
    ),
    (
        Setting("population1", "Population at the first date", None, "people", low=1,
                optional=True, step=100, help="Of the place that the picture shows."),
        Setting("population2", "Population at the second date", None, "people", low=1,
                optional=True, step=100),
        *(
            setting
            for k in range(1, MAX_BETWEEN + 1)
            for setting in (
                Setting(f"date_{k}", f"Date between ({k})", "", help="2019, 2019-06 or 2019-06-30.",
                        beside=f"between_{k}"),
                Setting(f"people_{k}", f"Population then ({k})", None, "people",
                        low=1, optional=True, step=100, beside=f"between_{k}"),
            )
        ),
        Setting("ring", "Ring around a new building", 10.0, "m", low=1, high=500,
                help="Within it counts what was settled before: mostly (infill), partly (edge) "
                "or not at all (outlying)."),
        Setting("gap", "Gaps that belong to a settlement", 20.0, "m", low=0, high=500,
                help="Half the width of a gap between buildings that counts as settled."),
    ),
    urban_growth,
)  # fmt: skip
