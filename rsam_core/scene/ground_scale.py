"""The ground under the pixels of a scene: how large each pixel is, wherever it lies.

A map in degrees or in web Mercator has no single pixel size: pixels are not square, and they
shrink towards the poles. See :mod:`rsam_core.scene.globe` for what a metric is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.scene.globe import Globe, Metrics, horizontal, lengths, pixel_areas
from rsam_core.scene.ground_distance import TRUE_SCALE_TOLERANCE, ground_sample_distance

if TYPE_CHECKING:
    from affine import Affine
    from pyproj import CRS

_STEP_M = 50.0
"""Half of the distance on the ground over which a metric is measured, at least half a pixel:
rounding of coordinates does not matter then, nor does the curvature of the Earth."""

_SAME = 1e-6
"""A ground distance that differs from the map's by more was typed by the user."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Where pixels lie on the ground. Made by `ground_of`.

    Attributes
    ----------
    constant : (2, 2) array of float64 or None
        The metric of all pixels, where there is only one.
    uneven : float
        By how much the sides of pixels differ within the scene: logarithm of the largest
        ratio, 0 where all are equal.
    """

    constant: NDArray[np.float64] | None
    uneven: float = 0.0
    _globe: Globe | None = field(default=None, repr=False)
    _step: float = field(default=0.5, repr=False)

    @classmethod
    def square(cls, gsd: float) -> Ground:
        """Return the ground under square pixels of `gsd` metres."""
        return cls(np.eye(2) * float(gsd) ** 2)

    def metrics(self, x: ArrayLike, y: ArrayLike) -> Metrics:
        """Return the metric at N places in pixels, shape (N, 2, 2); NaN off the map."""
        x, y = np.atleast_1d(np.asarray(x, float), np.asarray(y, float))
        if self.constant is not None:
            return np.broadcast_to(self.constant, (len(x), 2, 2))
        assert self._globe is not None
        return self._globe.metrics(x, y, self._step)

    def pixel_areas(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return the ground area in m² of a pixel at each of N places, shape (N,)."""
        return pixel_areas(self.metrics(x, y))

    def positions(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64] | None:
        """Return N places in metres from the centre of the Earth, shape (N, 3).

        None where only the size of pixels is known.
        """
        x, y = np.atleast_1d(np.asarray(x, float), np.asarray(y, float))
        return None if self._globe is None else self._globe.positions(x, y)

    def distances(self, one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance in metres between pairs of places in pixels (N, 2), shape (N,)."""
        if self._globe is not None and self.constant is None:
            return self._globe.distances(one, two)
        middle = (one + two) / 2
        step = two - one
        return lengths(self.metrics(*middle.T), step[:, 0], step[:, 1])

    def window_area(self, width: float, height: float, x: float = 0.0, y: float = 0.0) -> float:
        """Return the ground area in m² of a window of the scene; NaN where none of it is known.

        What lies off the map counts as nothing.
        """
        if self.constant is not None:
            return float(width * height * pixel_areas(self.constant[None])[0])
        steps = (np.arange(64) + 0.5) / 64
        columns, rows = np.meshgrid(x + steps * width, y + steps * height)
        areas = self.pixel_areas(columns.ravel(), rows.ravel())
        if not np.isfinite(areas).any():
            return math.nan
        return float(np.nansum(areas) / areas.size * width * height)


def ground_of(scene: Any) -> Ground | None:
    """Return the ground of a scene; None where the size of its pixels is not known.

    Parameters
    ----------
    scene : Scene, Ground, float or None
        Anything with `gsd`, and with `transform`, `crs`, `width` and `height` where it lies on
        a map; a bare number is metres a pixel. A ground distance that the user typed stands for
        square pixels, whatever the map says.
    """
    if scene is None or isinstance(scene, Ground):
        return scene
    if isinstance(scene, int | float | np.number):
        return Ground.square(float(scene)) if scene else None
    gsd = getattr(scene, "gsd", None)
    if not gsd:
        return None
    known = [getattr(scene, name, None) for name in ("transform", "crs", "width", "height")]
    transform, crs, width, height = known
    if transform is None or not crs or not width or not height:
        area = getattr(scene, "pixel_area_m2", None)
        return Ground(np.eye(2) * area) if area else Ground.square(gsd)
    mapped, centre = _on_map(transform, str(crs), int(width), int(height))
    if mapped is None or centre is None or not math.isclose(gsd, centre, rel_tol=_SAME):
        return Ground.square(gsd)
    return mapped


@lru_cache(maxsize=64)
def _on_map(
    transform: Affine, crs: str, width: int, height: int
) -> tuple[Ground | None, float | None]:
    """Return the ground of a raster on a map, and the ground distance at its centre."""
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    gsd = ground_sample_distance(transform, crs, width, height)
    if gsd is None:
        return None, None
    try:
        known = horizontal(CRS.from_user_input(crs))
        globe = Globe.of(transform, known)
    except ProjError:
        return None, gsd
    if globe is None:
        return None, gsd
    step = max(0.5, _STEP_M / gsd)
    columns, rows = np.meshgrid(np.linspace(0.5, width - 0.5, 5), np.linspace(0.5, height - 0.5, 5))
    some = globe.metrics(columns.ravel(), rows.ravel(), step)
    nominal = _nominal(transform, known)
    if nominal is not None and _agree(some, nominal):
        return Ground(nominal, 0.0, globe, step), gsd
    return Ground(None, _spread(some), globe, step), gsd


def _nominal(transform: Affine, crs: CRS) -> NDArray[np.float64] | None:
    """Return the metric by the units of the map alone; None in degrees."""
    if crs.is_geographic:
        return None
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    linear = np.array([[transform.a, transform.b], [transform.d, transform.e]]) * unit
    return linear.T @ linear


def _agree(metrics: Metrics, nominal: NDArray[np.float64]) -> bool:
    """Whether lengths in all directions agree with the map's own as closely as is asked."""
    if not np.isfinite(metrics).all():
        return False
    root = np.linalg.inv(np.linalg.cholesky(nominal))
    scales = np.sqrt(np.linalg.eigvalsh(root @ metrics @ root.T))
    return bool(np.abs(scales - 1).max() <= TRUE_SCALE_TOLERANCE)


def _spread(metrics: Metrics) -> float:
    sides = np.sqrt(np.stack([metrics[:, 0, 0], metrics[:, 1, 1]]))
    sides = np.log(np.maximum(sides, 1e-9))
    known = sides[:, np.isfinite(sides).all(axis=0)]
    return float(np.ptp(known, axis=1).max()) if known.size else 0.0
