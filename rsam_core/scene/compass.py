"""Where places of a scene lie on Earth, coarsely and quickly, and where north is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.scene.longitudes import wrap_longitudes_near

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene

SIDE = 5
"""Places along each side of the grid."""


@dataclass(frozen=True)
class Compass:
    """Positions for display.

    Attributes
    ----------
    grid : tuple of (float, float)
        Longitude and latitude (WGS 84, degrees) of `SIDE` × `SIDE` places spread evenly over the
        scene, edges included, row by row. Longitudes run on beyond ±180 within a scene.
    north : float
        Direction of north in the picture, in degrees clockwise from the top, at its centre.
    """

    grid: tuple[tuple[float, float], ...]
    north: float


def compass_of(scene: Scene) -> Compass | None:
    """Say where a scene lies.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    Compass or None
        None where the scene has no place on Earth, or reaches beyond the map.
    """
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    if scene.transform is None or scene.crs is None:
        return None
    across = np.linspace(0, scene.width, SIDE)
    down = np.linspace(0, scene.height, SIDE)
    x, y = (values.ravel() for values in np.meshgrid(across, down))
    middle = scene.width / 2, scene.height / 2
    # A pixel to the right and one down from the centre tell the directions.
    x = np.append(x, [middle[0], middle[0] + 1, middle[0]])
    y = np.append(y, [middle[1], middle[1], middle[1] + 1])
    try:
        project = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True).transform
        lon, lat = project(*scene.pixel_to_map(x, y))
    except ProjError:
        return None
    if not (np.isfinite(lon).all() and np.isfinite(lat).all() and (np.abs(lat) <= 90).all()):
        return None
    lon = wrap_longitudes_near(lon, lon[-3])
    east = (lon[-2:] - lon[-3]) * math.cos(math.radians(lat[-3]))
    steps = np.array([east, lat[-2:] - lat[-3]])
    if abs(np.linalg.det(steps)) < 1e-18:
        return None
    right, below = np.linalg.solve(steps, [0.0, 1.0])
    return Compass(
        tuple((float(a), float(b)) for a, b in zip(lon[:-3], lat[:-3])),
        math.degrees(math.atan2(right, -below)) % 360,
    )
