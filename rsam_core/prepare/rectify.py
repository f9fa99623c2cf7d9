"""Laying a picture on the map by its control points: a new grid, north up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare.ground_control import GroundControl
from rsam_core.prepare.resampling import check_result, resize, sample

if TYPE_CHECKING:
    from affine import Affine

_EDGE_POINTS = 33
_FOLD_GRID = 24
# From this many source pixels a side per result pixel on, the source is averaged first.
_COARSER = 1.25


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the pixels of a rectified picture lie.

    Attributes
    ----------
    transform : affine.Affine
        Pixel to map, north up.
    width, height : int
    """

    transform: Affine
    width: int
    height: int


def map_units_per_metre(crs: str | None, place: tuple[float, float]) -> float:
    """Map units along one metre of ground at a place, as the root of the area's ratio.

    1 where the CRS is unknown or has no ground: its units are taken for metres.
    """
    from affine import Affine

    from rsam_core.scene.ground_distance import ground_sample_distance

    if crs is None:
        return 1.0
    size = 1e-5 if _geographic(crs) else 1.0
    around = Affine(size, 0, place[0] - size / 2, 0, -size, place[1] + size / 2)
    metres = ground_sample_distance(around, crs, 1, 1)
    return size / metres if metres else 1.0


def plan_grid(
    fit: GroundControl, shape: tuple[int, int], gsd: float | None = None, bands: int = 1
) -> Grid:
    """Choose extent and pixel size of the rectified picture.

    Parameters
    ----------
    fit : GroundControl
    shape : tuple of int
        Height and width of the picture.
    gsd : float, optional
        Metres per pixel; by default as fine as the picture is at its centre.
    bands : int
        Bands of the picture, for the check of its size.

    Raises
    ------
    PrepareError
        The model folds or reaches the horizon within the picture, or the result would be empty
        or too large.
    """
    height, width = shape
    check_model(fit, shape)
    centre = np.array([width / 2, height / 2])
    if gsd is None:
        size = pixel_size(fit.to_map, shape)
    else:
        if not (math.isfinite(gsd) and gsd > 0):
            raise PrepareError(f"A pixel of {gsd!r} m is not possible. Type a size above 0.")
        size = gsd * map_units_per_metre(fit.crs, tuple(fit.to_map(centre)))
    return grid_around(fit.to_map(outline(shape)), size, bands, "Rectification")


def outline(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Points (N, 2) along the border of a picture of a height and width."""
    along = np.linspace(0, 1, _EDGE_POINTS)
    ones, zeros = np.ones_like(along), np.zeros_like(along)
    sides = ((along, zeros), (along, ones), (zeros, along), (ones, along))
    return np.concatenate([np.stack(side, axis=-1) for side in sides]) * (shape[1], shape[0])


def pixel_size(
    to_map: Callable[[NDArray[np.float64]], NDArray[np.float64]], shape: tuple[int, int]
) -> float:
    """Root of the area, in map units, that the pixel at the centre covers."""
    cross = np.array([[-0.5, 0], [0.5, 0], [0, -0.5], [0, 0.5]])
    nearby = to_map(np.array([shape[1] / 2, shape[0] / 2]) + cross)
    right, down = nearby[1] - nearby[0], nearby[3] - nearby[2]
    return math.sqrt(abs(right[0] * down[1] - right[1] * down[0]))


def grid_around(places: NDArray[np.float64], size: float, bands: int, what: str) -> Grid:
    """The north-up grid of a pixel size that covers places (N, 2) on the map."""
    from affine import Affine

    low, high = places.min(0), places.max(0)
    # Rounding noise must not add an empty row.
    columns, rows = (max(1, math.ceil(v - 1e-6)) for v in (high - low) / size)
    check_result(columns, rows, bands, what)
    return Grid(Affine(size, 0, low[0], 0, -size, high[1]), columns, rows)


def check_model(fit: GroundControl, shape: tuple[int, int]) -> None:
    """Raise `PrepareError` where a model is not one to one over the picture."""
    y, x = np.mgrid[0 : shape[0] : _FOLD_GRID * 1j, 0 : shape[1] : _FOLD_GRID * 1j]
    places = fit.to_map(np.stack([x, y], axis=-1))
    right, down = np.diff(places, axis=1)[:-1], np.diff(places, axis=0)[:, :-1]
    turn = np.sign(right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0])
    if not np.isfinite(places).all() or len(np.unique(turn)) != 1 or turn[0, 0] == 0:
        raise PrepareError(
            "With these control points the picture would fold over itself or reach to the "
            "horizon, away from the points. Check them, spread them over the whole picture, crop "
            "what lies far from all of them, or choose a simpler model."
        )


def rectify(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    fit: GroundControl,
    grid: Grid | None = None,
    *,
    kernel: str = "bicubic",
) -> tuple[NDArray[np.float32], NDArray[np.bool_], Grid]:
    """Resample a picture onto the map.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    fit : GroundControl
    grid : Grid, optional
        By default that of `plan_grid`.
    kernel : str
        One of `rsam_core.prepare.resampling.KERNELS`.

    Returns
    -------
    values : (h, w, C) array of float32
    valid : (h, w) array of bool
        False outside the picture.
    grid : Grid
        Where the pixels lie.

    Raises
    ------
    PrepareError
        As for `plan_grid`.
    """
    grid = grid or plan_grid(fit, valid.shape, bands=values.shape[2])
    t = grid.transform
    coarser = t.a / pixel_size(fit.to_map, valid.shape)
    if coarser > _COARSER and kernel != "nearest":
        # Reading single places of a much finer picture would alias; its pixels are averaged first.
        shape = tuple(max(1, round(side / coarser)) for side in valid.shape)
        step = (coarser, coarser)
        values, valid = resize(values, valid, shape, kernel="area", step=step)
    else:
        coarser = 1.0

    def places(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
        found = fit.to_pixel(np.stack([t.a * x + t.c, t.e * y + t.f], axis=-1)) / coarser
        return found[..., 0], found[..., 1]

    out, out_valid = sample(values, valid, places, (grid.height, grid.width), kernel)
    return out, out_valid, grid


def _geographic(crs: str) -> bool:
    from pyproj import CRS

    return CRS.from_user_input(crs).is_geographic
