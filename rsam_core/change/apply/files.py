"""Answers as files for GIS and spreadsheets: GeoPackage with styles, GeoJSON, CSV."""

from __future__ import annotations

import sqlite3
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from rsam_core.change.apply.answer import INDICATION, VERDICT, Answer, Checks
from rsam_core.change.apply.features import Features
from rsam_core.change.apply.site import Shapes, Site
from rsam_core.errors import ExportError
from rsam_core.formats import to_csv
from rsam_core.formats.geopackage_shapefile import PIXEL_NOTE
from rsam_core.objects.palette import to_rgb

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

NOBODY: Checks = MappingProxyType({})
_CONTEXT = "#5B6670"


def table_of(answer: Answer, checks: Checks = NOBODY) -> pd.DataFrame:
    """One row a finding that was not refused, with dates, source and the word of caution."""
    import shapely

    findings = answer.checked(checks)
    table = findings.table.copy()
    middles = shapely.get_coordinates(shapely.centroid(answer.site.pixels(findings.shapes)))
    table["centre_x_px"], table["centre_y_px"] = middles.T if len(findings) else ([], [])
    if answer.site.placed:
        points = _mapped(shapely.points(middles), answer.site, "EPSG:4326")
        lonlat = shapely.get_coordinates(points)
        table["longitude"], table["latitude"] = lonlat.T if len(findings) else ([], [])
    for number, date in enumerate(answer.dates):
        table[f"date_{number + 1}"] = date
    if answer.site.attribution:
        table["attribution"] = answer.site.attribution
    return table.assign(caution="indication, not proof")


def csv_of(answer: Answer, checks: Checks = NOBODY) -> bytes:
    """The findings as CSV."""
    return to_csv(table_of(answer, checks))


def geojson_of(answer: Answer, checks: Checks = NOBODY) -> bytes:
    """The findings as GeoJSON: longitude and latitude, or pixels where no map is known."""
    import json

    findings = answer.checked(checks)
    frame = _frame(findings, table_of(answer, checks), answer.site, "EPSG:4326")
    data: dict[str, Any] = json.loads(frame.to_json(na="null", drop_id=True))
    data["name"], data["note"] = answer.title, INDICATION
    if not answer.site.placed:
        data.pop("crs", None)
        data["coordinates_note"] = PIXEL_NOTE
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode()


def geopackage_of(answer: Answer, checks: Checks = NOBODY) -> bytes:
    """Findings and the layers beneath them as GeoPackage, with styles that QGIS shows at once.

    Raises
    ------
    ExportError
        It cannot be written.
    """
    findings = answer.checked(checks)
    crs = answer.site.place.crs if answer.site.placed else None
    layers = {"findings": (findings, table_of(answer, checks), answer.title)}
    for number, layer in enumerate(answer.context, 1):
        layers[f"layer_{number}"] = (layer, _plain_table(layer.table), layer.name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.gpkg"
        try:
            for name, (features, table, title) in layers.items():
                frame = _frame(features, table, answer.site, crs)
                about = INDICATION if answer.site.placed else f"{INDICATION} {PIXEL_NOTE}"
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    frame.to_file(path, driver="GPKG", layer=name, engine="pyogrio",
                                  layer_options={"IDENTIFIER": f"{title} ({name})",
                                                 "DESCRIPTION": about})  # fmt: skip
            _write_styles(path, answer, list(layers)[1:])
            return path.read_bytes()
        except (OSError, ValueError, RuntimeError, sqlite3.Error) as error:
            raise ExportError(
                "The GeoPackage could not be written. Try again, or take the GeoJSON."
            ) from error


def _plain_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table of somebody's layer as a GeoPackage takes it."""
    kept = table.copy()
    kept.columns = _distinct([str(column) for column in table.columns])
    for name in kept.columns:
        if kept[name].dtype == object:
            kept[name] = [None if v is None or v != v else str(v) for v in kept[name]]
    return kept


def _distinct(names: list[str]) -> list[str]:
    taken = {"fid", "geom", "geometry"}
    result = []
    for name in names:
        base, number = name or "column", 1
        while (name or "column").lower() in taken:
            number += 1
            name = f"{base}_{number}"
        name = name or "column"
        taken.add(name.lower())
        result.append(name)
    return result


def _frame(
    features: Features, table: pd.DataFrame, site: Site, crs: str | None
) -> gpd.GeoDataFrame:
    import geopandas as gpd

    shapes = _mapped(site.pixels(features.shapes), site, crs)
    return gpd.GeoDataFrame(
        table.reset_index(drop=True), geometry=list(shapes), crs=crs if site.placed else None
    )


def _mapped(pixels: Shapes, site: Site, crs: str | None) -> Shapes:
    """Shapes in pixels on a map; without one y points up, as a GIS draws over a plain picture."""
    import shapely

    array = np.asarray(pixels, dtype=object)
    if not len(array):
        return array
    if not site.placed:
        return shapely.transform(array, lambda xy: xy * np.array([1.0, -1.0]))
    from pyproj import Transformer

    t = site.place.transform
    way = Transformer.from_crs(site.place.crs, crs, always_xy=True)

    def move(xy: np.ndarray) -> np.ndarray:
        x, y = xy.T
        return np.stack(way.transform(t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f), axis=1)

    return shapely.transform(array, move)


# --- styles for QGIS ------------------------------------------------------------------------

_TABLE = """CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
    f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
    styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
    owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP)"""


def _write_styles(path: Path, answer: Answer, context: list[str]) -> None:
    """The table from which QGIS takes the style of a layer when it is opened."""
    rows = [("findings", answer.title, findings_style(answer.colours))]
    rows += [
        (name, "plain", plain_style(_dimension(layer)))
        for name, layer in zip(context, answer.context)
    ]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_TABLE)
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', 'Styles for QGIS', 0)"
        )
        for name, title, style in rows:
            column = database.execute(
                "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (name,)
            ).fetchone()
            database.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
                "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, "
                "owner) VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '')",
                (name, column[0] if column else "geom", title[:30], style, title),
            )


def findings_style(colours: Mapping[str, str]) -> str:
    """A style of QGIS (QML): one fill for each verdict."""
    categories = "".join(
        f'<category render="true" symbol="{k}" value={quoteattr(name)} label={quoteattr(name)} '
        'type="string"/>'
        for k, name in enumerate(colours)
    )
    symbols = "".join(_symbol(str(k), colour, 150) for k, colour in enumerate(colours.values()))
    return _document(
        f'<renderer-v2 type="categorizedSymbol" attr="{escape(VERDICT)}" symbollevels="0" '
        f'enableorderby="0" forceraster="0"><categories>{categories}</categories>'
        f"<symbols>{symbols}</symbols></renderer-v2>"
    )


def _dimension(layer: Features) -> int:
    import shapely

    return int(shapely.get_dimensions(layer.shapes).max()) if len(layer) else 2


def plain_style(dimension: int = 2) -> str:
    """A style of QGIS (QML): an outline alone, a line (1) or a point (0)."""
    return _document(
        '<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0">'
        f"<symbols>{_symbol('0', _CONTEXT, 0, dimension)}</symbols></renderer-v2>"
    )


_KINDS = {2: ("fill", "SimpleFill"), 1: ("line", "SimpleLine"), 0: ("marker", "SimpleMarker")}


def _symbol(name: str, colour: str, opacity: int, dimension: int = 2) -> str:
    red, green, blue = to_rgb(colour)
    line = f"{red},{green},{blue},255"
    options = {
        2: {"color": f"{red},{green},{blue},{opacity}", "outline_color": line,
            "outline_width": "0.5", "outline_width_unit": "MM", "outline_style": "solid",
            "style": "solid", "joinstyle": "round"},
        1: {"line_color": line, "line_width": "0.6", "line_width_unit": "MM",
            "line_style": "solid"},
        0: {"color": line, "outline_color": "255,255,255,255", "name": "circle", "size": "2.5",
            "size_unit": "MM"},
    }[dimension]  # fmt: skip
    kind, layer = _KINDS[dimension]
    values = "".join(
        f'<Option name="{key}" value="{value}" type="QString"/>' for key, value in options.items()
    )
    return (
        f'<symbol type="{kind}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0">'
        f'<Option type="Map">{values}</Option></layer></symbol>'
    )


def _document(inside: str) -> str:
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="3.28" styleCategories="Symbology">{inside}</qgis>'
    )
