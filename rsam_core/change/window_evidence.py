"""One window of two dates: its objects, what speaks for a change of each, what outgrew what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment
from rsam_core.change.compared import CompareSettings
from rsam_core.change.cover import cover_areas
from rsam_core.change.date_view import DateView
from rsam_core.change.decide import needed
from rsam_core.change.evidence import Evidence, gather
from rsam_core.change.findings import PLACES, Candidate, Growth
from rsam_core.change.growths import growth_pairs
from rsam_core.change.judge import load_judge
from rsam_core.change.kinds import kinds_of
from rsam_core.change.objects_of import candidates, find_objects, places_of_difference, unexplained
from rsam_core.change.pairing import meeting
from rsam_core.errors import Cancelled
from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.runtime.progress import Progress
from rsam_core.scene.window import Window
from rsam_core.segment.segmenter import Segmenter

LISTED = 25
"""Windows up to which objects that did not change are listed, too; in larger scenes they would
take more memory than all the rest."""

_AGAIN = 0.7
"""IoU from which on an object of one date was found at the other date, too, so that the model need
not be asked for it."""


@dataclass(frozen=True, eq=False)
class WindowEvidence:
    """What is known of one window.

    Attributes
    ----------
    views : tuple of DateView
    valid : ndarray of bool, shape (h, w)
    items : tuple of list of Instance
        Candidates of both dates, pixels of the window.
    evidence : tuple of Evidence
    """

    views: tuple[DateView, DateView]
    valid: NDArray[np.bool_]
    items: tuple[list[Instance], list[Instance]]
    evidence: tuple[Evidence, Evidence]


def prepare_window(
    segmenter: Segmenter,
    alignment: Alignment,
    window: Window,
    settings: CompareSettings,
    given: Sequence[list[Instance] | None] = (None, None),
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> WindowEvidence | None:
    """Find candidates of both dates in a window and compare each with the other date.

    None where hardly anything of the window is shown at both dates.
    """
    first, second, valid = alignment.read(window)
    if valid.mean() < 0.02:
        return None
    views = tuple(DateView(image, segmenter.embed(image)) for image in (first, second))
    search = all(some is None for some in given)
    places = places_of_difference(*views, valid, settings.smallest) if search else []
    objects: list[list[Instance]] = []
    for date in (0, 1):
        start = 0.35 * date

        def tell(share: float, text: str, start: float = start) -> None:
            if progress is not None:
                progress(start + 0.3 * share, text)

        if search:
            found = find_objects(segmenter, views[date], settings.everything, tell, cancelled)
        else:
            found = list(given[date] or ())
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        objects.append(found)
    places = unexplained(places, [*objects[0], *objects[1]])
    items = [
        candidates(segmenter, view, found, places, settings.smallest, valid, cancelled)
        for view, found in zip(views, objects)
    ]
    if search:
        covers = cover_areas(segmenter, views, valid, settings.smallest, cancelled)
        items = [[*some, *areas] for some, areas in zip(items, covers)]
    evidence = []
    for date in (0, 1):
        if progress is not None:
            progress(0.75 + 0.12 * date, "comparing")
        known = _found_there(items[date], items[1 - date])
        evidence.append(
            gather(segmenter, items[date], views[date], views[1 - date], known, cancelled)
        )
    return WindowEvidence(views, valid, tuple(items), tuple(evidence))


def _found_there(items: list[Instance], others: list[Instance]) -> list[Instance | None]:
    """For each object what was found at its place at the other date; None where that is open."""
    best: list[tuple[float, Instance | None]] = [(_AGAIN, None)] * len(items)
    theirs = [other for other in others if other.source not in PLACES]
    for i, j in meeting(items, theirs):
        shared = shared_pixels(items[i], theirs[j])
        overlap = shared / (items[i].area + theirs[j].area - shared)
        if overlap > best[i][0]:
            best[i] = overlap, theirs[j]
    return [one for _, one in best]


def window_candidates(
    segmenter: Segmenter,
    found: WindowEvidence,
    window: Window,
    windows: list[Window],
    settings: CompareSettings,
) -> tuple[list[Candidate], list[Growth], bool]:
    """Candidates of a window in pixels of the grid; those of which another window sees more go."""
    judge = load_judge()
    chances = [judge.probabilities(evidence.table) for evidence in found.evidence]
    dates, named = as_candidates(segmenter, found, chances)
    growths = _growths(segmenter, found, dates, settings)
    kept = [one for some in dates for one in some if _is_own(one.item, window, windows)]
    kept = needed(kept, settings.tolerance, unchanged=len(windows) <= LISTED)
    moved: dict[int, Candidate] = {}

    def shifted(one: Candidate) -> Candidate:
        # One and the same stays one, whether it stands alone or as the end of a growth.
        if id(one) not in moved:
            moved[id(one)] = _moved(one, window)
        return moved[id(one)]

    return (
        [shifted(one) for one in kept],
        [
            Growth(shifted(g.small), shifted(g.large), g.chance)
            for g in growths
            if _is_own(g.large.item, window, windows)
        ],
        named,
    )


def as_candidates(
    segmenter: Segmenter, found: WindowEvidence, chances: Sequence[NDArray[np.float32]]
) -> tuple[list[list[Candidate]], bool]:
    """The objects of each date with what is said of them, and whether the model names them."""
    dates: list[list[Candidate]] = []
    named = False
    for date in (0, 1):
        kinds = kinds_of(segmenter, found.views[date], found.items[date])
        there = kinds_of(segmenter, found.views[1 - date], found.items[date])
        named = named or kinds is not None
        dates.append([
            Candidate(item, date, chances[date][k], found.evidence[date].others[k],
                      *(kinds[k] if kinds else (None, float("nan"))),
                      there[k][0] if there else None)
            for k, item in enumerate(found.items[date])
        ])  # fmt: skip
    return dates, named


def _moved(one: Candidate, window: Window) -> Candidate:
    def shifted(item: Instance | None) -> Instance | None:
        return item and replace(item, x=item.x + window.x, y=item.y + window.y)

    return replace(one, item=shifted(one.item), other=shifted(one.other))


def _is_own(item: Instance, window: Window, windows: list[Window]) -> bool:
    """Whether a window is the one in whose middle an object lies, of those that see it."""
    if len(windows) == 1:
        return True
    x = (item.bbox[0] + item.bbox[2]) / 2 + window.x
    y = (item.bbox[1] + item.bbox[3]) / 2 + window.y

    def depth(w: Window) -> float:
        return min(x - w.x, w.x + w.width - x, y - w.y, w.y + w.height - y)

    best = max(windows, key=depth)
    return best is window


def _growths(
    segmenter: Segmenter,
    found: WindowEvidence,
    dates: list[list[Candidate]],
    settings: CompareSettings,
) -> list[Growth]:
    """Objects whose outline at one date holds that of the other date, and more."""
    pairs, table = growth_pairs(
        segmenter, found.views, dates, settings.tolerance, settings.smallest
    )
    chances = load_judge().grew(table)
    return [Growth(small, large, float(c)) for (small, large), c in zip(pairs, chances)]
