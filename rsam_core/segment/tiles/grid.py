"""Tiles of a large scene, and where their pixels come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PromptError, SceneError
from rsam_core.scene.window import Window

STEP = 32
"""Tiles begin at multiples of this, so that all of them lay the model's feature cells alike."""


class TileSource(Protocol):
    """Anything that can be read in windows, such as a `Scene`."""

    width: int
    height: int

    def read_rgb(self, window: Window, max_size: int | None = None) -> NDArray[np.uint8]:
        """Read a window as (H, W, 3), reduced if it is larger than `max_size`."""
        ...

    def valid_mask(self, window: Window) -> NDArray[np.bool_]:
        """Tell where a window holds data, (H, W)."""
        ...


class ArraySource:
    """A picture in memory, read like a scene.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    valid : ndarray of bool, shape (H, W), optional
        Where there is data; everywhere if not given.

    Raises
    ------
    SceneError
        If the shapes do not fit.
    """

    def __init__(self, image: NDArray[np.uint8], valid: NDArray[np.bool_] | None = None) -> None:
        image = np.asarray(image)
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise SceneError(
                f"The image must be (H, W, 3) and uint8; got shape {image.shape}, type "
                f"{image.dtype}. Open the file with open_scene instead."
            )
        if valid is not None and valid.shape != image.shape[:2]:
            raise SceneError("The mask of valid pixels must have the image's height and width.")
        self.image, self.valid = image, valid
        self.height, self.width = image.shape[:2]

    def read_rgb(self, window: Window, max_size: int | None = None) -> NDArray[np.uint8]:
        """Read a window; see `TileSource`."""
        part = np.ascontiguousarray(self.image[window.slices])
        longest = max(part.shape[:2])
        if max_size is None or longest <= max_size:
            return part
        import cv2

        height, width = (max(1, round(n * max_size / longest)) for n in part.shape[:2])
        return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)

    def valid_mask(self, window: Window) -> NDArray[np.bool_]:
        """Tell where a window holds data; see `TileSource`."""
        if self.valid is None:
            return np.ones((window.height, window.width), bool)
        return self.valid[window.slices]


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a scene that is looked at on its own.

    Attributes
    ----------
    window : Window
        What is read and embedded.
    core : Window
        What the tile answers for: its grid points lie here. Cores meet without a gap and do not
        overlap.
    """

    window: Window
    core: Window


def tiles(
    width: int, height: int, size: int = 1024, overlap: int | None = None, *, even: bool = False
) -> list[Tile]:
    """Cut a scene into overlapping tiles, row by row.

    Parameters
    ----------
    width, height : int
        Size of the scene in pixels.
    size : int
        Side of a tile in pixels, at least 64. A scene that is smaller is one tile.
    overlap : int, optional
        Pixels that neighbours share at least, at most half the side; three eighths by default.
        An object that is smaller than half of it is whole in the tile that answers for it.
    even : bool
        Make all tiles a little smaller than `size`, so that the last one does not repeat more of
        its neighbour than the others do.

    Returns
    -------
    list of Tile
        The last tile of a row or column is moved inwards, so that it is (nearly) as large as the
        others.

    Raises
    ------
    PromptError
        If the numbers make no sense.
    """
    overlap = size * 3 // 8 if overlap is None else overlap
    if width < 1 or height < 1:
        raise PromptError(f"An image of {width} × {height} pixels cannot be cut into tiles.")
    if size < 2 * STEP:
        raise PromptError(f"A tile of {size} pixels is too small. Choose at least {2 * STEP}.")
    if not 0 <= overlap <= size // 2:
        raise PromptError(
            f"Tiles of {size} pixels cannot overlap by {overlap}. Choose 0 to {size // 2}."
        )
    tall, wide = (even_size(n, size, overlap) if even else size for n in (height, width))
    rows, columns = _along(height, tall, overlap), _along(width, wide, overlap)
    return [
        Tile(Window(x, y, x1 - x, y1 - y), Window(cx, cy, cx1 - cx, cy1 - cy))
        for y, y1, cy, cy1 in rows
        for x, x1, cx, cx1 in columns
    ]


def even_size(length: int, size: int, overlap: int) -> int:
    """The smallest side of a tile with which no more tiles cover a length than with `size`.

    Parameters
    ----------
    length : int
        Of the scene along this axis, in pixels.
    size, overlap : int
        See `tiles`.
    """
    if length <= size:
        return size
    step = max((size - overlap) // STEP, 1) * STEP
    count = -(-(length - size) // step) + 1
    return min(size, -(-(length - overlap) // (count * STEP)) * STEP + overlap)


def _along(length: int, size: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """Start and end of each tile's window and of its core along one axis."""
    if length <= size:
        return [(0, length, 0, length)]
    step = max((size - overlap) // STEP, 1) * STEP
    last = -(-(length - size) // STEP) * STEP
    starts = [*range(0, last, step), last]
    ends = [*(start + size for start in starts[:-1]), length]
    # The border between two cores halves what both tiles see.
    borders = [0, *((ends[i] + starts[i + 1]) // 2 for i in range(len(starts) - 1)), length]
    return [(s, e, borders[i], borders[i + 1]) for i, (s, e) in enumerate(zip(starts, ends))]
