"""What the service says, as plain values: verdicts, results, events, languages, the farm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from dcodex.errors import ProgramFailed


class Verdict(IntEnum):
    """How a run ended; every value but OK says which rule or failure ended it."""

    UNSPECIFIED = 0
    OK = 1
    NONZERO_EXIT = 2
    SIGNALED = 3
    CPU_LIMIT = 4
    WALL_LIMIT = 5
    MEMORY_LIMIT = 6
    OUTPUT_LIMIT = 7
    PROCESS_LIMIT = 8
    COMPILE_ERROR = 9
    COMPILE_LIMIT = 10
    CANCELLED = 11
    SYSTEM_ERROR = 12

    def __str__(self) -> str:
        return self.name

    @classmethod
    def _missing_(cls, value: object) -> Verdict:
        # A service newer than this SDK may know more of them.
        return cls.UNSPECIFIED


#: Verdicts that mean "ran into a limit of the program".
LIMIT_VERDICTS = frozenset(
    {
        Verdict.CPU_LIMIT,
        Verdict.WALL_LIMIT,
        Verdict.MEMORY_LIMIT,
        Verdict.OUTPUT_LIMIT,
        Verdict.PROCESS_LIMIT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one run; None takes the farm's default.

    >>> Limits(cpu_s=0.5, memory_bytes=256 * 2**20)  # doctest: +ELLIPSIS
    Limits(cpu_s=0.5, wall_s=None, memory_bytes=268435456, ...)
    """

    #: User and system time of all processes together, in seconds.
    cpu_s: float | None = None
    #: From the program's start, in seconds.
    wall_s: float | None = None
    #: Memory of all processes together with files on tmpfs, in bytes.
    memory_bytes: int | None = None
    #: Processes and threads alive at one time.
    processes: int | None = None
    #: stdout and stderr together, in bytes; beyond it the program is killed.
    output_bytes: int | None = None
    #: The largest single file, in bytes.
    file_size_bytes: int | None = None
    #: Open descriptors in each process.
    open_files: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file's content with its Unix permission bits (0: the farm's default, 0644)."""

    content: str | bytes
    mode: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a run took."""

    #: Of all processes together; a compile is not counted in.
    cpu_user_s: float = 0.0
    cpu_system_s: float = 0.0
    #: From handing the program over to its end.
    wall_s: float = 0.0
    peak_memory_bytes: int = 0
    queue_wait_s: float = 0.0
    #: Wall time of the compile; 0 where nothing was compiled.
    compile_s: float = 0.0

    @property
    def cpu_s(self) -> float:
        """User and system time, in seconds."""
        return self.cpu_user_s + self.cpu_system_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of every execution: how it ended."""

    verdict: Verdict
    #: 0..255; 128+signal where a signal ended it; -1 where it never ran.
    exit_code: int
    #: The signal that ended it, or 0.
    signal: int = 0
    #: One line for a person.
    message: str = ""
    usage: Usage = Usage()
    #: Output beyond the limit was thrown away.
    output_truncated: bool = False
    #: This replays an earlier identical request's result.
    cache_hit: bool = False
    compile_cache_hit: bool = False
    worker_id: str = ""
    #: The sandbox was armed for this language beforehand.
    warm: bool = False

    @property
    def ok(self) -> bool:
        """Whether the program ended with exit code 0."""
        return self.verdict is Verdict.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Finished):
    """A whole run: how it ended and everything that it wrote."""

    execution_id: str = ""
    stdout: bytes = b""
    stderr: bytes = b""
    compiler_output: bytes = b""

    @property
    def text(self) -> str:
        """stdout as text; bytes that are not UTF-8 are replaced."""
        return self.stdout.decode(errors="replace")

    @property
    def error_text(self) -> str:
        """stderr as text; bytes that are not UTF-8 are replaced."""
        return self.stderr.decode(errors="replace")

    @property
    def compiler_text(self) -> str:
        """What the compiler said, as text."""
        return self.compiler_output.decode(errors="replace")

    def check(self) -> Result:
        """This result if the verdict is OK; raises ProgramFailed otherwise."""
        if not self.ok:
            raise ProgramFailed(self)
        return self


@dataclass(frozen=True, slots=True)
class Accepted:
    """The first event: the service has taken the request."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits behind about this many others."""

    position: int


@dataclass(frozen=True, slots=True)
class Started:
    """A worker has it."""

    worker_id: str
    queue_wait_s: float
    warm: bool


@dataclass(frozen=True, slots=True)
class Stdout:
    """A piece of stdout, as written; a character may continue in the next piece."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Stderr:
    """A piece of stderr, as written; a character may continue in the next piece."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CompilerOutput:
    """A piece of what the compiler says."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a traced request passed a place; CLOCK_MONOTONIC seconds of the machine it is on."""

    where: str
    at_s: float


Event = Accepted | Queued | Started | Stdout | Stderr | CompilerOutput | Finished


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the farm runs now."""

    name: str
    aliases: tuple[str, ...]
    #: As the runtime says: "3.11.2", "12.2.0".
    version: str
    compiled: bool
    #: With the dot: ".py".
    extension: str
    #: What applies where a request says nothing.
    default_limits: Limits
    #: The most that a request may ask for.
    ceiling: Limits


class WorkerState(IntEnum):
    """The four states of a worker."""

    UNSPECIFIED = 0
    IDLE = 1
    BUSY = 2
    RECYCLING = 3
    SHUTDOWN = 4

    def __str__(self) -> str:
        return self.name

    @classmethod
    def _missing_(cls, value: object) -> WorkerState:
        return cls.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker of the farm."""

    id: str
    host: str
    state: WorkerState
    #: What it is armed for, or runs.
    language: str
    #: Empty unless it runs an execution of this caller.
    execution_id: str
    #: Seconds in this state.
    state_age_s: float
    executions: int


@dataclass(frozen=True, slots=True)
class Queue:
    """The requests of one language that wait."""

    language: str
    depth: int
    #: Seconds that its oldest request has waited.
    oldest_wait_s: float


@dataclass(frozen=True, slots=True)
class FarmSnapshot:
    """The farm at one moment."""

    workers: tuple[Worker, ...]
    queues: tuple[Queue, ...]
    #: What the balancer wants now.
    workers_desired: int
    executions_total: int
    cache_hits_total: int
    cache_misses_total: int
    #: Request latency in the coordinator over the last minute, in seconds.
    latency_p50_s: float
    latency_p99_s: float
