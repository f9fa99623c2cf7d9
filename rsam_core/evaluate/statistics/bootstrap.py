"""How sure a figure is: bootstrap intervals over images or objects.

A mean of five images says little without its interval. The interval tells within which bounds
the figure would probably lie for other images (or objects) of the same kind; if there are fewer
than two of them, nothing can be said, and the bounds are nan.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError
from rsam_core.evaluate.metrics.counts import Counts

Method = Literal["bca", "percentile"]
Statistic = Literal["mean", "median"]

RESAMPLES = 2000
MAX_BCA = 2000
"""Beyond so many values the correction is negligible, and it takes time by their square."""


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds within which it probably lies.

    Attributes
    ----------
    value : float
        The figure itself.
    low, high : float
        Bounds; nan if there are fewer than two values.
    n : int
        Number of values (images, objects or pairs) behind it.
    level : float
        Confidence, 0.95 for example.
    method : {"bca", "percentile", "none"}
        How the bounds were found; "none" if there are fewer than two values.
    """

    value: float
    low: float
    high: float
    n: int
    level: float = 0.95
    method: str = "bca"

    def __str__(self) -> str:
        if not np.isfinite(self.low):
            return f"{self.value:.3f} (n = {self.n}: too few for an interval)"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}], n = {self.n}"

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the bounds: for a difference, whether it is clear."""
        return bool(self.low > 0 or self.high < 0)

    def to_dict(self) -> dict[str, Any]:
        """All fields by name."""
        return asdict(self)


def interval(
    values: ArrayLike,
    statistic: Statistic = "mean",
    *,
    level: float = 0.95,
    method: Method = "bca",
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the mean or median of values with its bootstrap interval.

    Parameters
    ----------
    values : array_like of float, shape (N,)
        One value an image or object. Values that are not finite are left out, and `n` is smaller
        then.
    statistic : {"mean", "median"}
    level : float
        Confidence, between 0 and 1.
    method : {"bca", "percentile"}
        Bias-corrected and accelerated [1]_, or plain percentiles [2]_. Where the former is not
        defined (all values equal, say), and beyond 2,000 values, the latter takes its place.
    seed : int
        Of the resampling; the same seed gives the same bounds.
    resamples : int
        How often to draw.

    Returns
    -------
    Interval

    Raises
    ------
    MetricError
        If the level is out of range.

    References
    ----------
    .. [1] Bradley Efron, "Better bootstrap confidence intervals", JASA 82, 1987.
    .. [2] Bradley Efron, Robert J. Tibshirani, "An introduction to the bootstrap", 1993.
    """
    functions = {"mean": np.mean, "median": np.median}
    if statistic not in functions:
        raise MetricError(f"There is no statistic {statistic!r}. Use 'mean' or 'median'.")
    values = np.asarray(values, dtype=float).ravel()
    values = values[np.isfinite(values)]
    function = functions[statistic]
    return _bootstrap(
        len(values),
        lambda index, axis=-1: function(values[index], axis=axis),
        level,
        method,
        seed,
        resamples,
        vectorized=True,
    )


def counts_interval(
    counts: Sequence[Counts],
    metric: Callable[[Counts], float],
    *,
    level: float = 0.95,
    method: Method = "bca",
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return a metric of the summed counts of several images, with its interval.

    Whole images are drawn, so that the interval respects that pixels of an image belong together.

    Parameters
    ----------
    counts : sequence of Counts
        One an image (or an object).
    metric : callable
        For example :func:`rsam_core.evaluate.metrics.iou`.
    level, method, seed, resamples
        As for :func:`interval`.
    """
    table = np.array([(c.tp, c.fp, c.fn, c.tn) for c in counts], dtype=np.int64).reshape(-1, 4)

    def value(index: NDArray[np.int64]) -> float:
        return metric(Counts(*table[index].sum(axis=0).tolist()))

    return _bootstrap(len(table), value, level, method, seed, resamples, vectorized=False)


def _bootstrap(
    n: int,
    function: Callable[..., Any],
    level: float,
    method: Method,
    seed: int,
    resamples: int,
    vectorized: bool,
) -> Interval:
    """Interval of a function of the positions 0 to n − 1, drawn with replacement."""
    from scipy import stats

    if not 0 < level < 1:
        raise MetricError(f"A confidence level lies between 0 and 1; {level!r} does not.")
    if method not in ("bca", "percentile"):
        raise MetricError(f"There is no method {method!r}. Use 'bca' or 'percentile'.")
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0, level, "none")
    everything = np.arange(n)
    value = float(function(everything))
    if n == 1:
        return Interval(value, np.nan, np.nan, 1, level, "none")
    # Not `catch_warnings`: that swaps global state and is unsafe between threads.
    warnings.filterwarnings("ignore", category=stats.DegenerateDataWarning)
    for name in ("bca", "percentile") if method == "bca" and n <= MAX_BCA else ("percentile",):
        with np.errstate(all="ignore"):
            found = stats.bootstrap(
                (everything,),
                function,
                n_resamples=resamples,
                # Bounds the memory that drawing thousands of objects takes.
                batch=max(1, min(resamples, 4_000_000 // n)),
                vectorized=vectorized,
                confidence_level=level,
                method="BCa" if name == "bca" else "percentile",
                rng=np.random.default_rng(seed),
            ).confidence_interval
        low, high = float(found.low), float(found.high)
        if np.isfinite([low, high]).all():
            return Interval(value, low, high, n, level, name)
    return Interval(value, np.nan, np.nan, n, level, "none")
