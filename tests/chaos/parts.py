"""Which processes a farm consists of, by what each of them does; read from /proc."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_PROC = Path("/proc")


class Role(Enum):
    """What a process of a farm does."""

    COORDINATOR = "coordinator"
    GATEWAY = "gateway"
    HOST = "host"
    NURSERY = "nursery"
    WORKER = "worker"
    TEMPLATE = "template"
    #: The parent of one sandbox, forked from a template.
    KEEPER = "keeper"


_MODULES = {
    b"dcodex_coordinator": Role.COORDINATOR,
    b"dcodex_gateway": Role.GATEWAY,
    b"dcodex_worker": Role.HOST,
}


@dataclass(frozen=True, slots=True)
class Process:
    """One process; the start time tells it from a later one of the same pid."""

    pid: int
    name: str
    parent: int
    #: In clock ticks since the machine's start.
    started: int
    is_zombie: bool


def table() -> dict[int, Process]:
    """All processes by pid."""
    found = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            head, _, tail = (entry / "stat").read_text().rpartition(")")
        except OSError:
            continue  # it ended in this moment
        words = tail.split()
        pid = int(entry.name)
        name = head.partition("(")[2]
        found[pid] = Process(pid, name, int(words[1]), int(words[19]), words[0] == "Z")
    return found


def parts_of(up: int) -> dict[Role, list[Process]]:
    """The living processes of the farm whose `dcodex up` has this pid, oldest first."""
    below: dict[int, list[Process]] = defaultdict(list)
    for process in table().values():
        if not process.is_zombie:
            below[process.parent].append(process)
    found: dict[Role, list[Process]] = {role: [] for role in Role}
    for part in below[up]:
        role = _role(part)
        if role is not None:
            found[role].append(part)
    for host in found[Role.HOST]:
        for child in below[host.pid]:
            # Before it has named itself, a fork has its host's name.
            if child.name == "dcodex-nursery":
                found[Role.NURSERY].append(child)
                found[Role.WORKER] += [p for p in below[child.pid] if p.name == "dcodex-worker"]
            elif not child.name.startswith("dcodex"):
                found[Role.TEMPLATE].append(child)
                found[Role.KEEPER] += below[child.pid]
    for processes in found.values():
        processes.sort(key=lambda process: (process.started, process.pid))
    return found


def send(process: Process, number: signal.Signals) -> bool:
    """Signal this process and no later one of its pid; False where it has gone."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(process.pid)
        try:
            now = table().get(process.pid)
            if now is not None and now.started == process.started:
                signal.pidfd_send_signal(descriptor, number)
                return True
        finally:
            os.close(descriptor)
    return False


def rss_bytes(pid: int) -> int:
    """Memory of a process that is in RAM and its own, in bytes."""
    total = 0
    for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            total += int(line.split()[1]) * 1024
    return total


def _role(part: Process) -> Role | None:
    try:
        words = (_PROC / str(part.pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    return next((role for module, role in _MODULES.items() if module in words), None)
