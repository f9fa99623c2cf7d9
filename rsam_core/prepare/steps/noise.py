"""The steps against noise, specks and stripes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsam_core.prepare import destripe, noise
from rsam_core.prepare.nodata import filled
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import Step, choice, integer, number, register

LEVELS = 255.0
"""Noise is given in grey levels as if white were 255, whatever the data type."""
# The influence of a pixel on the result of the total variation fades within this distance.
TV_HALO = 48
SIGMA = "How strong the noise is: its standard deviation where white is 255."


def sigma_of(raster: Raster, levels: float) -> float:
    """Noise in the values of a raster; averaging in a reduced copy has weakened it already."""
    return levels / LEVELS * raster.span / raster.scale


def whole(raster: Raster) -> NDArray[np.float32]:
    """The values with gaps filled from their neighbours."""
    return filled(raster.values, raster.valid)


@register
@dataclass(frozen=True)
class Bilateral(Step):
    """Edge-preserving average."""

    key: ClassVar = "bilateral"
    title: ClassVar = "Smooth, keep edges (bilateral)"
    group: ClassVar = "Noise"
    help: ClassVar = (
        "Averages near pixels of similar colour. Quick, keeps roof edges sharp; the best first "
        "choice against grain."
    )

    sigma: float = number("Noise", 8, 0.5, 60, 0.5, "of 255", SIGMA)
    radius: float = number("Reach", 1.5, 0.5, 6, 0.5, "px", "Larger is smoother.")

    @property
    def halo(self) -> int:
        return max(1, round(2 * self.radius))

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        radius = self.radius / raster.scale
        if radius < 0.3:
            return raster
        done = noise.bilateral(whole(raster), sigma_of(raster, self.sigma), radius)
        return raster.with_values(done)


@register
@dataclass(frozen=True)
class NonLocalMeans(Step):
    """Non-local means."""

    key: ClassVar = "nonlocal"
    title: ClassVar = "Non-local means"
    group: ClassVar = "Noise"
    help: ClassVar = (
        "Averages places that look alike, such as the tiles of a roof. Keeps repeated texture; "
        "slower, a few seconds for each million pixels."
    )

    sigma: float = number("Noise", 8, 0.5, 60, 0.5, "of 255", SIGMA)
    patch: int = integer("Patch", 5, 3, 9, 2, "px", "Side of the places compared.")
    reach: int = integer("Search", 5, 2, 12, 1, "px", "How far to look for similar places.")

    @property
    def halo(self) -> int:
        return self.reach + self.patch // 2 + 1

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        sigma = sigma_of(raster, self.sigma)
        return raster.with_values(
            noise.nonlocal_means(whole(raster), sigma, self.patch, self.reach)
        )


@register
@dataclass(frozen=True)
class TotalVariation(Step):
    """Total variation denoising."""

    key: ClassVar = "total-variation"
    title: ClassVar = "Flatten surfaces (total variation)"
    group: ClassVar = "Noise"
    help: ClassVar = (
        "Makes surfaces flat and keeps the edges between them. Suits strong noise on roofs, "
        "fields and water; takes fine texture away."
    )
    halo: ClassVar = TV_HALO

    sigma: float = number("Noise", 8, 0.5, 60, 0.5, "of 255", SIGMA)

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        done = noise.total_variation(whole(raster), sigma_of(raster, self.sigma))
        return raster.with_values(done)


@register
@dataclass(frozen=True)
class Median(Step):
    """Median filter."""

    key: ClassVar = "median"
    title: ClassVar = "Median"
    group: ClassVar = "Noise"
    help: ClassVar = (
        "Replaces each pixel by the middle value around it. Robust, but wipes out things that are "
        "narrower than its radius."
    )

    radius: int = integer("Radius", 1, 1, 7, 1, "px")

    @property
    def halo(self) -> int:
        return self.radius

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        radius = round(self.radius / raster.scale)
        if radius < 1:
            return raster
        return raster.with_values(noise.median(whole(raster), radius))


@register
@dataclass(frozen=True)
class RemoveSpecks(Step):
    """Adaptive median against salt and pepper."""

    key: ClassVar = "specks"
    title: ClassVar = "Remove specks (salt and pepper)"
    group: ClassVar = "Noise"
    help: ClassVar = (
        "Replaces single pixels that stick out, from faulty detectors or broken transmission. All "
        "other pixels stay exactly as they are."
    )

    threshold: float = number(
        "Sticks out by", 10, 1, 100, 1, "%", "Of the range from black to white."
    )
    radius: int = integer("Largest neighbourhood", 3, 1, 5, 1, "px", "More for dense specks.")

    @property
    def halo(self) -> int:
        return self.radius

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        threshold = self.threshold / 100 * raster.span / raster.scale
        return raster.with_values(noise.remove_specks(whole(raster), threshold, self.radius))


@register
@dataclass(frozen=True)
class Destripe(Step):
    """Destriping."""

    key: ClassVar = "destripe"
    title: ClassVar = "Remove stripes"
    group: ClassVar = "Noise"
    help: ClassVar = (
        "Evens out the lines of a line scanner whose detectors answer differently. Needs the "
        "whole image in memory."
    )
    halo: ClassVar = None

    direction: str = choice(
        "Stripes run",
        "columns",
        (("columns", "From top to bottom"), ("rows", "From left to right")),
    )
    method: str = choice(
        "Method",
        "level",
        (
            ("level", "Level neighbouring lines"),
            ("moments", "Match mean and contrast"),
            ("fourier", "Fourier filter"),
        ),
        "Levelling suits most images; matching, detectors that differ in sensitivity; the filter, "
        "stripes that fade along their way.",
    )
    reach: float = number(
        "Width of a stripe at most", 10, 1, 100, 1, "px", "Wider changes belong to the scene."
    )

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        columns, reach = self.direction == "columns", max(1.0, self.reach / raster.scale)
        if self.method == "fourier":
            done = destripe.filter_stripes(whole(raster), columns=columns, reach=reach / 2)
        else:
            ways = {"level": destripe.level_lines, "moments": destripe.match_moments}
            way, share = ways[self.method], 1.0 if self.method == "level" else 0.5
            done = way(raster.values, raster.valid, columns=columns, reach=reach * share)
        return raster.with_values(done)
