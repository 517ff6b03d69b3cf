"""Every message between gateway, coordinator, host and worker.

Theory of operation
-------------------
All sockets are ZeroMQ: the coordinator binds two ROUTERs (one for gateways, one for hosts and
workers), everyone else connects a DEALER. A peer's first message is Hello; the coordinator
answers Welcome, or Goodbye and drops the peer. Both sides then send Heartbeat whenever they
have sent nothing else for HEARTBEAT_S; a side that hears nothing for LOST_S takes the other
for dead. The coordinator knows a peer by the routing id that its own ROUTER made up, which
no peer can forge or choose.

One execution's way:

    gateway  Submit+program  ──▶ coordinator  Lease+program ──▶ worker
    gateway  ◀── Queued, Started, Output*, Finished  ◀── coordinator ◀── Output*, Finished  worker
    gateway  Stdin*, StdinClose, Signal, Cancel, Credit ──▶ coordinator ──▶ worker
    gateway  ◀── StdinCredit ◀── coordinator ◀── worker

After Finished (or Refused) nothing more is said about an execution. The worker is RECYCLING
from its Finished until its next Ready. A message about an execution that its receiver does
not know is late, not wrong: it is dropped in silence.

Flow control: a worker may have at most Submit.window_bytes of output unacknowledged; each
Credit gives back what the caller has taken. A gateway may have at most STDIN_WINDOW_BYTES of
stdin unacknowledged; each StdinCredit gives back what the program's pipe has taken.

Only values live here: wire.py turns them into frames. A message's payload is the second
frame, which the coordinator passes on without looking inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from dcodex_shared.limits import MAX_CHUNK_BYTES

#: A message's second frame. A view is of bytes that nobody changes.
Payload = bytes | memoryview

#: Moves when a field changes meaning; a field more at a message's end, with a default, is no
#: change: whoever does not know it passes it over.
PROTOCOL_VERSION = 1
#: Those that are spoken with, the others get Goodbye. Parts are upgraded one after the other, so
#: a release speaks with the one before it, and the one after it will speak with this one.
SPOKEN_VERSIONS = range(PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 2)

#: A peer that has sent nothing for this long says that it lives.
HEARTBEAT_S = 1.0
#: A peer that was silent this long is dead: several beats, so that a busy machine is not one.
LOST_S = 6.0


class Role(IntEnum):
    """Who says Hello."""

    GATEWAY = 1
    HOST = 2
    WORKER = 3


class Stream(IntEnum):
    """Which of the program's outputs a chunk belongs to."""

    COMPILER = 0
    STDOUT = 1
    STDERR = 2


class Priority(IntEnum):
    """The class of a request inside its tenant; lower is served first."""

    INTERACTIVE = 0
    BATCH = 1


class Verdict(IntEnum):
    """How an execution ended. The values are those of dcodex.v1.Verdict."""

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


# --- a connection's life ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """First message of every peer."""

    role: int
    #: For people: "host-a" (host, gateway), "host-a/3" (worker).
    name: str
    version: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class Welcome:
    """The coordinator's answer to Hello. Another boot_id than before: a new coordinator."""

    boot_id: str
    version: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The sender is going, or will not talk to the receiver; `reason` is for the log."""

    reason: str
    #: The sender has answered all that it ever got: what has no answer did not reach it.
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing but a sign of life."""


# --- gateway to coordinator ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submit:
    """Run the program in the payload (program.py)."""

    #: Made by the gateway (uuid4 hex); unique for ever.
    execution_id: str
    tenant: str
    #: Canonical name.
    language: str
    priority: int
    #: Seconds until the caller no longer wants an answer; 0: no deadline.
    deadline_s: float
    #: False: send output with Finished, in its payload, as far as it is not too much (Run).
    streaming: bool
    #: Output that may be under way unacknowledged, in bytes.
    window_bytes: int
    #: The wall limit of the program, in seconds: the most that the lease can cost.
    wall_limit_s: float
    #: Digest of everything that can change the outcome but tenant and runtime; empty: no caching.
    cache_key: bytes
    #: The caller's own execution id, for idempotency; empty: none.
    client_key: str
    #: Ask every process on the way for its stamps.
    trace: bool
    #: The tenant's share against other tenants of the same language, by its token; 1 is usual.
    tenant_weight: float = 1.0
    #: The largest Output that the gateway takes, in bytes. More than MAX_CHUNK_BYTES also says
    #: that it takes some where `streaming` is False: more than a Finished should carry.
    piece_bytes: int = MAX_CHUNK_BYTES
    #: How wide Credit may make the window, in bytes: by giving back more than was sent. 0, or less
    #: than it is anyway: no wider.
    widest_window_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Credit:
    """The caller has taken this many bytes of output, or may have more. Passed on to the worker."""

    execution_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Stdin:
    """More stdin: the payload. Passed on to the worker."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class StdinClose:
    """EOF on stdin. Passed on to the worker."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class Signal:
    """Deliver a signal to the program's first process. Passed on to the worker."""

    execution_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """The caller is gone or gave up. The coordinator answers Finished(CANCELLED) or nothing.

    From coordinator to worker: kill the program, then send Finished as ever.
    """

    execution_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class WatchFarm:
    """From now on (or no longer) send FarmState after every change."""

    on: bool


# --- coordinator to gateway ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits."""

    execution_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Started:
    """The request was leased to a worker. Sent for streaming executions only."""

    execution_id: str
    worker_id: str
    queue_wait_s: float
    warm: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The request will not run. `reason` is an errors.Reason.

    UNAVAILABLE with a retry_after_s above 0: it was not started, and may be sent again.
    """

    execution_id: str
    reason: int
    message: str
    retry_after_s: float


@dataclass(frozen=True, slots=True)
class LanguageList:
    """What the hosts can run now; sent after Welcome and after every change."""

    #: (canonical name, version) pairs, sorted.
    languages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FarmState:
    """A snapshot for Farm and GetSystemMetrics; the payload is farm.py's packed snapshot."""


# --- coordinator to worker -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lease:
    """Run the program in the payload. Only ever sent to an IDLE worker."""

    execution_id: str
    language: str
    streaming: bool
    window_bytes: int
    trace: bool
    #: As in Submit, and no more than the coordinator passes on.
    piece_bytes: int = MAX_CHUNK_BYTES
    #: As in Submit.
    widest_window_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Arm:
    """Throw the armed sandbox away and arm for this language. Only sent to an IDLE worker,

    which is RECYCLING from then on until its Ready.
    """

    language: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Finish what runs within grace_s, then end. Also tells a host to drain."""

    grace_s: float


# --- worker to coordinator -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """A fresh sandbox is armed for `language`: the worker is IDLE."""

    language: str
    #: What arming took, in seconds.
    arming_s: float


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of output (payload), passed on to the gateway. `stream` is a Stream."""

    execution_id: str
    stream: int


@dataclass(frozen=True, slots=True)
class StdinCredit:
    """The program's stdin has taken this many bytes. Passed on to the gateway."""

    execution_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an execution. The payload holds output not sent before (program.pack_records).

    The worker leaves the last four fields at their defaults; the coordinator fills them in.
    """

    execution_id: str
    verdict: int
    exit_code: int
    signal: int
    message: str
    cpu_user_s: float
    cpu_system_s: float
    wall_s: float
    peak_memory_bytes: int
    compile_s: float
    output_truncated: bool
    compile_cache_hit: bool
    #: (where, CLOCK_MONOTONIC seconds) pairs in order; empty unless traced.
    stamps: tuple[tuple[str, float], ...] = ()
    cache_hit: bool = False
    queue_wait_s: float = 0.0
    worker_id: str = ""
    warm: bool = False


# --- host and coordinator --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HostState:
    """What a host can do and how it fares; after its Hello and every second."""

    #: (canonical name, version) pairs it can arm.
    languages: tuple[tuple[str, str], ...]
    #: The most workers it will hold.
    slots: int
    memory_available_bytes: int
    #: Share of the last interval in which some task waited for CPU or memory (PSI some avg10,
    #: 0..1); -1 where the kernel does not tell.
    cpu_pressure: float
    memory_pressure: float
    #: One-minute load average of the machine.
    load_average: float
    #: It will take no more workers.
    draining: bool


@dataclass(frozen=True, slots=True)
class StartWorker:
    """Coordinator to host: start a worker process of this name, armed for `language`."""

    worker_id: str
    language: str


@dataclass(frozen=True, slots=True)
class StopWorker:
    """Coordinator to host: end this worker process now (it is lost, or did not retire in time)."""

    worker_id: str


@dataclass(frozen=True, slots=True)
class WorkerExited:
    """Host to coordinator: the worker process is gone and its sandbox with it."""

    worker_id: str
    reason: str


Message = (
    Hello
    | Welcome
    | Goodbye
    | Heartbeat
    | Submit
    | Credit
    | Stdin
    | StdinClose
    | Signal
    | Cancel
    | WatchFarm
    | Queued
    | Started
    | Refused
    | LanguageList
    | FarmState
    | Lease
    | Arm
    | Retire
    | Ready
    | Output
    | StdinCredit
    | Finished
    | HostState
    | StartWorker
    | StopWorker
    | WorkerExited
)
