"""Changes that were found, against the true ones: figures by pixel and by object, with intervals.

The intervals come from parts of the picture that are drawn with replacement: pixels that lie side
by side are right or wrong together, so that single pixels would promise too much.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.compared import Found
from rsam_core.change.metrics import (
    ChangeCounts,
    TrueChange,
    alarms_per_km2,
    bootstrap,
    match_objects,
    pixel_counts,
)
from rsam_core.errors import MetricError
from rsam_core.objects.crops import Crop, Cropped
from rsam_core.objects.instances import Instances
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.samples import PairSample

VERDICTS = {
    "built": "new",
    "demolished": "gone",
    "extended": "enlarged",
    "reduced": "shrunk",
    "reroofed": "changed inside",
    "damaged": "changed inside",
    "flooded": "new",
    "cleared": "gone",
}
"""Verdict that is right for each kind of rendered change; parked cars are too small for one."""

_PARTS = 8
"""Parts of the picture along each side, from which intervals are drawn."""


@dataclass(frozen=True, eq=False)
class TrueChanges:
    """What really changed, on the common grid.

    Attributes
    ----------
    name : str
    changed : ndarray of bool, shape (H, W)
    objects : tuple of TrueChange
    ignored : ndarray of bool, shape (H, W), or None
        Where nothing is judged.
    """

    name: str
    changed: NDArray[np.bool_]
    objects: tuple[TrueChange, ...]
    ignored: NDArray[np.bool_] | None = None

    @property
    def kinds(self) -> bool:
        """Whether it says what kind of change each is."""
        return any(true.kind for true in self.objects)

    @classmethod
    def of_sample(cls, sample: PairSample) -> TrueChanges:
        """The exact truth of a rendered pair."""
        ends = [
            TrueChange(
                VERDICTS[record.kind],
                tuple(Crop(e.mask, e.x, e.y) for e in (record.before, record.after) if e),
            )
            for record in sample.records
            if record.kind in VERDICTS
        ]
        name = "exact truth of this sample"
        return cls(name, sample.changed(tuple(VERDICTS)), tuple(ends), sample.changed(("cars",)))

    @classmethod
    def of_objects(
        cls, objects: Instances, name: str, valid: NDArray[np.bool_] | None = None
    ) -> TrueChanges:
        """Truth from outlines, or the connected parts of a mask; kinds of change are not known."""
        changed = np.zeros(objects.shape, bool)
        for item in objects:
            x0, y0, x1, y1 = item.bbox
            changed[y0:y1, x0:x1] |= item.mask
        ends = tuple(TrueChange("", (Crop(item.mask, item.x, item.y),)) for item in objects)
        return cls(name, changed, ends, None if valid is None else ~valid)


@dataclass(frozen=True)
class Score:
    """A figure and its interval; nan where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Judgement:
    """How well changes were found.

    Attributes
    ----------
    pixels, objects : dict of str to Score
        "f1", "precision", "recall", by pixel also "iou" and "kappa".
    kinds : dict of str to (ChangeCounts)
        By the true kind of change, where that is known: found with the right verdict.
    alarms : float or None
        Findings without a true change, a square kilometre; None without a pixel size.
    """

    pixels: dict[str, Score]
    objects: dict[str, Score]
    kinds: dict[str, ChangeCounts]
    alarms: float | None


def against_truth(found: Found, truth: TrueChanges) -> Judgement:
    """Compare what was found with what really changed.

    Raises
    ------
    MetricError
        The truth belongs to another grid.
    """
    shape = found.shape
    if truth.changed.shape != shape:
        raise MetricError(
            "The truth has another size than the common grid of the two dates. Give a mask of "
            f"{shape[1]} × {shape[0]} pixels, or outlines with a georeference."
        )
    parts = _parts(shape)
    pixels = []
    for part in parts:
        _, _, valid = found.alignment.read(part)
        if truth.ignored is not None:
            valid = valid & ~truth.ignored[part.slices]
        mask = found.mask(window=part)
        pixels.append(pixel_counts(truth.changed[part.slices], mask, valid))
    changes = [change for change in found.changes if change.change != "unchanged"]
    outlines = [change.outline for change in changes]
    pairs = match_objects(truth.objects, outlines)
    hits = {j: i for i, j in pairs}
    places = [_part_of(t.outlines[0], parts) for t in truth.objects]
    counts = [[0, 0, 0] for _ in parts]
    for i, _ in pairs:
        counts[places[i]][0] += 1
    judged = [
        j in hits or not _ignored(outline, truth.ignored) for j, outline in enumerate(outlines)
    ]
    for j, outline in enumerate(outlines):
        if j not in hits and judged[j]:
            counts[_part_of(outline, parts)][1] += 1
    for i in set(range(len(places))) - {i for i, _ in pairs}:
        counts[places[i]][2] += 1
    objects = [ChangeCounts(*row) for row in counts]
    wrong = sum(row[1] for row in counts)
    gsd = found.alignment.gsd
    return Judgement(
        _scores(pixels, ("f1", "precision", "recall", "iou", "kappa")),
        _scores(objects, ("f1", "precision", "recall")),
        _by_kind(truth.objects, [c.change if j else "" for c, j in zip(changes, judged)], pairs),
        None if not gsd else alarms_per_km2(wrong, shape[0] * shape[1], gsd),
    )


def judgement_table(judged: dict[str, Judgement]) -> pd.DataFrame:
    """One row a method: figures as text with their intervals."""
    import pandas as pd

    rows = []
    for name, one in judged.items():
        row = {"Method": name}
        for title, figures in (("pixels", one.pixels), ("objects", one.objects)):
            for figure, score in figures.items():
                label = {"f1": "F1", "iou": "IoU"}.get(figure, figure.capitalize())
                row[f"{label} ({title})"] = said(score)
        row["False finds a km²"] = "" if one.alarms is None else f"{one.alarms:,.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


def said(score: Score) -> str:
    """A figure with its interval, as text."""
    if np.isnan(score.value):
        return "–"
    if np.isnan(score.low):
        return f"{score.value:.2f}"
    return f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]"


def _parts(shape: tuple[int, int]) -> list[Window]:
    """The picture cut into parts that do not overlap."""
    rows, columns = (np.unique(np.linspace(0, n, _PARTS + 1).round().astype(int)) for n in shape)
    return [
        Window(int(x0), int(y0), int(x1 - x0), int(y1 - y0))
        for y0, y1 in itertools.pairwise(rows)
        for x0, x1 in itertools.pairwise(columns)
    ]


def _scores(counts: Sequence[ChangeCounts], names: Sequence[str]) -> dict[str, Score]:
    def figure(name: str) -> Callable[[ChangeCounts], float]:
        return lambda c: getattr(c, name)

    return {name: Score(*bootstrap(counts, figure(name))) for name in names}


def _by_kind(
    truth: Sequence[TrueChange], verdicts: Sequence[str], pairs: Sequence[tuple[int, int]]
) -> dict[str, ChangeCounts]:
    result: dict[str, ChangeCounts] = {}
    right = {i for i, j in pairs if truth[i].kind == verdicts[j]}
    for kind in dict.fromkeys(true.kind for true in truth if true.kind):
        own = [i for i, true in enumerate(truth) if true.kind == kind]
        hits = sum(i in right for i in own)
        claimed = sum(verdict == kind for verdict in verdicts)
        result[kind] = ChangeCounts(hits, claimed - hits, len(own) - hits)
    return result


def _part_of(item: Cropped, parts: Sequence[Window]) -> int:
    """Position of the part in which the middle of an object lies."""
    height, width = item.mask.shape
    x, y = item.x + width / 2, item.y + height / 2
    inside = (
        k
        for k, part in enumerate(parts)
        if part.x <= x < part.x + part.width and part.y <= y < part.y + part.height
    )
    return next(inside, 0)


def _ignored(item: Cropped, ignored: NDArray[np.bool_] | None) -> bool:
    if ignored is None:
        return False
    height, width = item.mask.shape
    area = ignored[item.y : item.y + height, item.x : item.x + width]
    return bool(area[item.mask].mean() > 0.5)
