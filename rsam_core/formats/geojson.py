"""Outlines as GeoJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rsam_core.formats.polygons import (
    OutlineSettings,
    attributes,
    is_placed,
    outlines,
    plain,
    to_wgs84,
)
from rsam_core.objects.instances import Instances

if TYPE_CHECKING:
    import pandas as pd

PIXEL_NOTE = (
    "Coordinates are pixels of the image, x to the right and y down from the top-left corner of "
    "the top-left pixel. They are not longitude and latitude, because the image has no "
    "georeference."
)


def to_geojson(
    instances: Instances,
    scene: Any = None,
    *,
    table: pd.DataFrame | None = None,
    settings: OutlineSettings | None = None,
) -> bytes:
    """Return the outlines and measures of objects as GeoJSON.

    Outlines follow the edges of the pixels unless they are simplified, so that the area of a
    polygon is that of its mask. An object of several pieces is a MultiPolygon; pieces that touch
    at a corner only are separate, because a ring must not touch itself.

    Parameters
    ----------
    instances : Instances
    scene : Scene, optional
        Where it has `crs` and `transform`, coordinates are longitude and latitude (WGS 84) and
        rings follow the right-hand rule, as RFC 7946 [1]_ wants it; an object that crosses the
        180th meridian is cut there. Otherwise they are pixels, and the member
        ``"coordinates_note"`` says so.
    table : pandas.DataFrame, optional
        One row an object; measured anew if not given.
    settings : OutlineSettings, optional

    Returns
    -------
    bytes
        A FeatureCollection in UTF-8; the properties are the columns of the table.

    Raises
    ------
    ExportError
        If the scene's coordinate system cannot be converted to longitude and latitude.

    References
    ----------
    .. [1] RFC 7946, "The GeoJSON Format", 2016.
    """
    import shapely

    placed = is_placed(scene)
    shapes = outlines(instances, settings, scene)
    table = attributes(instances, scene, table, shapes)
    if placed:
        shapes = to_wgs84(shapes, scene)
    else:
        shapes = shapely.orient_polygons(shapes, exterior_cw=False)
    rows = table.to_dict(orient="records")
    collection: dict[str, Any] = {"type": "FeatureCollection"}
    if not placed:
        collection["coordinates_note"] = PIXEL_NOTE
    collection["features"] = [
        {
            "type": "Feature",
            "id": row["id"],
            "geometry": shapely.geometry.mapping(shape),
            "properties": {key: plain(value) for key, value in row.items()},
        }
        for shape, row in zip(shapes, rows)
    ]
    return json.dumps(collection, ensure_ascii=False, allow_nan=False).encode()
