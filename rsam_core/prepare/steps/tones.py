"""The steps for tones: brightness, contrast, and where the values of an image lie between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rsam_core.prepare import radiometric
from rsam_core.prepare.nodata import filled
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import Step, integer, number, register, switch
from rsam_core.prepare.steps.shown import FittedStep, as_shown, samples, shown


@register
@dataclass(frozen=True)
class Brightness(Step):
    """Add the same light everywhere."""

    key: ClassVar = "brightness"
    title: ClassVar = "Brightness"
    help: ClassVar = "Makes the whole picture lighter or darker by the same amount."
    halo: ClassVar = 0

    percent: float = number("Brighter by", 10, -100, 100, 1, "%", "Below 0 makes it darker.")

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        return as_shown(raster, radiometric.brightness(shown(raster), self.percent))


@register
@dataclass(frozen=True)
class Contrast(Step):
    """Spread values around mid grey."""

    key: ClassVar = "contrast"
    title: ClassVar = "Contrast"
    help: ClassVar = "Makes light things lighter and dark things darker, or the reverse."
    halo: ClassVar = 0

    percent: float = number("Stronger by", 20, -100, 300, 1, "%", "Below 0 makes it flatter.")

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        return as_shown(raster, radiometric.contrast(shown(raster), self.percent))


@register
@dataclass(frozen=True)
class Gamma(Step):
    """Bend the tone curve."""

    key: ClassVar = "gamma"
    title: ClassVar = "Gamma (middle tones)"
    help: ClassVar = (
        "Lightens or darkens the middle tones while black and white stay. Opens up shadows without "
        "burning out roofs."
    )
    halo: ClassVar = 0

    exponent: float = number("Gamma", 1.4, 0.2, 5, 0.05, "", "Above 1 lightens, below 1 darkens.")

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        return as_shown(raster, radiometric.gamma(shown(raster), self.exponent))


@register
@dataclass(frozen=True)
class Stretch(FittedStep):
    """Percentile stretch."""

    key: ClassVar = "stretch"
    title: ClassVar = "Stretch the tones"
    help: ClassVar = (
        "Uses the full range from black to white: the darkest pixels become black, the lightest "
        "white. The first thing to try on a dull picture."
    )
    halo: ClassVar = 0

    low: float = number("Becomes black", 1, 0, 49, 0.5, "%", "Share of the pixels.")
    high: float = number("Becomes white", 1, 0, 49, 0.5, "%", "Share of the pixels.")
    together: bool = switch(
        "Keep the colours", True, "All bands alike. Off: each for itself, which shifts colours."
    )

    def fit(self, sample: Raster) -> Any:
        ends = np.percentile(samples(sample), (self.low, 100 - self.high), axis=0)
        if self.together:
            bands = list(sample.view_bands)
            ends[0, bands], ends[1, bands] = ends[0, bands].min(), ends[1, bands].max()
        return ends[0], ends[1]

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        return as_shown(raster, radiometric.stretch(shown(raster), *self.fitted(raster, fitted)))


@register
@dataclass(frozen=True)
class Equalize(FittedStep):
    """Histogram equalisation."""

    key: ClassVar = "equalize"
    title: ClassVar = "Equalise the histogram"
    help: ClassVar = (
        "Spreads the tones so that each is used equally often. Shows the most detail overall; the "
        "picture looks less natural."
    )
    halo: ClassVar = 0

    strength: float = number("Strength", 100, 0, 100, 5, "%")
    lightness: bool = switch(
        "Keep the colours", True, "Changes lightness only. Off: each band for itself."
    )

    def fit(self, sample: Raster) -> Any:
        pixels = samples(sample)
        bands = list(sample.view_bands)
        light = None
        if self.lightness and len(bands) == 3:
            light = radiometric.quantiles(radiometric.lightness(pixels[:, bands]))
        return radiometric.quantiles(pixels), light

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        tables, light = self.fitted(raster, fitted)
        share = self.strength / 100
        values = shown(raster)
        if light is None:
            return as_shown(raster, radiometric.equalize(values, tables, share))
        colours = list(raster.view_bands)
        values[..., colours] = radiometric.on_lightness(
            values[..., colours], (0, 1, 2), lambda L: radiometric.equalize(L, light, share)
        )
        others = [band for band in range(raster.count) if band not in colours]
        if others:
            values[..., others] = radiometric.equalize(
                values[..., others], tables[:, others], share
            )
        return as_shown(raster, values)


@register
@dataclass(frozen=True)
class Clahe(Step):
    """Contrast-limited adaptive histogram equalisation."""

    key: ClassVar = "clahe"
    title: ClassVar = "Local contrast (CLAHE)"
    help: ClassVar = (
        "Brings out detail in shadows and in bright places at the same time, each part of the "
        "picture for itself. Needs the whole image in memory."
    )
    halo: ClassVar = None

    clip: float = number("Strength", 2, 1, 10, 0.5, "", "2 is gentle, 4 strong.")
    tiles: int = integer("Fields along the short side", 8, 2, 32, 1, "", "More is more local.")

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        values = filled(shown(raster), raster.valid)
        result = radiometric.on_lightness(
            values, raster.view_bands, lambda v: radiometric.clahe(v, self.clip, self.tiles)
        )
        return as_shown(raster, result)
