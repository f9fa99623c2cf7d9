"""Reading a picture at places between its pixels, and changing its size: what the rest needs.

Coordinates are continuous pixels: x right, y down, origin at the top-left corner of the top-left
pixel, so that the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare.nodata import filled

KERNELS = {"nearest": 0, "bilinear": 1, "bicubic": 3}
"""Ways to read between pixels, with the order of their B-spline."""

MAX_RESULT = 400_000_000
"""Pixels times bands that a step may make at most (1.6 GB as float32)."""

_STRIP = 1 << 20

Places = Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[NDArray, NDArray]]


def check_result(width: int, height: int, bands: int, what: str) -> None:
    """Raise `PrepareError` if a result would be empty or too large for the memory."""
    if width < 1 or height < 1:
        raise PrepareError(f"{what} leaves nothing of the picture. Choose other values.")
    if width * height * bands > MAX_RESULT:
        raise PrepareError(
            f"{what} would make a picture of {width:,} × {height:,} pixels, more than RSAM can "
            "hold. Crop it first, or choose a coarser pixel size."
        )


def sample(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    places: Places,
    shape: tuple[int, int],
    kernel: str = "bicubic",
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Build a picture by reading another at computed places.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    places : callable
        Takes arrays x and y of pixel centres of the result, returns where to read in the source.
    shape : tuple of int
        Height and width of the result.
    kernel : str
        One of `KERNELS`. Bicubic is the interpolating cubic B-spline.

    Returns
    -------
    values : (h, w, C) array of float32
        Zero where not valid; never beyond the range of the source.
    valid : (h, w) array of bool
        False outside the source and where the nearest source pixel is not valid.
    """
    from scipy.ndimage import map_coordinates, spline_filter

    order = KERNELS[kernel]
    height, width, bands = values.shape
    source = filled(values, valid)
    ranges = [(source[..., b].min(), source[..., b].max()) for b in range(bands)]
    if order > 1:
        coefficients = [
            spline_filter(source[..., b], order, output=np.float32, mode="mirror")
            for b in range(bands)
        ]
    else:
        coefficients = [source[..., b] for b in range(bands)]
    out = np.zeros((*shape, bands), np.float32)
    out_valid = np.zeros(shape, bool)
    strip = max(1, _STRIP // max(1, shape[1]))
    for top in range(0, shape[0], strip):
        rows = slice(top, min(top + strip, shape[0]))
        y, x = np.mgrid[rows, 0 : shape[1]] + 0.5
        x, y = places(x, y)
        with np.errstate(invalid="ignore"):
            inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
        x, y = np.where(inside, x, 0.5), np.where(inside, y, 0.5)
        column = np.clip(x.astype(np.int64), 0, width - 1)
        row = np.clip(y.astype(np.int64), 0, height - 1)
        good = inside & valid[row, column]
        out_valid[rows] = good
        # The outer half of a border pixel has no neighbour to interpolate with.
        at = np.stack([np.clip(y - 0.5, 0, height - 1), np.clip(x - 0.5, 0, width - 1)])
        for b in range(bands):
            read = map_coordinates(
                coefficients[b], at, np.float32, order=order, mode="mirror", prefilter=False
            )
            out[rows, :, b] = np.where(good, np.clip(read, *ranges[b]), 0)
    return out, out_valid


def resize(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    shape: tuple[int, int],
    *,
    kernel: str = "bicubic",
    step: tuple[float, float] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Change the number of pixels; the top-left corner stays where it is.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    shape : tuple of int
        Height and width of the result.
    kernel : str
        ``"area"`` (mean of what a pixel covers), ``"nearest"``, ``"bilinear"``, ``"bicubic"``
        (cubic convolution, Keys 1981, a = -1/2) or ``"lanczos"`` (three lobes). All are widened
        when pixels get larger, so that nothing aliases.
    step : tuple of float, optional
        Source pixels per result pixel along y and x; by default the result covers the source
        exactly.

    Returns
    -------
    values : (h, w, C) array of float32
        Zero where not valid. Bicubic and Lanczos may overshoot the source's range a little.
    valid : (h, w) array of bool
        Where at least half of the pixel is valid.
    """
    from PIL import Image

    filters = {
        "area": Image.Resampling.BOX,
        "nearest": Image.Resampling.NEAREST,
        "bilinear": Image.Resampling.BILINEAR,
        "bicubic": Image.Resampling.BICUBIC,
        "lanczos": Image.Resampling.LANCZOS,
    }
    height, width = valid.shape
    dy, dx = (height / shape[0], width / shape[1]) if step is None else step
    covered_y, covered_x = dy * shape[0], dx * shape[1]
    # The last pixel may reach past the edge by less than itself; there the edge goes on.
    beyond = (
        max(0, math.ceil(covered_y - height - 1e-9)),
        max(0, math.ceil(covered_x - width - 1e-9)),
    )

    def scaled(band: NDArray[np.float32], how: int) -> NDArray[np.float32]:
        if any(beyond):
            band = np.pad(band, ((0, beyond[0]), (0, beyond[1])), mode="edge")
        picture = Image.fromarray(np.ascontiguousarray(band, np.float32))
        limits = (min(covered_x, band.shape[1]), min(covered_y, band.shape[0]))
        return np.array(picture.resize(shape[::-1], how, box=(0, 0, *limits)), np.float32)

    if valid.all():
        out_valid = np.ones(shape, bool)
    else:
        out_valid = scaled(valid.astype(np.float32), Image.Resampling.BOX) >= 0.5
    source = filled(values, valid)
    bands = [scaled(source[..., b], filters[kernel]) for b in range(values.shape[2])]
    out = np.stack(bands, axis=-1)
    out[~out_valid] = 0
    return out, out_valid
