"""What an image needs: measured on the image, said in plain words, each with the step for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rsam_core.prepare import destripe, haze, noise_estimate
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import Step
from rsam_core.prepare.steps.colours import RemoveHaze, WhiteBalance
from rsam_core.prepare.steps.noise import LEVELS, Bilateral, Destripe, RemoveSpecks
from rsam_core.prepare.steps.shown import samples
from rsam_core.prepare.steps.tones import Gamma, Stretch

# From which values on a step is suggested; clean rendered and real scenes stay below.
NOISE_LEVELS = 3.0
SPECK_SHARE = 0.001
STRIPE_LEVELS, STRIPE_RATIO = 1.5, 2.5
HAZE_SHARE = 0.2
DULL_SPAN = 0.6
DARK_MEAN = 0.25
CAST = 0.45


@dataclass(frozen=True)
class Advice:
    """One suggestion.

    Attributes
    ----------
    text : str
        What was found, for a person.
    step : Step
        The step against it, with settings from the measurement.
    """

    text: str
    step: Step


def advise(overview: Raster, detail: Raster) -> tuple[Advice, ...]:
    """Suggest steps for an image.

    Parameters
    ----------
    overview : Raster
        The whole image, reduced.
    detail : Raster
        A part at full resolution, where noise shows.

    Returns
    -------
    tuple of Advice
        In the order in which the steps should be applied; empty if nothing is amiss.
    """
    return (*_about_detail(detail), *_about_tones(overview))


def noise_levels(detail: Raster) -> float:
    """Standard deviation of the noise where white is 255."""
    values = detail.values[..., list(detail.view_bands)]
    return noise_estimate.estimate_noise(values, detail.valid) / detail.span * LEVELS


def _about_detail(detail: Raster) -> list[Advice]:
    if not detail.valid.any():
        return []
    found = []
    values = detail.values[..., list(detail.view_bands)]
    specks = noise_estimate.speck_share(values, detail.valid, 0.2 * detail.span)
    if specks > SPECK_SHARE:
        found.append(
            Advice(
                f"About {specks:.1%} of the pixels are specks that stick out.",
                RemoveSpecks(),
            )
        )
    levels = {
        columns: destripe.stripe_level(values, detail.valid, columns=columns) / detail.span * LEVELS
        for columns in (True, False)
    }
    columns = levels[True] >= levels[False]
    if levels[columns] > max(STRIPE_LEVELS, STRIPE_RATIO * levels[not columns]):
        way = "from top to bottom" if columns else "from left to right"
        found.append(
            Advice(
                f"There are stripes {way} (about {levels[columns]:.1f} of 255).",
                Destripe(direction="columns" if columns else "rows"),
            )
        )
    sigma = noise_levels(detail)
    if sigma > NOISE_LEVELS and specks <= SPECK_SHARE:
        found.append(
            Advice(
                f"This image looks noisy (σ ≈ {sigma:.0f} of 255).",
                Bilateral(sigma=min(60, max(0.5, round(2 * sigma) / 2))),
            )
        )
    return found


def _about_tones(overview: Raster) -> list[Advice]:
    if not overview.valid.any():
        return []
    shown = samples(overview)[:, list(overview.view_bands)]
    found = []
    low, high = np.percentile(shown, (1, 99), axis=0)
    # A view that is stretched hides haze, so it is no trouble there.
    if min(low.min(), haze_share(overview)) > HAZE_SHARE:
        found.append(
            Advice("This image looks hazy: even its darkest places are bright.", RemoveHaze())
        )
    elif high.max() - low.min() < DULL_SPAN:
        found.append(Advice("This image looks dull: it uses few of the tones.", Stretch()))
    elif shown.mean() < DARK_MEAN:
        found.append(Advice("This image looks dark.", Gamma(exponent=1.6)))
    means = np.clip(shown, 0, None).mean(axis=0)
    if len(means) == 3 and np.ptp(means) > CAST * means.mean():
        found.append(Advice("This image has a colour cast.", WhiteBalance()))
    return found


def haze_share(overview: Raster) -> float:
    """Light of the air in the clearest band, as a share of white."""
    step = RemoveHaze()
    dark = haze.dark_objects(step._from_black(overview)[overview.valid], step.percentile)
    return float(dark[list(overview.view_bands)].min())
