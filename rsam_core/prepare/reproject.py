"""Moving a georeferenced picture to another coordinate reference system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError

from .rectify import Grid, map_units_per_metre
from .sampling import check_result

if TYPE_CHECKING:
    from affine import Affine

RESAMPLING = ("nearest", "bilinear", "cubic", "lanczos", "average")
LOCAL_UTM = "UTM"
"""In place of a code: the UTM zone of the picture's centre."""

# GDAL computes exact positions on a coarse grid and lets interpolation stray this far, in pixels.
_TOLERANCE = 0.02


def known_crs(text: str, transform: Affine, crs: str, shape: tuple[int, int]) -> str:
    """Resolve what a user typed as target: a code, WKT, or ``"UTM"``.

    Raises
    ------
    PrepareError
        It is not a coordinate reference system, or has no ground.
    """
    from pyproj import CRS, Transformer
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_utm_crs_info
    from pyproj.exceptions import CRSError

    text = text.strip()
    if text.upper() != LOCAL_UTM:
        code = f"EPSG:{text}" if text.isdigit() else text
        try:
            found = CRS.from_user_input(code)
        except CRSError as error:
            raise PrepareError(
                f"“{text}” is not a coordinate reference system that RSAM knows. Type its code, "
                "such as EPSG:4326 (longitude and latitude), EPSG:3857 (web maps), or UTM for "
                "the local UTM zone."
            ) from error
        if not (found.is_geographic or found.is_projected):
            raise PrepareError(
                f"“{text}” is not a map of the ground. Choose a projected CRS, or EPSG:4326."
            )
        return code
    height, width = shape
    x, y = transform * (width / 2, height / 2)
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    zones = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat))
    if not zones:
        raise PrepareError(
            "There is no UTM zone at the picture's place (they end at 84° north and 80° south). "
            "Type the code of another CRS."
        )
    return f"EPSG:{zones[0].code}"


def reproject(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    transform: Affine,
    crs: str,
    target: str,
    *,
    gsd: float | None = None,
    resampling: str = "cubic",
) -> tuple[NDArray[np.float32], NDArray[np.bool_], Grid]:
    """Warp to another coordinate reference system with GDAL.

    Parameters
    ----------
    values : (H, W, C) array of float32
    valid : (H, W) array of bool
    transform : affine.Affine
    crs : str
        Where the picture lies.
    target : str
        The CRS wanted, as `known_crs` returns it.
    gsd : float, optional
        Metres per pixel of the result; by default GDAL's choice, which keeps the diagonal.
    resampling : str
        One of `RESAMPLING`.

    Returns
    -------
    values : (h, w, C) array of float32
        Zero where not valid.
    valid : (h, w) array of bool
    grid : Grid

    Raises
    ------
    PrepareError
        The picture does not lie within the domain of the target, or the result is too large.
    """
    import rasterio.warp
    from rasterio.enums import Resampling
    from rasterio.errors import RasterioError
    from rasterio.transform import array_bounds

    if resampling not in RESAMPLING:
        raise PrepareError(
            f"“{resampling}” is not a way to resample. Use one of {', '.join(RESAMPLING)}."
        )
    height, width = valid.shape
    method = Resampling[resampling]
    outside = PrepareError(
        f"The picture cannot be shown in {target}: it lies outside the area for which that "
        "system is made, or its georeference is wrong. Choose another CRS, or UTM for the local "
        "zone."
    )
    plan = (crs, target, width, height, *array_bounds(height, width, transform))
    try:
        if transform.b or transform.d:
            # Bounds tell nothing about a turned picture; GDAL takes its corners as control points.
            plan = (crs, target, width, height)
            corners = {"gcps": _corners(transform, width, height)}
        else:
            corners = {}
        grid = Grid(*rasterio.warp.calculate_default_transform(*plan, **corners))
        if gsd is not None:
            centre = grid.transform * (grid.width / 2, grid.height / 2)
            size = gsd * map_units_per_metre(target, centre)
            grid = Grid(
                *rasterio.warp.calculate_default_transform(*plan, **corners, resolution=size)
            )
    except (RasterioError, ValueError) as error:
        raise outside from error
    check_result(grid.width, grid.height, values.shape[2], "Reprojection")
    holes = not valid.all()
    out = np.full((grid.height, grid.width, values.shape[2]), np.nan, np.float32)
    for band in range(values.shape[2]):
        source = values[..., band]
        source = np.where(valid, source, np.nan) if holes else np.ascontiguousarray(source)
        layer = np.full((grid.height, grid.width), np.nan, np.float32)
        try:
            rasterio.warp.reproject(
                source.astype(np.float32, copy=False),
                layer,
                src_transform=transform,
                src_crs=crs,
                src_nodata=np.nan,
                dst_transform=grid.transform,
                dst_crs=target,
                dst_nodata=np.nan,
                resampling=method,
                tolerance=_TOLERANCE,
            )
        except RasterioError as error:
            raise outside from error
        out[..., band] = layer
    out_valid = np.isfinite(out).all(axis=-1)
    if not out_valid.any():
        raise outside
    out[~out_valid] = 0
    return out, out_valid, grid


def _corners(transform: Affine, width: int, height: int) -> list:
    from rasterio.control import GroundControlPoint

    return [
        GroundControlPoint(row, column, *(transform * (column, row)))
        for row in (0, height)
        for column in (0, width)
    ]
