"""What was painted on a drawing canvas, as a mask.

The canvas hands back Fabric.js objects: a free stroke is a ``Path`` of quadratic curves with a
stroke width; a polygon is a ``Polygon`` with points, or a path that ends with ``z``. Points are
pixels of the canvas as they were drawn; an object that was moved, stretched or turned afterwards
keeps its points, and says by its centre, scale and angle where it lies now.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import RefineError
from rsam_core.objects.instance import Mask
from rsam_core.objects.refine.outline import rasterise

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_CURVE_STEPS = 6
_DAMAGED = "The drawing could not be read. Clear the canvas and draw again."


def painted_mask(
    drawing: Mapping[str, Any] | None, shape: tuple[int, int], scale: float = 1.0
) -> Mask:
    """Return the pixels that the strokes and polygons of a drawing cover.

    Parameters
    ----------
    drawing : mapping or None
        The canvas's JSON, with a list ``"objects"``; None while nothing was drawn. Kinds of
        objects other than paths and polygons are ignored.
    shape : (int, int)
        Height and width of the mask: the part of the scene that the canvas shows.
    scale : float
        Canvas pixels a scene pixel.

    Returns
    -------
    ndarray of bool, shape `shape`
        True where the centre of the pixel is covered.

    Raises
    ------
    RefineError
        If the scale is not positive, or a path is damaged.
    """
    import shapely

    if not (math.isfinite(scale) and scale > 0):
        raise RefineError(f"The scale of a canvas must be above 0, not {scale!r}.")
    mask = np.zeros(shape, dtype=bool)
    for item in (drawing or {}).get("objects") or ():
        kind = str(item.get("type", "")).lower()
        if kind == "polygon" and item.get("points"):
            commands = _commands(item["points"])
        elif kind == "path" and item.get("path"):
            commands = item["path"]
        else:
            continue
        area = _covered(item, *path_points(commands))
        if not area.is_empty:
            # Strokes and polygons may overlap: their union is wanted, not their parity.
            mask |= rasterise(shapely.transform(area, lambda xy: xy / scale), shape)
    return mask


def _commands(points: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Return the corners of a polygon as commands of a closed path."""
    corners = [["L", point.get("x"), point.get("y")] for point in points]
    corners[0][0] = "M"
    return [*corners, ["z"]]


def _covered(item: Mapping[str, Any], points: NDArray[np.float64], closed: bool) -> BaseGeometry:
    """Return the area of one object, in canvas pixels."""
    import shapely

    points, growth = _placed(item, points)
    if closed:
        return shapely.make_valid(shapely.Polygon(points)) if len(points) > 2 else shapely.Point()
    width = max(_number(item, "strokeWidth", 1.0) * growth, 1.0)
    line = shapely.LineString(points) if len(points) > 1 else shapely.Point(points[0])
    return line.buffer(width / 2)


def _placed(
    item: Mapping[str, Any], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return the points where the object lies now, and how much wider its strokes are."""
    if item.get("originX") != "center" or item.get("originY") != "center":
        return points, 1.0
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    across = _number(item, "scaleX", 1.0) * (-1 if item.get("flipX") else 1)
    down = _number(item, "scaleY", 1.0) * (-1 if item.get("flipY") else 1)
    angle = math.radians(_number(item, "angle", 0.0))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    here = (_number(item, "left", middle[0]), _number(item, "top", middle[1]))
    return (points - middle) * (across, down) @ turn + here, math.sqrt(abs(across * down))


def _number(item: Mapping[str, Any], name: str, default: float) -> float:
    value = item.get(name)
    if value is None:
        return float(default)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RefineError(_DAMAGED)
    return float(value)


def path_points(commands: Iterable[Iterable[Any]]) -> tuple[NDArray[np.float64], bool]:
    """Return the points along a path, and whether it is closed.

    Parameters
    ----------
    commands : iterable
        As in SVG, absolute: ``["M", x, y]``, ``["L", x, y]``, ``["Q", cx, cy, x, y]``,
        ``["z"]``.

    Returns
    -------
    points : ndarray of float, shape (N, 2)
        Curves are cut into short lines.
    closed : bool

    Raises
    ------
    RefineError
        If a command is not one of these, or the path does not begin with ``"M"``.
    """
    points: list[tuple[float, float]] = []
    closed = False
    for name, *values in commands:
        try:
            numbers = [float(value) for value in values]
        except (TypeError, ValueError):
            numbers = [math.nan]
        if name in ("z", "Z"):
            closed = True
            continue
        if name not in _LENGTHS or len(numbers) != _LENGTHS[name] or not np.isfinite(numbers).all():
            raise RefineError(_DAMAGED)
        if name == "M" and points:
            break  # a path of one stroke or polygon has one beginning
        if name == "Q" and points:
            start, control, end = (np.array(p) for p in (points[-1], numbers[:2], numbers[2:]))
            for t in np.linspace(0, 1, _CURVE_STEPS + 1)[1:]:
                place = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
                points.append((float(place[0]), float(place[1])))
        else:
            points.append((numbers[-2], numbers[-1]))
    if not points:
        raise RefineError(_DAMAGED)
    return np.array(points), closed


_LENGTHS = {"M": 2, "L": 2, "Q": 4}
