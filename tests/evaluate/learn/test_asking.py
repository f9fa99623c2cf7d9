"""Asking in lessons: marks replayed one by one, each refining the mask before it."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import PromptError
from rsam_core.evaluate.learn.asking import (
    MAX_MARKS,
    Marks,
    answer,
    corners,
    jaccard,
    with_point,
)
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, disc, overlap, rectangle

SHAPE = (40, 60)


@pytest.fixture
def asked() -> tuple[FakeModel, Segmenter, Embedding]:
    def paint(prompt, multimask):
        count = 3 if multimask else 1
        return [disc(SHAPE, 20, 20, 4 + k) for k in range(count)], [0.9, 0.5, 0.4][:count]

    fake = FakeModel(paint)
    model = Segmenter(fake)
    return fake, model, model.embed(np.zeros((*SHAPE, 3), np.uint8))


def test_each_further_point_refines_the_first_choice(asked) -> None:
    fake, model, embedding = asked
    marks = Marks(((5, 6, 1), (7, 8, 0), (9, 10, 1)))
    found = answer(model, embedding, marks)
    assert [len(call.prompt.points) for call in fake.calls] == [1, 2, 3]
    assert [call.previous for call in fake.calls] == [None, "0/0", "1/0"]
    assert [call.multimask for call in fake.calls] == [True, False, False]
    assert fake.calls[-1].prompt.labels.tolist() == [1, 0, 1]
    assert len(found) == 1


def test_points_that_want_nothing_are_taken_with_the_first_that_does(asked) -> None:
    fake, model, embedding = asked
    answer(model, embedding, Marks(((5, 6, 0), (7, 8, 1))))
    assert [call.prompt.labels.tolist() for call in fake.calls] == [[0, 1]]
    with pytest.raises(PromptError, match="not this"):
        answer(model, embedding, Marks(((5, 6, 0),)))


def test_a_box_answers_before_its_points(asked) -> None:
    fake, model, embedding = asked
    answer(model, embedding, Marks(((5, 6, 0),), (1, 2, 30, 20)))
    assert [len(call.prompt.points) for call in fake.calls] == [0, 1]
    assert all(call.prompt.box.tolist() == [1, 2, 30, 20] for call in fake.calls)


def test_marks_are_counted_and_do_not_grow_without_end(asked) -> None:
    marks = Marks()
    assert not marks.names_something
    for k in range(MAX_MARKS + 2):
        marks = with_point(marks, k, 1, k % 2)
    assert [x for x, _, _ in marks.points] == list(range(2, MAX_MARKS + 2))
    assert (marks.includes, marks.excludes) == (MAX_MARKS // 2, MAX_MARKS // 2)
    assert marks.names_something
    with pytest.raises(PromptError, match="fewer"):
        answer(asked[1], asked[2], Marks(((1, 1, 1),) * (MAX_MARKS + 1)))


def test_corners_come_in_any_order() -> None:
    assert corners(9, 2, 4, 8) == (4, 2, 9, 8)
    assert corners(4, 2, 4.5, 8) is None


def test_jaccard_is_intersection_over_union() -> None:
    first, second = rectangle(SHAPE, 2, 2, 12, 12), rectangle(SHAPE, 7, 2, 17, 12)
    assert jaccard(first, second) == overlap(first, second) == pytest.approx(50 / 150)
    assert jaccard(first & False, first & False) == 1
