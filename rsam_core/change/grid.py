"""The common grid of two dates: where each of its pixels lies in either picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.picture import Picture
from rsam_core.errors import AlignError
from rsam_core.objects.instance import Instance
from rsam_core.scene.window import Window

_STEP = 64
"""Distance in pixels of the places that are reprojected exactly; between them it is linear: the
curvature of a map projection over such a distance is far below a hundredth of a pixel."""

_MARGIN = 3
"""Pixels read around what is asked for, so that interpolation has neighbours."""

_COARSER = 1.5
"""From this ratio of pixel sizes on the coarser picture gives the grid."""


def is_placed(picture: Picture) -> bool:
    """Whether a picture has a place on the map."""
    return picture.transform is not None and bool(picture.crs)


@dataclass(frozen=True, eq=False)
class Layer:
    """One date on the common grid.

    Parameters
    ----------
    picture : Picture
    reference : Picture
        The picture whose pixels are those of the grid.
    matrix : ndarray of float64, shape (3, 3)
        What is to be corrected, from pixels of the grid to pixels of the grid; where the picture
        is not placed on the map, to its own pixels.
    """

    picture: Picture
    reference: Picture
    matrix: NDArray[np.float64]

    @property
    def by_map(self) -> bool:
        """Whether the georeference says where the picture's pixels lie."""
        return (
            self.picture is not self.reference
            and is_placed(self.picture)
            and is_placed(self.reference)
        )

    def places(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels (N, 2) of the picture under pixels (N, 2) of the grid, continuous."""
        points = points @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        if not self.by_map:
            return points
        from rasterio.warp import transform as reproject

        to_map, own = self.reference.transform, ~self.picture.transform
        x, y = to_map @ (points[:, 0], points[:, 1])
        if str(self.reference.crs) != str(self.picture.crs):
            try:
                x, y = reproject(self.reference.crs, self.picture.crs, x, y)
            except Exception as error:
                raise AlignError(
                    f"“{self.picture.name}” cannot be brought to the coordinate system of "
                    f"“{self.reference.name}”. Check the coordinate systems of both files."
                ) from error
            x, y = np.asarray(x), np.asarray(y)
        return np.stack(own @ (x, y), axis=1)

    def _dense(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Place in the picture of the centre of each pixel of a window of the grid, (h, w)."""
        ticks, weights = [], []
        for size in (window.width, window.height):
            nodes = np.linspace(0, size, max(2, -(-size // _STEP) + 1))
            at = (np.arange(size) + 0.5) / (nodes[1] - nodes[0])
            low = np.minimum(at.astype(int), len(nodes) - 2)
            share = np.zeros((size, len(nodes)))
            share[np.arange(size), low] = 1 - (at - low)
            share[np.arange(size), low + 1] = at - low
            ticks.append(nodes)
            weights.append(share)
        x, y = np.meshgrid(ticks[0] + window.x, ticks[1] + window.y)
        found = self.places(np.stack([x.ravel(), y.ravel()], 1)).reshape(*x.shape, 2)
        columns, rows = (weights[1] @ found[..., k] @ weights[0].T for k in (0, 1))
        return columns.astype(np.float32), rows.astype(np.float32)

    def scale(self) -> float:
        """Pixels of the picture a pixel of the grid, in the middle of the grid."""
        x, y = self.reference.width / 2, self.reference.height / 2
        a, b, c = self.places(np.array([[x, y], [x + 1, y], [x, y + 1]]))
        return float(np.sqrt(abs(np.linalg.det(np.stack([b - a, c - a])))))

    def read(self, window: Window | None = None) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The picture on a window of the grid.

        Parameters
        ----------
        window : Window, optional
            The whole grid by default.

        Returns
        -------
        rgb : ndarray of uint8, shape (h, w, 3)
            Black where there is nothing.
        valid : ndarray of bool, shape (h, w)
            Where the picture has a measurement.
        """
        window = Window(0, 0, self.reference.width, self.reference.height).part(window)
        if self.picture is self.reference:
            rgb, valid = self.picture.read_rgb(window), self.picture.valid_mask(window)
            return np.where(valid[..., None], rgb, np.uint8(0)), valid
        columns, rows = self._dense(window)
        shape = (window.height, window.width)
        nothing = np.zeros((*shape, 3), np.uint8), np.zeros(shape, bool)
        inside = (columns >= 0) & (columns <= self.picture.width)
        inside &= (rows >= 0) & (rows <= self.picture.height)
        if not inside.any():
            return nothing
        x0 = max(int(columns[inside].min()) - _MARGIN, 0)
        y0 = max(int(rows[inside].min()) - _MARGIN, 0)
        x1 = min(int(np.ceil(columns[inside].max())) + _MARGIN, self.picture.width)
        y1 = min(int(np.ceil(rows[inside].max())) + _MARGIN, self.picture.height)
        part = Window(x0, y0, x1 - x0, y1 - y0)
        # A finer picture is averaged first: sampling alone would pick single pixels.
        factor = self.scale()
        longest = max(part.width, part.height)
        most = max(1, round(longest / factor)) if factor > _COARSER else None
        rgb = self.picture.read_rgb(part, max_size=most)
        known = self.picture.valid_mask(part)
        fx, fy = rgb.shape[1] / part.width, rgb.shape[0] / part.height
        if known.shape != rgb.shape[:2]:
            share = cv2.resize(
                known.astype(np.float32), rgb.shape[1::-1], interpolation=cv2.INTER_AREA
            )
            known = share > 0.5
        across = (columns - x0) * np.float32(fx) - np.float32(0.5)
        down = (rows - y0) * np.float32(fy) - np.float32(0.5)
        image = cv2.remap(rgb, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        if known.all():
            valid = inside
        else:
            # A pixel that is mixed with one that is missing is not a measurement.
            share = cv2.remap(known.astype(np.float32), across, down, cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
            valid = inside & (share > 0.99)
        image[~valid] = 0
        return image, valid

    def to_grid(self, item: Instance) -> Instance | None:
        """An object in pixels of the picture as one of the grid; None if none of it lies there."""
        if self.picture is self.reference:
            return item
        height, width = self.reference.height, self.reference.width
        # Where the box lies on the grid: the mapping is almost linear, so that two steps suffice.
        edges = np.array(item.bbox, float)
        corners = np.array([[edges[a], edges[b]] for a in (0, 2) for b in (1, 3)])
        middle = np.array([[width / 2, height / 2]])
        guess = np.repeat(middle, 4, axis=0)
        for _ in range(3):
            here = self.places(guess)
            slope = np.stack([self.places(guess + step)[:, :] - here for step in np.eye(2)], axis=2)
            guess = guess + np.linalg.solve(slope, (corners - here)[..., None])[..., 0]
        x0, y0 = np.maximum(np.floor(guess.min(0)).astype(int) - 1, 0)
        x1, y1 = np.minimum(np.ceil(guess.max(0)).astype(int) + 1, (width, height))
        if x0 >= x1 or y0 >= y1:
            return None
        columns, rows = self._dense(Window(int(x0), int(y0), int(x1 - x0), int(y1 - y0)))
        mask = cv2.remap(
            item.mask.astype(np.float32),
            columns - np.float32(item.x + 0.5),
            rows - np.float32(item.y + 0.5),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )
        if not (mask > 0.5).any():
            return None
        return replace(item, mask=mask > 0.5, x=int(x0), y=int(y0))


def choose_reference(before: Picture, after: Picture) -> Picture:
    """The picture that gives the grid: the first date, unless the second is clearly coarser."""
    if is_placed(before) and is_placed(after) and before.gsd and after.gsd:
        return after if after.gsd > _COARSER * before.gsd else before
    return before


def tiles(shape: tuple[int, int], side: int, overlap: int = 0) -> list[Window]:
    """Windows that cover a grid of (height, width), row by row; the last ones are moved inside."""
    height, width = shape

    def starts(size: int) -> list[int]:
        if size <= side:
            return [0]
        count = -(-(size - overlap) // (side - overlap))
        return [round(i * (size - side) / (count - 1)) for i in range(count)]

    return [
        Window(x, y, min(side, width), min(side, height))
        for y in starts(height)
        for x in starts(width)
    ]
