"""GeoPackage, Shapefile and KML: read back with geopandas, and compared with the masks."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from rasterio.transform import Affine

from rsam_core.errors import ExportError
from rsam_core.formats import (
    OutlineSettings,
    outline_polygon,
    short_names,
    to_geojson,
    to_geopackage,
    to_kml,
    to_shapefile,
)
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import measure

UTM = SimpleNamespace(
    name="town.tif",
    crs="EPSG:32637",
    gsd=0.5,
    pixel_area_m2=0.25,
    transform=Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000),
)


def objects() -> Instances:
    ring = np.ones((6, 7), bool)
    ring[2:4, 2:5] = False
    blob = np.random.default_rng(3).random((12, 9)) < 0.6
    return Instances(
        [
            Instance(ring, 10, 20, 0.9, 3, "box", "maison à cour"),
            Instance(np.eye(2, dtype=bool), 40, 5, 0.5, 8),
            Instance(blob, 60, 30, 0.7, 9, label="<road> & \"track\""),
        ],
        (50, 80),
    )  # fmt: skip


def read(data: bytes, name: str, folder, **how) -> gpd.GeoDataFrame:
    path = folder / name
    path.write_bytes(data)
    return gpd.read_file(path, **how)


def test_geopackage_keeps_count_areas_crs_and_attributes(tmp_path):
    back = read(to_geopackage(objects(), UTM), "o.gpkg", tmp_path, layer="objects")
    table = measure(objects(), UTM)
    assert back.crs.to_epsg() == 32637
    assert back.geometry.is_valid.all()
    assert back.area.to_numpy() == pytest.approx(table["area_m2"].to_numpy())
    assert back["label"].tolist()[0::2] == [objects()[0].label, objects()[2].label]
    assert back["label"].isna().tolist() == [False, True, False]
    for column in table.select_dtypes("number"):
        assert back[column].to_numpy() == pytest.approx(table[column].to_numpy())
    assert back.total_bounds[0] == pytest.approx(500_005)
    assert back.geometry[0].bounds[3] == pytest.approx(4_000_000 - 10)


def test_shapefile_keeps_the_same_under_short_names(tmp_path):
    data = to_shapefile(objects(), UTM)
    back = read(data, "o.zip", tmp_path)
    table = measure(objects(), UTM)
    names = short_names(list(table))
    assert set(names.values()) == set(back.columns) - {"geometry"}
    assert back.crs.to_epsg() == 32637
    assert back.area.to_numpy() == pytest.approx(table["area_m2"].to_numpy())
    assert back["label"].tolist()[0] == "maison à cour"
    assert back["label"].isna().tolist() == [False, True, False]
    for column in table.select_dtypes("number"):
        assert back[names[column]].to_numpy(float) == pytest.approx(table[column].to_numpy(float))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name.split(".")[1] for name in archive.namelist()} >= {"shp", "shx", "dbf", "prj"}
        listed = archive.read("README.txt").decode()
    for column, short in names.items():
        assert f"{short:10s}  {column}" in listed


def test_short_names_are_ten_letters_and_unique():
    columns = ["id", "perimeter_m", "mean_band_1", "mean_band_2", "mean_band_3", "MEAN_BAND_4"]
    columns += [f"a_very_long_name_{i}" for i in range(12)] + ["Größe", "площадь"]
    names = short_names(columns)
    assert list(names) == columns
    assert len({name.lower() for name in names.values()}) == len(columns)
    assert all(0 < len(name) <= 10 and name.isascii() for name in names.values())
    assert names["id"] == "id"
    assert names["perimeter_m"] == "perim_m"


@pytest.mark.parametrize("scene", [None, SimpleNamespace(crs=None, transform=None, gsd=None)])
def test_without_a_georeference_y_points_up_and_the_file_says_so(scene, tmp_path):
    back = read(to_geopackage(objects(), scene), "o.gpkg", tmp_path)
    assert back.crs is None or back.crs.to_epsg() is None
    assert back.area.tolist() == objects().areas.tolist()
    assert back.geometry[0].bounds == (10, -26, 17, -20)
    assert b"minus the distance from the top edge" in to_geopackage(objects(), scene)
    data = to_shapefile(objects(), scene)
    assert read(data, "o.zip", tmp_path).area.tolist() == objects().areas.tolist()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "minus the distance from the top edge" in archive.read("README.txt").decode()
    with pytest.raises(ExportError, match="places on Earth"):
        to_kml(objects(), scene)


def test_kml_is_read_by_gdal_with_names_holes_and_attributes(tmp_path):
    classes = ClassList().add("maison à cour", "#112233")
    data = to_kml(objects(), UTM, classes=classes)
    back = read(data, "o.kml", tmp_path)
    assert back.crs.to_epsg() == 4326
    assert len(back) == 3
    assert back.to_crs(32637).area.to_numpy() == pytest.approx(
        measure(objects(), UTM)["area_m2"].to_numpy(), rel=1e-4
    )
    assert len(back.geometry[0].interiors) == 1
    assert [name.rsplit(" ", 1)[-1] for name in back["Name"]] == ["3", "8", "9"]
    # An invisible sign keeps Google Earth from taking the name for HTML.
    assert back["Name"][2].replace("\u2060", "").startswith('<road> & "track"')
    assert float(back["area_m2"][0]) == pytest.approx(9)
    assert b"<color>ff332211</color>" in data


def test_geojson_round_trip_through_geopandas(tmp_path):
    back = read(to_geojson(objects(), UTM), "o.geojson", tmp_path)
    assert back.crs.to_epsg() == 4326
    assert back.to_crs(32637).area.to_numpy() == pytest.approx(
        measure(objects(), UTM)["area_m2"].to_numpy(), rel=1e-4
    )
    assert back["label"].tolist()[0] == "maison à cour"


def slanted(radius: int = 40) -> Instance:
    y, x = np.indices((2 * radius + 1, 2 * radius + 1)) - radius
    return Instance(np.abs(x + 0.3 * y) + np.abs(y - 0.3 * x) <= radius)


def vertices(shape: shapely.Geometry) -> int:
    return shapely.get_num_coordinates(shape)


@pytest.mark.parametrize("tolerance", [0.75, 1.0, 2.0])
def test_simplified_outlines_stay_within_the_tolerance(tolerance):
    exact, simple = outline_polygon(slanted()), outline_polygon(slanted(), tolerance)
    assert simple.is_valid
    assert vertices(simple) < vertices(exact) / 3
    assert exact.boundary.hausdorff_distance(simple.boundary) <= 1.5 * tolerance
    assert simple.area == pytest.approx(exact.area, rel=0.03)


def test_specks_and_diagonals_survive_simplification():
    for mask in (np.ones((1, 1), bool), np.eye(5, dtype=bool), np.ones((1, 9), bool)):
        for tolerance in (1.0, 50.0):
            simple = outline_polygon(Instance(mask), tolerance)
            assert simple.is_valid
            assert simple.area > 0


def test_tolerance_in_metres_needs_the_ground_distance():
    settings = OutlineSettings(0.5, "m")
    assert settings.pixels(UTM) == 1.0
    with pytest.raises(ExportError, match="size of a pixel"):
        settings.pixels(None)
    assert OutlineSettings(0, "m").pixels(None) == 0
    one = Instances([slanted()], (200, 200))
    many, few = (to_geojson(one, UTM, settings=s) for s in (None, settings))
    assert len(few) < len(many) / 2
    for wrong in ({"tolerance": -1}, {"tolerance": float("nan")}, {"unit": "ft"}):
        with pytest.raises(ExportError):
            OutlineSettings(**wrong)


def test_a_table_of_its_own_goes_along_and_a_foreign_one_is_refused(tmp_path):
    table = measure(objects(), UTM).assign(ndvi=[0.1, np.nan, 0.3], label="old")
    back = read(to_geopackage(objects(), UTM, table=table), "o.gpkg", tmp_path)
    assert back["ndvi"].tolist()[0::2] == [0.1, 0.3]
    assert np.isnan(back["ndvi"][1])
    assert back["label"][0] == "maison à cour"
    for writer in (to_geopackage, to_shapefile, to_geojson, to_kml):
        with pytest.raises(ExportError, match="not about these objects"):
            writer(objects(), UTM, table=table[::-1])


def test_nothing_and_unknown_coordinate_systems(tmp_path):
    assert len(read(to_geopackage(Instances.empty((5, 5)), UTM), "o.gpkg", tmp_path)) == 0
    assert len(read(to_shapefile(Instances.empty((5, 5)), UTM), "o.zip", tmp_path)) == 0
    assert b"<Placemark" not in to_kml(Instances.empty((5, 5)), UTM)
    unknown = SimpleNamespace(**(vars(UTM) | {"crs": "EPSG:999999"}))
    for writer in (to_geopackage, to_shapefile, to_kml):
        with pytest.raises(ExportError, match=r"EPSG:999999.*not known"):
            writer(objects(), unknown)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 3.0])
def test_areas_beside_simplified_outlines_are_those_of_the_outlines(tmp_path, tolerance):
    """Whoever measures the geometry finds what the table says, and what the app showed."""
    mask = np.hypot(*((np.indices((61, 61)) - 30) / np.array([[[30]], [[18]]]))) <= 1
    found = Instances(
        [Instance(mask, 9, 5, id=1), Instance(slanted().mask, 100, 9, id=2)], (400, 400)
    )
    settings = OutlineSettings(tolerance)
    back = read(to_geopackage(found, UTM, settings=settings), "o.gpkg", tmp_path)
    # Metres of the map are those of the ground here, so the geometry's area is square metres.
    np.testing.assert_allclose(back["area_m2"], back.area, rtol=1e-9)
    np.testing.assert_allclose(back["area_m2"], found.areas * 0.25, rtol=1e-3)
