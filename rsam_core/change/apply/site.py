"""The ground of a scene as a plane in metres, in which areas and distances are true.

Of a scene on a map it is Lambert's azimuthal equal-area projection about the middle of the scene,
on the ellipsoid of the scene's own datum: areas are those on the ellipsoid, and distances are true
to r² / 8R² at r from the middle (8 millimetres in a kilometre 50 km away, R being the radius of the
Earth). Without a map it is pixels times the typed ground sample distance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import ApplyError
from rsam_core.formats.placement import Place
from rsam_core.scene.globe import horizontal
from rsam_core.scene.ground_distance import ground_sample_distance

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Shapes = NDArray[np.object_]
"""Shapely geometries, shape (N,)."""
_Move = Callable[[NDArray[np.float64]], NDArray[np.float64]]

NO_SCALE = (
    "The size of a pixel on the ground is not known, so nothing can be measured in metres. Type "
    "the ground sample distance, or open the georeferenced image (GeoTIFF, or a picture with its "
    "world file)."
)


@dataclass(frozen=True, eq=False)
class Site:
    """Where a scene lies, and the way from its pixels to the plane and back.

    Attributes
    ----------
    place : Place
        Size and georeference in pixels.
    gsd : float
        Metres a pixel at the middle.
    placed : bool
        Whether the plane lies on a map, so that results can be placed on Earth.
    attribution : str
        Whom the scene names as its source.
    """

    place: Place
    gsd: float
    placed: bool
    attribution: str = ""
    _forward: _Move = field(default=lambda xy: xy, repr=False)
    _back: _Move = field(default=lambda xy: xy, repr=False)

    @classmethod
    def of(cls, scene: Any) -> Site:
        """The site of a scene.

        Parameters
        ----------
        scene : Scene or Picture
            Anything with `name`, `width`, `height`, `crs`, `transform` and `gsd`.

        Raises
        ------
        ApplyError
            If the size of its pixels is not known.
        """
        place, gsd = Place.of(scene), getattr(scene, "gsd", None)
        if not gsd:
            raise ApplyError(NO_SCALE)
        attribution = str(getattr(scene, "attribution", "") or "")
        ways = _on_map(place, float(gsd))
        if ways is not None:
            return cls(place, float(gsd), True, attribution, *ways)

        def forward(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            return xy * np.array([gsd, -gsd])

        def back(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            return xy / np.array([gsd, -gsd])

        return cls(place, float(gsd), False, attribution, forward, back)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the scene in pixels."""
        return self.place.shape

    def plane(self, shapes: ArrayLike) -> Shapes:
        """Shapes in scene pixels on the plane, in metres, y up."""
        return _moved(shapes, self._forward)

    def pixels(self, shapes: ArrayLike) -> Shapes:
        """Shapes of the plane in scene pixels."""
        return _moved(shapes, self._back)

    @property
    def extent(self) -> BaseGeometry:
        """What the scene shows, on the plane."""
        import shapely

        height, width = self.place.shape
        # Straight edges of the picture are slightly curved on the plane.
        frame = shapely.segmentize(shapely.box(0, 0, width, height), max(width, height) / 16)
        return self.plane([frame])[0]

    @property
    def area(self) -> float:
        """Square metres that the scene shows."""
        return float(self.extent.area)


def _moved(shapes: ArrayLike, move: _Move) -> Shapes:
    import shapely

    given = list(shapes)  # type: ignore[arg-type]
    array = np.empty(len(given), dtype=object)
    array[:] = given
    return shapely.transform(array, move) if len(array) else array


def _on_map(place: Place, gsd: float) -> tuple[_Move, _Move] | None:
    """From pixels to the plane and back; None where no map says where the pixels lie."""
    from pyproj import CRS, Transformer
    from pyproj.crs import ProjectedCRS
    from pyproj.crs.coordinate_operation import LambertAzimuthalEqualAreaConversion
    from pyproj.exceptions import ProjError

    t = place.transform
    if t is None or not place.crs:
        return None
    height, width = place.shape
    try:
        nominal = ground_sample_distance(t, place.crs, width, height)
        # Who typed another size of pixels than the map's means square pixels of that size.
        if nominal is None or not math.isclose(nominal, gsd, rel_tol=1e-6):
            return None
        crs = horizontal(CRS.from_user_input(place.crs))
        base = crs.geodetic_crs
        if base is None:
            return None
        middle = t @ (width / 2, height / 2)
        lon, lat = Transformer.from_crs(crs, base, always_xy=True).transform(*middle)
        turn = math.degrees(base.axis_info[0].unit_conversion_factor)
        if not (math.isfinite(lon) and math.isfinite(lat)):
            return None
        flat = ProjectedCRS(LambertAzimuthalEqualAreaConversion(lat * turn, lon * turn),
                            geodetic_crs=base)  # fmt: skip
        there = Transformer.from_crs(crs, flat, always_xy=True)
        home = Transformer.from_crs(flat, crs, always_xy=True)
    except ProjError:
        return None
    inverse = ~t
    origin = np.array(middle)

    def forward(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = xy.T
        return np.stack(there.transform(t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f), axis=1)

    def back(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        mx, my = home.transform(*xy.T)
        if crs.is_geographic:
            # Longitudes by the names that the scene's own map uses.
            circle = 360.0 / turn
            mx = mx - circle * np.round((mx - origin[0]) / circle)
        i = inverse
        return np.stack((i.a * mx + i.b * my + i.c, i.d * mx + i.e * my + i.f), axis=1)

    return forward, back
