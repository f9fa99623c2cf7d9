"""How buildings change from date to date: a rise that lasts counts, one odd date hardly does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import AlignSettings
from rsam_core.change.alignment import align
from rsam_core.change.appearance import COLUMNS, looks
from rsam_core.change.apply.question import Dated
from rsam_core.change.summary import years_between
from rsam_core.errors import ApplyError, ChangeError
from rsam_core.objects.instance import Instance


def times(dates: Sequence[str]) -> NDArray[np.float64] | None:
    """Years of every later date since the first one, shape (K,); None where a date is not known.

    Raises
    ------
    ApplyError
        They are not in the order of time.
    """
    try:
        years = [years_between(dates[0], date) for date in dates[1:]]
        for one, two in pairwise(dates):
            years_between(one, two)
    except ChangeError as error:
        raise ApplyError(str(error)) from error
    return None if any(span is None for span in years) else np.array(years, float)


def rise(values: NDArray[np.float64], when: NDArray[np.float64]) -> NDArray[np.float64]:
    """Change over the whole time by the straight line from nothing that fits best.

    Parameters
    ----------
    values : ndarray of float64, shape (K, N, …)
        Since the first date, at each later one; NaN where a building is not visible.
    when : ndarray of float64, shape (K,)
        Time since the first date, above 0.

    Returns
    -------
    ndarray of float64, shape (N, …)
        T Σ tₖ vₖ / Σ tₖ² over the dates that show the building, T being the last time; of one
        date alone its value. NaN where none does.
    """
    t = when.reshape(-1, *[1] * (values.ndim - 1))
    known = np.isfinite(values)
    below = (np.where(known, t, 0.0) ** 2).sum(axis=0)
    above = np.where(known, t * np.nan_to_num(values), 0.0).sum(axis=0)
    return np.where(below > 0, when[-1] * above / np.where(below > 0, below, 1.0), np.nan)


def since(scores: NDArray[np.float64], least: float) -> NDArray[np.int64]:
    """From which date on each score stays at `least` or above.

    Parameters
    ----------
    scores : ndarray of float64, shape (K, N)
        NaN where a building is not visible: that date says nothing.
    least : float

    Returns
    -------
    ndarray of int, shape (N,)
        Position of the first such date; −1 where the last date that shows a building is below.
    """
    low = scores < least
    number = len(scores)
    after = number - np.argmax(low[::-1], axis=0)
    start = np.where(low.any(axis=0), after, 0)
    # Not before the building was seen so.
    seen = np.isfinite(scores) & (np.arange(number)[:, None] >= start)
    return np.where(seen.any(axis=0), seen.argmax(axis=0), -1)


def looks_of_series(
    series: Dated,
    items: Sequence[Instance],
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[NDArray[np.float32]]:
    """`appearance.looks` of the first date and each later one.

    Parameters
    ----------
    series : Dated
    items : sequence of Instance
        Outlines in pixels of the pictures.
    progress, cancelled : callable, optional

    Raises
    ------
    ApplyError
        A picture does not have the pixels of the first.
    Cancelled
        `cancelled` said so.
    """
    first, later = series.pictures[0], len(series.pictures) - 1
    result = []
    for number in range(later):
        picture = series.pictures[number + 1]
        if tuple(picture.shape) != tuple(first.shape):
            raise ApplyError(f"“{picture.name}” does not have the pixels of “{first.name}”. Open "
                             "the series anew on the Follow page.")  # fmt: skip

        def tell(share: float, _text: str = "", begin: int = number) -> None:
            if progress is not None:
                progress((begin + share / 2) / later)

        alignment = align(first, picture, AlignSettings(), progress=tell, cancelled=cancelled)
        result.append(
            looks(alignment, items, lambda share, tell=tell: tell(1 + share), cancelled)
            if items else np.zeros((0, len(COLUMNS)), np.float32)
        )  # fmt: skip
    return result
