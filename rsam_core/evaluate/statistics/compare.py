"""Is one better than the other? Two methods, models or data sets, with the interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.results import MEASURES, Evaluation
from rsam_core.evaluate.statistics.bootstrap import Interval
from rsam_core.evaluate.statistics.clustered import clustered_interval, signed, unpaired_difference

LOWER_IS_BETTER = ("fpr", "hausdorff_95")


@dataclass(frozen=True)
class Comparison:
    """The difference between two sets of results.

    Attributes
    ----------
    first, second : str
        What is compared.
    measure : str
        Column that is compared.
    first_mean, second_mean : float
        Over the objects compared.
    difference : Interval
        Mean of second − first; images are drawn for the interval. `n` is the number of pairs
        (or of the smaller side, if not paired).
    paired : bool
        Whether the same objects were compared.
    share_better : float
        Share of the pairs in which the second is better; nan if not paired.
    """

    first: str
    second: str
    measure: str
    first_mean: float
    second_mean: float
    difference: Interval
    paired: bool
    share_better: float

    @property
    def text(self) -> str:
        """The finding in one sentence."""
        d, title = self.difference, MEASURES.get(self.measure, self.measure)
        better = (d.value < 0) == (self.measure in LOWER_IS_BETTER)
        if not np.isfinite(d.low):
            return (
                f"{self.second} against {self.first}: mean {title} {self.second_mean:.3f} against "
                f"{self.first_mean:.3f}; too few objects for an interval."
            )
        bounds = f"{signed(d.value)}, 95 % interval {signed(d.low)} to {signed(d.high)}"
        pairs = f"{d.n} objects, paired" if self.paired else "different objects, not paired"
        if not d.excludes_zero:
            return (
                f"No clear difference in {title} between {self.second} ({self.second_mean:.3f}) "
                f"and {self.first} ({self.first_mean:.3f}): {bounds} ({pairs})."
            )
        word = "better" if better else "worse"
        return (
            f"{self.second} ({title} {self.second_mean:.3f}) is {word} than {self.first} "
            f"({self.first_mean:.3f}): {bounds} ({pairs})."
        )


def compare_methods(
    evaluation: Evaluation,
    first: str,
    second: str,
    measure: str = "iou",
    *,
    other: Evaluation | None = None,
) -> Comparison:
    """Compare two methods on the same objects, or one across two evaluations.

    Parameters
    ----------
    evaluation : Evaluation
        Where `first` was evaluated.
    first, second : str
        Keys of methods.
    measure : str
        A column of :attr:`Evaluation.objects`.
    other : Evaluation, optional
        Where `second` was evaluated; the same by default. Objects of the same image, number and
        area are paired; if none are, the two means are compared unpaired.

    Raises
    ------
    EvaluationError
        If a method or measure was not evaluated, or there are no objects.
    """
    same = other is None or other is evaluation
    other = evaluation if other is None else other
    one, two = evaluation.of(first), other.of(second)
    if measure not in one or measure not in two:
        raise EvaluationError(f"“{measure}” was not computed in both evaluations.")
    if not len(one) or not len(two):
        raise EvaluationError("There are no objects to compare.")
    names = [evaluation.info(first).title, other.info(second).title]
    if not same:
        if first == second and evaluation.name != other.name:
            names = [evaluation.name, other.name]
        else:
            names = [f"{names[0]} on {evaluation.name}", f"{names[1]} on {other.name}"]
    both = one.merge(two, on=["image", "object", "area"], suffixes=("_1", "_2"))
    # Means over two different sets of images must not be called a paired difference of one.
    if same or len(both) == len(one) == len(two):
        a, b = both[f"{measure}_1"].to_numpy(float), both[f"{measure}_2"].to_numpy(float)
        good = np.isfinite(a) & np.isfinite(b)
        a, b = a[good], b[good]
        difference = clustered_interval(
            b - a, both["image"].to_numpy()[good], seed=evaluation.settings.seed
        )
        won = (b < a) if measure in LOWER_IS_BETTER else (b > a)
        share = float(won.mean()) if len(won) else float("nan")
        means = (float(a.mean()), float(b.mean())) if len(a) else (np.nan, np.nan)
        return Comparison(names[0], names[1], measure, *means, difference, True, share)
    difference = unpaired_difference(
        one[measure], one["image"], two[measure], two["image"], seed=evaluation.settings.seed
    )
    return Comparison(
        names[0],
        names[1],
        measure,
        float(one[measure].replace(np.inf, np.nan).mean()),
        float(two[measure].replace(np.inf, np.nan).mean()),
        difference,
        False,
        float("nan"),
    )
