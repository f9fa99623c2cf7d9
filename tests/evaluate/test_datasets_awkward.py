"""Data sets as other systems pack them, and archives whose names lead elsewhere."""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rasterio.io import MemoryFile

from rsam_core.errors import DatasetError
from rsam_core.evaluate.datasets import open_dataset
from rsam_core.runtime import archive
from tests.helpers.models import rectangle

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

SHAPE = (30, 40)


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="PNG")
    return stream.getvalue()


def picture(seed: int = 0) -> bytes:
    return png(np.random.default_rng(seed).integers(0, 256, (*SHAPE, 3)).astype(np.uint8))


MASK = png(rectangle(SHAPE, 2, 2, 12, 12).astype(np.uint8) * 255)
LARGER = png(rectangle(SHAPE, 2, 2, 22, 22).astype(np.uint8) * 255)


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name, content in files.items():
            info = zipfile.ZipInfo("x")
            # As it is: the module would turn a backslash round on Windows.
            info.filename = name
            info.compress_type = method
            file.writestr(info, content)
    return stream.getvalue()


def test_backslashes_of_windows_are_slashes():
    files = {"set\\images\\a.png": picture(), "set\\masks\\a.png": MASK}
    (item,) = open_dataset(packed(files)).items
    assert (item.name, item.truth) == ("set/images/a.png", "set/masks/a.png")
    assert item.read().truth.areas.tolist() == [100]


@pytest.mark.parametrize("kind", ["..\\evil.png", "\\evil.png", "C:\\evil.png", "a\\..\\..\\b.png"])
def test_backslashes_that_lead_outside_are_refused(kind: str):
    with pytest.raises(DatasetError, match="unsafe path"):
        open_dataset(packed({"images/a.png": picture(), "masks/a.png": MASK, kind: b"x"}))


def test_letters_with_accents_find_each_other_however_they_are_coded(tmp_path: Path):
    composed, apart = (unicodedata.normalize(form, "Köln") for form in ("NFC", "NFD"))
    assert composed != apart
    files = {f"images/{apart}.png": picture(), f"masks/{composed}.png": MASK}
    (item,) = open_dataset(packed(files)).items
    assert item.name == f"images/{composed}.png"
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (item,) = open_dataset(tmp_path).items
    assert item.read().truth.areas.tolist() == [100]


def test_names_in_utf_8_without_its_mark_are_understood():
    content = packed({"images/город.png": picture(), "masks/город.png": MASK})
    unmarked = bytearray(content)
    for start, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = -1
        while (at := unmarked.find(start, at + 1)) >= 0:
            unmarked[at + place + 1] &= ~0x08
    (item,) = open_dataset(bytes(unmarked)).items
    assert item.name == "images/город.png"


def test_what_a_mac_adds_is_left_out():
    files = {"images/a.png": picture(), "masks/a.png": MASK}
    extras = {f"__MACOSX/{n.replace('/', '/._')}": b"\0\5\x16\7" for n in files}
    extras |= {"images/._a.png": b"\0\5\x16\7", "images/.DS_Store": b"x", "masks/.DS_Store": b"x"}
    dataset = open_dataset(packed(files | extras))
    assert [item.name for item in dataset.items] == ["images/a.png"]
    assert dataset.notes == ()


@pytest.mark.parametrize(
    ("image", "truth"),
    [
        ("images/train/a.png", "labels/train/a.png"),
        ("train/images/a.png", "train/labels/a.png"),
        ("city/images/train/north/a.png", "city/masks/train/north/a.png"),
        ("Images/Val/a.png", "Labels/Val/a.png"),
        ("img/a.png", "gt/a.png"),
    ],
)
def test_layouts_for_training(image: str, truth: str):
    dataset = open_dataset(packed({image: picture(), truth: MASK}))
    assert [(item.name, item.truth) for item in dataset.items] == [(image, truth)]


def test_parts_of_a_layout_are_kept_apart():
    files = {}
    for part, mask in (("train", MASK), ("val", LARGER)):
        files |= {f"images/{part}/a.png": picture(), f"labels/{part}/a.png": mask}
    found = {
        item.name: item.read().truth.areas.tolist() for item in open_dataset(packed(files)).items
    }
    assert found == {"images/train/a.png": [100], "images/val/a.png": [400]}


def test_text_labels_are_named_as_what_is_not_read():
    files = {f"images/{n}.png": picture() for n in "ab"} | {
        f"labels/{n}.txt": b"0 .1 .1" for n in "ab"
    }
    with pytest.raises(DatasetError, match=r"YOLO.*not read"):
        open_dataset(packed(files))


def coco(images: list[dict], annotations: list[dict]) -> bytes:
    data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "x"}]}
    return json.dumps(data).encode()


def entry(number: object, name: str) -> dict:
    return {"id": number, "file_name": name, "width": 40, "height": 30}


def square(number: object, side: int) -> dict:
    ring = [2, 2, 2 + side, 2, 2 + side, 2 + side, 2, 2 + side]
    return {"id": 1, "image_id": number, "category_id": 1, "segmentation": [ring]}


@pytest.mark.parametrize("form", ["{}/tile.png", "{}\\tile.png", "./{}/tile.png"])
def test_equal_names_in_two_folders_are_kept_apart(form: str):
    listed = coco(
        [entry(1, form.format("north")), entry(2, form.format("south"))],
        [square(1, 10), square(2, 20)],
    )
    files = {"north/tile.png": picture(), "south/tile.png": picture(1), "all.json": listed}
    found = {
        item.name: item.read().truth.areas.tolist() for item in open_dataset(packed(files)).items
    }
    assert found == {"north/tile.png": [100], "south/tile.png": [400]}


def test_one_bad_list_does_not_end_the_others():
    good = coco([entry(1, "a.png")], [square(1, 10), {"image_id": 1}, 5, None])
    odd = coco([entry({}, "b.png"), 7], [square({}, 10)])
    files = {"a.png": picture(), "b.png": picture(1), "good.json": good, "odd.json": odd}
    files |= {"torn.json": good[:-9], "deep.json": b"[" * 100_000}
    dataset = open_dataset(packed(files))
    assert [item.name for item in dataset.items] == ["a.png", "b.png"]
    assert [item.read().truth.areas.tolist() for item in dataset.items] == [[100], [100]]


def label_tiff(side: int) -> bytes:
    """Labels without compression, which an archive shrinks to a thousandth."""
    values = np.zeros((side, side), np.int32)
    values[5:25, 5:25] = 1
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", width=side, height=side, count=1, dtype="int32") as file:
            file.write(values, 1)
        return memory.read()


def test_labels_that_compress_well_are_no_bomb():
    side = 2000
    image = png(np.zeros((side, side, 3), np.uint8))
    content = packed({"images/a.png": image, "labels/a.tif": label_tiff(side)})
    member = zipfile.ZipFile(io.BytesIO(content)).getinfo("labels/a.tif")
    assert member.file_size > 15 << 20
    assert member.file_size > archive.MAX_RATIO * member.compress_size
    assert open_dataset(content).items[0].read().truth.areas.tolist() == [400]


def test_what_only_calls_itself_a_raster_is_a_bomb():
    files = {"images/a.png": picture(), "labels/a.tif": bytes(24 << 20)}
    with pytest.raises(DatasetError, match="unpacks to 24 MB"):
        open_dataset(packed(files))


def test_a_large_raster_that_swells_is_a_bomb(monkeypatch):
    monkeypatch.setattr(archive, "MAX_SWOLLEN", 12 << 20)
    files = {"images/a.png": picture(), "labels/a.tif": b"II*\0" + bytes(24 << 20)}
    with pytest.raises(DatasetError, match="unpacks to 24 MB"):
        open_dataset(packed(files))


def test_links_in_archives_are_left_out():
    stream = io.BytesIO(packed({"images/a.png": picture(), "masks/a.png": MASK}))
    with zipfile.ZipFile(stream, "a") as file:
        for name in ("images/b.png", "masks/b.png"):
            link = zipfile.ZipInfo(name)
            link.external_attr = 0o120777 << 16
            file.writestr(link, "/etc/passwd")
    assert [item.name for item in open_dataset(stream.getvalue()).items] == ["images/a.png"]


def test_an_unforeseen_problem_with_one_image_is_a_plain_error(monkeypatch):
    files = {"images/a.png": picture(), "masks/a.png": MASK}
    dataset = open_dataset(packed(files))

    def broken(*_args, **_options):
        raise KeyError("deep inside")

    monkeypatch.setattr("rsam_core.evaluate.datasets.open_scene", broken)
    with pytest.raises(DatasetError, match=r"images/a\.png.*nobody foresaw \(KeyError\)"):
        dataset.items[0].read()
