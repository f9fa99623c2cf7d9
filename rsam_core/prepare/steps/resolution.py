"""Steps that add pixels or sharpen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rsam_core.prepare import resolution
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import Step, choice, number, register
from rsam_core.prepare.super_resolution import FACTOR, super_resolve

_MAX_RADIUS = 10.0


@register
@dataclass(frozen=True)
class Enlarge(Step):
    """Interpolate."""

    key = "enlarge"
    title = "Enlarge (interpolate)"
    group = "Resolution"
    help = (
        "Puts 2, 3 or 4 pixels in the place of one along each side. Small objects are easier to "
        "click and their outlines become smoother, but nothing new can be seen."
    )

    factor: str = choice("Factor", "2", (("2", "2 ×"), ("3", "3 ×"), ("4", "4 ×")))
    kernel: str = choice(
        "Method", "bicubic", (("bicubic", "Bicubic"), ("lanczos", "Lanczos (a little sharper)"))
    )

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Enlarge the raster; its pixels shrink on the ground."""
        factor = int(self.factor)
        values, valid = resolution.enlarge(raster.values, raster.valid, factor, self.kernel)
        return finer(raster, values, valid)


@register
@dataclass(frozen=True)
class SuperResolution(Step):
    """Twice the pixels by the embedded network."""

    key = "super-resolution"
    title = "Super-resolution (2 ×)"
    group = "Resolution"
    help = (
        "Doubles the pixels along each side with a small neural network that has learned from "
        "aerial images and photographs how edges look. The result is closer to a truly finer "
        "image than interpolation is, in tests on places it had not seen. It is sharper to look "
        "at and segment; it invents nothing that was smaller than a pixel, so measure and read "
        "only what the original shows. Reduce strong noise first: it would be sharpened, too. "
        "Judge it in a detail at 100 %: in a reduced view it cannot be seen."
    )

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Enlarge the raster; its pixels shrink on the ground."""
        if raster.scale > 1:
            # A reduced copy is sharp already; the network would show what the image never gets.
            values, valid = resolution.enlarge(raster.values, raster.valid, FACTOR)
        else:
            values, valid = super_resolve(raster.values, raster.valid)
        return finer(raster, values, valid)


@register
@dataclass(frozen=True)
class UnsharpMask(Step):
    """Sharpen edges."""

    key = "unsharp-mask"
    title = "Sharpen (unsharp mask)"
    group = "Resolution"
    help = (
        "Makes edges steeper by adding what a blur takes away. Good for soft images; too much "
        "draws bright and dark rims along edges and raises noise."
    )

    radius: float = number(
        "Radius", 1.5, 0.3, _MAX_RADIUS, 0.1, "px", "About the width of the blur to undo."
    )
    amount: float = number("Strength", 60, 0, 300, 5, "%")
    threshold: float = number(
        "Leave differences below",
        0,
        0,
        20,
        0.5,
        "%",
        "Of the range from black to white; raise it if even areas become grainy.",
    )

    @property
    def halo(self) -> int:
        """Reach of the blur."""
        return math.ceil(resolution.UNSHARP_REACH * self.radius)

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Sharpen the raster."""
        values = resolution.unsharp_mask(
            raster.values,
            raster.valid,
            self.radius / raster.scale,
            self.amount / 100,
            self.threshold / 100 * raster.span,
        )
        return raster.with_values(values)


def finer(raster: Raster, values: Any, valid: Any) -> Raster:
    """The raster with more pixels over the same ground."""
    sy, sx = raster.height / valid.shape[0], raster.width / valid.shape[1]
    transform = raster.transform
    if transform is not None:
        transform = transform * type(transform).scale(sx, sy)
    gsd = None if raster.gsd is None else raster.gsd * (sx * sy) ** 0.5
    return raster.changed(values=values, valid=valid, transform=transform, gsd=gsd)
