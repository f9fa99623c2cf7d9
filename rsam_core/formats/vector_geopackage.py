"""Outlines in a GeoPackage, read as the database that it is.

Only tables of the file itself are read: no views, no virtual tables, no functions, no other
database, whatever the file's schema asks for.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from rsam_core.errors import MetricError
from rsam_core.formats.geopackage_shapefile import PIXEL_NOTE
from rsam_core.formats.vector_layer import Layer, area_of
from rsam_core.formats.well_known_binary import is_sound
from rsam_core.scene.crs_text import plain_crs

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_SECONDS = 25.0
_MAX_VALUE = 64 << 20
"""Bytes of a geometry or a text."""
_ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the envelope by its kind."""
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
}


def read_geopackage(content: bytes, name: str, areas: bool = True) -> list[Layer]:
    """Return the layers of a GeoPackage that hold outlines.

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
        If it is damaged, no GeoPackage, or takes too long.
    """
    try:
        with _opened(content) as database:
            return list(_layers(database, areas))
    except (sqlite3.Error, ValueError, OverflowError) as error:
        if "interrupted" in str(error):
            raise MetricError(f"“{name}” takes too long to read. Export it again.") from error
        raise MetricError(
            f"“{name}” cannot be read as outlines: it is damaged or incomplete, or no GeoPackage. "
            "Export it again as GeoPackage or GeoJSON."
        ) from error


@contextmanager
def _opened(content: bytes) -> Iterator[sqlite3.Connection]:
    # A file that is in use says so in its header, and wants a second file beside it.
    header = bytearray(content[:100])
    header[18:20] = b"\1\1"
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(bytes(header) + content[100:])
        # A column that is made up by the file can be of any length.
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE)
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")
        database.execute("PRAGMA query_only = ON")
        database.text_factory = lambda text: text.decode("utf-8", "replace")
        database.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
        )
        # Computing time: others use the computer as well.
        end = time.thread_time() + _SECONDS
        database.set_progress_handler(lambda: time.thread_time() > end, 100_000)
        yield database


def _layers(database: sqlite3.Connection, areas: bool) -> Iterator[Layer]:
    tables = {
        row[0].lower(): (row[1], row[2] or "")
        for row in database.execute("SELECT name, type, sql FROM sqlite_master")
        if isinstance(row[0], str)
    }
    descriptions = {}
    if "gpkg_contents" in tables:
        rows = database.execute("SELECT table_name, description FROM gpkg_contents")
        descriptions = {str(row[0]).lower(): str(row[1] or "") for row in rows}
    systems = _systems(database) if "gpkg_spatial_ref_sys" in tables else {}
    query = "SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns"
    for table, column, system in list(database.execute(query)):
        layer = Layer(str(table))
        kind, statement = tables.get(str(table).lower(), ("", ""))
        if kind != "table" or "virtual" in statement.lower().split("(")[0].split():
            what = "a view" if kind == "view" else "no table of this file"
            layer.notes.append(f"The layer “{table}” is {what} and was not read.")
            yield layer
            continue
        declared, layer.crs = systems.get(system, (False, None))
        if declared and layer.crs is None:
            layer.notes.append("The coordinate system that the file names is not known.")
        if descriptions.get(str(table).lower()) == PIXEL_NOTE:
            layer.axes = "up"
        _fill(database, layer, str(table), str(column), areas)
        yield layer


def _systems(database: sqlite3.Connection) -> dict[Any, tuple[bool, str | None]]:
    """Coordinate systems by their number: whether it is one at all, and which."""
    found: dict[Any, tuple[bool, str | None]] = {}
    query = (
        "SELECT srs_id, organization, organization_coordsys_id, definition "
        "FROM gpkg_spatial_ref_sys"
    )
    for number, owner, code, definition in database.execute(query):
        if str(owner).upper() == "NONE" or str(definition).lower() in ("undefined", "none", ""):
            found[number] = (False, None)
            continue
        known = plain_crs(f"{owner}:{code}") or plain_crs(definition)
        # What programs write when they know nothing.
        unknown = "undefined" in str(definition).lower() and not plain_crs(f"{owner}:{code}")
        found[number] = (False, None) if unknown else (True, known)
    return found


def _fill(database: sqlite3.Connection, layer: Layer, table: str, column: str, areas: bool) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    cursor = database.execute(f"SELECT * FROM {quoted(table)}")
    names = [entry[0] for entry in cursor.description]
    lower = [name.lower() for name in names]
    if column.lower() not in lower:
        raise ValueError("the table has no such column")
    place = lower.index(column.lower())
    for values in cursor:
        row = {
            name: value
            for index, (name, value) in enumerate(zip(names, values))
            if index != place and not isinstance(value, bytes)
        }
        shape, reason = _shape(values[place], areas)
        layer.add(shape, row, reason)


def _shape(blob: Any, areas: bool) -> tuple[BaseGeometry | None, str]:
    """Return the areas of a geometry as a GeoPackage stores it."""
    import shapely

    if blob is None:
        return None, "without geometry"
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return None, "with a damaged geometry"
    kind = blob[3] >> 1 & 7
    if kind >= len(_ENVELOPES):
        return None, "with a damaged geometry"
    body = blob[8 + _ENVELOPES[kind] :]
    shape = shapely.from_wkb(body, on_invalid="ignore") if is_sound(body) else None
    if shape is None:
        return None, "with a damaged geometry"
    return area_of(shape, areas)
