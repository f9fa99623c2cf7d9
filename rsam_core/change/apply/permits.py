"""Building without permit: what stands outside a plan, exceeds it, or stands where nothing may."""

from __future__ import annotations

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
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.overlaps import covered_areas, shared_ground
from rsam_core.change.apply.question import Inputs, Question
from rsam_core.errors import ApplyError

NONE, LARGER, FORBIDDEN = "no permit", "larger than permitted", "where nothing may stand"
COLOURS = {FORBIDDEN: "#E8500A", NONE: "#E84FD0", LARGER: "#F2C230"}
_NEW = 0.5


def without_permit(inputs: Inputs) -> Answer:
    """Which buildings no permit covers; see `QUESTION`."""
    import pandas as pd

    extent = inputs.site.extent
    buildings = inputs.layers["buildings"].clipped(extent)
    permits, forbidden = inputs.layer("permits"), inputs.layer("forbidden")
    if permits is None and forbidden is None:
        raise ApplyError(
            "Give a layer of permits, or of zones where nothing may stand: without either there is "
            "nothing to compare the buildings with."
        )
    first, zones, values = inputs.layer("before"), inputs.layer("zones"), inputs.values
    notes = []
    stood = np.zeros(len(buildings), bool)
    if first is not None:
        stood = covered_areas(buildings, first) > (1 - _NEW) * buildings.areas
        if values["only_new"] == "new buildings only":
            notes.append(f"{int(stood.sum()):,} buildings stood at the first date already and are "
                         "left out.")  # fmt: skip
            buildings, stood = buildings.select(~stood), stood[~stood]
    areas = buildings.areas
    covered = covered_areas(buildings, permits) if permits is not None else areas.copy()
    outside = np.maximum(areas - covered, 0.0)
    inside = covered_areas(buildings, forbidden) if forbidden is not None else 0 * areas
    share = covered / np.maximum(areas, 1e-9)
    allowed = _allowed(buildings, permits, values["limit"])
    over = np.maximum(areas - allowed, 0.0)
    verdict = np.full(len(buildings), "", object)
    verdict[(outside >= values["slack"]) | (over >= values["slack"])] = LARGER
    verdict[share < values["share"] / 100] = NONE
    verdict[inside >= values["slack"]] = FORBIDDEN
    bad = verdict != ""
    places = in_zones(buildings, zones)
    table = pd.DataFrame(
        {
            VERDICT: verdict[bad],
            "area_m2": areas[bad],
            "permitted_share": 100 * share[bad] if permits is not None else np.nan,
            "outside_m2": outside[bad] if permits is not None else np.nan,
            "over_m2": np.where(np.isfinite(over), over, np.nan)[bad],
            "forbidden_m2": inside[bad],
            "stood_before": np.where(stood, "yes", "no")[bad] if first is not None else "",
            "zone": np.array(zone_names(zones, places), dtype=object)[bad],
        }
    )
    findings = numbered(Features("findings", buildings.shapes[bad], table))
    columns = {"area_m2": "Area (m²)", "permitted_share": "Within a permit (%)",
               "outside_m2": "Outside (m²)", "over_m2": "Above its limit (m²)",
               "forbidden_m2": "Where nothing may stand (m²)"}  # fmt: skip
    columns |= {"stood_before": "Stood before"} if first is not None else {}
    columns |= {"zone": "Zone"} if zones is not None else {}
    context = tuple(layer for layer in (permits, forbidden) if layer is not None)
    return Answer(
        "permits", "", inputs.site, findings,
        partial(_summary, len(buildings), float(buildings.union.area)), COLOURS, columns,
        context=context, notes=tuple(notes),
        assumptions=(
            f"No permit: less than {values['share']:g} % of the outline lies within permits.",
            f"Larger than permitted: at least {values['slack']:g} m² lie outside permits, or above "
            "the largest area that the permit names in the column that was typed.",
            f"Where nothing may stand: at least {values['slack']:g} m² lie in such a zone; this "
            "comes before the others.",
            "Outlines from pictures show roofs, which overhang walls and lean in slanting views: a "
            "difference of one or two metres proves nothing.",
        ),
    )  # fmt: skip


def _allowed(buildings: Features, permits: Features | None, column: str) -> np.ndarray:
    """Square metres that the permit under each building allows; infinite without a number."""
    result = np.full(len(buildings), np.inf)
    if permits is None or not column:
        return result
    if column not in permits.table:
        known = ", ".join(str(name) for name in permits.table.columns[:10]) or "none"
        raise ApplyError(f"The permits have no column “{column}”; they have: {known}.")
    import pandas as pd

    limits = pd.to_numeric(permits.table[column], errors="coerce").to_numpy(float)
    pairs = shared_ground(buildings, permits)
    # The permit that covers most of a building is its own.
    order = np.argsort(pairs.area, kind="stable")
    result[pairs.first[order]] = limits[pairs.second[order]]
    return np.where(np.isfinite(result), result, np.inf)


def _summary(number: int, area: float, findings: Features) -> Summary:
    import pandas as pd

    verdicts = np.array(findings.column(VERDICT), dtype=object)
    figures = [
        Figure("Buildings looked at", number),
        Figure("Ground that they cover", area, "m²"),
        Figure("Findings", len(findings)),
    ]
    for kind in (FORBIDDEN, NONE, LARGER):
        some = verdicts == kind
        figures.append(Figure(f"{kind.capitalize()}: buildings", int(some.sum())))
        figures.append(
            Figure(f"{kind.capitalize()}: area", float(findings.areas[some].sum()), "m²")
        )
    outside = pd.to_numeric(findings.table["outside_m2"], errors="coerce").sum()
    figures.append(Figure("Area outside permits", float(outside), "m²"))
    inside = float(findings.table["forbidden_m2"].sum())
    figures.append(Figure("Area where nothing may stand", inside, "m²"))
    tables = {}
    if len(findings) and any(findings.column("zone")):
        counted = findings.table.groupby(["zone", VERDICT]).agg(
            Buildings=("id", "size"), Area=("area_m2", "sum")
        )
        tables["By zone"] = counted.reset_index().rename(
            columns={"zone": "Zone", VERDICT: "Finding", "Area": "Area (m²)"}
        )
    return Summary(tuple(figures), tables)


QUESTION = Question(
    "permits",
    "Building without permit",
    "gavel",
    "Which buildings have no permit, are larger than permitted, or stand where nothing may?",
    "Each building in question with its area outside, on the map and as a list.",
    (
        Need("buildings", "Buildings now", "Find them on the Segment or Change page, or give a "
             "layer.", date=1),
        Need("permits", "Permits or building plots", "Areas in which building is permitted: a "
             "cadastre, a plan, permits.", optional=True, kinds=()),
        Need("forbidden", "Zones where nothing may stand", "For example a protected zone or a "
             "road reserve.", optional=True, kinds=()),
        Need("before", "Buildings at an earlier date", "To look at new buildings only.",
             optional=True, date=0),
        Need("zones", "Districts", "By which findings are counted.", optional=True, kinds=()),
    ),
    (
        Setting("share", "Least share within a permit", 50.0, "%", low=1, high=100,
                help="A building of which less lies within permits counts as without permit."),
        Setting("slack", "Smallest area that counts", 5.0, "m²", low=0.1, high=10_000,
                help="Smaller excesses are left to the accuracy of outlines."),
        Setting("limit", "Column of the largest area permitted", "",
                help="Name of the column of the permits that holds square metres; may stay empty."),
        Setting("only_new", "Which buildings", "all buildings",
                choices=("all buildings", "new buildings only")),
    ),
    without_permit,
)  # fmt: skip
