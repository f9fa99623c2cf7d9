"""Places in a table: points by two columns of coordinates, or any shape as well-known text."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rsam_core.errors import MetricError
from rsam_core.formats.text_encoding import guessed_encoding
from rsam_core.formats.vector_geojson import LONGITUDE_LATITUDE
from rsam_core.formats.vector_layer import FARTHEST, Layer, area_of
from rsam_core.formats.well_known_binary import is_sound
from rsam_core.runtime.given import shortened
from rsam_core.scene.crs_text import plain_crs

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
_SRID = re.compile(r"SRID\s*=\s*(\d{1,6})\s*;\s*", re.IGNORECASE)
_HEX = re.compile(r"(?:0x|\\x)?([0-9a-f]{18,})", re.IGNORECASE)
# A polygon of many parts has three brackets in each other; more come of collections alone, and many
# thousands would end the program that reads them.
_DEEPEST = 32
_DIGITS = re.compile(rb"[0-9a-fA-F]{36}")
_LONGEST_WHOLE = 18
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_WITH_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_NAMES_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


def read_csv(content: bytes, name: str, areas: bool = False) -> list[Layer]:
    """Return the places of a table with a head as one layer.

    Columns named like longitude and latitude are degrees (WGS 84); columns named x and y, easting
    and northing, may be anything, and the layer's coordinate system is then not known. A column
    named "wkt" or "geometry" holds shapes as well-known text, or in hexadecimal digits as PostGIS
    writes them; both may name their coordinate system ("SRID=32637;"). The separator may be a
    comma, a semicolon, a tab or a bar; with the last three, numbers may have decimal commas. A
    spreadsheet's "Unicode text" is read as well.

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
    if not is_table(content):
        raise MetricError(
            f"“{name}” is no table of text. Give GeoPackage, GeoJSON, KML, a Shapefile in a ZIP "
            "archive, or CSV."
        )
    rows, commas = _rows(decoded(content))
    head = next(rows, None)
    if not head or len(head) > 2000:
        raise MetricError(f"“{name}” is no table with a head. Save it as CSV with column names.")
    head = [str(cell).strip() for cell in head]
    lower = [cell.lower() for cell in head]
    layer = Layer(name)
    whole = next((lower.index(title) for title in _TEXT if title in lower), None)
    pair = _pair(lower)
    if whole is None and pair is None:
        shown = ", ".join(map(shortened, head[:8])) + (" …" if len(head) > 8 else "")
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
            if shape is not None and whole is not None and not _of_one_system(layer, shape):
                shape, reason = None, "in another coordinate system than the first ones"
            layer.add(shape, dict(zip(head, (_value(cell, commas) for cell in cells))), reason)
    except csv.Error as error:
        raise MetricError(f"“{name}” is a damaged table. Save it again as CSV.") from error
    return [layer]


def holds_shapes(content: bytes) -> bool:
    """Whether a table may hold shapes, in letters or in digits, and not only coordinates."""
    return b"(" in content or _DIGITS.search(content) is not None


def is_table(content: bytes) -> bool:
    """Whether a file may be a text at all, in whichever code."""
    return b"\0" not in content[:4096] or (
        content.startswith(_UTF16) and not content.startswith(b"\xff\xfe\0\0")
    )


def decoded(content: bytes) -> str:
    """Return the text of a table, in whichever code it is."""
    if content.startswith(_UTF16):
        return content.decode("utf-16", "replace")
    content = content.removeprefix(b"\xef\xbb\xbf")
    encoding = guessed_encoding(content.splitlines()[:5000])
    return content.decode("utf-8" if encoding == "ascii" else encoding, "replace")


def _rows(text: str) -> tuple[Any, bool]:
    """Lines of cells, and whether a comma in a number is its decimal sign."""
    named = _NAMES_SEPARATOR.match(text)
    if named:
        # Some spreadsheets say it in a line of their own.
        text, separator = text[named.end() :], named[1]
    else:
        first = text.split("\n", 1)[0].split("\r", 1)[0]
        separator = max(";\t|,", key=first.count)
    # Once for the whole program, and never less than others may have set.
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_FIELD))
    lines = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"), newline="")
    return csv.reader(lines, delimiter=separator), separator != ","


def _of_one_system(layer: Layer, shape: BaseGeometry) -> bool:
    """Whether a shape is in the layer's coordinate system; the first that names one says it."""
    import shapely

    number = int(shapely.get_srid(shape))
    crs = plain_crs(f"EPSG:{number}") if number else None
    if crs is None:
        return True
    crs = LONGITUDE_LATITUDE if crs == "EPSG:4326" else crs
    if layer.crs is None and not layer.shapes:
        layer.crs = crs
    return layer.crs is None or layer.crs == crs


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
        return _written_shape(text, areas) if text else (None, "without geometry")
    assert pair is not None
    if areas:
        return None, "points"
    numbers = [_number(cells[column]) if column < len(cells) else None for column in pair[:2]]
    if any(value is None for value in numbers):
        return None, "without coordinates"
    if max(abs(value) for value in numbers) >= FARTHEST:
        return None, "with coordinates that are no places"
    return shapely.Point(*numbers), ""


def _written_shape(text: str, areas: bool) -> tuple[BaseGeometry | None, str]:
    """Read a shape in letters or in hexadecimal digits, with its system's number if it has one."""
    import shapely

    damaged = None, "with a damaged geometry"
    digits = _HEX.fullmatch(text)
    if digits:
        data = bytes.fromhex(digits[1][: len(digits[1]) // 2 * 2])
        shape = shapely.from_wkb(data, on_invalid="ignore") if is_sound(data) else None
        number = 0 if shape is None else int(shapely.get_srid(shape))
    else:
        named = _SRID.match(text)
        number = int(named[1]) if named else 0
        text = text[named.end() :] if named else text
        if _brackets(text) > _DEEPEST:
            return damaged
        shape = shapely.from_wkt(text, on_invalid="ignore")
    if shape is None:
        return damaged
    shape, reason = area_of(shape, areas)
    return (None if shape is None else shapely.set_srid(shape, number)), reason


def _brackets(text: str) -> int:
    """How deep the brackets of a text lie in each other."""
    depth = deepest = 0
    for sign in re.findall(r"[()]", text):
        depth += 1 if sign == "(" else -1
        deepest = max(deepest, depth)
        if deepest > _DEEPEST:
            break
    return deepest


def _number(text: str) -> float | None:
    text = text.strip()
    for form in (text, text.replace(",", ".")):
        # Python itself also reads "1_000" and digits of other scripts as numbers.
        if _NUMBER.fullmatch(form):
            value = float(form)
            return value if math.isfinite(value) else None
    return None


def _value(text: str, commas: bool) -> Any:
    """A cell as a number where it is written as one; numbers with leading noughts are names."""
    text = text.strip()
    if not text:
        return None
    if text[0] == "0" and len(text) > 1 and text[1].isdigit():
        return text
    form = text.replace(",", ".") if commas and _WITH_COMMA.fullmatch(text) else text
    if not _NUMBER.fullmatch(form):
        return text
    if _WHOLE.fullmatch(form):
        # Longer ones than 64 bits are names rather than amounts, and would be rounded.
        return int(form) if len(form) <= _LONGEST_WHOLE else text
    value = float(form)
    if not math.isfinite(value):
        return text
    return int(value) if value.is_integer() and "." not in form and abs(value) < 2**53 else value
