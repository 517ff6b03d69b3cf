"""The arithmetic behind the benchmark's table."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.measure import (
    Mark,
    Target,
    cpu_ms_per_run,
    judge,
    median_ratio,
    percentile,
    spread,
    unevenness,
)

_TIMES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50)


def test_a_percentile_between_two_values_is_interpolated() -> None:
    assert percentile([1, 2, 3, 4], 0.5) == 2.5
    assert percentile([10], 0.99) == 10


def test_a_percentile_of_nothing_is_not_a_number() -> None:
    assert math.isnan(percentile([], 0.5))


@given(_TIMES, st.floats(0, 1))
def test_a_percentile_lies_within_the_values(values: list[float], share: float) -> None:
    slack = 1e-9 * max(values)
    assert min(values) - slack <= percentile(values, share) <= max(values) + slack


@given(_TIMES)
def test_percentiles_do_not_fall(values: list[float]) -> None:
    figures = spread(values)
    assert figures.count == len(values)
    assert figures.p50 <= figures.p90 * (1 + 1e-9)
    assert figures.p90 <= figures.p99 * (1 + 1e-9)


def test_outliers_stay_in_a_spread() -> None:
    assert spread([1.0] * 98 + [1000.0] * 2).p99 > 100


def test_a_disturbed_block_does_not_move_the_median_ratio() -> None:
    calm_ours, calm_bare = [1.0, 1.0], [4.0, 4.0]
    ours = [calm_ours, calm_ours, [30.0, 30.0]]
    bare = [calm_bare, calm_bare, [40.0, 40.0]]
    assert median_ratio(ours, bare) == 0.25


def test_a_ratio_of_no_blocks_is_not_a_number() -> None:
    assert math.isnan(median_ratio([], []))


def test_cpu_of_a_run_leaves_out_what_the_machine_did_anyway() -> None:
    assert cpu_ms_per_run(busy_s=3.0, idle_share_s=0.5, wall_s=2.0, runs=100) == pytest.approx(20)
    assert cpu_ms_per_run(busy_s=0.1, idle_share_s=0.5, wall_s=2.0, runs=100) == 0
    assert math.isnan(cpu_ms_per_run(1.0, 0.0, 1.0, runs=0))


def test_equal_costs_are_flat() -> None:
    assert unevenness([5.0, 5.0, 5.0]) == 0
    assert unevenness([5.0, 6.0]) == pytest.approx(0.2)
    assert math.isnan(unevenness([5.0]))


@pytest.mark.parametrize(
    ("value", "target", "mark"),
    [
        (0.1, Target(0.35, 0.15), Mark.AIM),
        (0.35, Target(0.35, 0.15), Mark.MUST),
        (0.36, Target(0.35, 0.15), Mark.MISSED),
        (3.5, Target(1.5, 3, higher=True), Mark.AIM),
        (1.5, Target(1.5, 3, higher=True), Mark.MUST),
        (1.4, Target(1.5, 3, higher=True), Mark.MISSED),
        (math.nan, Target(0.35, 0.15), Mark.MISSED),
        (math.nan, Target(1.5, 3, higher=True), Mark.MISSED),
    ],
)
def test_a_figure_is_marked_by_what_it_reaches(value: float, target: Target, mark: Mark) -> None:
    assert judge(value, target) is mark
