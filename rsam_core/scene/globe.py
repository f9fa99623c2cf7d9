"""From pixels of a map to places on the ellipsoid, and what small steps measure there.

What a small step in the picture measures on the ground is told by a *metric* at each place, a
symmetric 2 × 2 matrix G of square metres: a step (dx, dy) of pixels is √(d G dᵀ) metres long, and
a pixel covers √det G square metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from affine import Affine
    from pyproj import CRS, Geod, Transformer

Metrics = NDArray[np.float64]
"""Metrics of N places, shape (N, 2, 2), in square metres."""


def horizontal(crs: CRS) -> CRS:
    """Return the horizontal part of a compound CRS (map plus heights)."""
    if crs.is_compound and crs.sub_crs_list:
        return crs.sub_crs_list[0]
    return crs


def full_circle(crs: CRS) -> float | None:
    """Return how many units of longitude a full circle has; None for a projected map."""
    flat = horizontal(crs)
    if not flat.is_geographic or not flat.axis_info:
        return None
    return 2 * math.pi / flat.axis_info[0].unit_conversion_factor


def pixel_areas(metrics: Metrics) -> NDArray[np.float64]:
    """Return the area of a pixel in m² under each metric, shape (N,)."""
    g = metrics
    return np.sqrt(np.maximum(g[:, 0, 0] * g[:, 1, 1] - g[:, 0, 1] ** 2, 0.0))


def lengths(metrics: Metrics, dx: ArrayLike, dy: ArrayLike) -> NDArray[np.float64]:
    """Return the length in metres of steps of pixels under each metric, shape (N,)."""
    g = metrics
    dx, dy = np.asarray(dx, float), np.asarray(dy, float)
    squared = g[:, 0, 0] * dx * dx + 2 * g[:, 0, 1] * dx * dy + g[:, 1, 1] * dy * dy
    return np.sqrt(np.maximum(squared, 0.0))


@dataclass(frozen=True, eq=False)
class Globe:
    """The way from pixels to places on the ellipsoid of the map's own datum."""

    transform: Affine
    to_lonlat: Transformer
    to_degrees: float
    geod: Geod

    @classmethod
    def of(cls, transform: Affine, crs: CRS) -> Globe | None:
        from pyproj import Transformer

        base, geod = crs.geodetic_crs, crs.get_geod()
        if base is None or geod is None:
            return None
        # The base CRS of the same datum: no datum shift may enter a length.
        to_degrees = math.degrees(base.axis_info[0].unit_conversion_factor)
        return cls(transform, Transformer.from_crs(crs, base, always_xy=True), to_degrees, geod)

    def lonlat(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return longitude and latitude in degrees, shape (2, N); NaN off the map."""
        t = self.transform
        places = self.to_lonlat.transform(t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f)
        degrees = np.array(places) * self.to_degrees
        # A step of measuring may reach beyond a pole by a little, a picture may not.
        bad = ~np.isfinite(degrees).all(axis=0) | (np.abs(degrees[1]) > 91)
        degrees[:, bad] = np.nan
        return degrees

    def positions(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = np.radians(self.lonlat(x, y))
        normal = self.geod.a / np.sqrt(1 - self.geod.es * np.sin(lat) ** 2)
        across = normal * np.cos(lat)
        up = normal * (1 - self.geod.es) * np.sin(lat)
        return np.stack([across * np.cos(lon), across * np.sin(lon), up], axis=1)

    def metrics(
        self, x: NDArray[np.float64], y: NDArray[np.float64], step: float
    ) -> NDArray[np.float64]:
        right = (self.positions(x + step, y) - self.positions(x - step, y)) / (2 * step)
        down = (self.positions(x, y + step) - self.positions(x, y - step)) / (2 * step)
        result = np.empty((len(x), 2, 2))
        result[:, 0, 0] = (right * right).sum(axis=1)
        result[:, 1, 1] = (down * down).sum(axis=1)
        result[:, 0, 1] = result[:, 1, 0] = (right * down).sum(axis=1)
        return result

    def distances(self, one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
        lon0, lat0 = self.lonlat(*one.T)
        lon1, lat1 = self.lonlat(*two.T)
        known = np.isfinite(lon0 + lat0 + lon1 + lat1)
        result = np.full(len(one), np.nan)
        pairs = [value[known] for value in (lon0, lat0.clip(-90, 90), lon1, lat1.clip(-90, 90))]
        result[known] = self.geod.inv(*pairs)[2]
        return result
