"""Ground control points: fitting where a picture lies on the map, and how well it fits.

A control point pairs a place in the picture (pixels) with its place on the map. The fitted model
goes from the map to the picture, which is the way rectification needs and in which errors of
clicking are pixels; the way back is its exact inverse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare.geometric import apply_homography
from rsam_core.prepare.mappings import (
    Contradictory,
    Mapping,
    Points,
    Undetermined,
    fit_homography,
    fit_polynomial,
    normalising_frame,
)
from rsam_core.scene.globe import full_circle
from rsam_core.scene.longitudes import wrap_longitudes_near

if TYPE_CHECKING:
    from affine import Affine

NEEDED = {"affine": 3, "projective": 4, "polynomial2": 6, "polynomial3": 10}
"""Kinds of model, with the fewest control points that determine each."""

TITLES = {
    "affine": "Affine (polynomial of order 1)",
    "projective": "Projective",
    "polynomial2": "Polynomial of order 2",
    "polynomial3": "Polynomial of order 3",
}

SUSPECT_FROM = 0.5
"""Pixels of RMSE below which no point is called wrong."""

_ORDERS = {"affine": 1, "polynomial2": 2, "polynomial3": 3}


@dataclass(frozen=True, eq=False)
class GroundControl:
    """A fitted model between map and picture. Made by `fit_ground_control`.

    Attributes
    ----------
    kind : str
        One of `NEEDED`.
    pixel, map : (N, 2) arrays of float64
        The control points: x, y in the picture and on the map.
    crs : str or None
        Coordinate reference system of the map coordinates; None for a plain local grid.
    """

    kind: str
    pixel: Points
    map: Points
    crs: str | None
    _mapping: Mapping = field(repr=False)
    _frames: tuple[NDArray[np.float64], NDArray[np.float64]] = field(repr=False)

    def to_pixel(self, points: ArrayLike) -> Points:
        """Where places on the map (..., 2) are in the picture; NaN beyond the horizon."""
        there = apply_homography(self._frames[1], points)
        return apply_homography(np.linalg.inv(self._frames[0]), self._mapping.forward(there))

    def to_map(self, points: ArrayLike) -> Points:
        """Where pixels (..., 2) are on the map; NaN where a polynomial has no inverse there."""
        here = apply_homography(self._frames[0], points)
        return apply_homography(np.linalg.inv(self._frames[1]), self._mapping.backward(here))

    @property
    def transform(self) -> Affine | None:
        """Pixel to map transform of an affine model; None for the others."""
        if self.kind != "affine":
            return None
        from affine import Affine

        origin, right, down = self.to_map([(0, 0), (1, 0), (0, 1)])
        x, y = right - origin, down - origin
        return Affine(x[0], y[0], origin[0], x[1], y[1], origin[1])

    @property
    def residuals(self) -> Points:
        """(N, 2) pixels: where the model puts each control point, less where it was marked."""
        return self.to_pixel(self.map) - self.pixel

    @property
    def errors_px(self) -> NDArray[np.float64]:
        """(N,) lengths of the residuals in pixels."""
        return np.linalg.norm(self.residuals, axis=1)

    @property
    def errors_m(self) -> NDArray[np.float64] | None:
        """(N,) residuals in metres on the ground; None where the map has no CRS."""
        return (
            None
            if self.crs is None
            else ground_lengths(self.map, self.to_map(self.pixel), self.crs)
        )

    @property
    def left_out_px(self) -> NDArray[np.float64]:
        """(N,) error in pixels at each point of a model fitted to all the others.

        NaN where the others do not determine a model. This is what to expect at places that
        were not marked; the residuals themselves are always too small.
        """
        errors = [
            np.nan if fit is None else np.linalg.norm(fit.to_pixel(place) - pixel)
            for fit, place, pixel in zip(self._without_each, self.map, self.pixel)
        ]
        return np.array(errors)

    @property
    def suspect(self) -> int | None:
        """Index of the one point that contradicts all others; None if there is no such point.

        Without it, the others fit at least three times as well. This finds a wrong point where
        its own residual does not: at the rim of the picture a model bends towards it.
        """
        if len(self.pixel) < NEEDED[self.kind] + 2 or self.rmse_px < SUSPECT_FROM:
            return None
        fits = self._without_each
        remaining = [math.inf if fit is None else fit.rmse_px for fit in fits]
        best = int(np.argmin(remaining))
        return best if remaining[best] < self.rmse_px / 3 else None

    @cached_property
    def _without_each(self) -> list[GroundControl | None]:
        """A model without each point in turn; None where the others do not determine one."""
        if len(self.pixel) <= NEEDED[self.kind]:
            return [None] * len(self.pixel)
        fits: list[GroundControl | None] = []
        for i in range(len(self.pixel)):
            others = np.arange(len(self.pixel)) != i
            try:
                fits.append(
                    fit_ground_control(
                        self.pixel[others], self.map[others], self.kind, crs=self.crs
                    )
                )
            except PrepareError:
                fits.append(None)
        return fits

    @property
    def rmse_px(self) -> float:
        """Root of the mean squared length of the residuals, in pixels."""
        return float(np.sqrt(np.mean(self.errors_px**2)))

    @property
    def rmse_m(self) -> float | None:
        """The same in metres on the ground; None where the map has no CRS."""
        errors = self.errors_m
        return None if errors is None else float(np.sqrt(np.mean(errors**2)))

    @property
    def left_out_rmse_px(self) -> float | None:
        """Root mean square of `left_out_px`; None where points are too few for it."""
        errors = self.left_out_px
        return None if np.isnan(errors).any() else float(np.sqrt(np.mean(errors**2)))

    @property
    def mirrored(self) -> bool:
        """Whether the picture would appear mirrored on the map: a sign of swapped x and y."""
        middle = self.pixel.mean(0)
        origin, right, down = self.to_map(middle + np.array([[0, 0], [1, 0], [0, 1]]))
        x, y = right - origin, down - origin
        # Rows count downwards and maps upwards, so that a picture seen from above turns over.
        return bool(x[0] * y[1] - x[1] * y[0] > 0)

    @property
    def exact(self) -> bool:
        """Whether there are just enough points, so that residuals are zero and say nothing."""
        return len(self.pixel) == NEEDED[self.kind]

    def table(self) -> list[dict[str, Any]]:
        """One row a control point: pixel_x, pixel_y, map_x, map_y, dx, dy, error_px, error_m,
        left_out_px."""
        metres = self.errors_m
        rows = zip(self.pixel, self.map, self.residuals, self.errors_px, self.left_out_px)
        return [
            {
                "pixel_x": float(pixel[0]),
                "pixel_y": float(pixel[1]),
                "map_x": float(place[0]),
                "map_y": float(place[1]),
                "dx": float(residual[0]),
                "dy": float(residual[1]),
                "error_px": float(error),
                "error_m": None if metres is None else float(metres[i]),
                "left_out_px": None if math.isnan(left_out) else float(left_out),
            }
            for i, (pixel, place, residual, error, left_out) in enumerate(rows)
        ]


def fit_ground_control(
    pixel: ArrayLike, map: ArrayLike, kind: str = "affine", *, crs: str | None = None
) -> GroundControl:
    """Fit a model to control points by least squares of the distances in the picture.

    Parameters
    ----------
    pixel : (N, 2) array-like
        x and y in the picture, in pixels.
    map : (N, 2) array-like
        x and y on the map (easting, northing, or longitude, latitude).
    kind : str
        ``"affine"`` (shift, scale, turn, shear; 3 points), ``"projective"`` (a flat ground seen
        at an angle; 4), ``"polynomial2"`` (6) or ``"polynomial3"`` (10).
    crs : str, optional
        Coordinate reference system of `map`, such as "EPSG:32637".

    Returns
    -------
    GroundControl

    Raises
    ------
    PrepareError
        Points are too few, not finite, or lie so that they do not determine the model.
    """
    from pyproj import CRS

    if kind not in NEEDED:
        raise PrepareError(f"“{kind}” is not a kind of rectification. Use {', '.join(NEEDED)}.")
    pixel, place = (np.asarray(side, float).reshape(-1, 2) for side in (pixel, map))
    if len(pixel) != len(place) or not (np.isfinite(pixel).all() and np.isfinite(place).all()):
        raise PrepareError("A control point lacks a coordinate. Give each one x and y, twice.")
    need = NEEDED[kind]
    if len(pixel) < need:
        raise PrepareError(
            f"{TITLES[kind]} needs at least {need} control points, and there "
            f"{'is' if len(pixel) == 1 else 'are'} {len(pixel)}. Add {need - len(pixel)} more, "
            "well spread over the picture" + ("." if need == 3 else ", or choose a simpler model.")
        )
    check_coordinates(place, crs)
    circle = full_circle(CRS.from_user_input(crs)) if crs else None
    if circle:
        # Points on both sides of the 180th meridian are neighbours.
        x = wrap_longitudes_near(place[:, 0], place[0, 0], circle)
        place = np.column_stack([x, place[:, 1]])
    try:
        frames = normalising_frame(pixel), normalising_frame(place)
        here, there = apply_homography(frames[0], pixel), apply_homography(frames[1], place)
        if kind == "projective":
            mapping = fit_homography(there, here)
        else:
            mapping = fit_polynomial(there, here, _ORDERS[kind])
    except Undetermined as error:
        raise _degenerate(kind) from error
    except Contradictory as error:
        raise PrepareError(
            "The control points contradict each other: no flat ground looks like this from any "
            "place. Check that each point has the coordinates of its own place on the map."
        ) from error
    return GroundControl(kind, pixel, place, crs, mapping, frames)


def check_coordinates(place: Points, crs: str | None) -> None:
    """Raise `PrepareError` if the CRS is unknown or coordinates cannot belong to it."""
    if crs is None:
        return
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        known = CRS.from_user_input(crs)
    except CRSError as error:
        raise PrepareError(
            f"“{crs}” is not a coordinate reference system that RSAM knows. Type its code, such "
            "as EPSG:4326 for longitude and latitude or EPSG:32637 for UTM zone 37 north."
        ) from error
    if known.is_geographic and (np.abs(place[:, 0]).max() > 360 or np.abs(place[:, 1]).max() > 90):
        raise PrepareError(
            f"{crs} counts in degrees, and some map coordinates are no longitude and latitude. "
            "Give x as longitude and y as latitude, or choose the CRS the coordinates are in."
        )


def ground_lengths(first: ArrayLike, second: ArrayLike, crs: str) -> NDArray[np.float64]:
    """Distances in metres along the ground between pairs of places (N, 2) on a map.

    Measured as geodesics on the ellipsoid of the CRS, so that they are true in degrees and in
    web Mercator, too.
    """
    from pyproj import CRS, Transformer

    known = CRS.from_user_input(crs)
    geod, base = known.get_geod(), known.geodetic_crs
    first, second = np.asarray(first, float), np.asarray(second, float)
    if geod is None or base is None:
        return np.linalg.norm(second - first, axis=-1)
    to_degrees = math.degrees(base.axis_info[0].unit_conversion_factor)
    transformer = Transformer.from_crs(known, base, always_xy=True)
    lon0, lat0 = transformer.transform(first[:, 0], first[:, 1])
    lon1, lat1 = transformer.transform(second[:, 0], second[:, 1])
    degrees = [np.asarray(v) * to_degrees for v in (lon0, lat0, lon1, lat1)]
    return np.asarray(geod.inv(*degrees)[2])


def _degenerate(kind: str) -> PrepareError:
    return PrepareError(
        "The control points lie on one line or too close together, so that they do not fix "
        f"the picture on the map ({TITLES[kind].lower()}). Spread them over the whole picture, "
        "corners included" + ("." if kind == "affine" else ", or choose a simpler model.")
    )
