"""A tenant's quota, second by second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcodex_gateway.quota import BURST_S, UNBOUNDED, Account, Allowance
from dcodex_shared.errors import Reason, Rejected


def refused(account: Account, now: float) -> Rejected:
    with pytest.raises(Rejected) as why:
        account.enter(now)
    assert why.value.reason is Reason.RESOURCE_EXHAUSTED
    assert why.value.retry_after_s > 0
    return why.value


def test_without_bounds_everything_is_let_in() -> None:
    account = Account("t", UNBOUNDED, 0.0)
    for _ in range(10_000):
        account.enter(0.0)
    assert account.running == 10_000


def test_executions_at_once_are_bounded_and_one_that_ends_makes_room() -> None:
    account = Account("t", Allowance(concurrency=2), 0.0)
    account.enter(0.0)
    account.enter(0.0)
    assert "at most 2 executions" in refused(account, 0.0).message
    account.leave(0.0, 0.0)
    account.enter(0.0)


def test_requests_come_in_a_burst_and_then_at_their_rate() -> None:
    account = Account("t", Allowance(requests_per_s=2.0), 0.0)
    for _ in range(int(2.0 * BURST_S)):
        account.enter(0.0)
    assert refused(account, 0.0).retry_after_s == pytest.approx(0.5)
    account.enter(0.5)
    refused(account, 0.5)


def test_worker_time_is_paid_afterwards_and_waited_for() -> None:
    account = Account("t", Allowance(worker_s_per_s=0.5), 0.0)
    account.enter(0.0)
    # The bucket held 5 s; 15 s were used.
    account.leave(15.0, 0.0)
    assert refused(account, 0.0).retry_after_s == pytest.approx(20.0)
    account.enter(20.0)


def test_a_refused_request_costs_nothing() -> None:
    account = Account("t", Allowance(requests_per_s=1.0, concurrency=1), 0.0)
    account.enter(0.0)
    for _ in range(100):
        refused(account, 0.0)
    account.leave(0.0, 0.0)
    account.enter(0.0)


def test_new_bounds_leave_what_runs_alone() -> None:
    account = Account("t", Allowance(concurrency=5), 0.0)
    for _ in range(5):
        account.enter(0.0)
    account.change(Allowance(concurrency=2), 0.0)
    refused(account, 0.0)
    assert account.running == 5


@given(
    st.floats(0.1, 50.0),
    st.lists(st.tuples(st.floats(0.0, 3.0), st.booleans()), max_size=80),
)
def test_never_more_than_the_rate_and_one_burst(
    rate: float, steps: list[tuple[float, bool]]
) -> None:
    account, now, entered = Account("t", Allowance(requests_per_s=rate), 0.0), 0.0, 0
    for pause, ends in steps:
        now += pause
        try:
            account.enter(now)
        except Rejected as why:
            # Whoever waits as long as it is told gets in.
            now += why.retry_after_s + 1e-6
            account.enter(now)
        entered += 1
        if ends:
            account.leave(0.0, now)
    assert entered <= max(rate * BURST_S, 1.0) + rate * now + 1e-3
