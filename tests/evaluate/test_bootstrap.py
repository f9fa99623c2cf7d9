"""Bootstrap intervals: coverage, seeds, degenerate cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rsam_core.errors import MetricError
from rsam_core.evaluate.metrics import Counts, iou
from rsam_core.evaluate.statistics.bootstrap import counts_interval, interval


def test_the_value_is_the_mean_and_the_seed_decides_the_bounds():
    values = [0.2, 0.9, 0.7, 0.8, 0.75]
    found = interval(values, seed=4)
    assert found.value == pytest.approx(np.mean(values))
    assert found.low < found.value < found.high
    assert (found.n, found.level) == (5, 0.95)
    assert interval(values, seed=4) == found
    assert interval(values, seed=5) != found
    assert interval(values, "median").value == 0.75


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_close_to_the_normal_interval_for_many_normal_values(method):
    values = np.random.default_rng(1).normal(10, 2, 400)
    found = interval(values, method=method, resamples=4000)
    error = stats.sem(values)
    expected = stats.norm.interval(0.95, values.mean(), error)
    assert (found.low, found.high) == pytest.approx(expected, abs=0.15 * error)
    wider = interval(values, level=0.99, method=method)
    assert wider.low < found.low
    assert wider.high > found.high


def test_it_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        found = interval(rng.beta(5, 2, 20), resamples=300)
        hits += found.low <= 5 / 7 <= found.high
    # 95 % nominal; of 20 skewed values a little less, and 200 trials scatter by 1.7 points.
    assert 175 <= hits <= 199


def test_bca_leans_with_the_skew_where_percentiles_do_not():
    values = np.random.default_rng(2).exponential(1, 25)
    bca, plain = interval(values), interval(values, method="percentile")
    assert bca.high > plain.high
    assert (bca.method, plain.method) == ("bca", "percentile")


def test_few_or_equal_values():
    assert interval([0.4]).value == 0.4
    assert np.isnan(interval([0.4]).low)
    assert "too few" in str(interval([0.4]))
    assert np.isnan(interval([]).value)
    same = interval([1.0, 1.0, 1.0])
    assert (same.value, same.low, same.high) == (1, 1, 1)
    assert interval([0.5, np.nan, np.inf, 0.7]).n == 2


def test_pooled_counts_are_drawn_by_image():
    counts = [Counts(10, 0, 0, 90), Counts(5, 5, 5, 85), Counts(90, 10, 0, 0)]
    found = counts_interval(counts, iou)
    assert found.value == pytest.approx(105 / 125), "pooled, and not the mean of three values"
    assert 1 / 3 <= found.low < found.value < found.high <= 1
    assert found.n == 3
    assert counts_interval(counts, iou) == found


def test_many_values_take_percentiles():
    found = interval(np.random.default_rng(0).random(5000), resamples=200)
    assert found.method == "percentile"
    assert 0.48 < found.low < found.high < 0.52


def test_bad_input_is_refused():
    with pytest.raises(MetricError, match="level"):
        interval([1, 2], level=95)
    with pytest.raises(MetricError, match="statistic"):
        interval([1, 2], "mode")
    with pytest.raises(MetricError, match="method"):
        interval([1, 2], method="magic")
