"""What is said of objects and places on the way to a verdict, and the verdict itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.judge import changed
from rsam_core.objects.instance import Instance

SPOT, SPOT_BOX, COVER = "difference", "difference box", "cover"
"""Sources of what was not found as an object: a place where the dates differ, what the model
outlines there, and an area of water or trees."""

PLACES = (SPOT, SPOT_BOX, COVER)

DIFFERENT = "different"
"""What methods say that compare pixels: they know no objects."""

AREA = "area of change"
"""What is said of changes that lie close together and count as one."""

KINDS = ("new", "gone", "enlarged", "shrunk", "changed inside", DIFFERENT, AREA, "unchanged")
"""What may be said of a place; the last is the only one that is no change."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """An object of one date with what is said of it, in pixels of the common grid.

    Attributes
    ----------
    item : Instance
    date : int
        0 or 1: the date at which it was found.
    chances : ndarray of float32, shape (5,)
        Probability of each of :data:`rsam_core.change.judge.CLASSES`.
    other : Instance or None
        What the model outlines at the same place at the other date.
    kind : str or None
        What it is; None where nobody says.
    kind_probability : float
    kind_there : str or None
        What lies at the same place at the other date.
    """

    item: Instance
    date: int
    chances: NDArray[np.float32]
    other: Instance | None = None
    kind: str | None = None
    kind_probability: float = float("nan")
    kind_there: str | None = None

    @property
    def changed(self) -> float:
        """Probability that it is not the same at the other date."""
        return float(changed(self.chances))

    @property
    def drawn(self) -> bool:
        """Whether a person or a layer gave it."""
        return self.item.source not in ("everything", *PLACES)


@dataclass(frozen=True, eq=False)
class Growth:
    """An object that seems larger at one date, and what is said of the part that came.

    Attributes
    ----------
    small, large : Candidate
        The same object at the two dates.
    chance : float
        Probability that the object really became larger or smaller.
    """

    small: Candidate
    large: Candidate
    chance: float


@dataclass(frozen=True, eq=False)
class Change:
    """The verdict on one object.

    Attributes
    ----------
    id : int
        From 1.
    change : str
        One of :data:`KINDS`.
    probability : float
        Of that verdict, 0 to 1.
    before, after : Instance or None
        Its outline at each date in pixels of the common grid.
    kind : str or None
        What it is ("building", ...), None where the model cannot say.
    kind_probability : float
        nan without a kind.
    reason : str
        In words for people.
    """

    id: int
    change: str
    probability: float
    before: Instance | None
    after: Instance | None
    kind: str | None = None
    kind_probability: float = float("nan")
    reason: str = ""

    @property
    def outline(self) -> Instance:
        """The outline to show: at the second date, or at the first where it is gone."""
        return self.after if self.after is not None else self.before
