"""The steps for colours: casts, haze, and the colours of another image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsam_core.prepare import haze, radiometric
from rsam_core.prepare._reading import read_raster
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import ImageFile, choice, image, number, register, switch
from rsam_core.prepare.steps.shown import FittedStep, as_shown, samples, shown

REFERENCE_SIDE = 1024


@register
@dataclass(frozen=True)
class WhiteBalance(FittedStep):
    """Grey world or white patch."""

    key: ClassVar = "white-balance"
    title: ClassVar = "White balance"
    help: ClassVar = "Removes a colour cast: a picture that is too blue, yellow or green."
    halo: ClassVar = 0

    method: str = choice(
        "Method",
        "grey",
        (("grey", "Grey world: colours average to grey"), ("white", "The brightest is white")),
        "Grey world suits mixed scenes; the brightest suits scenes with white roofs or clouds.",
    )
    percentile: float = number(
        "The brightest", 1, 0, 20, 0.5, "%", "Share of pixels above what counts as white."
    )

    def fit(self, sample: Raster) -> Any:
        bands = list(sample.view_bands)
        gains = np.ones(sample.count, np.float32)
        if len(bands) == 3:
            pixels = samples(sample)[:, bands]
            if self.method == "grey":
                gains[bands] = radiometric.grey_world_gains(pixels)
            else:
                gains[bands] = radiometric.white_patch_gains(pixels, 100 - self.percentile)
        return gains

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        gains = self.fitted(raster, fitted)
        return as_shown(raster, radiometric.apply_gains(shown(raster), gains))


@register
@dataclass(frozen=True)
class RemoveHaze(FittedStep):
    """Dark-object subtraction."""

    key: ClassVar = "haze"
    title: ClassVar = "Remove haze"
    help: ClassVar = (
        "Takes away the veil of light that hazy air lays over the picture, going by its darkest "
        "objects (shadows, deep water), which should be nearly black."
    )
    halo: ClassVar = 0

    percentile: float = number(
        "Darkest pixels", 0.1, 0, 10, 0.1, "%", "Share of pixels that count as darkest."
    )
    reflectance: float = number(
        "They reflect", 1, 0, 10, 0.5, "%", "Deep shade and deep water: about 1 % of the light."
    )
    model: str = choice(
        "Haze in the bands",
        "same",
        (
            ("same", "Alike: keeps the colours"),
            ("own", "Each band by itself: takes a blue veil away, too"),
            ("clear", "Scattering model, clear air"),
            ("hazy", "Scattering model, hazy air"),
        ),
        "Alike takes the same veil from red, green and blue. The model measures blue only and "
        "derives the others; it needs bands named by colour.",
    )
    restore: bool = switch(
        "Restore the contrast", True, "Haze also hides the ground; this brings it back."
    )

    POWERS: ClassVar = {"same": 0.0, "own": 0.0, "clear": 2.0, "hazy": 0.7}

    def fit(self, sample: Raster) -> Any:
        values = self._from_black(sample)[sample.valid]
        lengths = haze.wavelengths_of(sample.band_names)
        dark = haze.dark_objects(values, self.percentile, lengths, self.POWERS[self.model])
        if self.model == "same":
            # What all of them have in common; in red or infrared light there is less haze.
            seen = list(sample.view_bands)
            dark[seen] = dark[seen].min()
        return dark

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        dark = self.fitted(raster, fitted)
        keep = self.reflectance / 100
        if raster.dtype == "uint8":
            # Pictures of 8 bits are made for the eye, which lifts the dark tones.
            keep = haze.as_displayed(keep)
        black, span = self._black(raster), self._span(raster)

        def clear(values: NDArray[np.float32]) -> NDArray[np.float32]:
            shares = (values - black) / span
            return haze.subtract_dark(shares, dark, keep=keep, restore=self.restore) * span + black

        if raster.display is None:
            return raster.with_values(clear(raster.values))
        # A view that is stretched shows the same tones at their new values.
        low, high = (clear(np.float32(ends)) for ends in zip(*raster.display))
        display = tuple((float(a), float(b)) for a, b in zip(low, high))
        return raster.with_values(clear(raster.values), display=display)

    @staticmethod
    def _black(raster: Raster) -> np.float32:
        # Light adds up from zero, not from what a stretched view shows as black.
        return np.float32(min(0.0, raster.limits[0]))

    def _span(self, raster: Raster) -> np.float32:
        return np.float32(raster.limits[1]) - self._black(raster)

    def _from_black(self, raster: Raster) -> NDArray[np.float32]:
        return (raster.values - self._black(raster)) / self._span(raster)


@register
@dataclass(frozen=True)
class MatchHistogram(FittedStep):
    """Histogram matching to a reference image."""

    key: ClassVar = "match"
    title: ClassVar = "Match another image"
    help: ClassVar = (
        "Gives the picture the tones and colours of a reference image, for example to compare two "
        "dates or to join neighbouring pictures."
    )
    halo: ClassVar = 0

    reference: ImageFile | None = image("Reference image")  # noqa: RUF009 (a field)

    def fit(self, sample: Raster) -> Any:
        if self.reference is None:
            return None
        other = read_raster(self.reference.open(), max_size=REFERENCE_SIDE)
        mine, theirs = self._pairs(sample, other)
        source = radiometric.quantiles(samples(sample)[:, mine])
        return mine, source, radiometric.quantiles(samples(other)[:, theirs])

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        if self.reference is None:
            return raster
        bands, source, target = self.fitted(raster, fitted)
        values = shown(raster)
        values[..., bands] = radiometric.match(values[..., bands], source, target)
        return as_shown(raster, values)

    @staticmethod
    def _pairs(one: Raster, other: Raster) -> tuple[list[int], list[int]]:
        """Bands that belong together: all in order, otherwise those shown."""
        if one.count == other.count:
            return list(range(one.count)), list(range(one.count))
        mine, theirs = list(one.view_bands), list(other.view_bands)
        return mine, theirs if len(mine) == len(theirs) else theirs[:1] * len(mine)
