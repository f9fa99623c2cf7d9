"""Worse images of the same place: coarser, noisier, hazier. For studies, not for preparing data.

All functions take an 8-bit RGB image (H, W, 3) and return one; they are pure, and those that
draw random numbers take a seed.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import EvaluationError

Image = NDArray[np.uint8]

MTF_AT_NYQUIST = 0.25
"""Contrast that a sensor keeps at its finest resolvable stripes; 0.1 to 0.3 is usual in orbit."""

AIRLIGHT = (225, 230, 235)
"""Colour of haze: a slightly blue white, brighter than all but the brightest roofs."""


def blur_sigma(factor: float, mtf: float = MTF_AT_NYQUIST) -> float:
    """Standard deviation, in pixels of the given image, of the blur of a coarser sensor.

    The modulation transfer function of optics, motion and detector together is taken to be a
    Gaussian, MTF(f) = exp(−2 π² σ² f²), that falls to `mtf` at the Nyquist frequency of the
    pixels, 1 / (2 × pixel size). A sensor with pixels `factor` times as large has
    σ = factor · s with s = sqrt(2 ln(1 / mtf)) / π. The image given already has the blur s of a
    sensor of its own resolution; Gaussian blurs add in squares, so s · sqrt(factor² − 1) is
    missing.

    Parameters
    ----------
    factor : float
        How many times as large the pixels become, at least 1.
    mtf : float
        Above 0 and below 1.

    Raises
    ------
    EvaluationError
        If a number is out of range.

    References
    ----------
    .. [1] R. A. Schowengerdt, "Remote Sensing: Models and Methods for Image Processing", 3rd
       edition, 2007, chapter 3.
    """
    if not (math.isfinite(factor) and factor >= 1):
        raise EvaluationError(f"An image can be made coarser by a factor from 1; not {factor:g}.")
    if not 0 < mtf < 1:
        raise EvaluationError("The MTF at the Nyquist frequency lies between 0 and 1, say 0.25.")
    return math.sqrt(2 * math.log(1 / mtf)) / math.pi * math.sqrt(factor**2 - 1)


def coarser(image: Image, factor: float, *, mtf: float = MTF_AT_NYQUIST) -> Image:
    """The image as a sensor with `factor` times larger pixels would have taken it.

    Blurred by :func:`blur_sigma`, then sampled at the centres of the larger pixels. The result
    has ceil(H / factor) × ceil(W / factor) pixels; the last ones may reach over the edge, where
    the image is mirrored.

    Raises
    ------
    EvaluationError
        If `factor` is below 1 or larger than the image.
    """
    sigma = blur_sigma(factor, mtf)
    height, width = image.shape[:2]
    if factor > max(height, width):
        raise EvaluationError(
            f"An image of {width} × {height} pixels cannot be made {factor:g} times coarser."
        )
    if factor == 1:
        return image.copy()
    rows, columns = math.ceil(height / factor), math.ceil(width / factor)
    blurred = cv2.GaussianBlur(
        image.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT
    )
    x = ((np.arange(columns) + 0.5) * factor - 0.5).astype(np.float32)
    y = ((np.arange(rows) + 0.5) * factor - 0.5).astype(np.float32)
    sampled = cv2.remap(
        blurred, *np.meshgrid(x, y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return _to_bytes(sampled)


def enlarged(image: Image, factor: float, shape: tuple[int, int]) -> Image:
    """A coarser image brought back to the original pixels by bicubic interpolation.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w, 3)
        From :func:`coarser`.
    factor : float
        The factor it was made with.
    shape : tuple of int
        Height and width of the original.
    """
    return _to_bytes(_sampled(image.astype(np.float32), factor, shape, cv2.INTER_CUBIC))


def enlarged_mask(
    mask: NDArray[np.bool_], factor: float, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """A mask of a coarser image at the original pixels, with a smooth (bilinear) outline."""
    return _sampled(mask.astype(np.float32), factor, shape, cv2.INTER_LINEAR) > 0.5


def coarser_mask(mask: NDArray[np.bool_], factor: float) -> NDArray[np.bool_]:
    """The pixels of a coarser image that a mask covers by more than half."""
    height, width = mask.shape
    rows, columns = math.ceil(height / factor), math.ceil(width / factor)
    padded = np.zeros((math.ceil(rows * factor), math.ceil(columns * factor)), np.float32)
    padded[:height, :width] = mask
    # Integral image: exact shares also where the factor is not a whole number.
    total = cv2.integral(padded, sdepth=cv2.CV_64F)
    x = np.minimum(np.arange(columns + 1) * factor, padded.shape[1]).astype(np.float32)
    y = np.minimum(np.arange(rows + 1) * factor, padded.shape[0]).astype(np.float32)
    at = cv2.remap(total.astype(np.float32), *np.meshgrid(x, y), cv2.INTER_LINEAR)
    covered = at[1:, 1:] - at[:-1, 1:] - at[1:, :-1] + at[:-1, :-1]
    return covered > factor**2 / 2


def noisy(image: Image, sigma: float, *, seed: int = 0) -> Image:
    """Gaussian sensor noise of standard deviation `sigma` in grey levels (0 to 255).

    Independent for each pixel and band; clipped to 0 to 255, as a camera does.

    Raises
    ------
    EvaluationError
        If `sigma` is negative or not a number.
    """
    if not (math.isfinite(sigma) and sigma >= 0):
        raise EvaluationError(f"Noise has a strength of 0 or more grey levels; not {sigma:g}.")
    if sigma == 0:
        return image.copy()
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return _to_bytes(image + noise)


def hazy(
    image: Image, transmission: float, *, airlight: tuple[float, float, float] = AIRLIGHT
) -> Image:
    """Even haze: I = t · J + (1 − t) · A with transmission t and airlight A.

    Rounded to whole grey levels, so that fine contrast is really lost.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    transmission : float
        Share of the ground's light that comes through: 1 is clear air, 0.2 dense haze.
    airlight : tuple of float
        Red, green, blue of the haze, 0 to 255.

    Raises
    ------
    EvaluationError
        If `transmission` is not above 0 and at most 1.

    References
    ----------
    .. [1] H. Koschmieder, "Theorie der horizontalen Sichtweite", 1924.
    .. [2] K. He, J. Sun and X. Tang, "Single image haze removal using dark channel prior", CVPR
       2009.
    """
    if not 0 < transmission <= 1:
        raise EvaluationError(
            f"Transmission is the share of light that comes through, above 0 and at most 1; "
            f"not {transmission:g}."
        )
    return _to_bytes(transmission * image + (1 - transmission) * np.asarray(airlight, float))


def _sampled(values: NDArray, factor: float, shape: tuple[int, int], how: int) -> NDArray:
    """Values of a coarse grid at the centres of the original pixels."""
    x = ((np.arange(shape[1]) + 0.5) / factor - 0.5).astype(np.float32)
    y = ((np.arange(shape[0]) + 0.5) / factor - 0.5).astype(np.float32)
    return cv2.remap(values, *np.meshgrid(x, y), how, borderMode=cv2.BORDER_REPLICATE)


def _to_bytes(values: NDArray) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
