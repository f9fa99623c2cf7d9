"""Vacant land: gaps without building, water, road or tree that are large enough to use."""

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
from rsam_core.change.apply.overlaps import nearest, shared_ground
from rsam_core.change.apply.question import Inputs, Question

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

ACCESS, INNER, STEEP = "at a road", "without access", "steep"
COLOURS = {ACCESS: "#2BD4A0", INNER: "#F2C230", STEEP: "#9A5BD0"}


def vacant_land(inputs: Inputs) -> Answer:
    """Where there is room; see `QUESTION`."""
    import pandas as pd
    import shapely

    extent, values = inputs.site.extent, inputs.values
    taken = inputs.layers["taken"].clipped(extent)
    roads, parcels = inputs.layer("roads"), inputs.layer("parcels")
    keep = values["clearance"]
    blocked = [shapely.buffer(taken.shapes, keep, quad_segs=4)] if len(taken) else []
    if roads is not None and len(roads):
        lines = shapely.get_dimensions(roads.shapes) < 2
        half = np.where(lines, values["road"] / 2, 0.0)
        blocked.append(shapely.buffer(roads.shapes, half + 1e-6, quad_segs=4))
    used = shapely.union_all(np.concatenate(blocked)) if blocked else shapely.Polygon()
    gaps = _gaps(extent, used, parcels, values)
    free = Features.of_shapes("vacant", gaps)
    distance = np.full(len(free), np.nan)
    if roads is not None:
        distance = np.maximum(nearest(free, roads)[0] - _half(roads, values["road"]), 0.0)
    slope = _slopes(inputs.layer("slope"), free)
    verdict = np.full(len(free), ACCESS, object)
    verdict[distance > values["access"]] = INNER
    verdict[slope > values["steep"]] = STEEP
    length, width = _sides(free)
    table = pd.DataFrame(
        {
            VERDICT: verdict,
            "area_m2": free.areas,
            "length_m": length,
            "width_m": width,
            "compactness": _compactness(free),
            "road_m": distance,
            "slope_percent": slope,
            "parcel": _parcel_names(free, parcels),
        }
    ).sort_values("area_m2", ascending=False, kind="stable")
    order = table.index.to_numpy()
    findings = numbered(Features("vacant land", free.shapes[order], table.reset_index(drop=True)))
    columns = {"area_m2": "Area (m²)", "length_m": "Length (m)", "width_m": "Width (m)",
               "compactness": "Compactness"}  # fmt: skip
    columns |= {"road_m": "To the road (m)"} if roads is not None else {}
    columns |= {"slope_percent": "Slope (%)"} if inputs.layer("slope") is not None else {}
    columns |= {"parcel": "Parcel"} if parcels is not None else {}
    notes = [] if roads is not None else [
        "Without roads their distance is not known, and ground of roads that were not outlined "
        "counts as vacant."
    ]  # fmt: skip
    context = tuple(layer for layer in (parcels, roads) if layer is not None)
    return Answer(
        "vacant", "", inputs.site, findings, partial(_summary, inputs.site.area), COLOURS, columns,
        context=context, notes=tuple(notes),
        assumptions=(
            f"Vacant is ground at least {keep:g} m from everything that was given as taken, "
            f"somewhere {values['width']:g} m wide, and at least {values['least']:g} m² large.",
            "Only what was outlined counts as taken: look at each place before it is called "
            "vacant. Ownership, planning law and the ground itself are not known.",
            "Compactness is 4π area / perimeter², 1 for a circle and 0.785 for a square.",
        ),
    )  # fmt: skip


def _gaps(
    extent: BaseGeometry, used: BaseGeometry, parcels: Features | None, values: Any
) -> np.ndarray:
    """Free pieces that are wide and large enough."""
    import shapely

    whole = shapely.difference(extent, used)
    half = values["width"] / 2
    if half:
        core = shapely.buffer(whole, -half, join_style="mitre")
        grown = shapely.buffer(core, half, join_style="mitre", mitre_limit=2.0)
        whole = shapely.intersection(grown, whole)
    pieces = shapely.get_parts(whole)
    if parcels is not None and len(parcels):
        cut = Features.of_shapes("", pieces)
        one, other = parcels.tree.query(cut.shapes, predicate="intersects")
        shared = shapely.intersection(cut.shapes[one], parcels.shapes[other])
        pieces = shapely.get_parts(shared)
    pieces = pieces[shapely.get_dimensions(pieces) == 2]
    return pieces[shapely.area(pieces) >= values["least"]]


def _half(roads: Features, width: float) -> np.ndarray | float:
    import shapely

    # Of roads given as lines, half of their width lies between line and edge.
    return width / 2 if len(roads) and (shapely.get_dimensions(roads.shapes) < 2).all() else 0.0


def _sides(free: Features) -> tuple[np.ndarray, np.ndarray]:
    """Longer and shorter side of the least rectangle around each, metres."""
    import shapely

    if not len(free):
        return np.zeros(0), np.zeros(0)
    boxes = shapely.minimum_rotated_rectangle(free.shapes)
    corners = [shapely.get_coordinates(one)[:3] for one in boxes]
    sides = np.array([[np.hypot(*(c[1] - c[0])), np.hypot(*(c[2] - c[1]))] for c in corners])
    return sides.max(axis=1), sides.min(axis=1)


def _compactness(free: Features) -> np.ndarray:
    import shapely

    around = shapely.length(free.shapes) if len(free) else np.zeros(0)
    return 4 * np.pi * free.areas / np.maximum(around, 1e-9) ** 2


def _parcel_names(free: Features, parcels: Features | None) -> list[str]:
    return zone_names(parcels, in_zones(free, parcels))


def _slopes(slope: Features | None, free: Features) -> np.ndarray:
    """Mean slope in percent under each piece; NaN where it is not known."""
    result = np.full(len(free), np.nan)
    if slope is None or not len(free):
        return result
    values = np.asarray(slope.column("slope_percent"), float)
    pairs = shared_ground(free, slope)
    weight = np.bincount(pairs.first, pairs.area, minlength=len(free))
    total = np.bincount(pairs.first, pairs.area * values[pairs.second], minlength=len(free))
    known = weight > 0
    result[known] = total[known] / weight[known]
    return result


def _summary(area: float, findings: Features) -> Summary:
    import pandas as pd

    verdicts = np.array(findings.column(VERDICT), dtype=object)
    total = float(findings.areas.sum())
    figures = [
        Figure("Ground in the picture", area, "m²"),
        Figure("Vacant places", len(findings)),
        Figure("Vacant area", total, "m²"),
        Figure("Share of the picture", 100 * total / area if area else None, "%"),
        Figure("Largest", float(findings.areas.max()) if len(findings) else None, "m²"),
    ]
    rows = [
        [kind, int((verdicts == kind).sum()), float(findings.areas[verdicts == kind].sum())]
        for kind in (ACCESS, INNER, STEEP)
        if (verdicts == kind).any()
    ]
    tables = {"By kind": pd.DataFrame(rows, columns=["Kind", "Places", "Area (m²)"])}
    return Summary(tuple(figures), tables)


QUESTION = Question(
    "vacant",
    "Vacant land",
    "crop_free",
    "Where is room to build or plant, how large is it, and how far from a road?",
    "Gaps above a size with shape, distance to the road, slope and parcel.",
    (
        Need("taken", "Everything that takes up ground", "Buildings, water, trees, fields: outline "
             "them on the Segment page, or give layers.", date=1,
             kinds=("building", "water", "vegetation", "tree", "vehicle", "field", "pool")),
        Need("roads", "Roads", "As areas or lines.", dimensions=(1, 2), optional=True,
             kinds=("road",)),
        Need("parcels", "Parcels", "By which gaps are divided.", optional=True, kinds=()),
        Need("slope", "Elevation", "A raster of heights (GeoTIFF), for the slope.", optional=True,
             kinds=()),
    ),
    (
        Setting("least", "Smallest place", 200.0, "m²", low=1, high=1e8, step=50),
        Setting("width", "Narrowest place", 8.0, "m", low=0, high=1000),
        Setting("clearance", "Distance from what stands there", 2.0, "m", low=0, high=1000),
        Setting("road", "Width of roads given as lines", 6.0, "m", low=0, high=100),
        Setting("access", "Farthest from a road", 10.0, "m", low=0, high=10_000),
        Setting("steep", "Steep from this slope on", 20.0, "%", low=0, high=1000),
    ),
    vacant_land,
)  # fmt: skip
