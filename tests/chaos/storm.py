"""One run of chaos: a farm, callers, faults, and a look at what is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.chaos.faults import ALL, Fault, Hand, choose
from tests.chaos.load import PATIENCE_S, Caller
from tests.chaos.parts import Process, Role, parts_of, table
from tests.chaos.tally import Tally

import dcodex
from dcodex import WorkerState
from dcodex.demo.leftovers import left_by, processes
from dcodex.testing import Farm

WORKERS = 4
GATEWAYS = 2
#: Callers that share a connection: a killed gateway takes all of them along.
CALLERS_A_CONNECTION = 4
#: Between looks at which processes the farm has, so that whatever they leave is known as its.
CENSUS_S = 0.25
#: After the last fault: restarts wait some seconds, templates warm up, all on a busy machine.
RECOVERY_S = 120.0
PROGRESS_S = 5.0
#: What was killed dies a moment later.
DYING_S = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, for how long."""

    seconds: float
    seed: int
    callers: int
    #: Seconds between faults, on average.
    pause_s: float
    faults: Sequence[Fault] = ALL


async def run(plan: Plan, say: Callable[[str], None]) -> Tally:
    """Start a farm, let loose on it, stop it; returns what came of it."""
    tally = Tally()
    deeds: list[str] = []
    others = processes()
    flags = (f"--min_workers={WORKERS}", f"--max_workers={WORKERS}", f"--gateways={GATEWAYS}")
    farm = await asyncio.to_thread(Farm, *flags, "--log_level=info", "--drain_grace=60")
    try:
        members = set(processes() - others)
        census = asyncio.create_task(_count(members, others))
        await _storm(farm, plan, tally, deeds, say)
        if not await _recovers(farm):
            tally.leaked.append(f"the farm did not recover in {RECOVERY_S:g} s: {_sight(farm)}")
        members |= processes() - others
        census.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await census
        status = await asyncio.to_thread(farm.stop)
        if status not in (0, 1):
            tally.crashes.append(f"dcodex up ended with status {status}")
        tally.leaked += await asyncio.to_thread(_left, members, others)
        log = farm.log.read_text(errors="replace")
        tally.crashes += _tracebacks(log)
        if not tally.passed:
            say(f"--- the end of the farm's log\n{farm.log_tail(60)}\n---")
            say("\n".join(deeds))
            say(f"the whole log is {_keep(log, plan.seed)}")
    finally:
        await asyncio.to_thread(farm.stop)
        farm.remove()
    return tally


async def _storm(
    farm: Farm, plan: Plan, tally: Tally, deeds: list[str], say: Callable[[str], None]
) -> None:
    """deeds: gets a line for each fault."""
    rng = Random(plan.seed)
    hand = Hand(farm.process.pid, farm.runtime_dir, deeds, Random(rng.getrandbits(64)))
    over = asyncio.Event()
    connections = -(-plan.callers // CALLERS_A_CONNECTION)
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(dcodex.AsyncClient(farm.target))
            for _ in range(connections)
        ]
        callers = [
            Caller(
                clients[number % connections],
                Random(rng.getrandbits(64)),
                tally,
                lambda: hand.disturbances,
            )
            for number in range(plan.callers)
        ]
        serving = [asyncio.create_task(caller.serve(over)) for caller in callers]
        telling = asyncio.create_task(_tell(tally, say))
        end = time.monotonic() + plan.seconds
        while (left_s := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, rng.expovariate(1 / plan.pause_s)))
            fault = choose(rng, plan.faults)
            if await hand.act(fault):
                tally.faults[fault.name] += 1
        hand.let_go()
        over.set()
        # Whoever still waits has its own patience, which is bounded.
        await asyncio.gather(*serving)
        telling.cancel()


async def _tell(tally: Tally, say: Callable[[str], None]) -> None:
    begun = time.monotonic()
    while True:
        await asyncio.sleep(PROGRESS_S)
        say(tally.progress(time.monotonic() - begun))


async def _count(members: set[int], others: frozenset[int]) -> None:
    while True:
        members |= processes() - others
        await asyncio.sleep(CENSUS_S)


async def _recovers(farm: Farm) -> bool:
    """Whether all workers come to be idle, with no dead one's sandbox left, in RECOVERY_S."""
    deadline = time.monotonic() + RECOVERY_S
    while time.monotonic() < deadline:
        with contextlib.suppress(dcodex.DCodeXError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S), dcodex.AsyncClient(farm.target) as client:
                snapshot = await anext(client.farm(timeout_s=PATIENCE_S))
                states = [worker.state for worker in snapshot.workers]
                if states == [WorkerState.IDLE] * WORKERS and _is_tidy(farm):
                    return (await client.run("print(1)", cache=False)).ok
        await asyncio.sleep(0.2)
    return False


def _is_tidy(farm: Farm) -> bool:
    """Whether every worker has a keeper, and no keeper is older than the oldest worker."""
    parts = parts_of(farm.process.pid)
    workers, keepers = parts[Role.WORKER], parts[Role.KEEPER] + _orphans(farm)
    oldest = min((keeper.started for keeper in keepers), default=0)
    return len(workers) == WORKERS <= len(keepers) and oldest >= workers[0].started


def _orphans(farm: Farm) -> list[Process]:
    """Keepers whose template was killed: they serve on, and this process has adopted them."""
    return [
        process
        for process in table().values()
        if process.parent == os.getpid()
        and process.pid != farm.process.pid
        and not process.is_zombie
    ]


def _sight(farm: Farm) -> str:
    found = parts_of(farm.process.pid)
    counts = [f"{role.value} {len(processes)}" for role, processes in found.items()]
    return ", ".join((*counts, f"orphan {len(_orphans(farm))}"))


def _left(members: set[int], others: frozenset[int]) -> list[str]:
    """What is left, once everything that was told to die has had the time for it."""
    deadline = time.monotonic() + DYING_S
    while True:
        left = [
            line
            for line in left_by(frozenset(members))
            if not (line.startswith("process ") and int(line.split()[1]) in others)
        ]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(CENSUS_S)


def _keep(log: str, seed: int) -> Path:
    path = Path(tempfile.gettempdir(), f"dcodex-chaos-{seed}.log")
    path.write_text(log)
    return path


def _tracebacks(log: str) -> list[str]:
    """The last line of each traceback in the log: an exception that nobody expected."""
    found = []
    lines = iter(log.splitlines())
    for line in lines:
        if line.startswith("Traceback "):
            last = next((rest for rest in lines if rest and not rest.startswith(" ")), "")
            found.append(last[:300])
    return found
