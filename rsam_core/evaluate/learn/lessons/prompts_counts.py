"""The counts of lesson 3: a point against a box, on small and on large objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rsam_core.evaluate.learn.lessons.prompts_objects import target

EQUAL = 0.01
"""Two IoUs that differ by less are equally good."""


@dataclass(frozen=True)
class Tally:
    """How often a point did better than a box.

    Attributes
    ----------
    point, box, equal : int
        Objects on which the point was better, the box, and neither.
    """

    point: int = 0
    box: int = 0
    equal: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.point + other.point, self.box + other.box, self.equal + other.equal)

    @property
    def total(self) -> int:
        """All objects."""
        return self.point + self.box + self.equal

    @property
    def winner(self) -> str:
        """``"point"``, ``"box"``, or ``"neither"``, by the majority of those that differ."""
        if self.point == self.box:
            return "neither"
        return "point" if self.point > self.box else "box"

    @property
    def chance(self) -> float:
        """How often tossing a coin would be as one-sided: the sign test, two-sided, 0 to 1."""
        from scipy.stats import binomtest

        count = self.point + self.box
        return float(binomtest(self.point, count).pvalue) if count else 1.0


def tallied(results: Mapping[str, tuple[float, float]]) -> dict[str, Tally]:
    """Count who was better on small and on large objects.

    Parameters
    ----------
    results : mapping of str to (float, float)
        IoU of a point and of a box, by the key of the target.

    Returns
    -------
    dict of str to Tally
        Of ``"small"`` and ``"large"``.
    """
    counts = {"small": Tally(), "large": Tally()}
    for key, (point, box) in results.items():
        size = "large" if target(key).large else "small"
        if abs(point - box) < EQUAL:
            one = Tally(equal=1)
        else:
            one = Tally(point=1) if point > box else Tally(box=1)
        counts[size] = counts[size] + one
    return counts
