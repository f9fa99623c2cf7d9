"""The steps for tones and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare import haze, radiometric
from rsam_core.prepare._reading import read_raster
from rsam_core.prepare.nodata import filled
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import (
    ImageFile,
    Step,
    choice,
    image,
    integer,
    number,
    register,
    switch,
    text,
)

REFERENCE_SIDE = 1024


def shown(raster: Raster) -> NDArray[np.float32]:
    """The bands in shown units: 0 black, 1 white."""
    return radiometric.to_shown(raster.values, raster.shown)


def as_shown(raster: Raster, values: NDArray[np.float32]) -> Raster:
    """The raster with new values in shown units."""
    return raster.with_values(radiometric.from_shown(values, raster.shown))


def samples(raster: Raster) -> NDArray[np.float32]:
    """Valid pixels in shown units, (N, C)."""
    if not raster.valid.any():
        raise PrepareError("The image holds no data here, so nothing can be learned from it.")
    return radiometric.to_shown(raster.values[raster.valid], raster.shown)


class FittedStep(Step):
    """A step whose statistics are taken from the image itself when none are given."""

    def fitted(self, raster: Raster, fitted: Any) -> Any:
        return self.fit(raster) if fitted is None else fitted


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
        "own",
        (
            ("own", "Each band by itself"),
            ("clear", "Scattering model, clear air"),
            ("hazy", "Scattering model, hazy air"),
        ),
        "The model measures blue only and derives the others; it needs bands named by colour.",
    )
    restore: bool = switch(
        "Restore the contrast", True, "Haze also hides the ground; this brings it back."
    )

    POWERS: ClassVar = {"own": 0.0, "clear": 2.0, "hazy": 0.7}

    def fit(self, sample: Raster) -> Any:
        values = self._from_black(sample)[sample.valid]
        lengths = haze.wavelengths_of(sample.band_names)
        return haze.dark_objects(values, self.percentile, lengths, self.POWERS[self.model])

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


@register
@dataclass(frozen=True)
class Calibrate(Step):
    """Gain and offset for each band."""

    key: ClassVar = "calibrate"
    title: ClassVar = "Calibrate the sensor"
    help: ClassVar = (
        "Gain × value + offset for each band, as the sensor's data sheet or the file's metadata "
        "give them, for example to get reflectance."
    )
    halo: ClassVar = 0

    gains: str = text("Gain", "1", "One number for all bands, or one each: 0.98, 1, 1.03")
    offsets: str = text("Offset", "0", "One number for all bands, or one each, in file units.")
    output: str = choice(
        "Result",
        "same",
        (("same", "As the image shows now"), ("units", "Physical units (decimal numbers)")),
        "With physical units the picture looks the same, and the values are those of the formula.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _numbers(self.gains, "Gain")
        _numbers(self.offsets, "Offset")

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        gains = _numbers(self.gains, "Gain", raster.count)
        offsets = _numbers(self.offsets, "Offset", raster.count)
        values = radiometric.calibrate(raster.values, gains, offsets)
        if self.output == "same":
            return raster.with_values(values)
        ends = np.asarray(raster.shown) * gains[:, None] + offsets[:, None]
        display = tuple((float(min(pair)), float(max(pair))) for pair in ends)
        limits = (min(low for low, _ in display), max(high for _, high in display))
        return raster.with_values(values, display=display, limits=limits, dtype="float32")


def _numbers(written: str, title: str, count: int | None = None) -> NDArray[np.float64]:
    """Read "0.98, 1, 1.03"; one number stands for all bands."""
    try:
        parsed = [float(part) for part in written.replace(";", ",").split(",")]
    except ValueError as error:
        raise PrepareError(
            f"{title} “{written}” is not a list of numbers. Write one number, or one for each "
            "band separated by commas, such as 0.98, 1, 1.03."
        ) from error
    numbers = np.asarray(parsed)
    if not np.isfinite(numbers).all() or (title == "Gain" and (numbers == 0).any()):
        raise PrepareError(f"{title} “{written}” holds a number that cannot be used.")
    if count is None:
        return numbers
    if len(numbers) not in (1, count):
        raise PrepareError(
            f"{title} has {len(numbers)} numbers and the image {count} bands. Write one number, "
            "or one for each band."
        )
    return np.broadcast_to(numbers, (count,))
