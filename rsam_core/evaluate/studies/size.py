"""Accuracy against object size, and whether small objects want a point and large ones a box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.methods.prompted import PromptMethod, SharedImageWork
from rsam_core.evaluate.statistics.bootstrap import Interval
from rsam_core.evaluate.statistics.clustered import clustered_interval, unpaired_difference
from rsam_core.evaluate.studies import base
from rsam_core.evaluate.studies.figures import line_figure
from rsam_core.render.figures import COLOURS, FRAME, MARKERS, QUIET, bars, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rsam_core.segment.segmenter import Segmenter


@dataclass(frozen=True)
class SizeSettings(base.StudySettings):
    """Settings of the size study.

    Parameters
    ----------
    max_objects : int
    prompts : tuple of str
        See :class:`rsam_core.evaluate.methods.prompted.PromptMethod`.
    edges : tuple of float
        Areas in pixels that divide the objects into classes, ascending. By default the squares
        of 16, 32, 64 and 96 pixels.
    """

    max_objects: int = 200
    prompts: tuple[str, ...] = ("box", "1", "3")
    edges: tuple[float, ...] = (16**2, 32**2, 64**2, 96**2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.prompts:
            raise EvaluationError("Choose at least one prompt.")
        if not self.edges or list(self.edges) != sorted(set(self.edges)) or self.edges[0] <= 0:
            raise EvaluationError("The sizes that divide the objects must ascend from above 0.")


@dataclass(frozen=True)
class PointOrBoxSettings(base.StudySettings):
    """Settings of the study of points for small and boxes for large objects.

    Parameters
    ----------
    max_objects : int
    small_below : float or None
        Objects of fewer pixels are small; None for the median of the objects drawn.
    """

    max_objects: int = 200
    small_below: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.small_below is not None and not self.small_below > 0:
            raise EvaluationError("The size that divides small from large must be above 0.")


SMALL, LARGE = "small", "large"


def size_study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: SizeSettings | None = None,
    *,
    progress: base.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> base.StudyResult:
    """How does accuracy depend on the size of the object?

    Parameters, returns and raises as :func:`rsam_core.evaluate.studies.resolution_study`;
    ``condition`` is the class of size.
    """
    settings = settings or SizeSettings()
    rows = _prompted(samples, segmenter, settings, settings.prompts, progress, cancelled)
    edges = (0.0, *settings.edges, np.inf)
    names = [_between(low, high) for low, high in pairwise(edges)]
    place = np.searchsorted(edges, rows["area"], side="right") - 1
    rows = rows.assign(condition=[names[i] for i in place], order=place)
    rows = rows.sort_values("order", kind="stable").drop(columns="order")
    table = base.summary(rows, settings.seed)
    table = table.sort_values(
        ["prompt", "condition"],
        key=lambda c: c.map({n: i for i, n in enumerate(names)}) if c.name == "condition" else c,
        kind="stable",
        ignore_index=True,
    )
    words = []
    for prompt in dict.fromkeys(rows["prompt"]):
        part = table[table["prompt"] == prompt]
        first, last = part.iloc[0], part.iloc[-1]
        words.append(
            f"{prompt}: {first['mean']:.3f} on objects of {first['condition']} pixels "
            f"(n = {first['objects']}), {last['mean']:.3f} on {last['condition']} "
            f"(n = {last['objects']})"
        )
    return base.StudyResult(
        "size",
        "Accuracy against object size",
        "How does accuracy depend on the size of the object?",
        "Mean IoU by prompt. " + "; ".join(words) + ".",
        "Objects were divided by the area of the truth in pixels.",
        settings,
        table,
        rows,
        segmenter.model.name,
        lambda result: line_figure(result, "Area of the object (pixels)"),
    )


def point_or_box_study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: PointOrBoxSettings | None = None,
    *,
    progress: base.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> base.StudyResult:
    """Should small objects be marked by a point and large ones by a box?

    Each object is prompted both ways; the difference point − box is paired by object.

    Parameters, returns and raises as :func:`rsam_core.evaluate.studies.resolution_study`;
    ``condition`` is "small" or "large". The table ends with three rows whose ``prompt`` is
    "1 point minus box": small, large, and "small minus large".
    """
    import pandas as pd

    settings = settings or PointOrBoxSettings()
    rows = _prompted(samples, segmenter, settings, ("1", "box"), progress, cancelled)
    areas = rows.drop_duplicates(["image", "object"])["area"]
    limit = float(areas.median()) if settings.small_below is None else settings.small_below
    rows["condition"] = np.where(rows["area"] < limit, SMALL, LARGE)
    pairs = rows.pivot(
        index=["image", "object", "area", "condition"], columns="prompt", values="iou"
    ).reset_index()
    pairs["difference"] = pairs["1 point"] - pairs["box"]
    parts = {name: pairs[pairs["condition"] == name] for name in (SMALL, LARGE)}
    bounds = {
        name: clustered_interval(part["difference"], part["image"], seed=settings.seed)
        for name, part in parts.items()
    }
    both = unpaired_difference(
        parts[LARGE]["difference"],
        parts[LARGE]["image"],
        parts[SMALL]["difference"],
        parts[SMALL]["image"],
        seed=settings.seed,
    )
    extra = [
        {
            "condition": name,
            "prompt": "1 point minus box",
            "objects": value.n,
            "mean": value.value,
            "low": value.low,
            "high": value.high,
        }
        for name, value in ({**bounds, "small minus large": both}).items()
        if value.n
    ]
    return base.StudyResult(
        "point_or_box",
        "Small objects by point, large ones by box?",
        "Should small objects be marked by a point and large ones by a box?",
        claim(bounds[SMALL], bounds[LARGE], limit),
        f"Objects of fewer than {limit:,.0f} pixels are small"
        + (" (the median). " if settings.small_below is None else ". ")
        + "Each was prompted by its central click, of whose three masks the one with the highest "
        "predicted IoU counts, and by its tight box. Differences are paired by object.",
        settings,
        pd.concat([base.summary(rows, settings.seed), pd.DataFrame(extra)], ignore_index=True),
        rows,
        segmenter.model.name,
        _difference_figure,
    )


def claim(small: Interval, large: Interval, limit: float) -> str:
    """Whether small objects want a point and large ones a box, from the differences point − box."""
    parts = []
    for name, bounds, sign in (("small", small, 1), ("large", large, -1)):
        numbers = f"point minus box {base.spoken(bounds)}, n = {bounds.n}"
        if not bounds.n:
            parts.append((f"there are no {name} objects", None))
        elif not (np.isfinite(bounds.low) and bounds.excludes_zero):
            parts.append((f"on {name} objects neither is clearly better ({numbers})", None))
        else:
            better = "point" if bounds.value > 0 else "box"
            holds = bounds.value * sign > 0
            parts.append((f"on {name} objects the {better} is better ({numbers})", holds))
    text = "; ".join(words for words, _ in parts)
    verdicts = [holds for _, holds in parts]
    if all(verdicts):
        opening = "Yes, the claim holds here"
    elif False in verdicts:
        opening = "No, the claim does not hold here"
    else:
        opening = "These objects do not decide it"
    return f"{opening}: {text}. Small means under {limit:,.0f} pixels."


def _prompted(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: base.StudySettings,
    prompts: tuple[str, ...],
    progress: base.Progress | None,
    cancelled: Callable[[], bool] | None,
) -> pd.DataFrame:
    """IoU of each prompt for each object; ``condition`` is left empty."""
    import pandas as pd

    methods = [PromptMethod(segmenter, prompt) for prompt in prompts]
    rows = []
    for sample, targets, share in base.drawn_objects(
        samples, settings, progress=progress, cancelled=cancelled
    ):
        base.report(progress, share, sample)
        bench = SharedImageWork(sample.image)
        for target in targets:
            base.check(cancelled)
            for method in methods:
                value = base.agreement(target.truth, method.run(bench, target.truth).mask)
                rows.append(base.row(target, "", method.prompt, value))
    return pd.DataFrame(rows)


def _between(low: float, high: float) -> str:
    if low == 0:
        return f"under {high:,.0f}"
    return f"{low:,.0f} and more" if np.isinf(high) else f"{low:,.0f} to {high:,.0f}"


def _difference_figure(result: base.StudyResult) -> Figure:
    figure, axes = new_figure()
    pairs = result.rows.pivot(index=["image", "object", "area"], columns="prompt", values="iou")
    pairs = pairs.reset_index()
    difference = pairs["1 point"] - pairs["box"]
    axes.axhline(0, color=QUIET, linewidth=1)
    axes.scatter(pairs["area"], difference, s=14, color=COLOURS[5], alpha=0.5, linewidth=0)
    limit = float(
        result.rows.loc[result.rows["condition"] == LARGE, "area"].min()
        if (result.rows["condition"] == LARGE).any()
        else result.rows["area"].max()
    )
    axes.axvline(limit, color=FRAME, linestyle=":")
    table = result.table[result.table["prompt"] == "1 point minus box"]
    for k, name in enumerate((SMALL, LARGE)):
        part = table[table["condition"] == name]
        some = result.rows[result.rows["condition"] == name]["area"]
        if not len(part) or not len(some):
            continue
        value = part.iloc[0]
        x = float(np.exp(np.log(some).mean()))
        axes.errorbar(
            [x],
            [value["mean"]],
            yerr=bars([value["mean"]], [value["low"]], [value["high"]]),
            color=COLOURS[k],
            marker=MARKERS[k],
            markersize=8,
            capsize=5,
            linewidth=2,
            label=f"{name}: mean and 95 % interval",
        )
    axes.set_xscale("log")
    axes.set_ylim(-1, 1)
    axes.set_xlabel("Area of the object (pixels)")
    axes.set_ylabel("IoU of 1 point − IoU of box")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure
