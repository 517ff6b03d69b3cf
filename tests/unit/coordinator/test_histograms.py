"""Buckets and sliding windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_coordinator.figures import Decayed
from dcodex_coordinator.histograms import Histogram, SlidingHistogram


def test_a_bucket_counts_what_is_at_most_its_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(value)
    assert histogram.cumulative() == [("0.1", 2.0), ("1.0", 3.0), ("+Inf", 4.0)]
    assert histogram.total == pytest.approx(7.65)


@given(st.lists(st.floats(0.0001, 500.0), min_size=1, max_size=300))
def test_a_quantile_is_within_a_tenth_of_the_true_one(values: list[float]) -> None:
    histogram = SlidingHistogram()
    for value in values:
        histogram.observe(value, 5.0)
    for share in (0.5, 0.99):
        (found,) = histogram.quantiles(6.0, share)
        index = next(i for i in range(len(values)) if i + 1 >= share * len(values))
        true = sorted(values)[index]
        assert true <= found * (1 + 1e-9)
        assert found <= 1.1 * true * (1 + 1e-9)


def test_what_is_older_than_the_window_no_longer_counts() -> None:
    histogram = SlidingHistogram(window_s=60.0, slices=12)
    histogram.observe(100.0, 1000.0)
    for second in range(0, 50, 5):
        histogram.observe(0.001, 1000.0 + second)
    assert histogram.quantiles(1050.0, 0.99)[0] > 90
    assert histogram.quantiles(1062.0, 0.99)[0] < 0.002
    assert histogram.quantiles(2000.0, 0.99) == (0.0,)


def test_a_rate_settles_at_the_true_one_and_fades_when_nothing_comes() -> None:
    rate = Decayed(10.0)
    for tick in range(1000):
        rate.add(1.0, tick * 0.1)
    assert rate.rate(100.0) == pytest.approx(10.0, rel=0.05)
    assert rate.rate(150.0) < 0.1
