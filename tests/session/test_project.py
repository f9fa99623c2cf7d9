"""Project files: everything comes back, and whatever is wrong is refused as a whole."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rsam_core.session._project_archive as archive_of
from rsam_core.errors import ProjectError
from rsam_core.formats.truth import Truth
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instance, Instances
from rsam_core.session.project import ProjectState, load_project, save_project


def some_objects() -> Instances:
    rng = np.random.default_rng(0)
    items = [
        Instance(rng.random((7, 13)) < 0.5, 3, 4, 0.25, 5, "box", "Hütte"),
        Instance(np.ones((1, 1), bool), 99, 79, 1 / 3, 2),
        Instance(rng.random((40, 50)) < 0.5, 10, 20, 0.9, 11, "everything", "road"),
    ]
    return Instances(items, (80, 100), next_id=30)


def state(**changes) -> ProjectState:
    base = ProjectState(
        scene_name="Ort.tif",
        scene_hash="0123456789abcdef",
        width=100,
        height=80,
        instances=some_objects(),
        crs="EPSG:32637",
        gsd=0.3,
        classes=ClassList().add("Hütte", "#102030"),
        prompts=({"id": 5, "box": [1.5, 2, 3, 4], "note": "ä"},),
        settings={"model": "rsam-tiny", "opacity": 0.45, "none": None},
        pipeline={"version": 1, "stages": []},
    )
    return replace(base, **changes)


def same_objects(first: Instances, second: Instances) -> bool:
    return (
        first.shape == second.shape
        and first.next_id == second.next_id
        and len(first) == len(second)
        and all(
            (a.id, a.x, a.y, a.score, a.source, a.label)
            == (b.id, b.x, b.y, b.score, b.source, b.label)
            and (a.mask == b.mask).all()
            for a, b in zip(first, second)
        )
    )


@pytest.mark.parametrize("image", [None, b"", b"\x89PNG" * 999])
def test_everything_comes_back(image):
    before = state(image=image)
    after = load_project(save_project(before))
    assert same_objects(after.instances, before.instances)
    for name in ("scene_name", "scene_hash", "width", "height", "crs", "gsd", "image", "classes",
                 "prompts", "settings", "pipeline"):  # fmt: skip
        assert getattr(after, name) == getattr(before, name), name
    assert after.saved


def test_saving_what_was_loaded_gives_the_same_bytes():
    data = save_project(state())
    assert save_project(load_project(data)) == data


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_any_objects_come_back(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(5, 60, 2).tolist()
    items = []
    for _ in range(rng.integers(0, 6)):
        h, w = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
        mask = rng.random((h, w)) < rng.random()
        mask[rng.integers(h), rng.integers(w)] = True
        x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
        items.append(Instance(mask, x, y, float(rng.random())))
    objects = Instances(items, (height, width))
    before = ProjectState("a", "b", width, height, objects)
    assert same_objects(load_project(save_project(before)).instances, objects)


def test_ten_thousand_objects_stay_small():
    disc = np.hypot(*(np.indices((21, 21)) - 10)) <= 10
    items = [Instance(disc, 22 * (i % 100), 22 * (i // 100)) for i in range(10_000)]
    objects = Instances(items, (2300, 2300))
    data = save_project(ProjectState("a", "b", 2300, 2300, objects))
    assert len(data) < 1_000_000
    assert len(load_project(data).instances) == 10_000


def true_state(valid: bool) -> ProjectState:
    before = state()
    height, width = before.instances.shape
    objects = Instances([Instance(np.eye(4, dtype=bool), 3, 5, label="roof")], (height, width))
    known = np.ones((height, width), bool)
    known[:, :7] = False
    truth = Truth(objects, "roofs.geojson", "outlines", ("fits",), (), known if valid else None)
    return replace(before, truth=truth)


@pytest.mark.parametrize("valid", [False, True])
def test_truth_comes_back_as_it_was(valid):
    before = true_state(valid).truth
    after = load_project(save_project(true_state(valid))).truth
    assert same_objects(after.objects, before.objects)
    assert (after.name, after.kind, after.notes, after.warnings) == (
        "roofs.geojson", "outlines", ("fits",), (),
    )  # fmt: skip
    assert (after.valid is None) == (not valid)
    assert not valid or np.array_equal(after.valid, before.valid)
    assert load_project(save_project(state())).truth is None


def test_a_truth_of_another_size_is_refused():
    with pytest.raises(ProjectError, match="truth belongs to an image of another size"):
        replace(state(), truth=Truth(Instances((), (3, 3))))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"width": 99}, "another size"),
        ({"height": 0}, "not possible"),
        ({"gsd": float("nan")}, "above 0"),
        ({"gsd": -1.0}, "above 0"),
        ({"prompts": ({"x": np.float32(1)},)}, "cannot be saved"),
        ({"settings": {"x": float("inf")}}, "cannot be saved"),
    ],
)
def test_a_senseless_state_is_refused(changes, says):
    with pytest.raises(ProjectError, match=says):
        state(**changes)


# --- broken files ----------------------------------------------------------------------------


def rebuilt(change: Callable[[dict[str, bytes]], None], data: bytes | None = None) -> bytes:
    """A project whose parts were changed."""
    with zipfile.ZipFile(io.BytesIO(data or save_project(state()))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def manifest(**changes) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        content = json.loads(parts["manifest.json"]) | changes
        parts["manifest.json"] = json.dumps(content).encode()

    return change


def objects(change: Callable[[dict], None]) -> Callable[[dict[str, bytes]], None]:
    """Change the list of objects and give it a right checksum, as a forger would."""

    def apply(parts: dict[str, bytes]) -> None:
        import hashlib

        content = json.loads(parts["objects.json"])
        change(content)
        parts["objects.json"] = json.dumps(content).encode()
        sums = json.loads(parts["manifest.json"])["parts"]
        sums["objects.json"] = hashlib.sha256(parts["objects.json"]).hexdigest()
        manifest(parts=sums)(parts)

    return apply


def refused(data: bytes, says: str) -> None:
    with pytest.raises(ProjectError, match=says):
        load_project(data)


def test_newer_versions_are_refused_with_the_remedy():
    refused(rebuilt(manifest(version=2)), r"newer RSAM \(format 2.*Update RSAM")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1"},
        {"version": 0},
        {"scene": None},
        {"scene": {"name": "x"}},
        {"scene": {"name": "x", "hash": "y", "width": 1e9, "height": 5, "crs": None, "gsd": None}},
        {"scene": {"name": "x", "hash": "y", "width": 50, "height": 5, "crs": None, "gsd": None}},
        {"scene": {"name": "", "hash": "", "width": 100, "height": 80, "crs": 1, "gsd": "a"}},
        {"classes": [{"name": "", "color": "#123456"}]},
        {"prompts": {"a": 1}},
        {"prompts": [1]},
        {"settings": []},
        {"pipeline": 3},
        {"parts": {}},
        {"parts": []},
    ],
)
def test_broken_manifests_are_refused(changes):
    refused(rebuilt(manifest(**changes)), "damaged")


def test_other_files_are_refused():
    refused(b"", "not a project file")
    refused(b"hello", "not a project file")
    refused(rebuilt(lambda parts: parts.pop("manifest.json")), "no manifest")
    refused(rebuilt(manifest(format="other")), "not an RSAM project")
    refused(rebuilt(lambda p: p.update({"manifest.json": b"\xff{"})), "manifest is not readable")
    refused(rebuilt(lambda p: p.update({"manifest.json": b"[" * 100_000})), "manifest is not")


def test_every_cut_and_every_flipped_bit_is_noticed():
    data = save_project(state(saved="2026-01-01"))
    for length in range(0, len(data) - 1, 97):
        refused(data[:length], "not a project file|damaged")
    before = load_project(data)
    for place in range(0, len(data), 61):
        broken = bytearray(data)
        broken[place] ^= 0x10
        try:
            after = load_project(bytes(broken))
        except ProjectError:
            continue
        # Some bytes of a zip mean nothing, such as its dates: then nothing is lost.
        assert same_objects(after.instances, before.instances)
        assert after.prompts == before.prompts


def test_missing_and_foreign_parts_are_refused():
    refused(rebuilt(lambda parts: parts.pop("masks.bin")), "“masks.bin” is missing")
    refused(rebuilt(lambda p: p.update({"masks.bin": b"\0" * 9})), "not what was saved")


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "C:\\evil", "a\\..\\b"])
def test_paths_that_lead_outside_are_refused(name):
    refused(rebuilt(lambda parts: parts.update({name: b"x"})), "points outside")


def test_bombs_are_refused_without_unpacking_them(monkeypatch):
    monkeypatch.setitem(archive_of.LIMITS, "masks.bin", 1000)
    bomb = rebuilt(lambda parts: parts.update({"masks.bin": b"\0" * 5_000_000}))
    refused(bomb, "unpacks to more than")


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["objects"][0].__setitem__(1, 95),
        lambda c: c["objects"][0].__setitem__(1, -1),
        lambda c: c["objects"][0].__setitem__(3, 14),
        lambda c: c["objects"][0].__setitem__(3, 0),
        lambda c: c["objects"][0].__setitem__(3, 10**12),
        lambda c: c["objects"][0].__setitem__(0, 11),
        lambda c: c["objects"][0].__setitem__(0, 0),
        lambda c: c["objects"][0].__setitem__(0, True),
        lambda c: c["objects"][0].__setitem__(5, "high"),
        lambda c: c["objects"][0].__setitem__(5, float("nan")),
        lambda c: c["objects"][0].__setitem__(6, None),
        lambda c: c["objects"][0].__setitem__(7, 3),
        lambda c: c["objects"][0].pop(),
        lambda c: c["objects"].pop(),
        lambda c: c["objects"].append("x"),
        lambda c: c.pop("next_id"),
        lambda c: c.__setitem__("next_id", "x"),
        lambda c: c.__setitem__("objects", 7),
    ],
)
def test_forged_lists_of_objects_are_refused(change):
    refused(rebuilt(objects(change)), "damaged")


def forged(**parts: bytes) -> bytes:
    """A project some of whose parts are others, with right checksums."""
    import hashlib

    def change(have: dict[str, bytes]) -> None:
        content = json.loads(have["manifest.json"])
        for name, data in parts.items():
            file = name.replace("_bin", ".bin").replace("_json", ".json")
            have[file] = data
            content["parts"][file] = hashlib.sha256(data).hexdigest()
        have["manifest.json"] = json.dumps(content).encode()

    return rebuilt(change)


@pytest.mark.parametrize(
    "parts",
    [
        {"objects_json": b" " * (64 << 20)},
        {"image_bin": bytes(64 << 20)},
        {"masks_bin": bytes(64 << 20)},
        {"truth_json": b" " * (64 << 20)},
        {"truth_valid_bin": bytes(64 << 20)},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_parts_that_swell_are_refused_without_unpacking_them(parts):
    import tracemalloc

    bomb = forged(**parts)
    tracemalloc.start()
    refused(bomb, "unpacks to more than")
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()


def test_masks_of_more_pixels_than_any_scene_are_refused():
    huge = json.dumps(
        {"next_id": 2, "objects": [[1, 0, 0, 900_000, 900_000, 1.0, "box", None]]}
    ).encode()

    def change(parts: dict[str, bytes]) -> None:
        scene = json.loads(parts["manifest.json"])["scene"]
        manifest(scene=scene | {"width": 900_000, "height": 900_000})(parts)

    refused(rebuilt(change, forged(objects_json=huge)), "billion pixels")


def test_archives_of_thousands_of_parts_are_refused():
    many = rebuilt(lambda parts: parts.update({f"part{k}": b"" for k in range(500)}))
    refused(many, r"500 parts|parts; a project has a few")


@pytest.mark.parametrize(
    ("crs", "kept"),
    [
        ("EPSG:32737", "EPSG:32737"),
        ("+proj=longlat +nadgrids=/etc/passwd", None),
        ("/vsicurl/http://127.0.0.1:9/x", None),
        ("nonsense", None),
    ],
)
def test_a_system_that_names_files_is_not_taken_over(crs: str, kept: str | None):
    def change(parts: dict[str, bytes]) -> None:
        scene = json.loads(parts["manifest.json"])["scene"]
        manifest(scene=scene | {"crs": crs})(parts)

    assert load_project(rebuilt(change)).crs == kept
