"""Pictures of an evaluation: what is right and wrong on the image, and figures for a report.

Pictures on the image are RGB arrays; figures are matplotlib figures, which :func:`to_svg` and
:func:`to_png` turn into self-contained files. Colours are those of Okabe and Ito [1]_, which
stay apart in every colour blindness.

References
----------
.. [1] Masataka Okabe, Kei Ito, "Color universal design", 2008.
"""

from __future__ import annotations

import io
import textwrap
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError
from rsam_core.instances import Instances
from rsam_core.metrics.objects import PrecisionRecall
from rsam_core.render import confusion_legend, confusion_picture, overlay
from rsam_core.style import OverlayStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLORS",
    "box_plots",
    "confusion_legend",
    "confusion_picture",
    "contour_legend",
    "contour_picture",
    "iou_color",
    "iou_legend",
    "iou_picture",
    "object_crop",
    "precision_recall_figure",
    "size_scatter",
    "to_png",
    "to_svg",
]

Picture = NDArray[np.uint8]

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A7A7A", "#B8A800")
"""Colours of methods, in order."""

TRUTH_COLOR = "#FFE600"
PREDICTION_COLOR = "#00C2FF"

_LEVELS: tuple[tuple[float, str, str], ...] = (
    (0.9, "#1B4F9C", "IoU 0.90 and more"),
    (0.75, "#3F9BD4", "0.75 to 0.90"),
    (0.5, "#F2E27A", "0.50 to 0.75"),
    (1e-9, "#F28E2B", "below 0.50"),
    (-1.0, "#C2185B", "not found"),
)
"""Lowest IoU, colour and name of each step, best first: blue is good, red is missed."""

# The settings of matplotlib belong to the whole process.
_SAVING = threading.Lock()

_INK, _GRID = "#2B3038", "#DDE1E6"


# --- on the image --------------------------------------------------------------------------


def contour_picture(
    image: ArrayLike,
    truth: Instances,
    prediction: Instances,
    *,
    scale: float = 1.0,
    origin: tuple[float, float] = (0.0, 0.0),
    width: int = 2,
) -> Picture:
    """Draw the outlines of the truth and, on top of them, of the prediction.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
        The view.
    truth, prediction : Instances
        In scene pixels.
    scale, origin
        Where the view lies; see :func:`rsam_core.render.overlay`.
    width : int
        Width of the lines in view pixels.

    Returns
    -------
    ndarray of uint8, shape of `image`
        :func:`contour_legend` explains the colours.
    """
    picture = np.asarray(image)
    for objects, color, line in (
        (truth, TRUTH_COLOR, width + 1),
        (prediction, PREDICTION_COLOR, width),
    ):
        style = OverlayStyle(fill="none", contour=True, contour_color=color, contour_width=line)
        picture = overlay(picture, objects, style, scale=scale, origin=origin)
    return picture


def contour_legend() -> list[tuple[str, str]]:
    """Label and colour of the two outlines."""
    return [("truth", TRUTH_COLOR), ("prediction", PREDICTION_COLOR)]


def iou_picture(
    image: ArrayLike,
    truth: Instances,
    ious: ArrayLike,
    *,
    scale: float = 1.0,
    origin: tuple[float, float] = (0.0, 0.0),
    opacity: float = 0.65,
) -> Picture:
    """Colour each true object by how well it was found.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
    truth : Instances
        N objects in scene pixels.
    ious : array_like of float, shape (N,)
        IoU of each with the object that fits it best; 0 if there is none.
    scale, origin
        Where the view lies; see :func:`rsam_core.render.overlay`.
    opacity : float
        Of the colours.

    Returns
    -------
    ndarray of uint8, shape of `image`
        :func:`iou_legend` explains the colours; the image itself is shown grey.

    Raises
    ------
    MetricError
        If there is not one IoU for each object.
    """
    ious = np.asarray(ious, dtype=float)
    if ious.shape != (len(truth),):
        raise MetricError(f"{len(truth)} objects need as many values, not {ious.size}.")
    image = np.asarray(image)
    grey = image @ np.array([0.299, 0.587, 0.114]) * 0.55 + 30
    picture = np.repeat(grey[..., None], 3, axis=2).round().astype(np.uint8)
    colors = np.array([iou_color(value) for value in ious])
    # Worst last, so that a missed object inside a found one stays in sight.
    for _, color, _ in _LEVELS:
        of_level = truth.select(colors == color) if len(truth) else truth
        if len(of_level):
            style = OverlayStyle(
                fill="single", color=color, opacity=opacity, contour=True, contour_width=1
            )
            picture = overlay(picture, of_level, style, scale=scale, origin=origin)
    return picture


def iou_color(value: float) -> str:
    """Colour of an IoU, as in :func:`iou_legend`."""
    return next(color for low, color, _ in _LEVELS if value >= low - 1e-12)


def iou_legend() -> list[tuple[str, str]]:
    """Label and colour of each step of IoU, best first."""
    return [(text, color) for _, color, text in _LEVELS]


def object_crop(
    image: ArrayLike,
    truth: Instances,
    prediction: Instances,
    box: tuple[float, float, float, float],
    size: int = 200,
) -> Picture:
    """Show one place with both outlines, as a square picture.

    Parameters
    ----------
    image : array_like of uint8, shape (H, W, 3)
        The scene at full size.
    truth, prediction : Instances
    box : (x0, y0, x1, y1)
        What to show, in scene pixels; it is enlarged by a margin.
    size : int
        Side of the picture.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
    """
    import cv2

    image = np.asarray(image)
    height, width = image.shape[:2]
    x0, y0, x1, y1 = box
    side = int(min(max(32, np.ceil(1.5 * max(x1 - x0, y1 - y0))), max(height, width)))
    # Moved inward at the edge of the image; what the image cannot fill stays dark.
    left = _inside(round((x0 + x1 - side) / 2), side, width)
    top = _inside(round((y0 + y1 - side) / 2), side, height)
    view = np.full((side, side, 3), 24, dtype=np.uint8)
    a, b = max(left, 0), max(top, 0)
    part = image[b : max(top + side, 0), a : max(left + side, 0)]
    view[b - top :, a - left :][: part.shape[0], : part.shape[1]] = part
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    view = cv2.resize(view, (size, size), interpolation=method)
    return contour_picture(view, truth, prediction, scale=size / side, origin=(left, top))


def _inside(start: int, side: int, length: int) -> int:
    """Where a square of `side` starts so that it lies within `length`, if it fits."""
    if side > length:
        return (length - side) // 2
    return min(max(start, 0), length - side)


# --- figures -------------------------------------------------------------------------------


def precision_recall_figure(curves: Mapping[str, PrecisionRecall]) -> Figure:
    """Precision against recall as the score from which on objects are kept falls.

    Parameters
    ----------
    curves : mapping of str to PrecisionRecall
        By method or model.
    """
    figure, axes = _figure(5.4, 3.9)
    for (name, curve), color in zip(curves.items(), _cycle(len(curves))):
        recall = np.concatenate([[0.0] * (len(curve.recall) > 0), curve.recall])
        precision = np.concatenate([curve.precision[:1], curve.precision])
        average = curve.average_precision
        told = f" (AP {average:.2f})" if np.isfinite(average) else ""
        axes.plot(recall, precision, color=color, linewidth=1.8, label=f"{name}{told}")
        if len(precision):
            axes.plot(curve.recall[-1], curve.precision[-1], "o", color=color, markersize=5)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="Recall", ylabel="Precision")
    threshold = next(iter(curves.values())).threshold if curves else 0.5
    axes.set_title(f"Found at IoU {threshold:.2f} and more", loc="left", fontsize=9, color=_INK)
    if curves:
        axes.legend(frameon=False, fontsize=8, loc="lower left")
    return figure


def box_plots(
    values: Mapping[str, ArrayLike],
    label: str = "IoU",
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
    label : str
        What the values are.
    limits : (float, float), optional
        Of the axis; fitted to the values if None.
    """
    cleaned = {name: _finite(some) for name, some in values.items()}
    figure, axes = _figure(max(4.2, 1.2 + 0.95 * len(cleaned)), 3.9)
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
                boxprops={"facecolor": "none", "edgecolor": _INK, "linewidth": 1.1},
                medianprops={"color": _INK, "linewidth": 1.8},
                meanprops={"marker": "D", "markerfacecolor": "white", "markeredgecolor": _INK,
                           "markersize": 5},
                whiskerprops={"color": _INK, "linewidth": 1},
                capprops={"color": _INK, "linewidth": 1},
                zorder=3,
            )  # fmt: skip
    names = [
        "\n".join([*textwrap.wrap(name, 14), f"n = {len(some):,}"])
        for name, some in cleaned.items()
    ]
    axes.set_xticks(places, names)
    axes.set_xlim(0.4, max(len(cleaned), 1) + 0.6)
    axes.set_ylabel(label)
    if limits is not None:
        axes.set_ylim(limits[0] - 0.02, limits[1] + 0.02)
    axes.grid(axis="x", visible=False)
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
    figure, axes = _figure(5.4, 3.9)
    for (name, sizes), color in zip(areas.items(), _cycle(len(areas))):
        x, y = np.asarray(sizes, float), np.asarray(ious[name], float)
        good = np.isfinite(x) & np.isfinite(y) & (x > 0)
        x, y = x[good], y[good]
        axes.scatter(x, y, s=14, color=color, alpha=0.5, linewidths=0, label=name or None)
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


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure in RSAM's style, without pyplot, which is not safe between threads."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9AA3AE")
    axes.tick_params(colors=_INK, labelsize=8)
    axes.grid(color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=_INK, fontsize=9)
    return figure, axes


def _cycle(count: int) -> Sequence[str]:
    return [COLORS[index % len(COLORS)] for index in range(count)]


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=float).ravel()
    return array[np.isfinite(array)]
