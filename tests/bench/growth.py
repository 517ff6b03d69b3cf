"""What a run costs on farms of several sizes, and with requests waiting; memory of a worker."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.bench.accounting import OwnGroup
from tests.bench.crew import Crew
from tests.bench.farm import BenchFarm
from tests.bench.jobs import Job
from tests.bench.machine import descendants, pss_bytes
from tests.bench.plan import Scale
from tests.bench.results import Cost, Verdict
from tests.bench.waiting import WaitingRequests
from tests.bench.workloads import MEMORY, TARGETS, TITLES

WORKERS = (2, 8, 32, 64)
WAITING = (0, 100, 10_000)
#: Of the farm that requests wait for.
_WAITED_FOR = 8
#: Requests under way for each worker, so that none lacks work.
_PIPELINE = 2
#: Farms that are compared for memory, and how many workers they differ by.
_FEW, _MORE = 4, 4
_MB = 1e6


def costs(crew: Crew, scale: Scale, group: OwnGroup, say: Callable[[str], None]) -> Iterator[Cost]:
    """One row a size of the farm, then one a number of requests waiting."""
    for workers in WORKERS:
        say(f"cost of a run with {workers} workers")
        with BenchFarm(workers, "", languages="python") as farm:
            yield _cost(crew, farm, 0, scale, group)
    with BenchFarm(_WAITED_FOR, "", languages="python") as farm:
        for waiting in WAITING:
            say(f"cost of a run with {waiting} requests waiting")
            yield _cost(crew, farm, waiting, scale, group)


def _cost(crew: Crew, farm: BenchFarm, waiting: int, scale: Scale, group: OwnGroup) -> Cost:
    callers = _PIPELINE * farm.workers
    job = Job(
        workload="W1",
        target=farm.target,
        callers=callers,
        number=secrets.randbelow(1_000_000_000),
    )
    crew.run(replace(job, runs=2 * callers))
    with WaitingRequests(farm.target, waiting) as others:
        if waiting:
            farm.await_depth(waiting - farm.workers)
        toll, spent_s = others.read(), group.read_s()
        answer = crew.run(replace(job, seconds=scale.cost_s))
        spent_s = group.read_s() - spent_s
        after = others.read()
    runs = len(answer.latencies_s) + after.served - toll.served
    # The callers are no part of the farm.
    callers_s = answer.own_cpu_s + after.own_cpu_s - toll.own_cpu_s
    return Cost(farm.workers, waiting, (spent_s - callers_s) / runs * 1000, runs / answer.wall_s)


def memory(packages: str, say: Callable[[str], None]) -> Verdict:
    """Proportional set size of a farm's processes, by how much it grows with a worker."""
    sizes = []
    for workers in (_FEW, _FEW + _MORE):
        say(f"memory with {workers} workers")
        with BenchFarm(workers, packages, languages="python") as farm:
            farm.settle()
            sizes.append(pss_bytes(descendants(farm.pid)))
    few, more = sizes
    return Verdict(
        MEMORY,
        TITLES[MEMORY],
        (more - few) / _MORE / _MB,
        TARGETS[MEMORY],
        f"{few / _MB:.0f} MB with {_FEW} workers, {more / _MB:.0f} MB with {_FEW + _MORE}",
    )
