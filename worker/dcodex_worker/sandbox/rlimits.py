"""The kernel's limits on each process: a second lock beside the cgroup's on the whole tree."""

from __future__ import annotations

import math
import resource
import struct

from dcodex_worker.sandbox import core_dumps
from dcodex_worker.sandbox.errand import Errand, Number

#: As a login shell has it; a program may raise it for itself up to STACK_HARD_BYTES.
STACK_BYTES = 8 << 20
STACK_HARD_BYTES = 1 << 30
#: POSIX message queues and locked memory: the usual defaults, in bytes.
MESSAGE_QUEUE_BYTES = 819_200
LOCKED_BYTES = 8 << 20
#: Signals that may wait in queues of this user.
PENDING_SIGNALS = 4096
#: The CPU limit is the worker's to enforce; the kernel's own comes this much later, in seconds.
CPU_MARGIN_S = 1

#: struct rlimit.
_LIMIT = struct.Struct("=2q")


def plan(errand: Errand) -> None:
    """The limits that are the same for every program, at arming."""
    for which, soft, hard in (
        (resource.RLIMIT_CORE, core_dumps.LIMIT_BYTES, core_dumps.LIMIT_BYTES),
        (resource.RLIMIT_STACK, STACK_BYTES, STACK_HARD_BYTES),
        (resource.RLIMIT_MSGQUEUE, MESSAGE_QUEUE_BYTES, MESSAGE_QUEUE_BYTES),
        (resource.RLIMIT_MEMLOCK, LOCKED_BYTES, LOCKED_BYTES),
        (resource.RLIMIT_SIGPENDING, PENDING_SIGNALS, PENDING_SIGNALS),
        (resource.RLIMIT_NICE, 0, 0),
        (resource.RLIMIT_RTPRIO, 0, 0),
    ):
        limits = _LIMIT.pack(*_lowered(which, soft, hard))
        errand.call(Number.PRLIMIT64, 0, which, limits, 0)


#: Which, and struct rlimit.
Limit = tuple[int, bytes]


def of_request(cpu_s: float, file_size_bytes: int, open_files: int) -> tuple[Limit, ...]:
    """The limits of one request, when its program is known; all only ever lowered."""
    cpu = math.ceil(cpu_s) + CPU_MARGIN_S
    return tuple(
        (which, _LIMIT.pack(*_lowered(which, value, value)))
        for which, value in (
            (resource.RLIMIT_CPU, cpu),
            (resource.RLIMIT_FSIZE, file_size_bytes),
            (resource.RLIMIT_NOFILE, open_files),
        )
    )


def tighten(cpu_s: float, file_size_bytes: int, open_files: int) -> None:
    """Set those; raises OSError."""
    for which, value in of_request(cpu_s, file_size_bytes, open_files):
        resource.setrlimit(which, _LIMIT.unpack(value))


def _lowered(which: int, soft: int, hard: int) -> tuple[int, int]:
    """The limit, or the host's own where it is lower: root may not raise it everywhere."""
    _, most = resource.getrlimit(which)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    return soft, hard
