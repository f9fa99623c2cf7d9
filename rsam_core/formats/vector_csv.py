"""Places in a table: points by two columns of coordinates, or any shape as well-known text."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rsam_core.errors import MetricError
from rsam_core.formats.text_encoding import guessed_encoding
from rsam_core.formats.vector_geojson import LONGITUDE_LATITUDE
from rsam_core.formats.vector_layer import FARTHEST, Layer, area_of

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_PAIRS = (
    (("lon", "longitude", "long", "lng", "laenge", "länge"),
     ("lat", "latitude", "breite")),
    (("x", "easting", "east", "map_x", "rechtswert", "utm_x", "coord_x", "xcoord", "x_coord"),
     ("y", "northing", "north", "map_y", "hochwert", "utm_y", "coord_y", "ycoord", "y_coord")),
)  # fmt: skip
"""Names of the two columns, first and second coordinate; those of the first pair are degrees."""
_TEXT = ("wkt", "geometry", "geom", "the_geom", "shape")
_MAX_FIELD = 10_000_000


def read_csv(content: bytes, name: str, areas: bool = False) -> list[Layer]:
    """Return the places of a table with a head as one layer.

    Columns named like longitude and latitude are degrees (WGS 84); columns named x and y, easting
    and northing, may be anything, and the layer's coordinate system is then not known. A column
    named "wkt" or "geometry" holds shapes as well-known text. The separator may be a comma, a
    semicolon, a tab or a bar; with the last three, numbers may have decimal commas.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    areas : bool
        Whether only areas are wanted, or lines and points as well.

    Raises
    ------
    MetricError
        It is no such table.
    """
    text = _decoded(content, name)
    rows = _rows(text)
    head = next(rows, None)
    if not head or len(head) > 2000:
        raise MetricError(f"“{name}” is no table with a head. Save it as CSV with column names.")
    head = [str(cell).strip() for cell in head]
    lower = [cell.lower() for cell in head]
    layer = Layer(name)
    whole = next((lower.index(title) for title in _TEXT if title in lower), None)
    pair = _pair(lower)
    if whole is None and pair is None:
        shown = ", ".join(head[:8]) + (" …" if len(head) > 8 else "")
        raise MetricError(
            f"“{name}” has no columns of coordinates that are known here; it has: {shown}. Name "
            "them “longitude” and “latitude”, or “x” and “y”."
        )
    if whole is None and pair is not None and pair[2]:
        layer.crs = LONGITUDE_LATITUDE
    try:
        for cells in rows:
            if not any(cells):
                continue
            shape, reason = _shape(cells, whole, pair, areas)
            layer.add(shape, dict(zip(head, (_value(cell) for cell in cells))), reason)
    except csv.Error as error:
        raise MetricError(f"“{name}” is a damaged table. Save it again as CSV.") from error
    return [layer]


def _decoded(content: bytes, name: str) -> str:
    if b"\0" in content[:4096]:
        raise MetricError(
            f"“{name}” is no table of text. Give GeoPackage, GeoJSON, KML, a Shapefile in a ZIP "
            "archive, or CSV."
        )
    content = content.removeprefix(b"\xef\xbb\xbf")
    encoding = guessed_encoding(content.splitlines()[:5000])
    return content.decode("utf-8" if encoding == "ascii" else encoding, "replace")


def _rows(text: str) -> Any:
    first = text.split("\n", 1)[0]
    separator = max(";\t|,", key=first.count)
    # Once for the whole program, and never less than others may have set.
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_FIELD))
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _pair(lower: Sequence[str]) -> tuple[int, int, bool] | None:
    """Columns of both coordinates, and whether they are degrees."""
    for number, (first, second) in enumerate(_PAIRS):
        x = next((lower.index(title) for title in first if title in lower), None)
        y = next((lower.index(title) for title in second if title in lower), None)
        if x is not None and y is not None:
            return x, y, number == 0
    return None


def _shape(
    cells: Sequence[str], whole: int | None, pair: tuple[int, int, bool] | None, areas: bool
) -> tuple[BaseGeometry | None, str]:
    import shapely

    if whole is not None:
        text = cells[whole].strip() if whole < len(cells) else ""
        if not text:
            return None, "without geometry"
        shape = shapely.from_wkt(text, on_invalid="ignore")
        return (None, "with a damaged geometry") if shape is None else area_of(shape, areas)
    assert pair is not None
    if areas:
        return None, "points"
    numbers = [_number(cells[column]) if column < len(cells) else None for column in pair[:2]]
    if any(value is None for value in numbers):
        return None, "without coordinates"
    if max(abs(value) for value in numbers) >= FARTHEST:
        return None, "with coordinates that are no places"
    return shapely.Point(*numbers), ""


def _number(text: str) -> float | None:
    text = text.strip()
    for form in (text, text.replace(",", ".")):
        try:
            value = float(form)
        except ValueError:
            continue
        return value if math.isfinite(value) else None
    return None


def _value(text: str) -> Any:
    """A cell as a number where it is written as one; numbers with leading noughts are names."""
    text = text.strip()
    if not text:
        return None
    if text[0] == "0" and len(text) > 1 and text[1].isdigit():
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    return int(value) if value.is_integer() and "." not in text and abs(value) < 2**53 else value
