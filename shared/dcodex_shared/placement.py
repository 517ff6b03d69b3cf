"""Which CPUs a process of ours keeps its own threads to.

Waking a thread on a CPU that sleeps takes an interrupt, 30 us and more in a virtual machine; one
that waits on the CPU of who wakes it is there in 2 us (`perf bench sched pipe`, free and kept to
one CPU). A request wakes some twenty threads on its way, one after the other (their switches in
/proc/PID/task/TID/schedstat), and the kernel prefers a CPU that sleeps for each. So on a small
machine the services share one CPU, and the programs have all of them. What copies a lot instead of
waking others leaves that CPU to them for as long.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence

#: `dcodex up` keeps its services to one CPU on machines with so many CPUs or fewer: there that
#: CPU's time is enough for all that the others' programs bring (measured with two), and one of
#: more would be the first to be full.
SHARE_ONE_UP_TO = 3
#: What a process on its own makes of AUTO: it does not know who else is there.
AUTO = "auto"
ANY = "any"

_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
#: The kernel's own most (CONFIG_NR_CPUS of x86-64).
_MOST_CPUS = 8192


def parse_cpus(text: str) -> str:
    """AUTO, ANY, or a list as the kernel writes them (0,2-3); ValueError for anything else."""
    text = text.strip().lower()
    if text not in (AUTO, ANY):
        numbers(text)
    return text


def numbers(cpus: str) -> frozenset[int]:
    """The CPUs in a list as the kernel writes them; ValueError where it is none."""
    found: set[int] = set()
    for part in cpus.split(","):
        match = _RANGE.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < _MOST_CPUS:
            raise ValueError(f"expected auto, any or a list of CPUs, as 0 or 0,2-3, got {cpus!r}")
        found.update(range(first, last + 1))
    return frozenset(found)


def for_one_machine(cpus: str, allowed: Sequence[int]) -> str:
    """What `dcodex up` tells its processes; allowed: the CPUs that they may run on, one or more."""
    if cpus != AUTO:
        return cpus
    # The last one: devices interrupt the first.
    return str(max(allowed)) if 1 < len(allowed) <= SHARE_ONE_UP_TO else ANY


def check(cpus: str) -> None:
    """Raise ValueError where keep_to() would have no CPU to keep to."""
    if cpus not in (AUTO, ANY) and not numbers(cpus) & os.sched_getaffinity(0):
        raise ValueError(f"none of the CPUs {cpus} may be used here")


def keep_to(cpus: str) -> None:
    """Keep this thread, and those that it starts, to these of the CPUs that it may use."""
    if cpus not in (AUTO, ANY):
        os.sched_setaffinity(0, numbers(cpus) & os.sched_getaffinity(0))


class Place:
    """Where a process's threads are: at home, with the other services, or away from them."""

    def __init__(self, cpus: str) -> None:
        """Before other threads are started; cpus: home, of the CPUs that this thread may use."""
        everywhere = os.sched_getaffinity(0)
        #: How many CPUs there are for programs.
        self.cpus = len(everywhere)
        keep_to(cpus)
        self._home = os.sched_getaffinity(0)
        self._others = everywhere - self._home
        self._is_home = True

    def leave(self) -> None:
        """Leave the services' CPU to the others, where there is another."""
        if self._is_home and self._others:
            self._is_home = False
            _move(self._others)

    def come_back(self) -> None:
        """Be at home again."""
        if not self._is_home:
            self._is_home = True
            _move(self._home)


def _move(cpus: set[int]) -> None:
    for thread in os.listdir("/proc/self/task"):
        # It may end in this moment.
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread), cpus)
