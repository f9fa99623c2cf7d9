"""Ground control points: fitting where a picture lies on the map, and how well it fits.

A control point pairs a place in the picture (pixels) with its place on the map. The fitted model
goes from the map to the picture, which is the way rectification needs and in which errors of
clicking are pixels; the way back is its exact inverse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import PrepareError

from .geometric import apply_homography

if TYPE_CHECKING:
    from affine import Affine

Points = NDArray[np.float64]

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

# Singular values below this share of the largest mean that the points do not fix the model.
_SPREAD = {"affine": 1e-3, "projective": 1e-3, "polynomial2": 1e-4, "polynomial3": 1e-4}
_THREE_IN_LINE = 1e-4


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
    _model: NDArray[np.float64] = field(repr=False)
    _frames: tuple[NDArray[np.float64], NDArray[np.float64]] = field(repr=False)

    def to_pixel(self, points: ArrayLike) -> Points:
        """Where places on the map (..., 2) are in the picture; NaN beyond the horizon."""
        there = apply_homography(self._frames[1], points)
        if self.kind == "projective":
            found = apply_homography(self._model, there)
        else:
            found = _terms(there, _order(self.kind)) @ self._model
        return apply_homography(np.linalg.inv(self._frames[0]), found)

    def to_map(self, points: ArrayLike) -> Points:
        """Where pixels (..., 2) are on the map; NaN where a polynomial has no inverse there."""
        here = apply_homography(self._frames[0], points)
        if self.kind == "projective":
            found = apply_homography(np.linalg.inv(self._model), here)
        else:
            found = self._inverted(here)
        return apply_homography(np.linalg.inv(self._frames[1]), found)

    def _inverted(self, here: Points) -> Points:
        """Solve the polynomial for places on the map, by Newton's method."""
        order, model = _order(self.kind), self._model
        linear = model[1:3]
        there = (here - model[0]) @ np.linalg.pinv(linear)
        if order == 1:
            return there
        for _ in range(30):
            off = _terms(there, order) @ model - here
            slope_x, slope_y = (_slopes(there, order, axis) @ model for axis in (0, 1))
            jacobian = np.stack([slope_x, slope_y], axis=-1)
            with np.errstate(all="ignore"):
                det = np.linalg.det(jacobian)[..., None]
                ours = np.stack(
                    [
                        jacobian[..., 1, 1] * off[..., 0] - jacobian[..., 0, 1] * off[..., 1],
                        jacobian[..., 0, 0] * off[..., 1] - jacobian[..., 1, 0] * off[..., 0],
                    ],
                    axis=-1,
                )
                there = there - ours / det
        with np.errstate(all="ignore"):
            off = np.abs(_terms(there, order) @ model - here).max(axis=-1, keepdims=True)
        return np.where(off < 1e-9, there, np.nan)

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
            for fit, place, pixel in zip(self._without_each(), self.map, self.pixel)
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
        fits = self._without_each()
        remaining = [math.inf if fit is None else fit.rmse_px for fit in fits]
        best = int(np.argmin(remaining))
        return best if remaining[best] < self.rmse_px / 3 else None

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

    References
    ----------
    .. [1] Hartley, R. and Zisserman, A. (2004). Multiple View Geometry in Computer Vision, 2nd
       edition, section 4 (normalised direct linear transformation, then geometric refinement).
    """
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
    frames = _frame(pixel, kind), _frame(place, kind)
    here, there = apply_homography(frames[0], pixel), apply_homography(frames[1], place)
    flat = 1 if kind == "projective" else _order(kind)
    for side in (here, there):
        _check_spread(_terms(side, flat), kind)
    if kind == "projective":
        model = _projective(here, there)
    else:
        model = np.linalg.lstsq(_terms(there, _order(kind)), here, rcond=None)[0]
    return GroundControl(kind, pixel, place, crs, model, frames)


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


def _order(kind: str) -> int:
    return {"affine": 1, "polynomial2": 2, "polynomial3": 3}[kind]


def _powers(order: int) -> list[tuple[int, int]]:
    return [(total - j, j) for total in range(order + 1) for j in range(total + 1)]


def _terms(points: Points, order: int) -> NDArray[np.float64]:
    """Monomials of points (..., 2) up to an order, lowest first."""
    x, y = points[..., 0], points[..., 1]
    return np.stack([x**i * y**j for i, j in _powers(order)], axis=-1)


def _slopes(points: Points, order: int, axis: int) -> NDArray[np.float64]:
    """Derivatives of the monomials along one axis."""
    x, y = points[..., 0], points[..., 1]
    columns = []
    for i, j in _powers(order):
        if axis == 0:
            columns.append(i * x ** max(i - 1, 0) * y**j)
        else:
            columns.append(j * x**i * y ** max(j - 1, 0))
    return np.stack(columns, axis=-1)


def _frame(points: Points, kind: str) -> NDArray[np.float64]:
    """Shift and scale that bring points to the origin with unit spread, as 3 × 3 matrix."""
    centre = points.mean(0)
    spread = float(np.sqrt(np.mean(np.sum((points - centre) ** 2, axis=1)) / 2))
    if spread == 0:
        raise PrepareError(_degenerate(kind))
    return np.array(
        [[1 / spread, 0, -centre[0] / spread], [0, 1 / spread, -centre[1] / spread], [0, 0, 1]]
    )


def _check_spread(design: NDArray[np.float64], kind: str) -> None:
    singular = np.linalg.svd(design, compute_uv=False)
    if singular[-1] < _SPREAD[kind] * singular[0]:
        raise PrepareError(_degenerate(kind))


def _degenerate(kind: str) -> str:
    return (
        "The control points lie on one line or too close together, so that they do not fix "
        f"the picture on the map ({TITLES[kind].lower()}). Spread them over the whole picture, "
        "corners included" + ("." if kind == "affine" else ", or choose a simpler model.")
    )


def _projective(here: Points, there: Points) -> NDArray[np.float64]:
    """Fit the homography from `there` to `here`."""
    from scipy.optimize import least_squares

    rows = []
    for (u, v), (x, y) in zip(here, there):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    _, singular, right = np.linalg.svd(np.array(rows), full_matrices=True)
    # One direction is the solution; a second one as small means that three points are in line.
    if singular[7] < _THREE_IN_LINE * singular[0]:
        raise PrepareError(_degenerate("projective"))
    matrix = right[-1].reshape(3, 3)
    scale = there @ matrix[2, :2] + matrix[2, 2]
    if scale.mean() < 0:
        matrix, scale = -matrix, -scale
    if scale.min() <= 1e-9 * np.abs(scale).max() or abs(np.linalg.det(matrix)) < 1e-9:
        raise PrepareError(
            "The control points contradict each other: no flat ground looks like this from any "
            "place. Check that each point has the coordinates of its own place on the map."
        )
    matrix = matrix / scale.mean()

    def off(entries: NDArray[np.float64]) -> NDArray[np.float64]:
        mapped = there @ entries.reshape(3, 3)[:, :2].T + entries.reshape(3, 3)[:, 2]
        return (mapped[:, :2] / mapped[:, 2:] - here).ravel()

    if len(here) > 4:
        matrix = least_squares(off, matrix.ravel(), x_scale="jac").x.reshape(3, 3)
    return matrix
