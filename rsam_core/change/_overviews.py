"""Both dates reduced: for the coarse search, light and clouds, and to be shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment
from rsam_core.change.grid import Layer
from rsam_core.scene.window import Window

OVERVIEW = 1024
"""Longest side of the reduced pictures."""

_STRIP = 4_000_000
"""Pixels of the grid that are read at once."""


def overviews(alignment: Alignment) -> tuple[NDArray, NDArray, NDArray[np.bool_], float]:
    """Both dates on the grid reduced, where both are valid, and the factor of reduction."""
    height, width = alignment.shape
    factor = min(1.0, OVERVIEW / max(height, width))
    size = max(1, round(height * factor)), max(1, round(width * factor))
    whole = Window(0, 0, width, height)
    first, seen = reduced(alignment.before, whole, size)
    second, known = reduced(alignment.after, whole, size)
    return first, second, seen & known, factor


def reduced(
    layer: Layer, window: Window, shape: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A window of a date on fewer pixels, read in strips so that memory stays small.

    Returns
    -------
    rgb : ndarray of uint8, shape (rows, columns, 3)
    valid : ndarray of bool, shape (rows, columns)
        Where there is a measurement all over.
    """
    import cv2

    rows, columns = shape
    if shape == (window.height, window.width):
        return layer.read(window)
    image = np.zeros((rows, columns, 3), np.uint8)
    valid = np.zeros((rows, columns), bool)
    step = max(1, _STRIP // window.width * rows // window.height)
    for top in range(0, rows, step):
        bottom = min(top + step, rows)
        y0, y1 = (round(at * window.height / rows) for at in (top, bottom))
        rgb, seen = layer.read(Window(window.x, window.y + y0, window.width, y1 - y0))
        size = columns, bottom - top
        image[top:bottom] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        valid[top:bottom] = share > 0.99
    return image, valid
