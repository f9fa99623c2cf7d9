"""Layers of places from files: read apart, brought to the picture, repaired and clipped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.apply.features import Features
from rsam_core.change.apply.site import Site
from rsam_core.errors import ApplyError, MetricError, SceneError, TruthChoice
from rsam_core.formats.placement import Place
from rsam_core.formats.truth import kind_of
from rsam_core.formats.truth_readings import in_pixels
from rsam_core.formats.vector_csv import decoded, holds_shapes, is_table, read_csv
from rsam_core.formats.vector_files import check_encoding, only_shapefiles, read_layers
from rsam_core.formats.vector_layer import Layer
from rsam_core.runtime.limited_reading import MEMORY, SECONDS, ReadingFailed, run_limited
from rsam_core.scene.sources import file_of

LAYER_TYPES = ("gpkg", "geojson", "json", "zip", "kml", "csv", "tsv", "txt", "geojsonl", "ndjson")
"""Endings of the files that :func:`read_layer` reads."""

MARGIN_M = 5_000.0
"""Metres around the picture within which a layer is kept: a river just outside is near, too."""
_HERE_BELOW = 64 << 10


def read_layer(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    site: Site,
    *,
    name: str | None = None,
    layer: str | None = None,
    placed: str | None = None,
    encoding: str | None = None,
    margin: float = MARGIN_M,
) -> Features:
    """Read a layer of areas, lines or points and lay it onto a site.

    Parameters
    ----------
    source : path, bytes or binary file object
        GeoPackage, GeoJSON, KML, a Shapefile in a ZIP archive, or CSV with coordinates.
    site : Site
    name : str, optional
        Name of the file for messages.
    layer : str, optional
        Which layer, if the file has several.
    placed : str, optional
        What its coordinates mean; see :func:`rsam_core.formats.truth.read_truth`.
    encoding : str, optional
        Code page of a Shapefile's texts.
    margin : float
        Metres around the picture within which things are kept; they are cut there.

    Returns
    -------
    Features
        Valid shapes on the plane. The notes say what was moved to another coordinate system,
        repaired, cut and left out.

    Raises
    ------
    TruthChoice
        There are several layers, or coordinates that may mean several things: it names the
        choices.
    ApplyError
        It cannot be read, is empty, or lies elsewhere.
    """
    try:
        file = file_of(source, name)
        if file.size == 0:
            raise ApplyError(f"“{file.name}” is empty (0 bytes). Export the layer again.")
        content = file.source if isinstance(file.source, bytes) else Path(file.source).read_bytes()
        kind = _kind(content, file.name)
        asked = (content, kind, site.place, site.gsd, file.name, layer, placed, encoding, margin)
        check_encoding(encoding)
        if len(content) <= _HERE_BELOW and _is_harmless(content, kind):
            packed = read_packed(*asked)
        else:
            packed = run_limited(
                read_packed,
                *asked,
                seconds=SECONDS + len(content) / 1e6,
                memory=MEMORY + 12 * len(content),
                environment=only_shapefiles(),
            )
    except TruthChoice as error:
        raise TruthChoice(_plain(str(error)), error.option, error.choices) from error
    except ReadingFailed as error:
        raise ApplyError(_failed(error, name or "the file")) from error
    except (MetricError, SceneError) as error:
        raise ApplyError(_plain(str(error))) from error
    except OSError as error:
        raise ApplyError(
            f"“{name or 'The file'}” cannot be read ({error.strerror or error}). Choose it again."
        ) from error
    return _unpacked(packed, site)


def _is_harmless(content: bytes, kind: str) -> bool:
    """Whether a small file is read without any library that it could bring to its end."""
    return kind == "json" or (kind == "csv" and not holds_shapes(content))


def _kind(content: bytes, name: str) -> str:
    try:
        kind = kind_of(content[:1024])
    except MetricError as error:
        raise ApplyError(
            f"“{name}” is XML of a kind that is not read. Export the layer as GeoJSON or "
            "GeoPackage."
        ) from error
    if kind != "raster":
        return kind
    if name.lower().endswith((".shp", ".shx", ".dbf", ".prj")):
        raise ApplyError(
            f"“{name}” is one part of a Shapefile. Pack all its parts (.shp, .shx, .dbf, .prj) "
            "into a ZIP archive and give that."
        )
    if is_table(content) and decoded(content[:1000]).lstrip().startswith("<"):
        raise ApplyError(
            f"“{name}” is XML in a code that is not read. Save it as UTF-8, or export the layer as "
            "GeoJSON or GeoPackage."
        )
    if not is_table(content):
        raise ApplyError(
            f"“{name}” is no layer that is read here. Give GeoPackage, GeoJSON, KML, a Shapefile "
            "in a ZIP archive, or CSV with coordinates."
        )
    return "csv"


def _plain(text: str) -> str:
    """Messages of the readers of truth, for layers of any kind."""
    for one, other in (
        ("Save the truth in", "Save the layer in"),
        ("Choose the one that holds the true objects, or export that one alone.",
         "Choose one, or export it alone."),
        ("Export the layer of the true objects.", "Export the layer again."),
        ("Pack the one that holds the true objects alone.", "Pack the one that is wanted alone."),
        ("GeoJSON nor a COCO data set with “images” and “annotations”. Export the truth as one of "
         "these.", "GeoJSON. Export the layer as GeoJSON."),
        ("opened as truth", "opened"),
        ("neither GeoJSON. ", "no GeoJSON. "),
    ):  # fmt: skip
        text = text.replace(one, other)
    return text


def _failed(error: ReadingFailed, name: str) -> str:
    if error.why == "damaged":
        return (
            f"“{name}” cannot be read: it is damaged or incomplete. Export it again as GeoJSON, "
            "GeoPackage or zipped Shapefile."
        )
    what = "takes too long" if error.why == "time" else "needs too much memory"
    return f"“{name}” {what} to read. Clip it to the area of the image and export it again."


# --- in a process of its own ----------------------------------------------------------------


def read_packed(
    content: bytes,
    kind: str,
    place: Place,
    gsd: float,
    name: str,
    layer: str | None,
    placed: str | None,
    encoding: str | None,
    margin: float,
) -> dict[str, Any]:
    """Read a layer, as plain data in pixels of the scene; see :func:`read_layer`."""
    import shapely

    if kind == "csv":
        layers = read_csv(content, name)
    else:
        layers = read_layers(content, kind, name, encoding, areas=False)
    chosen, notes = _chosen(layers, layer, name)
    notes += chosen.told()
    if not chosen.shapes:
        what = ", ".join(chosen.left_out) if chosen.left_out else "it is empty"
        raise MetricError(f"“{name}” holds nothing that can be used: {what}. Export it again.")
    try:
        shapes, told, _ = in_pixels(chosen, place, name, placed)
    except TruthChoice as choice:
        if chosen.crs is None or chosen.axes:
            raise
        # Where a file says what its coordinates are, they are not taken for pixels.
        raise MetricError(str(choice).partition(" Read as ")[0]) from choice
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    notes += told
    array, repaired = _repaired(array)
    if repaired:
        notes.append(
            f"{repaired:,} {_shapes(repaired)} crossed or touched themselves and were repaired."
        )
    height, width = place.shape
    reach = margin / gsd
    frame = shapely.box(-reach, -reach, width + reach, height + reach)
    kept, array, cut = _within(array, frame)
    far = len(shapes) - len(kept)
    if far:
        notes.append(
            f"{far:,} of {len(shapes):,} entries lie far outside the picture or have no area, and "
            "were left out."
        )
    if cut:
        notes.append(f"{cut:,} {_shapes(cut)} reach far beyond the picture and were cut there.")
    blobs = [np.frombuffer(blob, np.uint8) for blob in shapely.to_wkb(array)]
    return {
        "bytes": np.concatenate(blobs) if blobs else np.zeros(0, np.uint8),
        "lengths": np.array([len(blob) for blob in blobs], np.int64),
        "rows": [chosen.rows[index] for index in kept.tolist()],
        "name": name if len(layers) == 1 else f"{name}: {chosen.name}",
        "notes": notes,
    }


def _shapes(number: int) -> str:
    return "shape" if number == 1 else "shapes"


def _chosen(layers: Sequence[Layer], wanted: str | None, name: str) -> tuple[Layer, list[str]]:
    """The layer that is meant, and notes."""
    if not layers:
        raise MetricError(f"“{name}” holds no layer. Export it again.")
    if wanted is not None:
        same = [entry for entry in layers if entry.name == wanted]
        if same:
            return same[0], []
    full = [entry for entry in layers if entry.shapes]
    if wanted is None and len(full) <= 1:
        if not full:
            left: Counter[str] = sum((entry.left_out for entry in layers), Counter())
            return Layer(name, left_out=left), []
        note = f"Of the {len(layers)} layers, “{full[0].name}” was read; the others are empty."
        return full[0], [note] if len(layers) > 1 else []
    choices = [(x.name, f"{x.name} ({len(x.shapes):,} entries)") for x in full]
    shown = ", ".join(title for _, title in choices[:6]) + (" …" if len(choices) > 6 else "")
    what = "holds several layers" if wanted is None else f"has no layer “{wanted}”; it has"
    raise TruthChoice(f"“{name}” {what}: {shown}. Choose one.", "layer", choices)


def _repaired(shapes: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Valid shapes of the same dimension, and how many were not."""
    import shapely

    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    shapes = shapes.copy()
    shapes[~finite] = shapely.Polygon()
    bad = np.flatnonzero(~shapely.is_valid(shapes))
    if not len(bad):
        return shapes, 0
    dimensions = shapely.get_dimensions(shapes[bad])
    made = shapely.make_valid(shapes[bad], method="structure", keep_collapsed=False)
    for index, shape, dimension in zip(bad.tolist(), made, dimensions.tolist()):
        parts = [p for p in shapely.get_parts(shape) if shapely.get_dimensions(p) == dimension]
        shapes[index] = shapely.union_all(parts) if parts else shapely.Polygon()
    return shapes, len(bad)


def _within(shapes: NDArray[Any], frame: Any) -> tuple[NDArray[np.int64], NDArray[Any], int]:
    """Positions of what lies in a frame, its parts there, and how many were cut."""
    import shapely

    shapely.prepare(frame)
    inside = shapely.covers(frame, shapes)
    edge = np.flatnonzero(~inside & shapely.intersects(frame, shapes))
    parts = shapely.intersection(shapes[edge], frame)
    whole = shapely.get_dimensions(parts) == shapely.get_dimensions(shapes[edge])
    shapes = shapes.copy()
    shapes[edge] = parts
    good = inside & ~shapely.is_empty(shapes)
    good[edge] = whole & ~shapely.is_empty(parts)
    kept = np.flatnonzero(good)
    return kept, shapes[kept], int(good[edge].sum())


def _unpacked(data: dict[str, Any], site: Site) -> Features:
    import shapely

    whole = data["bytes"].tobytes()
    ends = np.cumsum(data["lengths"]).tolist()
    blobs = [whole[end - int(size) : end] for end, size in zip(ends, data["lengths"])]
    if not blobs:
        raise ApplyError(
            f"Nothing in “{data['name']}” lies in or near the picture. Choose the layer of this "
            "place."
        )
    shapes = site.plane(shapely.from_wkb(blobs))
    return Features.of_shapes(data["name"], shapes, data["rows"], data["notes"])
