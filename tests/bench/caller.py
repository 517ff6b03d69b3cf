"""A caller process: runs jobs that come as lines on stdin, answers on stdout.

Callers are processes of their own so that the benchmark's Python is in nobody's way. A single
caller of the farm uses the blocking client and many share asyncio; programs started by hand
take one thread a caller, which waits in the kernel while they run.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench import bare
from tests.bench.jobs import Answer, Job, dump_answer, load_job
from tests.bench.workloads import BY_KEY, text

import dcodex

#: Arrivals of an open-loop job are random: the same ones each time, others in each process, since
#: requests of two that come in the same moments would not come at random.
_SEED = 4
#: A run that takes longer has hung.
_TIMEOUT_S = 300.0


class WrongAnswer(Exception):
    """The farm did not do what it should."""


class Numbers:
    """Gives every run a text of its own, or all the same one."""

    def __init__(self, job: Job) -> None:
        self._unique = BY_KEY[job.workload].unique
        self._numbers = itertools.count(job.number)
        self._first = job.number

    def take(self) -> int:
        """The next run's number."""
        return next(self._numbers) if self._unique else self._first


class Request:
    """A workload's requests to the farm, and what must come back."""

    def __init__(self, job: Job) -> None:
        self._workload = workload = BY_KEY[job.workload]
        self._numbers = Numbers(job)
        self.options: dict[str, Any] = {
            "language": workload.language,
            "cache": workload.result_cache,
            "timeout_s": _TIMEOUT_S,
        }
        if workload.compile_args:
            self.options["compile_args"] = workload.compile_args
        if workload.output_bytes is not None:
            self.options["limits"] = dcodex.Limits(output_bytes=workload.output_bytes)

    def take(self) -> tuple[str, bytes]:
        """The next run's source and expected output."""
        number = self._numbers.take()
        workload = self._workload
        return text(workload.source, number), text(workload.expect, number).encode()


def check(result: dcodex.Result, expect: bytes) -> None:
    """Raise WrongAnswer unless the program did what it does by hand."""
    if not result.ok or result.stdout != expect:
        words = result.message or result.error_text or result.compiler_text
        raise WrongAnswer(f"{result.verdict} {result.stdout[:80]!r} {words[:300]}")


class Budget:
    """Whether one more run may begin; shared by a job's callers."""

    def __init__(self, job: Job) -> None:
        self._until = time.perf_counter() + job.seconds if job.seconds else float("inf")
        self._left = job.runs

    def take(self, first: bool) -> bool:
        """Take one run; a caller's first is always granted while there are any."""
        if self._left <= 0 or not (first or time.perf_counter() < self._until):
            return False
        self._left -= 1
        return True


def run_by_hand(job: Job, environment: dict[str, str]) -> list[float]:
    """One thread a caller, each with a directory of its own."""
    workload = BY_KEY[job.workload]
    number = Numbers(job).take()
    plans = [
        bare.make_plan(workload, Path(job.directory, str(caller)), number, job.venv, job.peer)
        for caller in range(job.callers)
    ]
    budget = Budget(job)

    def loop(plan: bare.Plan) -> list[float]:
        return _closed_loop(budget, lambda: bare.run(plan, environment))

    if job.callers == 1:
        return loop(plans[0])
    with ThreadPoolExecutor(job.callers) as pool:
        return [latency for part in pool.map(loop, plans) for latency in part]


def run_one_caller(job: Job, client: dcodex.Client) -> list[float]:
    """The farm, one request after the other."""
    request = Request(job)

    budget, latencies = Budget(job), list[float]()
    while budget.take(first=not latencies):
        source, expect = request.take()
        began = time.perf_counter()
        result = client.run(source, **request.options)
        latencies.append(time.perf_counter() - began)
        # Not what the farm takes, as comparing a file is not what a start by hand takes.
        check(result, expect)
    return latencies


def _closed_loop(budget: Budget, once: Callable[[], None]) -> list[float]:
    latencies: list[float] = []
    while budget.take(first=not latencies):
        began = time.perf_counter()
        once()
        latencies.append(time.perf_counter() - began)
    return latencies


async def run_many_callers(job: Job) -> list[float]:
    """The farm, with many requests under way."""
    request, budget = Request(job), Budget(job)
    latencies: list[float] = []

    async def once(client: dcodex.AsyncClient, began: float) -> None:
        source, expect = request.take()
        check(await client.run(source, **request.options), expect)
        latencies.append(time.perf_counter() - began)

    async def loop(client: dcodex.AsyncClient) -> None:
        first = True
        while budget.take(first):
            first = False
            await once(client, time.perf_counter())

    async with dcodex.AsyncClient(job.target) as client:
        if job.rate:
            await _open_loop(job, lambda due: once(client, due))
        else:
            async with asyncio.TaskGroup() as group:
                for _ in range(job.callers):
                    group.create_task(loop(client))
    return latencies


async def _open_loop(job: Job, once: Callable[[float], Any]) -> None:
    """Runs begin at random moments; each counts from when it was due, however late it began."""
    chance = random.Random(_SEED + job.part)
    began = due = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        while due - began < job.seconds:
            due += chance.expovariate(job.rate)
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(once(due))


def answer(job: Job, clients: dict[str, dcodex.Client], environment: dict[str, str]) -> Answer:
    """Do one job."""
    cpu, began = time.process_time(), time.perf_counter()
    error, latencies = "", []
    try:
        if not job.target:
            latencies = run_by_hand(job, environment)
        elif job.callers == 1 and not job.rate:
            client = clients.get(job.target)
            if client is None:
                client = clients[job.target] = dcodex.connect(job.target)
            latencies = run_one_caller(job, client)
        else:
            latencies = asyncio.run(run_many_callers(job))
    except* (WrongAnswer, bare.BareFailed, dcodex.DCodeXError, OSError) as group:
        error = _first(group)
    wall_s = time.perf_counter() - began
    return Answer(tuple(latencies), wall_s, time.process_time() - cpu, error)


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def main() -> None:
    """Answer jobs until stdin ends."""
    environment = dict(os.environ)
    clients: dict[str, dcodex.Client] = {}
    for line in sys.stdin:
        print(dump_answer(answer(load_job(line), clients, environment)), flush=True)
    for client in clients.values():
        client.close()


if __name__ == "__main__":
    main()
