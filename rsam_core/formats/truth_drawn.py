"""Outlines that were drawn on a canvas in the browser, in scene pixels.

The canvas hands back Fabric.js objects: a polygon has its corners as they were clicked, and, if it
was moved, enlarged or turned as a whole afterwards, a place, scale and angle to apply to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError


def drawn_polygons(
    drawing: Mapping[str, Any] | None, scale: float = 1.0
) -> list[NDArray[np.float64]]:
    """Return the closed outlines of a drawing.

    Parameters
    ----------
    drawing : mapping or None
        The canvas's JSON, with a list ``"objects"``; None while nothing was drawn. Kinds of
        objects other than polygons are ignored.
    scale : float
        Scene pixels a canvas pixel.

    Returns
    -------
    list of ndarray of float64, shape (N, 2)
        Corners x, y of each in scene pixels.

    Raises
    ------
    MetricError
        If the drawing is damaged.
    """
    found = []
    for item in (drawing or {}).get("objects") or ():
        if str(item.get("type", "")).lower() != "polygon":
            continue
        try:
            corners = _corners(item)
        except (KeyError, TypeError, ValueError) as error:
            raise MetricError(
                "The drawing could not be read. Clear the canvas and draw again."
            ) from error
        if len(corners) >= 3:
            found.append(corners * scale)
    return found


def _corners(item: Mapping[str, Any]) -> NDArray[np.float64]:
    """Corners of a polygon in canvas pixels, as they are shown."""
    points = np.array([(point["x"], point["y"]) for point in item["points"]], dtype=float)
    points = points.reshape(-1, 2)
    if not len(points):
        return points
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    shape = (points - middle) * (float(item.get("scaleX", 1)), float(item.get("scaleY", 1)))
    angle = math.radians(float(item.get("angle", 0)))
    cos, sin = math.cos(angle), math.sin(angle)
    turned = shape @ np.array([(cos, sin), (-sin, cos)])
    place = np.array([float(item["left"]), float(item["top"])])
    if item.get("originX", "left") != "center":
        # The place is then that of the top-left corner of its box, the line's half width included.
        half = float(item.get("strokeWidth", 0)) / 2
        place = place + half - turned.min(axis=0)
    found = turned + place
    if not np.isfinite(found).all():
        raise ValueError("not a place")
    return found
