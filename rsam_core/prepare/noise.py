"""Filters that take noise away and keep edges.

All take (H, W, C) float32 whose pixels without data were filled from their neighbours (see
`neighbours.filled`), and return the same shape. Strengths are in the units of the values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

# Of Chambolle's method, for noise of standard deviation 1.
TV_WEIGHT, TV_STEPS = 0.6, 60


def median(values: Values, radius: int) -> Values:
    """Median of a square of 2 × `radius` + 1 pixels, each band for itself."""
    import cv2
    from scipy import ndimage

    side = 2 * radius + 1
    result = np.empty_like(values)
    for band in range(values.shape[2]):
        plane = np.ascontiguousarray(values[..., band])
        if radius <= 2:
            result[..., band] = cv2.medianBlur(plane, side)
        else:
            result[..., band] = ndimage.median_filter(plane, side, mode="nearest")
    return result


def bilateral(values: Values, sigma: float, radius: float) -> Values:
    """Average of near pixels of similar value (Tomasi and Manduchi 1998).

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    sigma : float
        Standard deviation of the noise; differences far above it are kept as edges.
    radius : float
        Standard deviation of the distance in pixels.
    """
    import cv2

    def smooth(part: Values) -> Values:
        # Two values that differ by noise alone are √2 σ apart; across three bands √6 σ in the sum
        # of differences by which OpenCV judges colours. Twice that still counts as similar.
        tolerance = 2 * sigma * (2 * part.shape[2]) ** 0.5
        size = 2 * max(1, round(2 * radius)) + 1
        ready = np.ascontiguousarray(part)
        done = cv2.bilateralFilter(ready, size, tolerance, radius, borderType=cv2.BORDER_REFLECT)
        return done.reshape(part.shape)

    if values.shape[2] == 3:
        return smooth(values)
    return np.concatenate([smooth(values[..., [i]]) for i in range(values.shape[2])], axis=2)


def nonlocal_means(values: Values, sigma: float, patch: int = 5, reach: int = 5) -> Values:
    """Average of pixels whose surroundings look alike (Buades, Coll and Morel 2005).

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    sigma : float
        Standard deviation of the noise.
    patch : int
        Side of the compared surroundings in pixels.
    reach : int
        Pixels up to which similar surroundings are looked for.
    """
    from skimage.restoration import denoise_nl_means

    if sigma <= 0:
        return values.copy()
    done = denoise_nl_means(
        values, patch, reach, h=0.8 * sigma, sigma=sigma, fast_mode=True, channel_axis=-1
    )
    return done.astype(np.float32)


def total_variation(values: Values, sigma: float) -> Values:
    """The smoothest picture, edges allowed, that explains the given one up to noise.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    sigma : float
        Standard deviation of the noise.

    References
    ----------
    A. Chambolle, "An algorithm for total variation minimization and applications", Journal of
    Mathematical Imaging and Vision 20 (2004) 89–97.
    """
    from skimage.restoration import denoise_tv_chambolle

    if sigma <= 0:
        return values.copy()
    # In units of the noise, so that the weight means the same for any data type.
    scaled = values / np.float32(sigma)
    done = denoise_tv_chambolle(
        scaled,
        weight=TV_WEIGHT,
        eps=1e-4,
        max_num_iter=TV_STEPS,
        channel_axis=-1,
    )
    return (done * sigma).astype(np.float32)


def remove_specks(values: Values, threshold: float, max_radius: int = 3) -> Values:
    """Adaptive median: replace lone outliers, leave every other pixel exactly as it is.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    threshold : float
        How far an outlier differs at least from the median around it.
    max_radius : int
        Largest neighbourhood, used where the smaller ones consist of outliers.

    References
    ----------
    H. Hwang and R. A. Haddad, "Adaptive median filters: new algorithms and results", IEEE
    Transactions on Image Processing 4 (1995) 499–502.
    """
    from scipy import ndimage

    result = values.copy()
    for band in range(values.shape[2]):
        plane = np.ascontiguousarray(values[..., band])
        rows, columns = np.nonzero(np.ones(plane.shape, bool))
        for radius in range(1, max_radius + 1):
            side = 2 * radius + 1
            if radius <= 2:
                middle = median(plane[..., None], radius)[rows, columns, 0]
            else:
                middle = _medians_at(plane, rows, columns, radius)
            low = ndimage.minimum_filter(plane, side, mode="nearest")[rows, columns]
            high = ndimage.maximum_filter(plane, side, mode="nearest")[rows, columns]
            here = plane[rows, columns]
            extreme = ((here <= low) | (here >= high)) & (low < high)
            # A median that is itself an extreme may be an outlier: judge in a larger square.
            usable = ((low < middle) & (middle < high)) | (radius == max_radius)
            bad = usable & extreme & (np.abs(here - middle) > threshold)
            result[rows[bad], columns[bad], band] = middle[bad]
            # What is no extreme of a square is none of a larger one either.
            more = extreme & ~usable
            rows, columns = rows[more], columns[more]
            if not len(rows):
                break
    return result


def _medians_at(plane: Values, rows: NDArray, columns: NDArray, radius: int) -> Values:
    """Medians of the squares around a few pixels."""
    side = 2 * radius + 1
    squares = np.lib.stride_tricks.sliding_window_view(
        np.pad(plane, radius, mode="edge"), (side, side)
    )
    result = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), 2**16):
        part = slice(start, start + 2**16)
        result[part] = np.median(squares[rows[part], columns[part]], axis=(1, 2))
    return result
