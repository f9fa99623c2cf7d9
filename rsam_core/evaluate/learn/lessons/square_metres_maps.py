"""The same football pitch at any latitude in three map projections, and its area in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace

import cv2
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from rsam_core.objects.ground_sizes import ground_areas
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import N_
from rsam_core.scene.ground_distance import ground_sample_distance
from rsam_core.scene.ground_scale import ground_of

LENGTH, WIDTH = 105.0, 68.0
"""Of a football pitch, in metres."""
PROJECTIONS = {
    "mercator": (N_("Web Mercator"), "EPSG:3857"),
    "utm": (N_("UTM"), "EPSG:32632"),
    "equal": (N_("Equal-area"), "EPSG:6933"),
}
"""Name of each map projection, and its number in the EPSG register."""
LATITUDES = 0, 70
"""Between which pitches can lie, in degrees north."""
_LONGITUDE = 9.0
"""The middle of UTM zone 32."""
_PIXEL = 0.75
_CANVAS = 640, 400
_GRID = 100
"""Map metres between the lines."""
_DRAWN = 0.25
_EDGE = 6.0
"""Metres a pixel of the drawn pitch, and of grass around it."""


@dataclass(frozen=True, eq=False)
class OnMap:
    """A pitch on a map.

    Attributes
    ----------
    corners : (4, 2) ndarray of float
        Map coordinates in metres from the middle of the pitch, north-west first, clockwise.
    map_area : float
        Square metres by the map's coordinates.
    ground_area : float
        Square metres on the ellipsoid, by the geodesics between the corners.
    measured : float
        Square metres that RSAM measures from the map's pixels.
    metre : float
        Metres on the ground, at the middle, of one metre of the map, on average of the directions.
    mask : (400, 640) ndarray of bool
        The map's pixels in the pitch.
    """

    corners: NDArray[np.float64] = field(repr=False)
    map_area: float
    ground_area: float
    measured: float
    metre: float
    mask: NDArray[np.bool_] = field(repr=False)

    @property
    def ratio(self) -> float:
        """The area on the map in areas on the ground."""
        return self.map_area / self.ground_area


@lru_cache(maxsize=256)
def on_map(projection: str, latitude: float) -> OnMap:
    """Put a pitch of 105 × 68 m around a latitude onto a map.

    Parameters
    ----------
    projection : str
        A key of `PROJECTIONS`.
    latitude : float
        Degrees north.
    """
    import shapely
    from pyproj import Geod, Transformer

    crs = PROJECTIONS[projection][1]
    geod = Geod(ellps="WGS84")
    east = np.array([-1, 1, 1, -1]) * LENGTH / 2
    north = np.array([1, 1, -1, -1]) * WIDTH / 2
    lon, lat, _ = geod.fwd(
        np.full(4, _LONGITUDE), np.full(4, float(latitude)),
        np.degrees(np.arctan2(east, north)), np.hypot(east, north),
    )  # fmt: skip
    way = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    middle = np.array(way.transform(_LONGITUDE, float(latitude)))
    corners = np.column_stack(way.transform(lon, lat)) - middle
    ground_area = abs(geod.polygon_area_perimeter(lon, lat)[0])
    shape = shapely.Polygon(corners)
    width, height = _CANVAS
    x = (np.arange(width) + 0.5 - width / 2) * _PIXEL
    y = (height / 2 - np.arange(height) - 0.5) * _PIXEL
    left, bottom, right, top = shape.bounds
    mask = np.zeros((height, width), bool)
    rows, columns = (y > bottom) & (y < top), (x > left) & (x < right)
    grid = np.meshgrid(x[columns], y[rows])
    mask[np.ix_(rows, columns)] = shapely.contains_xy(shape, *grid)
    transform = Affine(
        _PIXEL, 0, middle[0] - width / 2 * _PIXEL, 0, -_PIXEL, middle[1] + height / 2 * _PIXEL
    )
    gsd = ground_sample_distance(transform, crs, width, height)
    scene = SimpleNamespace(gsd=gsd, transform=transform, crs=crs, width=width, height=height)
    one = Instances([Instance(mask)], mask.shape)
    measured = float(ground_areas(one, ground_of(scene))[0])
    return OnMap(corners, float(shape.area), float(ground_area), measured, gsd / _PIXEL, mask)


@lru_cache(maxsize=64)
def picture(projection: str, latitude: float) -> NDArray[np.uint8]:
    """The map with a line every 100 map metres, and the pitch on it, (400, 640, 3)."""
    width, height = _CANVAS
    shown = np.full((height, width, 3), (238, 236, 226), np.uint8)
    pitch = _pitch()
    edge = _EDGE / _DRAWN
    high, wide = pitch.shape[:2]
    drawn = np.array(
        [[edge, edge], [wide - edge, edge], [wide - edge, high - edge], [edge, high - edge]]
    )
    corners = on_map(projection, latitude).corners
    target = corners * [1, -1] / _PIXEL + [width / 2, height / 2]
    # Over so short a way the four corners tell all that the map does to the shape.
    way = cv2.getPerspectiveTransform(drawn.astype(np.float32), target.astype(np.float32))
    moved = cv2.warpPerspective(pitch, way, (width, height), flags=cv2.INTER_AREA)
    there = cv2.warpPerspective(np.full((high, wide), 255, np.uint8), way, (width, height))
    share = there[..., None] / 255.0
    shown = np.round(share * moved + (1 - share) * shown).astype(np.uint8)
    step = _GRID / _PIXEL
    for start, count, axis in ((width / 2, width, 1), (height / 2, height, 0)):
        for at in np.arange(start % step, count, step):
            line = [slice(None), slice(None)]
            line[axis] = slice(round(at), round(at) + 1)
            shown[tuple(line)] = shown[tuple(line)] // 2 + 60
    return shown


def grid_corner() -> tuple[float, float, float]:
    """Where the first whole square of the grid begins, x and y, and its side, in pixels."""
    step = _GRID / _PIXEL
    width, height = _CANVAS
    return (width / 2) % step, (height / 2) % step, step


@lru_cache(maxsize=1)
def _pitch() -> NDArray[np.uint8]:
    """A football pitch with its lines, and a little grass around it."""
    size = [round((side + 2 * _EDGE) / _DRAWN) for side in (WIDTH, LENGTH)]
    drawn = np.full((*size, 3), (86, 140, 62), np.uint8)
    stripe = round(LENGTH / 14 / _DRAWN)
    for number in range(0, 16, 2):
        drawn[:, number * stripe : (number + 1) * stripe] = (96, 152, 70)

    def at(x: float, y: float) -> tuple[int, int]:
        return round((x + _EDGE) / _DRAWN), round((y + _EDGE) / _DRAWN)

    white, thick = (245, 247, 240), 3
    middle = WIDTH / 2
    cv2.rectangle(drawn, at(0, 0), at(LENGTH, WIDTH), white, thick, cv2.LINE_AA)
    cv2.line(drawn, at(LENGTH / 2, 0), at(LENGTH / 2, WIDTH), white, thick, cv2.LINE_AA)
    centre = at(LENGTH / 2, middle)
    cv2.circle(drawn, centre, round(9.15 / _DRAWN), white, thick, cv2.LINE_AA)
    for half, deep in ((20.16, 16.5), (9.16, 5.5)):
        for start, end in ((0.0, deep), (LENGTH - deep, LENGTH)):
            corners = at(start, middle - half), at(end, middle + half)
            cv2.rectangle(drawn, *corners, white, thick, cv2.LINE_AA)
    return drawn
