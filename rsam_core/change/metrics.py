"""How well change was found: counts by pixel and by object, and figures of them with intervals.

Counts first, so that those of many pairs can be added before a figure is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.pairing import meeting
from rsam_core.errors import MetricError
from rsam_core.objects.crops import Cropped, shared_pixels

RESAMPLES = 2000


@dataclass(frozen=True)
class ChangeCounts:
    """Right and wrong pixels or objects of one pair or of several.

    Attributes
    ----------
    tp, fp, fn, tn : int
        True and false positives, false and true negatives; of objects `tn` is 0.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __add__(self, other: ChangeCounts) -> ChangeCounts:
        return ChangeCounts(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn
        )

    @property
    def precision(self) -> float:
        """TP / (TP + FP); nan where nothing was found."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """TP / (TP + FN); nan where there was nothing to find."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN); nan where nothing was there nor found."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def iou(self) -> float:
        """TP / (TP + FP + FN); nan likewise."""
        return _share(self.tp, self.tp + self.fp + self.fn)

    @property
    def kappa(self) -> float:
        """Cohen's kappa; nan where both say the same of all pixels."""
        tp, fp, fn, tn = self.tp, self.fp, self.fn, self.tn
        return _share(2 * (tp * tn - fn * fp), (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def pixel_counts(
    truth: NDArray[np.bool_], found: NDArray[np.bool_], valid: NDArray[np.bool_] | None = None
) -> ChangeCounts:
    """Count pixels (H, W) on which truth and finding agree and differ, where `valid`.

    Raises
    ------
    MetricError
        The sizes differ.
    """
    if truth.shape != found.shape or (valid is not None and valid.shape != truth.shape):
        raise MetricError(
            f"The true change is {truth.shape} pixels large, what was found {found.shape}. Compare "
            "them on one grid."
        )
    if valid is not None:
        truth, found = truth[valid], found[valid]
    tp = int(np.count_nonzero(truth & found))
    fp, fn = int(np.count_nonzero(found)) - tp, int(np.count_nonzero(truth)) - tp
    return ChangeCounts(tp, fp, fn, truth.size - tp - fp - fn)


@dataclass(frozen=True, eq=False)
class TrueChange:
    """A true change: its kind, and every outline that counts as having found it."""

    kind: str
    outlines: tuple[Cropped, ...]


def object_counts(
    truth: Sequence[TrueChange],
    found: Sequence[tuple[str, Cropped]],
    kind: str | None = None,
    ignored: Sequence[Cropped] = (),
    threshold: float = 0.5,
) -> ChangeCounts:
    """Match found changes to true ones, one to one, best IoU first.

    Parameters
    ----------
    truth : sequence of TrueChange
    found : sequence of (str, cropped mask)
        Kind of change and outline.
    kind : str, optional
        Count this kind only: a find of another kind at the right place is missing for the true
        kind and too much for its own. By default kinds are not looked at.
    ignored : sequence of cropped masks
        Where something changed that is not asked for: finds mostly there are neither right nor
        wrong.
    threshold : float
        IoU from which on it is found.
    """
    wanted = [t for t in truth if kind is None or t.kind == kind]
    mine = [outline for name, outline in found if kind is None or name == kind]
    pairs = match_objects(wanted, mine, threshold)
    columns = {j for _, j in pairs}
    wrong = 0
    for j, outline in enumerate(mine):
        if j in columns:
            continue
        area = np.count_nonzero(outline.mask)
        lost = sum(shared_pixels(outline, other) for other in ignored)
        wrong += lost <= 0.5 * area
    return ChangeCounts(len(pairs), wrong, len(wanted) - len(pairs))


def match_objects(
    truth: Sequence[TrueChange], found: Sequence[Cropped], threshold: float = 0.5
) -> list[tuple[int, int]]:
    """Positions of true changes and the outlines that found them, one to one, best IoU first."""
    owners = [i for i, true in enumerate(truth) for _ in true.outlines]
    outlines = [outline for true in truth for outline in true.outlines]
    scored = []
    for k, j in meeting(outlines, found):
        overlap = _iou(outlines[k], found[j])
        if overlap >= threshold:
            scored.append((overlap, owners[k], j))
    rows: set[int] = set()
    columns: set[int] = set()
    pairs = []
    for _, i, j in sorted(scored, reverse=True):
        if i not in rows and j not in columns:
            rows.add(i)
            columns.add(j)
            pairs.append((i, j))
    return pairs


def _iou(first: Cropped, second: Cropped) -> float:
    shared = shared_pixels(first, second)
    both = np.count_nonzero(first.mask) + np.count_nonzero(second.mask) - shared
    return shared / both if both else 0.0


def alarms_per_km2(alarms: int, pixels: int, gsd: float) -> float:
    """False alarms a square kilometre, from their number on so many pixels of `gsd` metres."""
    return alarms / (pixels * gsd**2 / 1e6)


def bootstrap(
    pairs: Sequence[ChangeCounts],
    figure: Callable[[ChangeCounts], float],
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """A figure of the summed counts and its interval, whole pairs drawn with replacement.

    Returns
    -------
    tuple of float
        The figure, and the lower and upper bound (percentiles); nan for the bounds with fewer
        than two pairs.
    """
    if not pairs:
        return (float("nan"),) * 3
    table = np.array([(c.tp, c.fp, c.fn, c.tn) for c in pairs], np.int64)
    value = figure(ChangeCounts(*table.sum(0).tolist()))
    if len(pairs) < 2:
        return value, float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(pairs), (RESAMPLES, len(pairs)))
    figures = [figure(ChangeCounts(*table[rows].sum(0).tolist())) for rows in drawn]
    edge = (1 - level) / 2
    low, high = np.nanquantile(figures, [edge, 1 - edge]) if np.isfinite(figures).any() else (
        float("nan"), float("nan"))  # fmt: skip
    return value, float(low), float(high)
