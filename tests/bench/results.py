"""Everything that one benchmark found, as it is printed and written to bench.json. Values only."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.measure import Mark, Target, judge
from tests.bench.suite import Figures
from tests.bench.workloads import Workload


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure against what it must be and aims to be."""

    key: str
    title: str
    value: float
    target: Target
    #: What it is made of, for people: "312 of 580 MB/s".
    detail: str = ""

    @property
    def mark(self) -> Mark:
        """How it does."""
        return judge(self.value, self.target)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run costs on a farm of some size, with some requests waiting."""

    workers: int
    waiting: int
    #: Of the whole machine without the callers' own processes.
    cpu_ms: float
    rate: float


@dataclass(frozen=True, slots=True)
class Leases:
    """The coordinator alone."""

    workers: int
    waiting: int
    #: On one second of CPU of the whole process, the thread that does its socket I/O included.
    leases_a_core_second: float
    messages_a_core_second: float
    #: On one second of CPU of the thread that decides: what a core carries where another is free.
    leases_a_loop_second: float


@dataclass(slots=True)
class Results:
    """One benchmark."""

    machine: dict[str, object]
    workloads: list[tuple[Workload, list[Figures]]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    leases: list[Leases] = field(default_factory=list)
    #: What was left out, or makes the figures doubtful, a line each.
    complaints: list[str] = field(default_factory=list)
    #: Parts that ended early, with the reason.
    failures: list[str] = field(default_factory=list)

    def missed(self) -> list[Verdict]:
        """The figures that are not what they must be."""
        return [verdict for verdict in self.verdicts if verdict.mark is Mark.MISSED]


def as_json(results: Results) -> dict[str, Any]:
    """Everything, with None for what is not known."""
    table: dict[str, Any] = {
        "machine": results.machine,
        "workloads": {
            workload.key: {"title": workload.title, "sides": [asdict(row) for row in rows]}
            for workload, rows in results.workloads
        },
        "targets": [
            {**asdict(verdict), "mark": verdict.mark.value} for verdict in results.verdicts
        ],
        "cost": [asdict(cost) for cost in results.costs],
        "coordinator": [asdict(row) for row in results.leases],
        "complaints": results.complaints,
        "failures": results.failures,
    }
    cleaned: dict[str, Any] = _without_nan(table)
    return cleaned


def _without_nan(value: Any) -> Any:
    match value:
        case float() if math.isnan(value):
            return None
        case dict():
            return {str(key): _without_nan(member) for key, member in value.items()}
        case list() | tuple():
            return [_without_nan(member) for member in value]
        case _:
            return value
