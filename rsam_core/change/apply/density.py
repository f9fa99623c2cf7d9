"""Density, and the physical basis of a valuation: by zones, squares of a grid, or rings."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.change.apply.answer import (
    HECTARE,
    VERDICT,
    Answer,
    Figure,
    Summary,
    in_zones,
    numbered,
)
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.overlaps import nearest, shared_ground
from rsam_core.change.apply.question import Inputs, Question
from rsam_core.errors import ApplyError

if TYPE_CHECKING:
    from rsam_core.change.apply.site import Site

GRID, RINGS, ZONES = "squares", "rings around the middle", "zones that are given"
STEPS = ("very low", "low", "middle", "high", "very high")
COLOURS = dict(zip(STEPS, ("#FFF3C4", "#FDC96B", "#F28C38", "#CF4A1F", "#7F1D0E")))
_MAX_CELLS = 20_000


def density(inputs: Inputs) -> Answer:
    """How densely each zone is built; see `QUESTION`."""
    import pandas as pd
    import shapely

    site, values = inputs.site, inputs.values
    buildings = inputs.layers["buildings"].clipped(site.extent)
    zones, how = inputs.layer("zones"), values["by"]
    if how == ZONES and zones is None:
        raise ApplyError("Give a layer of zones, or choose squares or rings.")
    cells = zones.clipped(site.extent) if how == ZONES else made_cells(site, how, values["size"])
    pairs = shared_ground(buildings, cells)
    covered = np.zeros(len(cells))
    if len(pairs.first):
        # Buildings that overlap each other count once, where there are any.
        single = Features.of_shapes("", shapely.get_parts(buildings.union))
        once = shared_ground(single, cells)
        covered = np.bincount(once.second, once.area, minlength=len(cells))
    owner = in_zones(buildings, cells)
    some = owner >= 0
    count = np.bincount(owner[some], minlength=len(cells))
    size = np.bincount(owner[some], buildings.areas[some], minlength=len(cells))
    area = np.maximum(cells.areas, 1e-9)
    table = pd.DataFrame(
        {
            "zone": cells.names(),
            "area_m2": cells.areas,
            "buildings": count,
            "covered_m2": covered,
            "coverage_percent": 100 * covered / area,
            "per_hectare": count / (area / HECTARE),
            "mean_size_m2": np.where(count > 0, size / np.maximum(count, 1), np.nan),
        }
    )
    columns = {"zone": "Zone", "area_m2": "Area (m²)", "buildings": "Buildings",
               "covered_m2": "Covered (m²)", "coverage_percent": "Coverage (%)",
               "per_hectare": "Buildings a hectare",
               "mean_size_m2": "Mean building (m²)"}  # fmt: skip
    roads, limit = inputs.layer("roads"), values["near"]
    if roads is not None:
        distance = nearest(buildings, roads)[0]
        table["road_m"] = _means(owner, distance, len(cells))
        columns["road_m"] = "Building to road (m)"
    for key, title in (("green", "Green"), ("water", "Water")):
        layer = inputs.layer(key)
        if layer is None:
            continue
        near = nearest(buildings, layer)[0] <= limit
        table[f"{key}_percent"] = 100 * _means(owner, near.astype(float), len(cells))
        table[f"{key}_m2"] = _ground(layer, cells)
        columns[f"{key}_percent"] = f"{title} within {limit:g} m (% of buildings)"
        columns[f"{key}_m2"] = f"{title} (m²)"
    shade = {"coverage": "coverage_percent", "buildings a hectare": "per_hectare",
             "mean size": "mean_size_m2"}[values["shade"]]  # fmt: skip
    table.insert(0, VERDICT, steps_of(table[shade].to_numpy(float)))
    findings = numbered(Features("zones", cells.shapes, table))
    return Answer(
        "density", "", site, findings,
        partial(_summary, site.area, buildings), COLOURS, columns, graded=shade,
        context=(buildings,),
        assumptions=(
            "Coverage is the ground that outlines of buildings cover, counted once, of the part of "
            "a zone that the picture shows. Buildings belong to the zone in which their middle "
            "lies.",
            "The map is shaded in five steps with equally many zones each.",
            "No price is estimated: these are physical facts on which a valuation may rest.",
        ),
    )  # fmt: skip


def made_cells(site: Site, how: str, size: float) -> Features:
    """Squares of a grid, or rings around the middle, as far as the picture reaches.

    Raises
    ------
    ApplyError
        There would be too many.
    """
    import shapely

    x0, y0, x1, y1 = site.extent.bounds
    if how == GRID:
        across, down = int(np.ceil((x1 - x0) / size)), int(np.ceil((y1 - y0) / size))
        if across * down > _MAX_CELLS:
            raise ApplyError(
                f"Squares of {size:g} m would be {across * down:,}. Choose larger ones."
            )
        columns, rows = np.meshgrid(np.arange(across), np.arange(down))
        left, top = x0 + columns.ravel() * size, y1 - rows.ravel() * size
        shapes = shapely.box(left, top - size, left + size, top)
        names = [
            f"{_letters(column)}{row + 1}"
            for row, column in zip(rows.ravel().tolist(), columns.ravel().tolist())
        ]
    else:
        middle = shapely.Point((x0 + x1) / 2, (y0 + y1) / 2)
        number = int(np.ceil(np.hypot(x1 - x0, y1 - y0) / 2 / size))
        if number > 200:
            raise ApplyError(f"Rings of {size:g} m would be {number:,}. Choose wider ones.")
        discs = [shapely.buffer(middle, size * (i + 1), quad_segs=64) for i in range(number)]
        shapes = np.array([discs[0], *(b.difference(a) for a, b in pairwise(discs))])
        names = [f"{i * size:g} to {(i + 1) * size:g} m" for i in range(number)]
    cells = Features.of_shapes(how, shapes, [{"name": name} for name in names])
    return cells.clipped(site.extent, note=False)


def _letters(number: int) -> str:
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def steps_of(values: np.ndarray) -> list[str]:
    """One of `STEPS` for each value, by quintiles; the lowest where there is none."""
    known = np.isfinite(values)
    if not known.any():
        return [STEPS[0]] * len(values)
    limits = np.quantile(values[known], [0.2, 0.4, 0.6, 0.8])
    steps = np.searchsorted(limits, np.where(known, values, -np.inf), side="left")
    return [STEPS[step] for step in steps.tolist()]


def _means(owner: np.ndarray, values: np.ndarray, number: int) -> np.ndarray:
    some = (owner >= 0) & np.isfinite(values)
    count = np.bincount(owner[some], minlength=number)
    total = np.bincount(owner[some], values[some], minlength=number)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _ground(layer: Features, cells: Features) -> np.ndarray:
    import shapely

    areas = layer.of_dimension(2)
    if not len(areas):
        return np.zeros(len(cells))
    once = Features.of_shapes("", shapely.get_parts(areas.union))
    pairs = shared_ground(once, cells)
    return np.bincount(pairs.second, pairs.area, minlength=len(cells))


def _summary(area: float, buildings: Features, findings: Features) -> Summary:
    covered = float(buildings.union.area)
    figures = [
        Figure("Zones", len(findings)),
        Figure("Ground in the picture", area, "m²"),
        Figure("Buildings", len(buildings)),
        Figure("Ground that they cover", covered, "m²"),
        Figure("Coverage", 100 * covered / area, "%"),
        Figure("Buildings a hectare", len(buildings) / (area / HECTARE)),
        Figure("Mean building", float(buildings.areas.mean()) if len(buildings) else None, "m²"),
    ]
    table = findings.table
    if len(table):
        top = table.sort_values("coverage_percent", ascending=False).iloc[0]
        figures.append(
            Figure("Densest zone", f"{top['zone']} ({top['coverage_percent']:.1f} % covered)")
        )
    return Summary(tuple(figures))


QUESTION = Question(
    "density",
    "Density and valuation",
    "grid_on",
    "How densely is each part built, and what lies near?",
    "Coverage, buildings a hectare, mean size, road, green and water near, as a shaded map.",
    (
        Need("buildings", "Buildings", "Find them on the Segment or Change page, or give a layer.",
             date=1),
        Need("zones", "Zones", "Districts or blocks; without them squares or rings are made.",
             optional=True, kinds=()),
        Need("roads", "Roads", "As areas or lines.", dimensions=(1, 2), optional=True,
             kinds=("road",)),
        Need("green", "Green", "Parks, trees, meadows.", optional=True, dimensions=(0, 1, 2),
             kinds=("vegetation", "tree", "forest", "grass")),
        Need("water", "Water", "Rivers and lakes.", optional=True, dimensions=(1, 2),
             kinds=("water",)),
    ),
    (
        Setting("by", "By", GRID, choices=(GRID, RINGS, ZONES)),
        Setting("size", "Side of squares, width of rings", 50.0, "m", low=1, high=100_000, step=10),
        Setting("near", "Distance that counts as near", 100.0, "m", low=1, high=100_000, step=10),
        Setting("shade", "Shade the map by", "coverage",
                choices=("coverage", "buildings a hectare", "mean size")),
    ),
    density,
)  # fmt: skip
