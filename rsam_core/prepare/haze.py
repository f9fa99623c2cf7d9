"""Haze: the light that the air adds, found on the darkest objects and taken away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError

WAVELENGTHS = {"blue": 0.48, "green": 0.56, "red": 0.66, "nir": 0.83}
"""Micrometres, of common sensors."""


def dark_objects(
    samples: NDArray, percentile: float = 0.1, wavelengths: Sequence[float] = (), power: float = 0.0
) -> NDArray[np.float32]:
    """Brightness of the darkest objects in each band, which the air alone explains.

    Parameters
    ----------
    samples : ndarray, shape (N, C)
        Valid pixels, 0 is black.
    percentile : float
        Share of pixels, in percent, that may be darker (defective or deeply shaded ones).
    wavelengths : sequence of float
        Of each band in micrometres; needed with a `power`.
    power : float
        If not 0, only the band of the shortest wavelength is measured, and the others follow from
        scattering in proportion to wavelength to the power −`power`: 4 very clear, 2 clear, 1
        moderate, 0.7 hazy, 0.5 very hazy air. Measured bands are never exceeded.

    Returns
    -------
    ndarray of float32, shape (C,)
        Not below 0.

    Raises
    ------
    PrepareError
        There is no pixel, or the wavelengths are missing.

    References
    ----------
    P. S. Chavez, "An improved dark-object subtraction technique for atmospheric scattering
    correction of multispectral data", Remote Sensing of Environment 24 (1988) 459–479.
    """
    if not len(samples):
        raise PrepareError("The image holds no data, so its haze cannot be measured.")
    dark = np.maximum(np.percentile(samples, percentile, axis=0), 0)
    if power:
        lengths = np.asarray(wavelengths, float)
        if lengths.shape != dark.shape:
            raise PrepareError(
                "The scattering model needs to know which band is blue, green, red or near "
                "infrared. Choose “each band by itself” for this image."
            )
        shortest = int(np.argmin(lengths))
        scattered = dark[shortest] * (lengths / lengths[shortest]) ** -power
        dark = np.minimum(dark, scattered)
    return dark.astype(np.float32)


def subtract_dark(
    values: NDArray[np.float32], dark: NDArray, *, keep: float = 0.0, restore: bool = True
) -> NDArray[np.float32]:
    """Take the light of the air away.

    Parameters
    ----------
    values : ndarray, shape (..., C)
        0 is black, 1 white.
    dark : ndarray, shape (C,)
        From `dark_objects`.
    keep : float
        How bright the darkest objects are without haze, 0 to 1.
    restore : bool
        Also spread the values again: air that adds the light a hides the share a of the ground
        (image = ground × (1 − a) + a), so what is white stays white. Otherwise the light is
        subtracted only.
    """
    dark = np.maximum(np.asarray(dark, np.float32), np.float32(keep))
    if not restore:
        return values - (dark - np.float32(keep))
    # The darkest objects say: dark = keep × (1 − a) + a.
    clear = np.maximum((1 - dark) / np.float32(1 - keep), np.float32(0.1))
    return (values - (1 - clear)) / clear


def as_displayed(reflectance: float) -> float:
    """Brightness, 0 to 1, that a picture of 8 bits gives a reflectance (curve of sRGB)."""
    if reflectance <= 0.0031308:
        return 12.92 * reflectance
    return 1.055 * reflectance ** (1 / 2.4) - 0.055


def wavelengths_of(names: Sequence[str]) -> tuple[float, ...]:
    """Wavelength of each band by its name; empty if one is unknown."""
    found = []
    for name in names:
        plain = name.lower().replace("-", " ").replace("_", " ")
        infrared = "nir" in plain or "near infrared" in plain or "near ir" in plain
        colour = "nir" if infrared else next((c for c in WAVELENGTHS if c in plain), None)
        if colour is None:
            return ()
        found.append(WAVELENGTHS[colour])
    return tuple(found)
