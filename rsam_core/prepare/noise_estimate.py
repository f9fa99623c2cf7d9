"""How noisy is an image? Answers from the image alone, to suggest the strength of a filter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

# Second difference in both directions: blind to slopes and edges along the axes (Immerkær 1996).
_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
# Standard deviation of the mask's answer to noise of standard deviation 1.
_MASK_GAIN = 6.0
# Median of |x| for a normal distribution of standard deviation 1.
_MEDIAN_TO_SIGMA = 0.6745
BLOCK = 16
QUIET_SHARE = 10.0
MIN_BLOCKS = 20


def estimate_noise(values: Values, valid: NDArray[np.bool_] | None = None) -> float:
    """Standard deviation of the noise, in units of the values, mean over the bands.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        At the full resolution: reducing an image averages its noise away.
    valid : ndarray of bool, shape (H, W), optional

    Returns
    -------
    float
        0 if too little of the image is valid to tell.

    Notes
    -----
    J. Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 64
    (1996) 300–302, gives the mask. Fine texture (leaves, gravel) answers to it as noise does, so
    the answer is measured block by block, and the quietest tenth of the blocks decides.
    """
    quiet = [_band(values[..., band], valid) for band in range(values.shape[2])]
    return float(np.mean(quiet))


def speck_share(
    values: Values, valid: NDArray[np.bool_] | None = None, threshold: float = 0.2
) -> float:
    """Share of pixels that are lone outliers (salt and pepper), 0 to 1.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    valid : ndarray of bool, shape (H, W), optional
    threshold : float
        How far an outlier differs at least from all of its eight neighbours.
    """
    from scipy import ndimage

    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    shares = []
    for band in range(values.shape[2]):
        plane = values[..., band]
        high = plane - ndimage.maximum_filter(plane, footprint=ring, mode="nearest")
        low = ndimage.minimum_filter(plane, footprint=ring, mode="nearest") - plane
        lone = np.maximum(high, low) > threshold
        shares.append(lone[valid].mean() if valid is not None else lone.mean())
    return float(np.nan_to_num(np.mean(shares)))


def _band(plane: NDArray[np.float32], valid: NDArray[np.bool_] | None) -> float:
    from scipy import ndimage

    if min(plane.shape) < 3:
        return 0.0
    answer = np.abs(ndimage.convolve(plane.astype(np.float32), _MASK))[1:-1, 1:-1]
    if valid is None:
        good = np.ones(answer.shape, bool)
    else:
        good = ndimage.binary_erosion(valid, np.ones((3, 3)), border_value=1)[1:-1, 1:-1]
    rows, columns = (side // BLOCK * BLOCK for side in answer.shape)
    shape = (rows // BLOCK, BLOCK, columns // BLOCK, BLOCK)
    whole = good[:rows, :columns].reshape(shape).all(axis=(1, 3))
    if whole.sum() < MIN_BLOCKS:
        return _sigma(answer[good]) if good.sum() >= BLOCK**2 else 0.0
    blocks = answer[:rows, :columns].reshape(shape).swapaxes(1, 2)[whole]
    sigmas = np.median(blocks.reshape(len(blocks), -1), axis=1) / _MEDIAN_TO_SIGMA / _MASK_GAIN
    return float(np.percentile(sigmas, QUIET_SHARE)) / _QUIET_BIAS


def _sigma(answers: NDArray) -> float:
    return float(np.median(answers)) / _MEDIAN_TO_SIGMA / _MASK_GAIN


# The quietest tenth of blocks of pure noise answers by this factor too little; measured on normal
# noise by tests/test_prepare_estimate.py.
_QUIET_BIAS = 0.87
