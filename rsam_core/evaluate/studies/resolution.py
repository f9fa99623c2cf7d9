"""Accuracy against the resolution of the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.studies import base, degrade
from rsam_core.evaluate.studies.figures import line_figure
from rsam_core.prompts.prompt import MIN_BOX, Prompt
from rsam_core.prompts.simulated import centre_click, tight_box

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rsam_core.segment.segmenter import Segmenter


@dataclass(frozen=True)
class ResolutionSettings(base.StudySettings):
    """Settings of the resolution study.

    Parameters
    ----------
    factors : tuple of float
        How many times as large the pixels become, 1 to 16.
    mtf : float
        Contrast at the Nyquist frequency of the simulated sensor.
    view : {"reduced", "enlarged"}
        What the model sees: the small image as such a sensor delivers it, or that image enlarged
        to the original pixels again (bicubic).
    """

    factors: tuple[float, ...] = (1, 2, 4, 8, 16)
    mtf: float = degrade.MTF_AT_NYQUIST
    view: Literal["reduced", "enlarged"] = "reduced"

    def __post_init__(self) -> None:
        super().__post_init__()
        factors = tuple(dict.fromkeys(self.factors))
        object.__setattr__(self, "factors", factors)
        if not factors or any(not 1 <= factor <= 16 for factor in factors):
            raise EvaluationError("Choose factors from 1 (as it is) to 16.")
        if self.view not in ("reduced", "enlarged"):
            raise EvaluationError("The model sees the image “reduced” or “enlarged” again.")
        degrade.blur_sigma(1, self.mtf)


LIMIT = "best possible at this pixel size"


def resolution_study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: ResolutionSettings | None = None,
    *,
    progress: base.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> base.StudyResult:
    """How fast does accuracy fall when the pixels become larger?

    Box and central click come from the original truth; masks are brought back to the original
    pixels and compared with it. The line "best possible" is the truth itself, drawn with the
    larger pixels.

    Parameters
    ----------
    samples : Dataset, Sample or sequence of Sample
    segmenter : Segmenter
    settings : ResolutionSettings, optional
    progress, cancelled : callable, optional

    Returns
    -------
    StudyResult
        ``condition`` is the factor.

    Raises
    ------
    EvaluationError
        If there is no object to judge.
    Cancelled
        If it was asked to stop.
    """
    import pandas as pd

    settings = settings or ResolutionSettings()
    rows = []
    for sample, targets, share in base.drawn_objects(
        samples, settings, progress=progress, cancelled=cancelled
    ):
        base.report(progress, share, sample)
        shape = sample.image.shape[:2]
        for factor in settings.factors:
            base.check(cancelled)
            if factor > min(shape):
                continue
            image = degrade.coarser(sample.image, factor, mtf=settings.mtf)
            scale = factor
            if settings.view == "enlarged":
                image, scale = degrade.enlarged(image, factor, shape), 1.0
            embedding = segmenter.embed(image)
            for target in targets:
                for name, prompt in _prompts(target.truth, scale, image.shape[:2]).items():
                    mask = segmenter.predict(embedding, prompt).masks[0]
                    if scale != 1:
                        mask = degrade.enlarged_mask(mask, factor, shape)
                    value = base.agreement(target.truth, mask)
                    rows.append(base.row(target, factor, name, value))
                small = degrade.coarser_mask(target.truth, factor)
                limit = target.truth
                if factor != 1:
                    limit = degrade.enlarged_mask(small, factor, shape)
                value = base.agreement(target.truth, limit)
                rows.append(base.row(target, factor, LIMIT, value))
    table = pd.DataFrame(rows)
    first, last = settings.factors[0], table["condition"].max()
    changes = [
        f"{name}: mean IoU went from {base.drop(table, name, first, last, settings.seed)}"
        for name in ("box", "1 point")
    ]
    seen = "as delivered, with fewer pixels" if settings.view == "reduced" else "enlarged again"
    return base.StudyResult(
        "resolution",
        "Accuracy against image resolution",
        "How fast does accuracy fall when the pixels become larger?",
        f"From pixels ×{first:g} to ×{last:g}: " + "; ".join(changes) + ".",
        "Each image was blurred by the Gaussian that brings the modulation transfer function at "
        f"the Nyquist frequency of the larger pixels to {settings.mtf:g} (σ = "
        f"{degrade.blur_sigma(2, settings.mtf):.2f} original pixels at ×2, assuming that the "
        "original has the same value at its own), then sampled at the centres of the larger "
        f"pixels. The model saw the result {seen}. Prompts came from the original truth, and masks "
        "were compared with it at the original pixels.",
        settings,
        base.summary(table, settings.seed),
        table,
        segmenter.model.name,
        _figure,
    )


def _prompts(truth: np.ndarray, scale: float, shape: tuple[int, int]) -> dict[str, Prompt]:
    """Tight box and central click in the pixels that the model sees."""
    height, width = shape
    x, y = (value / scale for value in centre_click(truth))
    point = (min(x, width - 1e-6), min(y, height - 1e-6))
    x0, y0, x1, y1 = (value / scale for value in tight_box(truth))
    # A box of less than a pixel cannot be drawn; a user would draw the smallest one.
    grow_x, grow_y = max(0, MIN_BOX - x1 + x0) / 2, max(0, MIN_BOX - y1 + y0) / 2
    left, top = max(0, min(x0 - grow_x, width - 1)), max(0, min(y0 - grow_y, height - 1))
    box = (left, top, max(x1 + grow_x, left + 1), max(y1 + grow_y, top + 1))
    return {"box": Prompt(box=box), "1 point": Prompt(points=[point])}


def _figure(result: base.StudyResult) -> Figure:
    return line_figure(
        result,
        "Pixel size against the original",
        log=True,
        ticks=[f"×{c:g}" for c in dict.fromkeys(result.table["condition"])],
    )
