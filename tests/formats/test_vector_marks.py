"""Lines and points from files, and tables of places."""

from __future__ import annotations

import io
import json

import geopandas as gpd
import pytest
import shapely

from rsam_core.errors import MetricError
from rsam_core.formats.vector_csv import read_csv
from rsam_core.formats.vector_files import read_layers

SHAPES = [
    shapely.Point(10.5, 50.25),
    shapely.MultiPoint([(1, 2), (3, 4)]),
    shapely.LineString([(10, 50), (11, 51), (11.5, 51)]),
    shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 1)]]),
    shapely.box(10, 50, 10.5, 50.5),
]
NAMES = ["school", "two bridges", "road", "two roads", "park"]


def frame(some: slice = slice(None)) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": NAMES[some]}, geometry=SHAPES[some], crs="EPSG:4326")


def geojson() -> bytes:
    return frame().to_json().encode()


def geopackage() -> bytes:
    stream = io.BytesIO()
    frame().to_file(stream, driver="GPKG", engine="pyogrio")
    return stream.getvalue()


def kml() -> bytes:
    def coordinates(shape: shapely.Geometry) -> str:
        return " ".join(f"{x},{y},0" for x, y in shapely.get_coordinates(shape))

    def geometry(shape: shapely.Geometry) -> str:
        if shape.geom_type.startswith("Multi"):
            parts = "".join(geometry(part) for part in shape.geoms)
            return f"<MultiGeometry>{parts}</MultiGeometry>"
        inner = f"<coordinates>{coordinates(shape)}</coordinates>"
        if shape.geom_type == "Polygon":
            inner = f"<outerBoundaryIs><LinearRing>{inner}</LinearRing></outerBoundaryIs>"
        return f"<{shape.geom_type}>{inner}</{shape.geom_type}>"

    marks = "".join(
        f"<Placemark><name>{name}</name>{geometry(shape)}</Placemark>"
        for name, shape in zip(NAMES, SHAPES)
    )
    return f'<kml xmlns="http://www.opengis.net/kml/2.2">{marks}</kml>'.encode()


FILES = {"json": geojson, "gpkg": geopackage, "kml": kml}


@pytest.mark.parametrize("kind", FILES)
def test_lines_and_points_come_when_they_are_wanted(kind: str):
    content = FILES[kind]()
    layer = read_layers(content, kind, "places", areas=False)[0]
    assert [row["name"] for row in layer.rows] == NAMES
    for found, given in zip(layer.shapes, SHAPES):
        assert shapely.equals(found, given), (found, given)
    # Whoever reads outlines of objects gets areas alone, and is told of the others.
    alone = read_layers(content, kind, "places")[0]
    assert [row["name"] for row in alone.rows] == ["park"]
    assert alone.left_out == {"points": 2, "lines": 2}


def test_points_of_a_shapefile(tmp_path):
    import zipfile

    frame(slice(0, 1)).to_file(tmp_path / "schools.shp")
    with zipfile.ZipFile(tmp_path / "schools.zip", "w") as archive:
        for part in tmp_path.glob("schools.s*"):
            archive.write(part, part.name)
        for ending in ("dbf", "prj"):
            archive.write(tmp_path / f"schools.{ending}", f"schools.{ending}")
    content = (tmp_path / "schools.zip").read_bytes()
    layer = read_layers(content, "zip", "schools", areas=False)[0]
    assert shapely.equals(layer.shapes[0], SHAPES[0])
    assert layer.crs == "EPSG:4326"


@pytest.mark.parametrize(
    ("text", "crs"),
    [
        ("name,longitude,latitude,beds\nHospital,36.8125,-1.25,120\n", "OGC:CRS84"),
        ("name;lon;lat;beds\nHospital;36,8125;-1,25;120\n", "OGC:CRS84"),
        ("name\tx\ty\tbeds\nHospital\t36.8125\t-1.25\t120\n", None),
        ("\ufeffname,WKT,beds\nHospital,POINT (36.8125 -1.25),120\n", None),
    ],
)
def test_table_of_places(text: str, crs: str | None):
    layer = read_csv(text.encode(), "places.csv")[0]
    assert layer.crs == crs
    assert layer.shapes[0].equals(shapely.Point(36.8125, -1.25))
    assert (layer.rows[0]["name"], layer.rows[0]["beds"]) == ("Hospital", 120)


def test_rows_without_a_place_are_counted():
    text = "lon,lat,code\n1,2,007\n,,8\n1e30,2,9\nabc,2,10\n"
    layer = read_csv(text.encode(), "places.csv")[0]
    assert len(layer.shapes) == 1
    assert layer.rows[0]["code"] == "007"
    assert layer.left_out == {
        "without coordinates": 2,
        "with coordinates that are no places": 1,
    }


def test_latin_letters_of_an_old_table():
    layer = read_csv("name,lon,lat\nMüllerstraße,1,2\n".encode("cp1252"), "a.csv")[0]
    assert layer.rows[0]["name"] == "Müllerstraße"


def test_table_without_places_says_what_it_has():
    with pytest.raises(MetricError, match=r"it has: name, beds.*longitude"):
        read_csv(b"name,beds\nHospital,120\n", "places.csv")
    with pytest.raises(MetricError, match="no table of text"):
        read_csv(b"\x89PNG\0\0\0", "places.csv")


def test_damaged_coordinates_of_points_cost_their_entry():
    data = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {}, "geometry": {"type": kind, "coordinates": bad}}
            for kind, bad in (("Point", []), ("Point", ["a", 1]), ("LineString", [[1, 2]]),
                              ("MultiPoint", [[1, 2], None]), ("LineString", 3))
        ],
    }  # fmt: skip
    layer = read_layers(json.dumps(data).encode(), "json", "odd", areas=False)[0]
    assert [shape.wkt for shape in layer.shapes] == ["POINT (1 2)"]
