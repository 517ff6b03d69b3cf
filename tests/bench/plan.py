"""How long each measurement takes: the two scales of thoroughness. Data and arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.workloads import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured."""

    #: Latency blocks of each side, and about how long a bare block takes, in seconds.
    blocks: int
    block_s: float
    #: Windows of many callers, of each side, and how long one takes, in seconds.
    windows: int
    window_s: float
    #: Concurrency of programs other than the first workload's, beside one caller.
    callers: tuple[int, ...]
    #: Open-loop arrivals at half load, in seconds.
    half_load_s: float
    sustained_bytes: int
    #: Streams of 200 lines, each side.
    ping_pongs: int
    #: How long a cost window is, in seconds.
    cost_s: float
    leases: int


FULL = Scale(
    blocks=20,
    block_s=0.5,
    windows=3,
    window_s=4.0,
    callers=(8, 32),
    half_load_s=20.0,
    sustained_bytes=256 << 20,
    ping_pongs=10,
    cost_s=8.0,
    leases=20_000,
)
QUICK = Scale(
    blocks=5,
    block_s=0.25,
    windows=2,
    window_s=1.5,
    callers=(8,),
    half_load_s=5.0,
    sustained_bytes=256 << 20,
    ping_pongs=3,
    cost_s=3.0,
    leases=5_000,
)

#: Throughput, CPU and half load are taken with this many callers.
MAIN_CALLERS = 8
#: A block of less has no median; one of more has drifted from its partner.
_LEAST_RUNS, _MOST_RUNS = 2, 50
#: Windows of slow programs are repeated less often: one takes several times as long anyway.
_SLOW_S = 0.2


def runs_of_block(workload: Workload, scale: Scale) -> int:
    """Runs of each side before the other side's turn."""
    return min(_MOST_RUNS, max(_LEAST_RUNS, round(scale.block_s / workload.about_s)))


def levels(workload: Workload, scale: Scale) -> tuple[int, ...]:
    """Numbers of callers at which throughput is measured, beside one."""
    wanted = workload.callers if workload.throughput else scale.callers
    return tuple(level for level in wanted if level > 1 and level in workload.callers)


def windows_of(workload: Workload, scale: Scale, level: int) -> int:
    """How often both sides take their turn at this number of callers."""
    return 1 if workload.about_s > _SLOW_S and level != MAIN_CALLERS else scale.windows
