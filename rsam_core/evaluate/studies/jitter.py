"""Accuracy against careless prompts: a loose or shifted box, a click off centre."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.studies import base
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import depth, tight_box
from rsam_core.render.figures import COLOURS, MARKERS, new_figure, style_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rsam_core.segment.segmenter import Segmenter

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class JitterSettings(base.StudySettings):
    """Settings of the jitter study.

    Parameters
    ----------
    margins : tuple of float
        How far each edge of the box is moved outwards (inwards if negative), as a share of the
        box's width or height; above −0.5.
    shifts : tuple of float
        How far the box is moved as a whole, in a random direction, as a share of its width and
        height.
    off_centre : tuple of float
        0 is the pixel farthest from the border, 1 a pixel at the border.
    """

    margins: tuple[float, ...] = (-0.1, 0.0, 0.1, 0.25, 0.5)
    shifts: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.3)
    off_centre: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("margins", "shifts", "off_centre"):
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))
        if any(not -0.5 < margin <= 5 for margin in self.margins):
            raise EvaluationError("The margin of a box lies above −0.5 and is at most 5.")
        if any(not 0 <= shift <= 1 for shift in self.shifts):
            raise EvaluationError("A box can be shifted by 0 to 1 times its size.")
        if any(not 0 <= share <= 1 for share in self.off_centre):
            raise EvaluationError("A click lies 0 (centre) to 1 (border) off the centre.")
        if not (self.margins or self.shifts or self.off_centre):
            raise EvaluationError("Choose at least one kind of careless prompt.")


ENLARGED, SHIFTED, INTERACTIVE = "box enlarged", "box shifted", "click off centre"


def loose_box(box: Box, margin: float) -> Box:
    """A box with each edge moved outwards by a share of its width or height."""
    x0, y0, x1, y1 = box
    dx, dy = margin * (x1 - x0), margin * (y1 - y0)
    return x0 - dx, y0 - dy, x1 + dx, y1 + dy


def shifted_box(box: Box, share: float, angle: float) -> Box:
    """A box moved in a direction (radians) by a share of its width and height."""
    x0, y0, x1, y1 = box
    dx, dy = share * (x1 - x0) * np.cos(angle), share * (y1 - y0) * np.sin(angle)
    return x0 + dx, y0 + dy, x1 + dx, y1 + dy


def click_off_centre(
    truth: base.Mask, share: float, generator: np.random.Generator
) -> tuple[float, float]:
    """A random object pixel whose distance from the border is (1 − share) of the largest one.

    For 0 it is the central click of :func:`rsam_core.prompts.simulated.centre_click`.
    """
    deep = depth(truth)
    if share == 0:
        row, column = np.unravel_index(int(deep.argmax()), truth.shape)
    else:
        wanted = max(1.0, (1 - share) * float(deep.max()))
        off = np.where(truth, np.abs(deep - wanted), np.inf)
        rows, columns = np.nonzero(off <= max(0.5, float(off.min())))
        chosen = int(generator.integers(len(rows)))
        row, column = rows[chosen], columns[chosen]
    return float(column) + 0.5, float(row) + 0.5


def jitter_study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: JitterSettings | None = None,
    *,
    progress: base.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> base.StudyResult:
    """How exactly must one draw a box or aim a click?

    Parameters, returns and raises as :func:`rsam_core.evaluate.studies.resolution_study`;
    ``prompt`` is the kind of carelessness and ``condition`` its amount.
    """
    import pandas as pd

    settings = settings or JitterSettings()
    rows = []
    for sample, targets, share in base.drawn_objects(
        samples, settings, progress=progress, cancelled=cancelled
    ):
        base.report(progress, share, sample)
        embedding = segmenter.embed(sample.image)
        for target in targets:
            base.check(cancelled)
            for kind, amount, prompt in _prompts(target, settings):
                mask = segmenter.predict(embedding, prompt).masks[0]
                rows.append(base.row(target, amount, kind, base.agreement(target.truth, mask)))
    table = pd.DataFrame(rows)
    sentences = []
    for kind, amounts, unit in (
        (ENLARGED, settings.margins, "by {:+.0%} of its size at each edge"),
        (SHIFTED, settings.shifts, "by {:.0%} of its size"),
        (INTERACTIVE, settings.off_centre, "by {:.0%} of the way to the border"),
    ):
        if not amounts:
            continue
        exact, worst = min(amounts, key=abs), max(amounts)
        change = base.drop(table, kind, exact, worst, settings.seed)
        words = unit.format(worst).replace("%", " %")
        sentences.append(f"{kind[0].upper()}{kind[1:]} {words}: mean IoU went from {change}.")
    return base.StudyResult(
        "jitter",
        "Accuracy against careless prompts",
        "How exactly must one draw a box or aim a click?",
        " ".join(sentences),
        "The tight box of the true object was enlarged or shrunk at each edge, or shifted in a "
        "random direction, by a share of its width and height. The click was moved from the pixel "
        "farthest from the border to a random one at a smaller distance from it.",
        settings,
        base.summary(table, settings.seed),
        table,
        segmenter.model.name,
        _figure,
    )


def _prompts(target: base.Target, settings: JitterSettings) -> list[tuple[str, float, Prompt]]:
    # Seeded by the object, so that a result does not depend on which others were drawn.
    name = f"{target.image} {target.name}".encode()
    generator = np.random.default_rng([settings.seed, zlib.crc32(name)])
    angle = float(generator.uniform(0, 2 * np.pi))
    height, width = target.truth.shape
    tight = tight_box(target.truth)
    boxes = [(ENLARGED, m, loose_box(tight, m)) for m in settings.margins]
    boxes += [(SHIFTED, s, shifted_box(tight, s, angle)) for s in settings.shifts]
    prompts = []
    for kind, amount, (x0, y0, x1, y1) in boxes:
        left, top = min(max(x0, 0), width - 1), min(max(y0, 0), height - 1)
        right, bottom = max(min(x1, width), left + 1), max(min(y1, height), top + 1)
        prompts.append((kind, amount, Prompt(box=(left, top, right, bottom))))
    for share in settings.off_centre:
        point = click_off_centre(target.truth, share, generator)
        prompts.append((INTERACTIVE, share, Prompt(points=[point])))
    return prompts


def _figure(result: base.StudyResult) -> Figure:
    kinds = list(dict.fromkeys(result.table["prompt"]))
    figure, axes = new_figure(3.2 * len(kinds), 3.2)
    figure.delaxes(axes)
    first = None
    for k, kind in enumerate(kinds):
        axes = figure.add_subplot(1, len(kinds), k + 1, sharey=first)
        first = first or axes
        style_axes(axes)
        part = result.table[result.table["prompt"] == kind]
        x = part["condition"].to_numpy(float) * 100
        axes.plot(x, part["mean"], color=COLOURS[k], marker=MARKERS[k], markersize=5)
        axes.fill_between(x, part["low"], part["high"], color=COLOURS[k], alpha=0.15, linewidth=0)
        axes.set_ylim(0, 1.02)
        axes.set_title(kind[0].upper() + kind[1:], fontsize=10)
        axes.set_xlabel("% of the size" if kind != INTERACTIVE else "% of the way to the border")
        if k == 0:
            axes.set_ylabel("Mean IoU")
    return figure
