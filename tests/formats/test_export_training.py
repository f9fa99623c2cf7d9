"""COCO and YOLO, read with pycocotools and by filling polygons."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from matplotlib.path import Path as Polygon

from rsam_core.errors import ExportError
from rsam_core.formats import OutlineSettings, outline_polygon, to_coco, to_yolo
from rsam_core.formats.coco.run_lengths import encode
from rsam_core.formats.yolo import one_ring
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instance, Instances

coco_tools = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")


def objects() -> Instances:
    ring = np.ones((9, 11), bool)
    ring[2:5, 2:6] = ring[6:8, 7:9] = False
    y, x = np.indices((41, 41)) - 20
    two = np.zeros((8, 20), bool)
    two[:, :6] = two[:5, 12:] = True
    edge = np.ones((60, 3), bool)
    return Instances(
        [
            Instance(ring, 10, 20, 0.9, 3, label="building"),
            Instance(x**2 + y**2 <= 400, 30, 10, 0.5, 8, label="road"),
            Instance(two, 55, 2, 0.7, 9),
            Instance(edge, 77, 0, 1, 10, label="road"),
        ],
        (60, 80),
    )


def full(item: Instance, shape: tuple[int, int]) -> np.ndarray:
    return Instances([item], shape).union_mask()


def opened(data: bytes, folder) -> coco_tools.COCO:
    path = folder / "coco.json"
    path.write_bytes(data)
    return coco_tools.COCO(str(path))


def test_run_lengths_are_exact_for_pycocotools(tmp_path):
    coco = opened(to_coco(objects(), masks="rle", file_name="a.png"), tmp_path)
    assert coco.loadImgs(1)[0]["file_name"] == "a.png"
    from pycocotools import mask as tools

    for item, annotation in zip(objects(), coco.loadAnns(coco.getAnnIds())):
        assert (coco.annToMask(annotation) == full(item, (60, 80))).all()
        assert tools.area(coco.annToRLE(annotation)) == annotation["area"] == item.area
        assert tools.toBbox(coco.annToRLE(annotation)).tolist() == annotation["bbox"]


def test_polygons_are_close_for_pycocotools_and_holes_are_kept(tmp_path):
    coco = opened(to_coco(objects()), tmp_path)
    annotations = coco.loadAnns(coco.getAnnIds())
    assert [type(a["segmentation"]) for a in annotations] == [dict, list, list, list]
    assert len(annotations[2]["segmentation"]) == 2
    for item, annotation in zip(objects(), annotations):
        mask, truth = coco.annToMask(annotation).astype(bool), full(item, (60, 80))
        assert (mask & truth).sum() / (mask | truth).sum() > 0.93
        assert annotation["area"] == item.area
        assert annotation["iscrowd"] == 0


def test_categories_follow_the_classes(tmp_path):
    coco = opened(to_coco(objects(), classes=ClassList()), tmp_path)
    names = {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())}
    assert list(names.values()) == [*ClassList().names, "object"]
    assert [names[a["category_id"]] for a in coco.loadAnns(coco.getAnnIds())] == [
        "building", "road", "object", "road"
    ]  # fmt: skip
    content = json.loads(to_coco(objects()))
    assert [c["name"] for c in content["categories"]] == ["building", "road", "object"]
    empty = json.loads(to_coco(Instances.empty((5, 5))))
    assert empty["annotations"] == []
    assert [c["name"] for c in empty["categories"]] == ["object"]


def test_run_lengths_against_a_plain_count():
    rng = np.random.default_rng(0)
    for _ in range(30):
        mask = rng.random((rng.integers(1, 9), rng.integers(1, 9))) < 0.6
        if not mask.any():
            continue
        item = Instance(mask, *rng.integers(0, 3, 2).tolist())
        shape = (item.bbox[3] + int(rng.integers(0, 2)), item.bbox[2] + int(rng.integers(0, 2)))
        flat = full(item, shape).ravel(order="F")
        counts, value = [], False
        while len(flat):
            run = int(np.argmax(flat != value)) if (flat != value).any() else len(flat)
            counts.append(run)
            flat, value = flat[run:], not value
        assert encode(item, shape) == counts


def test_unknown_kind_of_mask_is_refused():
    with pytest.raises(ExportError, match="polygon"):
        to_coco(objects(), masks="png")


def shoelace(ring: np.ndarray) -> float:
    x, y = ring.T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def test_one_ring_has_the_area_of_the_polygon_with_its_holes():
    rng = np.random.default_rng(1)
    masks = [item.mask for item in objects()] + [rng.random((12, 14)) < 0.6 for _ in range(10)]
    for mask in masks:
        item = Instance(mask)
        ring = one_ring(outline_polygon(item))
        assert shoelace(ring) == pytest.approx(item.area)


def test_yolo_lines_give_the_masks_back():
    data = to_yolo(objects(), file_name="photo.one.jpg", classes=ClassList())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = archive.read("labels/photo.one.txt").decode().splitlines()
        names = archive.read("classes.txt").decode().splitlines()
        about = archive.read("data.yaml").decode()
    assert len(lines) == 4
    assert [names[int(line.split()[0])] for line in lines] == ["building", "road", "object", "road"]
    assert '  0: "building"' in about
    centers = np.stack(np.meshgrid(np.arange(80) + 0.5, np.arange(60) + 0.5), -1).reshape(-1, 2)
    for item, line in zip(objects(), lines):
        numbers = np.array(line.split()[1:], float).reshape(-1, 2)
        assert numbers.min() >= 0
        assert numbers.max() <= 1
        ring = numbers * (80, 60)
        inside = Polygon(np.vstack([ring, ring[:1]])).contains_points(centers).reshape(60, 80)
        assert (inside != full(item, (60, 80))).sum() == 0


def test_yolo_can_be_simplified_and_empty():
    short, long = (to_yolo(objects(), settings=s) for s in (OutlineSettings(1.0), None))

    def text(data: bytes) -> str:
        return zipfile.ZipFile(io.BytesIO(data)).read("labels/image.txt").decode()

    assert len(text(short)) < len(text(long))
    assert text(to_yolo(Instances.empty((5, 5)))) == ""
