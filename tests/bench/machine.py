"""What this machine's processors and memory were used for, from /proc."""

from __future__ import annotations

import ctypes
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_libc = ctypes.CDLL(None)
_SYS_KCMP, _KCMP_VM = 312, 1
_TICK_HZ = os.sysconf("SC_CLK_TCK")
#: Places in the first line of /proc/stat: user nice system idle iowait irq softirq steal.
_BUSY_PLACES = (0, 1, 2, 5, 6)


@dataclass(frozen=True, slots=True)
class Reading:
    """The machine's processors at one moment."""

    at_s: float
    #: CPU seconds spent since boot, by everything, the kernel's own threads included.
    busy_s: float


def read_cpu() -> Reading:
    """Read it now."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:]]
    return Reading(time.monotonic(), sum(ticks[place] for place in _BUSY_PLACES) / _TICK_HZ)


def idle_share(seconds: float) -> float:
    """CPU seconds a second that the machine spends while the benchmark does nothing."""
    before = read_cpu()
    time.sleep(seconds)
    after = read_cpu()
    return (after.busy_s - before.busy_s) / (after.at_s - before.at_s)


def descendants(pid: int) -> set[int]:
    """The process and everything that it and they started and that still runs."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    family = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in family} - family
        if not more:
            return family
        family |= more


def pss_bytes(pids: Iterable[int]) -> int:
    """Their proportional set size together: memory shared by n processes counts 1/n in each.

    Processes that are one memory (CLONE_VM), which the kernel tells the size of for each, count
    once.
    """
    counted: dict[str, list[int]] = {}
    total = 0
    for pid in pids:
        try:
            where, *lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (OSError, ValueError):  # it ended meanwhile
            continue
        # Forks have the same addresses too.
        alike = counted.setdefault(where, [])
        if not any(_is_one_memory(pid, other) for other in alike):
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        alike.append(pid)
    return total * 1024


def _is_one_memory(pid: int, other: int) -> bool:
    """kcmp(2); False where this kernel does not say."""
    return bool(_libc.syscall(_SYS_KCMP, pid, other, _KCMP_VM, 0, 0) == 0)


def describe() -> dict[str, object]:
    """What a reader needs to know to compare with another machine."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": models[0] if models else platform.machine(),
        "kernel": platform.release(),
        "load_1m": os.getloadavg()[0],
    }
