"""One benchmark from start to end: which parts it has, in which order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import coordinator_row, growth, sides, streams, venv
from tests.bench.accounting import OwnGroup
from tests.bench.crew import Crew, JobFailed
from tests.bench.farm import BenchFarm
from tests.bench.machine import idle_share
from tests.bench.plan import MAIN_CALLERS, Scale
from tests.bench.report import throughput_key
from tests.bench.results import Results, Verdict
from tests.bench.sides import FARM, Side
from tests.bench.suite import Figures, Idle, Suite
from tests.bench.workloads import (
    BY_KEY,
    COORDINATOR,
    COST,
    HALF_LOAD,
    MEMORY,
    PING_PONG,
    SUSTAINED,
    TARGETS,
    TITLES,
    WORKLOADS,
    Bare,
    Workload,
)

from dcodex.errors import DCodeXError
from dcodex.testing import FarmFailed

Say = Callable[[str], None]
#: How long the machine is watched doing nothing, in seconds.
_IDLE_S = 1.5
#: A machine that others use this much, in cores, gives figures that nobody should quote.
_OTHERS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line asked for."""

    keys: tuple[str, ...]
    scale: Scale
    workers: int
    gateways: int
    peers: tuple[Side, ...]
    known_peers: bool
    #: Where numpy and pandas are; None: do without.
    venv: Path | None
    directory: Path


@dataclass(frozen=True, slots=True)
class _Context:
    """What all parts of one benchmark share."""

    choice: Choice
    results: Results
    #: The programs' virtual environment; empty: there is none.
    packages: str
    crew: Crew
    group: OwnGroup
    say: Say


def run(choice: Choice, results: Results, say: Say) -> None:
    """Everything that was chosen, into the results as it is found."""
    packages = _packages(choice, results, say)
    workloads = [
        workload
        for workload in WORKLOADS
        if workload.key in choice.keys and (packages or workload.bare is not Bare.VENV)
    ]
    say("watching the idle machine")
    without_farm = idle_share(_IDLE_S)
    if without_farm > _OTHERS:
        results.complaints.append(
            f"others use {without_farm:.2f} cores of this machine: these figures are noise"
        )
    with OwnGroup() as group, Crew() as crew:
        context = _Context(choice, results, packages, crew, group, say)
        if workloads or {HALF_LOAD, SUSTAINED, PING_PONG} & set(choice.keys):
            _against_bare(context, workloads, without_farm)
        if MEMORY in choice.keys and packages:
            with _part(results, MEMORY):
                results.verdicts.append(growth.memory(packages, say))
        if COST in choice.keys:
            with _part(results, COST):
                for cost in growth.costs(crew, choice.scale, group, say):
                    results.costs.append(cost)
        if COORDINATOR in choice.keys:
            with _part(results, COORDINATOR):
                results.leases += coordinator_row.measure(choice.scale, say)


def _packages(choice: Choice, results: Results, say: Say) -> str:
    """The programs' virtual environment; empty where there is none."""
    if choice.venv is None:
        return ""
    try:
        return venv.prepare(choice.venv, say)
    except venv.VenvMissing as error:
        results.complaints.append(f"without numpy and pandas: {error}")
        return ""


def _against_bare(context: _Context, workloads: list[Workload], without_farm: float) -> None:
    choice, results, say = context.choice, context.results, context.say
    known = sides.installed_peers(context.packages) if choice.known_peers else []
    peers, complaints = sides.usable((*known, *choice.peers), choice.directory / "trial")
    results.complaints += complaints
    say("starting the farm")
    with BenchFarm(choice.workers, context.packages, gateways=choice.gateways) as farm:
        farm.settle()
        idle = Idle(without_farm, idle_share(_IDLE_S))
        results.machine["idle_cores_without_farm"] = idle.without_farm
        results.machine["idle_cores_with_farm"] = idle.with_farm
        suite = Suite(
            context.crew,
            farm,
            peers,
            context.packages,
            choice.directory,
            choice.scale,
            idle,
            context.group,
            say,
        )
        for workload in workloads:
            with _part(results, workload.key):
                rows = suite.measure(workload)
                results.workloads.append((workload, rows))
                results.verdicts += _verdicts(workload, rows)
        if HALF_LOAD in choice.keys:
            with _part(results, HALF_LOAD):
                results.verdicts.append(_half_load(suite, results))
        if SUSTAINED in choice.keys:
            with _part(results, SUSTAINED):
                results.verdicts.append(streams.sustained(farm.target, choice.scale, say))
        if PING_PONG in choice.keys:
            with _part(results, PING_PONG):
                results.verdicts.append(streams.ping_pong(farm.target, choice.scale, say))


@contextlib.contextmanager
def _part(results: Results, key: str) -> Iterator[None]:
    """A part of the benchmark whose failure is told, and does not take the others along."""
    try:
        yield
    except (JobFailed, FarmFailed, DCodeXError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        # A log's end is what tells; the rest of it is noise here.
        results.failures.append(f"{key}: {lines[-1]}")


def _verdicts(workload: Workload, rows: list[Figures]) -> list[Verdict]:
    ours = next(row for row in rows if row.side == FARM)
    verdicts = [Verdict(workload.key, f"{workload.key} latency", ours.ratio, workload.latency)]
    if workload.throughput:
        title = f"{workload.key} throughput, {MAIN_CALLERS} callers"
        ratio = ours.rate_ratios[MAIN_CALLERS]
        verdicts.append(Verdict(throughput_key(workload), title, ratio, workload.throughput))
    return verdicts


def _half_load(suite: Suite, results: Results) -> Verdict:
    workload = BY_KEY["W1"]
    measured = [rows for row, rows in results.workloads if row is workload]
    rows = measured[0] if measured else suite.measure(workload)
    ours = next(row for row in rows if row.side == FARM)
    latency = suite.half_load(workload, ours.rates[MAIN_CALLERS] / 2)
    detail = f"p50 {latency.p50 * 1000:.1f}, p90 {latency.p90 * 1000:.1f}, "
    detail += f"p99 {latency.p99 * 1000:.1f} ms of {latency.count} runs"
    return Verdict(
        HALF_LOAD, TITLES[HALF_LOAD], latency.p99 / latency.p50, TARGETS[HALF_LOAD], detail
    )
