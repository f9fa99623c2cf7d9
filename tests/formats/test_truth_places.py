"""Truth that brings its place along: GeoTIFF, GeoJSON, GeoPackage, Shapefile, COCO."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import cv2
import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.io import MemoryFile
from rasterio.warp import transform as warp_points

from rsam_core.errors import MetricError
from rsam_core.formats import to_geojson
from rsam_core.formats.truth import (
    Truth,
    read_truth,
    truth_from_labels,
    truth_from_objects,
    truth_from_polygons,
)
from rsam_core.objects.instances import Instances
from rsam_core.scene.scene import Scene, open_scene

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

SHARED = Path(__file__).resolve().parents[3] / "shared/data/scenes"
CRS = "EPSG:32737"
PLACE = Affine(0.5, 0, 530_000, 0, -0.5, 9_310_000)
SHAPE = (80, 100)
LABELS = np.zeros(SHAPE, np.int32)
LABELS[10:30, 10:40] = 1
LABELS[40:60, 50:90] = 2
LABELS[45:55, 60:70] = 0  # a courtyard
LABELS[70:74, 4:6] = 5


def geotiff(
    array: np.ndarray, transform: Affine = PLACE, crs: str | None = CRS, **options
) -> bytes:
    bands = array if array.ndim == 3 else array[None]
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=len(bands), height=bands.shape[1], width=bands.shape[2],
            dtype=bands.dtype, transform=transform, crs=crs, **options,
        ) as dataset:  # fmt: skip
            dataset.write(bands)
        return memory.read()


def png(array: np.ndarray) -> bytes:
    return cv2.imencode(".png", array)[1].tobytes()


@pytest.fixture(scope="module")
def scene() -> Scene:
    rng = np.random.default_rng(0)
    return open_scene(geotiff(rng.integers(0, 255, (3, *SHAPE), np.uint8)), name="town.tif")


@pytest.fixture(scope="module")
def plain() -> Scene:
    return open_scene(png(np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), np.uint8)),
                      name="photo.png")  # fmt: skip


def ids(truth: Truth) -> set[int]:
    return set(np.unique(truth.labels).tolist()) - {0}


# --- rasters -----------------------------------------------------------------------------


def test_the_same_grid_is_taken_as_it_is(scene: Scene):
    truth = read_truth(geotiff(LABELS), scene, name="truth.tif")
    assert (truth.labels == LABELS).all()
    assert (truth.count, truth.coverage, truth.notes, truth.warnings) == (3, 1.0, (), ())
    assert (truth.mask == (LABELS > 0)).all()
    assert truth.name == "truth.tif"


def test_coarser_pixels_and_another_corner_are_laid_where_they_belong(scene: Scene):
    # Pixels of 1 m from column 20, row 10 of the scene on: each is 2 × 2 scene pixels.
    coarse = np.zeros((30, 40), np.uint8)
    coarse[5:10, 8:20] = 7
    coarse[20:22, 30:33] = 9
    truth = read_truth(geotiff(coarse, PLACE @ Affine.translation(20, 10) @ Affine.scale(2)), scene)
    expected = np.zeros(SHAPE, np.int32)
    expected[10:70, 20:100] = np.repeat(np.repeat(coarse, 2, 0), 2, 1)
    assert (truth.labels == expected).all()
    assert truth.valid.sum() == 60 * 80
    assert truth.valid[10:70, 20:100].all()
    assert truth.coverage == pytest.approx(0.6)
    assert "60 %" in " ".join(truth.notes)


def test_objects_beyond_what_the_truth_covers_do_not_count(scene: Scene):
    coarse = np.ones((30, 40), np.uint8)
    truth = read_truth(geotiff(coarse, PLACE @ Affine.translation(20, 10) @ Affine.scale(2)), scene)
    assert truth.count == 1
    assert [item.id for item in truth.inside(Instances.from_label_map(LABELS))] == [1, 2]


def test_another_coordinate_system_is_converted(scene: Scene):
    # The same labels on a grid of web mercator, sampled by hand with another library's points.
    x, y = 530_000 + 25, 9_310_000 - 20
    (cx,), (cy,) = warp_points(CRS, "EPSG:3857", [x], [y])
    grid = Affine.translation(cx - 40, cy + 40) @ Affine.scale(0.25, -0.25)
    rows, columns = np.indices((320, 320)) + 0.5
    mx, my = grid @ (columns.ravel(), rows.ravel())
    sx, sy = (np.array(v) for v in warp_points("EPSG:3857", CRS, mx, my))
    px, py = (np.floor(v).astype(int).reshape(320, 320) for v in ~PLACE @ (sx, sy))
    inside = (px >= 0) & (py >= 0) & (px < 100) & (py < 80)
    values = np.where(inside, LABELS[py.clip(0, 79), px.clip(0, 99)], 0).astype(np.uint8)
    truth = read_truth(geotiff(values, grid, "EPSG:3857"), scene)
    assert (truth.labels == LABELS).mean() > 0.985
    for number in (1, 2):
        both = (truth.labels == number) & (number == LABELS)
        assert both.sum() / ((truth.labels == number) | (number == LABELS)).sum() > 0.95
    assert truth.coverage == 1
    assert "EPSG:3857" in truth.notes[0]


def test_white_background_stays_background_where_the_mask_does_not_reach(scene: Scene):
    rgb = np.full((3, 40, 50), 255, np.uint8)
    rgb[:, 5:10, 5:10] = np.array([200, 10, 10])[:, None, None]
    rgb[:, 20:30, 20:40] = np.array([10, 10, 200])[:, None, None]
    truth = read_truth(geotiff(rgb, PLACE @ Affine.translation(10, 10), photometric="RGB"), scene)
    assert truth.count == 2
    assert (truth.labels[15:20, 15:20] > 0).all()
    assert truth.mask.sum() == 25 + 200


@pytest.mark.parametrize("crs", [CRS, "EPSG:32736"])
def test_another_place_is_told_with_both_places(scene: Scene, crs: str):
    far = Affine.translation(40_000, 0) @ PLACE if crs == CRS else PLACE
    with pytest.raises(
        MetricError, match=r"another place.*0 % .*image lies near longitude 39\."
    ) as e:
        read_truth(geotiff(LABELS, far, crs), scene, name="far.tif")
    assert "far.tif" in str(e.value)


def test_without_place_the_size_decides(scene: Scene, plain: Scene):
    assert (read_truth(png(LABELS.astype(np.uint8)), scene).labels == LABELS).all()
    assert (read_truth(geotiff(LABELS), plain).labels == LABELS).all()
    assert (read_truth(geotiff(LABELS, crs=None), scene).labels == LABELS).all()
    small = png(LABELS[::2, ::2].astype(np.uint8))
    with pytest.raises(MetricError, match=r"50 × 40.*100 × 80"):
        read_truth(small, plain)
    fitted = read_truth(small, plain, fit=True)
    assert (fitted.labels == np.repeat(np.repeat(LABELS[::2, ::2], 2, 0), 2, 1)).all()
    assert "stretched from 50 × 40" in fitted.notes[0]
    with pytest.raises(MetricError, match="30 × 40"):
        read_truth(png(LABELS[:40, :30].astype(np.uint8)), plain, fit=True)


# --- what is plainly wrong -----------------------------------------------------------------


def test_sixty_thousand_ids_are_no_labels(scene: Scene):
    big = open_scene(png(np.zeros((200, 300, 3), np.uint8)), name="big.png")
    noise = np.arange(60_000, dtype=np.uint16).reshape(200, 300)
    with pytest.raises(MetricError, match=r"59,999 different values.*photograph"):
        read_truth(geotiff(noise), big)
    # Many objects of a decent size are fine.
    many = np.kron(np.arange(1200).reshape(40, 30), np.ones((5, 10), int)).astype(np.int32)
    assert read_truth(geotiff(many), big).count == 1199


def test_empty_and_full_truth_are_warned_about(plain: Scene):
    empty = read_truth(png(np.zeros(SHAPE, np.uint8)), plain)
    assert (empty.count, len(empty.warnings)) == (0, 1)
    assert "no object at all" in empty.warnings[0]
    full = read_truth(png(np.full(SHAPE, 255, np.uint8)), plain)
    assert full.count == 1
    assert "whole image" in full.warnings[0]
    assert "swapped" in full.warnings[0]


# --- outlines ------------------------------------------------------------------------------


def table(crs: str = CRS) -> geopandas.GeoDataFrame:
    """The labels as polygons on the map, by their corners."""
    corners = {1: (10, 10, 40, 30), 2: (50, 40, 90, 60), 5: (4, 70, 6, 74)}
    shapes = [shapely.box(*(PLACE @ (x0, y0)), *(PLACE @ (x1, y1)))
              for x0, y0, x1, y1 in corners.values()]  # fmt: skip
    hole = shapely.box(*(PLACE @ (60, 45)), *(PLACE @ (70, 55)))
    shapes[1] = shapes[1] - hole
    frame = geopandas.GeoDataFrame({"class": ["roof", None, "shed"]}, geometry=shapes, crs=CRS)
    return frame.to_crs(crs)


def packed(frame: geopandas.GeoDataFrame, folder: Path, kind: str) -> bytes:
    path = folder / f"outlines.{kind}"
    frame.to_file(path)
    if kind != "shp":
        return path.read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part in folder.glob("outlines.*"):
            archive.write(part, f"inner folder/{part.name}")
    return stream.getvalue()


@pytest.mark.parametrize("crs", [CRS, "EPSG:4326", "EPSG:3857"])
@pytest.mark.parametrize("kind", ["gpkg", "geojson", "shp"])
def test_outlines_come_back_exactly(scene: Scene, tmp_path: Path, kind: str, crs: str):
    truth = read_truth(packed(table(crs), tmp_path, kind), scene, name=f"x.{kind}")
    expected = np.where(LABELS == 5, 3, LABELS)
    assert (truth.labels == expected).mean() > (0.9999 if crs == CRS else 0.995)
    assert [item.label for item in truth.objects] == ["roof", None, "shed"]
    assert truth.kind == "outlines"
    assert bool(truth.notes) == (crs != CRS and (kind, crs) != ("geojson", "EPSG:4326"))


def test_what_rsam_exports_it_reads_back_to_the_pixel(scene: Scene, plain: Scene):
    objects = Instances.from_label_map(LABELS).renumber()
    for place in (scene, plain):
        truth = read_truth(to_geojson(objects, place), place)
        assert (truth.labels == objects.label_map()).all()
        assert truth.notes == ()


def test_pixel_outlines_on_a_georeferenced_scene_are_told(scene: Scene, plain: Scene):
    objects = Instances.from_label_map(LABELS).renumber()
    truth = read_truth(to_geojson(objects, plain), scene)
    assert (truth.labels == objects.label_map()).all()
    assert "read as pixels" in truth.notes[0]


def test_overlapping_and_thin_outlines_are_kept(plain: Scene):
    shapes = [shapely.box(10, 10, 30, 30), shapely.box(20, 20, 40, 40),
              shapely.box(50.6, 10, 50.9, 30), shapely.box(300, 300, 310, 310)]  # fmt: skip
    content = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(s)}
        for s in shapes]}  # fmt: skip
    truth = read_truth(json.dumps(content).encode(), plain)
    assert truth.objects.areas.tolist() == [400, 400, 20]
    assert "1 of 4 outlines lie outside" in truth.notes[-1]


def geojson(geometry: dict) -> bytes:
    return json.dumps({"type": "Feature", "properties": {}, "geometry": geometry}).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (geojson({"type": "Point", "coordinates": [39.3, -6.2]}), "points and no areas"),
        (geojson({"type": "LineString", "coordinates": [[39, -6], [39.1, -6]]}), "no areas"),
        (json.dumps({"type": "FeatureCollection", "features": {}}).encode(), "list of features"),
        (geojson(shapely.geometry.mapping(shapely.box(10, 50, 11, 51))), "near longitude 10.5000"),
        (b'{"type": "FeatureColl', "damaged"),
        (b'{"a": 1}', "neither GeoJSON nor a COCO"),
        (b"PK\x03\x04 but no archive", "damaged ZIP"),
        (b"SQLite format 3\0 and nothing else", "damaged or incomplete"),
    ],
)
def test_bad_outlines_get_one_clear_message(scene: Scene, content: bytes, words: str):
    with pytest.raises(MetricError, match=words):
        read_truth(content, scene, name="bad")


def test_incomplete_archives(scene: Scene, tmp_path: Path):
    packed(table(), tmp_path, "shp")
    for names, words in ((["shp"], "shx file is missing"), (["dbf"], "no Shapefile")):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for ending in names:
                archive.write(tmp_path / f"outlines.{ending}", f"outlines.{ending}")
        with pytest.raises(MetricError, match=words):
            read_truth(stream.getvalue(), scene)


def test_an_archive_that_names_other_files_is_not_followed(scene: Scene, tmp_path: Path):
    packed(table(), tmp_path, "gpkg")
    layer = f"""<OGRVRTDataSource><OGRVRTLayer name="outlines">
        <SrcDataSource>{tmp_path / "outlines.gpkg"}</SrcDataSource>
        </OGRVRTLayer></OGRVRTDataSource>"""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("layer.geojson", layer)
    with pytest.raises(MetricError, match="no Shapefile"):
        read_truth(stream.getvalue(), scene)


def test_shapefile_without_prj_takes_the_scenes_system(scene: Scene, tmp_path: Path):
    packed(table(), tmp_path, "shp")
    (tmp_path / "outlines.prj").unlink()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part in tmp_path.glob("outlines.*"):
            archive.write(part, part.name)
    truth = read_truth(stream.getvalue(), scene)
    assert truth.mask.sum() == (LABELS > 0).sum()
    assert "does not name its coordinate system" in truth.notes[0]


def test_outlines_far_from_a_plain_image(plain: Scene, tmp_path: Path):
    with pytest.raises(MetricError, match="do not meet the image"):
        read_truth(packed(table(), tmp_path, "gpkg"), plain)


# --- COCO ----------------------------------------------------------------------------------


def coco(segmentations: list, images: list[dict] | None = None, **extra) -> bytes:
    images = images or [{"id": 7, "file_name": "photo.png", "width": 100, "height": 80}]
    annotations = [
        {"id": i, "image_id": 7, "category_id": 3, "segmentation": s, "iscrowd": 0}
        for i, s in enumerate(segmentations, start=1)
    ]
    categories = [{"id": 3, "name": "building"}]
    data = {"images": images, "annotations": annotations, "categories": categories}
    return json.dumps(data | extra).encode()


def test_coco_polygons_and_run_lengths(plain: Scene):
    mask_tools = pytest.importorskip("pycocotools.mask")
    codes = []
    for number in (1, 2, 5):
        code = mask_tools.encode(np.asfortranarray((number == LABELS).astype(np.uint8)))
        codes.append({"size": code["size"], "counts": code["counts"].decode()})
    truth = read_truth(coco(codes), plain)
    assert (truth.labels == np.where(LABELS == 5, 3, LABELS)).all()
    assert {item.label for item in truth.objects} == {"building"}
    runs = np.diff(np.flatnonzero(np.diff((LABELS == 2).T.ravel(), prepend=2, append=2)))
    counts = runs.tolist() if LABELS[0, 0] != 2 else [0, *runs.tolist()]
    plain_runs = read_truth(coco([{"size": [80, 100], "counts": counts}]), plain)
    assert (plain_runs.mask == (LABELS == 2)).all()
    polygon = read_truth(coco([[[10, 10, 40, 10, 40, 30, 10, 30]]]), plain)
    assert (polygon.mask == (LABELS == 1)).all()


@pytest.mark.parametrize("seed", range(4))
def test_compressed_run_lengths_agree_with_pycocotools(seed: int):
    mask_tools = pytest.importorskip("pycocotools.mask")
    from rsam_core.formats.coco.run_lengths import decode

    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.random((70, 333)).astype(np.float32), (0, 0), 0.5 + 3 * seed)
    mask = noise > np.median(noise)
    code = mask_tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert (decode(code) == mask).all()


def test_coco_of_several_images_goes_by_the_name(plain: Scene):
    square = [[[10, 10, 40, 10, 40, 30, 10, 30]]]
    images = [{"id": 1, "file_name": "other.png", "width": 9, "height": 9},
              {"id": 7, "file_name": "folder/photo.jpg", "width": 100, "height": 80}]  # fmt: skip
    assert read_truth(coco(square, images), plain).count == 1
    images[1]["file_name"] = "nobody.png"
    with pytest.raises(MetricError, match=r"2 images .*none of them is called “photo.png”"):
        read_truth(coco(square, images), plain)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (coco([], [{"id": 7, "file_name": "photo.png", "width": 10, "height": 8}]), "10 × 8"),
        (coco([], [{"id": 7, "file_name": "photo.png"}]), "not a complete COCO"),
        (coco([{"size": [80, 100], "counts": [5]}]), "not a complete COCO"),
        (coco([{"size": [80, 100], "counts": "\x01~~"}]), "not a complete COCO"),
        (coco(["nonsense"]), "not a complete COCO"),
        (coco([], images=None, images_=1).replace(b'"images": [{', b'"images": [], "x": [{'),
         "lists no image"),
    ],
)  # fmt: skip
def test_bad_coco(plain: Scene, content: bytes, words: str):
    with pytest.raises(MetricError, match=words):
        read_truth(content, plain)


def test_crowds_are_left_out(plain: Scene):
    data = json.loads(coco([[[10, 10, 40, 10, 40, 30, 10, 30]]] * 2))
    data["annotations"][1]["iscrowd"] = 1
    truth = read_truth(json.dumps(data).encode(), plain)
    assert truth.count == 1
    assert "1 crowd annotation was left out" in truth.notes[0]


# --- made in the app -------------------------------------------------------------------------


def test_truth_made_in_the_app(plain: Scene):
    drawn = truth_from_polygons([[(10, 10), (40, 10), (40, 30), (10, 30)]], plain)
    assert (drawn.mask == (LABELS == 1)).all()
    assert drawn.kind == "drawn"
    objects = Instances.from_label_map(LABELS)
    assert truth_from_objects(objects).objects is objects
    assert (truth_from_labels(LABELS).labels == LABELS).all()
    with pytest.raises(MetricError, match="three corners"):
        truth_from_polygons([[(1, 1), (2, 2)]], plain)
    with pytest.raises(MetricError, match="lies in the image"):
        truth_from_polygons([[(200, 200), (220, 200), (220, 220)]], plain)


def test_real_footprints_lie_on_their_scene():
    if not SHARED.is_dir():
        pytest.skip("the shared imagery is not here")
    scene = open_scene(SHARED / "aoi1_zanzibar_tz_z19.tif")
    path = SHARED / "aoi1_zanzibar_tz_z19_buildings.geojson"
    truth = read_truth(path, scene)
    outlines = geopandas.read_file(path).to_crs(scene.crs)
    height, width = scene.shape
    (x0, y1), (x1, y0) = scene.transform @ (0, 0), scene.transform @ (width, height)
    clipped = outlines.clip((x0, y0, x1, y1))
    assert truth.count == pytest.approx(len(clipped), abs=3)
    pixel = abs(scene.transform.a * scene.transform.e)
    assert truth.mask.sum() * pixel == pytest.approx(clipped.union_all().area, rel=0.01)
