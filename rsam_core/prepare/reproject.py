"""Moving a georeferenced picture to another coordinate reference system."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare.rectify import Grid, grid_around, map_units_per_metre, outline, pixel_size
from rsam_core.scene.globe import full_circle
from rsam_core.scene.longitudes import wrap_longitudes_near

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
    lon = float(wrap_longitudes_near(lon, 0))
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
    """Warp to another coordinate reference system with GDAL; the result is north up.

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
        Metres per pixel of the result; by default as fine as the picture is at its centre.
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
    from pyproj import CRS, Transformer
    from rasterio._err import CPLE_BaseError
    from rasterio.enums import Resampling
    from rasterio.errors import RasterioError

    if resampling not in RESAMPLING:
        raise PrepareError(
            f"“{resampling}” is not a way to resample. Use one of {', '.join(RESAMPLING)}."
        )
    height, width = valid.shape
    outside = PrepareError(
        f"The picture cannot be shown in {target}: it lies outside the area for which that "
        "system is made, or its georeference is wrong. Choose another CRS, or UTM for the local "
        "zone."
    )
    between = Transformer.from_crs(crs, target, always_xy=True)
    turn = full_circle(CRS.from_user_input(crs))
    if turn:
        # Longitudes as GDAL counts them: the middle between -180 and 180.
        x = transform.c + (transform.a * width + transform.b * height) / 2
        transform = transform.translation(wrap_longitudes_near(x, 0, turn) - x, 0) @ transform
    circle = full_circle(CRS.from_user_input(target))

    def to_target(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points.T
        a, b, c, d, e, f = transform[:6]
        places = np.stack(between.transform(a * x + b * y + c, d * x + e * y + f), axis=-1)
        if circle and np.isfinite(places[0, 0]):
            # All on one side of the 180th meridian, though some then lie beyond it.
            start = wrap_longitudes_near(places[0, 0], 0, circle)
            places[:, 0] = wrap_longitudes_near(places[:, 0], start, circle)
        return places

    border = to_target(outline(valid.shape))
    size = pixel_size(to_target, valid.shape)
    if not (np.isfinite(border).all() and math.isfinite(size) and size > 0):
        raise outside
    if gsd is not None:
        centre = to_target(np.array([[width / 2, height / 2]]))[0]
        size = gsd * map_units_per_metre(target, tuple(centre))
    grid = grid_around(border, size, values.shape[2], "Reprojection")
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
                resampling=Resampling[resampling],
                tolerance=_TOLERANCE,
            )
        except (RasterioError, CPLE_BaseError) as error:
            raise outside from error
        out[..., band] = layer
    out_valid = np.isfinite(out).all(axis=-1)
    if not out_valid.any():
        raise outside
    out[~out_valid] = 0
    return out, out_valid, grid
