"""What a rendered pair of dates holds: two pictures and the exact truth of what changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rsam_core.samples.town import TownSample

CHANGES: tuple[str, ...] = (
    "built",
    "demolished",
    "extended",
    "reduced",
    "reroofed",
    "damaged",
    "flooded",
    "cleared",
    "cars",
)
"""Kinds of change that :func:`rsam_core.samples.render_pair` draws, in this order."""

GRADES: tuple[str, ...] = ("no visible damage", "possibly damaged", "damaged", "destroyed")
"""Grades of damage, lightest first."""


@dataclass(frozen=True, eq=False)
class Footprint:
    """The visible pixels of an object: a cropped mask and the place of its top-left pixel."""

    mask: NDArray[np.bool_]
    x: int
    y: int

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.mask))


@dataclass(frozen=True, eq=False)
class ChangeRecord:
    """What became of one object between the dates.

    Attributes
    ----------
    kind : str
        One of :data:`CHANGES`, or "unchanged".
    cls : str
        Class of the object as in :class:`rsam_core.samples.TownSample` ("roof", "car", "tree",
        "water", ...).
    before, after : Footprint or None
        Its pixels at each date **in the grid of the first date**, None where it is not there.
    grade : str
        One of :data:`GRADES`; above the first only for what was damaged.
    """

    kind: str
    cls: str
    before: Footprint | None
    after: Footprint | None
    grade: str = GRADES[0]

    def changed_mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Where the ground looks another way because of this, (H, W).

        What was added or taken away of an object that is larger or smaller than before, else all
        of its pixels.
        """
        first, second = paste(self.before, shape), paste(self.after, shape)
        if self.kind in ("extended", "reduced"):
            return first ^ second
        return first | second


@dataclass(frozen=True, eq=False)
class PairSample:
    """One invented place at two dates.

    Attributes
    ----------
    before, after : TownSample
        Pictures and labels, each in its own grid; both carry the same georeference, so that
        `matrix` is an error of georeferencing.
    records : tuple of ChangeRecord
        What changed.
    unchanged : tuple of ChangeRecord
        Buildings that stand the same at both dates.
    matrix : ndarray of float64, shape (3, 3)
        From pixels of the first date to pixels of the second (continuous coordinates, origin at
        the top-left corner).
    clouds : ndarray of bool, shape (H, W)
        Where clouds hide the second date, in the grid of the second date.
    """

    before: TownSample
    after: TownSample
    records: tuple[ChangeRecord, ...] = field(repr=False)
    unchanged: tuple[ChangeRecord, ...] = field(repr=False)
    matrix: NDArray[np.float64]
    clouds: NDArray[np.bool_] = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the first date in pixels."""
        return self.before.labels.shape

    def changed(self, kinds: Collection[str] = CHANGES) -> NDArray[np.bool_]:
        """Where something of these kinds changed, (H, W) bool in the grid of the first date."""
        result = np.zeros(self.shape, bool)
        for record in self.records:
            if record.kind in kinds:
                result |= record.changed_mask(self.shape)
        return result


def paste(footprint: Footprint | None, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """A footprint as a mask of the whole picture, (H, W)."""
    result = np.zeros(shape, bool)
    if footprint is not None:
        h, w = footprint.mask.shape
        result[footprint.y : footprint.y + h, footprint.x : footprint.x + w] = footprint.mask
    return result


def footprint_of(mask: NDArray[np.bool_]) -> Footprint | None:
    """The tight crop of a mask; None if it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    return Footprint(mask[top : rows[-1] + 1, left : columns[-1] + 1].copy(), left, top)
