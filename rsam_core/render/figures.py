"""Figures of the house's style, and figures as files; for matplotlib, without a display."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.runtime.given import shortened
from rsam_core.runtime.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0f766e", "#c2410c", "#4338ca", "#a16207", "#be185d", "#475569", "#65a30d")
"""Dark enough for paper, and apart in the common colour blindnesses with the markers' help."""
MARKERS = "osD^vPX"
INK, QUIET, FRAME, GRID = "#17322f", "#5b706c", "#94a3a0", "#dfe7e4"
"""Of the lines that matter, of those that do not, of axes, of grids."""
_MAX_LABEL = 40

# The settings of matplotlib belong to the whole process.
_SAVING = threading.Lock()


def new_figure(width: float = 6.4, height: float = 3.8, *, grid: str = "y") -> tuple[Figure, Axes]:
    """An empty figure of the house's style; it needs no display, and any thread may make one.

    Parameters
    ----------
    width, height : float
        Inches.
    grid : {"x", "y", "both"}
        Where values are to be read off.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    style_axes(axes, grid)
    return figure, axes


def bars(mean: ArrayLike, low: ArrayLike, high: ArrayLike) -> NDArray[np.float64]:
    """Lengths (2, N) of error bars; none where there is no interval."""
    mean, low, high = (np.asarray(values, float) for values in (mean, low, high))
    # A bound may miss the mean by rounding alone.
    return np.nan_to_num([mean - low, high - mean]).clip(0)


def style_axes(axes: Axes, grid: str = "y") -> None:
    """Quiet frame and grid; `grid` as for :func:`new_figure`."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FRAME)
    axes.grid(axis=grid, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors="#3c5450", labelsize=9)


def label(name: str) -> str:
    """A name as a figure can show it: in one line, not too long, and never as a formula."""
    return shortened(visible(name), _MAX_LABEL).replace("$", r"\$")


def to_svg(figure: Figure) -> str:
    """Return a figure as self-contained SVG, letters drawn as outlines; the same each time."""
    import matplotlib

    stream = io.StringIO()
    with _SAVING, matplotlib.rc_context({"svg.hashsalt": "rsam", "svg.fonttype": "path"}):
        figure.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def to_png(figure: Figure, dpi: int = 150) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, bbox_inches="tight")
    return stream.getvalue()
