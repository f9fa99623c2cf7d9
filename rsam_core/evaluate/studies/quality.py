"""Accuracy against noise and haze."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.studies import base, degrade
from rsam_core.evaluate.studies.figures import line_figure
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import centre_click, tight_box

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rsam_core.segment.segmenter import Segmenter


@dataclass(frozen=True)
class NoiseSettings(base.StudySettings):
    """Settings of the noise study.

    Parameters
    ----------
    sigmas : tuple of float
        Standard deviations of Gaussian noise in grey levels of 255.
    """

    sigmas: tuple[float, ...] = (0, 5, 10, 20, 40)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sigmas", tuple(dict.fromkeys(self.sigmas)))
        if not self.sigmas or any(not 0 <= sigma <= 255 for sigma in self.sigmas):
            raise EvaluationError("Choose strengths of noise from 0 to 255 grey levels.")


@dataclass(frozen=True)
class HazeSettings(base.StudySettings):
    """Settings of the haze study.

    Parameters
    ----------
    transmissions : tuple of float
        Shares of the ground's light that come through; 1 is clear air.
    """

    transmissions: tuple[float, ...] = (1.0, 0.8, 0.6, 0.4, 0.2)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "transmissions", tuple(dict.fromkeys(self.transmissions)))
        if not self.transmissions or any(not 0 < t <= 1 for t in self.transmissions):
            raise EvaluationError("Choose transmissions above 0 and up to 1 (clear air).")


def noise_study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: NoiseSettings | None = None,
    *,
    progress: base.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> base.StudyResult:
    """How much sensor noise does the model bear?

    Parameters, returns and raises as :func:`rsam_core.evaluate.studies.resolution_study`;
    ``condition`` is the standard deviation of the noise in grey levels.
    """
    settings = settings or NoiseSettings()

    def spoil(image: NDArray[np.uint8], level: float, name: str) -> NDArray[np.uint8]:
        # Each image gets noise of its own, whatever the order in which images come.
        return degrade.noisy(image, level, seed=settings.seed + zlib.crc32(name.encode()))

    return _study(
        samples,
        segmenter,
        settings,
        settings.sigmas,
        spoil,
        progress,
        cancelled,
        key="noise",
        title="Accuracy against noise",
        question="How much sensor noise does the model bear?",
        unit="noise of σ = {:g} grey levels",
        method="Independent Gaussian noise was added to each pixel and band, in grey levels of "
        "255, and clipped.",
        draw=_noise_figure,
    )


def haze_study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: HazeSettings | None = None,
    *,
    progress: base.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> base.StudyResult:
    """How much haze does the model bear?

    Parameters, returns and raises as :func:`rsam_core.evaluate.studies.resolution_study`;
    ``condition`` is the transmission.
    """
    settings = settings or HazeSettings()
    return _study(
        samples,
        segmenter,
        settings,
        settings.transmissions,
        lambda image, level, _: degrade.hazy(image, level),
        progress,
        cancelled,
        key="haze",
        title="Accuracy against haze",
        question="How much haze does the model bear?",
        unit="transmission {:g}",
        method="Even haze was added by Koschmieder's law, I = t · J + (1 − t) · A with airlight "
        f"A = {degrade.AIRLIGHT}, and rounded to whole grey levels.",
        draw=_haze_figure,
    )


def _study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: base.StudySettings,
    levels: tuple[float, ...],
    spoil: Callable[[NDArray[np.uint8], float, str], NDArray[np.uint8]],
    progress: base.Progress | None,
    cancelled: Callable[[], bool] | None,
    *,
    key: str,
    title: str,
    question: str,
    unit: str,
    method: str,
    draw: Callable[[base.StudyResult], Figure],
) -> base.StudyResult:
    import pandas as pd

    rows = []
    for sample, targets, share in base.drawn_objects(
        samples, settings, progress=progress, cancelled=cancelled
    ):
        base.report(progress, share, sample)
        for level in levels:
            base.check(cancelled)
            embedding = segmenter.embed(spoil(sample.image, level, sample.name))
            for target in targets:
                prompts = {
                    "box": Prompt(box=tight_box(target.truth)),
                    "1 point": Prompt(points=[centre_click(target.truth)]),
                }
                for name, prompt in prompts.items():
                    mask = segmenter.predict(embedding, prompt).masks[0]
                    value = base.agreement(target.truth, mask)
                    rows.append(base.row(target, level, name, value))
    table = pd.DataFrame(rows)
    changes = [
        f"{name}: mean IoU went from "
        + base.drop(table, name, levels[0], levels[-1], settings.seed)
        for name in ("box", "1 point")
    ]
    span = f"From {unit.format(levels[0])} to {unit.format(levels[-1])}: "
    return base.StudyResult(
        key,
        title,
        question,
        span + "; ".join(changes) + ".",
        method + " Prompts are the tight box and the central click of the true object.",
        settings,
        base.summary(table, settings.seed),
        table,
        segmenter.model.name,
        draw,
    )


def _noise_figure(result: base.StudyResult) -> Figure:
    return line_figure(result, "Standard deviation of the noise (grey levels of 255)")


def _haze_figure(result: base.StudyResult) -> Figure:
    figure = line_figure(result, "Share of light that comes through (1 is clear air)")
    figure.axes[0].invert_xaxis()
    return figure
