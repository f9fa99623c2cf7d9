"""Both dates reduced, for the coarse search, light and clouds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment
from rsam_core.change.grid import Layer
from rsam_core.scene.window import Window

OVERVIEW = 1024
"""Longest side of the reduced pictures."""


def overviews(alignment: Alignment) -> tuple[NDArray, NDArray, NDArray[np.bool_], float]:
    """Both dates on the grid reduced, where both are valid, and the factor of reduction."""
    height, width = alignment.shape
    factor = min(1.0, OVERVIEW / max(height, width))
    rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
    pictures = []
    for layer in (alignment.before, alignment.after):
        small = _Reduced(layer, rows, columns)
        pictures.append(small.read())
    (first, seen), (second, known) = pictures
    return first, second, seen & known, factor


class _Reduced:
    """A layer read on a reduced grid, in strips, so that memory stays small."""

    def __init__(self, layer: Layer, rows: int, columns: int) -> None:
        self.layer, self.rows, self.columns = layer, rows, columns

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """RGB (rows, columns, 3) and where there is a measurement."""
        import cv2

        reference = self.layer.reference
        height, width = reference.height, reference.width
        if (self.rows, self.columns) == (height, width):
            return self.layer.read()
        image = np.zeros((self.rows, self.columns, 3), np.uint8)
        valid = np.zeros((self.rows, self.columns), bool)
        step = max(1, 4_000_000 // width * self.rows // height)
        for top in range(0, self.rows, step):
            bottom = min(top + step, self.rows)
            y0, y1 = round(top * height / self.rows), round(bottom * height / self.rows)
            rgb, seen = self.layer.read(Window(0, y0, width, y1 - y0))
            size = self.columns, bottom - top
            image[top:bottom] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
            share = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            valid[top:bottom] = share > 0.99
        return image, valid
