"""Public infrastructure: an inventory, and how far buildings have to the nearest of each."""

from __future__ import annotations

from functools import partial

import numpy as np

from rsam_core.change.apply.answer import VERDICT, Answer, Figure, Summary, numbered
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.overlaps import nearest
from rsam_core.change.apply.question import Inputs, Question
from rsam_core.errors import ApplyError

COVERED, FAR = "within the distance", "too far"
COLOURS = {COVERED: "#2BD4A0", FAR: "#E8500A"}
_KINDS = ("class", "kind", "type", "amenity", "category", "fclass", "highway", "label")


def services_near(inputs: Inputs) -> Answer:
    """What services there are and which buildings have them near; see `QUESTION`."""
    import pandas as pd

    buildings = inputs.layers["buildings"].clipped(inputs.site.extent)
    services = inputs.layers["services"]
    limit = inputs.values["distance"]
    kinds = np.array(kinds_of(services, inputs.values["column"]), dtype=object)
    names = np.array(services.names(), dtype=object)
    table = pd.DataFrame({"area_m2": buildings.areas})
    columns = {"area_m2": "Area (m²)"}
    reached = np.ones(len(buildings), bool)
    best = np.full(len(buildings), np.inf)
    closest = np.full(len(buildings), "", object)
    each = {}
    for kind in sorted(set(kinds.tolist())):
        own = np.flatnonzero(kinds == kind)
        distance, which = nearest(buildings, services.select(own))
        each[kind] = distance
        table[f"{kind}_m"] = distance
        columns[f"{kind}_m"] = f"To {kind} (m)"
        reached &= distance <= limit
        nearer = distance < best
        closest[nearer] = names[own[which[nearer]]]
        best = np.minimum(best, distance)
    table.insert(0, VERDICT, np.where(reached, COVERED, FAR).astype(object))
    table["nearest"] = closest
    columns["nearest"] = "Nearest of all"
    findings = numbered(Features("buildings", buildings.shapes, table))
    inventory = _inventory(inputs, services, kinds, names, buildings, limit)
    return Answer(
        "services", "", inputs.site, findings,
        partial(_summary, inventory, list(each), limit), COLOURS, columns,
        context=(services,),
        assumptions=(
            "Distances are straight lines between outlines, not ways along roads: a way on foot is "
            "longer, in towns about 1.3 times.",
            f"A building is covered if every kind of service lies within {limit:g} m.",
            "Services outside the picture count if the layer names them, up to 5 km away.",
        ),
    )  # fmt: skip


def kinds_of(layer: Features, column: str) -> list[str]:
    """Kind of each service: by the column that was named, or by one that usually holds it.

    Raises
    ------
    ApplyError
        There is no such column.
    """
    lower = {str(name).lower(): name for name in reversed(list(layer.table.columns))}
    if column:
        if column.lower() not in lower:
            known = ", ".join(str(name) for name in list(layer.table.columns)[:10]) or "none"
            raise ApplyError(f"“{layer.name}” has no column “{column}”; it has: {known}.")
        chosen = lower[column.lower()]
    else:
        chosen = next((lower[name] for name in _KINDS if name in lower), None)
    if chosen is None:
        return [layer.name] * len(layer)
    return ["unnamed" if v is None or v != v or v == "" else str(v) for v in layer.table[chosen]]


def _inventory(inputs: Inputs, services: Features, kinds, names, buildings, limit):  # type: ignore[no-untyped-def]
    import pandas as pd
    import shapely

    dimension = shapely.get_dimensions(services.shapes)
    served = np.zeros(len(services), np.int64)
    if len(buildings):
        pairs = services.tree.query(buildings.shapes, predicate="dwithin", distance=limit)
        served = np.bincount(pairs[1], minlength=len(services))
    inside = shapely.intersects(inputs.site.extent, services.shapes)
    return pd.DataFrame(
        {
            "Kind": kinds,
            "Name": names,
            "Area (m²)": np.where(dimension == 2, shapely.area(services.shapes), np.nan),
            "Length (m)": np.where(dimension == 1, shapely.length(services.shapes), np.nan),
            "In the picture": np.where(inside, "yes", "no"),
            "Buildings within the distance": served,
        }
    )


def _summary(inventory, kinds: list[str], limit: float, findings: Features) -> Summary:  # type: ignore[no-untyped-def]
    import pandas as pd

    number = len(findings)
    covered = sum(v == COVERED for v in findings.column(VERDICT))
    figures = [
        Figure("Services", len(inventory)),
        Figure("Buildings", number),
        Figure(f"Covered by every kind within {limit:g} m", covered),
        Figure("Coverage", 100 * covered / number if number else None, "%"),
    ]
    rows = []
    for kind in kinds:
        distance = findings.table[f"{kind}_m"].to_numpy(float)
        some = inventory[inventory["Kind"] == kind]
        within = int((distance <= limit).sum())
        rows.append(
            {
                "Kind": kind,
                "Count": len(some),
                "Area (m²)": some["Area (m²)"].sum() or None,
                "Length (m)": some["Length (m)"].sum() or None,
                "Buildings within the distance": within,
                "Coverage (%)": 100 * within / number if number else None,
                "Median distance (m)": float(np.median(distance)) if number else None,
                "Farthest (m)": float(distance.max()) if number else None,
            }
        )
    return Summary(tuple(figures), {"By kind": pd.DataFrame(rows), "Inventory": inventory})


QUESTION = Question(
    "services",
    "Public infrastructure",
    "school",
    "What schools, clinics, bridges and roads are there, and who lives within reach?",
    "An inventory with areas, distances from every building, and coverage within a distance.",
    (
        Need("buildings", "Buildings", "Find them on the Segment or Change page, or give a layer.",
             date=1),
        Need("services", "Services", "A layer or table of places (CSV with longitude and "
             "latitude), with a column for their kind; roads as lines.", dimensions=(0, 1, 2),
             kinds=("road", "school", "hospital", "bridge")),
    ),
    (
        Setting("distance", "Distance that counts as near", 500.0, "m", low=1, high=100_000,
                step=50),
        Setting("column", "Column of their kind", "",
                help="Such as “amenity”; empty to take the usual ones."),
    ),
    services_near,
)  # fmt: skip
