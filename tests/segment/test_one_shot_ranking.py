"""Comparing candidates with examples: scores, thresholds, one outline an object."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import OneShotError
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.one_shot import (
    OneShotSettings,
    SearchCandidates,
    best_threshold,
    make_example,
    rank,
)
from rsam_core.segment.one_shot.descriptors import describe
from rsam_core.segment.one_shot.ranking import distinct
from tests.helpers.shots import (
    BLUES,
    REDS,
    SHAPE,
    item_at,
    overlap,
    red_example,
    red_search,
    roofs_hit,
    scene,
    segmenter,
    shown,
    view,
)


def test_the_threshold_is_that_of_the_highest_expected_f1_by_enumeration():
    # Of each outcome the F1, weighed by how likely it is: the formula's ratio of expectations
    # must choose a cut whose true expected F1 is as good as the best to within two hundredths.
    rng = np.random.default_rng(1)
    for _ in range(8):
        p = np.sort(rng.random(8))[::-1]
        outcomes = (np.arange(256)[:, None] >> np.arange(8)) & 1
        chance = np.prod(np.where(outcomes, p, 1 - p), axis=1)
        expected = []
        for kept in range(1, 9):
            right, there = outcomes[:, :kept].sum(1), outcomes.sum(1)
            expected.append(float((chance * 2 * right / (kept + there)).sum()))
        kept = int((p >= best_threshold(p)).sum())
        assert expected[kept - 1] > max(expected) - 0.02


@pytest.mark.parametrize(
    ("probabilities", "wanted"),
    [
        # One sure, one hopeless: 2 * 1 / (1 + 1.1) beats 2 * 1.1 / (2 + 1.1).
        ([1.0, 0.1], 0.55),
        # Two of the same: 2 * 1.6 / (2 + 1.6) beats 2 * 0.8 / (1 + 1.6).
        ([0.8, 0.8], 0.4),
        ([0.9], 0.45),
        ([], 0.5),
    ],
)
def test_the_threshold_lies_midway_behind_the_last_one_kept(probabilities, wanted):
    assert best_threshold(np.array(probabilities)) == pytest.approx(wanted)


def bare_state(items: list[Instance]) -> SearchCandidates:
    objects = Instances(items, SHAPE)
    described = describe(objects, scene(), [shown()], "rsam-tiny")
    return SearchCandidates(objects, np.full(len(items), 0.9, np.float32), described, None, view())


def test_of_overlapping_outlines_the_likeliest_stays():
    a = Instance(np.ones((20, 20), bool), 10, 10)
    near_a = Instance(np.ones((20, 20), bool), 14, 10)  # IoU 16 / 24
    inside_a = Instance(np.ones((8, 8), bool), 12, 12)
    beside = Instance(np.ones((20, 20), bool), 24, 10)  # IoU 6 / 34
    state, settings = bare_state([a, near_a, inside_a, beside]), OneShotSettings()
    assert distinct(state, np.array([3.0, 2, 1, 0]), settings).tolist() == [0, 3]
    assert distinct(state, np.array([0.0, 2, 1, 3]), settings).tolist() == [3, 2]
    assert distinct(state, np.array([-np.inf, 2, 1, 0]), settings).tolist()[0] == 1
    loose = OneShotSettings(max_overlap=1, max_contained=1)
    assert distinct(state, np.array([0.0, 2, 1, 3]), loose).tolist() == [3, 1, 2, 0]


@pytest.fixture(scope="module")
def example():
    return red_example()


@pytest.fixture(scope="module")
def state():
    return red_search()


def test_the_likes_of_the_example_come_first(state, example):
    result = rank(state, [example])
    assert roofs_hit(result.choose(), REDS[1:]) == 5
    first = Instances(result.objects[:5], SHAPE)
    assert roofs_hit(first, REDS[1:]) >= 4
    assert (np.diff(result.scores) <= 0).all()
    assert (result.scores >= 0.02).all()
    assert (result.scores <= 1).all()
    # The example itself is no find.
    assert all(overlap(item, REDS[0]) <= 0.3 for item in result.objects)
    assert all(item.source == "one-shot" for item in result.objects)
    assert state.candidates[int(result.positions[0])].bbox == result.objects[0].bbox


def test_a_stricter_threshold_keeps_fewer(state, example):
    result = rank(state, [example])
    counts = [len(result.choose(limit)) for limit in (0, 0.2, 0.5, 0.8, 1.01)]
    assert counts[0] == len(result.objects)
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 0
    assert len(result.choose()) == (result.scores >= result.threshold).sum()


def blueness(result) -> float:
    """The highest score of a blue roof."""
    scores = [i.score for i in result.objects if max(overlap(i, c) for c in BLUES) > 0.6]
    return max(scores, default=0.0)


def redness(result) -> float:
    """The lowest score of the red roofs that are listed."""
    return min(i.score for i in result.objects if max(overlap(i, c) for c in REDS) > 0.6)


def test_a_refused_example_pushes_its_like_down(state, example):
    refused = make_example(segmenter(), scene(), shown(), item_at(BLUES[0]), positive=False)
    before, after = rank(state, [example]), rank(state, [example, refused])
    assert blueness(after) < 0.7 * blueness(before)
    assert redness(after) > blueness(after)
    assert all(overlap(item, BLUES[0]) <= 0.3 for item in after.objects)


def test_a_further_example_brings_its_like(state, example):
    also = make_example(segmenter(), scene(), shown(), item_at(BLUES[0]))
    before, after = rank(state, [example]), rank(state, [example, also])
    assert blueness(after) >= blueness(before)
    assert roofs_hit(after.choose(), (*REDS[1:], *BLUES[1:])) >= 6


@pytest.mark.parametrize("compare", ["head", "plain", "cosine"])
@pytest.mark.parametrize("follow", [True, False])
def test_all_ways_to_compare_put_red_before_blue(state, example, compare, follow):
    result = rank(state, [example], OneShotSettings(compare=compare, follow=follow))
    reds = [i.score for i in result.objects if max(overlap(i, c) for c in REDS) > 0.6]
    assert len(reds) >= 4
    assert np.median(reds) > blueness(result)


def test_nothing_to_compare_gives_nothing(example):
    result = rank(bare_state([]), [example])
    assert len(result.objects) == 0
    assert len(result.choose()) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spacing": 3}, "at least 4 pixels"),
        ({"spacing": float("nan")}, "at least 4 pixels"),
        ({"peaks": -1}, "negative"),
        ({"compare": "magic"}, "Choose from: head, plain, cosine"),
        ({"max_overlap": 1.2}, "between 0 and 1"),
        ({"max_contained": -0.1}, "between 0 and 1"),
    ],
)
def test_impossible_settings_are_refused(change, words):
    with pytest.raises(OneShotError, match=words):
        OneShotSettings(**change)
