"""Everything mode by proposals, with a model that knows the drawn rectangles exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rsam_core.errors import ModelError, PromptError
from rsam_core.models.base import Decoded, PromptableModel
from rsam_core.models.tiny.proposal_head import Proposals
from rsam_core.objects.boxes import distinct
from rsam_core.objects.instances import Instances
from rsam_core.segment.everything import (
    EverythingSettings,
    estimate_seconds,
    generate,
    initialize,
)
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.run import ArraySource, initialize_tiled

SHAPE = (240, 320)
RECTANGLES = np.array(
    [(20, 30, 60, 70), (100, 40, 180, 90), (30, 150, 44, 160), (200, 120, 300, 220)], float
)
SETTINGS = EverythingSettings(spacing=16, min_area=20, max_share=0.5)


@dataclass(frozen=True)
class _Picture:
    """What the model sees: the picture, whose values number the rectangles."""

    numbers: np.ndarray

    @property
    def nbytes(self) -> int:
        return self.numbers.nbytes


class _Knows(PromptableModel):
    """Proposes loose boxes; outlines badly at first, exactly when it is asked again."""

    name = "knows"
    proposes = True

    def __init__(self, unknown: Sequence[int] = (), doubles: int = 1) -> None:
        self.unknown, self.doubles = unknown, doubles
        self.asked: list[bool] = []

    def encode(self, image: np.ndarray) -> _Picture:
        return _Picture(image[..., 0])

    def propose(self, features: _Picture, most: int = 400, lowest: float = 0.05) -> Proposals:
        rows = []
        for number in np.unique(features.numbers):
            if not number or number in self.unknown:
                continue
            y, x = np.nonzero(features.numbers == number)
            box = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], float)
            for turn in range(self.doubles):
                off = 0.1 * (box[2:] - box[:2]) * (1 + turn / 10)
                rows.append(np.concatenate([box[:2] - off, box[2:] - off]))
        height, width = features.numbers.shape
        boxes = np.array(rows, np.float32).reshape(-1, 4)[:most]
        boxes = boxes.clip(0, (width, height, width, height)).astype(np.float32)
        scores = np.linspace(0.9, 0.5, len(boxes), dtype=np.float32)
        return Proposals(boxes, (boxes[:, :2] + boxes[:, 2:]) / 2, scores, scores)

    def decode(self, features: _Picture, prompt: Any, multimask: bool, previous: Any = None):
        self.asked.append(previous is not None)
        if prompt.box is None:
            x, y = prompt.points[0]
        else:
            x, y = (prompt.box[:2] + prompt.box[2:]) / 2
        number = features.numbers[int(y), int(x)]
        mask = features.numbers == number if number else np.zeros(features.numbers.shape, bool)
        if prompt.box is not None and previous is None:
            # The first answer ends where the loose box does.
            x0, y0, x1, y1 = np.round(prompt.box).astype(int)
            inside = np.zeros(mask.shape, bool)
            inside[y0:y1, x0:x1] = True
            mask = mask & inside
        score = np.array([0.8 if previous is None else 0.95], np.float32)
        return Decoded(mask[None], 0, 0, score, ["again"], np.ones(1, np.float32))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    image = np.zeros((*SHAPE, 3), np.uint8)
    for number, (x0, y0, x1, y1) in enumerate(RECTANGLES.astype(int), start=1):
        image[y0:y1, x0:x1] = number
    return image


def boxes_of(found: Instances) -> list[tuple[int, ...]]:
    return sorted(item.bbox for item in found)


def expected(numbers: Sequence[int]) -> list[tuple[int, ...]]:
    return sorted(tuple(RECTANGLES[n - 1].astype(int).tolist()) for n in numbers)


def test_a_second_look_mends_what_loose_boxes_cut(picture):
    model = _Knows()
    segmenter = Segmenter(model)
    state = initialize(segmenter, segmenter.embed(picture), SETTINGS)
    found = generate(state, SETTINGS)
    assert boxes_of(found) == expected([1, 2, 3, 4])
    assert all(item.mask.all() for item in found)
    assert state.complete
    assert state.points == 4
    assert model.asked == [False] * 4 + [True] * 4


def test_doubles_get_one_second_look(picture):
    model = _Knows(doubles=3)
    segmenter = Segmenter(model)
    found = generate(initialize(segmenter, segmenter.embed(picture), SETTINGS), SETTINGS)
    assert boxes_of(found) == expected([1, 2, 3, 4])
    assert model.asked.count(False) == 12
    assert 4 <= model.asked.count(True) < 12


def test_what_is_not_proposed_is_found_by_looking_between(picture):
    segmenter = Segmenter(_Knows(unknown=[2, 3]))
    embedding = segmenter.embed(picture)
    assert boxes_of(generate(initialize(segmenter, embedding, SETTINGS), SETTINGS)) == expected(
        [1, 4]
    )
    both = EverythingSettings(16, min_area=20, max_share=0.5, look_between=True)
    model = segmenter.model
    model.asked.clear()
    state = initialize(segmenter, embedding, both)
    assert boxes_of(generate(state, both)) == expected([1, 2, 3, 4])
    # No grid point on the two known rectangles was asked about again.
    on_known = sum(
        RECTANGLES[n][0] <= x < RECTANGLES[n][2] and RECTANGLES[n][1] <= y < RECTANGLES[n][3]
        for n in (0, 3)
        for x in 8 + 16 * np.arange(20)
        for y in 8 + 16 * np.arange(15)
    )
    assert on_known > 0
    assert len(model.asked) == 2 + 2 + 20 * 15 - on_known


def test_without_proposals_the_grid_is_asked(picture):
    model = _Knows()
    segmenter = Segmenter(model)
    grid = EverythingSettings(16, min_area=20, max_share=0.5, propose=False)
    state = initialize(segmenter, segmenter.embed(picture), grid)
    assert state.points == 20 * 15
    assert len(model.asked) == 20 * 15
    assert boxes_of(generate(state, grid)) == expected([1, 2, 3, 4])


def test_the_number_of_proposals_can_be_limited(picture):
    few = EverythingSettings(16, min_area=20, max_share=0.5, max_proposals=2)
    segmenter = Segmenter(_Knows())
    state = initialize(segmenter, segmenter.embed(picture), few)
    assert state.points == 2
    assert boxes_of(generate(state, few)) == expected([1, 2])
    with pytest.raises(PromptError, match="At least one proposal"):
        EverythingSettings(max_proposals=0)


def test_progress_rises_to_the_end_and_cancelling_keeps_what_there_is(picture):
    segmenter = Segmenter(_Knows())
    embedding, told = segmenter.embed(picture), []
    initialize(segmenter, embedding, SETTINGS, progress=lambda share, text: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0
    asked = iter([False, True])
    state = initialize(segmenter, embedding, SETTINGS, cancelled=lambda: next(asked, True))
    assert not state.complete
    # Nothing was outlined a second time: the first outlines stand.
    assert len(generate(state, SETTINGS)) == len(RECTANGLES)
    never = initialize(segmenter, embedding, SETTINGS, cancelled=lambda: True)
    assert never.points == 0
    assert not never.complete
    assert not len(never.masks)


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_wherever_it_is_cancelled_each_object_is_kept_once_and_the_share_only_rises(picture, stop):
    class OneAtATime(_Knows):
        def decode_in_turns(self, features, prompts, multimask, *, previous=None, hurry=None):
            before = previous or [None] * len(prompts)
            # The last comes first: answers may come in any order.
            for i in reversed(range(len(prompts))):
                yield [(i, self.decode(features, prompts[i], multimask, before[i]))]

    model = OneAtATime()
    segmenter, told, asked = Segmenter(model), [], []

    def cancelled() -> bool:
        asked.append(len(model.asked))
        return len(model.asked) >= stop

    state = initialize(
        segmenter,
        segmenter.embed(picture),
        SETTINGS,
        progress=lambda share, text: told.append(share),
        cancelled=cancelled,
    )
    # It ends with the turn after which it was told to.
    assert len(model.asked) == stop
    assert not state.complete
    assert told == sorted(told)
    assert told[-1] == pytest.approx(stop / 8)
    assert state.points == min(stop, 4)
    found = generate(state, SETTINGS)
    assert len(found) == min(stop, 4)
    # What was looked at twice is exact; the best scores are theirs.
    assert sum(item.score > 0.9 for item in found) == max(0, stop - 4)


def test_a_view_without_anything_to_propose():
    segmenter = Segmenter(_Knows())
    state = initialize(segmenter, segmenter.embed(np.zeros((64, 64, 3), np.uint8)), SETTINGS)
    assert state.complete
    assert not len(state.masks)
    assert (
        estimate_seconds(segmenter, segmenter.embed(np.zeros((64, 64, 3), np.uint8)), SETTINGS) >= 0
    )


@pytest.mark.parametrize("between", [False, True])
def test_tiles_find_each_rectangle_once_whatever_the_seams(between: bool):
    rng = np.random.default_rng(3)
    image = np.zeros((600, 700, 3), np.uint8)
    places, number = [], 0
    for row in range(10, 560, 60):
        for column in range(10, 660, 70):
            number += 1
            y, x = row + int(rng.integers(0, 12)), column + int(rng.integers(0, 12))
            image[y : y + 36, x : x + 44] = number
            places.append((x, y, x + 44, y + 36))
    settings = EverythingSettings(24, min_area=20, max_share=0.5, look_between=between)
    model = _Knows()
    told: list[float] = []
    state = initialize_tiled(
        Segmenter(model),
        ArraySource(image),
        None,
        settings,
        size=256,
        progress=lambda share, text: told.append(share),
    )
    assert boxes_of(generate(state, settings)) == sorted(places)
    assert state.complete
    assert told[-1] == pytest.approx(1.0)
    assert max(told) <= 1.0 + 1e-9


def test_boxes_that_repeat_a_better_one_go():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 0, 5, 10]], float)
    assert distinct(boxes, 0.85).tolist() == [0, 2, 3]
    assert distinct(boxes, 0.4).tolist() == [0, 2]
    assert distinct(np.zeros((0, 4)), 0.5).tolist() == []


@pytest.mark.parametrize("same", [0.1, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_boxes_are_compared_one_by_one_from_the_best(same, kind):
    rng = np.random.default_rng(8)
    corners = rng.integers(0, 60, (300, 2))
    boxes = np.column_stack([corners, corners + rng.integers(1, 40, (300, 2))]).astype(kind)

    def iou(a, b) -> float:
        width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        shared = max(width, 0) * max(height, 0)
        sizes = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
        return shared / (sum(sizes) - shared)

    kept: list[int] = []
    for i, box in enumerate(boxes.astype(float).tolist()):
        if all(iou(box, boxes[j].tolist()) <= same for j in kept):
            kept.append(i)
    assert distinct(boxes, same).tolist() == kept
    assert len(kept) < 300 or same == 1


def test_a_model_without_the_head_says_so():
    class _Blind(_Knows):
        proposes = PromptableModel.proposes
        propose = PromptableModel.propose

    model = _Blind()
    assert not model.proposes
    with pytest.raises(ModelError):
        model.propose(None)
