"""PerSAM and PerSAM-F on the embedded model, and the two weights against a transcription."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from rsam_core.errors import Cancelled, ModelError, OneShotError
from rsam_core.models.base import PromptableModel
from rsam_core.objects.instances import Instances
from rsam_core.segment.one_shot import PersamSettings, learn, repeat, segment
from rsam_core.segment.one_shot.persam import check_example
from rsam_core.segment.one_shot.persam_f import tune_scales
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.shots import (
    BLUES,
    REDS,
    SHAPE,
    embedding,
    lawn,
    mask_at,
    overlap,
    roofs_hit,
    segmenter,
)


@pytest.mark.parametrize("method", ["persam", "persam-f"])
def test_the_object_most_like_the_example_is_of_its_kind(method):
    learned = learn(segmenter(), embedding(), mask_at(REDS[1]), PersamSettings(method))
    found = segment(segmenter(), embedding(), learned)
    assert found is not None
    assert max(overlap(found.instance, corner) for corner in REDS) > 0.7
    assert found.similarity > 0.5
    x, y = (int(v) for v in found.point)
    assert any(mask_at(corner)[y, x] for corner in REDS)


def test_with_all_else_taken_the_last_one_is_found():
    learned = learn(segmenter(), embedding(), mask_at(REDS[0]))
    blocked = ~mask_at(REDS[4])
    found = segment(segmenter(), embedding(), learned, blocked=blocked)
    assert overlap(found.instance, REDS[4]) > 0.7
    assert segment(segmenter(), embedding(), learned, blocked=np.ones(SHAPE, bool)) is None


def test_repeating_finds_all_of_a_kind_before_any_other():
    learned = learn(segmenter(), embedding(), mask_at(REDS[2]))
    found = repeat(segmenter(), embedding(), learned, lowest=0.5, most=12)
    items = Instances([f.instance for f in found], SHAPE)
    assert roofs_hit(items, REDS) >= 5
    assert all(a.similarity >= b.similarity for a, b in itertools.pairwise(found))
    assert all(f.similarity >= 0.5 for f in found)
    first_blue = next((k for k, f in enumerate(found) if roofs_hit(
        Instances([f.instance], SHAPE), BLUES)), len(found))  # fmt: skip
    assert roofs_hit(Instances([f.instance for f in found[:first_blue]], SHAPE), REDS) >= 5


def test_a_repetition_is_bounded_and_can_be_stopped():
    learned = learn(segmenter(), embedding(), mask_at(REDS[2]))
    assert len(repeat(segmenter(), embedding(), learned, lowest=-1, most=2)) <= 2
    assert repeat(segmenter(), embedding(), learned, lowest=1.01) == []
    told: list[float] = []

    def stop() -> bool:
        return len(told) >= 2

    with pytest.raises(Cancelled):
        repeat(segmenter(), embedding(), learned, lowest=-1, cancelled=stop,
               progress=lambda share, text: told.append(share))  # fmt: skip
    assert len(told) == 2


def transcription(maps: np.ndarray, truth: np.ndarray, steps: int) -> tuple[float, float]:
    """The loop of the paper over all pixels, written out."""
    z, y = torch.from_numpy(maps), torch.from_numpy(truth)
    w = torch.nn.Parameter(torch.ones(2) / 3)
    optimizer = torch.optim.AdamW([w], lr=1e-3, eps=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        p = torch.sigmoid((1 - w[0] - w[1]) * z[0] + w[0] * z[1] + w[1] * z[2])
        dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
        positive = -0.25 * (1 - p) ** 2 * torch.log(p) * y
        negative = -0.75 * p**2 * torch.log(1 - p) * (1 - y)
        loss = dice + (positive + negative).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return float(w[0].detach()), float(w[1].detach())


def scales(which: int) -> tuple[np.ndarray, np.ndarray]:
    """Three discs of different size as logits; the wanted one is number ``which``."""
    y, x = np.mgrid[:40, :40] - 19.5
    distance = np.hypot(x, y)
    maps = np.stack([radius - distance for radius in (5, 9, 14)]).astype(np.float32)
    return maps.clip(-7, 7), (distance < (5, 9, 14)[which]).astype(np.float32)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_weights_are_those_of_the_published_loop(which):
    maps, truth = scales(which)
    found = tune_scales(maps, truth, steps=200)
    assert (found.w1, found.w2) == pytest.approx(transcription(maps, truth, 200), abs=2e-4)
    assert found.losses[1] < found.losses[0]
    assert found.all.sum() == pytest.approx(1)


def test_the_thousand_steps_prefer_the_scale_of_the_example():
    small, large = (tune_scales(*scales(which)) for which in (0, 2))
    assert small.all[0] > 1 / 3 > small.all[2]
    assert large.all[2] > 1 / 3 > large.all[0]
    radius = np.hypot(*(np.mgrid[:40, :40] - 19.5))
    for one, which, true in ((small, 0, 5), (large, 2, 14)):
        outline = np.tensordot(one.all, scales(which)[0], axes=1) > 0
        equal = ((scales(which)[0].mean(0) > 0) ^ (radius < true)).sum()
        assert (outline ^ (radius < true)).sum() < equal


def test_an_example_without_a_cell_is_refused():
    with pytest.raises(OneShotError, match="too small"):
        tune_scales(np.zeros((3, 8, 8), np.float32), np.zeros((8, 8), np.float32))


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros(SHAPE, bool), "empty"),
        (np.eye(1, 256 * 192).reshape(SHAPE) > 0, "only 1 pixel:"),
        (np.arange(256 * 192).reshape(SHAPE) < 3, "only 3 pixels:"),
        (np.ones(SHAPE, bool), "whole image"),
        (np.zeros(3, bool), "empty"),
    ],
)
def test_unusable_examples_are_refused_in_plain_words(mask, words):
    with pytest.raises(OneShotError, match=words):
        learn(segmenter(), embedding(), mask)


def test_borderline_examples_are_taken():
    nine_tenths = np.arange(1000).reshape(25, 40) < 900
    assert check_example(nine_tenths).sum() == 900
    four = np.zeros((20, 20), int)
    four[3:5, 3:5] = 1
    assert check_example(four).dtype == bool


def test_an_example_of_another_image_or_model_is_refused():
    with pytest.raises(Exception, match="this image"):
        learn(segmenter(), embedding(), np.pad(mask_at(REDS[0]), 4))
    learned = learn(segmenter(), embedding(), mask_at(REDS[0]))

    class Other(PromptableModel):
        name = "other"

        def encode(self, image):
            return segmenter().model.encode(image)

        def decode(self, features, prompt, multimask, previous=None):
            raise AssertionError

    other = Segmenter(Other())
    with pytest.raises(OneShotError, match="learned by rsam-tiny"):
        segment(other, embedding(), learned)
    with pytest.raises(ModelError):
        learn(other, other.embed(lawn()), mask_at(REDS[0]))


def test_an_unknown_method_is_refused():
    with pytest.raises(OneShotError, match="Choose persam"):
        PersamSettings("sam")  # type: ignore[arg-type]
