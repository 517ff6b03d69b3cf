"""How a stage ended, told from what was seen outside it: wait status, counters, and what we did.

Precedence, first match wins. What we did stands above what the program's status says, because
a kill of ours and the program's own end may cross; so the same program gets the same verdict
whichever came first:

    CANCELLED      the caller or a drain wanted no more of it
    OUTPUT_LIMIT   more came out than the limit allows, even if it had ended by then
    MEMORY_LIMIT   the cgroup's OOM killer struck, whichever process it hit
    CPU_LIMIT      the whole tree used more than the limit, even if it had ended by then
    WALL_LIMIT     we stopped it; a program that ended before we looked is in time
    SYSTEM_ERROR   no status: the sandbox was lost
    PROCESS_LIMIT  it failed, and the limit had refused it a process
    SIGNALED, NONZERO_EXIT, OK   as its status says

A stage that compiles has COMPILE_LIMIT for every limit and COMPILE_ERROR for every failure.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from enum import Enum

from dcodex_shared.limits import GIB, KIB, MIB, Limits
from dcodex_shared.messages import Verdict

#: What a program that a limit of ours stopped counts as: killed, whatever its status was.
KILLED_CODE = 128 + signal.SIGKILL
#: The exit code of what never ran.
NEVER_RAN = -1


class Cause(Enum):
    """Why we stopped a program ourselves."""

    CANCELLED = "cancelled"
    OUTPUT = "output"
    CPU = "cpu"
    WALL = "wall"
    #: A peer broke the flow control of stdin: going on would corrupt what the program reads.
    OVERRUN = "overrun"


@dataclass(frozen=True, slots=True)
class Ending:
    """Everything that was seen of a stage's end."""

    #: Raw wait status of the first process; None: it was lost with its sandbox.
    status: int | None
    #: Why we killed it; None: we did not.
    cause: Cause | None
    #: For CANCELLED: who wanted it so.
    reason: str
    #: User and system time of the whole tree, in seconds.
    cpu_s: float
    oom_killed: bool
    processes_refused: bool
    output_truncated: bool
    compiling: bool
    #: The stage's own.
    limits: Limits


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the caller is told."""

    verdict: Verdict
    #: 0..255; 128+signal where a signal ended it; NEVER_RAN.
    exit_code: int
    signal: int
    #: One line for a person.
    message: str


def judge(ending: Ending) -> Outcome | None:
    """The outcome of a stage; None: it compiled, and the run can begin."""
    if ending.cause is Cause.CANCELLED:
        code = NEVER_RAN if ending.compiling else KILLED_CODE
        number = 0 if ending.compiling else int(signal.SIGKILL)
        return Outcome(Verdict.CANCELLED, code, number, ending.reason or "cancelled")
    limit = _limit(ending)
    if limit is not None:
        verdict, text = limit
        if ending.compiling:
            return Outcome(Verdict.COMPILE_LIMIT, NEVER_RAN, 0, f"the compiler: {text}")
        return Outcome(verdict, KILLED_CODE, int(signal.SIGKILL), text)
    if ending.cause is Cause.OVERRUN:
        return system_error("stdin came faster than its window allows")
    if ending.status is None:
        return system_error("the sandbox was lost")
    code, number = decode_status(ending.status)
    if ending.compiling:
        return _compiled(ending, code, number)
    return _ran(ending, code, number)


def system_error(message: str) -> Outcome:
    """The outcome of our own failure."""
    return Outcome(Verdict.SYSTEM_ERROR, NEVER_RAN, 0, message)


def decode_status(status: int) -> tuple[int, int]:
    """Exit code (128+signal where one ended it) and signal (or 0) of a raw wait status."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return 128 + number, number
    return os.WEXITSTATUS(status), 0


def _limit(ending: Ending) -> tuple[Verdict, str] | None:
    limits = ending.limits
    if ending.cause is Cause.OUTPUT or ending.output_truncated:
        return (
            Verdict.OUTPUT_LIMIT,
            f"output limit of {_bytes(limits.output_bytes)} exceeded",
        )
    if ending.oom_killed:
        return (
            Verdict.MEMORY_LIMIT,
            f"memory limit of {_bytes(limits.memory_bytes)} exceeded",
        )
    if ending.cause is Cause.CPU or ending.cpu_s > limits.cpu_s:
        return Verdict.CPU_LIMIT, f"CPU time limit of {limits.cpu_s:g} s exceeded"
    if ending.cause is Cause.WALL:
        return Verdict.WALL_LIMIT, f"wall time limit of {limits.wall_s:g} s exceeded"
    return None


def _compiled(ending: Ending, code: int, number: int) -> Outcome | None:
    if code == 0:
        return None
    if ending.processes_refused:
        text = f"the compiler: process limit of {ending.limits.processes} reached"
        return Outcome(Verdict.COMPILE_LIMIT, NEVER_RAN, 0, text)
    if number:
        text = f"the compiler was ended by signal {_signal(number)}"
        return Outcome(Verdict.COMPILE_ERROR, NEVER_RAN, 0, text)
    return Outcome(Verdict.COMPILE_ERROR, NEVER_RAN, 0, f"the compiler ended with exit code {code}")


def _ran(ending: Ending, code: int, number: int) -> Outcome:
    if code == 0:
        return Outcome(Verdict.OK, 0, 0, "")
    if ending.processes_refused:
        text = f"process limit of {ending.limits.processes} reached"
        return Outcome(Verdict.PROCESS_LIMIT, code, number, text)
    if number:
        return Outcome(Verdict.SIGNALED, code, number, f"ended by signal {_signal(number)}")
    return Outcome(Verdict.NONZERO_EXIT, code, 0, f"exit code {code}")


def _signal(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)


def _bytes(count: int) -> str:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if count >= unit:
            return f"{count / unit:.4g} {name}"
    return f"{count} bytes"
