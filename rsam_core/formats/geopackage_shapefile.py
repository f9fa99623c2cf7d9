"""Outlines for geographic information systems: GeoPackage and Shapefile."""

from __future__ import annotations

import io
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsam_core.errors import ExportError
from rsam_core.formats.polygons import (
    OutlineSettings,
    attributes,
    is_placed,
    outlines,
    plain,
    to_map,
)
from rsam_core.objects.instances import Instances
from rsam_core.scene.globe import full_circle
from rsam_core.scene.longitudes import cut_longitudes

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

PIXEL_NOTE = (
    "The image has no georeference. Coordinates are its pixels: x to the right from the left "
    "edge, and y is minus the distance from the top edge, so that the outlines lie on the image "
    "when both are opened in a GIS such as QGIS."
)

SHORT_NAMES: dict[str, str] = {
    "perimeter": "perim",
    "bbox_width": "bbox_w",
    "bbox_height": "bbox_h",
    "centroid_x": "cent_x",
    "centroid_y": "cent_y",
    "perimeter_m": "perim_m",
    "equivalent_diameter": "eq_diam",
    "equivalent_diameter_area": "eq_diam",
    "equivalent_diameter_m": "eq_diam_m",
    "axis_major_length": "ax_major",
    "axis_minor_length": "ax_minor",
    "major_axis": "ax_major",
    "minor_axis": "ax_minor",
    "orientation": "orient",
    "eccentricity": "eccentr",
    "compactness": "compact",
    "rectangularity": "rectang",
    "elongation": "elong",
    "nearest_neighbour": "near_dist",
    "nearest_neighbour_m": "near_m",
}
"""Names of columns in a Shapefile, which allows ten letters; others are cut off."""


def to_geopackage(
    instances: Instances,
    scene: Any = None,
    *,
    table: pd.DataFrame | None = None,
    settings: OutlineSettings | None = None,
    layer: str = "objects",
) -> bytes:
    """Return outlines and measures as a GeoPackage in the scene's coordinate system.

    Parameters
    ----------
    instances : Instances
    scene : Scene, optional
        Without a georeference, coordinates are pixels with y pointing up, and the description
        of the layer says so. In degrees, longitudes lie between −180 and 180, and what crosses
        the 180th meridian is cut there.
    table : pandas.DataFrame, optional
        One row an object; measured anew if not given.
    settings : OutlineSettings, optional
    layer : str
        Name of the layer.

    Raises
    ------
    ExportError
        If the coordinate system is not known, or the file cannot be written.
    """
    frame = _frame(instances, scene, table, settings)
    described = {} if is_placed(scene) else {"DESCRIPTION": PIXEL_NOTE}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "objects.gpkg"
        _write(frame, path, "GPKG", layer=layer, layer_options=described)
        return path.read_bytes()


def to_shapefile(
    instances: Instances,
    scene: Any = None,
    *,
    table: pd.DataFrame | None = None,
    settings: OutlineSettings | None = None,
    name: str = "objects",
) -> bytes:
    """Return outlines and measures as a zipped Shapefile.

    Column names are shortened to ten letters by :func:`short_names`; ``README.txt`` in the zip
    lists them. Parameters as for :func:`to_geopackage`.
    """
    frame = _frame(instances, scene, table, settings)
    names = short_names([column for column in frame.columns if column != "geometry"])
    frame = frame.rename(columns=names)
    stream = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.shp"
        # A single type: a Shapefile makes no difference between one and several pieces.
        _write(frame, path, "ESRI Shapefile", encoding="UTF-8", geometry_type="Polygon")
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(Path(folder).iterdir()):
                archive.write(part, part.name)
            archive.writestr("README.txt", _readme(names, scene))
    return stream.getvalue()


def short_names(columns: list[str]) -> dict[str, str]:
    """Return a name of at most ten letters for each column, all different.

    Known columns have a name of their own in :data:`SHORT_NAMES`; any other is cut off, and
    numbered where that is not unique.
    """
    result: dict[str, str] = {}
    taken: set[str] = set()
    for column in columns:
        base = SHORT_NAMES.get(column, column)
        ascii_only = base.encode("ascii", "ignore").decode() or "field"
        name = ascii_only[:10]
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{ascii_only[: 10 - len(str(count))]}{count}"
        taken.add(name.lower())
        result[column] = name
    return result


def _readme(names: dict[str, str], scene: Any) -> str:
    lines = ["Columns of this Shapefile, whose names have ten letters at most:", ""]
    lines += [f"{short:10s}  {long}" for long, short in names.items()]
    if not is_placed(scene):
        lines += ["", PIXEL_NOTE]
    return "\r\n".join(lines) + "\r\n"


def _frame(
    instances: Instances,
    scene: Any,
    table: pd.DataFrame | None,
    settings: OutlineSettings | None,
) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import shapely
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    shapes = outlines(instances, settings, scene)
    rows = attributes(instances, scene, table, shapes).copy()
    crs = None
    if is_placed(scene):
        try:
            crs = CRS.from_user_input(scene.crs)
        except ProjError as error:
            raise ExportError(
                f"The image's coordinate system ({scene.crs}) is not known. Export the label "
                "GeoTIFF, which keeps it as it is."
            ) from error
        shapes = to_map(shapes, scene)
        circle = full_circle(crs)
        if circle:
            shapes = cut_longitudes(shapes, circle)
    elif len(shapes):
        shapes = shapely.transform(shapes, lambda xy: xy * np.array([1.0, -1.0]))
    for column in rows.select_dtypes(exclude=["number", "bool"]).columns:
        values = [plain(value) for value in rows[column]]
        texts = [None if v is None or v != v else str(v) for v in values]
        rows[column] = np.array(texts, dtype=object)
    shapes = shapely.orient_polygons(shapes, exterior_cw=False)
    return gpd.GeoDataFrame(rows, geometry=list(shapes), crs=crs)


def _write(frame: gpd.GeoDataFrame, path: Path, driver: str, **options: Any) -> None:
    from pyogrio import write_dataframe
    from pyogrio.errors import DataSourceError

    # Not `catch_warnings`: that swaps global state and is unsafe between threads.
    warnings.filterwarnings("ignore", message="'crs' was not provided")
    warnings.filterwarnings("ignore", message=".*one or more.*field names.*", module="pyogrio")
    try:
        write_dataframe(frame, path, driver=driver, **options)
    except (DataSourceError, RuntimeError, OSError) as error:
        raise ExportError(
            f"The file could not be written: {error}. Try GeoJSON or CSV instead."
        ) from error
