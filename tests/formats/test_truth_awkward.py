"""Outlines from the field: with holes in their data, under wrong names, in guessed places."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.io import MemoryFile

from rsam_core.errors import MetricError, TruthChoice
from rsam_core.formats import to_geojson, to_geopackage, to_kml, to_shapefile
from rsam_core.formats.truth import read_truth
from rsam_core.objects.instances import Instances
from rsam_core.scene.scene import Scene, open_scene

pytestmark = pytest.mark.filterwarnings(
    "ignore::rasterio.errors.NotGeoreferencedWarning", "ignore:'crs' was not provided"
)

PLACE = Affine(0.5, 0, 530_000, 0, -0.5, 9_310_000)
UTM = "EPSG:32737"
HEIGHT, WIDTH = 64, 80
SQUARE = [[10, 10], [20, 10], [20, 20], [10, 20], [10, 10]]
TO_DEGREES = Transformer.from_crs(UTM, 4326, always_xy=True)


def tiff(array: np.ndarray, crs: str | None = UTM, place: Affine = PLACE, **options) -> bytes:
    bands = array if array.ndim == 3 else array[None]
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=len(bands), height=bands.shape[1], width=bands.shape[2],
            dtype=bands.dtype, transform=place, crs=crs, **options,
        ) as dataset:  # fmt: skip
            dataset.write(bands)
        return memory.read()


NOISE = np.random.default_rng(0).integers(0, 255, (3, HEIGHT, WIDTH), np.uint8)


@pytest.fixture(scope="module")
def placed() -> Scene:
    return open_scene(tiff(NOISE), name="town.tif")


@pytest.fixture(scope="module")
def plain() -> Scene:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(NOISE.transpose(1, 2, 0)).save(stream, "PNG")
    return open_scene(stream.getvalue(), name="photo.png")


def on_map(points) -> np.ndarray:
    return np.array([PLACE @ (x, y) for x, y in points])


def polygon(points) -> dict:
    return {"type": "Polygon", "coordinates": [np.asarray(points).tolist()]}


def collection(*geometries, **extra) -> bytes:
    features = [
        {"type": "Feature", "properties": {"class": f"c{i}"}, "geometry": g}
        for i, g in enumerate(geometries)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features} | extra).encode()


def boxes(*corners, crs: str | None = None, **columns) -> geopandas.GeoDataFrame:
    """Rectangles on the map by their corners in scene pixels."""
    shapes = [shapely.box(*(PLACE @ (a, b)), *(PLACE @ (c, d))) for a, b, c, d in corners]
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=crs)


def shapefile(frame: geopandas.GeoDataFrame, folder: Path, without=(), **options) -> bytes:
    frame.to_file(folder / "layer.shp", **options)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part in sorted(folder.glob("layer.*")):
            if part.suffix not in without:
                archive.write(part, part.name)
    return stream.getvalue()


def geopackage(folder: Path, **layers: geopandas.GeoDataFrame) -> bytes:
    path = folder / "layers.gpkg"
    for name, frame in layers.items():
        frame.to_file(path, driver="GPKG", layer=name)
    return path.read_bytes()


# --- what is left out ----------------------------------------------------------------------

LINE = {"type": "LineString", "coordinates": SQUARE[:2]}
POINT = {"type": "Point", "coordinates": [12, 12]}
USELESS = {
    "null": None,
    "empty": {"type": "Polygon", "coordinates": []},
    "empty ring": {"type": "Polygon", "coordinates": [[]]},
    "line": LINE,
    "point": POINT,
    "collection of lines": {"type": "GeometryCollection", "geometries": [LINE, POINT]},
    "two corners": polygon(SQUARE[:2]),
    "words": polygon([["a", "b"], [1, 2], [3, 4], ["a", "b"]]),
    "nothing": polygon([[None, 1], [1, 2], [3, 4], [None, 1]]),
    "one number each": {"type": "Polygon", "coordinates": [[1, 2, 3, 4]]},
    "not a number": polygon([[float("nan"), 1], [1, 2], [3, 4]]),
    "infinite": polygon([[float("inf"), 1], [1, 2], [3, 4]]),
    "1e300": polygon([[1e300, 1], [1, 2], [3, 4]]),
    "no geometry at all": {"type": "Circle", "coordinates": [1, 2]},
    "a word": "Polygon",
    "a list": [1, 2],
}


@pytest.mark.parametrize("kind", USELESS)
def test_what_is_good_is_read_and_the_rest_told(plain: Scene, kind: str):
    truth = read_truth(collection(polygon(SQUARE), USELESS[kind]), plain)
    assert truth.objects.areas.tolist() == [100]
    assert truth.objects[0].label == "c0"
    assert "1 of 2 entries was left out" in truth.notes[0]


def test_a_collection_gives_its_areas(plain: Scene):
    mixed = {"type": "GeometryCollection", "geometries": [LINE, polygon(SQUARE), POINT]}
    assert read_truth(collection(mixed), plain).objects.areas.tolist() == [100]


def test_rings_that_cross_themselves_and_parts_that_overlap(plain: Scene):
    bow = polygon([[10, 10], [30, 30], [30, 10], [10, 30]])
    pair = {"type": "MultiPolygon", "coordinates": [[SQUARE], [(np.array(SQUARE) + 5).tolist()]]}
    truth = read_truth(collection(bow, pair), plain)
    # Two triangles of base 20 and height 10; two squares of 100 with 25 in common.
    assert truth.objects.areas[0] == pytest.approx(200, abs=25)
    assert truth.objects.areas[1] == 175


def computed() -> float:
    """Seconds that processors have worked on this, however busy they are with other things."""
    return sum(os.times()[:4])


@pytest.mark.parametrize("far", [1e6, 1e9, 1e12, 9e14])
def test_a_corner_far_away_takes_no_time(plain: Scene, far: float):
    began = computed()
    spike = polygon([[10, 10], [20, 10], [20, far], [10, 20]])
    truth = read_truth(collection(spike), plain)
    # Left of the long side all is inside: a column of 10 pixels from row 10 to the lower edge.
    assert truth.objects.areas[0] == pytest.approx(540, abs=12)
    assert computed() - began < 20


def test_an_outline_tangled_on_purpose_is_left_out(plain: Scene):
    big = scene_of(3000)
    corners = np.random.default_rng(0).uniform(0, 3000, (20_000, 2))
    began = computed()
    truth = read_truth(collection(polygon(corners), polygon(SQUARE)), big)
    assert truth.objects.areas.tolist() == [100]
    assert "crosses itself" in " ".join(truth.notes)
    assert computed() - began < 60


def scene_of(side: int) -> Scene:
    return open_scene(tiff(np.zeros((1, side, side), np.uint8), crs=None), name="big.tif")


@pytest.mark.parametrize(
    "content",
    [collection(), collection(None), collection({"type": "Polygon", "coordinates": []})],
)
def test_a_tile_without_objects_is_truth(placed: Scene, content: bytes):
    truth = read_truth(content, placed)
    assert truth.count == 0
    assert "no object at all" in truth.warnings[0]


def test_an_empty_layer_is_truth(placed: Scene, tmp_path: Path):
    empty = geopandas.GeoDataFrame({"a": []}, geometry=[], crs=UTM)
    assert read_truth(geopackage(tmp_path, empty=empty), placed).count == 0
    assert read_truth(shapefile(empty, tmp_path), placed).count == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (collection(POINT, POINT, LINE), "points and no areas"),
        (collection(LINE), "lines and no areas"),
        (collection(USELESS["words"]), "no outline that can be used"),
        (json.dumps({"type": "Topology", "objects": {}}).encode(), "neither GeoJSON nor a COCO"),
        (b'<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"/>', "is XML"),
        (b"<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>", "is XML"),
        (b'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "b">]><kml/>', "DOCTYPE"),
        (b"<kml><Document>", "no complete KML"),
    ],
)
def test_what_is_no_truth_says_why(placed: Scene, content: bytes, words: str):
    with pytest.raises(MetricError, match=words):
        read_truth(content, placed, name="bad")


# --- GeoJSON of other kinds ----------------------------------------------------------------


def test_one_feature_a_line(plain: Scene):
    features = json.loads(collection(polygon(SQUARE), None))["features"]
    lines = [json.dumps(feature) for feature in features]
    for text in ("\n".join(lines), "\r\n".join([*lines, ""]), "\x1e" + "\n\x1e".join(lines)):
        truth = read_truth(text.encode(), plain, name="x.geojsonl")
        assert truth.objects.areas.tolist() == [100]
    torn = "\n".join([*lines, lines[0][:40]])
    assert "2 of 3 entries were left out" in read_truth(torn.encode(), plain).notes[0]
    assert read_truth(json.dumps(features).encode(), plain).count == 1
    assert read_truth(lines[0].encode(), plain).count == 1


def test_large_geojson_is_read_in_a_process_of_its_own(plain: Scene):
    many = [polygon((np.array(SQUARE) / 10 + [k % 79, k // 79 % 60]).tolist()) for k in range(3000)]
    content = collection(*many, None)
    assert len(content) > 256 << 10
    truth = read_truth(content, plain)
    assert truth.count == 3000
    assert truth.attributes[7] == {"class": "c7"}
    assert "1 of 3,001" in truth.notes[0]


def test_the_system_that_an_older_file_names(placed: Scene):
    there = polygon(on_map(SQUARE))
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32737"}}
    truth = read_truth(collection(there, crs=named), placed)
    assert (truth.objects[0].bbox, truth.notes, truth.others) == ((10, 10, 20, 20), (), ())
    link = {"type": "link", "properties": {"href": "http://127.0.0.1:9/x", "type": "proj4"}}
    truth = read_truth(collection(there, crs=link), placed)
    assert truth.objects[0].bbox == (10, 10, 20, 20)
    assert "is a link, which was not followed" in truth.notes[0]
    grids = {"type": "name", "properties": {"name": "+proj=longlat +nadgrids=/etc/passwd"}}
    truth = read_truth(collection(there, crs=grids), placed)
    assert "not one that is known" in truth.notes[0]


# --- classes and attributes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "values", "labels"),
    [
        ("class", [3, 12], ["3", "12"]),
        ("class_id", [3.0, None], ["3", None]),
        ("Type", ["roof", ""], ["roof", None]),
        ("CLASS_NAME", ["a" * 100, "b\tc\n d"], ["a" * 60, "b c d"]),
        ("label", ["Ко\u0308", " x "], ["Кӧ", "x"]),
    ],
)
def test_classes_are_kept_under_any_usual_name(plain: Scene, column, values, labels):
    features = [
        {"type": "Feature", "properties": {column: v, "n": i}, "geometry": polygon(SQUARE)}
        for i, v in enumerate(values)
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    truth = read_truth(content, plain)
    assert [item.label for item in truth.objects] == labels
    assert [row["n"] for row in truth.attributes] == [0, 1]


# --- several layers ------------------------------------------------------------------------


def test_of_several_layers_one_is_asked_for(placed: Scene, tmp_path: Path):
    roofs = boxes((10, 10, 20, 20), crs=UTM)
    roads = boxes((30, 30, 50, 34), (0, 0, 2, 2), crs=UTM)
    content = geopackage(tmp_path, roofs=roofs, roads=roads)
    with pytest.raises(
        TruthChoice, match=r"several layers: roofs \(1 outline\), roads \(2 outlines\)"
    ) as caught:
        read_truth(content, placed, name="town.gpkg")
    assert caught.value.option == "layer"
    assert [value for value, _ in caught.value.choices] == ["roofs", "roads"]
    assert read_truth(content, placed, layer="roofs").objects.areas.tolist() == [100]
    assert read_truth(content, placed, layer="roads").objects.areas.tolist() == [80, 4]
    with pytest.raises(TruthChoice, match="no layer “trees”"):
        read_truth(content, placed, layer="trees")


def test_the_only_layer_with_areas_is_taken(placed: Scene, tmp_path: Path):
    points = geopandas.GeoDataFrame(geometry=[shapely.Point(PLACE @ (3, 3))], crs=UTM)
    content = geopackage(tmp_path, trees=points, roofs=boxes((10, 10, 20, 20), crs=UTM))
    truth = read_truth(content, placed)
    assert truth.objects.areas.tolist() == [100]
    assert "“roofs” was read" in truth.notes[0]


def test_layers_of_an_archive_are_asked_for(placed: Scene, tmp_path: Path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("roofs", "roads"):
            boxes((10, 10, 20, 20), crs=UTM).to_file(tmp_path / f"{name}.shp")
            for part in tmp_path.glob(f"{name}.*"):
                archive.write(part, f"data\\{part.name}")
        archive.writestr("__MACOSX/data/._roofs.shp", b"\0\5\x16\7")
        archive.writestr("about.json", b"{}")
    with pytest.raises(TruthChoice) as caught:
        read_truth(stream.getvalue(), placed)
    assert {value for value, _ in caught.value.choices} == {"roofs", "roads"}
    assert read_truth(stream.getvalue(), placed, layer="roads").count == 1


# --- where they lie ------------------------------------------------------------------------


def test_degrees_without_a_system_are_found_out(placed: Scene, tmp_path: Path):
    frame = boxes((10, 10, 30, 24), (40, 30, 60, 50), crs=UTM).to_crs(4326)
    truth = read_truth(shapefile(frame, tmp_path, (".prj",)), placed)
    assert truth.objects.areas.tolist() == [280, 400]
    assert "read as longitude and latitude" in truth.notes[0]
    # The place lies six degrees south, so that as pixels it would have to be minus the row.
    assert [(other.option, other.value) for other in truth.others] == [("placed", "pixels-up")]


def test_degrees_of_another_place_are_no_pixels(placed: Scene, tmp_path: Path):
    frame = geopandas.GeoDataFrame(geometry=[shapely.box(10.0, 50.0, 10.0002, 50.0001)])
    content = shapefile(frame, tmp_path)
    with pytest.raises(TruthChoice, match=r"near longitude 10\.0001, latitude 50\.0001") as caught:
        read_truth(content, placed)
    assert [value for value, _ in caught.value.choices] == ["pixels"]
    # Who knows better can have it.
    assert read_truth(content, placed, placed="pixels").objects[0].bbox == (10, 50, 11, 51)


def test_the_system_can_be_given(placed: Scene, tmp_path: Path):
    frame = boxes((10, 10, 20, 20), crs=UTM).to_crs(3857)
    content = shapefile(frame, tmp_path, (".prj",))
    with pytest.raises(MetricError, match="another place"):
        read_truth(content, placed)
    truth = read_truth(content, placed, placed="EPSG:3857")
    assert truth.objects.areas.tolist() == [100]
    assert "as asked" in truth.notes[0]
    for wrong in ("EPSG:99999999", "+proj=longlat +nadgrids=/etc/passwd", "nonsense"):
        with pytest.raises(MetricError, match="no coordinate system that is known"):
            read_truth(content, placed, placed=wrong)


def test_rsam_reads_back_what_it_wrote_of_a_plain_picture(plain: Scene):
    labels = np.zeros((HEIGHT, WIDTH), np.int32)
    labels[10:20, 10:30], labels[40:60, 50:55] = 1, 2
    objects = Instances.from_label_map(labels)
    for write in (to_geojson, to_geopackage, to_shapefile):
        truth = read_truth(write(objects, plain), plain)
        assert (truth.labels == labels).all()
        assert (truth.notes, truth.others) == ((), ())


def test_rsam_reads_back_what_it_wrote_of_a_place(placed: Scene):
    labels = np.zeros((HEIGHT, WIDTH), np.int32)
    labels[10:20, 10:30], labels[40:60, 50:55] = 1, 2
    objects = Instances.from_label_map(labels)
    for write in (to_geojson, to_geopackage, to_shapefile, to_kml):
        truth = read_truth(write(objects, placed), placed)
        assert (truth.labels == labels).all()
        assert truth.notes == ()
        assert truth.attributes[1]["id"] in (2, "2")


def test_drawn_over_a_plain_picture_y_is_minus_the_row(plain: Scene, tmp_path: Path):
    frame = geopandas.GeoDataFrame({"label": ["house"]}, geometry=[shapely.box(10, -20, 30, -10)])
    for content in (geopackage(tmp_path, drawn=frame), shapefile(frame, tmp_path)):
        truth = read_truth(content, plain)
        assert truth.objects[0].bbox == (10, 10, 30, 20)
        assert "minus the row" in truth.notes[0]


def test_systems_are_the_same_however_they_are_written(placed: Scene):
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[10:20, 10:30] = 1
    for crs in (UTM, CRS(32737).to_wkt("WKT1_ESRI"), CRS(32737).to_wkt("WKT2_2019")):
        truth = read_truth(tiff(labels, crs), placed)
        assert (truth.labels == labels).all()
        assert truth.notes == ()


# --- texts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "words", "said"),
    [
        ("cp1251", ["дом", "гараж"], "Windows-1251"),
        ("cp866", ["дом", "гараж"], "DOS 866"),
        ("cp1252", ["Häuser", "Straße"], "Windows-1252"),
        ("utf-8", ["Häuser", "дом"], "UTF-8"),
        ("ascii", ["house", "road"], ""),
    ],
)
def test_old_code_pages(placed: Scene, tmp_path: Path, encoding: str, words, said: str):
    frame = boxes((10, 10, 20, 20), (30, 30, 40, 40), crs=UTM, label=words)
    if encoding != "ascii":
        told = read_truth(shapefile(frame, tmp_path, encoding=encoding), placed)
        assert [item.label for item in told.objects] == words
        assert told.notes == ()
    guessed = read_truth(
        shapefile(frame, tmp_path, (".cpg",), encoding=None if encoding == "ascii" else encoding),
        placed,
    )
    assert [item.label for item in guessed.objects] == words
    assert bool(guessed.notes) == bool(said)
    if said:
        assert said in guessed.notes[0]
        assert {other.option for other in guessed.others} == {"encoding"}


def test_the_code_page_can_be_given(placed: Scene, tmp_path: Path):
    frame = boxes((10, 10, 20, 20), crs=UTM, label=["Łódź"])
    content = shapefile(frame, tmp_path, (".cpg",), encoding="cp1250")
    assert read_truth(content, placed).objects[0].label != "Łódź"
    assert read_truth(content, placed, encoding="cp1250").objects[0].label == "Łódź"
    with pytest.raises(MetricError, match="no encoding"):
        read_truth(content, placed, encoding="nonsense")


# --- nothing else is opened ----------------------------------------------------------------


def test_views_virtual_tables_and_triggers_of_a_geopackage_do_nothing(
    placed: Scene, tmp_path: Path
):
    path = tmp_path / "layers.gpkg"
    path.write_bytes(geopackage(tmp_path, roofs=boxes((10, 10, 20, 20), crs=UTM)))
    with sqlite3.connect(path) as database:
        database.execute("CREATE VIEW other AS SELECT fid, geom FROM roofs")
        database.execute(
            "INSERT INTO gpkg_geometry_columns SELECT 'other', column_name, geometry_type_name, "
            "srs_id, z, m FROM gpkg_geometry_columns"
        )
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "INSERT INTO sqlite_master VALUES ('table', 'far', 'far', 0, "
            "'CREATE VIRTUAL TABLE far USING VirtualOGR(''/etc/passwd'')')"
        )
        database.execute(
            "INSERT INTO gpkg_geometry_columns SELECT 'far', column_name, geometry_type_name, "
            "srs_id, z, m FROM gpkg_geometry_columns WHERE table_name = 'roofs'"
        )
    truth = read_truth(path.read_bytes(), placed)
    assert truth.objects.areas.tolist() == [100]


def test_a_geopackage_that_is_in_use_is_read(placed: Scene, tmp_path: Path):
    content = bytearray(geopackage(tmp_path, roofs=boxes((10, 10, 20, 20), crs=UTM)))
    content[18:20] = b"\2\2"
    assert read_truth(bytes(content), placed).count == 1


def test_links_in_kml_are_not_followed(placed: Scene):
    x, y = TO_DEGREES.transform(*on_map(SQUARE).T)
    corners = " ".join(f"{a:.9f},{b:.9f},0" for a, b in zip(x, y))
    content = f"""<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
        <NetworkLink><Link><href>http://127.0.0.1:9/x.kml</href></Link></NetworkLink>
        <GroundOverlay><Icon><href>/etc/passwd</href></Icon></GroundOverlay>
        <Placemark><name>a</name><ExtendedData><Data name="label"><value>roof</value></Data>
        </ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>{corners}</coordinates>
        </LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"""
    truth = read_truth(content.encode(), placed)
    assert truth.objects[0].bbox == (10, 10, 20, 20)
    assert truth.objects[0].label == "roof"
    assert "2 links or pictures" in " ".join(truth.notes)


def test_gdal_knows_no_format_that_names_other_files():
    from rsam_core.formats.vector_files import only_shapefiles
    from rsam_core.runtime.limited_reading import run_limited

    found = run_limited(drivers, environment=only_shapefiles())
    # “MEM” are arrays in memory, on which outlines are drawn.
    assert set(found["names"]) - {"MEM", "Memory"} == {"ESRI Shapefile"}


def drivers() -> dict:
    from pyogrio import list_drivers

    return {"names": sorted(list_drivers())}


def test_only_the_parts_of_a_shapefile_are_laid_down(placed: Scene, tmp_path: Path):
    content = shapefile(boxes((10, 10, 20, 20), crs=UTM), tmp_path)
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as archive:
        link = zipfile.ZipInfo("layer.qix")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("layer.vrt", "<OGRVRTDataSource/>")
    assert read_truth(stream.getvalue(), placed).objects.areas.tolist() == [100]
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("../layer.shp", b"\0\0\x27\x0a")
    with pytest.raises(MetricError, match="unsafe path"):
        read_truth(stream.getvalue(), placed)


def test_damaged_layers_end_with_a_message(placed: Scene, tmp_path: Path):
    frame = boxes((10, 10, 20, 20), (30, 30, 40, 40), crs=UTM)
    package = geopackage(tmp_path, roofs=frame)
    for size in (120, 4096, len(package) // 2):
        with pytest.raises(MetricError, match=r"damaged|holds no outlines"):
            read_truth(package[:size], placed, name="cut.gpkg")
    whole = shapefile(frame, tmp_path)
    for size in (60, len(whole) // 2, len(whole) - 30):
        with pytest.raises(MetricError, match="damaged ZIP"):
            read_truth(whole[:size], placed, name="cut.zip")
