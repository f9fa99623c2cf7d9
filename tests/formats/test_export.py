"""Files that other programs can read: read them back with those programs."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from pyproj import Transformer
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from rsam_core.errors import ExportError
from rsam_core.formats import (
    label_geotiff,
    label_png,
    outline_polygon,
    overlay_png,
    to_csv,
    to_geojson,
)
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import measure

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

UTM = SimpleNamespace(
    crs="EPSG:32637",
    gsd=0.5,
    pixel_area_m2=0.25,
    transform=Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000),
)


def ring() -> np.ndarray:
    mask = np.ones((6, 7), bool)
    mask[2:4, 2:5] = False
    return mask


def some_objects() -> Instances:
    corner = np.eye(2, dtype=bool)
    blob = np.random.default_rng(3).random((12, 9)) < 0.6
    return Instances(
        [
            Instance(ring(), 10, 20, 0.9, 3, "box", "maison à cour"),
            Instance(corner, 40, 5, 0.5, 8),
            Instance(blob, 60, 30, 0.7, 9),
        ],
        (50, 80),
    )


def test_csv_opens_in_a_spreadsheet_and_comes_back():
    table = measure(some_objects(), UTM)
    data = to_csv(table)
    assert data.startswith(b"\xef\xbb\xbfid,label,")
    back = pd.read_csv(io.BytesIO(data), encoding="utf-8-sig")
    assert list(back) == list(table)
    assert back["label"][0] == "maison à cour"
    assert pd.isna(back["label"][1])
    numbers = table.select_dtypes("number").columns
    assert np.allclose(back[numbers], table[numbers], rtol=1e-9)


def test_label_png_holds_the_numbers_in_16_bits():
    objects = some_objects().add(Instance(np.ones((2, 2), bool), 0, 0, id=65_535))
    image = Image.open(io.BytesIO(label_png(objects)))
    assert image.mode.startswith("I;16")
    assert (np.array(image) == objects.label_map()).all()
    assert image.getpixel((0, 0)) == 65_535


def test_label_png_refuses_more_than_16_bits():
    one = Instance(np.ones((1, 1), bool))
    high = Instances([Instance(np.ones((1, 1), bool), id=65_536)], (300, 300))
    with pytest.raises(ExportError, match=r"up to 65,535; the highest here is 65,536"):
        label_png(high)
    assert label_png(high.renumber())
    many = Instances([one] * 65_536, (300, 300))
    with pytest.raises(ExportError, match=r"at most 65,535 objects; these are 65,536"):
        label_png(many)
    with pytest.raises(ExportError, match="no pixels"):
        label_png(Instances.empty((0, 0)))


def test_overlay_png_keeps_every_pixel():
    rgb = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    assert (np.array(Image.open(io.BytesIO(overlay_png(rgb)))) == rgb).all()
    with pytest.raises(ExportError, match="three colours"):
        overlay_png(rgb[..., 0])


@pytest.mark.parametrize("scene", [UTM, None])
def test_label_geotiff(scene):
    objects = some_objects()
    with MemoryFile(label_geotiff(objects, scene)) as memory, memory.open() as dataset:
        assert (dataset.read(1) == objects.label_map()).all()
        assert dataset.dtypes == ("int32",)
        assert dataset.nodata == 0
        assert dataset.crs == (scene and scene.crs)
        assert dataset.transform == (scene.transform if scene else Affine.identity())


def test_outline_has_exactly_the_area_of_the_mask():
    for item in some_objects():
        polygon = outline_polygon(item)
        assert polygon.is_valid
        assert polygon.area == item.area
        # x and y of a polygon are scene pixels: every pixel centre of the mask lies inside.
        rows, columns = np.nonzero(item.mask)
        assert shapely.contains_xy(polygon, columns + item.x + 0.5, rows + item.y + 0.5).all()
    polygon = outline_polygon(some_objects()[0])
    assert polygon.bounds == (10, 20, 17, 26)
    assert [hole.bounds for hole in polygon.interiors] == [(12, 22, 15, 24)]
    assert outline_polygon(some_objects()[1]).geom_type == "MultiPolygon"


def features(data: bytes) -> list[dict]:
    collection = json.loads(data)
    assert collection["type"] == "FeatureCollection"
    return collection["features"]


def polygons(shape: shapely.Geometry) -> list[shapely.Polygon]:
    return list(getattr(shape, "geoms", [shape]))


def test_geojson_of_a_georeferenced_scene_is_rfc_7946():
    objects = some_objects()
    data = to_geojson(objects, UTM)
    assert set(json.loads(data)) == {"type", "features"}
    back = Transformer.from_crs("EPSG:4326", "EPSG:32637", always_xy=True)
    for feature, item in zip(features(data), objects):
        shape = shapely.geometry.shape(feature["geometry"])
        # UTM zone 37 has its central meridian at 39° east.
        assert shape.bounds[0] == pytest.approx(39.0, abs=0.001)
        assert shape.bounds[1] == pytest.approx(36.14, abs=0.01)
        for polygon in polygons(shape):
            assert polygon.exterior.is_ccw
            assert not any(hole.is_ccw for hole in polygon.interiors)
        metric = shapely.transform(shape, lambda xy: np.column_stack(back.transform(*xy.T)))
        assert metric.is_valid
        assert metric.area == pytest.approx(0.25 * item.area, rel=1e-4)
        left, _, _, top = metric.bounds
        assert left == pytest.approx(500_000 + 0.5 * item.x, abs=0.001)
        assert top == pytest.approx(4_000_000 - 0.5 * item.y, abs=0.001)


def test_geojson_carries_the_table():
    feature, second, _ = features(to_geojson(some_objects(), UTM))
    assert feature["id"] == 3
    row = measure(some_objects(), UTM).iloc[0].to_dict()
    assert feature["properties"] == pytest.approx(row)
    assert second["properties"]["label"] is None


@pytest.mark.parametrize(
    "scene", [None, SimpleNamespace(crs=None, transform=None, gsd=None, pixel_area_m2=None)]
)
def test_geojson_without_a_georeference_says_that_it_holds_pixels(scene):
    data = to_geojson(some_objects(), scene)
    assert "pixels of the image" in json.loads(data)["coordinates_note"]
    shape = shapely.geometry.shape(features(data)[0]["geometry"])
    assert shape.equals(outline_polygon(some_objects()[0]))
    assert shape.exterior.is_ccw


def test_geojson_of_nothing_and_of_an_unknown_place():
    assert features(to_geojson(Instances.empty((5, 5)), UTM)) == []
    unknown = SimpleNamespace(**(vars(UTM) | {"crs": "EPSG:999999"}))
    with pytest.raises(ExportError, match=r"EPSG:999999.*not known"):
        to_geojson(some_objects(), unknown)
    beyond = SimpleNamespace(**(vars(UTM) | {"transform": Affine(1e9, 0, 1e12, 0, -1, 0)}))
    with pytest.raises(ExportError, match="outside the area"):
        to_geojson(some_objects(), beyond)
