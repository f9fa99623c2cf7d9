"""A model behind a queue: the same answers, one slot a computation, none that goes round it."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from rsam_core.errors import ModelError
from rsam_core.models.base import PromptableModel
from rsam_core.models.guided import ExampleGuidance, Guidance
from rsam_core.models.queued import QueuedGuidance, QueuedModel
from rsam_core.prompts.prompt import Prompt
from rsam_core.runtime.fair_queue import ENCODE, INTERACTIVE
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, rectangle

SHAPE = (20, 30)


class Slots:
    """Counts who holds a slot, and for which line."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.held = 0

    @contextmanager
    def __call__(self, line: int):
        self.taken.append(line)
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1


def public(kind: type) -> set[str]:
    """Methods and properties of a class that others may use."""
    return {n for n, _ in inspect.getmembers(kind) if not n.startswith("_")}


def test_answers_are_the_same_and_each_call_takes_one_slot():
    slots = Slots()
    plain = FakeModel(lambda prompt, multimask: ([rectangle(SHAPE, 2, 3, 9, 8)], [0.9]))
    queued = QueuedModel(plain, slots)
    image, prompt = np.zeros((*SHAPE, 3), np.uint8), Prompt(box=(2, 3, 9, 8))
    answers = []
    for model in (plain, queued):
        segmenter = Segmenter(model)
        answers.append(segmenter.predict(segmenter.embed(image), prompt).masks)
    assert np.array_equal(*answers)
    assert queued.name == plain.name
    assert slots.taken == [ENCODE, INTERACTIVE]
    assert slots.held == 0


def test_an_error_gives_the_slot_back():
    slots = Slots()

    def fail(prompt, multimask):
        raise ModelError("Broken.")

    with pytest.raises(ModelError, match="Broken"):
        QueuedModel(FakeModel(fail), slots).decode(None, Prompt(points=[(1, 1)]), False)
    assert slots.held == 0


@pytest.mark.parametrize(
    ("protocol", "queued"),
    [(PromptableModel, QueuedModel), (ExampleGuidance, QueuedGuidance)],
)
def test_nothing_of_the_protocol_goes_round_the_queue(protocol, queued):
    # What is not defined again would be the protocol's own, not that of the model within.
    assert public(protocol) <= vars(queued).keys() | {"name"}


def test_proposals_are_those_of_the_model():
    slots = Slots()
    plain = FakeModel(lambda prompt, multimask: ([], []))
    assert not QueuedModel(plain, slots).proposes
    with pytest.raises(ModelError, match="fake cannot propose"):
        QueuedModel(plain, slots).propose(None)
    held = []

    class Proposing(FakeModel):
        proposes = True

        def propose(self, features, most=400, lowest=0.05):
            held.append(slots.held)
            return features, most, lowest

    model = QueuedModel(Proposing(plain.answer), slots)
    assert model.proposes
    assert model.propose("view", most=3) == ("view", 3, 0.05)
    assert held == [1]


def test_guidance_of_the_embedded_model_takes_slots_and_answers_as_before(tiny, town):
    slots = Slots()
    plain, queued = tiny.guided(), QueuedModel(tiny, slots).guided()
    features = tiny.encode(town.image[:128, :128])
    mask = np.zeros((128, 128), bool)
    mask[40:70, 30:64] = True
    prompt = Prompt(points=[(45, 50)])
    seen = []
    for side in (plain, queued):
        target = side.target(features, mask)
        like = side.similarity(features, target)
        wide = side.enlarge(features, like)
        answer = side.decode(features, prompt, target, like, Guidance(), True)
        scales = side.scales(features, prompt, mask)
        seen.append(SimpleNamespace(like=like, wide=wide, answer=answer, scales=scales))
    first, second = seen
    assert np.array_equal(first.like, second.like)
    assert np.array_equal(first.wide, second.wide)
    assert np.array_equal(first.answer.masks, second.answer.masks)
    assert np.array_equal(first.scales.logits, second.scales.logits)
    # Target, similarity, decoding and scales; enlarging asks nothing of the network.
    assert slots.taken == [INTERACTIVE] * 4
    assert slots.held == 0
