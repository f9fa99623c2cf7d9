"""Figures of an evaluation; each function returns a matplotlib figure that needs no display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rsam_core.evaluate.results import MEASURES, Evaluation
from rsam_core.render.figures import COLOURS, INK, MARKERS, QUIET, bars, label, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def box_plots(evaluation: Evaluation, measure: str = "iou") -> Figure:
    """Distribution over the objects by method: median, quartiles, 5th to 95th percentile, mean."""
    infos = [info for info in evaluation.methods if len(evaluation.of(info.key))]
    values = [_finite(evaluation.of(info.key)[measure]) for info in infos]
    figure, axes = new_figure(6.8, 0.9 + 0.32 * max(len(infos), 2), grid="x")
    if infos:
        drawn = axes.boxplot(
            values,
            orientation="horizontal",
            whis=(5, 95),
            showfliers=False,
            showmeans=True,
            patch_artist=True,
            widths=0.6,
            medianprops={"color": INK, "linewidth": 1.6},
            meanprops={
                "marker": "D",
                "markersize": 4,
                "markerfacecolor": "white",
                "markeredgecolor": INK,
            },
            whiskerprops={"color": QUIET},
            capprops={"color": QUIET},
        )
        for info, box in zip(infos, drawn["boxes"]):
            box.set(facecolor=_colour(info.model, info.sees_truth), edgecolor=QUIET, alpha=0.75)
    names = [f"{label(info.title)}{' †' if info.sees_truth else ''}" for info in infos]
    axes.set_yticks(range(1, len(infos) + 1), names)
    axes.invert_yaxis()
    if measure != "hausdorff_95":
        axes.set_xlim(0, 1)
    axes.set_xlabel(f"{MEASURES.get(measure, measure)} of single objects")
    return figure


def accuracy_by_time(evaluation: Evaluation) -> Figure:
    """Mean IoU against the time of an object, with its share of the work done once an image."""
    table = evaluation.table()
    figure, axes = new_figure(6.4, 3.8)
    axes.set_xlabel("Seconds an object, with its share of the work done once an image")
    axes.set_ylabel("Mean IoU")
    axes.set_ylim(0, 1.02)
    if "iou" not in table:
        return figure
    counts = evaluation.images.groupby("method")["objects"].mean()
    for number, row in enumerate(table.dropna(subset=["iou"]).itertuples(), start=1):
        info = evaluation.info(row.method)
        once = row.image_seconds / max(counts.get(row.method, 1.0), 1.0)
        seconds = max(row.seconds + once, 1e-5)
        error = bars([row.iou], [row.iou_low], [row.iou_high])
        axes.errorbar(
            [seconds],
            [row.iou],
            yerr=error,
            color=_colour(info.model, info.sees_truth),
            marker=MARKERS[0 if info.model else 1],
            capsize=2,
            linewidth=1,
        )
        axes.annotate(
            str(number),
            (seconds, row.iou),
            xytext=(5, 3),
            textcoords="offset points",
            fontsize=8,
        )
    axes.set_xscale("log")
    return figure


def size_figure(evaluation: Evaluation, most: int = 7) -> Figure:
    """Mean IoU by size of the object with its interval, for the best `most` methods."""
    table = evaluation.by_size()
    figure, axes = new_figure(6.4, 3.6)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("Area of the object (pixels)")
    axes.set_ylabel("Mean IoU")
    if not len(table):
        return figure
    sizes = list(dict.fromkeys(table["size"]))
    sizes.sort(key=lambda size: ["under 32²", "32² to 96²", "above 96²"].index(size))
    means = evaluation.objects.groupby("method")["iou"].mean()
    chosen = [
        info
        for info in sorted(evaluation.methods, key=lambda i: -means.get(i.key, 0))
        if info.key in means
    ][:most]
    for k, info in enumerate(chosen):
        part = table[table["method"] == info.key]
        x = np.array([sizes.index(s) for s in part["size"]]) + (k - len(chosen) / 2) * 0.06
        error = bars(part["mean"], part["low"], part["high"])
        axes.errorbar(
            x,
            part["mean"],
            yerr=error,
            color=COLOURS[k % len(COLOURS)],
            marker=MARKERS[k % len(MARKERS)],
            markersize=5,
            capsize=2,
            linewidth=1.2,
            label=label(info.title),
        )
    counts = table.groupby("size")["objects"].max()
    axes.set_xticks(range(len(sizes)), [f"{s}\nn = {counts[s]}" for s in sizes])
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.set_size_inches(7.6, 3.6)
    return figure


def _finite(values: object) -> np.ndarray:
    numbers = np.asarray(values, float)
    return numbers[np.isfinite(numbers)]


def _colour(model: str | None, sees_truth: bool) -> str:
    if sees_truth:
        return "#c9d2cf"
    return COLOURS[0] if model else COLOURS[1]
