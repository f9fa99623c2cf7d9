"""Results as files in memory: CSV, PNG, GeoTIFF and GeoJSON, ready to be downloaded or written."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from rsam_core.errors import ExportError
from rsam_core.instances import Instance, Instances
from rsam_core.measure import measure

if TYPE_CHECKING:
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

_LARGEST_16_BIT = 65_535
_WGS84 = "EPSG:4326"
_PIXEL_NOTE = (
    "Coordinates are pixels of the image, x to the right and y down from the top-left corner of "
    "the top-left pixel. They are not longitude and latitude, because the image has no "
    "georeference."
)


def to_csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV that spreadsheets open as they should.

    Parameters
    ----------
    table : pandas.DataFrame
        For example from :func:`rsam_core.measure.measure`.

    Returns
    -------
    bytes
        UTF-8 with a byte order mark, without which spreadsheets garble letters beyond ASCII;
        comma and decimal point; up to ten significant digits; missing values are left blank.
    """
    return table.to_csv(index=False, float_format="%.10g").encode("utf-8-sig")


def label_png(instances: Instances) -> bytes:
    """Return the label map as a 16-bit grey PNG: 0 is background, else the object's number.

    Raises
    ------
    ExportError
        If a number does not fit into 16 bits.
    """
    if len(instances) > _LARGEST_16_BIT:
        raise ExportError(
            f"A label PNG holds at most 65,535 objects; these are {len(instances):,}. Filter "
            "them by area first, or download the labels as GeoTIFF."
        )
    if len(instances) and instances.ids.max() > _LARGEST_16_BIT:
        raise ExportError(
            f"A label PNG holds object numbers up to 65,535; the highest here is "
            f"{instances.ids.max():,}. Number the objects anew (renumber), or download the "
            "labels as GeoTIFF."
        )
    return _png(instances.label_map().astype(np.uint16))


def overlay_png(rgb: ArrayLike) -> bytes:
    """Return a picture as PNG.

    Parameters
    ----------
    rgb : array_like of uint8, shape (H, W, 3)

    Raises
    ------
    ExportError
        If it is not an RGB picture of 8 bits.
    """
    rgb = np.asarray(rgb)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ExportError(
            "A picture must have three colours of 8 bits each (rows, columns, 3); this one has "
            f"shape {rgb.shape} and type {rgb.dtype}."
        )
    return _png(rgb[..., ::-1])


def label_geotiff(instances: Instances, scene: Any = None) -> bytes:
    """Return the label map as a GeoTIFF of 32 bits in the scene's coordinate system.

    Parameters
    ----------
    instances : Instances
    scene : Scene, optional
        Its `crs` and `transform` are written, if it has them.

    Returns
    -------
    bytes
        0 is background and marked as "no data"; else the object's number.
    """
    import warnings

    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.io import MemoryFile

    height, width = instances.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": "int32"}
    profile |= {"nodata": 0, "compress": "deflate", "predictor": 2}
    if getattr(scene, "transform", None) is not None:
        profile |= {"transform": scene.transform, "crs": getattr(scene, "crs", None)}
    # Not `catch_warnings`: that swaps global state and is unsafe between threads.
    warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(instances.label_map(), 1)
        return memory.read()


def to_geojson(instances: Instances, scene: Any = None) -> bytes:
    """Return the outlines and measures of objects as GeoJSON.

    Outlines follow the edges of the pixels, so that the area of a polygon is that of its mask.
    An object of several pieces is a MultiPolygon; pieces that touch at a corner only are
    separate, because a ring must not touch itself.

    Parameters
    ----------
    instances : Instances
    scene : Scene, optional
        Where it has `crs` and `transform`, coordinates are longitude and latitude (WGS 84) and
        rings follow the right-hand rule, as RFC 7946 [1]_ wants it. Otherwise they are pixels,
        and the member ``"coordinates_note"`` says so.

    Returns
    -------
    bytes
        A FeatureCollection in UTF-8; the properties are the columns of
        :func:`rsam_core.measure.measure`.

    Raises
    ------
    ExportError
        If the scene's coordinate system cannot be converted to longitude and latitude.

    References
    ----------
    .. [1] RFC 7946, "The GeoJSON Format", 2016.
    """
    import shapely
    from rasterio import Env

    georeferenced = bool(getattr(scene, "crs", None)) and scene.transform is not None
    # One environment for all: GDAL would set one up anew for every object.
    with Env():
        shapes = np.array([outline_polygon(item) for item in instances], dtype=object)
    if georeferenced and len(shapes):
        shapes = shapely.transform(shapes, _pixels_to_wgs84(scene))
    # Nine digits of a degree are a tenth of a millimetre; pixels are whole numbers anyway.
    shapes = shapely.transform(shapes, lambda xy: np.round(xy, 9)) if len(shapes) else shapes
    shapes = shapely.orient_polygons(shapes, exterior_cw=False)
    rows = measure(instances, scene).to_dict(orient="records")
    collection: dict[str, Any] = {"type": "FeatureCollection"}
    if not georeferenced:
        collection["coordinates_note"] = _PIXEL_NOTE
    collection["features"] = [
        {
            "type": "Feature",
            "id": row["id"],
            "geometry": shapely.geometry.mapping(shape),
            "properties": {key: _plain(value) for key, value in row.items()},
        }
        for shape, row in zip(shapes, rows)
    ]
    return json.dumps(collection, ensure_ascii=False, allow_nan=False).encode()


def outline_polygon(item: Instance) -> BaseGeometry:
    """Return the outline of an object along its pixel edges, in scene pixels.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        With holes; valid, and of exactly the mask's area.
    """
    import shapely
    from rasterio.features import shapes
    from rasterio.transform import Affine

    values = item.mask.astype(np.uint8)
    place = Affine.translation(item.x, item.y)
    pieces = [
        shapely.geometry.shape(geometry)
        for geometry, _ in shapes(values, mask=item.mask, connectivity=4, transform=place)
    ]
    return pieces[0] if len(pieces) == 1 else shapely.MultiPolygon(pieces)


def _pixels_to_wgs84(scene: Any) -> Any:
    """Return a function from pixel coordinates, shape (N, 2), to longitude and latitude."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        project = Transformer.from_crs(scene.crs, _WGS84, always_xy=True)
    except ProjError as error:
        raise ExportError(
            f"The image's coordinate system ({scene.crs}) is not known, so its objects cannot be "
            "placed on the globe. Export the label GeoTIFF, which keeps it as it is."
        ) from error
    t = scene.transform

    def convert(xy: np.ndarray) -> np.ndarray:
        x, y = xy.T
        places = project.transform(t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f)
        lonlat = np.stack(places, axis=1)
        if not np.isfinite(lonlat).all():
            raise ExportError(
                "Some objects lie outside the area in which the image's coordinate system "
                f"({scene.crs}) is defined. Check the image's georeference."
            )
        return lonlat

    return convert


def _plain(value: Any) -> Any:
    """Return a value that JSON knows; missing numbers become null."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _png(image: np.ndarray) -> bytes:
    """Encode a grey or BGR image."""
    import cv2

    done, data = cv2.imencode(".png", image) if image.size else (False, None)
    if not done:
        raise ExportError("The picture could not be written as PNG, because it has no pixels.")
    return data.tobytes()
