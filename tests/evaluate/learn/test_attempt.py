"""A pupil's work: what counts as a click, as time and as IoU, and the file to hand in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rsam_core.errors import LearnError, PromptError
from rsam_core.evaluate.learn.attempt import MAX_CLICKS, Attempt, Dot, prompt_of
from rsam_core.evaluate.learn.result import (
    Result,
    clean_name,
    distinct_names,
    read_result,
    write_result,
)
from tests.helpers.exercises import SHAPE, box_answer, done, task

BOX = Dot(50, 10, 80, 40, box=True)


def test_iou_clicks_and_time_by_hand():
    made = task((7, 3))
    attempt = Attempt.of(made).begin(100.0)
    # 10 × 10 of the 30 × 30 that are true.
    attempt = attempt.mark(made, Dot(65, 25), box_answer)
    assert attempt.now.iou == pytest.approx(100 / 900)
    # A box one column too wide.
    attempt = attempt.mark(made, Dot(50, 10, 81, 40, box=True), box_answer)
    assert attempt.now.iou == pytest.approx(900 / 930)
    attempt = attempt.undo(made, box_answer)
    assert attempt.now.iou == pytest.approx(100 / 900)
    assert attempt.now.clicks == 2
    attempt = attempt.go(made, 1, 107.0)
    attempt = attempt.mark(made, Dot(10, 10, 30, 20, box=True), box_answer)
    attempt = attempt.finish(made, 110.0)
    assert [answer.seconds for answer in attempt.answers] == [7.0, 3.0]
    assert attempt.iou == pytest.approx((100 / 900 + 1) / 2)
    assert (attempt.clicks, attempt.seconds) == (3, 10.0)


def test_what_was_left_out_counts_as_nothing():
    made = task((7, 3))
    attempt = Attempt.of(made).begin(0.0).mark(made, BOX, box_answer).finish(made, 5.0)
    assert attempt.iou == 0.5
    assert attempt.answers[1].seconds == 0.0


def test_the_answer_is_kept_as_the_model_gave_it():
    made = task((7,))
    attempt = Attempt.of(made).begin(0.0).mark(made, BOX, box_answer)
    np.testing.assert_array_equal(attempt.now.full_mask(SHAPE), made.truth(0))
    assert not attempt.undo(made, box_answer).now.full_mask(SHAPE).any()


def test_a_second_box_takes_the_place_of_the_first_and_clicks_stay():
    made = task((7,))
    attempt = Attempt.of(made).begin(0.0)
    for dot in (Dot(1, 1, 9, 9, box=True), Dot(65, 25), Dot(5, 5, exclude=True), BOX):
        attempt = attempt.mark(made, dot, box_answer)
    prompt = prompt_of(attempt.now.dots)
    assert prompt.box.tolist() == [50, 10, 80, 40]
    assert prompt.labels.tolist() == [1, 0]
    assert attempt.now.clicks == 4


def test_only_not_this_says_nothing_yet():
    made = task((7,))
    attempt = Attempt.of(made).begin(0.0)
    attempt = attempt.mark(made, Dot(5, 5, exclude=True), lambda prompt: pytest.fail("asked"))
    assert (attempt.now.clicks, attempt.now.iou, attempt.now.mask) == (1, 0.0, None)


def test_a_prompt_that_fails_is_not_counted():
    made = task((7,))
    attempt = Attempt.of(made).begin(0.0)
    with pytest.raises(PromptError):
        attempt.mark(made, Dot(5, 5, 5, 9, box=True), box_answer)
    assert attempt.clicks == 0


@pytest.mark.parametrize(
    ("prompts", "dot", "words"),
    [("points", BOX, "without boxes"), ("box", Dot(65, 25), "press and drag")],
)
def test_prompts_that_are_not_allowed(prompts: str, dot: Dot, words: str):
    made = task((7,), prompts=prompts)
    with pytest.raises(LearnError, match=words):
        Attempt.of(made).begin(0.0).mark(made, dot, box_answer)


def test_before_it_begins_after_it_ends_and_too_many_clicks():
    made = task((7,))
    with pytest.raises(LearnError, match="Begin"):
        Attempt.of(made).mark(made, BOX, box_answer)
    with pytest.raises(LearnError, match="done"):
        done(made).mark(made, BOX, box_answer)
    attempt = Attempt.of(made).begin(0.0)
    for _ in range(MAX_CLICKS):
        attempt = attempt.mark(made, BOX, box_answer)
    with pytest.raises(LearnError, match="200 clicks"):
        attempt.mark(made, BOX, box_answer)


def test_time_runs_out():
    made = task((7, 3), seconds=30)
    attempt = Attempt.of(made).begin(100.0)
    assert attempt.left(made, 112.5) == 17.5
    assert not attempt.is_late(made, 130.0)
    assert attempt.is_late(made, 130.1)
    # However late the end is noticed, no more time was used than there was.
    ended = attempt.go(made, 1, 110.0).finish(made, 500.0)
    assert ended.seconds == 30.0
    assert not ended.is_late(made, 500.0)
    assert Attempt.of(task()).left(task(), 1e6) is None


def test_a_result_s_file():
    made = task((7, 3))
    result = Result.of(made, done(made), " Anna\u202e\n ")
    again = read_result(write_result(result))
    assert again == result
    assert (again.name, again.iou, again.clicks, again.seconds) == ("Anna", 1.0, 2, 12.0)


def _file(**changes) -> bytes:
    made = task((7, 3))
    return json.dumps(json.loads(write_result(Result.of(made, done(made)))) | changes).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[" * 5000, b"[1]", b"9" * 10_000, b" " * 70_000, b"\xff\xfe{",
        _file(format="x"), _file(version=0), _file(version=True), _file(id=""), _file(id="a" * 65),
        _file(exercise=None), _file(name=7), _file(scores=[]), _file(scores={}),
        _file(scores=[[1, 1]]), _file(scores=[[1.2, 1, 1]]), _file(scores=[[float("nan"), 1, 1]]),
        _file(scores=[[1, -1, 1]]), _file(scores=[[1, 10**9, 1]]), _file(scores=[[1, 1.5, 1]]),
        _file(scores=[[1, 1, float("inf")]]), _file(scores=[[True, 1, 1]]),
        _file(scores=[[1, 1, 1]] * 21),
    ],
)  # fmt: skip
def test_hostile_results_end_in_one_message(content: bytes):
    with pytest.raises(LearnError, match="not a result"):
        read_result(content)


def test_a_result_of_a_newer_rsam():
    with pytest.raises(LearnError, match="newer RSAM"):
        read_result(_file(version=2))


def test_names():
    assert distinct_names(["Anna", "Bo", "anna", "", "Anna", ""]) == [
        "Anna", "Bo", "anna (2)", "", "Anna (3)", "",
    ]  # fmt: skip
    assert distinct_names(["Anna (2)", "Anna", "Anna"]) == ["Anna (2)", "Anna", "Anna (3)"]
    assert len(clean_name("x" * 100)) == 30
