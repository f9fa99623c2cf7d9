"""Pan-sharpening: the colours of coarse bands with the detail of one fine grey band.

Both methods replace an intensity that is made of the bands by the panchromatic band. The weights
of that intensity are fitted by least squares to the panchromatic band at the coarse resolution
(the "adaptive" variants), so that only detail is exchanged and colours stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare.nodata import filled
from rsam_core.prepare.resampling import check_result, resize

METHODS = ("gram-schmidt", "brovey")
_MIN_VALID = 16


def pan_sharpen(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    pan: NDArray[np.float32],
    pan_valid: NDArray[np.bool_] | None = None,
    *,
    method: str = "gram-schmidt",
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Sharpen coarse bands with a panchromatic band of the same extent.

    Parameters
    ----------
    values : (H, W, C) array of float32
        The coarse bands.
    valid : (H, W) array of bool
    pan : (h, w) array of float32
        The panchromatic band; its corners are those of `values`, its pixels finer.
    pan_valid : (h, w) array of bool, optional
        Everywhere by default.
    method : str
        ``"gram-schmidt"`` (GSA [1]_: detail is added to each band in proportion to its covariance
        with the intensity) or ``"brovey"`` ([2]_: all bands are multiplied by the ratio of
        panchromatic band and intensity, which keeps the ratios of the bands).

    Returns
    -------
    values : (h, w, C) array of float32
        Zero where not valid.
    valid : (h, w) array of bool
        Where both inputs are.

    Raises
    ------
    PrepareError
        The panchromatic band is not finer, has nothing in common with the bands, or the method
        is unknown.

    References
    ----------
    .. [1] Aiazzi, B., Baronti, S. and Selva, M. (2007). Improving component substitution
       pansharpening through multivariate regression of MS + Pan data. IEEE Transactions on
       Geoscience and Remote Sensing 45(10), 3230-3239.
    .. [2] Gillespie, A. R., Kahle, A. B. and Walker, R. E. (1987). Color enhancement of highly
       correlated images II. Remote Sensing of Environment 22(3), 343-365.
    .. [3] Vivone, G. et al. (2015). A critical comparison among pansharpening algorithms. IEEE
       Transactions on Geoscience and Remote Sensing 53(5), 2565-2586.
    """
    if method not in METHODS:
        raise PrepareError(f"“{method}” is not a way to sharpen. Use {' or '.join(METHODS)}.")
    height, width, bands = values.shape
    shape = pan.shape
    check_result(shape[1], shape[0], bands, "Pan-sharpening")
    if shape[0] < height or shape[1] < width or shape == (height, width):
        raise PrepareError(
            f"The panchromatic image has {shape[1]:,} × {shape[0]:,} pixels for the same ground "
            f"as the {width:,} × {height:,} of this image. It must be finer to add detail."
        )
    pan_valid = np.ones(shape, bool) if pan_valid is None else pan_valid
    pan_filled = filled(pan[..., None], pan_valid)
    coarse, coarse_valid = resize(pan_filled, pan_valid, (height, width), kernel="area")
    both = valid & coarse_valid
    if both.sum() < max(_MIN_VALID, bands + 2):
        raise PrepareError(
            "The panchromatic image and this image have almost no ground in common. Choose the "
            "panchromatic image of the same place."
        )
    weights = _intensity(values[both], coarse[both, 0])
    fine, fine_valid = resize(values, valid, shape, kernel="bicubic")
    out_valid = fine_valid & pan_valid
    intensity = fine @ weights[:-1] + weights[-1]
    if method == "brovey":
        out = fine * _ratio(pan_filled[..., 0], intensity, coarse[both, 0])[..., None]
    else:
        gains = _gains(values[both], weights)
        out = fine + (pan_filled[..., 0] - intensity)[..., None] * gains
    out = out.astype(np.float32, copy=False)
    out[~out_valid] = 0
    return out, out_valid


def _intensity(spectra: NDArray, pan: NDArray) -> NDArray[np.float32]:
    """Weights of the bands, and a constant, that come nearest to the panchromatic band."""
    design = np.column_stack([spectra, np.ones(len(spectra))]).astype(np.float64)
    weights = np.linalg.lstsq(design, pan.astype(np.float64), rcond=None)[0]
    if not np.std(design @ weights) > 1e-6 * max(1.0, float(np.abs(pan).max())):
        raise PrepareError(
            "The panchromatic image has nothing in common with the bands of this image: one of "
            "them is blank, or they show different places."
        )
    return weights.astype(np.float32)


def _gains(spectra: NDArray, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Injection gain of each band: covariance with the intensity over the intensity's variance."""
    spectra = spectra.astype(np.float64)
    intensity = spectra @ weights[:-1]
    centred = intensity - intensity.mean()
    return ((spectra * centred[:, None]).mean(0) / (centred**2).mean()).astype(np.float32)


def _ratio(pan: NDArray, intensity: NDArray, coarse: NDArray) -> NDArray[np.float32]:
    """Panchromatic band over intensity, tame where the intensity comes near to zero."""
    floor = max(1e-3 * float(np.abs(coarse).mean()), 1e-12)
    ratio = np.where(intensity > floor, pan / np.maximum(intensity, floor), 1.0)
    return np.clip(ratio, 0.0, 10.0).astype(np.float32)


def ergas(truth: NDArray, result: NDArray, ratio: float) -> float:
    """Relative dimensionless global error in synthesis of a fused image; 0 is perfect.

    Parameters
    ----------
    truth, result : (H, W, C) arrays
    ratio : float
        Fine pixel size divided by coarse pixel size, such as 1/4.

    References
    ----------
    .. [1] Wald, L. (2000). Quality of high resolution synthesised images: is there a simple
       criterion? Fusion of Earth Data, 99-103.
    """
    truth, result = np.asarray(truth, float), np.asarray(result, float)
    squared = ((result - truth) ** 2).mean(axis=(0, 1)) / truth.mean(axis=(0, 1)) ** 2
    return float(100 * ratio * np.sqrt(squared.mean()))
