"""Intervals that respect images, against scipy and against a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rsam_core.evaluate import clustered_interval, unpaired_difference
from rsam_core.evaluate.statistics.clustered import ratio_interval


def test_one_object_an_image_is_the_ordinary_bootstrap():
    values = np.random.default_rng(0).normal(0.7, 0.1, 60)
    ours = clustered_interval(values, np.arange(60), resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.002)
    assert ours.high == pytest.approx(theirs.high, abs=0.002)
    assert ours.n == 60


def test_objects_that_repeat_their_image_do_not_narrow_the_interval():
    means = np.random.default_rng(2).normal(0.6, 0.1, 30)
    single = clustered_interval(means, np.arange(30))
    tenfold = clustered_interval(np.repeat(means, 10), np.repeat(np.arange(30), 10))
    assert tenfold.low == pytest.approx(single.low, abs=0.005)
    assert tenfold.high == pytest.approx(single.high, abs=0.005)
    assert tenfold.n == 300


def test_images_with_more_objects_weigh_more():
    found = clustered_interval([1.0, 0.0, 0.0, 0.0], ["a", "b", "b", "b"])
    assert found.value == 0.25
    assert (found.low, found.high) == (0.0, 1.0)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    generator, hits = np.random.default_rng(4), 0
    for k in range(200):
        place = generator.normal(0.5, 0.1, 25).repeat(4)
        found = clustered_interval(
            place + generator.normal(0, 0.05, 100),
            np.repeat(np.arange(25), 4),
            seed=k,
            resamples=400,
        )
        hits += found.low <= 0.5 <= found.high
    # 95 % of 200 is 190; percentile intervals of 25 images are a little narrow.
    assert 175 <= hits <= 200


def test_the_seed_decides_and_bad_values_are_left_out():
    values, names = [0.1, 0.5, np.nan, 0.9, np.inf, 0.4], list("aabbcc")
    one, two = (clustered_interval(values, names, seed=7) for _ in range(2))
    assert (one.low, one.high) == (two.low, two.high)
    assert one.n == 4
    assert one.value == pytest.approx(np.mean([0.1, 0.5, 0.9, 0.4]))


def test_one_image_draws_objects_and_one_object_gives_no_bounds():
    found = clustered_interval([0.2, 0.4, 0.6, 0.9], ["a"] * 4)
    assert found.low < found.value < found.high
    assert np.isnan(clustered_interval([0.5], ["a"]).low)
    assert clustered_interval([], []).n == 0


def test_ratios_add_up_before_they_are_divided():
    parts, wholes = [1, 8, 0], [2, 10, 0]
    found = ratio_interval(parts, wholes)
    assert found.value == pytest.approx(9 / 12)
    assert found.low == pytest.approx(0.5)
    assert found.high == pytest.approx(0.8)
    same = ratio_interval([3.0] * 20, [4.0] * 20)
    assert (same.low, same.high) == (0.75, 0.75)
    assert np.isnan(ratio_interval([0, 0], [0, 0]).value)
    assert np.isnan(ratio_interval([1], [2]).low)


def test_difference_of_two_groups():
    generator = np.random.default_rng(5)
    one, two = generator.normal(0.5, 0.1, 200), generator.normal(0.7, 0.1, 300)
    found = unpaired_difference(one, np.arange(200), two, np.arange(300))
    assert found.value == pytest.approx(two.mean() - one.mean())
    error = np.hypot(one.std() / 200**0.5, two.std() / 300**0.5)
    assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.004)
    assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.004)
    assert np.isnan(unpaired_difference([], [], [1.0], ["a"]).value)
    assert np.isnan(unpaired_difference([0.5], ["a"], [1.0, 0.9], ["b", "c"]).low)
