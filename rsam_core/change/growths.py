"""Objects that seem larger at one date than at the other, and what speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.date_view import DateView
from rsam_core.change.evidence import gather
from rsam_core.change.findings import COVER, SPOT, Candidate
from rsam_core.change.judge import GROWTH_COLUMNS, said
from rsam_core.change.kinds import UNSURE
from rsam_core.change.pairing import contained, meeting, remainder
from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.segment.segmenter import Segmenter

_LARGER = 1.05
"""Ratio of areas from which on an object may be enlarged: outlines are never exact."""

_HELD = 0.75
"""Share of the smaller outline that the larger one must hold."""

_SOUND = 0.55
"""Predicted IoU that an outline needs to say anything about its size."""

_THERE = 0.94
"""IoU from which on an outline was found at the other date just so: it did not grow."""

_PIECE = 0.06
"""Smallest piece that may have come, as a share of the smaller outline."""

_MOST = 3
"""Larger outlines that are looked at for each smaller one."""

_SIDES = 10
"""Outlines may differ by a pixel for so many pixels of an object's side, up to the tolerance."""


def growth_pairs(
    segmenter: Segmenter,
    views: tuple[DateView, DateView],
    dates: Sequence[Sequence[Candidate]],
    tolerance: int,
    smallest: int,
) -> tuple[list[tuple[Candidate, Candidate]], NDArray[np.float32]]:
    """Pairs of candidates of the two dates, the larger holding the smaller one.

    Parameters
    ----------
    segmenter : Segmenter
    views : tuple of DateView
    dates : sequence of sequence of Candidate
        Of each date, pixels of the window.
    tolerance, smallest : int
        As in `rsam_core.change.CompareSettings`.

    Returns
    -------
    pairs : list of (Candidate, Candidate)
        The smaller one first; a few for each smaller one at most.
    table : ndarray of float32, shape (N, len(GROWTH_COLUMNS))
    """
    sound = [
        [c for c in some if c.item.score >= _SOUND and c.item.source not in (SPOT, COVER)]
        for some in dates
    ]
    there = [_there(sound[date], sound[1 - date]) for date in (0, 1)]
    pairs: list[tuple[Candidate, Candidate]] = []
    rows: list[NDArray[np.float32]] = []
    for small_date in (0, 1):
        large_date = 1 - small_date
        smalls, larges = sound[small_date], sound[large_date]
        best: dict[int, list[tuple[float, int, Instance]]] = {}
        for i, j in meeting([c.item for c in smalls], [c.item for c in larges]):
            small, large = smalls[i].item, larges[j].item
            if not _LARGER * small.area < large.area < 3 * small.area:
                continue
            if there[small_date][i] > _THERE or there[large_date][j] > _THERE:
                continue
            if contained(small, large) < _HELD:
                continue
            slack = min(tolerance, max(int(np.sqrt(small.area) / _SIDES), 1))
            rest = remainder(large, small, slack)
            if rest is None:
                continue
            if np.count_nonzero(rest.mask) < max(smallest / 4, _PIECE * small.area):
                continue
            piece = Instance(rest.mask, rest.x, rest.y, large.score)
            best.setdefault(i, []).append((small.score + large.score, j, piece))
        chosen = [
            (i, j, piece)
            for i, some in best.items()
            for _, j, piece in sorted(some, key=lambda entry: -entry[0])[:_MOST]
        ]
        pieces = [piece for _, _, piece in chosen]
        evidence = gather(segmenter, pieces, views[large_date], views[small_date])
        for (i, j, _), row in zip(chosen, evidence.table):
            small, large = smalls[i], larges[j]
            more = [
                small.item.score,
                large.item.score,
                np.log(large.item.area / small.item.area),
                contained(small.item, large.item),
                there[small_date][i],
                there[large_date][j],
                *said(small.chances),
                *said(large.chances),
                float(_one_kind(small, large)),
                float(large_date),
            ]
            pairs.append((small, large))
            rows.append(np.concatenate([row, np.array(more, np.float32)]))
    table = np.array(rows, np.float32).reshape(len(rows), len(GROWTH_COLUMNS))
    return pairs, table


def _one_kind(first: Candidate, second: Candidate) -> bool:
    """Whether two candidates may be one object, by what they are."""
    return first.kind == second.kind or {first.kind, second.kind} & {UNSURE, None} != set()


def _there(items: Sequence[Candidate], others: Sequence[Candidate]) -> NDArray[np.float64]:
    """Of each candidate, the best IoU with one of the other date."""
    best = np.zeros(len(items))
    for i, j in meeting([c.item for c in items], [c.item for c in others]):
        first, second = items[i].item, others[j].item
        shared = shared_pixels(first, second)
        best[i] = max(best[i], shared / (first.area + second.area - shared))
    return best
