"""Figures of an evaluation for a page or a report: curves, box plots, scatter plots.

They are matplotlib figures, which :func:`rsam_core.render.figures.to_svg` and ``to_png`` turn into
self-contained files.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.evaluate.metrics.objects import PrecisionRecall
from rsam_core.render.figures import COLOURS, INK, label, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def precision_recall_figure(curves: Mapping[str, PrecisionRecall]) -> Figure:
    """Precision against recall as the score from which on objects are kept falls.

    Parameters
    ----------
    curves : mapping of str to PrecisionRecall
        By method or model.
    """
    figure, axes = new_figure(5.4, 3.9, grid="both")
    for (name, curve), color in zip(curves.items(), _cycle(len(curves))):
        recall = np.concatenate([[0.0] * (len(curve.recall) > 0), curve.recall])
        precision = np.concatenate([curve.precision[:1], curve.precision])
        average = curve.average_precision
        told = f" (AP {average:.2f})" if np.isfinite(average) else ""
        axes.plot(recall, precision, color=color, linewidth=1.8, label=f"{label(name)}{told}")
        if len(precision):
            axes.plot(curve.recall[-1], curve.precision[-1], "o", color=color, markersize=5)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="Recall", ylabel="Precision")
    threshold = next(iter(curves.values())).threshold if curves else 0.5
    axes.set_title(f"Found at IoU {threshold:.2f} and more", loc="left", fontsize=9, color=INK)
    if curves:
        axes.legend(frameon=False, fontsize=8, loc="lower left")
    return figure


def box_plots(
    values: Mapping[str, ArrayLike],
    measure: str = "IoU",
    *,
    limits: tuple[float, float] | None = (0, 1),
) -> Figure:
    """A box plot for each method, with every single value shown beside it.

    The box spans the quartiles, its line is the median, the diamond the mean, and the whiskers
    reach to the last value within 1.5 times the height of the box.

    Parameters
    ----------
    values : mapping of str to array_like of float
        By method; values that are not finite are left out.
    measure : str
        What the values are.
    limits : (float, float), optional
        Of the axis; fitted to the values if None.
    """
    cleaned = {name: _finite(some) for name, some in values.items()}
    figure, axes = new_figure(max(6.2, 1.0 + 1.05 * len(cleaned)), 3.5)
    places = np.arange(1, len(cleaned) + 1)
    rng = np.random.default_rng(0)
    for place, some, color in zip(places, cleaned.values(), _cycle(len(cleaned))):
        # Sideways scatter only keeps the points apart.
        aside = place + rng.uniform(-0.24, 0.24, len(some))
        size, alpha = (10, 0.55) if len(some) <= 200 else (4, 0.3)
        axes.scatter(aside, some, s=size, color=color, alpha=alpha, linewidths=0, zorder=2)
        if len(some):
            axes.boxplot(
                [some],
                positions=[place],
                widths=0.58,
                showfliers=False,
                showmeans=True,
                patch_artist=True,
                boxprops={"facecolor": "none", "edgecolor": INK, "linewidth": 1.1},
                medianprops={"color": INK, "linewidth": 1.8},
                meanprops={"marker": "D", "markerfacecolor": "white", "markeredgecolor": INK,
                           "markersize": 5},
                whiskerprops={"color": INK, "linewidth": 1},
                capprops={"color": INK, "linewidth": 1},
                zorder=3,
            )  # fmt: skip
    names = [
        "\n".join([*textwrap.wrap(label(name), 14), f"n = {len(some):,}"])
        for name, some in cleaned.items()
    ]
    axes.set_xticks(places, names)
    axes.set_xlim(0.4, max(len(cleaned), 1) + 0.6)
    axes.set_ylabel(measure)
    if limits is not None:
        axes.set_ylim(limits[0] - 0.02, limits[1] + 0.02)
    return figure


def size_scatter(
    areas: Mapping[str, ArrayLike] | ArrayLike,
    ious: Mapping[str, ArrayLike] | ArrayLike,
    *,
    unit: str = "pixels",
) -> Figure:
    """IoU of every object against its size, which is on a logarithmic axis.

    Parameters
    ----------
    areas, ious : array_like of float, shape (N,), or mapping of str to such
        One value an object; by method if mappings.
    unit : str
        Of the areas: ``"pixels"`` or ``"m²"``.

    Notes
    -----
    The line is the median of the objects in six classes of size with equally many objects; it is
    drawn from 24 objects on.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    if not isinstance(areas, Mapping):
        areas, ious = {"": areas}, {"": ious}
    figure, axes = new_figure(5.4, 3.9, grid="both")
    for (name, sizes), color in zip(areas.items(), _cycle(len(areas))):
        x, y = np.asarray(sizes, float), np.asarray(ious[name], float)
        good = np.isfinite(x) & np.isfinite(y) & (x > 0)
        x, y = x[good], y[good]
        axes.scatter(x, y, s=14, color=color, alpha=0.5, linewidths=0, label=label(name) or None)
        if len(x) >= 24:
            groups = np.array_split(np.argsort(x), 6)
            middle = [(np.median(x[g]), np.median(y[g])) for g in groups]
            axes.plot(*np.transpose(middle), color=color, linewidth=2, marker="o", markersize=4)
    axes.set_xscale("log")
    # Numbers as people write them, and not as powers of ten.
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(ylim=(-0.02, 1.02), xlabel=f"Area of the object ({unit})", ylabel="IoU")
    if any(areas):
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _cycle(count: int) -> Sequence[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=float).ravel()
    return array[np.isfinite(array)]
