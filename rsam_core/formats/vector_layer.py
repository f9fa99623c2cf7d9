"""Layers of outlines as they were read from a file, whatever its format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.runtime.given import given

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

MAX_OUTLINES = 200_000
FARTHEST = 1e15
"""A coordinate beyond this is no place."""
_DEEPEST = 8
_MAX_BITS = 1000


@dataclass
class Layer:
    """Outlines of one layer, one an entry that has an area.

    Attributes
    ----------
    name : str
    shapes : list of shapely.Polygon or shapely.MultiPolygon
        Not necessarily valid; lines and points only where the reader was asked for them.
    rows : list of dict
        Attributes of each.
    left_out : Counter of str
        How many entries were left out, by the reason.
    crs : str or None
        Coordinate system that the file declares; None if none that is known.
    axes : {"", "down", "up"}
        Whether the file itself says that coordinates are pixels, and where y points.
    notes : list of str
    """

    name: str
    shapes: list[BaseGeometry] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    crs: str | None = None
    axes: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, shape: BaseGeometry | None, row: Mapping[str, Any], reason: str) -> None:
        """Take an entry in, or count why it is left out."""
        if shape is None:
            self.left_out[reason] += 1
            return
        if len(self.shapes) >= MAX_OUTLINES:
            raise MetricError(
                f"“{self.name}” holds more than {MAX_OUTLINES:,} outlines. Clip it to the area of "
                "the image first."
            )
        self.shapes.append(shape)
        self.rows.append({_whole(str(key)): _plain(value) for key, value in row.items()})

    def told(self) -> list[str]:
        """Return the notes, and one on what was left out."""
        total = sum(self.left_out.values())
        if not total:
            return list(self.notes)
        many = total + len(self.shapes)
        reasons = ", ".join(
            f"{count:,} {reason}" if len(self.left_out) > 1 else reason
            for reason, count in self.left_out.most_common()
        )
        what = "was" if total == 1 else "were"
        of = f"{total:,} of {many:,} entries" if many > 1 else "The only entry"
        return [*self.notes, f"{of} {what} left out: {reasons}."]


def _plain(value: Any) -> Any:
    """Return an attribute as JSON knows it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, str):
        return _whole(value[:10_000])
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        # No table holds longer ones as numbers.
        return given(value) if value.bit_length() > _MAX_BITS else str(value)
    if value is None or isinstance(value, int | float | bool):
        return value
    return _whole(str(value)[:1000])


def _whole(text: str) -> str:
    """Return a text without halves of letters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


# --- shapes --------------------------------------------------------------------------------


def area_of(shape: BaseGeometry | None, areas: bool = True) -> tuple[BaseGeometry | None, str]:
    """Return the areas of a geometry, or None and the reason why there are none.

    Parameters
    ----------
    shape : shapely geometry or None
    areas : bool
        Whether only areas are wanted; else, where there are none, its lines or points.
    """
    import shapely

    if shape is None:
        return None, "without geometry"
    if shape.is_empty:
        return None, "with an empty geometry"
    kinds = {part.geom_type for part in _parts(shape)}
    polygons = [part for part in _parts(shape) if part.geom_type == "Polygon"]
    polygons = [part for part in polygons if not part.is_empty]
    if not polygons:
        return (None, _without_area(kinds)) if areas else _lines_or_points(shape)
    good = [p for p in polygons if np.abs(shapely.get_coordinates(p)).max() < FARTHEST]
    if not good:
        return None, "with coordinates that are no places"
    flat = [shapely.force_2d(part) for part in good]
    return (flat[0] if len(flat) == 1 else shapely.MultiPolygon(flat)), ""


def _lines_or_points(shape: BaseGeometry) -> tuple[BaseGeometry | None, str]:
    import shapely

    for kind, joined in (("Line", shapely.MultiLineString), ("Point", shapely.MultiPoint)):
        parts = [
            shapely.force_2d(part)
            for part in _parts(shape)
            if kind in part.geom_type
            and not part.is_empty
            and np.abs(shapely.get_coordinates(part)).max() < FARTHEST
        ]
        if parts:
            return (parts[0] if len(parts) == 1 else joined(parts)), ""
    return None, "with coordinates that are no places"


def _parts(shape: BaseGeometry, depth: int = 0) -> list[BaseGeometry]:
    parts = getattr(shape, "geoms", None)
    if parts is None or depth > _DEEPEST:
        return [shape]
    return [piece for part in parts for piece in _parts(part, depth + 1)]


def _without_area(kinds: set[str]) -> str:
    if any("Point" in kind for kind in kinds):
        return "points"
    if any("Line" in kind or kind == "LinearRing" for kind in kinds):
        return "lines"
    return "without area"


def marks_of(kind: str, coordinates: Any) -> BaseGeometry | None:
    """Return the lines or points that GeoJSON's coordinates describe; None if none is usable.

    Parameters
    ----------
    kind : str
        "Point", "MultiPoint", "LineString" or "MultiLineString".
    coordinates : list
        As they stand in the file.
    """
    import shapely

    if not isinstance(coordinates, list):
        return None
    many = coordinates if kind.startswith("Multi") else [coordinates]
    if "Point" in kind:
        points = [one for point in many if (one := _numbers([point], 1)) is not None]
        return (
            shapely.MultiPoint(np.concatenate(points))
            if len(points) > 1
            else (shapely.Point(points[0][0]) if points else None)
        )
    lines = [shapely.LineString(one) for line in many if (one := _numbers(line, 2)) is not None]
    return shapely.MultiLineString(lines) if len(lines) > 1 else (lines[0] if lines else None)


def polygon_of(rings: Sequence[Any]) -> BaseGeometry | None:
    """Return the polygon of rings of numbers, the outer one first; None if that one is unusable.

    Holes that are unusable are left out.
    """
    import shapely

    made = [ring_of(ring) for ring in rings]
    if not made or made[0] is None:
        return None
    return shapely.Polygon(made[0], [hole for hole in made[1:] if hole is not None])


def ring_of(points: Any) -> NDArray[np.float64] | None:
    """Return corners as an array (N, 2), or None unless there are three or more good ones."""
    return _numbers(points, 3)


def _numbers(points: Any, fewest: int) -> NDArray[np.float64] | None:
    try:
        array = np.asarray([point[:2] for point in points], dtype=float)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        return None
    if array.ndim != 2 or array.shape[1:] != (2,) or len(array) < fewest:
        return None
    return array if bool((np.abs(array) < FARTHEST).all()) else None
