"""Figures of studies: a line for each prompt with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.render.figures import COLOURS, MARKERS, label, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rsam_core.evaluate.studies.base import StudyResult


_STYLES = {"box": 0, "1 point": 1, "3 points": 2, "2 points": 3, "5 points": 4}
"""A prompt looks the same in every figure."""


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
            label=label(prompt),
        )
        axes.fill_between(x, part["low"], part["high"], color=colour, alpha=0.15, linewidth=0)
    axes.set_xticks([place[c] for c in conditions], ticks or [_text(c) for c in conditions])
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(xlabel)
    axes.set_ylabel("Mean IoU")
    axes.legend(frameon=False, fontsize=9, loc="best")
    return figure


def _text(condition: object) -> str:
    return f"{condition:g}" if isinstance(condition, (int, float, np.number)) else label(condition)
