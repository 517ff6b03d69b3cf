"""The machines: what each can run, how full it is, which workers it was asked for."""

from __future__ import annotations

from dcodex_coordinator.outbox import Peer
from dcodex_coordinator.pool import Worker
from dcodex_shared.languages import LANGUAGES
from dcodex_shared.limits import MIB
from dcodex_shared.messages import HostState

#: The languages that can be asked for.
KNOWN = tuple(language.name for language in LANGUAGES)
#: Memory that a host keeps free: a new worker shares most pages with its template, but what it
#: will run does not.
MEMORY_RESERVE_BYTES = 256 * MIB
#: What one more worker is thought to take of a host's memory while it runs a usual program.
WORKER_MEMORY_BYTES = 64 * MIB
#: A host whose tasks wait this share of the time for memory gets no more workers.
HIGH_MEMORY_PRESSURE = 0.5
#: After a worker that died before it was ready: wait so long, doubling, before another.
START_BACKOFF_S = 0.5
MAX_START_BACKOFF_S = 30.0


class Starting:
    """A worker that a host was asked for and that has not said Ready yet."""

    __slots__ = ("due_at", "host", "language", "peer", "worker_id")

    def __init__(self, worker_id: str, host: Host, language: str, due_at: float) -> None:
        self.worker_id = worker_id
        self.host = host
        self.language = language
        #: When it is given up.
        self.due_at = due_at
        #: Its connection, from its Hello on.
        self.peer: Peer | None = None


class Host:
    """One machine, from its first HostState on."""

    __slots__ = (
        "backoff_s",
        "cpu_pressure",
        "draining",
        "languages",
        "load_average",
        "memory_available_bytes",
        "memory_pressure",
        "name",
        "peer",
        "retry_at",
        "slots",
        "starting",
        "workers",
    )

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.name = peer.name
        #: Canonical name to version.
        self.languages: dict[str, str] = {}
        self.slots = 0
        self.memory_available_bytes = 0
        #: Shares of time in which some task waited, 0..1; 0 where the kernel does not tell.
        self.cpu_pressure = 0.0
        self.memory_pressure = 0.0
        self.load_average = 0.0
        self.draining = False
        #: Its workers, SHUTDOWN ones included, by id: they hold a slot until they are gone.
        self.workers: dict[str, Worker] = {}
        self.starting: dict[str, Starting] = {}
        #: No worker is started before this time.
        self.retry_at = 0.0
        #: The next wait after a failed start; doubles.
        self.backoff_s = START_BACKOFF_S

    def update(self, state: HostState) -> None:
        """Take its word on itself."""
        # Others nobody can ask for; as metric labels they would be without bound.
        self.languages = {name: version for name, version in state.languages if name in KNOWN}
        self.slots = state.slots
        self.memory_available_bytes = state.memory_available_bytes
        self.cpu_pressure = min(1.0, max(0.0, state.cpu_pressure))
        self.memory_pressure = min(1.0, max(0.0, state.memory_pressure))
        self.load_average = state.load_average
        self.draining = state.draining

    def room(self) -> int:
        """How many more workers it can hold now."""
        if self.draining or self.memory_pressure >= HIGH_MEMORY_PRESSURE:
            return 0
        slots = self.slots - len(self.workers) - len(self.starting)
        spare_bytes = self.memory_available_bytes - MEMORY_RESERVE_BYTES
        # Those still starting are not in its memory figure yet.
        fitting = spare_bytes // WORKER_MEMORY_BYTES - len(self.starting)
        return max(0, min(slots, fitting))

    def start_failed(self, now: float) -> None:
        """A worker died before it was ready."""
        self.retry_at = now + self.backoff_s
        self.backoff_s = min(2 * self.backoff_s, MAX_START_BACKOFF_S)

    def start_succeeded(self) -> None:
        """A worker became ready."""
        self.backoff_s = START_BACKOFF_S
        self.retry_at = 0.0
