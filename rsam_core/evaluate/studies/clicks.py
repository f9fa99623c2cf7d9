"""Accuracy against the number of clicks, and how many clicks good masks take.

References
----------
.. [1] K. Sofiiuk, I. Petrov and A. Konushin, "Reviving Iterative Training with Mask Guidance for
   Interactive Segmentation", ICIP 2022 (the protocol; NoC: mean number of clicks, where objects
   that never get there count as the limit).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.methods.prompted import MAX_CLICKS, SharedImageWork, click_answers
from rsam_core.evaluate.statistics.clustered import clustered_interval
from rsam_core.evaluate.studies import base
from rsam_core.render.figures import COLOURS, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rsam_core.segment.segmenter import Segmenter


@dataclass(frozen=True)
class ClicksSettings(base.StudySettings):
    """Settings of the clicks study.

    Parameters
    ----------
    most_clicks : int
        Clicks made at most, 1 to 20. 20 is the usual limit.
    goals : tuple of float
        IoU values that are to be reached.
    """

    max_objects: int = 60
    most_clicks: int = MAX_CLICKS
    goals: tuple[float, ...] = (0.85, 0.90)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "goals", tuple(dict.fromkeys(self.goals)))
        if not 1 <= self.most_clicks <= MAX_CLICKS:
            raise EvaluationError(f"Choose 1 to {MAX_CLICKS} clicks.")
        if not self.goals or any(not 0 < goal <= 1 for goal in self.goals):
            raise EvaluationError("A goal is an IoU above 0 and at most 1, for example 0.85.")


def clicks_study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: ClicksSettings | None = None,
    *,
    progress: base.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> base.StudyResult:
    """How many clicks does a good mask take?

    Parameters, returns and raises as :func:`rsam_core.evaluate.studies.resolution_study`.
    ``condition`` is the number of clicks; ``rows`` has the IoU after each. An object whose mask has
    no error left keeps it. The table ends with one row a goal: ``condition`` is "clicks to IoU
    0.85", and ``mean``, ``low``, ``high`` are numbers of clicks (NoC); see :func:`clicks_needed`.
    """
    import pandas as pd

    settings = settings or ClicksSettings()
    rows = []
    for sample, targets, share in base.drawn_objects(
        samples, settings, progress=progress, cancelled=cancelled
    ):
        base.report(progress, share, sample)
        bench = SharedImageWork(sample.image)
        for target in targets:
            base.check(cancelled)
            value, count = 0.0, 0
            answers = click_answers(segmenter, bench, target.truth, settings.most_clicks)
            for count, answer in enumerate(answers, start=1):
                value = base.agreement(target.truth, answer.masks[0])
                rows.append(base.row(target, count, "clicks", value))
            for later in range(count + 1, settings.most_clicks + 1):
                rows.append(base.row(target, later, "clicks", value))
    table = pd.DataFrame(rows)
    needed = clicks_needed(table, settings)
    curve = base.summary(table, settings.seed)
    at = dict(zip(curve["condition"], curve["mean"]))
    goals = "; ".join(
        f"{row.goal:.2f} takes {row.mean:.1f} clicks on average (95 % interval {row.low:.1f} to "
        f"{row.high:.1f}), and {100 * row.failed:.0f} % of the objects never get there"
        for row in needed.itertuples()
    )
    some = [c for c in (1, 3, 5, 10, 20) if c in at]
    means = ", ".join(f"{at[c]:.3f} after {c}" for c in some)
    extra = pd.DataFrame(
        {
            "condition": [f"clicks to IoU {goal:.2f}" for goal in needed["goal"]],
            "prompt": f"number of clicks (limit {settings.most_clicks})",
            "objects": needed["objects"],
            "mean": needed["mean"],
            "low": needed["low"],
            "high": needed["high"],
        }
    )
    return base.StudyResult(
        "clicks",
        "Accuracy against the number of clicks",
        "How many clicks does a good mask take?",
        f"An IoU of {goals}. Mean IoU by clicks: {means}.",
        "The first click is the pixel farthest from the object's border, each further one lies "
        "deepest in the largest connected error, missed or too much, and refines the mask before "
        f"it. Objects that do not reach a goal within {settings.most_clicks} clicks count as "
        f"{settings.most_clicks} (NoC@{settings.most_clicks}, Sofiiuk et al. 2022).",
        settings,
        pd.concat([curve, extra], ignore_index=True),
        table,
        segmenter.model.name,
        _figure,
    )


def clicks_needed(rows: pd.DataFrame, settings: ClicksSettings) -> pd.DataFrame:
    """Clicks until each goal is first reached; the limit where it never is.

    Returns
    -------
    pandas.DataFrame
        ``goal``, ``objects``, ``mean`` with ``low`` and ``high``, ``failed`` (share of objects
        that never get there).
    """
    import pandas as pd

    table = []
    every = rows[["image", "object"]].drop_duplicates()
    for goal in settings.goals:
        reached = rows[rows["iou"] >= goal].groupby(["image", "object"])["condition"].min()
        merged = every.merge(reached.rename("clicks").reset_index(), how="left")
        failed = float(merged["clicks"].isna().mean())
        clicks = merged["clicks"].fillna(settings.most_clicks)
        bounds = clustered_interval(clicks, merged["image"], seed=settings.seed)
        table.append(
            {
                "goal": goal,
                "objects": len(merged),
                "mean": bounds.value,
                "low": bounds.low,
                "high": bounds.high,
                "failed": failed,
            }
        )
    return pd.DataFrame(table)


def _figure(result: base.StudyResult) -> Figure:
    figure, axes = new_figure()
    part = result.table[result.table["prompt"] == "clicks"]
    x = part["condition"].to_numpy(float)
    axes.plot(x, part["mean"], color=COLOURS[0], marker="o", markersize=4, label="mean IoU")
    low, high = part["low"].to_numpy(float), part["high"].to_numpy(float)
    axes.fill_between(x, low, high, color=COLOURS[0], alpha=0.15, linewidth=0)
    for k, goal in enumerate(result.settings.goals, start=1):
        share = result.rows.assign(good=result.rows["iou"] >= goal)
        share = share.sort_values("condition").copy()
        share["good"] = share.groupby(["image", "object"])["good"].cummax()
        reached = share.groupby("condition")["good"].mean()
        axes.plot(
            reached.index.to_numpy(float),
            reached.to_numpy(float),
            color=COLOURS[k % len(COLOURS)],
            linestyle="--",
            label=f"share of objects that reached IoU {goal:.2f}",
        )
    axes.set_ylim(0, 1.02)
    axes.set_xticks([c for c in (1, 2, 3, 5, 10, 15, 20) if c <= x.max()])
    axes.set_xlabel("Clicks")
    axes.set_ylabel("Mean IoU, share of objects")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure
