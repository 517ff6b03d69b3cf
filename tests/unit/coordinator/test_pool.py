"""The state machine: every state with every cause."""

from __future__ import annotations

from itertools import product

import pytest

from dcodex_coordinator.hosts import Host
from dcodex_coordinator.outbox import Peer, Side
from dcodex_coordinator.pool import (
    STORY_MOVES,
    TRANSITIONS,
    Cause,
    IllegalMove,
    State,
    Worker,
    WorkerPool,
)
from dcodex_shared.messages import Role

#: DESIGN.md's table: the only moves there are.
LEGAL = {
    (State.IDLE, State.BUSY),
    (State.BUSY, State.RECYCLING),
    (State.RECYCLING, State.IDLE),
    (State.IDLE, State.SHUTDOWN),
    (State.BUSY, State.SHUTDOWN),
    (State.RECYCLING, State.SHUTDOWN),
}
#: How to get to each state from IDLE.
WAYS: dict[State, list[Cause]] = {
    State.IDLE: [],
    State.BUSY: [Cause.LEASED],
    State.RECYCLING: [Cause.LEASED, Cause.ENDED],
    State.SHUTDOWN: [Cause.RETIRED],
}


def pool_with(state: State) -> tuple[WorkerPool, Worker]:
    host = Host(Peer(Side.WORKERS, b"h", Role.HOST, "h", 0.0))
    peer = Peer(Side.WORKERS, b"w", Role.WORKER, "h/1", 0.0)
    pool = WorkerPool()
    worker = Worker("h/1", host, peer, "python", 0.0)
    pool.add(worker)
    for cause in WAYS[state]:
        pool.move(worker, cause, 1.0)
    return pool, worker


def test_the_table_allows_exactly_the_moves_of_the_design() -> None:
    moves = {(old, new) for old, row in TRANSITIONS.items() for new in row.values()}
    assert moves == LEGAL


@pytest.mark.parametrize(("state", "cause"), list(product(State, Cause)))
def test_a_move_is_in_the_table_or_raises_and_changes_nothing(state: State, cause: Cause) -> None:
    pool, worker = pool_with(state)
    before = (worker.state, worker.since, list(worker.story), dict(pool.counts))
    expected = TRANSITIONS[state].get(cause)
    if expected is None:
        with pytest.raises(IllegalMove, match="h/1"):
            pool.move(worker, cause, 2.0)
        assert (worker.state, worker.since, list(worker.story), dict(pool.counts)) == before
    else:
        pool.move(worker, cause, 2.0)
        assert worker.state is expected
        assert worker.since == 2.0
        assert worker.story[-1] == (2.0, state, expected, cause)
        assert pool.counts[expected] == 1


def test_only_idle_workers_are_on_the_shelf() -> None:
    pool, worker = pool_with(State.IDLE)
    assert list(pool.idle) == ["python"]
    pool.move(worker, Cause.LEASED, 1.0)
    assert not pool.idle
    pool.move(worker, Cause.ENDED, 2.0)
    assert not pool.idle
    pool.move(worker, Cause.READY, 3.0)
    assert list(pool.idle["python"]) == [worker]


def test_hosts_take_turns_and_each_gives_the_worker_that_it_armed_last() -> None:
    pool = WorkerPool()
    peer = Peer(Side.WORKERS, b"w", Role.WORKER, "w", 0.0)
    for host_name in ("a", "b"):
        host = Host(Peer(Side.WORKERS, host_name.encode(), Role.HOST, host_name, 0.0))
        for number in range(3):
            pool.add(Worker(f"{host_name}/{number}", host, peer, "python", 0.0))
    leased = []
    while pool.idle:
        worker = pool.idle["python"].next()
        pool.move(worker, Cause.LEASED, 1.0)
        leased.append(worker.worker_id)
    assert leased == ["a/2", "b/2", "a/1", "b/1", "a/0", "b/0"]


def test_a_shelf_goes_through_the_workers_that_are_idle_for_longest_first() -> None:
    pool, first = pool_with(State.IDLE)
    second = Worker("h/2", first.host, first.host.peer, "python", 0.0)
    pool.add(second)
    for cause in (Cause.LEASED, Cause.ENDED, Cause.READY):
        pool.move(first, cause, 1.0)
    assert list(pool.idle["python"]) == [second, first]
    assert len(pool.idle["python"]) == 2


def test_a_story_keeps_the_last_moves_and_is_told_in_order() -> None:
    pool, worker = pool_with(State.IDLE)
    for turn in range(10):
        for cause in (Cause.LEASED, Cause.ENDED, Cause.READY):
            pool.move(worker, cause, float(turn))
    told = worker.told_story(10.0)
    assert len(told) == STORY_MOVES
    assert told[-1] == "RECYCLING>IDLE ready 1.000s ago"


def test_only_a_worker_that_is_shut_down_can_be_gone() -> None:
    pool, worker = pool_with(State.IDLE)
    with pytest.raises(IllegalMove):
        pool.remove(worker)
    pool.move(worker, Cause.LOST, 1.0)
    pool.remove(worker)
    assert len(pool) == 0
    pool.check()
