"""How the machine fares: pressure (PSI), load and the memory that sandboxes may still take."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_AVG10 = re.compile(r"^some .*?avg10=([0-9.]+)", re.MULTILINE)
_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB", re.MULTILINE)

#: What PSI is where the kernel does not tell.
UNKNOWN = -1.0


@dataclass(frozen=True, slots=True)
class Pressure:
    """One look at the machine."""

    memory_available_bytes: int
    #: Shares 0..1 of the last 10 seconds, or UNKNOWN.
    cpu: float
    memory: float
    load_average: float


def parse_pressure(text: str) -> float:
    """The share 0..1 in which some task waited, from a file of /proc/pressure."""
    match = _AVG10.search(text)
    return UNKNOWN if match is None else min(float(match[1]) / 100.0, 1.0)


def parse_available(text: str) -> int:
    """Bytes from /proc/meminfo; 0 where it does not say."""
    match = _AVAILABLE.search(text)
    return 0 if match is None else int(match[1]) * 1024


def own_headroom(limit: str, used: str) -> int | None:
    """Bytes that a cgroup may still take, from its limit and usage files; None: no limit."""
    if not limit.strip().isdigit() or not used.strip().isdigit():
        return None
    return max(0, int(limit) - int(used))


def look(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> Pressure:
    """Read the machine's files now; what is missing is unknown, never an error."""
    available = parse_available(_read(proc / "meminfo"))
    # In a container the cgroup's limit may be far below what the machine has; v2, then v1.
    for directory, limit, used in (
        (cgroups, "memory.max", "memory.current"),
        (cgroups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        headroom = own_headroom(_read(directory / limit), _read(directory / used))
        if headroom is not None:
            available = min(available, headroom)
    return Pressure(
        memory_available_bytes=available,
        cpu=parse_pressure(_read(proc / "pressure/cpu")),
        memory=parse_pressure(_read(proc / "pressure/memory")),
        load_average=os.getloadavg()[0],
    )


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
