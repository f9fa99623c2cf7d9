"""Folders of models loaded by the real package, on small networks that are written here."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from rsam_core.errors import ModelError
from rsam_core.models import load_model

pytest.importorskip("transformers", reason="the optional package is not installed")
pytest.importorskip("timm", reason="the optional package is not installed")

from rsam_core.models.hub.loading import image_processor, read_network
from rsam_core.models.hub.promptable import HubModel
from tests.helpers.hub import PROMPTED, network, write


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("RSAM_MODELS", str(tmp_path))
    return tmp_path


def answer(model) -> np.ndarray:
    image = np.random.default_rng(5).integers(0, 256, (70, 110, 3), dtype=np.uint8)
    prompt = SimpleNamespace(
        points=np.array([[60.0, 40]]), labels=np.array([1]), box=None, mask=None
    )
    return model.decode(model.encode(image), prompt, True).lowres


@pytest.mark.parametrize("kind", PROMPTED)
def test_weights_arrive_in_the_network(place, kind):
    made = network(kind)
    write(place / "mine", made)
    loaded = load_model("mine")
    assert loaded.name == "mine"
    expected = HubModel(made, image_processor("/nowhere", kind, made), "mine")
    np.testing.assert_allclose(answer(loaded), answer(expected), atol=1e-4)


def test_video_models_of_sam2_serve_images(place):
    # The published folders of SAM 2.1 are those of the video model, with more weights.
    made = network("sam2")
    folder = write(place / "sam2.1-hiera-tiny", made)
    config = json.loads((folder / "config.json").read_text())
    config["model_type"], config["architectures"] = "sam2_video", ["Sam2VideoModel"]
    (folder / "config.json").write_text(json.dumps(config))
    weights = load_file(folder / "model.safetensors")
    weights["memory_encoder.projection.weight"] = torch.zeros(2, 2)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    expected = HubModel(made, image_processor("/nowhere", "sam2", made), "x")
    np.testing.assert_allclose(answer(load_model("sam2.1-hiera-tiny")), answer(expected), atol=1e-4)


def test_half_precision_is_read_as_single(place):
    folder = write(place / "mine", network("sam2").half())
    assert next(read_network(folder, "sam2").parameters()).dtype == torch.float32
    assert np.isfinite(answer(load_model("mine"))).all()


def test_means_of_the_folder_are_used(place):
    folder = write(place / "mine", network("sam2"))
    plain = answer(load_model("mine"))
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.5, 0.5], "size": 999})
    )
    processor = image_processor(folder, "sam2", network("sam2"))
    assert list(processor.image_mean) == [0.1, 0.2, 0.3]
    assert not np.allclose(answer(load_model("mine")), plain, atol=1e-3)


def changed(folder: Path, change) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.pop("mask_decoder.iou_token.weight"),
        lambda w: w.update({"mask_decoder.iou_token.weight": torch.zeros(7, 3)}),
    ],
)
def test_weights_that_do_not_fit(place, change):
    folder = write(place / "mine", network("sam2"))
    changed(folder, change)
    with pytest.raises(ModelError, match=r"do not fit|cannot be read"):
        load_model("mine")


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "sam2", "vision_config": {"backbone_channel_list": "nonsense"}},
        {"model_type": "sam2", "vision_config": 7},
        {"model_type": "sam", "vision_config": {"hidden_size": -3}},
    ],
)
def test_a_description_that_leads_nowhere(place, config):
    folder = write(place / "mine", network("sam2"))
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="cannot be read"):
        load_model("mine")


def test_code_in_a_folder_is_not_run(place):
    folder = write(place / "mine", network("sam2"))
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "evil.Model", "AutoConfig": "evil.Config"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(place / 'was-run')!r}, 'w')\nModel = Config = 1\n")
    assert load_model("mine").name == "mine"
    assert not (place / "was-run").exists()


def test_another_model_in_the_folder_of_a_listed_one(place):
    write(place / "sam3", network("sam2"))
    with pytest.raises(ModelError, match="another model than SAM 3"):
        load_model("sam3")
