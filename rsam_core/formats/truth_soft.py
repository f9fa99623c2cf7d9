"""Masks whose edges are no longer sharp: resized smoothly, or packed by JPEG on the way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_ROWS = 2048
# Sharp label images, down to objects of a few pixels, have less than a fiftieth of their edges in
# values of no patch; smooth ones a tenth and more. Where patches are rare, nothing can be said.
_MIN_SOLID = 0.75
_MIN_EDGE = 0.08
_MIN_VALUES = 3
"""One or two may be a class of borders, a pixel wide."""
# What is known of masks that JPEG packed; see `jpeg_mask`.
_JPEG_LOW, _JPEG_HIGH, _JPEG_REACH, _JPEG_VALUES = 32, 223, 16, 8


def soft_pixels(brightness: NDArray, ignored: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Find the grey borders that smooth resizing leaves around objects.

    A value that only occurs between two others, never on a patch of 2 × 2 pixels, belongs to no
    object. Where a good part of all edges consists of such values, they were made by resizing,
    and so was everything without a core of 3 × 3 pixels.

    Parameters
    ----------
    brightness : ndarray of numbers, shape (H, W)
        Values of a mask or label image, or a weighted sum of its colours.
    ignored : ndarray of bool, shape (H, W)
        Where they say nothing.

    Returns
    -------
    ndarray of bool, shape (H, W), or None
        True where a pixel is part of such a border; None where edges are sharp.
    """
    codes = _ranked(brightness)
    if codes is None:
        return None
    between = np.zeros(codes.shape, dtype=bool)
    edges = patches = 0
    solid_values = np.zeros(int(codes.max()) + 1, dtype=bool)
    core_values = solid_values.copy()
    for rows, part, inner in _bands(codes):
        here = part[inner]
        solid = _solid(part)[inner]
        low, high = _extremes(part, 2)
        between[rows] = ~solid & (here > low[inner]) & (here < high[inner])
        solid_values[np.unique(here[~between[rows]])] = True
        near_low, near_high = _extremes(part, 1)
        flat = near_low[inner] == near_high[inner]
        core_values[np.unique(here[flat])] = True
        patches += int(solid.sum())
        edges += int(flat.size - flat.sum())
    soft = between & ~solid_values[codes] & ~ignored
    if patches < _MIN_SOLID * codes.size or int(soft.sum()) <= _MIN_EDGE * edges:
        return None
    if len(np.unique(codes[soft])) < _MIN_VALUES:
        return None
    # An edge that was smoothed holds further values, those of other objects among them.
    near = _grown(soft, 1)
    return (~core_values[codes] | (between & near)) & ~ignored


def without_borders(labels: NDArray[np.int32], soft: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Give each pixel of a grey border to what lies nearest to it."""
    from scipy import ndimage

    if soft.all():
        return labels
    nearest = ndimage.distance_transform_edt(soft, return_distances=False, return_indices=True)
    return labels[tuple(nearest)]


def jpeg_mask(values: NDArray) -> bool:
    """Whether a mask of 0 and 255 looks as if it had been packed by JPEG.

    Parameters
    ----------
    values : ndarray of uint8, shape (H, W)

    Notes
    -----
    JPEG adds a little to and takes a little from the values around edges, up to 16 pixels away;
    what lies in the middle only occurs on the edges themselves. A label image whose numbers do
    the same is hardly imaginable.
    """
    if values.dtype != np.uint8:
        return False
    counts = np.bincount(values.ravel(), minlength=256)
    used = np.flatnonzero(counts)
    if len(used) < _JPEG_VALUES or used[-1] <= _JPEG_HIGH or used[0] > _JPEG_LOW:
        return False
    high, low = counts[_JPEG_HIGH + 1 :].sum(), counts[: _JPEG_LOW + 1].sum()
    middle = values.size - high - low
    # One value and its neighbours prevail in each group (seldom just 0 and 255), and the middle is
    # rare beside both.
    dark = int(counts[: _JPEG_LOW + 1].argmax())
    bright = _JPEG_HIGH + 1 + int(counts[_JPEG_HIGH + 1 :].argmax())
    plain = slice(max(dark - 1, 0), dark + 2)
    even = counts[max(bright - 2, 0) : bright + 3].sum() >= 0.4 * high
    if middle > min(high, low) or counts[plain].sum() < 0.7 * low or not even:
        return False
    noise = low - counts[plain].sum()
    light = (values >= 128).astype(np.uint8)
    edge = _grown(light.astype(bool), 1) & _grown(~light.astype(bool), 1)
    reach = _grown(edge, _JPEG_REACH)
    noisy = ((values < plain.start) | (values >= plain.stop)) & (values <= _JPEG_LOW)
    wide = _grown(edge, 3)
    between = (values > _JPEG_LOW) & (values <= _JPEG_HIGH)
    return bool(
        (not noise or (noisy & ~reach).sum() <= 0.01 * noise)
        and (not middle or (between & ~wide).sum() <= 0.1 * middle)
    )


def _ranked(values: NDArray) -> NDArray | None:
    """Values in their order, of a type that filters know; None if there are too few or many."""
    if values.dtype in (np.uint8, np.uint16):
        return values
    found, codes = np.unique(values, return_inverse=True)
    if not 3 <= len(found) < 2**16:
        return None
    return codes.reshape(values.shape).astype(np.uint16)


def _bands(codes: NDArray) -> Iterator[tuple[slice, NDArray, slice]]:
    """Yield rows of a raster with what lies around them: place, values, and the rows in those."""
    for start in range(0, codes.shape[0], _ROWS):
        stop = min(start + _ROWS, codes.shape[0])
        first = max(start - 2, 0)
        part = np.ascontiguousarray(codes[first : stop + 2])
        yield slice(start, stop), part, slice(start - first, stop - first)


def _extremes(part: NDArray, reach: int) -> tuple[NDArray, NDArray]:
    """Lowest and highest value around each pixel."""
    import cv2

    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    border = cv2.BORDER_REPLICATE
    return cv2.erode(part, kernel, borderType=border), cv2.dilate(part, kernel, borderType=border)


def _solid(part: NDArray) -> NDArray[np.bool_]:
    """Whether a pixel is part of a patch of 2 × 2 equal ones."""
    same = part[:-1, :-1] == part[1:, 1:]
    same &= part[:-1, :-1] == part[:-1, 1:]
    same &= part[:-1, :-1] == part[1:, :-1]
    solid = np.zeros(part.shape, dtype=bool)
    for rows, columns in (
        (slice(-1), slice(-1)),
        (slice(-1), slice(1, None)),
        (slice(1, None), slice(-1)),
        (slice(1, None), slice(1, None)),
    ):
        solid[rows, columns] |= same
    return solid


def _grown(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    import cv2

    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)
