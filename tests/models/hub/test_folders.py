"""Folders of models: what is refused before anything is opened; no optional package needed."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from rsam_core.errors import ModelError
from rsam_core.models import get_model_info, load_model
from rsam_core.models.catalog import traits_of
from rsam_core.models.hub.catalog import HUB, KINDS
from rsam_core.models.hub.folders import check, folder_of, found, state
from rsam_core.models.hub.loading import is_available


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("RSAM_MODELS", str(tmp_path))
    return tmp_path


def put(folder: Path, kind: str = "sam2") -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    save_file({"weight": torch.zeros(3, 4)}, folder / "model.safetensors")
    return folder


def test_a_whole_folder(place):
    assert check(put(place / "mine")) == "sam2"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "sam2.pt", "weights.pth", "m.ckpt"])
def test_files_that_can_run_a_program_are_refused(place, name):
    folder = put(place / "mine")
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps({"weight": 1}))
    with pytest.raises(ModelError, match=rf"{name}.*can run a program.*model\.safetensors"):
        check(folder)


def test_safetensors_are_enough_where_both_lie(place):
    folder = put(place / "mine")
    (folder / "pytorch_model.bin").write_bytes(b"whatever")
    assert check(folder) == "sam2"


def test_missing_files(place):
    folder = put(place / "mine")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights"):
        check(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"no file config\.json"):
        check(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a":' * 3000, "\x00"])
def test_a_description_that_is_none(place, text):
    folder = put(place / "mine")
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match="cannot be read as a model's description"):
        check(folder)


@pytest.mark.parametrize("kind", ["bert", "", "llama", "<b>"])
def test_models_of_other_kinds(place, kind):
    folder = put(place / "mine", kind)
    with pytest.raises(ModelError, match="which RSAM cannot use"):
        check(folder)
    assert found() == ()


@pytest.mark.parametrize("end", [-1, 4, 0, None])
def test_weights_that_are_not_whole(place, end):
    folder = put(place / "mine")
    path = folder / "model.safetensors"
    path.write_bytes(b"<html>" * 9 if end is None else path.read_bytes()[:end])
    with pytest.raises(ModelError, match="damaged or not whole"):
        check(folder)


def test_parts_that_an_index_names_must_be_there(place):
    folder = put(place / "mine")
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = {"weight_map": {f"w{i}": f"model-0000{i}-of-00002.safetensors" for i in (1, 2)}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="lacks the file model-00002-of-00002"):
        check(folder)


def test_state_of_a_listed_model(place):
    info = next(one for one in HUB if one.name == "sam2.1-hiera-tiny")
    assert state(info) == "downloadable"
    folder_of(info).mkdir()
    assert state(info) == "downloadable", "an empty folder is nothing yet"
    folder_of(info).rmdir()
    folder = put(folder_of(info))
    assert state(info) == "ready"
    (folder / "model.safetensors").write_bytes(b"x")
    assert state(info) == "damaged"


def test_own_folders_are_found_by_what_they_are(place):
    put(place / "b-words", "grounding-dino")
    put(place / "a-mine", "sam")
    put(place / ".hidden", "sam")
    put(place / "sam3", "sam3")
    (place / "empty").mkdir()
    (place / "file.txt").write_text("x")
    mine, words = found()
    assert (mine.name, mine.task) == ("a-mine", "prompts")
    assert mine.bytes == (place / "a-mine" / "model.safetensors").stat().st_size
    assert (words.name, words.task) == ("b-words", "words")
    assert get_model_info("a-mine") == mine
    with pytest.raises(ModelError, match="a-mine"):
        get_model_info("nobody")


def test_no_models_folder_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("RSAM_MODELS", str(tmp_path / "absent"))
    assert found() == ()


def test_facts_of_the_list():
    assert len({info.name for info in HUB}) == len(HUB)
    for info in HUB:
        assert info.file == info.name
        assert "/" in info.repository
        assert info.licence
        assert info.licence_url.startswith("https://")
        assert info.bytes > 30_000_000
        assert get_model_info(info.name) is info
    gated = [info.name for info in HUB if info.gated]
    assert gated == ["sam3"]
    assert {task for task, _ in KINDS.values()} == {info.task for info in HUB}
    assert traits_of("sam2.1-hiera-tiny").min_quality == 0.8


def test_not_installed(place):
    if not is_available():
        pytest.skip("the optional package is not installed")
    with pytest.raises(ModelError, match=r"SAM 2\.1 tiny is not installed.*Models page"):
        load_model("sam2.1-hiera-tiny")


def test_without_the_package(place, monkeypatch):
    monkeypatch.setattr("rsam_core.models.hub.loading.find_spec", lambda name: None)
    put(place / "mine")
    with pytest.raises(ModelError, match=r"needs the package transformers.*requirements-models"):
        load_model("mine")


def test_the_package_is_imported_only_for_such_a_model():
    code = (
        "import sys, rsam_core, rsam_core.models, rsam_core.models.hub as hub\n"
        "from rsam_core.models.hub import HUB, found, is_available\n"
        "from rsam_core.models.hub import loading\n"
        "is_available(); found(); rsam_core.load_model(); rsam_core.Segmenter\n"
        "print([m for m in ('transformers', 'timm', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("entries", "sound"),
    [
        ({"backbone": "microsoft/swin-tiny"}, False),
        ({"backbone": "/srv/other", "backbone_config": None}, False),
        ({"vision_config": {"backbone": "../other"}}, False),
        ({"parts": [{"backbone": "owner/name"}]}, False),
        ({"backbone": None, "backbone_config": {"model_type": "swin"}}, True),
        ({"backbone": "swin", "backbone_config": {"model_type": "swin"}}, True),
    ],
)
def test_a_description_that_names_another_model_is_refused(place, entries: dict, sound: bool):
    folder = put(place / "mine")
    (folder / "config.json").write_text(json.dumps({"model_type": "sam2", **entries}))
    if sound:
        assert check(folder) == "sam2"
        return
    with pytest.raises(ModelError, match="names another model"):
        check(folder)


@pytest.mark.parametrize("name", ["../other/model.safetensors", "a/model.safetensors",
                                  "..\\model.safetensors", "/srv/model.safetensors"])  # fmt: skip
def test_parts_of_a_model_lie_in_its_folder(place, name: str):
    folder = put(place / "mine")
    put(place / "other")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"weight": "model.safetensors"}}))
    assert check(folder) == "sam2"
    index.write_text(json.dumps({"weight_map": {"weight": name}}))
    with pytest.raises(ModelError, match="lacks the file"):
        check(folder)
