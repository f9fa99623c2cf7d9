"""Data sets in every layout, and archives that want to do harm."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from rsam_core.errors import DatasetError
from rsam_core.evaluate.datasets import Dataset, Sample, open_dataset
from rsam_core.objects.instances import Instances
from rsam_core.runtime import archive
from tests.helpers.models import rectangle

SHAPE = (30, 40)
LABELS = (rectangle(SHAPE, 2, 2, 12, 12) * 1 + rectangle(SHAPE, 20, 5, 35, 25) * 300).astype(
    np.uint16
)


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="PNG")
    return stream.getvalue()


def picture(seed: int = 0, shape: tuple[int, int] = SHAPE) -> bytes:
    return png(np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype(np.uint8))


BINARY = png((LABELS > 0).astype(np.uint8) * 255)
INSTANCES = png(LABELS)


def folder(path, files: dict[str, bytes]):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return stream.getvalue()


PAIRS = {
    "images/a.png": picture(1),
    "images/b.png": picture(2),
    "instances/a.png": INSTANCES,
    "instances/b.png": INSTANCES,
}


def test_images_beside_instances(tmp_path):
    dataset = open_dataset(folder(tmp_path / "town", PAIRS))
    assert dataset.name == "town"
    assert [item.name for item in dataset.items] == ["images/a.png", "images/b.png"]
    sample = dataset.items[0].read()
    assert sample.image.shape == (*SHAPE, 3)
    assert sorted(sample.truth.areas) == [100, 300]
    assert sorted(sample.truth.ids) == [1, 300]
    assert dataset.notes == ()


@pytest.mark.parametrize("kind", ["masks", "Labels", "gt", "truth", "mask"])
def test_other_names_of_the_truth_and_folders_further_down(tmp_path, kind):
    files = {f"x/y/img/{n}.jpg": picture(3) for n in "ab"}
    files |= {f"x/y/{kind}/{n}.png": BINARY for n in "ab"}
    sample = open_dataset(folder(tmp_path, files)).items[1].read()
    # One value in all: each connected piece is an object.
    assert sorted(sample.truth.areas) == [100, 300]


def test_instances_count_before_masks(tmp_path):
    other = png(np.zeros(SHAPE, np.uint8))
    dataset = open_dataset(folder(tmp_path, PAIRS | {"masks/a.png": other, "masks/b.png": other}))
    assert {item.truth for item in dataset.items} == {"instances/a.png", "instances/b.png"}


def test_pairs_by_name_in_one_folder(tmp_path):
    files = {"roof.png": picture(), "roof_mask.png": BINARY, "alone.png": picture(1)}
    dataset = open_dataset(folder(tmp_path, files))
    assert [(item.name, item.truth) for item in dataset.items] == [("roof.png", "roof_mask.png")]
    assert dataset.notes == ("1 image without truth was left out: alone.png.",)


def test_the_first_annotator_counts_unless_there_is_a_plain_name(tmp_path):
    files = {"images/p.png": picture(), "images/q.png": picture()}
    files |= {f"labels/p_{k}.png": INSTANCES for k in (0, 1, 2)}
    files |= {"labels/q.png": INSTANCES, "labels/q_0.png": BINARY}
    dataset = open_dataset(folder(tmp_path, files))
    assert [item.truth for item in dataset.items] == ["labels/p_0.png", "labels/q.png"]


def test_every_value_can_be_an_object(tmp_path):
    path = folder(tmp_path, {"images/a.png": picture(), "labels/a.png": INSTANCES})
    assert len(open_dataset(path).items[0].read().truth) == 2
    regions = open_dataset(path, every_value=True).items[0].read().truth
    assert sorted(regions.areas) == [100, 300, 800]
    marks = {open_dataset(path, every_value=flag).fingerprint for flag in (True, False)}
    assert len(marks) == 2


def coco(**changes) -> dict:
    data = {
        "images": [
            {"id": 7, "file_name": "a.png", "width": 40, "height": 30},
            {"id": 8, "file_name": "lost.png", "width": 40, "height": 30},
        ],
        "categories": [{"id": 1, "name": "roof"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 7,
                "category_id": 1,
                "iscrowd": 0,
                "segmentation": [[2, 3, 12, 3, 12, 9, 2, 9]],
            },
            {
                "id": 2,
                "image_id": 7,
                "category_id": 1,
                "iscrowd": 0,
                "segmentation": {"size": [30, 40], "counts": [60, 45, 1095]},
            },
        ],
    }
    return data | changes


def test_coco_annotations_are_found_beside_the_images(tmp_path):
    files = {"images/a.png": picture(), "annotations/all.json": json.dumps(coco()).encode()}
    dataset = open_dataset(folder(tmp_path, files | {"notes.json": b"{}"}))
    assert dataset.notes == ("1 image named in “annotations/all.json” is missing.",)
    truth = dataset.items[0].read().truth
    assert sorted(truth.areas) == [45, 60]
    assert truth[0].bbox == (2, 3, 12, 9)
    assert truth[0].label == "roof"
    # Runs go down the columns: 60 pixels are two columns of 30.
    assert truth[1].bbox == (2, 0, 4, 30)


def test_broken_coco_names_the_file_when_read(tmp_path):
    wrong = coco(annotations=[{"id": 1, "image_id": 7, "segmentation": [["x"]]}])
    files = {"a.png": picture(), "coco.json": json.dumps(wrong).encode()}
    dataset = open_dataset(folder(tmp_path, files))
    with pytest.raises(DatasetError, match=r"a\.png|coco\.json"):
        dataset.items[0].read()


def test_sizes_that_differ_name_the_files(tmp_path):
    files = PAIRS | {"images/b.png": picture(2, (31, 40))}
    dataset = open_dataset(folder(tmp_path, files))
    dataset.items[0].read()
    with pytest.raises(DatasetError, match=r"images/b\.png.*40 × 30"):
        dataset.items[1].read()
    with pytest.raises(DatasetError, match="40 × 31"):
        Sample("x", np.zeros((31, 40, 3), np.uint8), Instances.empty(SHAPE))


@pytest.mark.parametrize("content", [b"", b"no picture", INSTANCES[:60]])
def test_a_broken_file_is_named_and_harms_no_other(tmp_path, content):
    dataset = open_dataset(folder(tmp_path, PAIRS | {"instances/a.png": content}))
    with pytest.raises(DatasetError, match=r"a\.png"):
        dataset.items[0].read()
    assert len(dataset.items[1].read().truth) == 2


def test_what_is_no_data_set_says_what_one_is(tmp_path):
    with pytest.raises(DatasetError, match="no folder"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="holds no images"):
        open_dataset(tmp_path)
    path = folder(tmp_path, {"images/a.png": picture(), "images/b.png": picture()})
    with pytest.raises(DatasetError, match=r"2 images, but no truth.*“instances” or “masks”"):
        open_dataset(path)


def test_a_sample_of_images_depends_on_the_seed_alone(tmp_path):
    files = {f"images/{k:02}.png": picture(k) for k in range(12)}
    files |= {f"masks/{k:02}.png": BINARY for k in range(12)}
    dataset = open_dataset(folder(tmp_path, files))
    names = [item.name for item in dataset.limited(5, seed=1).items]
    assert names == sorted(names)
    assert names == [item.name for item in dataset.limited(5, seed=1).items]
    assert names != [item.name for item in dataset.limited(5, seed=2).items]
    assert dataset.limited(5, 1).fingerprint != dataset.limited(5, 2).fingerprint
    assert dataset.limited(99) is dataset
    with pytest.raises(DatasetError, match="At least one"):
        dataset.limited(0)


def test_the_fingerprint_follows_the_files(tmp_path):
    path = folder(tmp_path, PAIRS)
    before = open_dataset(path).fingerprint
    assert open_dataset(path).fingerprint == before
    (path / "notes.txt").write_text("does not matter")
    assert open_dataset(path).fingerprint == before
    (path / "instances/a.png").write_bytes(BINARY)
    assert open_dataset(path).fingerprint != before


def test_images_in_memory_are_a_data_set():
    sample = Sample("one", np.zeros((*SHAPE, 3), np.uint8), Instances.from_label_map(LABELS))
    dataset = Dataset.from_samples("mine", [sample])
    assert len(dataset) == 1
    assert dataset.items[0].read() is sample
    other = Sample("one", np.ones((*SHAPE, 3), np.uint8), sample.truth)
    assert Dataset.from_samples("mine", [other]).fingerprint != dataset.fingerprint


def test_a_zip_is_the_same_as_its_folder(tmp_path):
    files = {f"town/{name}": content for name, content in PAIRS.items()}
    files |= {"__MACOSX/town/images/._a.png": b"x", "town/.DS_Store": b"x"}
    path = tmp_path / "town.zip"
    path.write_bytes(packed(files))
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        dataset = open_dataset(source)
        assert [item.name for item in dataset.items] == ["town/images/a.png", "town/images/b.png"]
        assert sorted(dataset.items[1].read().truth.areas) == [100, 300]
    assert open_dataset(path).name == "town.zip"


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "C:/e.png"])
def test_paths_that_lead_outside_are_refused(tmp_path, name):
    with pytest.raises(DatasetError, match="unsafe path"):
        open_dataset(packed(PAIRS | {name: b"x"}))
    assert not list(tmp_path.iterdir())


def test_an_archive_that_swells_is_refused():
    with pytest.raises(DatasetError, match="unpacks to 24 MB"):
        open_dataset(packed(PAIRS | {"images/c.png": bytes(24 << 20)}))


def test_too_many_and_too_large_files_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    with pytest.raises(DatasetError, match="more than 3 files"):
        open_dataset(packed(PAIRS))
    with pytest.raises(DatasetError, match="more than 3 files"):
        open_dataset(folder(tmp_path, PAIRS))
    monkeypatch.setattr(archive, "MAX_FILES", 100)
    monkeypatch.setattr(archive, "MAX_TOTAL", 100)
    with pytest.raises(DatasetError, match="unpacks to more than"):
        open_dataset(packed(PAIRS))


def test_damaged_archives_and_files_in_them():
    whole = packed(PAIRS, zipfile.ZIP_STORED)
    for broken in (b"", b"PK\x03\x04 nothing", whole[: len(whole) // 2]):
        with pytest.raises(DatasetError, match="not a zip archive"):
            open_dataset(broken)
    place = whole.index(picture(1)[40:80])
    damaged = whole[:place] + b"\x00" * 20 + whole[place + 20 :]
    dataset = open_dataset(damaged)
    with pytest.raises(DatasetError, match=r"images/a\.png.*damaged"):
        dataset.items[0].read()
    assert len(dataset.items[1].read().truth) == 2


def test_protected_archives_say_so():
    stream = io.BytesIO(packed(PAIRS, zipfile.ZIP_STORED))
    content = bytearray(stream.getvalue())
    # The flag "encrypted" in the central directory.
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DatasetError, match="password"):
        open_dataset(bytes(content))


def test_links_out_of_the_folder_are_left_out(tmp_path):
    outside = folder(tmp_path / "outside", {"b.png": picture()})
    path = folder(tmp_path / "set", PAIRS)
    (path / "images/c.png").symlink_to(outside / "b.png")
    (path / "instances/c.png").symlink_to(outside / "b.png")
    assert len(open_dataset(path)) == 2
