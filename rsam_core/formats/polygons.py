"""Outlines of objects as polygons: exact along the pixels, or simplified; placed on a map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ExportError
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import measure
from rsam_core.objects.refine.outline import trace
from rsam_core.scene.globe import full_circle
from rsam_core.scene.longitudes import cut_longitudes, project_outlines, wrap_longitudes_near

if TYPE_CHECKING:
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

WGS84 = "EPSG:4326"

_TRIES = 4
_CLOSE = 1e-4
"""By which share the area of a simplified outline may differ from that of its mask."""


@dataclass(frozen=True)
class OutlineSettings:
    """How closely outlines follow the pixels.

    Parameters
    ----------
    tolerance : float
        About how far a simplified outline may stray from the exact one; 0 keeps every corner.
        One pixel removes the steps of slanting edges, and with them most of the vertices.
    unit : {"px", "m"}
        Unit of the tolerance.

    Raises
    ------
    ExportError
        If the tolerance is negative or no number, or the unit is another one.
    """

    tolerance: float = 0.0
    unit: Literal["px", "m"] = "px"

    def __post_init__(self) -> None:
        if self.unit not in ("px", "m"):
            raise ExportError(f"Outlines are simplified in px or m, not in {self.unit!r}.")
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise ExportError("The tolerance of outlines is 0 or more. Type another number.")

    def pixels(self, scene: Any = None) -> float:
        """Return the tolerance in pixels.

        Raises
        ------
        ExportError
            If it is in metres and the ground sample distance is not known.
        """
        if self.unit == "px" or not self.tolerance:
            return self.tolerance
        gsd = getattr(scene, "gsd", None)
        if not gsd:
            raise ExportError(
                "The tolerance is in metres, but the size of a pixel on the ground is not known. "
                "Type the ground distance, or give the tolerance in pixels."
            )
        return self.tolerance / gsd


def outline_polygon(item: Instance, tolerance: float = 0.0) -> BaseGeometry:
    """Return the outline of an object in scene pixels.

    Parameters
    ----------
    item : Instance
    tolerance : float
        How far, in pixels, a corner of the pixel edges may lie from the outline (Douglas and
        Peucker; up to half as much again where a ring begins); 0 follows them exactly.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        With holes; valid. Without a tolerance it has exactly the mask's area. With one it has it
        to within a thousandth where that can be: its sides are moved by a fraction of a pixel.
        A piece or hole that would vanish is kept as a triangle or more.
    """
    import shapely

    exact = trace(item.mask, item.x, item.y)
    if tolerance <= 0:
        return exact
    simple = shapely.simplify(exact, tolerance, preserve_topology=True)
    # Pieces that touch at a corner may cross once their corners move.
    simple = simple if simple.is_valid else shapely.make_valid(simple, method="structure")
    usable = simple.geom_type in ("Polygon", "MultiPolygon") and not simple.is_empty
    return _with_area(simple, exact.area) if usable else exact


def _with_area(shape: BaseGeometry, area: float) -> BaseGeometry:
    """Move the sides of an outline out or in, all by the same, until it has an area."""
    import shapely

    for _ in range(_TRIES):
        missing = area - shape.area
        if abs(missing) <= _CLOSE * area:
            break
        moved = shapely.buffer(shape, missing / shape.length, join_style="mitre")
        parts = shapely.get_num_geometries(shape)
        # A piece that would split, vanish or grow into another stays as it is.
        if not moved.is_valid or shapely.get_num_geometries(moved) != parts:
            break
        if _rings(moved) != _rings(shape):
            break
        shape = moved
    return shape


def _rings(shape: BaseGeometry) -> int:
    import shapely

    parts = shapely.get_parts(shape)
    return int(shapely.get_num_interior_rings(parts).sum()) + len(parts)


def outlines(
    instances: Instances, settings: OutlineSettings | None = None, scene: Any = None
) -> NDArray[np.object_]:
    """Return the outline of each object in scene pixels, shape (N,)."""
    from rasterio import Env

    tolerance = (settings or OutlineSettings()).pixels(scene)
    result = np.empty(len(instances), dtype=object)
    # One environment for all: GDAL would set one up anew for every object.
    with Env():
        for index, item in enumerate(instances):
            result[index] = outline_polygon(item, tolerance)
    return result


def attributes(
    instances: Instances,
    scene: Any,
    table: pd.DataFrame | None,
    shapes: NDArray[np.object_] | None = None,
) -> pd.DataFrame:
    """Return the table whose columns go along with the outlines, one row an object.

    With `shapes`, the outlines in scene pixels, areas are those of the outlines, so that whoever
    measures the geometry finds what stands beside it.

    Raises
    ------
    ExportError
        If `table` is not about these objects.
    """
    if table is None:
        return credited(_as_drawn(measure(instances, scene), instances, shapes), scene)
    if "id" not in table or list(table["id"]) != instances.ids.tolist():
        raise ExportError("The table is not about these objects. Measure them again.")
    table = table.reset_index(drop=True)
    # Labels may have changed since the table was made.
    table = table.assign(label=[item.label for item in instances])
    return credited(_as_drawn(table, instances, shapes), scene)


def credited(table: pd.DataFrame, scene: Any) -> pd.DataFrame:
    """Return a table with whom the image names as its source, where it names somebody.

    Whoever gets a file of outlines shall know whose picture they were drawn on.
    """
    told = getattr(scene, "attribution", "")
    return table.assign(attribution=told) if told else table


def _as_drawn(
    table: pd.DataFrame, instances: Instances, shapes: NDArray[np.object_] | None
) -> pd.DataFrame:
    """A table with the areas of outlines in place of those of masks."""
    import shapely

    if shapes is None or not len(shapes):
        return table
    drawn, masks = shapely.area(shapes), instances.areas
    if np.array_equal(drawn, masks):
        return table
    names = [name for name in ("area", "area_m2") if name in table]
    return table.assign(**{name: table[name] * drawn / masks for name in names})


def is_placed(scene: Any) -> bool:
    """Whether a scene has a position on Earth."""
    return bool(getattr(scene, "crs", None)) and getattr(scene, "transform", None) is not None


def to_map(shapes: NDArray[np.object_], scene: Any) -> NDArray[np.object_]:
    """Return outlines in the map coordinates of the scene's own coordinate system."""
    import shapely

    t = scene.transform

    def convert(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = xy.T
        return np.stack((t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f), axis=1)

    return shapely.transform(shapes, convert) if len(shapes) else shapes


def to_wgs84(shapes: NDArray[np.object_], scene: Any) -> NDArray[np.object_]:
    """Return outlines as longitude and latitude (WGS 84), exterior rings anticlockwise.

    Longitudes lie between −180 and 180. What crosses the 180th meridian is cut there into
    several polygons, as RFC 7946 (3.1.9) wants, and what lies around a pole reaches up to it.

    Raises
    ------
    ExportError
        If the scene's coordinate system is unknown or not defined there.
    """
    import shapely
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    try:
        project = Transformer.from_crs(scene.crs, WGS84, always_xy=True)
        circle = full_circle(CRS.from_user_input(scene.crs))
    except ProjError as error:
        raise ExportError(
            f"The image's coordinate system ({scene.crs}) is not known, so its objects cannot be "
            "placed on the globe. Export the label GeoTIFF, which keeps it as it is."
        ) from error

    def convert(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lonlat = np.stack(project.transform(*xy.T), axis=1)
        if not np.isfinite(lonlat).all():
            raise ExportError(
                "Some objects lie outside the area in which the image's coordinate system "
                f"({scene.crs}) is defined. Check the image's georeference."
            )
        if circle:
            # The map's longitudes run on without a jump; those of the result must, too.
            lonlat[:, 0] = wrap_longitudes_near(lonlat[:, 0], xy[:, 0] * 360 / circle)
        return lonlat

    placed = to_map(shapes, scene)
    if not len(placed):
        return placed
    if circle:
        placed = cut_longitudes(shapely.transform(placed, convert))
    else:
        placed = project_outlines(placed, convert)
    # Nine digits of a degree are a tenth of a millimetre.
    placed = shapely.transform(placed, lambda lonlat: np.round(lonlat, 9))
    return shapely.orient_polygons(placed, exterior_cw=False)


def plain(value: Any) -> Any:
    """Return a value that JSON knows; missing numbers become None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
