"""Longitude is a circle: bringing longitudes together, and cutting outlines at the 180th meridian.

The same meridian is called 190, −170 and 550 degrees. Outlines are worked on in a plane in which
longitude runs on without a jump, and are cut where they leave the range from −180 to 180.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

Convert = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From places on a map (N, 2) to longitude and latitude in degrees (N, 2)."""

_MAX_EDGE = 1.0
"""Degrees of longitude between two corners of an outline. An edge that is straight on one map is
curved on another, and one across half of the globe could run either way around it."""
_GRID = 1e-9
"""Degrees to which corners are rounded where outlines are cut and joined: a tenth of a
millimetre. Without it, slits of no width would stay open."""
_AT_POLE = 1e-7
"""Degrees from a pole (a centimetre) within which longitude means nothing."""


def wrap_longitudes_near(
    lon: ArrayLike, reference: ArrayLike, period: float = 360.0
) -> NDArray[np.float64]:
    """Return longitudes by the names that lie nearest to a reference.

    Parameters
    ----------
    lon, reference : array_like of float
        Degrees, or another unit of which a full circle has `period`; they are broadcast.
        Infinite ones stay as they are.

    Returns
    -------
    ndarray of float64
        Each within half a circle of the reference: −170 near 185 is 190.
    """
    lon, reference = np.asarray(lon, float), np.asarray(reference, float)
    with np.errstate(invalid="ignore"):
        turns = np.round((reference - lon) / period)
    return lon + period * np.where(np.isfinite(turns), turns, 0.0)


def shapes_near(
    shapes: NDArray[np.object_], reference: float, period: float = 360.0
) -> NDArray[np.object_]:
    """Move outlines around the circle to where they lie nearest to a longitude.

    Parameters
    ----------
    shapes : ndarray of shapely geometries, shape (N,)
        Longitude and latitude.
    reference : float
        Longitude. The parts of an outline are moved one by one, so that what was cut at the 180th
        meridian comes together again.
    period : float
        A full circle.
    """
    import shapely

    bounds = shapely.bounds(shapes).reshape(-1, 4)
    far = np.abs(bounds[:, [0, 2]] - reference).max(axis=1) > period / 2
    result = shapes.copy()
    for index in np.flatnonzero(far & np.isfinite(bounds).all(axis=1)).tolist():
        parts = shapely.get_parts(shapes[index])
        boxes = shapely.bounds(parts)
        middles = (boxes[:, 0] + boxes[:, 2]) / 2
        shifts = wrap_longitudes_near(middles, reference, period) - middles
        if shifts.any():
            moved = [_moved(part, float(shift)) for part, shift in zip(parts, shifts)]
            result[index] = moved[0] if len(moved) == 1 else shapely.union_all(moved)
    return result


def cut_longitudes(shapes: NDArray[np.object_], period: float = 360.0) -> NDArray[np.object_]:
    """Bring outlines whose longitudes run on beyond 180 back into the range, cut where need be.

    Parameters
    ----------
    shapes : ndarray of shapely.Polygon or shapely.MultiPolygon, shape (N,)
        Longitude and latitude; longitude never jumps.
    period : float
        A full circle.

    Returns
    -------
    ndarray
        The same outlines between −180 and 180. What crosses the 180th meridian consists of a
        piece on each side of it, as RFC 7946 (3.1.9) wants.
    """
    import shapely

    half = period / 2
    result = shapes.copy()
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    for index in np.flatnonzero((bounds[:, 0] < -half) | (bounds[:, 2] > half)).tolist():
        result[index] = _in_range(shapes[index], period)
    return result


def project_outlines(shapes: NDArray[np.object_], convert: Convert) -> NDArray[np.object_]:
    """Convert outlines from a projected map to longitude and latitude, cut at the 180th meridian.

    Parameters
    ----------
    shapes : ndarray of shapely.Polygon or shapely.MultiPolygon, shape (N,)
        In map coordinates.
    convert : callable
        Where places of the map are.

    Returns
    -------
    ndarray
        Outlines between −180 and 180. One around a pole reaches up to the pole.
    """
    import shapely

    if not len(shapes):
        return shapes
    result = shapely.transform(shapes, convert)
    bounds = shapely.bounds(result).reshape(-1, 4)
    wide = bounds[:, 2] - bounds[:, 0] > _MAX_EDGE
    polar = np.abs(bounds[:, [1, 3]]).max(axis=1) > 90 - _MAX_EDGE
    known = np.isfinite(bounds).all(axis=1)
    for index in np.flatnonzero((wide | polar) & known).tolist():
        pieces = shapely.get_parts(shapes[index])
        flat = [_flattened(piece, convert) for piece in pieces]
        result[index] = _in_range(shapely.union_all(flat, grid_size=_GRID))
    return result


def _flattened(polygon: BaseGeometry, convert: Convert) -> BaseGeometry:
    """Return a polygon of a map in a plane in which longitude never jumps."""
    import shapely

    outer, around = _ring(shapely.get_exterior_ring(polygon), convert)
    holes = [_ring(ring, convert) for ring in polygon.interiors]
    low, _, high, _ = outer.bounds
    for hole, hole_around in holes:
        left, _, right, _ = hole.bounds
        if around or hole_around:
            # Both may begin anywhere on the circle.
            turns = [360 * turn for turn in (-1, 0, 1)]
            outer = _without(outer, [_moved(hole, turn) for turn in turns])
            continue
        middle = float(wrap_longitudes_near((left + right) / 2, (low + high) / 2))
        outer = _without(outer, [_moved(hole, middle - (left + right) / 2)])
    return outer


def _without(outer: BaseGeometry, holes: list[BaseGeometry]) -> BaseGeometry:
    import shapely

    return shapely.difference(outer, shapely.union_all(holes, grid_size=_GRID), grid_size=_GRID)


def _moved(shape: BaseGeometry, by: float) -> BaseGeometry:
    import shapely

    return shapely.transform(shape, lambda xy: xy + np.array([by, 0.0])) if by else shape


def _ring(ring: BaseGeometry, convert: Convert) -> tuple[BaseGeometry, bool]:
    """Return what a ring of a map encloses, and whether that holds a pole."""
    import shapely

    lonlat = _fine(ring, convert)[:-1]
    at_pole = np.abs(lonlat[:, 1]) > 90 - _AT_POLE
    around = False
    if at_pole.any() and not at_pole.all():
        first = int(np.flatnonzero(at_pole)[0])
        lonlat, at_pole = np.roll(lonlat, -first, axis=0), np.roll(at_pole, -first)
        pole = lonlat[0, 1]
        chain = lonlat[~at_pole]
    else:
        chain, pole = np.concatenate([lonlat, lonlat[:1]]), 90.0 * np.sign(lonlat[:, 1].mean())
    lon = np.unwrap(chain[:, 0], period=360)
    chain = np.column_stack([lon, chain[:, 1]])
    if at_pole.any() or abs(lon[-1] - lon[0]) > 180:
        around = True
        chain = np.concatenate([chain, [(lon[-1], pole), (lon[0], pole)]])
    shape = shapely.Polygon(chain)
    if not shape.is_valid:
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    return shape, around


def _fine(ring: BaseGeometry, convert: Convert) -> NDArray[np.float64]:
    """Return longitudes and latitudes of a ring with corners so close that edges are short."""
    import shapely

    length = ring.length
    for finer in (0, 64, 512, 4096):
        some = shapely.segmentize(ring, length / finer) if finer else ring
        lonlat = convert(shapely.get_coordinates(some))
        steps = np.diff(np.unwrap(lonlat[:, 0], period=360))
        polar = np.abs(lonlat[:, 1]) > 90 - _AT_POLE
        steps[polar[1:] | polar[:-1]] = 0
        # Near a pole a short edge crosses many meridians: then it must be short itself.
        if np.abs(steps).max(initial=0.0) <= _MAX_EDGE:
            break
    return lonlat


def _in_range(shape: BaseGeometry, period: float = 360.0) -> BaseGeometry:
    """Cut an outline at the 180th meridian and bring its pieces between −180 and 180."""
    import shapely

    half = period / 2
    low, bottom, high, top = shape.bounds
    pieces = []
    for turn in range(int(np.floor((low + half) / period)), int(np.ceil((high + half) / period))):
        left = turn * period - half
        piece = shape
        if low < left or high > left + period:
            piece = shapely.intersection(shape, shapely.box(left, bottom, left + period, top))
        moved = shapely.transform(piece, lambda xy, turn=turn: xy - (turn * period, 0))
        pieces += [part for part in shapely.get_parts(moved) if part.area > 0]
    if len(pieces) < 2:
        return pieces[0] if pieces else shape
    joined = shapely.union_all(pieces, grid_size=_GRID)
    parts = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts) if len(parts) > 1 else parts[0]
