"""What near infrared shows: colour infrared, the vegetation index, a spectrum at a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.subject import Subject, place_subject
from rsam_core.scene.indices import INDICES, ndvi

BANDS = ("blue", "green", "red", "nir")
"""From the shortest to the longest wavelength."""
VIEWS = ("true", "infrared", "ndvi")
PLANT = 0.1
"""Vegetation index below which nothing living is taken to stand, on numbers of a camera."""
_GREENER = 12
"""By how much green must exceed red and blue to look green."""
_PERCENTILES = (1.0, 99.0)


def subject_for(own: Subject | None) -> Subject:
    """The open image if its near infrared is known, otherwise the campus."""
    return own if own is not None and has_infrared(own) else place_subject("campus")


def has_infrared(subject: Subject) -> bool:
    """Whether near infrared and the three colours are known."""
    roles = (subject.nir, subject.red, subject.green, subject.blue)
    return subject.bands is not None and None not in roles


def band(subject: Subject, name: str) -> NDArray[np.float32]:
    """One of `BANDS`, (H, W), as stored."""
    return subject.bands[..., getattr(subject, name)]


def index(subject: Subject) -> NDArray[np.float32]:
    """The vegetation index, (H, W); NaN where it is not defined."""
    return ndvi(band(subject, "nir"), band(subject, "red"))


def picture(subject: Subject, view: str) -> NDArray[np.uint8]:
    """The image in one of `VIEWS`, (H, W, 3) uint8."""
    if view == "infrared":
        return _stretched(np.stack([band(subject, n) for n in ("nir", "red", "green")], -1))
    if view == "ndvi":
        colours = INDICES["ndvi"].colours
        values = np.nan_to_num(index(subject))
        return colours[np.rint((values + 1) / 2 * (len(colours) - 1)).astype(int)]
    return subject.image


def _stretched(colours: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = np.nanpercentile(colours, _PERCENTILES)
    scaled = (np.nan_to_num(colours) - low) / max(high - low, 1e-6)
    return np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class Spectrum:
    """What the sensor measured at a place.

    Attributes
    ----------
    values : dict of str to float
        Of `BANDS`, as stored.
    shares : dict of str to float
        The same as shares of the brightest value in the image.
    ndvi : float
    looks_green : bool
        Whether the picture is green there to the eye.
    """

    values: dict[str, float]
    shares: dict[str, float]
    ndvi: float
    looks_green: bool

    @property
    def only_paint(self) -> bool:
        """Green to the eye, and no living plant by its near infrared."""
        return self.looks_green and self.ndvi < PLANT


def spectrum(subject: Subject, x: float, y: float) -> Spectrum:
    """The mean of the three by three pixels around a place."""
    height, width = subject.shape
    column, row = min(int(x), width - 1), min(int(y), height - 1)
    part = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    values = {name: float(np.nanmean(band(subject, name)[part])) for name in BANDS}
    brightest = max(float(np.nanmax(band(subject, name))) for name in BANDS)
    red, green, blue = subject.image[part].reshape(-1, 3).mean(0)
    return Spectrum(
        values,
        {name: value / max(brightest, 1e-6) for name, value in values.items()},
        float(ndvi(values["nir"], values["red"])),
        bool(green >= max(red, blue) + _GREENER),
    )


def planted(subject: Subject, least: float) -> NDArray[np.bool_]:
    """Where the vegetation index is at least so large, (H, W)."""
    return np.nan_to_num(index(subject), nan=-1.0) >= least


def marked(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A picture of which all but a mask is grey and pale."""
    grey = np.rint(picture @ np.array([0.3, 0.6, 0.1]) * 0.35 + 160).astype(np.uint8)
    return np.where(mask[..., None], picture, grey[..., None])
