"""Pixels without data among their neighbours: filled before a filter, so that it sees no edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def filled(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give pixels without data the values of the nearest pixel that has some.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    valid : ndarray of bool, shape (H, W)

    Returns
    -------
    ndarray, shape (H, W, C)
        The same array where nothing, or everything, is missing.
    """
    if valid.all() or not valid.any():
        return values
    from scipy import ndimage

    rows, columns = ndimage.distance_transform_edt(
        ~valid, return_distances=False, return_indices=True
    )
    return values[rows, columns]
