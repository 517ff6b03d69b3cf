"""Workloads against their bare starts: latency in blocks, throughput and CPU in windows."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.bench.accounting import OwnGroup
from tests.bench.crew import Crew
from tests.bench.farm import BenchFarm
from tests.bench.jobs import Answer, Job
from tests.bench.machine import read_cpu
from tests.bench.measure import Spread, cpu_ms_per_run, median_ratio, percentile, spread
from tests.bench.plan import MAIN_CALLERS, Scale, levels, runs_of_block, windows_of
from tests.bench.sides import BARE, FARM, Side
from tests.bench.workloads import Workload

Progress = Callable[[str], None]
#: Runs that warm a farm up for a workload: a few for each worker.
_WARM_UP_RUNS = 4


@dataclass(slots=True)
class Figures:
    """What one side of one workload was measured at."""

    side: str
    #: Seconds from start to end.
    latency: Spread
    #: The median ratio of its latency to the bare one's; 1 for the bare side.
    ratio: float
    #: Runs a second, by number of callers.
    rates: dict[int, float] = field(default_factory=dict)
    #: The median ratio of its rate to the bare one's, by number of callers.
    rate_ratios: dict[int, float] = field(default_factory=dict)
    #: CPU of a run at MAIN_CALLERS, callers included: of everything that the benchmark started,
    #: and of the whole machine less what it does anyway, the kernel's own threads included.
    cpu_ms: float = float("nan")
    machine_cpu_ms: float = float("nan")


@dataclass(frozen=True, slots=True)
class Idle:
    """CPU seconds a second that the machine spends anyway."""

    #: Before there was a farm: what the farm's own idling costs is the farm's.
    without_farm: float
    with_farm: float


@dataclass(frozen=True, slots=True)
class _Window:
    rate: float
    cpu_ms: float
    machine_cpu_ms: float


class Suite:
    """Measures workloads on one farm."""

    def __init__(
        self,
        crew: Crew,
        farm: BenchFarm,
        peers: Sequence[Side],
        venv: str,
        directory: Path,
        scale: Scale,
        idle: Idle,
        group: OwnGroup,
        progress: Progress,
    ) -> None:
        self._crew = crew
        self._farm = farm
        self._sides = (Side(BARE), Side(FARM), *peers)
        self._venv = venv
        self._directory = directory
        self._scale = scale
        self._idle = idle
        self._group = group
        self._say = progress
        self._number = 100_000_000 + secrets.randbelow(1_000_000_000)

    def measure(self, workload: Workload) -> list[Figures]:
        """One workload's rows: by hand, the farm, the peers."""
        self._say(f"{workload.key} {workload.title}: warming up")
        # A text that stays the same must do so across sides and windows.
        fixed = self._take_number() if not workload.unique else 0
        for side in self._sides:
            runs = _WARM_UP_RUNS * self._farm.workers if side.is_farm else 2
            callers = min(runs, self._farm.workers) if side.is_farm else 1
            self._crew.run(replace(self._job(workload, side, fixed), callers=callers, runs=runs))
        figures = self._latency(workload, fixed)
        for level in levels(workload, self._scale):
            self._throughput(workload, figures, level, fixed)
        return list(figures.values())

    def half_load(self, workload: Workload, rate: float) -> Spread:
        """Latencies of the farm when requests come at random, this many a second."""
        self._say(f"{workload.key} at half load: {rate:.0f} requests a second")
        self._farm.settle()
        job = self._job(workload, Side(FARM), 0)
        answer = self._crew.run(
            replace(job, callers=MAIN_CALLERS, seconds=self._scale.half_load_s, rate=rate)
        )
        return spread(answer.latencies_s)

    def _latency(self, workload: Workload, fixed: int) -> dict[str, Figures]:
        runs = runs_of_block(workload, self._scale)
        blocks: dict[str, list[Answer]] = {side.name: [] for side in self._sides}
        for turn in range(self._scale.blocks):
            self._say(f"{workload.key} latency: block {turn + 1} of {self._scale.blocks}")
            for side in _rotated(self._sides, turn):
                self._farm.settle()
                job = replace(self._job(workload, side, fixed), runs=runs)
                blocks[side.name].append(self._crew.run(job))
        bare = [block.latencies_s for block in blocks[BARE]]
        figures = {}
        for name, answers in blocks.items():
            ours = [answer.latencies_s for answer in answers]
            figures[name] = Figures(
                name, spread([value for block in ours for value in block]), median_ratio(ours, bare)
            )
            figures[name].rates[1] = sum(map(len, ours)) / sum(one.wall_s for one in answers)
        for row in figures.values():
            row.rate_ratios[1] = row.rates[1] / figures[BARE].rates[1]
        return figures

    def _throughput(
        self, workload: Workload, figures: dict[str, Figures], level: int, fixed: int
    ) -> None:
        windows: dict[str, list[_Window]] = {side.name: [] for side in self._sides}
        count = windows_of(workload, self._scale, level)
        for turn in range(count):
            self._say(f"{workload.key} with {level} callers: window {turn + 1} of {count}")
            for side in _rotated(self._sides, turn):
                job = replace(
                    self._job(workload, side, fixed),
                    callers=level,
                    seconds=self._scale.window_s,
                )
                windows[side.name].append(self._window(job, side))
        bare = [[window.rate] for window in windows[BARE]]
        for name, row in figures.items():
            rates = [window.rate for window in windows[name]]
            row.rates[level] = percentile(rates, 0.5)
            row.rate_ratios[level] = median_ratio([[rate] for rate in rates], bare)
            if level == MAIN_CALLERS:
                row.cpu_ms = percentile([window.cpu_ms for window in windows[name]], 0.5)
                row.machine_cpu_ms = percentile(
                    [window.machine_cpu_ms for window in windows[name]], 0.5
                )

    def _window(self, job: Job, side: Side) -> _Window:
        self._farm.settle()
        before, own_s = read_cpu(), self._group.read_s()
        answer = self._crew.run(job)
        # What is done after the answer is part of the price.
        self._farm.settle()
        after, own_s = read_cpu(), self._group.read_s() - own_s
        runs, wall_s = len(answer.latencies_s), after.at_s - before.at_s
        anyway = self._idle.without_farm if side.is_farm else self._idle.with_farm
        return _Window(
            answer.rate,
            cpu_ms_per_run(own_s, 0.0, wall_s, runs),
            cpu_ms_per_run(after.busy_s - before.busy_s, anyway, wall_s, runs),
        )

    def _job(self, workload: Workload, side: Side, fixed: int) -> Job:
        return Job(
            workload=workload.key,
            target=self._farm.target if side.is_farm else "",
            venv=self._venv,
            peer=side.words,
            directory=str(self._directory / workload.key),
            number=fixed or self._take_number(),
        )

    def _take_number(self) -> int:
        """Where a job's numbers begin: far from the job before; they fit a C int."""
        self._number = 100_000_000 + (self._number + (1 << 22)) % 2_000_000_000
        return self._number


def _rotated(sides: Sequence[Side], turn: int) -> Sequence[Side]:
    """Each side comes first, and after each other, as often as the others."""
    start = turn % len(sides)
    return (*sides[start:], *sides[:start])
