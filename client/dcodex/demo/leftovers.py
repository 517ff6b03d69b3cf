"""What a farm could leave behind on its machine: its processes, and what is named after them."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")


def adopt_orphans() -> None:
    """Become the parent of whatever a dead descendant leaves, so that it can be found."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextlib.contextmanager
def adopting_orphans() -> Iterator[None]:
    """Adopt for as long as somebody looks; later orphans are init's again, which reaps them."""
    adopt_orphans()
    try:
        yield
    finally:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def processes() -> frozenset[int]:
    """Every process below this one, but for those that have ended and were adopted by it."""
    return frozenset(pid for pid, _ in _processes(os.getpid()))


def left_by(farm: frozenset[int]) -> list[str]:
    """What is left of a farm that was these processes: its own, and all below this process."""
    names = {f"{prefix}{pid}" for pid in farm for prefix in ("dcodex-", "dcodex-survey-")}
    ours = [f"process {pid} ({command})" for pid, command in _processes(os.getpid())]
    return [*ours, *_mounts(names), *_cgroups(names)]


def _processes(ancestor: int) -> list[tuple[int, str]]:
    children: dict[int, list[tuple[int, str]]] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            head, _, tail = (entry / "stat").read_text().rpartition(")")
        except OSError:
            continue  # it ended in this moment
        state, parent = tail.split()[:2]
        if state == "Z" and int(parent) == ancestor:
            # Ended, and adopted by us: a pid namespace only ends when all in it are reaped.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(entry.name), os.WNOHANG)
            continue
        children.setdefault(int(parent), []).append((int(entry.name), head.partition("(")[2]))
    found: list[tuple[int, str]] = []
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += [pid for pid, _ in below]
    return found


def _mounts(names: set[str]) -> list[str]:
    points = [line.split()[4] for line in (_PROC / "self/mountinfo").read_text().splitlines()]
    return [f"mount {point}" for point in points if names & set(point.split("/"))]


def _cgroups(names: set[str]) -> list[str]:
    return [
        f"cgroup {directory}/{child}"
        for directory, below, _ in os.walk("/sys/fs/cgroup")
        for child in below
        if child in names
    ]
