"""A million steps of chaos, and proof that the simulation sees what it is there to see."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.simulation.ledger import Broken
from tests.simulation.world import World

from dcodex_coordinator.desk import Desk
from dcodex_coordinator.pool import Cause, IllegalMove, State, WorkerPool
from dcodex_coordinator.results import RecordingBudget

#: Each block of seeds is one test, so that a failure names its block and the rest still runs.
BLOCKS = 10
SEEDS_A_BLOCK = 5
STEPS = 20_000
#: A planted bug must show within this many seeds.
HUNT_SEEDS = 20


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of simulated losses are no news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_request_ends_once_and_nothing_leaks_whatever_fails(block: int) -> None:
    steps = leases = 0
    for seed in range(1 + block * SEEDS_A_BLOCK, 1 + (block + 1) * SEEDS_A_BLOCK):
        tally = World(seed).run(STEPS)
        steps += tally.steps
        leases += tally.leases
    assert steps >= SEEDS_A_BLOCK * STEPS
    assert leases > 0


def test_a_seed_replays_exactly() -> None:
    assert World(7).run(5000) == World(7).run(5000)


def _hunt() -> str:
    """The first thing that breaks."""
    for seed in range(1, HUNT_SEEDS + 1):
        try:
            World(seed).run(3000)
        except (Broken, IllegalMove, AssertionError) as error:
            return f"{type(error).__name__}: {error}"
    return ""


def _lose_wake_ups(patch: pytest.MonkeyPatch) -> None:
    """A worker that becomes ready while others wait is not given work."""
    dispatch = Desk.dispatch

    def forgetful(self: Desk, now: float) -> None:
        if self.queue.depth != 2:
            dispatch(self, now)

    patch.setattr(Desk, "dispatch", forgetful)


def _lease_twice(patch: pytest.MonkeyPatch) -> None:
    """A leased worker stays on the shelf of idle ones."""
    move = WorkerPool.move

    def sloppy(self: WorkerPool, worker: Any, cause: Cause, now: float) -> None:
        move(self, worker, cause, now)
        if cause is Cause.LEASED:
            self._index(worker)
            worker.state = State.IDLE

    patch.setattr(WorkerPool, "move", sloppy)


def _leak_credit(patch: pytest.MonkeyPatch) -> None:
    """What a caller has taken is passed on and not booked."""
    credit = Desk.credit

    def leaky(self: Desk, gateway: Any, message: Any, now: float) -> None:
        before = self.unacknowledged().get(message.execution_id, 0)
        credit(self, gateway, message, now)
        execution = self._executions.get(message.execution_id)
        if execution is not None and before > 50:
            execution.unacknowledged = before

    patch.setattr(Desk, "credit", leaky)


def _leak_memory(patch: pytest.MonkeyPatch) -> None:
    """A recording that grew too large is not given back."""
    take = RecordingBudget.take

    def greedy(self: RecordingBudget, size: int) -> bool:
        return take(self, size) and (size < 300 or take(self, 1))

    patch.setattr(RecordingBudget, "take", greedy)


@pytest.mark.parametrize("plant", [_lose_wake_ups, _lease_twice, _leak_credit, _leak_memory])
def test_a_planted_bug_is_caught(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert _hunt()
