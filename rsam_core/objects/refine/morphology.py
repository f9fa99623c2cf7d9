"""Cleaning and smoothing of one mask; every function returns a new mask of the same shape.

The edge of the array is taken for the edge of the scene: what touches it is not eroded there,
and a bay that opens to it is not a hole. Leave a margin of background around an object that
does not touch the edge of its scene.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Mask

_MAX_AREA_CHANGE = 0.005
_LITTLE = 4.0


def remove_specks(mask: Mask, min_area: float) -> Mask:
    """Drop the pieces that are smaller than an area; the largest piece always stays.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    min_area : float
        Pixels. Pieces touch by an edge or a corner.
    """
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    if count <= 2:
        return mask.copy()
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = areas >= min_area
    keep[0] = False
    keep[1 + int(np.argmax(areas[1:]))] = True
    return keep[labels]


def fill_holes(mask: Mask, max_area: float) -> Mask:
    """Fill the holes that are smaller than an area.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    max_area : float
        Pixels; a hole of exactly this area stays open.
    """
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (~mask).view(np.uint8), connectivity=4
    )
    if count <= 2:
        return mask.copy()
    height, width = mask.shape
    left, top, wide, high, area = stats.T
    open_to_edge = (left == 0) | (top == 0) | (left + wide == width) | (top + high == height)
    filled = (area < max_area) & ~open_to_edge
    filled[0] = True
    return filled[labels]


def opening(mask: Mask, radius: float) -> Mask:
    """Cut off what is thinner than a disc.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    radius : float
        Of the disc, in pixels.

    Returns
    -------
    ndarray of bool, shape (H, W)
        The mask as it was if a quarter of it or more would go: it is thin by nature.

    Notes
    -----
    A morphological opening [1]_ rounds every corner. Here what it takes away comes back where
    it lies within `radius` of what is left, and where it is a few pixels only, so that corners
    stay and only bridges, tails and specks go.

    References
    ----------
    .. [1] J. Serra, "Image Analysis and Mathematical Morphology", Academic Press, 1982.
    """
    opened = _opened(mask, radius)
    # What is thin throughout, such as a path, is not an object with tails.
    thin = np.count_nonzero(opened) < 0.75 * np.count_nonzero(mask)
    return mask.copy() if thin else opened


def closing(mask: Mask, radius: float) -> Mask:
    """Close the gaps and bays that are narrower than a disc of a radius (pixels).

    It is :func:`opening` of the background, so that inner corners stay.
    """
    return ~_opened(~mask, radius)


def _opened(mask: Mask, radius: float) -> Mask:
    import cv2

    values, disc = mask.view(np.uint8), _disc(radius)
    left = cv2.morphologyEx(values, cv2.MORPH_OPEN, disc)
    if not left.any():
        return left.astype(bool)
    left = cv2.dilate(left, disc) & values
    lost = values & ~left
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lost, connectivity=8)
    little = stats[:, cv2.CC_STAT_AREA] <= _LITTLE * radius**2
    little[0] = False
    return left.astype(bool) | little[labels]


def smooth_boundary(mask: Mask, sigma: float) -> Mask:
    """Smooth the boundary without shrinking the mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    sigma : float
        Standard deviation, in pixels, of the Gaussian.

    Notes
    -----
    The mask is blurred with a Gaussian and cut at the level at which its area is what it was:
    one step of volume-preserving motion by mean curvature [1]_, which is the threshold dynamics
    of Merriman, Bence and Osher with the level chosen for the area. By symmetry several pixels
    may share one grey level: they stay together as long as the area changes by less than half
    a per cent; else those of the old mask come first, then those near the middle. Rounding a
    corner thus swells the sides by a fraction of a pixel instead of shrinking the object.

    References
    ----------
    .. [1] S. J. Ruuth and B. T. R. Wetton, "A simple scheme for volume-preserving motion by
       mean curvature", Journal of Scientific Computing 19, 2003.
    """
    area = int(np.count_nonzero(mask))
    if sigma <= 0 or not 0 < area < mask.size:
        return mask.copy()
    blurred = blur(mask, sigma)
    smooth = blurred >= area_level(blurred, area)
    if abs(int(np.count_nonzero(smooth)) - area) <= _MAX_AREA_CHANGE * area:
        return smooth
    return _split_ties(blurred, mask, area)


def blur(mask: Mask, sigma: float) -> NDArray[np.float32]:
    """Return a mask blurred with a Gaussian of `sigma` pixels; beyond the edge it goes on."""
    import cv2

    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def area_level(values: NDArray[np.float32], area: int) -> float:
    """Return the level at or above which closest to `area` of the values lie."""
    # Rounded, so that values equal by symmetry stay together whatever the order of summation.
    values[...] = np.round(values, 5)
    ranked = np.partition(values.ravel(), values.size - area)
    level = ranked[values.size - area]
    at_least = int(np.count_nonzero(values >= level))
    above = ranked[values.size - area :]
    above = above[above > level]
    if above.size and at_least - area > area - above.size:
        level = above.min()
    return float(level)


def _split_ties(values: NDArray[np.float32], mask: Mask, area: int) -> Mask:
    """Return exactly `area` pixels with the highest values."""
    level = np.partition(values.ravel(), values.size - area)[values.size - area]
    result = values > level
    rows, columns = np.nonzero(values == level)
    inside = np.argwhere(mask).mean(axis=0)
    far = (rows - inside[0]) ** 2 + (columns - inside[1]) ** 2
    order = np.lexsort((far, ~mask[rows, columns]))
    some = order[: area - int(np.count_nonzero(result))]
    result[rows[some], columns[some]] = True
    return result


def _disc(radius: float) -> NDArray[np.uint8]:
    """Return a disc as structuring element: pixels whose centre is within the radius."""
    reach = int(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return (x**2 + y**2 <= radius**2 + 1e-9).astype(np.uint8)
