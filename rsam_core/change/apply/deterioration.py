"""Deterioration of old buildings: which roofs changed most, and in what; never a diagnosis."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.appearance import COLUMNS, looks
from rsam_core.change.apply.answer import VERDICT, Answer, Figure, Summary, numbered
from rsam_core.change.apply.damage import outlined
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.question import Inputs, Question
from rsam_core.errors import ApplyError

SIGNS = ("colour", "brightness", "texture", "holes", "plants")
MUCH, SOME, LITTLE = "look here first", "changed somewhat", "hardly changed"
COLOURS = {MUCH: "#B0121B", SOME: "#F7D13D", LITTLE: "#4CAF72"}
_FLOORS = {"colour": 2.0, "brightness": 3.0, "texture": 0.15, "holes": 0.03, "plants": 0.03}
"""What counts as one step where buildings hardly differ: otherwise noise would be ranked."""


def signs(table: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far each building changed beyond what all of them did, in steps, (N, len(SIGNS)).

    Parameters
    ----------
    table : ndarray of float32, shape (N, F)
        From `appearance.looks`.

    Returns
    -------
    ndarray of float64
        Above 0; the median of all buildings is taken away, since sun and season change all of
        them, and what is left is divided by the spread of the middle half. NaN where a building is
        not visible.
    """
    at = {name: table[:, COLUMNS.index(name)].astype(float) for name in COLUMNS}
    raw = {
        "colour": at["difference"] + at["colour_step"],
        "brightness": at["lightness_step"],
        "texture": at["texture_gain"],
        "holes": at["dark_gain"] + at["changed_share"] * (at["blob_dark"] < -10),
        "plants": at["green_gain"],
    }
    result = np.full((len(table), len(SIGNS)), np.nan)
    known = np.isfinite(table).all(axis=1)
    if not known.any():
        return result
    for k, name in enumerate(SIGNS):
        values = raw[name]
        low, middle, high = np.quantile(values[known], [0.25, 0.5, 0.75])
        step = max((high - low) / 1.35, _FLOORS[name])
        off = (values - middle) / step
        # Brighter or darker, smoother or rougher: both may tell; fewer holes or plants do not.
        result[:, k] = np.abs(off) if name in ("brightness", "texture") else np.maximum(off, 0)
    result[~known] = np.nan
    return result


def deterioration(inputs: Inputs) -> Answer:
    """Which buildings look worse; see `QUESTION`."""
    import pandas as pd

    if inputs.alignment is None:
        raise ApplyError("Open the picture of the second date on the Change page first.")
    buildings = inputs.layers["buildings"].clipped(inputs.site.extent)
    items, kept = outlined(buildings, inputs.site)
    some = buildings.select(np.array(kept, dtype=int))
    steps = signs(looks(inputs.alignment, items, inputs.progress, inputs.cancelled))
    values = inputs.values
    weights = np.array([values[name] for name in SIGNS])
    if not weights.sum() > 0:
        raise ApplyError("At least one sign has to weigh more than 0.")
    score = np.clip(steps, 0, 10) @ weights / weights.sum()
    seen = np.isfinite(score)
    order = np.flatnonzero(seen)[np.argsort(-score[seen], kind="stable")]
    rank = np.arange(1, len(order) + 1)
    verdict = np.where(score[order] >= values["much"], MUCH,
                       np.where(score[order] >= values["much"] / 2, SOME, LITTLE))  # fmt: skip
    table = pd.DataFrame(
        {
            VERDICT: verdict.astype(object),
            "rank": rank,
            "score": score[order],
            **{name: steps[order, k] for k, name in enumerate(SIGNS)},
            "mostly": [SIGNS[k] for k in (np.nan_to_num(steps[order]) * weights).argmax(axis=1)],
            "area_m2": some.areas[order],
        }
    )
    findings = numbered(Features("buildings", some.shapes[order], table))
    notes = []
    if (~seen).any():
        notes.append(f"{int((~seen).sum()):,} buildings are under clouds or outside a picture.")
    if len(order) < 8:
        notes.append("With fewer than eight buildings there is little to compare each with.")
    columns = {"rank": "Rank", "score": "Score", "mostly": "Mostly"}
    columns |= {name: name.capitalize() for name in SIGNS} | {"area_m2": "Area (m²)"}
    return Answer(
        "deterioration", "", inputs.site, findings, partial(_summary, int(seen.sum())), COLOURS,
        columns, notes=tuple(notes), draft=True,
        assumptions=(
            "A ranking by how a roof looks, never a diagnosis: a new roof changes as much as a "
            "decayed one, and what is inside is not seen.",
            "Each sign is counted in steps beyond the middle building of the picture, so that sun, "
            "season and camera do not count; the score is their weighted mean.",
            f"“{MUCH}” is a score of {values['much']:g} or more.",
        ),
    )  # fmt: skip


def _summary(number: int, findings: Features) -> Summary:
    import pandas as pd

    verdicts = np.array(findings.column(VERDICT), dtype=object)
    figures = [Figure("Buildings compared", number)]
    figures += [Figure(kind.capitalize(), int((verdicts == kind).sum())) for kind in COLOURS]
    table = findings.table
    first = table[table[VERDICT] == MUCH]
    counted = first["mostly"].value_counts()
    rows = [[name, int(counted.get(name, 0))] for name in SIGNS]
    head = ["Sign", f"Buildings to look at first, mostly for it ({len(first)})"]
    return Summary(tuple(figures), {"By sign": pd.DataFrame(rows, columns=head)})


QUESTION = Question(
    "deterioration",
    "Deterioration of buildings",
    "home_repair_service",
    "Which roofs changed most in colour, texture, holes or plants?",
    "A ranked list with both pictures: where to look first. Never a diagnosis.",
    (
        Need("buildings", "Buildings", "Those that stand at both dates: outline them, compare both "
             "dates on the Change page, or give a layer.", date=0),
    ),
    (
        *(Setting(name, f"Weight of {name}", 1.0, "", low=0, high=10, step=0.5) for name in SIGNS),
        Setting("much", "“Look here first” from a score of", 1.5, "", low=0.1, high=10, step=0.1),
    ),
    deterioration,
    pictures=True,
)  # fmt: skip
