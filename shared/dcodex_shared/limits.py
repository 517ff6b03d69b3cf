"""The bounds on one run of a program, and the bounds on one request."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from dcodex_shared.errors import Reason, Rejected

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

#: The largest gRPC message taken in: sources of contests and notebooks stay far below it.
MAX_REQUEST_BYTES = 16 * MIB
#: Files in one request, and the shape of their paths (the kernel's NAME_MAX; PATH_MAX / 4).
MAX_FILES = 256
MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
#: argv and environment together stay below a quarter of the kernel's usual 2 MiB ARG_MAX.
MAX_ARGS = 1024
MAX_ENVIRONMENT = 256
MAX_ARGUMENT_BYTES = 512 * KIB
#: One argument, or one NAME=value: the kernel's MAX_ARG_STRLEN less the final NUL.
MAX_ONE_ARGUMENT_BYTES = 128 * KIB - 1
MAX_LABELS = 16
MAX_LABEL_BYTES = 63
MAX_EXECUTION_ID_BYTES = 64

#: What a worker may send of one execution's output before the gateway acknowledges any of it.
OUTPUT_WINDOW_BYTES = 1 * MIB
#: ... and once its caller has read as fast: what is on its way through four processes at a time.
WIDEST_WINDOW_BYTES = 4 * MIB
#: What a gateway may send of one execution's stdin before the program has read any of it.
STDIN_WINDOW_BYTES = 64 * KIB
#: The largest piece of stdin in one message.
MAX_CHUNK_BYTES = 64 * KIB
#: The largest piece of output in one message between processes: what a message costs beside its
#: copies is then little, and two of these fill a window.
MAX_OUTPUT_BYTES = 512 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use; all its processes together unless a field says otherwise."""

    #: User and system time, in seconds.
    cpu_s: float
    #: From the program's start, in seconds.
    wall_s: float
    #: Memory with files on tmpfs, in bytes; there is no swap.
    memory_bytes: int
    #: Processes and threads alive at one time.
    processes: int
    #: stdout and stderr together, in bytes.
    output_bytes: int
    #: The largest single file, in bytes.
    file_size_bytes: int
    #: Open descriptors in each process.
    open_files: int


#: What applies where neither the request nor the operator says anything (DESIGN.md, flags).
DEFAULT_LIMITS = Limits(
    cpu_s=1.0,
    wall_s=10.0,
    memory_bytes=4 * GIB,
    processes=128,
    output_bytes=64 * KIB,
    file_size_bytes=256 * MIB,
    open_files=256,
)
#: The most a request may ask for where the operator says nothing.
DEFAULT_CEILING = Limits(
    cpu_s=60.0,
    wall_s=300.0,
    memory_bytes=8 * GIB,
    processes=1024,
    output_bytes=1 * GIB,
    file_size_bytes=4 * GIB,
    open_files=4096,
)
#: A compile is a program of somebody else's too; template bombs end here.
COMPILE_LIMITS = Limits(
    cpu_s=20.0,
    wall_s=40.0,
    memory_bytes=2 * GIB,
    processes=64,
    output_bytes=64 * KIB,
    file_size_bytes=256 * MIB,
    open_files=256,
)
#: Below these a limit cannot be told from the cost of starting at all; smaller ones are refused.
#: An armed interpreter alone holds several MiB of memory.
MINIMUM_LIMITS = Limits(
    cpu_s=0.001,
    wall_s=0.001,
    memory_bytes=16 * MIB,
    processes=1,
    output_bytes=1,
    file_size_bytes=1,
    open_files=8,
)


def resolve(asked: dict[str, float], default: Limits, ceiling: Limits) -> Limits:
    """Merge what a request asks for over the defaults.

    asked: field name of Limits to value, only what the request set.
    Raises Rejected(INVALID_ARGUMENT) naming the field for a value that is not a positive
    finite number, is below MINIMUM_LIMITS, or is above the ceiling.
    """
    values: dict[str, float] = {}
    for field in fields(Limits):
        name = field.name
        value = asked.get(name)
        if value is None:
            values[name] = min(getattr(default, name), getattr(ceiling, name))
            continue
        least, most = getattr(MINIMUM_LIMITS, name), getattr(ceiling, name)
        if not math.isfinite(value) or value <= 0:
            raise Rejected(
                Reason.INVALID_ARGUMENT, f"limits.{name} must be a positive number, got {value}"
            )
        if value < least:
            raise Rejected(
                Reason.INVALID_ARGUMENT, f"limits.{name} must be at least {least}, got {value}"
            )
        if value > most:
            raise Rejected(
                Reason.INVALID_ARGUMENT,
                f"limits.{name} must be at most {most} on this farm, got {value}",
            )
        values[name] = value
    return Limits(
        cpu_s=float(values["cpu_s"]),
        wall_s=float(values["wall_s"]),
        memory_bytes=int(values["memory_bytes"]),
        processes=int(values["processes"]),
        output_bytes=int(values["output_bytes"]),
        file_size_bytes=int(values["file_size_bytes"]),
        open_files=int(values["open_files"]),
    )
