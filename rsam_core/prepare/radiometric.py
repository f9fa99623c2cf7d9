"""Tones and colours: brightness, contrast, gamma, stretch, equalisation, white balance, matching.

All functions take and return values in *shown units*: 0 is shown as black, 1 as white, values
beyond are possible. `to_shown` and `from_shown` convert. Statistics come as arguments, so that
they can be taken once from a sample and serve every tile; pixels without data are given to none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError

Values = NDArray[np.float32]
Limits = tuple[float, float]

LEVELS = 257
"""Knots of a cumulative histogram."""


def to_shown(values: Values, shown: Sequence[Limits]) -> Values:
    """Values of the file → shown units.

    Parameters
    ----------
    values : ndarray, shape (..., C)
    shown : sequence of (float, float)
        Values shown as black and white, for each band.
    """
    low, high = np.asarray(shown, np.float32).T
    return ((values - low) / (high - low)).astype(np.float32)


def from_shown(values: Values, shown: Sequence[Limits]) -> Values:
    """Shown units → values of the file; the inverse of `to_shown`."""
    low, high = np.asarray(shown, np.float32).T
    return (values * (high - low) + low).astype(np.float32)


def brightness(values: Values, percent: float) -> Values:
    """Add a share of the range from black to white; `percent` from −100 to 100."""
    return values + np.float32(percent / 100)


def contrast(values: Values, percent: float) -> Values:
    """Spread values away from mid grey: +100 % doubles every distance, −100 % leaves grey."""
    return (values - np.float32(0.5)) * np.float32(1 + percent / 100) + np.float32(0.5)


def gamma(values: Values, exponent: float) -> Values:
    """Raise to the power 1 / `exponent`: above 1 lightens the middle tones, black and white stay.

    Values below black stay as they are.
    """
    lit = np.maximum(values, 0)
    return np.where(values > 0, lit ** np.float32(1 / exponent), values)


def quantiles(samples: Values, levels: int = LEVELS) -> Values:
    """Cumulative histogram of each band, as values at equally spaced shares of the pixels.

    Parameters
    ----------
    samples : ndarray, shape (N, C)
        Valid pixels only.
    levels : int
        Knots, from the minimum to the maximum.

    Returns
    -------
    ndarray of float32, shape (levels, C)

    Raises
    ------
    PrepareError
        There is no pixel.
    """
    if not len(samples):
        raise PrepareError("The image holds no data, so nothing can be learned from it.")
    return np.quantile(samples, np.linspace(0, 1, levels), axis=0).astype(np.float32)


def stretch(values: Values, low: NDArray, high: NDArray) -> Values:
    """Map `low` to black and `high` to white, linearly and clipped, for each band.

    A band without contrast (`low` equal to `high`) stays as it is.
    """
    low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
    flat = high <= low
    width = np.where(flat, 1, high - low)
    return np.where(flat, values, np.clip((values - low) / width, 0, 1)).astype(np.float32)


def equalize(values: Values, table: NDArray, strength: float = 1.0) -> Values:
    """Histogram equalisation: replace each value by the share of pixels that are darker.

    Parameters
    ----------
    values : ndarray, shape (..., C)
    table : ndarray, shape (levels, C)
        From `quantiles`.
    strength : float
        1 equalises fully, 0 not at all.
    """
    shares = np.linspace(0, 1, len(table), dtype=np.float32)
    result = np.empty_like(values, np.float32)
    for band in range(values.shape[-1]):
        result[..., band] = np.interp(values[..., band], *_rising(table[:, band], shares))
    return values + np.float32(strength) * (result - values)


def clahe(values: Values, clip: float, tiles: int) -> Values:
    """Contrast-limited adaptive histogram equalisation of each band (Zuiderveld 1994).

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        Pixels without data filled from their neighbours.
    clip : float
        Limit of the slope of the tone curve; 1 changes nothing much, 4 is strong.
    tiles : int
        Fields along the shorter side, each with a tone curve of its own.
    """
    from skimage.exposure import equalize_adapthist

    side = max(8, round(min(values.shape[:2]) / tiles))
    result = np.empty_like(values, np.float32)
    for band in range(values.shape[2]):
        plane = np.clip(values[..., band], 0, 1)
        # The library gives the limit as a share of the pixels in one of 256 classes.
        result[..., band] = equalize_adapthist(plane, side, clip_limit=clip / 256, nbins=256)
    return result


def on_lightness(
    values: Values, bands: Sequence[int], function: Callable[[Values], Values]
) -> Values:
    """Apply a function to the lightness of a colour picture, so that hues stay.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        Shown units.
    bands : sequence of int
        Three: red, green and blue, whose CIE L* (0 to 1) is changed. Otherwise, and for the
        remaining bands, each band is changed for itself.
    function : callable
        (H, W, K) → (H, W, K).
    """
    import cv2

    if len(bands) != 3:
        return function(values)
    others = [band for band in range(values.shape[2]) if band not in bands]
    lab = np.clip(values[..., list(bands)], 0, 1).astype(np.float32, copy=False)
    # In place where possible: whole images pass through here.
    lab = cv2.cvtColor(np.ascontiguousarray(lab), cv2.COLOR_RGB2Lab)
    lab[..., :1] = np.clip(function(lab[..., :1] / 100), 0, 1) * 100
    colour = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)
    del lab
    np.clip(colour, 0, 1, out=colour)
    if not others and tuple(bands) == (0, 1, 2):
        return colour
    result = np.empty_like(values)
    result[..., list(bands)] = colour
    if others:
        result[..., others] = function(np.ascontiguousarray(values[..., others]))
    return result


def lightness(samples: Values) -> Values:
    """CIE L* of colours, 0 to 1.

    Parameters
    ----------
    samples : ndarray, shape (N, 3)
        Red, green, blue in shown units.

    Returns
    -------
    ndarray of float32, shape (N, 1)
    """
    import cv2

    colour = np.clip(samples, 0, 1).astype(np.float32)[None]
    return cv2.cvtColor(np.ascontiguousarray(colour), cv2.COLOR_RGB2Lab)[0, :, :1] / 100


def grey_world_gains(samples: Values) -> Values:
    """Gains that give all bands the same mean (Buchsbaum 1980).

    Parameters
    ----------
    samples : ndarray, shape (N, C)
        Valid pixels.

    Returns
    -------
    ndarray of float32, shape (C,)
    """
    return _gains(np.clip(samples, 0, None).mean(axis=0))


def white_patch_gains(samples: Values, percentile: float = 99.0) -> Values:
    """Gains that give the brightest pixels of all bands the same value (Land's white patch).

    Parameters
    ----------
    samples : ndarray, shape (N, C)
        Valid pixels.
    percentile : float
        What counts as brightest; below 100, so that single bright pixels do not decide.

    Returns
    -------
    ndarray of float32, shape (C,)
    """
    return _gains(np.percentile(samples, percentile, axis=0))


def apply_gains(values: Values, gains: NDArray) -> Values:
    """Multiply each band by its gain."""
    return values * np.asarray(gains, np.float32)


def match(values: Values, source: NDArray, target: NDArray) -> Values:
    """Histogram matching: give each value the reference's value of the same rank.

    Parameters
    ----------
    values : ndarray, shape (..., C)
    source, target : ndarray, shape (levels, C)
        `quantiles` of the image and of the reference.
    """
    result = np.empty_like(values, np.float32)
    for band in range(values.shape[-1]):
        knots = _rising(source[:, band], target[:, band])
        result[..., band] = np.interp(values[..., band], *knots)
    return result


def calibrate(values: Values, gains: NDArray, offsets: NDArray) -> Values:
    """Gain × value + offset for each band, in the units of the file."""
    return values * np.asarray(gains, np.float32) + np.asarray(offsets, np.float32)


def _gains(levels: NDArray) -> Values:
    """Gains that bring each band to the mean level; bands without light keep theirs."""
    lit = levels > 1e-4
    if not lit.any():
        return np.ones(len(levels), np.float32)
    gains = np.where(lit, levels[lit].mean() / np.where(lit, levels, 1), 1)
    return gains.astype(np.float32)


def _rising(knots: NDArray, results: NDArray) -> tuple[NDArray, NDArray]:
    """Knots without repetition, each with the mean of its results.

    A value that many pixels share spans several ranks; the middle one stands for it.
    """
    unique, inverse, counts = np.unique(knots, return_inverse=True, return_counts=True)
    return unique, np.bincount(inverse.ravel(), results) / counts
