"""The embedded model's weights: how they are kept, and what they can do."""

from __future__ import annotations

import json
import pickle
import struct

import numpy as np
import pytest
import torch

from rsam_core.errors import ModelError
from rsam_core.models.tiny.model import WEIGHTS, load_tiny
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import centre_click, corrective_click, tight_box
from rsam_core.samples import render_town
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import overlap, rectangle

# ------------------------------------------------------------------ the weights


def test_weights_are_half_precision_safetensors_under_ten_megabytes():
    data = WEIGHTS.read_bytes()
    assert len(data) < 10_000_000
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    assert {entry["dtype"] for entry in header.values()} == {"F16"}
    assert max(entry["data_offsets"][1] for entry in header.values()) + 8 + length == len(data)
    values = np.frombuffer(data[8 + length :], np.float16)
    assert np.isfinite(values).all()


def test_weights_load_without_pickle(monkeypatch):
    def refuse(*args, **fields):
        raise AssertionError("pickle was used")

    for module, name in (
        (pickle, "load"),
        (pickle, "loads"),
        (pickle, "Unpickler"),
        (torch, "load"),
    ):
        monkeypatch.setattr(module, name, refuse)
    assert load_tiny().name == "rsam-tiny"


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "pickle", "other", "shape"])
def test_damaged_weights_say_what_to_do(damage, tmp_path):
    from safetensors.torch import load_file, save_file

    path = tmp_path / "weights.safetensors"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(WEIGHTS.read_bytes()[:100_000])
    elif damage == "text":
        path.write_text("<html>not found</html>")
    elif damage == "pickle":
        torch.save({"weight": torch.ones(2)}, path)
    elif damage == "other":
        save_file({"weight": torch.ones(2)}, str(path))
    elif damage == "shape":
        state = load_file(str(WEIGHTS))
        name = next(iter(state))
        save_file(state | {name: state[name][:1].contiguous()}, str(path))
    with pytest.raises(ModelError, match=r"missing or damaged\. Install RSAM again"):
        load_tiny(path)


# ------------------------------------------------------------------ what the weights can do


@pytest.fixture(scope="module")
def segmenter(tiny) -> Segmenter:
    return Segmenter(tiny)


@pytest.fixture(scope="module")
def roof() -> tuple[np.ndarray, np.ndarray]:
    """A bright rectangle on a dark, noisy ground, and its truth."""
    rng = np.random.default_rng(0)
    truth = rectangle((256, 288), 90, 80, 200, 150)
    image = np.where(truth[..., None], (200, 190, 180), (70, 95, 60))
    image = image + rng.normal(0, 6, (256, 288, 1))
    return image.clip(0, 255).astype(np.uint8), truth


@pytest.fixture(scope="module")
def mosaic():
    return render_town(640, 576, gsd=0.4, seed=3, style="estate")


@pytest.mark.parametrize(
    ("prompt", "at_least"),
    [
        (Prompt(box=(90, 80, 200, 150)), 0.8),
        (Prompt(box=(84, 75, 205, 154)), 0.8),
        (Prompt(points=[(145, 115)], box=(90, 80, 200, 150)), 0.8),
        (Prompt(points=[(145, 115), (20, 20)], labels=[1, 0]), 0.6),
        (Prompt(points=[(145, 115)]), 0.6),
        (Prompt(mask=rectangle((256, 288), 100, 90, 190, 140)), 0.6),
    ],
)
def test_clear_rectangle_is_found_by_any_prompt(segmenter, roof, prompt, at_least):
    image, truth = roof
    found = segmenter.predict(segmenter.embed(image), prompt)
    assert overlap(found.masks[0], truth) > at_least
    assert 0 < found.scores[0] <= 1


def test_roofs_of_a_town_by_box(segmenter, town_embedding, town_roofs):
    found = segmenter.predict(town_embedding, [Prompt(box=tight_box(r)) for r in town_roofs])
    values = [overlap(item.masks[0], roof) for item, roof in zip(found, town_roofs)]
    assert np.mean(values) > 0.75


def test_corrective_clicks_help(segmenter, town_embedding, town_roofs):
    before, after = [], []
    for roof in town_roofs:
        points, labels = [centre_click(roof)], [1]
        found = segmenter.predict(town_embedding, Prompt(points, labels))
        before.append(overlap(found.masks[0], roof))
        for _ in range(3):
            *point, label = corrective_click(roof, found.masks[0])
            points, labels = [*points, tuple(point)], [*labels, label]
            found = segmenter.predict(
                town_embedding, Prompt(points, labels), previous=found.refinement[0]
            )
        after.append(overlap(found.masks[0], roof))
    assert np.mean(after) > np.mean(before)
    assert np.mean(after) > 0.7


def test_features_do_not_depend_on_the_size_of_the_view(tiny, mosaic):
    large = tiny.encode(mosaic.image).maps
    small = tiny.encode(mosaic.image[160:416, 192:448]).maps
    for name, stride in (("features", 8), ("image", 8), ("key", 8), ("skip", 4)):
        whole, part = getattr(large, name)[0], getattr(small, name)[0]
        whole = whole[:, 160 // stride : 416 // stride, 192 // stride : 448 // stride]
        assert whole.shape == part.shape
        far = slice(96 // stride, 160 // stride)
        similar = torch.nn.functional.cosine_similarity(whole, part, dim=0)[far, far]
        assert similar.mean() > 0.97


def test_object_is_the_same_in_a_tile_and_in_a_mosaic(segmenter, mosaic):
    x, y = 192, 160
    large = segmenter.embed(mosaic.image)
    small = segmenter.embed(mosaic.image[y : y + 256, x : x + 256])
    agreement, differences = [], []
    for label, cls in mosaic.classes.items():
        box = np.array(tight_box(mosaic.labels == label)) - (x, y, x, y)
        if cls != "roof" or box.min() < 32 or box.max() > 224 or (box[2:] - box[:2]).min() < 12:
            continue
        in_tile = segmenter.predict(small, Prompt(box=box))
        in_mosaic = segmenter.predict(large, Prompt(box=box + np.array([x, y, x, y])))
        part = in_mosaic.masks[0][y : y + 256, x : x + 256]
        agreement.append(overlap(in_tile.masks[0], part))
        differences.append(abs(float(in_tile.scores[0] - in_mosaic.scores[0])))
    assert len(agreement) >= 2
    assert np.mean(agreement) >= 0.9
    assert min(agreement) >= 0.8
    assert max(differences) <= 0.1


@pytest.mark.parametrize("shape", [(333, 257), (40, 40), (8, 8), (1, 1), (20, 700)])
def test_view_of_any_size(segmenter, shape):
    height, width = shape
    image = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    embedding = segmenter.embed(image)
    assert embedding.shape == shape
    assert embedding.nbytes > 0
    click = segmenter.predict(embedding, Prompt(points=[(width, height)]))
    assert click.masks.shape[1:] == (height, width)
    assert 1 <= len(click) <= 3
    box = segmenter.predict(embedding, Prompt(box=(0, 0, width, height)))
    assert box.masks.shape == (1, height, width)
    assert np.isfinite(box.scores).all()
    again = segmenter.predict(
        embedding, Prompt(points=[(0, 0)], box=(0, 0, width, height)), previous=box.refinement[0]
    )
    assert again.masks.shape == (1, height, width)


def test_encoding_takes_any_memory_layout_and_changes_nothing(tiny, town):
    image = town.image[:96, :128]
    before = image.copy()
    plain = tiny.encode(np.ascontiguousarray(image))
    image.flags.writeable = False
    flipped = np.asfortranarray(image)
    assert torch.equal(tiny.encode(flipped).maps.image, plain.maps.image)
    assert torch.equal(tiny.encode(image).maps.image, plain.maps.image)
    assert np.array_equal(image, before)
