"""What stands in a sensitive area or near it: protected zones, rivers, lakes, forest."""

from __future__ import annotations

from functools import partial

import numpy as np

from rsam_core.change.apply.answer import VERDICT, Answer, Figure, Summary, numbered
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.overlaps import covered_areas, nearest
from rsam_core.change.apply.question import Inputs, Question

INSIDE, NEARER, NEAR = "inside", "within half the distance", "within the distance"
COLOURS = {INSIDE: "#E8500A", NEARER: "#F2A900", NEAR: "#F2E14C"}


def near_sensitive(inputs: Inputs) -> Answer:
    """What lies inside sensitive areas or nearer than a distance; see `QUESTION`."""
    import pandas as pd
    import shapely

    things = inputs.layers["objects"].clipped(inputs.site.extent)
    area = inputs.layers["sensitive"]
    limit = inputs.values["distance"]
    distance, which = nearest(things, area)
    areas_only = area.of_dimension(2)
    shared = covered_areas(things, areas_only)
    reach = _reach(things, areas_only, shared)
    found = (distance <= limit) & (which >= 0)
    # A border that is only touched is no ground inside.
    inside = found & ((shared > 0) | ((distance == 0) & (shapely.get_dimensions(
        area.shapes[np.maximum(which, 0)]) < 2)))  # fmt: skip
    verdict = np.where(inside, INSIDE, np.where(distance <= limit / 2, NEARER, NEAR))
    names = np.array(area.names(), dtype=object)
    kinds = things.column("kind")
    table = pd.DataFrame(
        {
            VERDICT: verdict[found],
            "distance_m": distance[found],
            "reach_m": reach[found],
            "inside_m2": shared[found],
            "area_m2": things.areas[found],
            "nearest": names[which[found]],
            "kind": [kind or "" for kind, keep in zip(kinds, found) if keep],
        }
    )
    findings = numbered(Features("findings", things.shapes[found], table))
    return Answer(
        "sensitive", "", inputs.site, findings, partial(_summary, len(things), limit), COLOURS,
        {"distance_m": "Distance (m)", "reach_m": "Reaches in by (m)",
         "inside_m2": "Area inside (m²)", "area_m2": "Area (m²)", "nearest": "Nearest",
         "kind": "Kind"},
        context=(area,),
        assumptions=(
            f"Distances run between the nearest points of both outlines; {limit:g} m is the "
            "limit.",
            "“Reaches in by” is how far the deepest corner lies from the border of the area.",
            "Whether a distance is unlawful depends on the law of the place, which RSAM does not "
            "know.",
        ),
    )  # fmt: skip


def _reach(things: Features, area: Features, shared: np.ndarray) -> np.ndarray:
    """How far the deepest corner of each thing lies inside, metres; 0 outside."""
    import shapely

    result = np.zeros(len(things))
    within = np.flatnonzero(shared > 0)
    if not len(within):
        return result
    whole = area.union
    border = shapely.boundary(whole)
    shapely.prepare(whole)
    points, owner = shapely.get_coordinates(things.shapes[within], return_index=True)
    corners = shapely.points(points)
    depth = np.where(shapely.covers(whole, corners), shapely.distance(corners, border), 0.0)
    np.maximum.at(result, within[owner], depth)
    return result


def _summary(number: int, limit: float, findings: Features) -> Summary:
    import pandas as pd

    verdicts = np.array(findings.column(VERDICT), dtype=object)
    table = findings.table
    figures = [Figure("Looked at", number), Figure("Inside or nearer", len(findings))]
    rows = []
    for kind in (INSIDE, NEARER, NEAR):
        some = verdicts == kind
        figures.append(Figure(kind.capitalize(), int(some.sum())))
        rows.append([kind, int(some.sum()), float(table["area_m2"][some].sum()),
                     float(table["inside_m2"][some].sum())])  # fmt: skip
    figures.append(Figure("Area inside", float(table["inside_m2"].sum()), "m²"))
    if len(findings):
        figures.append(Figure("Nearest outside", _least(table["distance_m"][verdicts != INSIDE]),
                              "m"))  # fmt: skip
        figures.append(Figure("Deepest inside", float(table["reach_m"].max()), "m"))
    depth = pd.DataFrame(rows, columns=["Where", "Count", "Area (m²)", "Of it inside (m²)"])
    tables = {f"By depth (limit {limit:g} m)": depth}
    if len(findings):
        by = table.groupby("nearest").agg(
            Count=("id", "size"), Inside=("inside_m2", "sum"), Least=("distance_m", "min")
        )
        tables["By area"] = by.reset_index().rename(
            columns={"nearest": "Nearest", "Inside": "Area inside (m²)",
                     "Least": "Least distance (m)"}
        )  # fmt: skip
    return Summary(tuple(figures), tables)


def _least(values: object) -> float | None:
    numbers = np.asarray(values, float)
    return float(numbers.min()) if len(numbers) else None


QUESTION = Question(
    "sensitive",
    "Sensitive areas and waters",
    "water_lux",
    "What stands in a protected area, or too near to a river, a lake or a forest?",
    "Everything inside or nearer than the distance, how deep, by area.",
    (
        Need("objects", "Buildings or other objects", "Find them on the Segment or Change page, or "
             "give a layer.", dimensions=(2,), date=1),
        Need("sensitive", "Sensitive area, water or forest", "A layer of areas or lines, or "
             "outlined objects of the class water or vegetation.", dimensions=(2, 1, 0),
             kinds=("water", "vegetation", "tree", "forest", "river", "lake")),
    ),
    (Setting("distance", "Distance to keep", 30.0, "m", low=0, high=10_000),),
    near_sensitive,
)  # fmt: skip
