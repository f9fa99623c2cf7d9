"""Truth as outlines: GeoJSON, GeoPackage or zipped Shapefile, drawn into the pixels of a scene."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core._raster_io import RasterFile
from rsam_core.errors import MetricError
from rsam_core.instances import Instance, Instances
from rsam_core.truth_place import Place, converted, describe_point, outline, to_pixels

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

MAX_OUTLINES = 200_000
_WGS84 = "EPSG:4326"
_LABELS = ("label", "class", "category")
# Endings of layers in an archive, and how their content has to begin. It is checked because GDAL
# goes by the content, and some formats name other files to be read.
_LAYERS = {
    ".shp": b"\0\0\x27\x0a",
    ".gpkg": b"SQLite format 3\0",
    ".geojson": b"{",
    ".json": b"{",
}


def read_vector(
    file: RasterFile, kind: str, place: Place, *, in_pixels: bool = False
) -> tuple[Instances, list[str]]:
    """Read outlines and draw them into the pixels of a scene.

    Parameters
    ----------
    file : RasterFile
    kind : {"geojson", "gpkg", "zip"}
    place : Place
        The scene's size and georeference. Without georeference, coordinates are pixels.
    in_pixels : bool
        Whether the file itself says that its coordinates are pixels.

    Returns
    -------
    objects : Instances
        One an outline that lies in the scene; they may overlap.
    notes : list of str

    Raises
    ------
    MetricError
        If the file cannot be read, holds no areas, or none in the scene.
    """
    table = _table(file, kind)
    declared = table.crs.to_string() if table.crs is not None else None
    shapes = _areas(table, file.name)
    labels = _labels(table)
    kind = "pixels" if in_pixels else kind
    pixels, notes = _in_pixels(shapes, declared, kind, place, file.name)
    return draw(pixels, place.shape, labels, notes)


def draw(
    shapes: Sequence[BaseGeometry],
    shape: tuple[int, int],
    labels: Sequence[str | None] | None = None,
    notes: Sequence[str] = (),
    source: str = "truth",
) -> tuple[Instances, list[str]]:
    """Turn polygons in scene pixels into objects.

    A pixel belongs to a polygon if its centre lies inside. A polygon too thin to hold any centre
    gets the pixels that it touches, so that no object is lost.

    Returns
    -------
    objects : Instances
        Those that lie in the scene, numbered from 1 in the order of the polygons.
    notes : list of str
        `notes`, and what was left out.
    """
    items, outside = [], 0
    for index, polygon in enumerate(shapes):
        drawn = _drawn(polygon, shape)
        if drawn is None:
            outside += 1
            continue
        mask, x, y = drawn
        label = labels[index] if labels is not None else None
        items.append(Instance(mask, x, y, source=source, label=label))
    told = list(notes)
    if outside:
        told.append(f"{outside:,} of {len(shapes):,} outlines lie outside the image.")
    return Instances(items, shape), told


def _drawn(
    polygon: BaseGeometry, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], int, int] | None:
    """Mask and place of a polygon; None if it lies outside."""
    from rasterio.features import rasterize
    from rasterio.transform import Affine

    height, width = shape
    left, top, right, bottom = polygon.bounds
    x0, y0 = max(int(np.floor(left)), 0), max(int(np.floor(top)), 0)
    x1, y1 = min(int(np.ceil(right)), width), min(int(np.ceil(bottom)), height)
    if x0 >= x1 or y0 >= y1:
        return None
    for touched in (False, True):
        mask = rasterize(
            [(polygon, 1)],
            out_shape=(y1 - y0, x1 - x0),
            transform=Affine.translation(x0, y0),
            all_touched=touched,
            dtype="uint8",
        ).astype(bool)
        if mask.any():
            return mask, x0, y0
    return None


# --- reading -----------------------------------------------------------------------------


def _table(file: RasterFile, kind: str) -> GeoDataFrame:
    import geopandas

    try:
        with _on_disk(file, kind) as path:
            table = geopandas.read_file(path, rows=MAX_OUTLINES + 1)
    except MetricError:
        raise
    # GDAL and its readers raise many types on damaged files.
    except Exception as error:
        raise MetricError(
            f"“{file.name}” cannot be read as outlines: it is damaged or incomplete. Export it "
            "again as GeoJSON, GeoPackage or zipped Shapefile."
        ) from error
    if not hasattr(table, "geometry") or not len(table):
        raise MetricError(f"“{file.name}” holds no outlines. Export the layer of the true objects.")
    if len(table) > MAX_OUTLINES:
        raise MetricError(
            f"“{file.name}” holds more than {MAX_OUTLINES:,} outlines. Clip it to the area of the "
            "image first."
        )
    return table


@contextmanager
def _on_disk(file: RasterFile, kind: str) -> Iterator[str]:
    """Give a path that GDAL can open; its drivers for tables want files, not bytes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / f"truth.{kind}"
        content = file.source if isinstance(file.source, bytes) else file.source.read_bytes()
        path.write_bytes(content)
        yield _inside(path, file.name) if kind == "zip" else str(path)


def _inside(path: Path, name: str) -> str:
    """Return the path of the layer in a ZIP archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if not n.startswith("__MACOSX")]
            heads = {n: _head(archive, n) for n in names if n.lower().endswith(tuple(_LAYERS))}
    # A damaged or encrypted entry raises any of these.
    except (zipfile.BadZipFile, RuntimeError, OSError, NotImplementedError, zlib.error) as error:
        raise MetricError(f"“{name}” is a damaged ZIP archive. Pack it again.") from error
    for ending, start in _LAYERS.items():
        layers = sorted(
            n for n, head in heads.items() if n.lower().endswith(ending) and head.startswith(start)
        )
        if not layers:
            continue
        beside = {n.lower() for n in names}
        stem = layers[0][: -len(ending)].lower()
        if ending == ".shp" and f"{stem}.shx" not in beside:
            raise MetricError(
                f"The Shapefile in “{name}” is incomplete: its .shx file is missing. Pack all "
                "its parts (.shp, .shx, .dbf, .prj) into the archive."
            )
        return f"/vsizip/{path}/{layers[0]}"
    raise MetricError(
        f"“{name}” holds no Shapefile, GeoPackage or GeoJSON. Pack all parts of the Shapefile "
        "(.shp, .shx, .dbf, .prj) into the archive."
    )


def _head(archive: zipfile.ZipFile, name: str) -> bytes:
    """First bytes of a file in an archive, without the blanks that a text may begin with."""
    with archive.open(name) as entry:
        return entry.read(64).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")


def _areas(table: GeoDataFrame, name: str) -> list[BaseGeometry]:
    """Return the polygon of each row, an empty one where it has none."""
    import shapely

    shapes = shapely.force_2d(np.array(table.geometry, dtype=object))
    broken = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    if broken.any():
        shapes[broken] = shapely.make_valid(shapes[broken])
    areas = [_area_of(shape) for shape in shapes]
    if not any(not area.is_empty for area in areas):
        kinds = {shape.geom_type for shape in shapes if shape is not None}
        found = "points" if any("Point" in kind for kind in kinds) else "lines or nothing"
        raise MetricError(
            f"“{name}” holds {found} and no areas. Truth has to be outlines (polygons) of the "
            "objects."
        )
    return areas


def _area_of(shape: BaseGeometry | None) -> BaseGeometry:
    import shapely

    if shape is None:
        return shapely.Polygon()
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    if shape.geom_type == "GeometryCollection":
        parts = [p for p in shapely.get_parts(shape) if p.geom_type in ("Polygon", "MultiPolygon")]
        return shapely.union_all(parts) if parts else shapely.Polygon()
    return shapely.Polygon()


def _labels(table: GeoDataFrame) -> list[str | None]:
    for column in table.columns:
        if str(column).lower() in _LABELS:
            return [v if isinstance(v, str) and v else None for v in table[column]]
    return [None] * len(table)


# --- placing -----------------------------------------------------------------------------


def _in_pixels(
    shapes: list[BaseGeometry], declared: str | None, kind: str, place: Place, name: str
) -> tuple[list[BaseGeometry], list[str]]:
    """Convert outlines to scene pixels by the first reading of their coordinates that fits."""
    import shapely

    array = np.array(shapes, dtype=object)
    for crs, note in _readings(declared, kind, place, array):
        if crs == "pixels":
            pixels = array
        else:
            pixels = shapely.transform(
                array, lambda xy, crs=crs: to_pixels(converted(xy, crs, place.crs), place)
            )
        if _meets(pixels, place.shape):
            return list(pixels), [note] if note else []
    raise MetricError(_elsewhere(array, declared, place, name))


def _readings(
    declared: str | None, kind: str, place: Place, shapes: NDArray[Any]
) -> Iterator[tuple[str | None, str]]:
    """What the coordinates may mean, most likely first."""
    import shapely

    bounds = shapely.total_bounds(shapes)
    # GeoJSON without a word is taken for longitude and latitude, which it need not be.
    lonlat = kind == "geojson" and declared in (_WGS84, "OGC:CRS84")
    presumed = declared is None or lonlat or kind == "pixels"
    possible = abs(bounds[[0, 2]]).max() <= 180 and abs(bounds[[1, 3]]).max() <= 90
    note = "Its coordinates were read as pixels of the image."
    if kind == "pixels" or place.transform is None:
        if presumed:
            yield "pixels", note if place.transform is not None else ""
        return
    if declared is not None and place.crs and (possible or not presumed):
        same = presumed or declared == place.crs
        yield declared, "" if same else _moved(declared, place)
    if not place.crs or (presumed and not (lonlat and possible)):
        yield (
            place.crs,
            "The file does not name its coordinate system; that of the image was taken.",
        )
        if presumed:
            yield "pixels", note


def _moved(declared: str, place: Place) -> str:
    name = Place((1, 1), declared).crs_name
    return (
        f"The outlines were moved from their coordinate system ({name}) to that of the image "
        f"({place.crs_name})."
    )


def _meets(pixels: NDArray[Any], shape: tuple[int, int]) -> bool:
    import shapely

    bounds = shapely.bounds(pixels)
    good = np.isfinite(bounds).all(axis=1)
    x0, y0, x1, y1 = bounds[good].T
    return bool(((x1 > 0) & (y1 > 0) & (x0 < shape[1]) & (y0 < shape[0])).any())


def _elsewhere(shapes: NDArray[Any], declared: str | None, place: Place, name: str) -> str:
    import shapely

    x0, y0, x1, y1 = shapely.total_bounds(shapes)
    if place.transform is None:
        height, width = place.shape
        return (
            f"The outlines of “{name}” do not meet the image: they reach from ({x0:,.6g}, "
            f"{y0:,.6g}) to ({x1:,.6g}, {y1:,.6g}), and the image, which has no georeference, "
            f"has pixels from (0, 0) to ({width:,}, {height:,}). Open the georeferenced image "
            "(GeoTIFF), or give the outlines in its pixels."
        )
    edge = outline(place)
    here = describe_point((edge.min(axis=0) + edge.max(axis=0))[None] / 2, place.crs)
    there = describe_point(np.array([[(x0 + x1) / 2, (y0 + y1) / 2]]), declared)
    return (
        f"The outlines of “{name}” lie in another place than the image: they do not overlap (0 % "
        f"of the image is covered). The image lies near {here}, the outlines near {there}. Choose "
        "the file of this place, and check its coordinate system."
    )
