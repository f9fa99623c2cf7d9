"""Turning, mirroring, cutting and straightening a picture: pure functions on arrays.

Each returns a `Moved`, which says where the pixels of the result were in the source, so that
georeference and control points can follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare.resampling import check_result, resize, sample

if TYPE_CHECKING:
    from affine import Affine

Bands = NDArray[np.float32]
Mask = NDArray[np.bool_]

QUARTERS = (0, 90, 180, 270)
MIN_CORNER_ANGLE = 5.0
"""Degrees; a quadrilateral with a sharper corner cannot be straightened sensibly."""


@dataclass(frozen=True, eq=False)
class Moved:
    """A picture after a geometric change.

    Attributes
    ----------
    values : (h, w, C) array of float32
    valid : (h, w) array of bool
        False where the result has no source.
    source : (3, 3) array of float64
        Homography from pixels of the result to pixels of the source.
    """

    values: Bands
    valid: Mask
    source: NDArray[np.float64]

    @property
    def affine(self) -> Affine | None:
        """`source` as an affine transform; None where it is truly projective."""
        from affine import Affine

        matrix = self.source / self.source[2, 2]
        height, width = self.valid.shape
        # What the perspective term changes at most, in pixels, over the picture.
        bend = (abs(matrix[2, 0]) * width + abs(matrix[2, 1]) * height) * max(width, height)
        return Affine(*matrix[:2].ravel()) if bend < 1e-6 else None

    def to_result(self, points: ArrayLike) -> NDArray[np.float64]:
        """Where points of the source (..., 2) are in the result."""
        return apply_homography(np.linalg.inv(self.source), points)


def apply_homography(matrix: ArrayLike, points: ArrayLike) -> NDArray[np.float64]:
    """Map points (..., 2) by a 3 × 3 homography; NaN on and beyond the horizon."""
    matrix = np.asarray(matrix, float)
    points = np.asarray(points, float)
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    scale = mapped[..., 2:]
    return np.where(scale > 1e-12, mapped[..., :2] / np.where(scale == 0, 1, scale), np.nan)


def quarter_turn(values: Bands, valid: Mask, degrees: int) -> Moved:
    """Turn clockwise by 0, 90, 180 or 270 degrees; no pixel changes its value."""
    if degrees % 360 not in QUARTERS:
        raise PrepareError(f"{degrees}° is not a quarter turn. Use the free rotation for it.")
    turns = degrees % 360 // 90
    height, width = valid.shape
    matrices = (
        np.eye(3),
        np.array([[0, 1, 0], [-1, 0, height], [0, 0, 1]], float),
        np.array([[-1, 0, width], [0, -1, height], [0, 0, 1]], float),
        np.array([[0, -1, width], [1, 0, 0], [0, 0, 1]], float),
    )
    return Moved(
        np.ascontiguousarray(np.rot90(values, -turns)),
        np.ascontiguousarray(np.rot90(valid, -turns)),
        matrices[turns],
    )


def flip(values: Bands, valid: Mask, axis: str) -> Moved:
    """Mirror ``"left-right"`` or ``"top-bottom"``; no pixel changes its value."""
    height, width = valid.shape
    if axis == "left-right":
        matrix = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]], float)
        side = 1
    elif axis == "top-bottom":
        matrix = np.array([[1, 0, 0], [0, -1, height], [0, 0, 1]], float)
        side = 0
    else:
        raise PrepareError(f"“{axis}” is not a way to mirror. Use left-right or top-bottom.")
    return Moved(
        np.ascontiguousarray(np.flip(values, side)),
        np.ascontiguousarray(np.flip(valid, side)),
        matrix,
    )


def crop(values: Bands, valid: Mask, x: int, y: int, width: int, height: int) -> Moved:
    """Cut out a rectangle of whole pixels.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    x, y : int
        Top-left corner.
    width, height : int
        Size; 0 reaches to the right or lower edge. What lies beyond the edges is left out.

    Raises
    ------
    PrepareError
        The rectangle lies outside the picture.
    """
    x0, y0, x1, y1 = crop_box(valid.shape, x, y, width, height)
    matrix = np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]], float)
    part = slice(y0, y1), slice(x0, x1)
    return Moved(values[part].copy(), valid[part].copy(), matrix)


def crop_box(
    shape: tuple[int, int], x: int, y: int, width: int, height: int
) -> tuple[int, int, int, int]:
    """Left, top, right and bottom edge of what `crop` keeps of a picture of (height, width)."""
    rows, columns = shape
    x0, y0 = max(0, x), max(0, y)
    x1 = columns if width <= 0 else min(columns, x + width)
    y1 = rows if height <= 0 else min(rows, y + height)
    if x1 <= x0 or y1 <= y0:
        raise PrepareError(
            f"The rectangle to keep starts at ({x}, {y}) and lies outside the picture of "
            f"{columns:,} × {rows:,} pixels. Choose one inside."
        )
    return x0, y0, x1, y1


def rotate(
    values: Bands, valid: Mask, degrees: float, *, expand: bool = True, kernel: str = "bicubic"
) -> Moved:
    """Turn clockwise by any angle around the centre.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    degrees : float
        Clockwise on the screen.
    expand : bool
        Enlarge the picture so that nothing is lost; else keep its size and lose the corners.
    kernel : str
        One of `rsam_core.prepare.resampling.KERNELS`.
    """
    if not math.isfinite(degrees):
        raise PrepareError("The angle to turn by is not a number. Type one, in degrees.")
    height, width = valid.shape
    if degrees % 90 == 0 and (expand or degrees % 180 == 0 or height == width):
        return quarter_turn(values, valid, round(degrees))
    angle = math.radians(degrees)
    c, s = math.cos(angle), math.sin(angle)
    new_width, new_height = width, height
    if expand:
        # A hair less than whole, so that rounding adds no empty column.
        new_width = math.ceil(abs(width * c) + abs(height * s) - 1e-6)
        new_height = math.ceil(abs(width * s) + abs(height * c) - 1e-6)
    check_result(new_width, new_height, values.shape[2], "This rotation")
    back = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    matrix = _shift(width / 2, height / 2) @ back @ _shift(-new_width / 2, -new_height / 2)
    return _moved(values, valid, matrix, (new_height, new_width), kernel)


def to_ground_distance(
    values: Bands, valid: Mask, gsd: float, target: float, *, kernel: str = "bicubic"
) -> Moved:
    """Resample so that one pixel covers a chosen distance on the ground.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    gsd : float
        Metres per pixel of the source.
    target : float
        Metres per pixel wanted. Coarser pixels are the mean of what they cover.
    kernel : str
        For finer pixels: ``"nearest"``, ``"bilinear"``, ``"bicubic"`` or ``"lanczos"``.
    """
    if not (math.isfinite(target) and target > 0):
        raise PrepareError(f"A pixel of {target!r} m is not possible. Type a size above 0.")
    ratio = target / gsd
    height, width = valid.shape
    new_height, new_width = max(1, round(height / ratio)), max(1, round(width / ratio))
    check_result(new_width, new_height, values.shape[2], f"A pixel of {target:g} m")
    how = "area" if ratio > 1 and kernel != "nearest" else kernel
    out, out_valid = resize(values, valid, (new_height, new_width), kernel=how, step=(ratio, ratio))
    return Moved(out, out_valid, np.diag([ratio, ratio, 1.0]))


def straighten(
    values: Bands,
    valid: Mask,
    corners: ArrayLike,
    *,
    aspect: float | None = None,
    keep_all: bool = False,
    kernel: str = "bicubic",
) -> Moved:
    """Correct keystone: what is a rectangle on the ground becomes one in the picture.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    corners : (4, 2) array-like
        Corners of something rectangular in the picture, in any order.
    aspect : float, optional
        Width divided by height of that rectangle on the ground; by default judged from the
        lengths of the quadrilateral's sides.
    keep_all : bool
        Show the whole picture straightened, not only the rectangle.
    kernel : str
        One of `rsam_core.prepare.resampling.KERNELS`.

    Raises
    ------
    PrepareError
        The corners are not four, coincide, lie on a line or do not form a convex shape; or the
        whole picture would reach to the horizon.
    """
    corners = order_corners(corners)
    top, right, bottom, left = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = max(top, bottom), max(left, right)
    if aspect is not None:
        if not (math.isfinite(aspect) and aspect > 0):
            raise PrepareError("Width divided by height must be a number above 0.")
        # The same number of pixels, in the known proportion.
        width, height = math.sqrt(width * height * aspect), math.sqrt(width * height / aspect)
    columns, rows = max(1, round(width)), max(1, round(height))
    upright = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], float)
    matrix = homography(upright, corners)
    if keep_all:
        full_height, full_width = valid.shape
        frame = [(0, 0), (full_width, 0), (full_width, full_height), (0, full_height)]
        outline = apply_homography(_positive(np.linalg.inv(matrix), corners), frame)
        if not np.isfinite(outline).all():
            raise PrepareError(
                "Straightened whole, the picture would reach to the horizon. Crop it nearer to "
                "the marked corners, or keep the marked rectangle only."
            )
        low, high = np.floor(outline.min(0)), np.ceil(outline.max(0))
        columns, rows = (int(v) for v in high - low)
        matrix = matrix @ _shift(*low)
    check_result(columns, rows, values.shape[2], "Straightening")
    return _moved(values, valid, matrix / matrix[2, 2], (rows, columns), kernel)


def homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve the 3 × 3 homography that takes four points to four others exactly."""
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(rows, right), 1.0).reshape(3, 3)


def order_corners(corners: ArrayLike) -> NDArray[np.float64]:
    """Sort four corners: top left, top right, bottom right, bottom left.

    Raises
    ------
    PrepareError
        They are not the corners of a convex quadrilateral.
    """
    points = np.asarray(corners, float)
    if points.shape != (4, 2) or not np.isfinite(points).all():
        count = len(points) if points.ndim == 2 else 0
        raise PrepareError(
            f"Straightening needs four corners, and {count} are marked. Mark the four corners of "
            "something that is rectangular on the ground, such as a field or a block."
        )
    around = points - points.mean(0)
    # y points down, so growing angles go clockwise on the screen.
    points = points[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
    sides = np.roll(points, -1, axis=0) - points
    lengths = np.linalg.norm(sides, axis=1)
    before = -np.roll(sides, 1, axis=0)
    cross = before[:, 1] * sides[:, 0] - before[:, 0] * sides[:, 1]
    sine = cross / np.maximum(lengths * np.roll(lengths, 1), 1e-12)
    if lengths.min() < 1 or sine.min() < math.sin(math.radians(MIN_CORNER_ANGLE)):
        raise PrepareError(
            "The four corners do not form a four-sided shape: some coincide, lie on one line or "
            "point inwards. Mark the corners of something that is rectangular on the ground."
        )
    # Start with the corner nearest to the top left.
    return np.roll(points, -int(np.argmin(points.sum(1))), axis=0)


def _positive(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Choose the sign of a homography so that the points lie before the horizon."""
    scale = points @ matrix[2, :2] + matrix[2, 2]
    return matrix if scale.mean() > 0 else -matrix


def _shift(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def _moved(
    values: Bands, valid: Mask, matrix: NDArray[np.float64], shape: tuple[int, int], kernel: str
) -> Moved:
    def places(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
        found = apply_homography(matrix, np.stack([x, y], axis=-1))
        return found[..., 0], found[..., 1]

    out, out_valid = sample(values, valid, places, shape, kernel)
    return Moved(out, out_valid, matrix)
