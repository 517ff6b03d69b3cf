"""Every part of a farm restarted in turn under load: nobody notices."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Callable, Iterator
from random import Random

import grpc
import pytest
from tests.chaos.load import Caller
from tests.chaos.parts import Role, parts_of, send
from tests.chaos.tally import Tally

import dcodex
from dcodex.demo.leftovers import adopting_orphans
from dcodex.demo.preflight import missing_right
from dcodex.testing import Farm
from dcodex_proto.v1 import executor_pb2 as pb
from dcodex_proto.v1.executor_pb2_grpc import ExecutorStub

#: For a part to drain and its successor to serve, on a machine that does much else.
PATIENCE_S = 90.0
CALLERS = 4
VISITORS = 2
#: gRPC would have one connection serve all channels of this process.
NO_SHARING = (("grpc.use_local_subchannel_pool", 1),)
#: How what a part says of its own end begins, or of the end of what it lives by.
_ENDS = "draining|stopped|gone|the coordinator is lost|gives up"
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
def test_a_restart_of_every_part_in_turn_under_load_fails_no_request() -> None:
    with Farm("--min_workers=3", "--max_workers=3", "--gateways=2") as farm:
        tally = asyncio.run(roll(farm))
        log = complaints(farm)
        assert farm.stop() == 0, farm.log_tail()
    assert tally.ok > 0
    assert (tally.ok, tally.wrong, tally.lost) == (tally.requests, [], []), (
        f"{log}\n{tally.report()}"
    )


async def roll(farm: Farm) -> Tally:
    """Load, and meanwhile one restart after the other."""
    tally = Tally()
    over = asyncio.Event()
    clients = [dcodex.AsyncClient(farm.target) for _ in range(CALLERS)]
    serving = [
        asyncio.create_task(Caller(client, Random(number), tally, lambda: 1).serve(over))
        for number, client in enumerate(clients)
    ]
    serving += [asyncio.create_task(come_and_go(farm, tally, over)) for _ in range(VISITORS)]
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


async def come_and_go(farm: Farm, tally: Tally, over: asyncio.Event) -> None:
    """A caller with nothing but the generated stub, and a new connection each time."""
    number = 0
    while not over.is_set():
        number += 1
        begun = time.monotonic()
        start = pb.Start(
            language="python", source=b"print(%d)" % number, cache=pb.CACHE_POLICY_BYPASS
        )
        try:
            async with grpc.aio.insecure_channel(farm.target, NO_SHARING) as channel:
                reply = await ExecutorStub(channel).Run(start, timeout=PATIENCE_S)
        except grpc.aio.AioRpcError as error:
            tally.failed("visit", error.code().name, error.details() or "")
            continue
        if reply.stdout == b"%d\n" % number:
            tally.answered("visit", time.monotonic() - begun)
        else:
            tally.mistaken("visit", str(reply))


def complaints(farm: Farm) -> str:
    """What its parts say of what is not as it should be, and of their ends."""
    lines = farm.log.read_text(errors="replace").splitlines()
    return "\n".join(
        line for line in lines if not re.search(rf" (info|debug) +[\w-]+: (?!{_ENDS})", line)
    )


def words_of(farm: Farm, role: Role) -> int:
    """How often a part of this role has said that it serves."""
    return farm.log.read_text(errors="replace").count(SERVES[role])


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again, since nobody tells: processes of others."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
