"""What a farm could leave behind on its machine: looked at before it starts and after it ends."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")


def adopt_orphans() -> None:
    """Become the parent of whatever a dead descendant leaves, so that it can be found."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def look(name: str) -> frozenset[str]:
    """Every process below this one, and every mount and control group whose path has `name`."""
    return frozenset((*_processes(os.getpid()), *_mounts(name), *_cgroups(name)))


def _processes(ancestor: int) -> list[str]:
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
            continue  # ended, and adopted by us: only its status is left
        children.setdefault(int(parent), []).append((int(entry.name), head.partition("(")[2]))
    found = []
    waiting = [ancestor]
    while waiting:
        for pid, command in children.get(waiting.pop(), ()):
            found.append(f"process {pid} ({command})")
            waiting.append(pid)
    return found


def _mounts(name: str) -> list[str]:
    lines = (_PROC / "self/mountinfo").read_text().splitlines()
    return [f"mount {line.split()[4]}" for line in lines if name in line.split()[4]]


def _cgroups(name: str) -> list[str]:
    found = []
    for directory, names, _ in os.walk("/sys/fs/cgroup"):
        found += [f"cgroup {directory}/{child}" for child in names if name in child]
    return found
