"""Every part of a farm restarted in turn under load: what has begun is finished."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest
from tests.chaos.load import Caller
from tests.chaos.parts import Role, parts_of, send
from tests.chaos.tally import Tally

import dcodex
from dcodex.demo.leftovers import adopting_orphans
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm

#: For a part to drain and its successor to serve, on a machine that does much else.
PATIENCE_S = 90.0
CALLERS = 4
#: Two gateways, the coordinator, the host.
RESTARTS = 4
#: What each says in the log once it serves.
SERVES = {
    Role.GATEWAY: "gateway: serving gRPC",
    Role.COORDINATOR: "coordinator: ready",
    Role.HOST: "host: met the coordinator",
}


@pytest.fixture(scope="module", autouse=True)
def _isolation() -> Iterator[None]:
    right = missing_right()
    if right:
        pytest.skip(right)
    with adopting_orphans():
        yield


@pytest.mark.timeout(300)
def test_a_restart_of_every_part_in_turn_fails_no_request_that_has_begun() -> None:
    with Farm("--min_workers=3", "--max_workers=3", "--gateways=2") as farm:
        tally = asyncio.run(roll(farm))
        assert farm.stop() == 0, farm.log_tail()
    assert tally.ok > 0
    # What still fails are calls of the very moment in which a socket closes: none was started.
    # A gateway that drains refuses what still comes on its connections, a new connection is
    # reset by the kernel where one of two listeners on a port goes, a call that meets the end of
    # a gRPC server is CANCELLED, and a program may arrive at a coordinator that has just said
    # goodbye. At each restart every caller may meet one of them once.
    failed = sum(count for words, count in tally.words.items() if "failed to connect" not in words)
    assert failed + len(tally.wrong) <= RESTARTS * CALLERS, tally.report()
    assert all(line.endswith("CANCELLED CANCELLED") for line in tally.wrong), tally.report()
    assert tally.lost == [], tally.report()


async def roll(farm: Farm) -> Tally:
    """Load, and meanwhile one restart after the other."""
    tally = Tally()
    over = asyncio.Event()
    clients = [dcodex.AsyncClient(farm.target) for _ in range(CALLERS)]
    callers = [
        Caller(client, Random(number), tally, lambda: 1) for number, client in enumerate(clients)
    ]
    serving = [asyncio.create_task(caller.serve(over)) for caller in callers]
    try:
        parts = parts_of(farm.process.pid)
        for role in (Role.GATEWAY, Role.COORDINATOR, Role.HOST):
            for part in parts[role]:
                before = tally.ok
                told = words_of(farm, role)
                assert send(part, signal.SIGTERM)
                await until(lambda role=role, told=told: words_of(farm, role) > told)  # type: ignore[misc] # bound now
                # Served by the new one, or with it: that many cannot have come before it.
                await until(lambda before=before: tally.ok > before + 2 * CALLERS)  # type: ignore[misc] # bound now
    finally:
        over.set()
        await asyncio.gather(*serving)
        for client in clients:
            await client.close()
    return tally


def words_of(farm: Farm, role: Role) -> int:
    """How often a part of this role has said that it serves."""
    return farm.log.read_text(errors="replace").count(SERVES[role])


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again, since nobody tells: processes of others."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
