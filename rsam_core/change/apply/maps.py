"""Answers as pictures: findings over the picture, with scale bar, north arrow and legend."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.answer import VERDICT, Answer, Checks
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.files import NOBODY
from rsam_core.change.apply.site import Shapes, Site
from rsam_core.objects.palette import to_rgb
from rsam_core.render.figures import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CONTEXT = "#FFFFFF"
_MAX_CORNERS = 400_000


def map_of(
    answer: Answer,
    picture: NDArray[np.uint8],
    checks: Checks = NOBODY,
    *,
    width: float = 9.0,
    title: bool = True,
) -> Figure:
    """A map of an answer, for matplotlib.

    Parameters
    ----------
    answer : Answer
    picture : ndarray of uint8, shape (h, w, 3)
        The whole picture of the site, of any size.
    checks : mapping
        Refused findings are left out.
    width : float
        Inches.
    title : bool
        Whether the title stands above it.
    """
    from matplotlib.figure import Figure

    rows, columns = answer.site.shape
    side = 2.4
    height = max((width - side) * rows / columns, 3.0) + (0.5 if title else 0.1)
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes, beside = figure.subplots(1, 2, width_ratios=[width - side, side])
    axes.imshow(picture, extent=(0, columns, rows, 0), interpolation="antialiased")
    findings = answer.checked(checks)
    for layer in answer.context:
        _draw(axes, answer.site.pixels(layer.shapes), [_CONTEXT] * len(layer), fill=0.0, line=1.0)
    verdicts = findings.column(VERDICT)
    colours = [answer.colours.get(verdict, "#9AA5B1") for verdict in verdicts]
    _draw(axes, answer.site.pixels(findings.shapes), colours, fill=0.5, line=1.2)
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.set_axis_off()
    _scale_bar(axes, answer.site)
    _north(axes, answer.site)
    _legend(beside, answer, findings)
    if title:
        axes.set_title(label(answer.title), fontsize=12, loc="left", color="#17322f")
    return figure


def png_of(answer: Answer, picture: NDArray[np.uint8], checks: Checks = NOBODY) -> bytes:
    """The map as PNG; see `map_of`."""
    stream = io.BytesIO()
    map_of(answer, picture, checks).savefig(stream, format="png", dpi=160)
    return stream.getvalue()


def drawn_map(
    answer: Answer, picture: NDArray[np.uint8], checks: Checks = NOBODY, width: float = 7.4
) -> NDArray[np.uint8]:
    """The map as pixels, (H, W, 3), for reports."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = map_of(answer, picture, checks, width=width, title=False)
    figure.set_dpi(170)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw(axes: Axes, shapes: Shapes, colours: Sequence[str], *, fill: float, line: float) -> None:
    """Areas, lines and points, each in its colour."""
    import shapely
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.path import Path

    if not len(shapes):
        return
    corners = int(shapely.get_num_coordinates(shapes).sum())
    if corners > _MAX_CORNERS:
        shapes = shapely.simplify(shapes, corners / _MAX_CORNERS)
    tones = [tuple(v / 255 for v in to_rgb(colour)) for colour in colours]
    paths, faces, lines, strokes = [], [], [], []
    for shape, tone in zip(shapes, tones):
        for part in shapely.get_parts(shape):
            if part.geom_type == "Polygon" and not part.is_empty:
                rings = [part.exterior, *part.interiors]
                paths.append(Path.make_compound_path(*(
                    Path(np.asarray(ring.coords), closed=True) for ring in rings
                )))  # fmt: skip
                faces.append(tone)
            elif part.geom_type in ("LineString", "LinearRing"):
                lines.append(np.asarray(part.coords))
                strokes.append(tone)
            elif part.geom_type == "Point":
                axes.plot(part.x, part.y, "o", ms=4, mfc=tone, mec="#17322f", mew=0.6)
    if paths:
        axes.add_collection(PathCollection(
            paths, facecolors=[(*tone, fill) for tone in faces], edgecolors=faces, linewidths=line
        ))  # fmt: skip
    if lines:
        axes.add_collection(LineCollection(lines, colors=strokes, linewidths=line + 0.4))


def nice_length(longest: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is no longer, for a scale bar."""
    power = 10 ** math.floor(math.log10(longest))
    return next(step * power for step in (5, 2, 1) if step * power <= longest * (1 + 1e-9))


def _scale_bar(axes: Axes, site: Site) -> None:
    rows, columns = site.shape
    metres = nice_length(0.25 * columns * site.gsd)
    pixels = metres / site.gsd
    x, y = 0.03 * columns, rows - 0.04 * rows
    height = 0.012 * rows
    for half in (0, 1):
        tone = "#17322f" if half == 0 else "white"
        axes.add_patch(_patch((x + half * pixels / 2, y - height), pixels / 2, height, tone))
    text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    axes.text(x + pixels / 2, y - 1.6 * height, text, ha="center", va="bottom", fontsize=8,
              color="white", bbox={"facecolor": "#17322f", "edgecolor": "none", "pad": 1.5,
                                   "alpha": 0.75})  # fmt: skip


def _patch(corner: tuple[float, float], width: float, height: float, tone: str):  # type: ignore[no-untyped-def]
    from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, facecolor=tone, edgecolor="#17322f", linewidth=0.8)


def north_of(site: Site) -> NDArray[np.float64] | None:
    """Direction of north at the middle of the picture, in pixels; None where it is not known."""
    import shapely

    if not site.placed:
        return None
    middle = site.extent.centroid
    ends = [middle, shapely.Point(middle.x, middle.y + 10 * site.gsd)]
    one, two = shapely.get_coordinates(site.pixels(ends))
    return (two - one) / np.linalg.norm(two - one)


def _north(axes: Axes, site: Site) -> None:
    way = north_of(site)
    if way is None:
        return
    rows, columns = site.shape
    length = 0.08 * min(rows, columns)
    middle = np.array([columns - 1.1 * length, 1.2 * length])
    start, end = middle - way * length / 2, middle + way * length / 2
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "white", "lw": 4.5})
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "#17322f", "lw": 2})
    axes.text(*(end + way * 0.32 * length), "N", ha="center", va="center", fontsize=9,
              fontweight="bold", color="white", bbox={"facecolor": "#17322f", "edgecolor": "none",
                                                      "pad": 1.5, "alpha": 0.75})  # fmt: skip


def _legend(axes: Axes, answer: Answer, findings: Features) -> None:
    from matplotlib.patches import Patch

    axes.set_axis_off()
    counts = dict.fromkeys(answer.colours, 0)
    for verdict in findings.column(VERDICT):
        counts[verdict] = counts.get(verdict, 0) + 1
    entries = [
        Patch(facecolor=(*(v / 255 for v in to_rgb(colour)), 0.5), edgecolor=colour,
              label=f"{name} ({counts[name]:,})")
        for name, colour in answer.colours.items()
    ]  # fmt: skip
    entries += [
        Patch(facecolor="none", edgecolor="#5B6670", label=label(layer.name))
        for layer in answer.context
    ]
    axes.legend(handles=entries, loc="upper left", frameon=False, fontsize=8, borderaxespad=0)
    heading = answer.columns.get(answer.graded, "") if answer.graded else ""
    lines = [heading, *answer.dates, f"1 pixel = {answer.site.gsd:.3g} m",
             f"Image: {label(answer.site.attribution)}" if answer.site.attribution else "",
             "Indication, not proof"]  # fmt: skip
    axes.text(0, 0, "\n".join(line for line in lines if line), fontsize=7, color="#5b706c",
              va="bottom", transform=axes.transAxes)  # fmt: skip
