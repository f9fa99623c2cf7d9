"""Where a scene and its truth lie, and how far they overlap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.scene.globe import full_circle
from rsam_core.scene.longitudes import wrap_longitudes_near

if TYPE_CHECKING:
    from affine import Affine


@dataclass(frozen=True)
class Place:
    """Size and georeference of an image.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    crs : str, optional
        Coordinate reference system.
    transform : affine.Affine, optional
        Pixel to map.
    name : str
        What the user calls it.
    """

    shape: tuple[int, int]
    crs: str | None = None
    transform: Affine | None = None
    name: str = "image"

    @classmethod
    def of(cls, scene_or_shape: Any) -> Place:
        """Place of a scene, or of an image of (height, width) that lies nowhere."""
        if hasattr(scene_or_shape, "transform"):
            scene = scene_or_shape
            return cls((scene.height, scene.width), scene.crs, scene.transform, scene.name)
        height, width = scene_or_shape
        return cls((int(height), int(width)))

    @property
    def crs_name(self) -> str:
        """Short name of the coordinate system, for messages."""
        if not self.crs:
            return "none"
        if len(self.crs) <= 20:
            return self.crs
        from pyproj import CRS
        from pyproj.exceptions import CRSError

        try:
            return CRS.from_user_input(self.crs).name
        except CRSError:
            return "unnamed"


def outline(place: Place) -> NDArray[np.float64]:
    """Points along the edge of an image in its map coordinates, (N, 2), closed.

    Many points, because a straight edge is curved in another coordinate system.
    """
    height, width = place.shape
    steps = np.linspace(0, 1, 33)
    x = np.concatenate([steps, np.ones(33), steps[::-1], np.zeros(33)]) * width
    y = np.concatenate([np.zeros(33), steps, np.ones(33), steps[::-1]]) * height
    return to_map(np.stack([x, y], axis=1), place)


def footprint(own: Place, place: Place) -> NDArray[np.bool_]:
    """Return which pixels of a scene another image covers, (H, W)."""
    from rasterio.features import rasterize

    points = to_pixels(beside(converted(outline(own), own.crs, place.crs), place), place)
    if not np.isfinite(points).all():
        return np.zeros(place.shape, dtype=bool)
    polygon = {"type": "Polygon", "coordinates": [points.tolist()]}
    return rasterize([(polygon, 1)], out_shape=place.shape, dtype="uint8").astype(bool)


def converted(
    points: NDArray[np.float64], source: str | None, target: str | None
) -> NDArray[np.float64]:
    """Convert map coordinates, shape (N, 2), from one coordinate system to another.

    Points beyond the reach of a system become infinite. Without both systems they stay.
    """
    if source is None or target is None or same_system(source, target):
        return points
    from pyproj import Transformer
    from pyproj.exceptions import CRSError, ProjError

    try:
        transformer = Transformer.from_crs(source, target, always_xy=True)
        return np.stack(transformer.transform(*points.T), axis=1)
    except (CRSError, ProjError) as error:
        raise MetricError(
            f"Coordinates cannot be converted between {source} and {target}. Save the truth in "
            "the coordinate system of the image."
        ) from error


@lru_cache(maxsize=256)
def same_system(first: str | None, second: str | None) -> bool:
    """Whether two texts mean the same coordinate system, however they write it."""
    if first is None or second is None or first == second:
        return first == second
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    try:
        one, other = CRS.from_user_input(first), CRS.from_user_input(second)
        if one.equals(other, ignore_axis_order=True):
            return True
        code = one.to_epsg(min_confidence=90)
        return code is not None and code == other.to_epsg(min_confidence=90)
    except ProjError:
        return False


@lru_cache(maxsize=256)
def circle_of(crs: str | None) -> float | None:
    """Units of longitude in a full circle; None where a system does not count in degrees."""
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    try:
        return full_circle(CRS.from_user_input(crs)) if crs else None
    except ProjError:
        return None


def middle_of(place: Place) -> float:
    """First coordinate of the middle of an image on its map."""
    height, width = place.shape
    return float(to_map(np.array([[width / 2, height / 2]]), place)[0, 0])


def beside(points: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """Move points (N, 2) that belong together around the globe, to where an image lies.

    Longitudes of −170 and 190 are the same. Where the image's map is none of degrees, and
    where points are infinite, they stay.
    """
    circle = circle_of(place.crs)
    if circle is None or not np.isfinite(points).all():
        return points
    middle = (points[:, 0].min() + points[:, 0].max()) / 2
    shift = wrap_longitudes_near(middle, middle_of(place), circle) - middle
    return points + np.array([float(shift), 0.0])


def to_pixels(points: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """Convert map coordinates of an image to its pixels, shape (N, 2)."""
    return _moved(points, ~place.transform)


def to_map(points: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """Convert pixels of an image to its map coordinates, shape (N, 2)."""
    return _moved(points, place.transform)


def _moved(points: NDArray[np.float64], t: Affine) -> NDArray[np.float64]:
    x, y = points.T
    # What lies beyond the reach of a coordinate system is infinite.
    with np.errstate(invalid="ignore", over="ignore"):
        return np.stack([t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f], axis=1)


def where_text(own: Place, place: Place) -> str:
    """Say where the centres of truth and scene lie, for a message."""
    here, there = (_centre(p) for p in (place, own))
    return f"The image lies near {here}, the truth near {there}."


def _centre(place: Place) -> str:
    points = outline(place)
    middle = (points.min(axis=0) + points.max(axis=0))[None] / 2
    return describe_point(middle, place.crs)


def describe_point(point: NDArray[np.float64], crs: str | None) -> str:
    """Describe a point, shape (1, 2), in longitude and latitude where that is possible."""
    lonlat = converted(point, crs, "EPSG:4326") if crs else None
    if lonlat is None or not np.isfinite(lonlat).all():
        return f"({point[0, 0]:,.0f}, {point[0, 1]:,.0f})"
    return f"longitude {lonlat[0, 0]:.4f}, latitude {lonlat[0, 1]:.4f}"


def share_text(mask: NDArray[np.bool_]) -> str:
    """Share of a mask in percent, never rounded to 0 or 100 % unless it is just that."""
    share = 100 * float(mask.mean())
    if 0 < share < 1:
        return "less than 1 %"
    if 99 < share < 100:
        return "more than 99 %"
    return f"{share:.0f} %"
