"""Cost of restoration: low, likely and high, from grades of damage and what a person types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from rsam_core.change.apply.answer import (
    VERDICT,
    Answer,
    Figure,
    Summary,
    in_zones,
    numbered,
    zone_names,
)
from rsam_core.change.apply.damage import COLOURS, GRADES, UNSEEN
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.question import Inputs, Question
from rsam_core.errors import ApplyError

CASES = ("low", "likely", "high")
_COLUMNS = ("verdict", "grade", "damage", "damage_grade", "damage_gra")


@dataclass(frozen=True)
class Costs:
    """What restoration costs.

    Attributes
    ----------
    unit : tuple of float
        Cost of building one square metre of floor anew: low, likely, high.
    ratios : dict of str to tuple of float
        Share of that which is lost by grade, 0 to 1.5: low, likely, high.
    floors : float
        Storeys of a building.
    currency : str
    """

    unit: tuple[float, float, float]
    ratios: dict[str, tuple[float, float, float]]
    floors: float = 1.0
    currency: str = ""

    def __post_init__(self) -> None:
        for what, numbers in (("unit costs", self.unit), *self.ratios.items()):
            if not 0 <= numbers[0] <= numbers[1] <= numbers[2]:
                raise ApplyError(
                    f"Of {what}, low may not be above likely, nor likely above high: "
                    f"{', '.join(f'{n:g}' for n in numbers)}."
                )

    def of(self, areas: np.ndarray, grades: list[str]) -> np.ndarray:
        """Cost of each building, (N, 3): ground area × storeys × unit cost × share lost."""
        ratios = np.array([self.ratios.get(grade, (0.0, 0.0, 0.0)) for grade in grades], float)
        return areas[:, None] * self.floors * np.array(self.unit) * ratios.reshape(-1, 3)


def restoration(inputs: Inputs) -> Answer:
    """What restoration of damaged buildings may cost; see `QUESTION`."""
    import pandas as pd

    values = inputs.values
    buildings = inputs.layers["damage"].clipped(inputs.site.extent)
    zones = inputs.layer("zones")
    grades = grades_in(buildings)
    costs = Costs(
        tuple(values[f"unit_{case}"] for case in CASES),
        {grade: tuple(values[f"{_key(grade)}_{case}"] / 100 for case in CASES)
         for grade in GRADES[1:]},
        values["floors"], values["currency"].strip() or "currency units",
    )  # fmt: skip
    each = costs.of(buildings.areas, grades)
    hit = np.array([grade in GRADES[1:] for grade in grades], dtype=bool)
    unseen = sum(grade == UNSEEN for grade in grades)
    table = pd.DataFrame(
        {
            VERDICT: grades,
            "area_m2": buildings.areas,
            **{f"cost_{case}": each[:, k] for k, case in enumerate(CASES)},
            "zone": zone_names(zones, in_zones(buildings, zones)),
        }
    )
    order = np.argsort(-table["cost_likely"].to_numpy(), kind="stable")
    order = order[hit[order]]
    findings = Features("buildings", buildings.shapes[order],
                        table.iloc[order].reset_index(drop=True))  # fmt: skip
    unit = costs.currency
    columns = {"area_m2": "Area (m²)"}
    columns |= {f"cost_{case}": f"{case.capitalize()} ({unit})" for case in CASES}
    columns |= {"zone": "Zone"} if zones is not None else {}
    notes = [f"{unseen:,} buildings are not visible; their cost is not in the sums."]
    typed = [
        f"{grade.capitalize()}: {', '.join(f'{100 * r:g} %' for r in costs.ratios[grade])} of the "
        "cost of building anew (low, likely, high)."
        for grade in GRADES[1:]
    ]
    return Answer(
        "cost", "", inputs.site, numbered(findings), partial(_summary, unit), COLOURS, columns,
        context=() if zones is None else (zones,), notes=tuple(notes if unseen else ()),
        draft=True,
        assumptions=(
            "Cost of a building = area of its outline × storeys × unit cost × share that is lost.",
            f"Unit cost: {', '.join(f'{u:,g}' for u in costs.unit)} {unit} a square metre of floor "
            f"(low, likely, high); {costs.floors:g} storeys.",
            *typed,
            "Costs of clearing, of furniture, roads and pipes, and of living elsewhere meanwhile "
            "are not included. All numbers are those that were typed here; none is RSAM’s.",
        ),
    )  # fmt: skip


def grades_in(buildings: Features) -> list[str]:
    """Grade of each building by the column that holds it.

    Raises
    ------
    ApplyError
        There is no such column, or it holds other words.
    """
    lower = {str(name).lower(): name for name in buildings.table.columns}
    column = next((lower[name] for name in _COLUMNS if name in lower), None)
    if column is None:
        raise ApplyError(
            f"“{buildings.name}” says nothing of damage. Answer “Damage after a disaster” first, "
            "or give a layer with a column “grade”."
        )
    known = {name: name for name in (*GRADES, UNSEEN)}
    result = []
    for value in buildings.table[column]:
        text = str(value).strip().lower().replace("_", " ").replace("-", " ")
        if text not in known:
            raise ApplyError(
                f"“{str(value)[:40]}” in “{column}” is no grade of damage. They are: "
                f"{', '.join(GRADES)}."
            )
        result.append(known[text])
    return result


def _summary(unit: str, findings: Features) -> Summary:
    import pandas as pd

    verdicts = np.array(findings.column(VERDICT), dtype=object)
    table = findings.table
    figures = [Figure("Damaged buildings", len(findings))]
    for case in CASES:
        total = float(table[f"cost_{case}"].sum())
        figures.append(Figure(f"Cost, {case}", total, unit))
    rows = []
    for grade in reversed(GRADES[1:]):
        some = verdicts == grade
        rows.append([grade, int(some.sum()), float(findings.areas[some].sum()),
                     *(float(table[f"cost_{case}"][some].sum()) for case in CASES)])  # fmt: skip
    head = ["Grade", "Buildings", "Area (m²)", *(f"{case.capitalize()} ({unit})" for case in CASES)]
    tables = {"By grade": pd.DataFrame(rows, columns=head)}
    if len(findings) and any(findings.column("zone")):
        by = table.groupby("zone")[[f"cost_{case}" for case in CASES]].sum().reset_index()
        by.columns = ["Zone", *head[3:]]
        tables["By zone"] = by
    return Summary(tuple(figures), tables)


def _key(grade: str) -> str:
    return grade.split()[0]


def _ratios() -> tuple[Setting, ...]:
    usual = {GRADES[1]: (2, 10, 25), GRADES[2]: (20, 40, 65), GRADES[3]: (80, 100, 110)}
    return tuple(
        Setting(f"{_key(grade)}_{case}", f"{grade.capitalize()}: share lost, {case}",
                float(usual[grade][k]), "%", low=0, high=150,
                help="An assumption to be replaced by one of the place.")
        for grade in GRADES[1:] for k, case in enumerate(CASES)
    )  # fmt: skip


QUESTION = Question(
    "cost",
    "Cost of restoration",
    "payments",
    "What may it cost to restore what was damaged?",
    "Low, likely and high cost by building, grade and zone, with every assumption printed.",
    (
        Need("damage", "Graded buildings", "Answer “Damage after a disaster” first, or give a "
             "layer with a column “grade”.", kinds=()),
        Need("zones", "Zones", "By which costs are added up.", optional=True, kinds=()),
    ),
    (
        Setting("currency", "Currency", "EUR"),
        Setting("unit_low", "Unit cost, low", None, "a m² of floor", high=1e9, step=50),
        Setting("unit_likely", "Unit cost, likely", None, "a m² of floor", high=1e9, step=50),
        Setting("unit_high", "Unit cost, high", None, "a m² of floor", high=1e9, step=50),
        Setting("floors", "Storeys", 1.0, "", low=0.5, high=100, step=0.5),
        *_ratios(),
    ),
    restoration,
)  # fmt: skip
