"""Results as files in memory, ready to be downloaded or written; a module for each format."""

from __future__ import annotations

from rsam_core.exports.coco import to_coco
from rsam_core.exports.geofiles import short_names, to_geopackage, to_shapefile
from rsam_core.exports.geojson import to_geojson
from rsam_core.exports.images import (
    class_geotiff,
    class_png,
    instance_png,
    label_geotiff,
    label_png,
    overlay_png,
)
from rsam_core.exports.kml import to_kml
from rsam_core.exports.outlines import OutlineSettings, outline_polygon
from rsam_core.exports.tables import to_csv
from rsam_core.exports.yolo import to_yolo

__all__ = [
    "OutlineSettings",
    "class_geotiff",
    "class_png",
    "instance_png",
    "label_geotiff",
    "label_png",
    "outline_polygon",
    "overlay_png",
    "short_names",
    "to_coco",
    "to_csv",
    "to_geojson",
    "to_geopackage",
    "to_kml",
    "to_shapefile",
    "to_yolo",
]
