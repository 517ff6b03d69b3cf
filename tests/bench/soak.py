"""Runs a mixed corpus, attacks included, many times, and shows that the host is as before.

    PYTHONPATH=. python -P -m tests.bench.soak [--runs 1000] [--workers 8]

Prints what there was of everything before the farm started, when it had warmed up, after all
runs, and after it stopped; exits with status 1 where something grew or is left.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fidelity.corpus import CASES
from tests.sandbox import host
from tests.sandbox.corpus import ATTACKS, Attack

import dcodex
from dcodex import Limits, Verdict, WorkerState
from dcodex.demo.leftovers import adopt_orphans
from dcodex.testing import Farm, quiet_flags
from dcodex_worker.sandbox import kernel

#: What the farm's processes may gain in memory over all runs: caches that fill up to a bound.
GROWTH_BYTES = 12 << 20
#: A worker may be between two sandboxes when we look, or armed for what is asked for no more: how
#: long until all are armed again, in the usual mix, from which the coordinator's memory of
#: many compiles (figures.DEMAND_TIME_S) keeps them for minutes.
SETTLE_S = 300.0
#: Languages that one worker stays armed for, though nobody asks for them at the moment.
KEPT = ("c", "cpp")
CALM = "print('calm')"
CALM_RUNS = 64
CALM_WIDTH = 8
#: Paused compilers that serve as templates: a cache with a bound of its own, in bytes.
CACHES = {"cc1": 512 << 20, "cc1plus": 512 << 20, "g++": 64 << 20, "gcc": 64 << 20}
#: Tools that wait in an armed sandbox for what is compiled most, and go with it: as many as the
#: last compiles made likely.
TOOLS = ("as", "cc1", "cc1plus", "mold", "ld")
_MS_SHARED = 1 << 20
#: Attacks that only wait for a limit of seconds would make the soak a wait.
_SLOW = ("template_bomb", "include_zero", "constexpr", "pipe_hog", "object_flood", "tcp_hog")
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """One run of the mix."""

    name: str
    run: Callable[[dcodex.Client], dcodex.Result]
    #: Empty: whatever it comes to but SYSTEM_ERROR.
    verdicts: frozenset[Verdict]


def mix() -> list[Job]:
    """Attacks and ordinary programs, about half of each."""
    jobs = []
    for attack in ATTACKS:
        if not attack.file.startswith(_SLOW) and not any("{" in arg for arg in attack.args):
            jobs.append(Job(attack.name, _attack(attack), attack.verdicts))
    ordinary = [case for case in CASES if case.name.startswith("problems/")]
    for case in ordinary[:: max(1, len(ordinary) // len(jobs))]:
        jobs.append(
            Job(
                case.name,
                lambda client, case=case: client.run(  # type: ignore[misc] # bound early
                    case.source, language=case.language, cache=False, limits=Limits(cpu_s=10.0)
                ),
                frozenset(),
            )
        )
    return jobs


def _attack(attack: Attack) -> Callable[[dcodex.Client], dcodex.Result]:
    files = {path: dcodex.File(text, mode) for path, (text, mode) in attack.files().items()}

    def run(client: dcodex.Client) -> dcodex.Result:
        return client.run(
            language=attack.language,
            files=files,
            entry_point=attack.stored_as or f"main{Path(attack.file).suffix}",
            args=attack.args,
            env=dict(attack.env),
            limits=attack.limits,
            cache=False,
            timeout_s=120.0,
        )

    return run


@dataclass(frozen=True, slots=True)
class Look:
    """The host at one moment."""

    snapshot: host.Snapshot
    #: Resident bytes of the farm's processes outside sandboxes, by name and rank.
    resident: dict[str, int]

    def unlike(self, other: Look) -> list[str]:
        """In what `other`, taken later, has more or less."""
        return [
            text
            for text in self.snapshot.differences(other.snapshot)
            if not text.startswith(tuple(f"processes: {tool} " for tool in TOOLS))
        ]

    def rows(self) -> dict[str, int]:
        """Figures for the table."""
        snapshot = self.snapshot
        found = {
            "processes": snapshot.processes.total(),
            "mounts": snapshot.mounts.total(),
            "cgroups": snapshot.cgroups,
            "temporary files": len(snapshot.temporary),
            "SysV objects": snapshot.ipc,
            "abstract sockets": snapshot.abstract,
            "descriptors": snapshot.descriptors.total(),
        }
        for kind in host.NAMESPACES:
            found[f"{kind} namespaces"] = snapshot.namespaces[kind]
        found["resident MiB"] = sum(self.resident.values()) // _MIB
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """What of the host is the farm's, and so may be asked about on a busy machine."""

    #: 0: no farm runs.
    farm_pid: int
    groups: frozenset[str]
    #: Where its processes keep temporary files.
    folder: str


def look(place: Place) -> Look:
    """The host now."""
    farm_pid = place.farm_pid
    table = host.processes()
    ours = os.readlink("/proc/self/ns/pid")
    resident: Counter[str] = Counter()
    if farm_pid:
        for process in host.descendants(farm_pid, table).values():
            if process.pid_namespace == ours:
                resident[process.comm] += _resident(process.pid)
    return Look(host.take(farm_pid, place.groups, place.folder), dict(resident))


def _resident(pid: int) -> int:
    """Proportional set size in bytes: pages that forks share are counted once."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _settled(place: Place, client: dcodex.Client | None, wanted: Look | None = None) -> Look:
    """A look when every worker has its sandbox again; the last one where they never do.

    Calm traffic of one language comes first: how many sandboxes a worker keeps armed depends on
    the languages that were asked for lately, and only equal mixes can be compared.
    """
    deadline = time.monotonic() + SETTLE_S
    pause = threading.Event()
    while True:
        while client is not None and time.monotonic() < deadline:
            with ThreadPoolExecutor(CALM_WIDTH) as pool:
                list(pool.map(lambda _: client.run(CALM, cache=False), range(CALM_RUNS)))
            pause.wait(1.0)
            if _is_usual(next(client.farm())):
                break
        # Nothing announces "armed" outside the farm: look until two looks agree.
        before, now = look(place), None
        while time.monotonic() < deadline and (now is None or before.unlike(now)):
            before = now or before
            pause.wait(0.3)
            now = look(place)
        now = now or before
        if time.monotonic() >= deadline or wanted is None or not wanted.unlike(now):
            return now


def _is_usual(farm: dcodex.FarmSnapshot) -> bool:
    """Whether all workers wait for programs, as many for each language as calm traffic wants."""
    armed = Counter(worker.language for worker in farm.workers if worker.state is WorkerState.IDLE)
    usual = Counter({"python": farm.workers_desired - len(KEPT)} | dict.fromkeys(KEPT, 1))
    return armed == usual


def _run_all(
    client: dcodex.Client, jobs: Iterator[Job], width: int
) -> tuple[Counter[str], list[str]]:
    verdicts: Counter[str] = Counter()
    wrong: list[str] = []
    guard = threading.Lock()

    def work() -> None:
        while True:
            with guard:
                job = next(jobs, None)
            if job is None:
                return
            try:
                result = job.run(client)
            except dcodex.DCodeXError as error:
                with guard:
                    wrong.append(f"{job.name}: {error}")
                continue
            bad = result.verdict is Verdict.SYSTEM_ERROR or b"LEAK:" in result.stdout
            if job.verdicts and result.verdict not in job.verdicts:
                bad = True
            with guard:
                verdicts[result.verdict.name] += 1
                if bad:
                    wrong.append(f"{job.name}: {result.verdict.name} {result.stdout[:80]!r}")

    with ThreadPoolExecutor(width) as pool:
        for future in [pool.submit(work) for _ in range(width)]:
            future.result()
    return verdicts, wrong


def _seclude() -> None:
    """A mount namespace of this process's own: what others mount meanwhile is no leak.

    All in it is shared, as on a host: what should stay in a sandbox and does not gets here.
    """
    kernel.unshare(kernel.CLONE_NEWNS)
    for propagation in (kernel.MS_PRIVATE, _MS_SHARED):
        kernel.mount("", "/", "", kernel.MS_REC | propagation)


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    adopt_orphans()
    _seclude()
    jobs = mix()
    order = random.Random(options.seed)
    sequence = [order.choice(jobs) for _ in range(options.runs)]
    with tempfile.TemporaryDirectory(prefix="dcodex-soak-") as scratch:
        # All that the farm's processes put into temporary files is then theirs alone.
        folder, cache = f"{scratch}/tmp", f"{scratch}/cache"
        os.mkdir(folder)
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        start = look(Place(0, frozenset(), folder))
        with (
            Farm(
                *quiet_flags(options.workers),
                "--compile_cpu_limit=4s",
                "--compile_wall_limit=10s",
                "--compile_memory_limit=768MB",
                f"--compile_cache_dir={cache}",
            ) as farm,
            dcodex.connect(farm.target) as client,
        ):
            # Every program of the mix once: what a first use allocates is not a leak.
            _run_all(client, iter(jobs), options.workers)
            place = Place(farm.process.pid, host.control_groups(farm.process.pid), folder)
            before = _settled(place, client)
            begun = time.monotonic()
            verdicts, wrong = _run_all(client, iter(sequence), options.workers)
            took = time.monotonic() - begun
            after = _settled(place, client, before)
            log = farm.log_tail(20)
        end = _settled(Place(0, place.groups, folder), None, start)
    _print(options.runs, took, verdicts, (start, before, after, end))
    leaks = [f"after all runs, {text}" for text in before.unlike(after)]
    leaks += [f"after the farm, {text}" for text in start.unlike(end)]
    for name in sorted(after.resident):
        grown = after.resident[name] - before.resident.get(name, 0)
        if grown > CACHES.get(name, GROWTH_BYTES):
            leaks.append(f"memory: {name} grew by {grown / _MIB:.1f} MiB")
    for line in (*leaks, *wrong):
        print(line)
    if leaks or wrong:
        print(log)
    print("nothing leaked" if not leaks else f"{len(leaks)} leaks", f"{len(wrong)} wrong ends")
    return 1 if leaks or wrong else 0


def _print(runs: int, took: float, verdicts: Counter[str], looks: tuple[Look, ...]) -> None:
    print(
        f"{runs} runs in {took:.1f} s: "
        + ", ".join(f"{n} {v}" for v, n in sorted(verdicts.items()))
    )
    print(f"{'':22}{'no farm':>10}{'before':>10}{'after':>10}{'stopped':>10}")
    tables = [taken.rows() for taken in looks]
    for name in tables[0]:
        print(f"{name:22}" + "".join(f"{table[name]:>10}" for table in tables))
    for name in sorted(looks[2].resident):
        cells = "".join(f"{taken.resident.get(name, 0) / _MIB:>10.1f}" for taken in looks[:3])
        print(f"{f'  {name} MiB':22}{cells}")


if __name__ == "__main__":
    sys.exit(main())
