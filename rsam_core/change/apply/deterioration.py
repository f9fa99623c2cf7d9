"""Deterioration of old buildings: which roofs changed most, and in what; never a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.appearance import COLUMNS, looks
from rsam_core.change.apply.answer import VERDICT, Answer, Chart, Figure, Summary, numbered
from rsam_core.change.apply.damage import outlined
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.needs import Need, Setting
from rsam_core.change.apply.question import Inputs, Question
from rsam_core.change.apply.trend import looks_of_series, rise, since, times
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

    values, series = inputs.values, inputs.series
    weights = np.array([values[name] for name in SIGNS])
    if not weights.sum() > 0:
        raise ApplyError("At least one sign has to weigh more than 0.")
    buildings = inputs.layers["buildings"].clipped(inputs.site.extent)
    control = (inputs.progress, inputs.cancelled)
    if series is not None:
        dates = series.dates
        items, kept = outlined(buildings, inputs.site, tuple(series.pictures[0].shape))
        tables = looks_of_series(series, items, *control)
    elif inputs.alignment is not None:
        dates = (*inputs.dates, "", "")[:2]
        items, kept = outlined(buildings, inputs.site)
        tables = [looks(inputs.alignment, items, *control)]
    else:
        raise ApplyError("Open the picture of the second date on the Change page first.")
    some = buildings.select(np.array(kept, dtype=int))
    when = times(dates) if series is not None else np.ones(1)
    even = when is None
    when = np.arange(1, len(tables) + 1, dtype=float) if when is None else when
    each = np.clip([signs(table) for table in tables], 0, 10)
    scores = each @ weights / weights.sum()
    steps = rise(each, when)
    score = steps @ weights / weights.sum()
    seen = np.isfinite(score)
    order = np.flatnonzero(seen)[np.argsort(-score[seen], kind="stable")]
    limit = values["much"]
    verdict = np.where(score[order] >= limit, MUCH, np.where(score[order] >= limit / 2, SOME,
                                                             LITTLE))  # fmt: skip
    names = [date or f"date {k}" for k, date in enumerate(dates, 1)]
    table = pd.DataFrame(
        {
            VERDICT: verdict.astype(object),
            "rank": np.arange(1, len(order) + 1),
            "score": score[order],
            **{name: steps[order, k] for k, name in enumerate(SIGNS)},
            "mostly": [SIGNS[k] for k in (np.nan_to_num(steps[order]) * weights).argmax(axis=1)],
            "area_m2": some.areas[order],
        }
    )
    columns = {"rank": "Rank", "score": "Score", "mostly": "Mostly"}
    if series is not None:
        begun = since(scores[:, order], limit / 2)
        table.insert(3, "since", [names[1 + k] if k >= 0 else "" for k in begun.tolist()])
        columns["since"] = "Changed since"
        for k, name in enumerate(names[1:]):
            table[f"score_{k + 2}"] = scores[k, order]
            columns[f"score_{k + 2}"] = f"Score, {name}"
    columns |= {name: name.capitalize() for name in SIGNS} | {"area_m2": "Area (m²)"}
    findings = numbered(Features("buildings", some.shapes[order], table))
    told = _Known(int(seen.sum()), tuple(names), (0.0, *when.tolist()))
    return Answer(
        "deterioration", "", inputs.site, findings, partial(_summary, told), COLOURS, columns,
        notes=tuple(_notes(seen, even)), draft=True, series=series is not None,
        dates=tuple(names) if series is not None else (),
        inputs={} if series is None else {"Pictures": f"a series of {len(dates)} dates"},
        assumptions=(
            "A ranking by how a roof looks, never a diagnosis: a new roof changes as much as a "
            "decayed one, and what is inside is not seen.",
            "Each sign is counted in steps beyond the middle building of the picture, so that sun, "
            "season and camera do not count; the score is their weighted mean.",
            f"“{MUCH}” is a score of {limit:g} or more.",
            *(("Every date is compared with the first one. The score is the rise over the whole "
               "time of the straight line from 0 that fits the scores of all dates best, so that "
               "what is seen at one date alone, such as a shadow or a car, counts little. “Changed "
               f"since” is the date from which the score stays at {limit / 2:g} or more.",)
              if series is not None else ()),
        ),
    )  # fmt: skip


def _notes(seen: NDArray[np.bool_], even: bool) -> list[str]:
    notes = []
    if (~seen).any():
        notes.append(f"{int((~seen).sum()):,} buildings are under clouds or outside a picture.")
    if seen.sum() < 8:
        notes.append("With fewer than eight buildings there is little to compare each with.")
    if even:
        notes.append("Not all dates of the series are known; they were taken as equally far apart. "
                     "Type them on the Follow page.")  # fmt: skip
    return notes


@dataclass(frozen=True)
class _Known:
    """What figures rest on beside the findings."""

    number: int
    dates: tuple[str, ...]
    when: tuple[float, ...]


def _summary(known: _Known, findings: Features) -> Summary:
    import pandas as pd

    verdicts = np.array(findings.column(VERDICT), dtype=object)
    figures = [Figure("Buildings compared", known.number)]
    figures += [Figure(kind.capitalize(), int((verdicts == kind).sum())) for kind in COLOURS]
    table = findings.table
    first = table[table[VERDICT] == MUCH]
    counted = first["mostly"].value_counts()
    rows = [[name, int(counted.get(name, 0))] for name in SIGNS]
    head = ["Sign", f"Buildings to look at first, mostly for it ({len(first)})"]
    tables = {"By sign": pd.DataFrame(rows, columns=head)}
    if len(known.dates) < 3 or not len(table):
        return Summary(tuple(figures), tables)
    names = [f"score_{k}" for k in range(2, len(known.dates) + 1)]
    means = table.groupby(VERDICT)[names].mean()
    lines = {
        kind: (0.0, *(None if np.isnan(v) else float(v) for v in means.loc[kind]))
        for kind in COLOURS
        if kind in means.index
    }
    chart = Chart("Mean score", "", known.dates, known.when, lines)
    shown = {"Date": known.dates} | {kind.capitalize(): values for kind, values in lines.items()}
    return Summary(tuple(figures), {"Mean score by date": pd.DataFrame(shown)} | tables, (chart,))


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
    series=True,
)  # fmt: skip
