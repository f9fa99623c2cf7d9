"""Figures of studies: a line for each prompt with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rsam_core.evaluate.studies.base import StudyResult

COLOURS = ("#0f766e", "#c2410c", "#4338ca", "#a16207", "#be185d", "#475569", "#65a30d")
"""Dark enough for paper, and apart in the common colour blindnesses with the markers' help."""
MARKERS = "osD^vPX"


_STYLES = {"box": 0, "1 point": 1, "3 points": 2, "2 points": 3, "5 points": 4}
"""A prompt looks the same in every figure."""


def new_figure(width: float = 6.4, height: float = 3.8) -> tuple[Figure, Axes]:
    """An empty figure of the house's style; it needs no display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    style_axes(axes)
    return figure, axes


def bars(mean: ArrayLike, low: ArrayLike, high: ArrayLike) -> NDArray[np.float64]:
    """Lengths (2, N) of error bars; none where there is no interval."""
    mean, low, high = (np.asarray(values, float) for values in (mean, low, high))
    # A bound may miss the mean by rounding alone.
    return np.nan_to_num([mean - low, high - mean]).clip(0)


def style_axes(axes: Axes) -> None:
    """Quiet frame and grid."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#94a3a0")
    axes.grid(axis="y", color="#dfe7e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors="#3c5450", labelsize=9)


def line_figure(
    result: StudyResult,
    xlabel: str,
    *,
    log: bool = False,
    ticks: Sequence[str] | None = None,
) -> Figure:
    """Mean IoU by condition, one line a prompt, the 95 % interval as a band.

    Parameters
    ----------
    result : StudyResult
    xlabel : str
    log : bool
        Whether the condition grows by factors.
    ticks : sequence of str, optional
        Names of the conditions in place of their numbers.
    """
    figure, axes = new_figure()
    conditions = list(dict.fromkeys(result.table["condition"]))
    numbers = not log and all(isinstance(c, (int, float, np.number)) for c in conditions)
    place = {c: (c if numbers else i) for i, c in enumerate(conditions)}
    prompts = list(dict.fromkeys(result.table["prompt"]))
    free = iter([k for k in range(len(COLOURS)) if k not in _STYLES.values()] * len(prompts))
    for prompt in prompts:
        k = _STYLES[prompt] if prompt in _STYLES else next(free)
        part = result.table[result.table["prompt"] == prompt]
        x = np.array([place[c] for c in part["condition"]], float)
        colour = COLOURS[k]
        axes.plot(
            x,
            part["mean"],
            color=colour,
            marker=MARKERS[k],
            markersize=5,
            linewidth=1.6,
            label=prompt,
        )
        axes.fill_between(x, part["low"], part["high"], color=colour, alpha=0.15, linewidth=0)
    axes.set_xticks([place[c] for c in conditions], ticks or [_text(c) for c in conditions])
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(xlabel)
    axes.set_ylabel("Mean IoU")
    axes.legend(frameon=False, fontsize=9, loc="best")
    return figure


def _text(condition: object) -> str:
    return f"{condition:g}" if isinstance(condition, (int, float, np.number)) else str(condition)
