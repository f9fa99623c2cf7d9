"""Values of an answer over its dates, as a diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rsam_core.change.apply.answer import Chart
from rsam_core.render.figures import COLOURS, MARKERS, label, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def chart_of(chart: Chart, width: float = 6.4, height: float = 2.3) -> Figure:
    """A line for each thing, with a mark at each date, for matplotlib.

    Parameters
    ----------
    chart : Chart
    width, height : float
        Inches.
    """
    figure, axes = new_figure(width, height)
    top = 0.0
    for number, (name, values) in enumerate(chart.lines.items()):
        y = np.array([np.nan if value is None else value for value in values], float)
        tone, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        axes.plot(chart.when, y, color=tone, marker=marker, markersize=5, linewidth=1.6,
                  label=label(name))  # fmt: skip
        top = max(top, float(np.nanmax(y, initial=0.0)))
    axes.set_xticks(chart.when, [label(date) for date in chart.dates])
    axes.set_ylim(0, 1.08 * top or 1.0)
    axes.set_ylabel(f"{label(chart.title)} ({chart.unit})" if chart.unit else label(chart.title))
    if len(chart.lines) > 1:
        axes.legend(fontsize=8, frameon=False)
    return figure
