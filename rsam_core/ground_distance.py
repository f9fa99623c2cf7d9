"""Ground sample distance: how many metres of ground one pixel covers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from affine import Affine
    from pyproj import CRS

# Grids made for measuring (UTM, national grids) are true to within 0.1 % inside their zone; web
# Mercator and plate carrée are off by more than 0.3 % everywhere. Between the two lies the line.
TRUE_SCALE_TOLERANCE = 0.002

_LEAST_PIXEL = 0.002
"""Metres: no picture from the air is finer, and few in degrees are coarser."""


def ground_sample_distance(
    transform: Affine, crs: str, width: int, height: int, *, y: float | None = None
) -> float | None:
    """Return the true size of one pixel on the ground, in metres.

    Parameters
    ----------
    transform : affine.Affine
        Pixel to map transform (x right, y down, origin at the corner of the first pixel). Rotation
        and shear are allowed.
    crs : str
        Coordinate reference system as an authority code ("EPSG:32637") or WKT.
    width, height : int
        Size of the raster in pixels; the pixel at its centre is measured.
    y : float, optional
        Row to measure in place of the centre row, in pixels.

    Returns
    -------
    float or None
        Square root of the pixel's ground area, which is the geometric mean of its two sides when
        they are perpendicular. None when the CRS has no ground (a local engineering grid) or the
        coordinates lie outside its domain.

    Notes
    -----
    The pixel is measured along geodesics on the ellipsoid of the CRS. Where the map's own scale
    agrees with that to 0.2 %, as in UTM and national grids, the nominal pixel size is returned
    instead, so that a 5 m product says 5 m. Web Mercator and degrees always take the geodesic way.

    References
    ----------
    .. [1] Karney, C. F. F. (2013). Algorithms for geodesics. Journal of Geodesy 87, 43-55.
    """
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    try:
        flat = horizontal(CRS.from_user_input(crs))
        if not (flat.is_geographic or flat.is_projected):
            return None
        true = _geodesic_size(transform, flat, width / 2, height / 2 if y is None else y)
    except ProjError:
        return None
    if flat.is_geographic:
        return true
    unit = flat.axis_info[0].unit_conversion_factor if flat.axis_info else 1.0
    nominal = math.sqrt(abs(transform.a * transform.e - transform.b * transform.d)) * unit
    if true is not None and math.isclose(true, nominal, rel_tol=TRUE_SCALE_TOLERANCE):
        return nominal
    return true


def ground_pixel_size(
    transform: Affine, crs: str, width: int, height: int
) -> tuple[float, float] | None:
    """Return the sides of the central pixel on the ground in metres, along its row and its column.

    Pixels in degrees are never square on the ground. Measured along geodesics; None as for
    `ground_sample_distance`.
    """
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    try:
        flat = horizontal(CRS.from_user_input(crs))
        if not (flat.is_geographic or flat.is_projected):
            return None
        sides = _geodesic_sides(transform, flat, width / 2, height / 2)
    except ProjError:
        return None
    return sides and sides[:2]


def like_degrees(transform: Affine, crs: str | None, width: int, height: int) -> bool:
    """Tell whether coordinates that count as metres (or as nothing) look like degrees.

    They do if all lie within ±360 and ±90 and pixels would be smaller than 2 mm, or would lie
    outside the area for which the system is made.
    """
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    columns, rows = np.array([[0.0, width, 0, width], [0, 0, height, height]])
    x = transform.a * columns + transform.b * rows + transform.c
    y = transform.d * columns + transform.e * rows + transform.f
    if max(abs(x)) > 360 or max(abs(y)) > 90:
        return False
    side = math.sqrt(abs(transform.a * transform.e - transform.b * transform.d))
    if crs is None:
        return side < _LEAST_PIXEL
    try:
        known = horizontal(CRS.from_user_input(crs))
        if not known.is_projected:
            return False
        area = known.area_of_use
        if side < _LEAST_PIXEL or area is None or area.west > area.east:
            return side < _LEAST_PIXEL
        to_degrees = Transformer.from_crs(known, "EPSG:4326", always_xy=True)
        lon, lat = to_degrees.transform(x.mean(), y.mean())
    except ProjError:
        return False
    return not (area.west - 1 <= lon <= area.east + 1 and area.south - 1 <= lat <= area.north + 1)


def horizontal(crs: CRS) -> CRS:
    """Return the horizontal part of a compound CRS (map plus heights)."""
    if crs.is_compound and crs.sub_crs_list:
        return crs.sub_crs_list[0]
    return crs


def _geodesic_size(transform: Affine, crs: CRS, x: float, y: float) -> float | None:
    """Return the square root of the ground area of the pixel centred on (x, y), or None."""
    sides = _geodesic_sides(transform, crs, x, y)
    if sides is None:
        return None
    across, down, angle = sides
    area = across * down * abs(math.sin(angle))
    return math.sqrt(area) if math.isfinite(area) and area > 0 else None


def _geodesic_sides(
    transform: Affine, crs: CRS, x: float, y: float
) -> tuple[float, float, float] | None:
    """Measure the pixel centred on (x, y): both sides in metres, the angle between in radians.

    None outside the domain of the CRS.
    """
    from pyproj import Transformer

    base = crs.geodetic_crs
    geod = crs.get_geod()
    if base is None or geod is None:
        return None
    # The base CRS of the same datum: no datum shift may enter a length.
    to_degrees = math.degrees(base.axis_info[0].unit_conversion_factor)
    columns = (x - 0.5, x + 0.5, x, x)
    rows = (y, y, y - 0.5, y + 0.5)
    map_x = [transform.a * c + transform.b * r + transform.c for c, r in zip(columns, rows)]
    map_y = [transform.d * c + transform.e * r + transform.f for c, r in zip(columns, rows)]
    lon, lat = Transformer.from_crs(crs, base, always_xy=True).transform(map_x, map_y)
    lon = [value * to_degrees for value in lon]
    lat = [value * to_degrees for value in lat]
    if not all(math.isfinite(value) for value in (*lon, *lat)):
        return None
    if any(abs(value) > 90 for value in lat):
        return None
    azimuths, _, lengths = geod.inv(lon[::2], lat[::2], lon[1::2], lat[1::2])
    return lengths[0], lengths[1], math.radians(azimuths[1] - azimuths[0])
