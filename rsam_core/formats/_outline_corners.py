"""The corners of many outlines in one array, for what is asked of all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_FAR = 1e9
"""Beyond the pixels of any image."""


@dataclass(frozen=True, eq=False)
class Corners:
    """Corners of all outlines, and whose they are.

    An outline has polygons, a polygon has rings (the outer one first), a ring has corners, the
    last of which is the first again. What is no polygon, empty, or has a corner that is no
    number is not there.

    Attributes
    ----------
    points : ndarray of float64, shape (P, 2)
    rings : ndarray of int64, shape (R + 1,)
        Where in `points` each ring begins, and the end.
    polygons : ndarray of int64, shape (Q + 1,)
        Where in `rings` each polygon begins, and the end.
    outlines : ndarray of int64, shape (N + 1,)
        Where in `polygons` each outline begins, and the end.
    bounds : ndarray of float64, shape (N, 4)
        Left, top, right and bottom of the outer rings; 0 where an outline has none.
    """

    points: NDArray[np.float64]
    rings: NDArray[np.int64]
    polygons: NDArray[np.int64]
    outlines: NDArray[np.int64]
    bounds: NDArray[np.float64]

    @classmethod
    def of(cls, shapes: Sequence[BaseGeometry]) -> Corners:
        """Take the outlines apart."""
        import shapely

        array = np.empty(len(shapes), dtype=object)
        array[:] = shapes
        parts, owner = shapely.get_parts(array, return_index=True)
        good = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
        good &= ~shapely.is_empty(parts)
        points, part = shapely.get_coordinates(parts, return_index=True)
        good[part[~np.isfinite(points).all(axis=1)]] = False
        parts, owner = parts[good], owner[good]
        rings, polygon = shapely.get_rings(parts, return_index=True)
        points, ring = shapely.get_coordinates(rings, return_index=True)
        outlines = _starts(owner, len(shapes))
        boxes = shapely.bounds(parts).reshape(-1, 4)
        bounds = np.hstack(
            [
                _reduced(np.minimum, boxes[:, :2], outlines),
                _reduced(np.maximum, boxes[:, 2:], outlines),
            ]
        )
        return cls(
            points, _starts(ring, len(rings)), _starts(polygon, len(parts)), outlines, bounds
        )

    def full_boxes(self) -> NDArray[np.int64]:
        """Pixel edges x0, y0, x1, y1 around each outline, also beyond the image, shape (N, 4)."""
        near = self.bounds.clip(-_FAR, _FAR)
        return np.hstack([np.floor(near[:, :2]), np.ceil(near[:, 2:])]).astype(np.int64)

    def boxes(self, shape: tuple[int, int]) -> NDArray[np.int64]:
        """The same of what lies in an image of (height, width); nothing does where x1 ≤ x0."""
        height, width = shape
        full = self.full_boxes()
        low = full[:, :2].clip(0)
        return np.hstack([low, np.minimum(full[:, 2:], (width, height))])

    def within_bounds(self) -> NDArray[np.bool_]:
        """Whether all rings of each outline lie within its outer ones, shape (N,)."""
        low = _reduced(np.minimum, self.points, self._corners_of_outlines())
        high = _reduced(np.maximum, self.points, self._corners_of_outlines())
        return (low >= self.bounds[:, :2]).all(axis=1) & (high <= self.bounds[:, 2:]).all(axis=1)

    def crossings(self) -> NDArray[np.float64]:
        """How many rows each outline crosses on its way round, shape (N,)."""
        steps = np.abs(np.diff(self.points[:, 1], append=0.0))
        # From the end of a ring no way leads to the next.
        steps[self.rings[1:] - 1] = 0.0
        return _reduced(np.add, steps[:, None], self._corners_of_outlines())[:, 0]

    def corner_rows(self) -> NDArray[np.float64]:
        """Corners of each outline's polygon with most, times the outline's rows, shape (N,)."""
        counts = np.diff(self.rings[self.polygons])
        most = _reduced(np.maximum, counts[:, None].astype(float), self.outlines)[:, 0]
        return most * (self.bounds[:, 3] - self.bounds[:, 1])

    def geometries(self, at: int, shift: tuple[int, int]) -> list[dict[str, Any]]:
        """The polygons of an outline as GeoJSON, moved by (x, y)."""
        found = []
        for polygon in range(self.outlines[at], self.outlines[at + 1]):
            rings = range(self.polygons[polygon], self.polygons[polygon + 1])
            corners = [
                (self.points[self.rings[r] : self.rings[r + 1]] + shift).tolist() for r in rings
            ]
            found.append({"type": "Polygon", "coordinates": corners})
        return found

    def _corners_of_outlines(self) -> NDArray[np.int64]:
        return self.rings[self.polygons[self.outlines]]


def _starts(index: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Where each of so many groups begins in a sorted index, and the end."""
    return np.searchsorted(index, np.arange(count + 1))


def _reduced(how: np.ufunc, values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    """Reduce values (M, K) by groups; 0 for a group without any."""
    found = np.zeros((len(starts) - 1, values.shape[1]))
    full = np.flatnonzero(np.diff(starts))
    if full.size:
        found[full] = how.reduceat(values, starts[full], axis=0)
    return found
