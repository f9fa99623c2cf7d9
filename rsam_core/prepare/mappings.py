"""Plane mappings fitted to point pairs: polynomials and homographies, there and back.

Coordinates are expected near the origin with about unit spread, which `normalising_frame` brings
about; powers of map coordinates in metres would drown in rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rsam_core.prepare.geometric import apply_homography

Points = NDArray[np.float64]

# Singular values below these shares of the largest mean that the points do not fix the mapping.
_ON_A_LINE = 1e-3
_ON_A_CURVE = 1e-4
_THREE_IN_LINE = 1e-4
_NEWTON_STEPS = 30
_SOLVED = 1e-9


class Undetermined(ValueError):
    """The points lie so that they do not determine a mapping."""


class Contradictory(ValueError):
    """No mapping of this kind takes the points to their partners."""


class Mapping(Protocol):
    """A mapping of the plane that can be inverted."""

    def forward(self, points: Points) -> Points:
        """Map points (..., 2)."""

    def backward(self, points: Points) -> Points:
        """Undo `forward`; NaN where that is not possible."""


@dataclass(frozen=True, eq=False)
class Polynomial:
    """A polynomial in x and y for each of two coordinates.

    Attributes
    ----------
    order : int
    coefficients : (T, 2) array of float64
        One row a monomial, in the order of `powers`.
    """

    order: int
    coefficients: NDArray[np.float64]

    def forward(self, points: Points) -> Points:
        """Map points (..., 2)."""
        return monomials(points, self.order) @ self.coefficients

    def backward(self, points: Points) -> Points:
        """Solve for the points that are mapped to these, by Newton's method."""
        found = (points - self.coefficients[0]) @ np.linalg.pinv(self.coefficients[1:3])
        if self.order == 1:
            return found
        # Far from the points a polynomial may have no inverse; NaN says so in the end.
        with np.errstate(all="ignore"):
            for _ in range(_NEWTON_STEPS):
                off = self.forward(found) - points
                a, c = np.moveaxis(self._slope(found, 0), -1, 0)
                b, d = np.moveaxis(self._slope(found, 1), -1, 0)
                step = np.stack([d * off[..., 0] - b * off[..., 1],
                                 a * off[..., 1] - c * off[..., 0]], axis=-1)  # fmt: skip
                found = found - step / (a * d - b * c)[..., None]
            off = np.abs(self.forward(found) - points).max(axis=-1, keepdims=True)
        return np.where(off < _SOLVED, found, np.nan)

    def _slope(self, points: Points, axis: int) -> Points:
        """Derivatives of both coordinates along one axis."""
        x, y = points[..., 0], points[..., 1]
        columns = [
            i * x ** max(i - 1, 0) * y**j if axis == 0 else j * x**i * y ** max(j - 1, 0)
            for i, j in powers(self.order)
        ]
        return np.stack(columns, axis=-1) @ self.coefficients


@dataclass(frozen=True, eq=False)
class Homography:
    """A projective mapping.

    Attributes
    ----------
    matrix : (3, 3) array of float64
    """

    matrix: NDArray[np.float64]

    def forward(self, points: Points) -> Points:
        """Map points (..., 2); NaN beyond the horizon."""
        return apply_homography(self.matrix, points)

    def backward(self, points: Points) -> Points:
        """Undo `forward`."""
        return apply_homography(np.linalg.inv(self.matrix), points)


def powers(order: int) -> list[tuple[int, int]]:
    """Exponents of x and y of all monomials up to an order, lowest first."""
    return [(total - j, j) for total in range(order + 1) for j in range(total + 1)]


def monomials(points: Points, order: int) -> NDArray[np.float64]:
    """Values of the monomials at points (..., 2)."""
    x, y = points[..., 0], points[..., 1]
    return np.stack([x**i * y**j for i, j in powers(order)], axis=-1)


def normalising_frame(points: Points) -> NDArray[np.float64]:
    """Shift and scale that bring points to the origin with unit spread, as 3 × 3 matrix.

    Raises
    ------
    Undetermined
        All points are the same.
    """
    centre = points.mean(0)
    spread = float(np.sqrt(np.mean(np.sum((points - centre) ** 2, axis=1)) / 2))
    if spread == 0:
        raise Undetermined
    return np.array(
        [[1 / spread, 0, -centre[0] / spread], [0, 1 / spread, -centre[1] / spread], [0, 0, 1]]
    )


def fit_polynomial(source: Points, target: Points, order: int) -> Polynomial:
    """Fit by linear least squares.

    Raises
    ------
    Undetermined
        The points of either side lie on a line, or on a curve of that order.
    """
    for side in (source, target):
        _check_spread(side, order)
    design = monomials(source, order)
    return Polynomial(order, np.linalg.lstsq(design, target, rcond=None)[0])


def fit_homography(source: Points, target: Points) -> Homography:
    """Fit by direct linear transformation, then by least squares of the distances [1]_.

    Raises
    ------
    Undetermined
        Three of four points lie on a line.
    Contradictory
        The points would lie on both sides of the horizon.

    References
    ----------
    .. [1] Hartley, R. and Zisserman, A. (2004). Multiple View Geometry in Computer Vision, 2nd
       edition, sections 4.1 to 4.4.
    """
    from scipy.optimize import least_squares

    for side in (source, target):
        _check_spread(side, 1)
    rows = []
    for (u, v), (x, y) in zip(target, source):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    _, singular, right = np.linalg.svd(np.array(rows), full_matrices=True)
    # One direction is the solution; a second one as small means that three points are in line.
    if singular[7] < _THREE_IN_LINE * singular[0]:
        raise Undetermined
    matrix = right[-1].reshape(3, 3)
    scale = source @ matrix[2, :2] + matrix[2, 2]
    if scale.mean() < 0:
        matrix, scale = -matrix, -scale
    if scale.min() <= 1e-9 * np.abs(scale).max() or abs(np.linalg.det(matrix)) < 1e-9:
        raise Contradictory
    matrix = matrix / scale.mean()

    def off(entries: NDArray[np.float64]) -> NDArray[np.float64]:
        mapped = source @ entries.reshape(3, 3)[:, :2].T + entries.reshape(3, 3)[:, 2]
        return (mapped[:, :2] / mapped[:, 2:] - target).ravel()

    if len(source) > 4:
        matrix = least_squares(off, matrix.ravel(), x_scale="jac").x.reshape(3, 3)
    return Homography(matrix)


def _check_spread(points: Points, order: int) -> None:
    singular = np.linalg.svd(monomials(points, order), compute_uv=False)
    if singular[-1] < (_ON_A_LINE if order == 1 else _ON_A_CURVE) * singular[0]:
        raise Undetermined
