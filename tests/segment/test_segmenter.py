"""The segmenter over a model whose answers are known, and over the embedded one in threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rsam_core.errors import PromptError, SceneError
from rsam_core.models.base import Decoded
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import tight_box
from rsam_core.segment.embedding import content_key
from rsam_core.segment.everything import EverythingSettings
from rsam_core.segment.segmenter import Candidates, Segmenter
from tests.helpers.models import FakeModel, rectangle

SHAPE = (40, 50)


def around(prompt: Prompt, multimask: bool) -> tuple[list[np.ndarray], list[float]]:
    """Squares around the first point or the box's corner: small, large, middle."""
    x, y = (int(v) for v in (prompt.points[0] if len(prompt.points) else prompt.box[:2]))
    squares = [
        rectangle(SHAPE, max(x - r, 0), max(y - r, 0), x + r + 1, y + r + 1) for r in (1, 5, 3)
    ]
    return (squares, [0.2, 0.9, 0.5]) if multimask else (squares[2:], [0.4])


@pytest.fixture
def model() -> FakeModel:
    return FakeModel(around)


@pytest.fixture
def segmenter(model) -> Segmenter:
    return Segmenter(model)


@pytest.fixture
def embedding(segmenter):
    return segmenter.embed(np.zeros((*SHAPE, 3), np.uint8))


# ------------------------------------------------------------------ answers


def test_best_mask_comes_first_and_keeps_its_refinement(segmenter, embedding):
    found = segmenter.predict(embedding, Prompt(points=[(20, 15)]))
    assert found.scores == pytest.approx([0.9, 0.5, 0.2])
    assert found.areas.tolist() == [11 * 11, 7 * 7, 3 * 3]
    assert found.refinement == ["0/1", "0/2", "0/0"]
    assert found.masks.shape == (3, *SHAPE)
    assert found.masks.dtype == bool
    assert np.array_equal(found.masks[1], rectangle(SHAPE, 17, 12, 24, 19))
    assert len(found) == 3


def test_crop_is_pasted_at_its_place_in_the_view():
    crops = np.stack([np.ones((3, 4), bool), np.eye(3, 4, dtype=bool)])
    ones = np.ones(2, np.float32)
    decoded = Decoded(crops, 7, 5, np.array([0.1, 0.8], np.float32), ["a", "b"], ones)
    found = Candidates.from_decoded(decoded, SHAPE)
    diagonal = np.zeros(SHAPE, bool)
    diagonal[5, 7] = diagonal[6, 8] = diagonal[7, 9] = True
    assert np.array_equal(found.masks, np.stack([diagonal, rectangle(SHAPE, 7, 5, 11, 8)]))
    assert np.array_equal(decoded.full(SHAPE)[::-1], found.masks)
    instance = found.instance(1, source="box", id=3)
    assert (instance.bbox, instance.id, instance.source) == ((7, 5, 11, 8), 3, "box")
    assert instance.score == pytest.approx(0.1)


def test_empty_candidate_is_no_instance():
    one = np.ones(1, np.float32)
    decoded = Decoded(np.zeros((1, 1, 1), bool), 0, 0, one, [None], one)
    found = Candidates.from_decoded(decoded, SHAPE)
    assert found.instance() is None
    assert not found.masks.any()


@pytest.mark.parametrize(
    ("prompt", "multimask", "asked"),
    [
        (Prompt(points=[(9, 9)]), None, True),
        (Prompt(points=[(9, 9), (12, 9)]), None, False),
        (Prompt(box=(5, 5, 20, 20)), None, False),
        (Prompt(points=[(9, 9)], box=(5, 5, 20, 20)), None, False),
        (Prompt(points=[(9, 9)]), False, False),
        (Prompt(box=(5, 5, 20, 20)), True, True),
    ],
)
def test_three_masks_for_a_lone_click_unless_told_otherwise(
    segmenter, embedding, model, prompt, multimask, asked
):
    found = segmenter.predict(embedding, prompt, multimask)
    assert model.calls[0].multimask is asked
    assert len(found) == (3 if asked else 1)


def test_list_of_prompts_is_answered_in_order(segmenter, embedding):
    prompts = [
        Prompt(points=[(10, 10)]),
        Prompt(box=(30, 20, 40, 30)),
        Prompt(points=[(40, 8)]),
        Prompt(points=[(6, 30), (7, 31)]),
    ]
    found = segmenter.predict(embedding, prompts)
    assert [len(item) for item in found] == [3, 1, 3, 1]
    centres = [tuple(float(v.mean()) for v in np.nonzero(item.masks[0])[::-1]) for item in found]
    assert centres == [(10, 10), (30, 20), (40, 8), (6, 30)]
    alone = [segmenter.predict(embedding, prompt) for prompt in prompts]
    assert all(np.array_equal(a.masks, b.masks) for a, b in zip(found, alone))


def test_list_of_one_comes_back_as_a_list(segmenter, embedding):
    found = segmenter.predict(embedding, [Prompt(points=[(9, 9)])])
    assert isinstance(found, list)
    assert len(found) == 1
    assert isinstance(segmenter.predict(embedding, Prompt(points=[(9, 9)])), Candidates)


def test_earlier_answer_is_handed_to_the_model(segmenter, embedding, model):
    first = segmenter.predict(embedding, Prompt(points=[(9, 9)]))
    segmenter.predict(embedding, Prompt(points=[(9, 9), (12, 9)]), previous=first.refinement[0])
    assert [c.previous for c in model.calls] == [None, "0/1"]


def test_box_is_cut_to_the_image_before_the_model_sees_it(segmenter, embedding, model):
    segmenter.predict(embedding, Prompt(box=(20, 10, 900, 900)))
    assert model.calls[0].prompt.box.tolist() == [20, 10, 50, 40]


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        (Prompt(points=[(51, 5)]), "outside the image, which is 50 × 40"),
        (Prompt(box=(60, 5, 70, 9)), "outside the image, which is 50 × 40"),
        (Prompt(mask=np.ones((9, 9))), "image's size"),
        ([], "No prompt was given"),
        ([Prompt(points=[(1, 1)]), Prompt(points=[(1, 99)])], "outside the image"),
    ],
)
def test_bad_prompt_is_refused_before_anything_is_decoded(
    segmenter, embedding, model, prompts, words
):
    with pytest.raises(PromptError, match=words):
        segmenter.predict(embedding, prompts)
    assert model.calls == []


def test_embedding_of_another_model_is_refused(embedding):
    other = Segmenter(FakeModel(around, name="other"))
    with pytest.raises(PromptError, match="encoded by fake but the model is now other"):
        other.predict(embedding, Prompt(points=[(9, 9)]))


def test_earlier_answer_for_several_prompts_is_refused(segmenter, embedding):
    prompts = [Prompt(points=[(9, 9)]), Prompt(points=[(19, 9)])]
    with pytest.raises(PromptError, match="one prompt only"):
        segmenter.predict(embedding, prompts, previous="0/0")


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8, 3)),
        np.zeros((8, 8, 3), np.uint16),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((3, 8, 8), np.uint8),
    ],
)
def test_image_must_be_eight_bit_rgb(segmenter, model, image):
    with pytest.raises(SceneError, match=r"uint8.*read_rgb"):
        segmenter.embed(image)
    assert model.encodings == 0


def test_embedding_knows_its_view(segmenter):
    image = np.full((20, 30, 3), 7, np.uint8)
    embedding = segmenter.embed(image)
    assert embedding.shape == (20, 30)
    assert embedding.key == content_key(image, "fake")
    assert embedding.nbytes == 20 * 30 * 3


# ------------------------------------------------------------------ everything


@pytest.mark.parametrize(("name", "count"), [("rsam-tiny", 1), ("sam-vit-b", 0)])
def test_everything_uses_the_thresholds_that_suit_the_model(name, count):
    square = rectangle(SHAPE, 10, 10, 20, 20)
    segmenter = Segmenter(FakeModel(lambda prompt, many: ([square], [0.7]), name=name))
    embedding = segmenter.embed(np.zeros((*SHAPE, 3), np.uint8))
    # 0.7 is good for rsam-tiny and poor for official SAM.
    assert len(segmenter.everything(embedding)) == count
    low = EverythingSettings(min_quality=0.65, min_stability=0.5)
    assert len(segmenter.everything(embedding, low)) == 1


# ------------------------------------------------------------------ threads


def test_threads_share_one_model(tiny, town_embedding, town_roofs):
    segmenter = Segmenter(tiny)
    boxes = [Prompt(box=tight_box(mask)) for mask in town_roofs[:5]]
    clicks = [Prompt(points=[box.box.reshape(2, 2).mean(0)]) for box in boxes]
    prompts = boxes + clicks
    alone = [segmenter.predict(town_embedding, prompt) for prompt in prompts]
    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(lambda p: segmenter.predict(town_embedding, p), prompts))
    assert all(found.masks.any() for found in alone)
    for one, other in zip(alone, shared):
        assert np.array_equal(one.masks, other.masks)
        assert one.scores == pytest.approx(other.scores, abs=1e-6)
