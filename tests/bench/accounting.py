"""The CPU time of the benchmark and of everything it starts, sandboxes included.

A group of the cpuacct controller (cgroup v1) of its own: it counts in nanoseconds, and what
else runs on the machine is not in it, nor what the kernel does in threads of its own. Where
there is none, the machine's counters (machine.py) are all there is.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class OwnGroup:
    """A group for this process and what it starts from now on; leaves it at the end."""

    def __init__(self) -> None:
        self._home = _own_group()
        self._group: Path | None = None

    def read_s(self) -> float:
        """CPU seconds so far; NaN where nothing counts them."""
        if self._group is None:
            return float("nan")
        return int((self._group / "cpuacct.usage").read_text()) * 1e-9

    def __enter__(self) -> Self:
        if self._home is not None:
            group = self._home / f"dcodex-bench-{os.getpid()}"
            with contextlib.suppress(OSError):  # not ours to use: then nothing counts
                group.mkdir()
                (group / "cgroup.procs").write_text("0")
                self._group = group
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._group is not None and self._home is not None:
            (self._home / "cgroup.procs").write_text("0")
            with contextlib.suppress(OSError):  # a child that lingers keeps it
                self._group.rmdir()
            self._group = None


def _own_group() -> Path | None:
    """The cpuacct group that this process is in."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    where = [
        Path(fields[1])
        for fields in mounts
        if fields[2] == "cgroup" and "cpuacct" in fields[3].split(",")
    ]
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if "cpuacct" in names.split(",") and where:
            return where[0] / path.lstrip("/")
    return None
