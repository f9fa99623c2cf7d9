"""Damage after a disaster: a grade for each building, with its probability, for review.

The grades are those of Copernicus Emergency Mapping. They come from a small perceptron over
`appearance.looks`, trained on rendered pairs (``training/damage.py``); graders that were learned on
some disasters are known to fail at others, so what it says is a draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment
from rsam_core.change.appearance import COLUMNS, looks
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
from rsam_core.change.apply.needs import Need
from rsam_core.change.apply.question import Inputs, Question
from rsam_core.change.apply.site import Site
from rsam_core.change.judge import Perceptron
from rsam_core.errors import ApplyError, ChangeError
from rsam_core.formats.truth_outlines import drawn_masks
from rsam_core.objects.instance import Instance

GRADES = ("no visible damage", "possibly damaged", "damaged", "destroyed")
"""Lightest first."""
UNSEEN = "not visible"
COLOURS = {
    GRADES[3]: "#B0121B", GRADES[2]: "#F0762B", GRADES[1]: "#F7D13D", GRADES[0]: "#4CAF72",
    UNSEEN: "#9AA5B1",
}  # fmt: skip
WEIGHTS = Path(__file__).with_name("damage.safetensors")


@dataclass(frozen=True)
class Grade:
    """What is said of the damage to one building.

    Attributes
    ----------
    grade : str
        One of :data:`GRADES`, or :data:`UNSEEN`.
    probability : float
        Of that grade, 0 to 1; 0 where it is not visible.
    chances : tuple of float
        Of each of :data:`GRADES`.
    """

    grade: str
    probability: float
    chances: tuple[float, ...]


@lru_cache(maxsize=1)
def load_grader() -> Perceptron:
    """Read the weights that come with RSAM.

    Raises
    ------
    ChangeError
        They are missing, damaged or outdated.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        state = load_file(str(WEIGHTS))
        layers = tuple((state[f"grades.weight_{k}"], state[f"grades.bias_{k}"]) for k in range(2))
        grader = Perceptron(state["grades.mean"], state["grades.scale"], layers)
    except (OSError, SafetensorError, KeyError) as error:
        raise ChangeError(
            "The weights that grade damage are missing or damaged. Install RSAM again."
        ) from error
    if grader.mean.shape != (len(COLUMNS),):
        raise ChangeError("The weights that grade damage are outdated. Install RSAM again.")
    return grader


def grades_of(table: NDArray[np.float32], grader: Perceptron | None = None) -> list[Grade]:
    """Grades from `appearance.looks`, one a row."""
    known = np.isfinite(table).all(axis=1)
    chances = (grader or load_grader())(np.nan_to_num(table))
    result = []
    for seen, row in zip(known.tolist(), chances):
        if not seen:
            result.append(Grade(UNSEEN, 0.0, (0.0,) * len(GRADES)))
            continue
        best = int(row.argmax())
        result.append(Grade(GRADES[best], float(row[best]), tuple(float(v) for v in row)))
    return result


def grade_damage(
    alignment: Alignment,
    buildings: Sequence[Instance],
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Grade]:
    """Grade each building of the first date by what the second shows of it.

    Parameters
    ----------
    alignment : Alignment
        Of the pictures before and after.
    buildings : sequence of Instance
        Outlines at the first date, in pixels of the common grid.
    progress, cancelled : callable, optional

    Raises
    ------
    Cancelled
        `cancelled` said so.
    """
    return grades_of(looks(alignment, buildings, progress, cancelled))


def outlined(
    features: Features, site: Site, shape: tuple[int, int] | None = None
) -> tuple[list[Instance], list[int]]:
    """Masks of areas, and the position of each; tiny ones have none.

    Parameters
    ----------
    features : Features
    site : Site
    shape : tuple of int, optional
        Height and width of the grid of the masks, which shows the same ground as the site; that of
        the site by default.
    """
    import shapely

    outlines = site.pixels(features.shapes)
    grid = shape or site.shape
    if grid != site.shape:
        step = np.array([grid[1] / site.shape[1], grid[0] / site.shape[0]])
        outlines = shapely.transform(outlines, lambda xy: xy * step)
    masks, kept, _ = drawn_masks(list(outlines), grid)
    boxes = masks.boxes.tolist()
    return [Instance(masks.mask(at), x, y, 1.0) for at, (x, y, _, _) in enumerate(boxes)], kept


def damage(inputs: Inputs) -> Answer:
    """How much each building is damaged; see `QUESTION`."""
    import pandas as pd

    if inputs.alignment is None:
        raise ApplyError("Open the picture of the second date on the Change page first.")
    buildings = inputs.layers["buildings"].clipped(inputs.site.extent)
    zones = inputs.layer("zones")
    items, kept = outlined(buildings, inputs.site)
    grades = grade_damage(inputs.alignment, items, inputs.progress, inputs.cancelled)
    some = buildings.select(np.array(kept, dtype=int))
    table = pd.DataFrame(
        {
            VERDICT: [g.grade for g in grades],
            "probability": [g.probability for g in grades],
            "area_m2": some.areas,
            **{f"p_{name.replace(' ', '_')}": [g.chances[k] for g in grades]
               for k, name in enumerate(GRADES)},
            "zone": zone_names(zones, in_zones(some, zones)),
        }
    )  # fmt: skip
    worst = np.array([-1 if g.grade == UNSEEN else GRADES.index(g.grade) for g in grades], int)
    order = np.lexsort((-table["probability"].to_numpy(), -worst))
    findings = Features("buildings", some.shapes[order], table.iloc[order].reset_index(drop=True))
    columns = {"probability": "Probability", "area_m2": "Area (m²)"}
    columns |= {"zone": "Zone"} if zones is not None else {}
    lost = len(buildings) - len(kept)
    notes = [f"{lost:,} outlines are smaller than a pixel and were left out."] if lost else []
    gone = sum(g.grade == UNSEEN for g in grades)
    if gone:
        notes.append(f"{gone:,} buildings are under clouds or outside one of the pictures.")
    if inputs.alignment.doubtful:
        notes.append("The pictures may be displaced against each other: then roofs look damaged.")
    return Answer(
        "damage", "", inputs.site, numbered(findings), _summary, COLOURS, columns,
        context=() if zones is None else (zones,), notes=tuple(notes), draft=True,
        inputs={"Residual displacement": f"{inputs.alignment.residual_px:.2f} px"},
        assumptions=(
            "Grades follow Copernicus Emergency Mapping: destroyed, damaged, possibly damaged, no "
            "visible damage. From above only roofs are seen: a building with an intact roof may "
            "still be beyond repair.",
            "The grader learned on rendered places alone. How well it does in a real disaster has "
            "not been measured: every grade is a draft for a person to check.",
        ),
    )  # fmt: skip


def _summary(findings: Features) -> Summary:
    import pandas as pd

    verdicts = np.array(findings.column(VERDICT), dtype=object)
    number = len(findings)
    figures = [Figure("Buildings", number)]
    for grade in (*reversed(GRADES), UNSEEN):
        some = verdicts == grade
        if grade == UNSEEN and not some.any():
            continue
        share = f"{100 * some.sum() / number:.1f} % of the buildings" if number else ""
        figures.append(Figure(grade.capitalize(), int(some.sum()), "", share))
        figures.append(
            Figure(f"{grade.capitalize()}: area", float(findings.areas[some].sum()), "m²")
        )
    sure = findings.table["probability"].to_numpy(float)
    figures.append(
        Figure("Grades less sure than 60 %", int((sure < 0.6).sum()), "", "look at these first")
    )
    tables = {}
    if number and any(findings.column("zone")):
        counted = pd.crosstab(findings.table["zone"].replace("", "in no zone"), verdicts)
        counted = counted.reindex(columns=[g for g in COLOURS if g in set(verdicts)])
        shares = counted.div(counted.sum(axis=1), axis=0) * 100
        shares.columns = [f"{name} (%)" for name in shares.columns]
        tables["By zone"] = pd.concat([counted, shares], axis=1).reset_index().rename(
            columns={"zone": "Zone"}
        )  # fmt: skip
    return Summary(tuple(figures), tables)


QUESTION = Question(
    "damage",
    "Damage after a disaster",
    "crisis_alert",
    "Which buildings are damaged, and how badly?",
    "A grade with its probability and both pictures of each building, as a draft to check; shares "
    "by zone.",
    (
        Need("buildings", "Buildings before the disaster", "Compare both dates on the Change page, "
             "outline them, or give a layer.", date=0),
        Need("zones", "Zones", "Districts by which grades are counted.", optional=True, kinds=()),
    ),
    (),
    damage,
    pictures=True,
)  # fmt: skip
