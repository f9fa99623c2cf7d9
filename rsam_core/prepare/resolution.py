"""More pixels by interpolation, and sharper edges: pure functions on arrays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare.nodata import filled
from rsam_core.prepare.resampling import check_result, resize

FACTORS = (2, 3, 4)
KERNELS = ("nearest", "bilinear", "bicubic", "lanczos")
UNSHARP_REACH = 4
"""The Gaussian of the unsharp mask ends at this many times its radius."""


def enlarge(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    factor: int,
    kernel: str = "bicubic",
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Interpolate a whole number of pixels into each one, along both axes.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    factor : int
        2, 3 or 4.
    kernel : str
        ``"bicubic"`` (cubic convolution [1]_, a = -1/2), ``"lanczos"`` (three lobes [2]_),
        ``"bilinear"`` or ``"nearest"``.

    Returns
    -------
    values : (factor H, factor W, C) array of float32
        Zero where not valid.
    valid : (factor H, factor W) array of bool

    Raises
    ------
    PrepareError
        Factor or kernel is unknown, or the result would be too large.

    References
    ----------
    .. [1] Keys, R. G. (1981). Cubic convolution interpolation for digital image processing. IEEE
       Transactions on Acoustics, Speech, and Signal Processing 29(6), 1153-1160.
    .. [2] Duchon, C. E. (1979). Lanczos filtering in one and two dimensions. Journal of Applied
       Meteorology 18(8), 1016-1022.
    """
    if factor not in FACTORS or kernel not in KERNELS:
        raise PrepareError(
            f"An image can be enlarged 2, 3 or 4 times ({', '.join(KERNELS)}), not {factor!r} "
            f"times with “{kernel}”."
        )
    height, width, bands = values.shape
    check_result(width * factor, height * factor, bands, "Enlarging")
    out, _ = resize(values, valid, (height * factor, width * factor), kernel=kernel)
    out_valid = valid.repeat(factor, axis=0).repeat(factor, axis=1)
    # Pixels shared by validity rules of different grids must not slip through.
    out[~out_valid] = 0
    return out, out_valid


def unsharp_mask(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    radius: float,
    amount: float,
    threshold: float = 0.0,
) -> NDArray[np.float32]:
    """Steepen edges: add a multiple of the difference between the picture and its blur.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
        Pixels that are not valid neither change nor blur into others.
    radius : float
        Standard deviation of the Gaussian blur, in pixels; up to 50.
    amount : float
        Multiple of the difference that is added.
    threshold : float
        Differences below this, in the units of the values, are left alone, so that noise in
        even areas is not raised.

    Returns
    -------
    (H, W, C) array of float32

    Raises
    ------
    PrepareError
        A setting is not possible.
    """
    import cv2

    if not (0 < radius <= 50 and math.isfinite(amount) and amount >= 0 and threshold >= 0):
        raise PrepareError(
            "Sharpening needs a radius above 0 and up to 50 pixels, and no negative amount."
        )
    side = 2 * math.ceil(UNSHARP_REACH * radius) + 1
    source = filled(values, valid)
    out = np.empty_like(values)
    for band in range(values.shape[2]):
        layer = np.ascontiguousarray(source[..., band])
        blurred = cv2.GaussianBlur(layer, (side, side), radius, borderType=cv2.BORDER_REPLICATE)
        difference = layer - blurred
        # A soft threshold: edges that pass it do not start with a jump.
        kept = np.sign(difference) * np.maximum(np.abs(difference) - threshold, 0)
        out[..., band] = layer + np.float32(amount) * kept
    return np.where(valid[..., None], out, values)
