"""Find out by the content which layers of outlines a file holds, and read them.

Readers are chosen from a short list by how the content begins, never by what its name says, and
none of them opens anything but the bytes given.
"""

from __future__ import annotations

import codecs
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from rsam_core.errors import DatasetError, MetricError
from rsam_core.formats.text_encoding import ENCODINGS
from rsam_core.formats.vector_geojson import is_geojson, lines_of, read_geojson
from rsam_core.formats.vector_kml import is_kml, read_kml
from rsam_core.formats.vector_layer import Layer

MAX_BYTES = 1 << 30
"""Largest file in an archive, unpacked."""
MAX_LAYERS = 200
"""Layers in one archive."""
_SWOLLEN = 64 << 20
_MAX_RATIO = 200
"""A file that unpacks to so many bytes, and to so many times its size, is a trap."""
_LAYERS = (".shp", ".gpkg", ".geojson", ".json", ".geojsonl", ".ndjson", ".kml")
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_SQLITE = b"SQLite format 3\0"

# Every reader but that of Shapefiles is our own; GDAL forgets all its others, except its arrays in
# memory, which it draws on.
_DRIVERS = ("ESRI Shapefile", "MEM", "Memory")


def check_encoding(encoding: str | None) -> None:
    """Refuse a code page that there is not.

    Raises
    ------
    MetricError
    """
    if encoding is None:
        return
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise MetricError(
            f"“{encoding[:40]}” is no encoding. Give one such as {', '.join(ENCODINGS)}."
        ) from error


def only_shapefiles() -> dict[str, str]:
    """Environment in which GDAL knows no format of files but that of Shapefiles."""
    from pyogrio import list_drivers

    others = [driver for driver in list_drivers() if driver not in _DRIVERS]
    return {"OGR_SKIP": ",".join(others), "GDAL_SKIP": ",".join(others)}


def read_layers(
    content: bytes, kind: str, name: str, encoding: str | None = None, areas: bool = True
) -> list[Layer]:
    """Return the layers of a file, in its order.

    Parameters
    ----------
    content : bytes
    kind : {"json", "gpkg", "zip", "kml"}
    name : str
        For messages.
    encoding : str, optional
        Code page of a Shapefile's attributes.
    areas : bool
        Whether only areas are wanted, or lines and points as well.

    Raises
    ------
    MetricError
        If it cannot be read, or holds no layer of outlines.
    """
    if kind == "zip":
        return _from_zip(content, name, encoding, areas)
    if kind == "gpkg":
        from rsam_core.formats.vector_geopackage import read_geopackage

        return read_geopackage(content, name, areas)
    if kind == "kml":
        return read_kml(content, name, areas)
    data = parsed(content, name)
    if not is_geojson(data):
        raise MetricError(
            f"“{name}” is JSON, but neither GeoJSON nor a COCO data set with “images” and "
            "“annotations”. Export the truth as one of these."
        )
    return read_geojson(data, name, areas)


def parsed(content: bytes, name: str) -> Any:
    """Return parsed JSON, or a list of features where there is one a line.

    Raises
    ------
    MetricError
        If it is neither.
    """
    text = ""
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = lines_of(text)
        if lines is not None:
            return lines
        raise MetricError(
            f"“{name}” is damaged: it begins like JSON and is not. Export it again."
        ) from error


# --- archives ------------------------------------------------------------------------------


def _from_zip(content: bytes, name: str, encoding: str | None, areas: bool) -> list[Layer]:
    from rsam_core.runtime.archive import clean_names

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = clean_names(archive, name)
            return _layers_in(archive, members, name, encoding, areas)
    # A damaged or encrypted entry raises any of these.
    except DatasetError as error:
        raise MetricError(str(error)) from error
    except (
        zipfile.BadZipFile, RuntimeError, OSError, EOFError, NotImplementedError, zlib.error,
        ValueError,
    ) as error:  # fmt: skip
        raise MetricError(f"“{name}” is a damaged ZIP archive. Pack it again.") from error


def _layers_in(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    name: str,
    encoding: Any,
    areas: bool,
) -> list[Layer]:
    layers: list[Layer] = []
    if sum(path.lower().endswith(_LAYERS) for path in members) > MAX_LAYERS:
        raise MetricError(
            f"“{name}” holds more than {MAX_LAYERS} layers. Pack the one that holds the true "
            "objects alone."
        )
    lower = {path.lower(): member for path, member in members.items()}
    for path, member in members.items():
        ending = PurePosixPath(path).suffix.lower()
        if ending not in _LAYERS:
            continue
        head = _head(archive, member)
        label = PurePosixPath(path).stem
        if ending == ".shp" and head.startswith(b"\0\0\x27\x0a"):
            layers += _shapefile(archive, lower, path, name, encoding, areas)
        elif ending == ".gpkg" and head.startswith(_SQLITE):
            from rsam_core.formats.vector_geopackage import read_geopackage

            found = read_geopackage(_content(archive, member, name), name, areas)
            layers += found
        elif ending in _LAYERS[2:6] and head.startswith((b"{", b"[", b"\x1e")):
            data = parsed(_content(archive, member, name), path)
            if is_geojson(data):
                layers += _named(read_geojson(data, name, areas), label)
        elif ending == ".kml" and is_kml(head):
            layers += _named(read_kml(_content(archive, member, name), name, areas), label)
    if not layers:
        raise MetricError(
            f"“{name}” holds no Shapefile, GeoPackage, KML or GeoJSON. Pack all parts of the "
            "Shapefile (.shp, .shx, .dbf, .prj) into the archive."
        )
    return _distinct(layers)


def _shapefile(
    archive: zipfile.ZipFile,
    lower: Mapping[str, zipfile.ZipInfo],
    path: str,
    name: str,
    encoding: Any,
    areas: bool,
) -> list[Layer]:
    from rsam_core.formats.vector_shapefile import read_shapefile

    stem = path[:-4]
    parts = {}
    for ending in _PARTS:
        member = lower.get(f"{stem}{ending}".lower()) or lower.get(f"{path}{ending}".lower())
        if member is not None:
            parts[ending] = _content(archive, member, name)
    if ".shx" not in parts:
        raise MetricError(
            f"The Shapefile in “{name}” is incomplete: its .shx file is missing. Pack all "
            "its parts (.shp, .shx, .dbf, .prj) into the archive."
        )
    about = lower.get(str(PurePosixPath(path).with_name("README.txt")).lower())
    if about is not None and about.file_size < 1 << 20:
        parts["README.txt"] = _content(archive, about, name)
    return read_shapefile(parts, PurePosixPath(path).stem, name, encoding, areas)


def _head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """First bytes of a file in an archive, without the blanks that a text may begin with."""
    with archive.open(member) as entry:
        return entry.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    # Sizes in the directory may lie.
    most = min(MAX_BYTES, max(_SWOLLEN, _MAX_RATIO * member.compress_size))
    with archive.open(member) as entry:
        content = entry.read(most + 1)
    if len(content) > most:
        raise MetricError(
            f"A file in “{name}” unpacks to more than {most >> 20:,} MB. Clip it to the area of "
            "the image first."
        )
    return content


def _named(layers: list[Layer], label: str) -> list[Layer]:
    for layer in layers:
        layer.name = label
    return layers


def _distinct(layers: list[Layer]) -> list[Layer]:
    """Number layers that have the same name."""
    seen: dict[str, int] = {}
    for layer in layers:
        seen[layer.name] = seen.get(layer.name, 0) + 1
        if seen[layer.name] > 1:
            layer.name = f"{layer.name} ({seen[layer.name]})"
    return layers
