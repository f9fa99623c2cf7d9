"""Forest encroachment: what was cleared, what stands there now, how far from the edge."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

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
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.overlaps import shared_ground
from rsam_core.change.apply.question import Inputs, Question

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

BUILT, BARE = "cleared and built on", "cleared"
COLOURS = {BUILT: "#E8500A", BARE: "#F2C230"}


def encroachment(inputs: Inputs) -> Answer:
    """What forest was cleared between two dates; see `QUESTION`."""
    import pandas as pd
    import shapely

    extent, values = inputs.site.extent, inputs.values
    before = inputs.layers["before"].clipped(extent)
    after = inputs.layers["after"].clipped(extent)
    things, zones = inputs.layer("objects"), inputs.layer("zones")
    cleared = shapely.difference(before.union, after.union)
    # Slivers along borders come from outlines that differ by a pixel or two.
    half = values["width"] / 2
    opened = shapely.buffer(shapely.buffer(cleared, -half, join_style="mitre"), half,
                            join_style="mitre")  # fmt: skip
    cleared = shapely.intersection(opened, cleared)
    parts = shapely.get_parts(cleared)
    parts = parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) >= values["least"])]
    patches = Features.of_shapes("cleared", parts)
    count, covered, kinds = _standing(patches, things)
    inner, deepest = _from_edge(patches, before.union, extent)
    table = pd.DataFrame(
        {
            VERDICT: np.where(count > 0, BUILT, BARE).astype(object),
            "area_m2": patches.areas,
            "objects": count,
            "covered_m2": covered,
            "what": kinds,
            "edge_m": inner,
            "deepest_m": deepest,
            "zone": zone_names(zones, in_zones(patches, zones)),
        }
    )
    findings = numbered(Features("findings", patches.shapes, table))
    sizes = float(before.union.area), float(after.union.area)
    lost = float(shapely.difference(before.union, after.union).area)
    grown = float(shapely.difference(after.union, before.union).area)
    columns = {"area_m2": "Cleared (m²)", "objects": "Objects there now",
               "covered_m2": "Covered by them (m²)", "what": "What stands there",
               "edge_m": "Middle from former edge (m)", "deepest_m": "Deepest (m)"}  # fmt: skip
    columns |= {"zone": "Zone"} if zones is not None else {}
    notes = () if things is not None else (
        "Without objects of the second date it is not said what stands there now.",
    )  # fmt: skip
    return Answer(
        "forest", "", inputs.site, findings,
        partial(_summary, sizes, lost, grown, inputs.years), COLOURS, columns,
        context=(before,), notes=notes,
        assumptions=(
            "Cleared is what was forest at the first date and is none at the second, in pieces of "
            f"at least {values['least']:g} m² that are somewhere {values['width']:g} m wide.",
            "Distances run from the edge of the forest at the first date; the border of the "
            "picture is no edge.",
            "Where forest was outlined by an index, grass and crops count as green, too: correct "
            "the outlines first.",
        ),
    )  # fmt: skip


def _standing(patches: Features, things: Features | None) -> tuple[np.ndarray, np.ndarray, list]:
    """How many objects stand in each patch, how much they cover of it, and what they are."""
    count = np.zeros(len(patches), np.int64)
    covered = np.zeros(len(patches))
    kinds: list[dict[str, int]] = [{} for _ in range(len(patches))]
    if things is None or not len(patches) or not len(things):
        return count, covered, [""] * len(patches)
    pairs = shared_ground(things, patches)
    named = things.column("kind")
    # An object belongs to a patch if more of it lies there than in a corner.
    inside = pairs.area >= 0.25 * np.maximum(things.areas[pairs.first], 1e-9)
    np.add.at(count, pairs.second[inside], 1)
    np.add.at(covered, pairs.second, pairs.area)
    for thing, patch in zip(pairs.first[inside].tolist(), pairs.second[inside].tolist()):
        kind = str(named[thing] or "object")
        kinds[patch][kind] = kinds[patch].get(kind, 0) + 1
    return count, np.minimum(covered, patches.areas), [
        ", ".join(f"{number} {kind}" for kind, number in sorted(one.items())) for one in kinds
    ]  # fmt: skip


def _from_edge(
    patches: Features, forest: BaseGeometry, extent: BaseGeometry
) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the former edge of each patch's middle and of its deepest corner, metres."""
    import shapely

    if not len(patches):
        return np.zeros(0), np.zeros(0)
    edge: Any = shapely.difference(
        shapely.boundary(forest), shapely.buffer(shapely.boundary(extent), 0.01)
    )
    if shapely.is_empty(edge):
        return np.full(len(patches), np.nan), np.full(len(patches), np.nan)
    middle = shapely.distance(shapely.point_on_surface(patches.shapes), edge)
    points, owner = shapely.get_coordinates(
        shapely.segmentize(patches.shapes, 5.0), return_index=True
    )
    deepest = np.zeros(len(patches))
    np.maximum.at(deepest, owner, shapely.distance(shapely.points(points), edge))
    return middle, np.maximum(deepest, middle)


def _summary(
    sizes: tuple[float, float], lost: float, grown: float, years: float | None, findings: Features
) -> Summary:
    import pandas as pd

    table = findings.table
    area = float(findings.areas.sum())
    built = np.array(findings.column(VERDICT), dtype=object) == BUILT
    figures = [
        Figure("Forest, first date", sizes[0], "m²"),
        Figure("Forest, second date", sizes[1], "m²"),
        Figure("Cleared, listed pieces", area, "m²"),
        Figure("Cleared, all of it", lost, "m²", "with slivers along borders"),
        Figure("New forest", grown, "m²"),
        Figure("Cleared pieces", len(findings)),
        Figure("Of them built on", int(built.sum())),
        Figure("Objects on cleared ground", int(table["objects"].sum())),
        Figure("Share of the forest cleared", 100 * area / sizes[0] if sizes[0] else None, "%"),
    ]
    if years:
        figures.append(Figure("Cleared a year", area / years, "m²"))
    tables = {}
    if len(findings) and any(findings.column("zone")):
        by = table.groupby("zone").agg(Pieces=("id", "size"), Area=("area_m2", "sum"))
        tables["By zone"] = pd.DataFrame(by).reset_index().rename(
            columns={"zone": "Zone", "Area": "Cleared (m²)"}
        )  # fmt: skip
    return Summary(tuple(figures), tables)


_FOREST = ("vegetation", "tree", "forest", "wood")
QUESTION = Question(
    "forest",
    "Forest encroachment",
    "forest",
    "Where was forest cleared, and what stands there now?",
    "Cleared pieces with area, what was built there, and the distance from the former edge.",
    (
        Need("before", "Forest at the first date", "Outline it, give a layer, or let RSAM outline "
             "what is green.", date=0, kinds=_FOREST),
        Need("after", "Forest at the second date", "Outline it, give a layer, or let RSAM outline "
             "what is green.", date=1, kinds=_FOREST),
        Need("objects", "Buildings and other objects now", "To say what stands on cleared ground.",
             dimensions=(2,), optional=True, date=1),
        Need("zones", "Zones", "By which figures are given as well.", optional=True, kinds=()),
    ),
    (
        Setting("least", "Smallest piece", 50.0, "m²", low=1, high=1e8),
        Setting("width", "Narrowest piece", 4.0, "m", low=0, high=1000,
                help="Narrower strips along borders come from outlines, not from axes."),
    ),
    encroachment,
)  # fmt: skip
