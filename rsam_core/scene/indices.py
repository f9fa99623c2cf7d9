"""Spectral indices: vegetation and water from bands with near infrared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

COLOUR_STEPS = 256


def ndvi(nir: ArrayLike, red: ArrayLike) -> NDArray[np.float32]:
    """Normalised difference vegetation index, ``(nir - red) / (nir + red)``.

    Leaves reflect near infrared and absorb red: dense green plants give 0.6 to 0.9, bare ground
    0.1 to 0.2, water less than 0 (on reflectances; on raw numbers of a camera the order stays, the
    values shift).

    Parameters
    ----------
    nir, red : array
        Near infrared and red of the same shape, any real dtype.

    Returns
    -------
    array of float32
        From -1 to 1 for values that are not negative; NaN where the sum is 0 or not finite.

    References
    ----------
    .. [1] Rouse, J. W., Haas, R. H., Schell, J. A., Deering, D. W. (1974). Monitoring vegetation
       systems in the Great Plains with ERTS. Third ERTS-1 Symposium, NASA SP-351, 309-317.
    """
    return normalised_difference(nir, red)


def ndwi(green: ArrayLike, nir: ArrayLike) -> NDArray[np.float32]:
    """Normalised difference water index, ``(green - nir) / (green + nir)``.

    Water absorbs near infrared: open water gives values above 0, land and plants below. (Gao's
    index of the same name, from shortwave infrared, is another one.)

    Parameters
    ----------
    green, nir : array
        Green and near infrared of the same shape, any real dtype.

    Returns
    -------
    array of float32
        From -1 to 1 for values that are not negative; NaN where the sum is 0 or not finite.

    References
    ----------
    .. [1] McFeeters, S. K. (1996). The use of the Normalized Difference Water Index (NDWI) in the
       delineation of open water features. International Journal of Remote Sensing 17, 1425-1432.
    """
    return normalised_difference(green, nir)


def normalised_difference(first: ArrayLike, second: ArrayLike) -> NDArray[np.float32]:
    """Return ``(first - second) / (first + second)`` as float32, NaN where that is undefined."""
    # Double precision first: unsigned integers would wrap, sums of 16-bit numbers overflow.
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    total = a + b
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = np.where(total == 0, np.nan, (a - b) / total)
    result[~np.isfinite(result)] = np.nan
    return result.astype(np.float32)


@dataclass(frozen=True)
class Index:
    """A spectral index of two bands and how it is drawn.

    Attributes
    ----------
    title : str
        Its name for people.
    roles : tuple of str
        The bands it needs, in the order of `compute`: "red", "green", "blue" or "nir".
    compute : callable
        Two arrays to float32 with NaN.
    stops : tuple of (int, int, int)
        Colours from the lowest to the highest value, evenly spaced; the middle one is 0.
    """

    title: str
    roles: tuple[str, str]
    compute: Callable[[ArrayLike, ArrayLike], NDArray[np.float32]]
    stops: tuple[tuple[int, int, int], ...]

    @property
    def colours(self) -> NDArray[np.uint8]:
        """The colour map as (256, 3) uint8."""
        places = np.linspace(0, len(self.stops) - 1, COLOUR_STEPS)
        channels = np.array(self.stops, float).T
        known = np.arange(len(self.stops))
        return np.rint([np.interp(places, known, c) for c in channels]).T.astype(np.uint8)


# Brown for dry on both; the middle is pale, so that the sign shows at a glance, also to those who
# cannot tell red from green.
INDICES: dict[str, Index] = {
    "ndvi": Index(
        "Vegetation index (NDVI)",
        ("nir", "red"),
        ndvi,
        ((84, 48, 5), (191, 129, 45), (245, 240, 225), (90, 174, 97), (0, 68, 27)),
    ),
    "ndwi": Index(
        "Water index (NDWI)",
        ("green", "nir"),
        ndwi,
        ((84, 48, 5), (191, 129, 45), (245, 240, 225), (67, 147, 195), (5, 48, 97)),
    ),
}
