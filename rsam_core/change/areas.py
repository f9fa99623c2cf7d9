"""Areas of change: changed objects that lie close to each other, joined.

A new estate is twenty new houses, their yards and the lanes between them. Whoever asks where
something changed wants the estate; whoever asks how many houses came wants the houses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from rsam_core.change.findings import AREA, KINDS, Change
from rsam_core.change.pairing import meeting
from rsam_core.errors import ChangeError
from rsam_core.objects.crops import Crop, clip, cut_out, paste, shared_pixels, span
from rsam_core.objects.instance import Instance

APART = 12.0
"""Metres between changed objects up to which they make one area, as a rule."""

GAP = 12
"""Half of that in pixels of half a metre, on which it was chosen."""


@dataclass(frozen=True, eq=False)
class Area(Change):
    """Changes that lie close to each other, as one; its outline is that of the ground they take.

    Attributes
    ----------
    members : tuple of Change
        The changes; their kinds, in numbers, are its reason.
    """

    members: tuple[Change, ...] = ()


def gap_of(apart: float, gsd: float | None) -> int:
    """The `gap` that joins what lies up to so many metres apart; pixels where `gsd` is None."""
    return max(round(apart / (gsd or 1.0) / 2), 0)


def changed_part(change: Change) -> Crop:
    """The pixels that changed: of what became larger or smaller, what came or went."""
    ends = [item for item in (change.before, change.after) if item is not None]
    box = span(ends)
    parts = [cut_out(item, box) for item in ends]
    sized = change.change in ("enlarged", "shrunk")
    return Crop(parts[0] ^ parts[1] if sized else np.logical_or.reduce(parts), box[0], box[1])


def areas_of(changes: Sequence[Change], shape: tuple[int, int], gap: int = GAP) -> tuple[Area, ...]:
    """Join changes that lie up to twice `gap` pixels apart.

    Parameters
    ----------
    changes : sequence of Change
        What did not change is left out.
    shape : (int, int)
        Height and width of the common grid; areas end at its edges.
    gap : int
        Half of the widest distance that is bridged, pixels.

    Returns
    -------
    tuple of Area
        The largest first, numbered from 1; as sure as the surest of their changes.

    Raises
    ------
    ChangeError
        The gap is below 0.
    """
    if gap < 0:
        raise ChangeError("What lies 0 or more pixels apart may be joined.")
    some = [change for change in changes if change.change != KINDS[-1]]
    parts = [changed_part(change) for change in some]
    filled = [k for k, part in enumerate(parts) if part.mask.any()]
    some, parts = [some[k] for k in filled], [parts[k] for k in filled]
    found: list[tuple[Instance, tuple[Change, ...]]] = []
    for group in _groups(parts, gap):
        for item in _joined([parts[k] for k in group], shape, gap):
            members = tuple(some[k] for k in group if shared_pixels(parts[k], item))
            found.append((item, members))
    found.sort(key=lambda entry: (-entry[0].area, entry[0].y, entry[0].x))
    return tuple(_area(number, *entry) for number, entry in enumerate(found, 1))


def members_of(changes: Sequence[Change]) -> list[Change]:
    """The single changes of which areas are made, each once; others stay as they are."""
    known: dict[int, Change] = {}
    for change in changes:
        for one in change.members if isinstance(change, Area) else (change,):
            known.setdefault(id(one), one)
    return list(known.values())


def counted(changes: Sequence[Change]) -> str:
    """How many of each kind, such as "3 new, 1 gone"."""
    counts = Counter(change.change for change in changes)
    return ", ".join(f"{counts[kind]:,} {kind}" for kind in KINDS if counts[kind])


def noun_of(changes: Sequence[Change]) -> str:
    """What they are called together: "areas", or "changes"."""
    return "areas" if any(isinstance(change, Area) for change in changes) else "changes"


def _area(number: int, item: Instance, members: tuple[Change, ...]) -> Area:
    sure = [m.probability for m in members if not np.isnan(m.probability)]
    kinds = {m.kind for m in members}
    one = members[0] if len(kinds) == 1 else None
    few = "1 change" if len(members) == 1 else f"{len(members):,} changes close to each other"
    return Area(
        number, AREA, max(sure, default=float("nan")), item, item,
        one.kind if one is not None else None, reason=f"{few}: {counted(members)}",
        members=members,
    )  # fmt: skip


def _groups(parts: Sequence[Crop], gap: int) -> list[list[int]]:
    """Positions of parts that may touch each other once they are widened by `gap`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not parts:
        return []
    reach = gap + 1
    boxes = [
        Crop(np.broadcast_to(np.True_, tuple(n + 2 * reach for n in part.mask.shape)),
             part.x - reach, part.y - reach)
        for part in parts
    ]  # fmt: skip
    rows, columns = np.array(meeting(boxes, boxes)).T
    near = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(parts),) * 2)
    _, labels = connected_components(near, directed=False)
    order = np.argsort(labels, kind="stable")
    return [some.tolist() for some in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)]


def _joined(parts: Sequence[Crop], shape: tuple[int, int], gap: int) -> list[Instance]:
    """Parts that touch once they are widened by `gap`, as one; narrowed again by as much."""
    x0, y0, x1, y1 = span(parts)
    margin = 2 * gap
    left, top = x0 - margin, y0 - margin
    canvas = np.zeros((y1 - y0 + 2 * margin, x1 - x0 + 2 * margin), np.uint8)
    for part in parts:
        paste(canvas, part, left, top, 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * gap + 1, 2 * gap + 1))
    wide = cv2.dilate(canvas, kernel)
    narrow = cv2.erode(wide, kernel) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(wide, connectivity=8)
    result = []
    for k in range(1, count):
        x, y, w, h, _ = stats[k]
        rows, columns = slice(y, y + h), slice(x, x + w)
        mask = narrow[rows, columns] & (labels[rows, columns] == k)
        seen = clip(Crop(mask, left + int(x), top + int(y)), (0, 0, shape[1], shape[0]))
        if seen.mask.any():
            result.append(Instance(seen.mask, seen.x, seen.y, source="area"))
    return result
