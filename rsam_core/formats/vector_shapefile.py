"""Outlines in a Shapefile, read by GDAL, which knows no other format here."""

from __future__ import annotations

import codecs
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import MetricError
from rsam_core.formats.geopackage_shapefile import PIXEL_NOTE
from rsam_core.formats.text_encoding import ENCODINGS, guessed_encoding
from rsam_core.formats.vector_layer import MAX_OUTLINES, Layer, area_of
from rsam_core.scene.crs_text import plain_crs

START = b"\0\0\x27\x0a"
# Language drivers of a table that say "whatever Windows uses here", which is nothing.
_VAGUE = (0x00, 0x03, 0x57)


def read_shapefile(
    parts: Mapping[str, bytes],
    layer_name: str,
    name: str,
    encoding: str | None = None,
    areas: bool = True,
) -> list[Layer]:
    """Return the outlines of a Shapefile as one layer.

    Parameters
    ----------
    parts : mapping of str to bytes
        Content by ending: ``".shp"`` and ``".shx"``, and ``".dbf"``, ``".prj"``, ``".cpg"`` where
        they exist.
    layer_name : str
    name : str
        Of the file, for messages.
    encoding : str, optional
        Code page of the attributes; else what the file says, or what is likely.
    areas : bool
        Whether only areas are wanted, or lines and points as well.

    Raises
    ------
    MetricError
        If it is damaged.
    """
    layer = Layer(layer_name)
    if ".prj" in parts:
        text = parts[".prj"][:50_000].decode("utf-8", "replace").strip("\0 \t\r\n")
        layer.crs = plain_crs(text)
        if text and layer.crs is None:
            layer.notes.append("The coordinate system that the file names is not known.")
    if PIXEL_NOTE.encode() in parts.get("README.txt", b""):
        layer.axes = "up"
    said = encoding or _said(parts)
    geometry, names, columns = _read(parts, said or "ISO-8859-1", name)
    if said is None:
        columns = _decoded(columns, names, layer)
    for index, blob in enumerate(geometry):
        row = {key: values[index] for key, values in zip(names, columns)}
        layer.add(*_shape(blob, row, areas))
    return [layer]


def _shape(blob: Any, row: dict[str, Any], areas: bool) -> tuple[Any, dict[str, Any], str]:
    import shapely

    if blob is None:
        return None, row, "without geometry"
    shape = shapely.from_wkb(bytes(blob), on_invalid="ignore")
    if shape is None:
        return None, row, "with a damaged geometry"
    shape, reason = area_of(shape, areas)
    return shape, row, reason


def _said(parts: Mapping[str, bytes]) -> str | None:
    """Code page that the file itself names."""
    text = parts.get(".cpg", b"")[:100].decode("ascii", "ignore").strip("\0 \t\r\n")
    for known in (text, f"cp{text}", text.replace("ANSI ", "cp")):
        try:
            return codecs.lookup(known).name if text else None
        except (LookupError, ValueError):
            continue
    return None


def _decoded(columns: list[NDArray], names: list[str], layer: Layer) -> list[NDArray]:
    """Decode texts that were read byte by byte."""
    texts = [c for c in columns if c.dtype == object]
    known = [t for column in texts for t in column[:20_000] if isinstance(t, str)]
    guess = guessed_encoding(text.encode("latin-1", "replace") for text in [*known, *names])
    if guess == "ascii":
        return columns
    layer.notes.append(
        "The Shapefile does not say in which encoding its texts are (its .cpg file is missing); "
        f"{ENCODINGS[guess]} was taken."
    )

    def decode(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        return text.encode("latin-1", "replace").decode(guess, "replace")

    names[:] = [decode(key) for key in names]
    return [
        np.array([decode(text) for text in c], dtype=object) if c.dtype == object else c
        for c in columns
    ]


def _read(
    parts: Mapping[str, bytes], encoding: str, name: str
) -> tuple[NDArray, list[str], list[NDArray]]:
    from pyogrio.errors import DataSourceError
    from pyogrio.raw import read

    # Not `catch_warnings`: that swaps global state and is unsafe between threads.
    warnings.filterwarnings("ignore", module="pyogrio")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # Names of our own, and only the parts that are needed: nothing else lies beside them.
        for ending in (".shp", ".shx", ".dbf"):
            if ending in parts:
                (Path(folder) / f"layer{ending}").write_bytes(parts[ending])
        try:
            about, _, geometry, columns = read(
                Path(folder) / "layer.shp",
                encoding=encoding,
                force_2d=True,
                max_features=MAX_OUTLINES + 1,
            )
        except (DataSourceError, RuntimeError, ValueError, OSError, LookupError) as error:
            raise MetricError(
                f"“{name}” cannot be read as outlines: it is damaged or incomplete. Export it "
                "again as GeoJSON, GeoPackage or zipped Shapefile."
            ) from error
    if geometry is None:
        geometry = np.array([], dtype=object)
    return geometry, [str(field) for field in about["fields"]], list(columns)
