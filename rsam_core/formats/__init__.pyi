from .coco import to_coco
from .geojson import to_geojson
from .geopackage_shapefile import short_names, to_geopackage, to_shapefile
from .kml import to_kml
from .label_images import (
    class_geotiff,
    class_png,
    instance_png,
    label_geotiff,
    label_png,
    overlay_png,
)
from .polygons import OutlineSettings, is_placed, outline_polygon
from .tables import to_csv
from .truth import (
    TRUTH_TYPES,
    Truth,
    read_truth,
    truth_from_labels,
    truth_from_objects,
    truth_from_polygons,
)
from .yolo import to_yolo

__all__ = [
    "TRUTH_TYPES",
    "OutlineSettings",
    "Truth",
    "class_geotiff",
    "class_png",
    "instance_png",
    "is_placed",
    "label_geotiff",
    "label_png",
    "outline_polygon",
    "overlay_png",
    "read_truth",
    "short_names",
    "to_coco",
    "to_csv",
    "to_geojson",
    "to_geopackage",
    "to_kml",
    "to_shapefile",
    "to_yolo",
    "truth_from_labels",
    "truth_from_objects",
    "truth_from_polygons",
]
