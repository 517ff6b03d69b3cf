"""What the policies promise, measured on the real machine in simulated time."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from tests.bench.coordinator_policies import Rows, shares, table


@pytest.fixture(scope="module")
def rows() -> Iterator[Rows]:
    logging.disable(logging.CRITICAL)
    yield table(seed=1)
    logging.disable(logging.NOTSET)


def test_a_flood_of_one_language_delays_another_by_little_more_than_one_service(
    rows: Rows,
) -> None:
    ours, fifo = rows["16 flood C++, 1 Python a second"]
    assert ours["python_wait_p99_s"] <= 1.5 * ours["mean_service_s"] + 0.010
    assert fifo["python_wait_p99_s"] > 1.0
    assert ours["runs_a_second"] == pytest.approx(fifo["runs_a_second"], rel=0.02)


def test_languages_that_flood_get_worker_time_by_weight_whatever_one_request_costs() -> None:
    taken = shares(seed=1)
    assert taken["python"] == pytest.approx(3 / 6, abs=0.03)
    assert taken["c"] == pytest.approx(2 / 6, abs=0.03)
    assert taken["cpp"] == pytest.approx(1 / 6, abs=0.03)


@pytest.mark.parametrize(
    "load", ["step from 1 to 40 requests/s, 100 ms each", "burst of 200, 50 ms each"]
)
def test_the_wait_is_back_sooner_than_with_two_more_workers_every_five_seconds(
    load: str, rows: Rows
) -> None:
    ours, simpler = rows[load]
    name = "seconds_until_the_wait_is_back"
    assert ours[name] < 1.0
    assert ours[name] < simpler[name] / 3


@pytest.mark.parametrize("load", ["warm leases, steady mix", "warm leases, shifting mix"])
def test_fewer_than_one_lease_in_a_hundred_is_cold(load: str, rows: Rows) -> None:
    ours, simpler = rows[load]
    assert ours["cold_share"] < 0.01
    assert simpler["cold_share"] > 0.2
