"""Proposals: boxes of one model prompt another, on drawn houses with models that know them."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import PromptError
from rsam_core.segment.everything import EverythingSettings, generate
from rsam_core.segment.proposals import (
    estimate_by_proposals,
    initialize_by_boxes,
    initialize_by_proposals,
    propose_boxes,
)
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, rectangle

SHAPE = (96, 128)
BOXES = [(4, 4, 40, 40), (60, 8, 90, 30), (70, 50, 120, 90), (10, 60, 30, 80)]
HOUSES = [rectangle(SHAPE, *box) for box in BOXES]
SCORES = [0.9, 0.8, 0.7, 0.6]
IMAGE = np.zeros((*SHAPE, 3), np.uint8)
SETTINGS = EverythingSettings(spacing=16)


def small(prompt, multimask):
    """The box of the house under the point, filled."""
    x, y = (int(v) for v in prompt.points[0])
    for mask, score in zip(HOUSES, SCORES):
        if mask[y, x]:
            return [mask], [score]
    return [np.zeros(SHAPE, bool)], [0.0]


def large(prompt, multimask):
    """The triangle below the diagonal of the box; of three masks two are poor."""
    x0, y0, x1, y1 = prompt.box.astype(int)
    mask = np.zeros(SHAPE, bool)
    rows, columns = np.indices((y1 - y0, x1 - x0))
    mask[y0:y1, x0:x1] = columns * (y1 - y0 - 1) <= rows * (x1 - x0 - 1)
    if multimask:
        return [mask, rectangle(SHAPE, x0, y0, x1, y1), mask], [0.95, 0.5, 0.1]
    return [mask], [0.95]


@pytest.fixture
def proposer() -> Segmenter:
    return Segmenter(FakeModel(small, name="rsam-tiny"))


@pytest.fixture
def outliner() -> Segmenter:
    return Segmenter(FakeModel(large, name="sam-vit-b"))


def test_boxes_of_all_houses_best_first(proposer):
    boxes = propose_boxes(proposer, IMAGE, settings=SETTINGS)
    assert boxes.tolist() == [list(box) for box in BOXES]
    again = propose_boxes(proposer, proposer.embed(IMAGE), 2, SETTINGS)
    assert again.tolist() == [list(box) for box in BOXES[:2]]
    with pytest.raises(PromptError, match="At least one box"):
        propose_boxes(proposer, IMAGE, 0)


def test_masks_with_one_box_between_them_give_one_proposal(outliner):
    whole = rectangle(SHAPE, 10, 10, 60, 60)
    # Less than half of the house, but its box is the same: 49 of 50 columns.
    corner = rectangle(SHAPE, 10, 10, 60, 20) | rectangle(SHAPE, 10, 10, 20, 60)
    corner[:, 59] = False
    model = FakeModel(lambda prompt, many: ([whole, corner], [0.8, 0.9]), name="rsam-tiny")
    boxes = propose_boxes(Segmenter(model), IMAGE, settings=SETTINGS)
    assert boxes.tolist() == [[10, 10, 59, 60]]


def test_each_box_prompts_once_and_its_mask_is_kept(outliner):
    embedding = outliner.embed(IMAGE)
    told: list[tuple[float, str]] = []
    state = initialize_by_boxes(
        outliner, embedding, BOXES, progress=lambda share, text: told.append((share, text))
    )
    calls = outliner.model.calls
    assert [tuple(call.prompt.box) for call in calls] == BOXES
    assert not any(call.multimask for call in calls)
    assert (state.points, state.complete, state.shape) == (4, True, SHAPE)
    assert told[-1] == (1.0, "4 of 4 boxes")
    found = generate(state, EverythingSettings(min_stability=0.5))
    assert {item.bbox for item in found} == set(BOXES)
    # Below the diagonal of 36 × 36 pixels lie 36 · 37 / 2.
    (first,) = found.at(5, 38)
    assert found.get(first).area == 666


def test_three_masks_a_box(outliner):
    state = initialize_by_boxes(
        outliner, outliner.embed(IMAGE), BOXES[:1], EverythingSettings(), multimask=True
    )
    # The third is below what is kept at all.
    assert state.scores.tolist() == pytest.approx([0.95, 0.5])


def test_boxes_are_cut_to_the_view_and_checked(outliner):
    embedding = outliner.embed(IMAGE)
    state = initialize_by_boxes(outliner, embedding, [(100, 70, 500, 500)])
    assert state.masks[0].bbox == (100, 70, 128, 96)
    with pytest.raises(PromptError):
        initialize_by_boxes(outliner, embedding, [(500, 500, 600, 600)])
    with pytest.raises(PromptError):
        initialize_by_boxes(outliner, embedding, [(10, 10, 10, 60)])
    nothing = initialize_by_boxes(outliner, embedding, np.zeros((0, 4)))
    assert (len(nothing.masks), nothing.points, nothing.complete) == (0, 0, True)


def test_cancelling_keeps_what_was_found(outliner):
    answers = iter([False, True])
    state = initialize_by_boxes(
        outliner, outliner.embed(IMAGE), BOXES * 5, cancelled=lambda: next(answers)
    )
    assert (state.points, state.complete) == (8, False)
    assert {mask.bbox for mask in state.masks} == set(BOXES)


def test_one_model_proposes_and_the_other_outlines(proposer, outliner):
    told: list[float] = []
    state = initialize_by_proposals(
        outliner,
        outliner.embed(IMAGE),
        proposer,
        IMAGE,
        most=3,
        proposing=SETTINGS,
        progress=lambda share, _: told.append(share),
    )
    assert len(proposer.model.calls) == 48, "128 / 16 columns, 96 / 16 rows"
    assert len(outliner.model.calls) == 3
    assert {mask.bbox for mask in state.masks} == set(BOXES[:3])
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_nothing_proposed_is_nothing_found(outliner):
    blind = Segmenter(FakeModel(lambda *_: ([np.zeros(SHAPE, bool)], [0.0]), name="rsam-tiny"))
    told: list[float] = []
    state = initialize_by_proposals(
        outliner,
        outliner.embed(IMAGE),
        blind,
        IMAGE,
        proposing=SETTINGS,
        progress=lambda share, _: told.append(share),
    )
    assert (len(state.masks), state.complete, told[-1]) == (0, True, 1.0)


def test_the_estimate_counts_points_and_as_many_boxes_as_allowed(proposer, outliner):
    """A clock that the models move: 2 ms a point, 50 ms a box."""
    clock = [0.0]

    def taking(seconds, answer):
        def work(prompt, multimask):
            clock[0] += seconds
            return answer(prompt, multimask)

        return work

    proposer.model.answer = taking(0.002, small)
    outliner.model.answer = taking(0.05, large)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.perf_counter", lambda: clock[0])
        seconds = estimate_by_proposals(
            outliner, outliner.embed(IMAGE), proposer, proposer.embed(IMAGE), SETTINGS, 100
        )
    # 8 × 6 points, 16 pixels apart.
    assert seconds == pytest.approx(48 * 0.002 + 100 * 0.05)
