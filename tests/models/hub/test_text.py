"""Models of words against transformers itself, on small networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from rsam_core.errors import ModelError, WordsError

transformers = pytest.importorskip("transformers", reason="the optional package is not installed")

from rsam_core.models.hub.text import checked_words  # noqa: E402
from rsam_core.models.load import load_model  # noqa: E402
from rsam_core.models.tiny.kinds import KINDS  # noqa: E402
from rsam_core.objects.crops import Crop, paste  # noqa: E402
from tests.helpers.hub import words_folder  # noqa: E402

SHAPE = (90, 130)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for kind in ("sam3", "grounding-dino", "clipseg", "clip"):
        words_folder(folder / f"my-{kind}", kind)
    return folder


@pytest.fixture
def load(place, monkeypatch):
    monkeypatch.setenv("RSAM_MODELS", str(place))
    return lambda kind: load_model(f"my-{kind}")


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)


def whole(match) -> np.ndarray:
    canvas = np.zeros(SHAPE, bool)
    paste(canvas, match.crop)
    return canvas


def test_sam3_finds_what_the_package_finds(load, place, image):
    model = load("sam3")
    found = model.find(model.encode(image), ["Red  roof", "car", "car"], lowest=0.05)
    assert model.outlines
    network = transformers.Sam3Model.from_pretrained(place / "my-sam3").eval()
    processor = transformers.Sam3Processor.from_pretrained(place / "my-sam3")
    expected = []
    for word in ("red roof", "car"):
        ready = processor(images=image, text=word, return_tensors="pt")
        with torch.no_grad():
            answer = network(
                pixel_values=ready["pixel_values"],
                input_ids=ready["input_ids"],
                attention_mask=ready["attention_mask"],
            )
        (one,) = processor.post_process_instance_segmentation(
            answer, threshold=0.05, target_sizes=[SHAPE]
        )
        expected += [
            (word, float(s), m.numpy().astype(bool)) for s, m in zip(one["scores"], one["masks"])
        ]
    expected = sorted((e for e in expected if e[2].any()), key=lambda e: -e[1])
    assert len(found) == len(expected) > 3
    for match, (word, score, mask) in zip(found, expected):
        assert match.word == word
        assert match.score == pytest.approx(score, abs=1e-4)
        assert (whole(match) != mask).sum() <= 2
        rows, columns = np.nonzero(whole(match))
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert match.box.tolist() == box


def test_grounding_dino_finds_what_the_package_finds(load, place, image):
    model = load("grounding-dino")
    found = model.find(model.encode(image), ["building", "red roof", "Car."], lowest=0.2)
    assert not model.outlines
    network = transformers.GroundingDinoForObjectDetection.from_pretrained(
        place / "my-grounding-dino"
    ).eval()
    processor = transformers.GroundingDinoProcessor.from_pretrained(place / "my-grounding-dino")
    ready = processor(images=image, text="building. red roof. car.", return_tensors="pt")
    with torch.no_grad():
        answer = network(**ready)
    (one,) = processor.post_process_grounded_object_detection(
        answer, ready["input_ids"], threshold=0.2, text_threshold=0.0, target_sizes=[SHAPE]
    )
    limits = np.array([*SHAPE[::-1]] * 2)
    boxes = np.clip(one["boxes"].numpy(), 0, limits)
    large = (boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)
    order = np.argsort(-one["scores"].numpy()[large], kind="stable")
    np.testing.assert_allclose(
        [match.score for match in found], one["scores"].numpy()[large][order], atol=1e-4
    )
    np.testing.assert_allclose(
        np.sort([match.box for match in found], 0), np.sort(boxes[large], 0), atol=1e-2
    )
    # [CLS] building . red roof . car . [SEP]
    tokens = {"building": [1], "red roof": [3, 4], "car": [6]}
    chances = answer.logits[0].sigmoid().numpy()
    for match in found:
        rows = np.flatnonzero(np.abs(chances.max(1) - match.score) < 1e-5)
        best = [max(tokens, key=lambda w, r=r: chances[r, tokens[w]].max()) for r in rows]
        assert match.word in best
    assert len(found) > 3
    assert all(match.crop is None for match in found)


def test_clipseg_finds_what_the_package_finds(load, place, image):
    model = load("clipseg")
    words = ["water", "red roof"]
    found = model.find(model.encode(image), words, lowest=0.6)
    network = transformers.CLIPSegForImageSegmentation.from_pretrained(place / "my-clipseg").eval()
    processor = transformers.CLIPSegProcessor.from_pretrained(place / "my-clipseg")
    covered = 0.0
    for word in words:
        ready = processor(images=[image], text=[word], return_tensors="pt")
        with torch.no_grad():
            logits = network(**ready).logits.reshape(1, 1, 64, 64)
        share = torch.nn.functional.interpolate(
            logits.sigmoid(), size=SHAPE, mode="bilinear", align_corners=False
        )[0, 0].numpy()
        mine = [match for match in found if match.word == word]
        together = np.any([whole(match) for match in mine], axis=0) if mine else np.zeros(SHAPE)
        pieces, count = ndimage.label(share > 0.6)
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        assert len(mine) == (sizes >= 4).sum()
        assert (together != (share > 0.6)).sum() <= 3 * count
        for match in mine:
            assert match.score == pytest.approx(share[whole(match)].mean(), abs=1e-4)
        covered += together.mean()
    assert 0.02 < covered / 2 < 0.98


def test_the_older_layout_of_folders(load, place, image, tmp_path, monkeypatch):
    # As CLIPSeg is published: its own preprocessor_config.json and no tokenizer.json.
    folder = words_folder(tmp_path / "older", "clipseg")
    (folder / "tokenizer.json").unlink()
    (folder / "processor_config.json").unlink()
    facts = {
        "image_processor_type": "ViTImageProcessor",
        "do_normalize": True,
        "do_resize": True,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "resample": 2,
        "size": {"height": 64, "width": 64},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(facts))
    monkeypatch.setenv("RSAM_MODELS", str(tmp_path))
    model = load_model("older")
    assert list(model.processor.image_processor.image_mean) == [0.485, 0.456, 0.406]
    assert model.find(model.encode(image), ["water"], lowest=0.0)


def test_a_folder_without_the_words_part(place, tmp_path, monkeypatch):
    folder = words_folder(tmp_path / "bare", "clipseg")
    for path in folder.iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            path.unlink()
    monkeypatch.setenv("RSAM_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match=r"turn words into numbers.*tokenizer\.json"):
        load_model("bare")


class TestClip:
    objects = (
        Crop(np.ones((9, 20), bool), 30, 40),
        Crop(np.ones((50, 20), bool), 0, 40),
        Crop(np.ones((3, 3), bool), 127, 0),
    )

    def test_names_as_the_package_would(self, load, place, image):
        model = load("clip")
        assert model.names
        shares = model.name_objects(model.encode(image), self.objects)
        assert shares.shape == (3, len(KINDS))
        np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)
        network = transformers.CLIPModel.from_pretrained(place / "my-clip").eval()
        processor = transformers.CLIPProcessor.from_pretrained(place / "my-clip")
        # 20 pixels wide and a quarter around it on each side: 30; the least is 32.
        part = image[28:61, 24:56]
        text = [f"a {kind} seen from above" for kind in ("building", "car", "tree", "boat")]
        ready = processor(images=part, text=text, return_tensors="pt", padding=True)
        with torch.no_grad():
            logits = network(**ready).logits_per_image[0].numpy()
        ours = np.log(shares[0][[KINDS.index(k) for k in ("building", "car", "tree", "boat")]])
        np.testing.assert_allclose(ours - ours[0], logits - logits[0], atol=1e-3)

    def test_no_objects(self, load, image):
        model = load("clip")
        assert model.name_objects(model.encode(image), []).shape == (0, len(KINDS))

    def test_it_cannot_outline(self, load, image):
        model = load("clip")
        with pytest.raises(ModelError, match="names finished objects"):
            model.decode(model.encode(image), None, True)


class TestWords:
    def test_blanks_case_and_repetitions(self):
        assert checked_words([" Red   Roof. ", "red roof", "", "car"]) == ["red roof", "car"]

    @pytest.mark.parametrize("words", [[], [""], [" . "]])
    def test_nothing(self, words):
        with pytest.raises(WordsError, match="Say what to look for"):
            checked_words(words)

    def test_too_many_and_too_long(self):
        with pytest.raises(WordsError, match="21 things are too many"):
            checked_words([f"word {i}" for i in range(21)])
        with pytest.raises(WordsError, match="too long"):
            checked_words(["x" * 81])
