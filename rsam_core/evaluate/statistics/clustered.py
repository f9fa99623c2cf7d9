"""Intervals for objects that come in images: whole images are drawn, with all their objects.

Objects of one image resemble one another, so drawing them one by one would make the interval too
narrow. The mean is over all objects; the cluster bootstrap draws images with replacement.

References
----------
.. [1] A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application", 1997,
   section 3.8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.evaluate.statistics.bootstrap import RESAMPLES, Interval, interval


def clustered_interval(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of values with a percentile interval from drawing whole clusters.

    Parameters
    ----------
    values : array_like of float, shape (N,)
        One an object; values that are not finite are left out.
    clusters : array_like, shape (N,)
        The image of each object. With fewer than two, objects are drawn instead.
    level : float
        Confidence.
    seed, resamples : int
        Of the drawing, and how often.

    Returns
    -------
    Interval
        `n` is the number of objects.
    """
    numbers, names = _finite(values, clusters)
    kinds = len(np.unique(names))
    if kinds < 2:
        return interval(numbers, level=level, seed=seed, resamples=resamples)
    draws = _draws(numbers, names, seed, resamples)
    return _percentile(float(numbers.mean()), draws, len(numbers), level)


def ratio_interval(
    parts: ArrayLike,
    wholes: ArrayLike,
    *,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Sum of parts over sum of wholes, such as matched over true objects of all images.

    Parameters
    ----------
    parts, wholes : array_like of float, shape (N,)
        One value an image. Whole images are drawn for the bounds; draws in which the sum of
        wholes is 0 are left out.
    level, seed, resamples
        As for :func:`clustered_interval`.

    Returns
    -------
    Interval
        `n` is the number of images; the value is nan if the sum of wholes is 0.
    """
    parts, wholes = (np.asarray(values, float).ravel() for values in (parts, wholes))
    n = len(parts)
    value = float(parts.sum() / wholes.sum()) if wholes.sum() else float("nan")
    if n < 2 or not wholes.sum():
        return Interval(value, np.nan, np.nan, n, level, "none")
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    whole = drawn @ wholes
    draws = (drawn @ parts)[whole > 0] / whole[whole > 0]
    return _percentile(value, draws, n, level)


def unpaired_difference(
    first: ArrayLike,
    first_clusters: ArrayLike,
    second: ArrayLike,
    second_clusters: ArrayLike,
    *,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of second − mean of first, the images of each drawn on their own."""
    one, names_one = _finite(first, first_clusters)
    two, names_two = _finite(second, second_clusters)
    if not len(one) or not len(two):
        return Interval(np.nan, np.nan, np.nan, 0, level, "none")
    difference = float(two.mean() - one.mean())
    n = min(len(one), len(two))
    if n < 2:
        return Interval(difference, np.nan, np.nan, n, level, "none")
    # Objects stand for themselves where there is one image only.
    if len(np.unique(names_one)) < 2:
        names_one = np.arange(len(one))
    if len(np.unique(names_two)) < 2:
        names_two = np.arange(len(two))
    draws = _draws(two, names_two, seed, resamples) - _draws(one, names_one, seed + 1, resamples)
    return _percentile(difference, draws, n, level)


def signed(value: float) -> str:
    """A difference with its sign, three decimals."""
    return f"{value:+.3f}".replace("-", "−")


def _finite(values: ArrayLike, clusters: ArrayLike) -> tuple[NDArray[np.float64], NDArray]:
    numbers, names = np.asarray(values, float).ravel(), np.asarray(clusters).ravel()
    good = np.isfinite(numbers)
    return numbers[good], names[good]


def _percentile(value: float, draws: NDArray[np.float64], n: int, level: float) -> Interval:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), n, level, "percentile")


def _draws(
    numbers: NDArray[np.float64], names: NDArray, seed: int, resamples: int
) -> NDArray[np.float64]:
    """Means of drawn clusters: sums and counts of each weigh as often as it was drawn."""
    _, index = np.unique(names, return_inverse=True)
    kinds = int(index.max()) + 1
    sums, counts = np.bincount(index, numbers), np.bincount(index)
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(kinds, np.full(kinds, 1 / kinds), size=resamples)
    return (weights @ sums) / (weights @ counts)
