"""Ground sample distance: how many metres of ground one pixel covers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.scene.globe import Globe, horizontal, pixel_areas

if TYPE_CHECKING:
    from affine import Affine
    from pyproj import CRS

# Grids made for measuring (UTM, national grids) are true to within 0.1 % inside their zone; web
# Mercator and plate carrée are off by more than 0.3 % everywhere. Between the two lies the line.
TRUE_SCALE_TOLERANCE = 0.002

_MIN_SPAN = 1.0
"""Metres over which a pixel is measured at least."""
_MIN_PIXEL = 0.002
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
    The pixel is measured on the ellipsoid of the CRS. Where the map's own scale
    agrees with that to 0.2 %, as in UTM and national grids, the nominal pixel size is returned
    instead, so that a 5 m product says 5 m. Web Mercator and degrees always take the true one.
    """
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    try:
        flat = horizontal(CRS.from_user_input(crs))
        if not (flat.is_geographic or flat.is_projected):
            return None
        metric = _central_metric(transform, flat, width / 2, height / 2 if y is None else y)
    except ProjError:
        return None
    true = None if metric is None else math.sqrt(pixel_areas(metric)[0])
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

    Pixels in degrees are never square on the ground. Measured on the ellipsoid; None as for
    `ground_sample_distance`.
    """
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    try:
        flat = horizontal(CRS.from_user_input(crs))
        if not (flat.is_geographic or flat.is_projected):
            return None
        metric = _central_metric(transform, flat, width / 2, height / 2)
    except ProjError:
        return None
    if metric is None:
        return None
    return math.sqrt(metric[0, 0, 0]), math.sqrt(metric[0, 1, 1])


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
        return side < _MIN_PIXEL
    try:
        known = horizontal(CRS.from_user_input(crs))
        if not known.is_projected:
            return False
        area = known.area_of_use
        if side < _MIN_PIXEL or area is None or area.west > area.east:
            return side < _MIN_PIXEL
        to_degrees = Transformer.from_crs(known, "EPSG:4326", always_xy=True)
        lon, lat = to_degrees.transform(x.mean(), y.mean())
    except ProjError:
        return False
    return not (area.west - 1 <= lon <= area.east + 1 and area.south - 1 <= lat <= area.north + 1)


def _central_metric(transform: Affine, crs: CRS, x: float, y: float) -> NDArray[np.float64] | None:
    """Return the metric of the pixel centred on (x, y), (1, 2, 2); None where it has no ground."""
    globe = Globe.of(transform, crs)
    if globe is None:
        return None
    place = np.array([x]), np.array([y])
    metric = globe.metrics(*place, 0.5)
    side = math.sqrt(pixel_areas(metric)[0])
    if 0 < side < _MIN_SPAN:
        # Rounding of coordinates is nanometres, which small pixels feel.
        metric = globe.metrics(*place, _MIN_SPAN / side / 2)
    return metric if np.isfinite(metric).all() and pixel_areas(metric)[0] > 0 else None
