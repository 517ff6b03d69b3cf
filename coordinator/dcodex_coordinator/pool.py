"""Every worker's state: the table of moves, the one function that moves, the indices by state.

The table is DESIGN.md's. A move that is not in it raises IllegalMove with the worker's story
and changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

from dcodex_shared.errors import LocalProtocolError

if TYPE_CHECKING:
    from dcodex_coordinator.execution import Execution
    from dcodex_coordinator.hosts import Host
    from dcodex_coordinator.outbox import Peer

#: Moves that a worker's story keeps: two whole executions and what led to the present.
STORY_MOVES = 8


class State(IntEnum):
    """Where a worker is. The values are those of farm.WorkerView."""

    IDLE = 1
    BUSY = 2
    RECYCLING = 3
    SHUTDOWN = 4


class Cause(IntEnum):
    """Why a worker moves."""

    LEASED = 1
    ENDED = 2
    #: It was told to arm for another language, while it had nothing to run.
    REARMED = 3
    READY = 4
    #: Scale-down or drain.
    RETIRED = 5
    #: Dead, silent, overdue or breaking the protocol.
    LOST = 6


#: The only moves. (new) to IDLE is add(); SHUTDOWN to (gone) is remove().
TRANSITIONS: dict[State, dict[Cause, State]] = {
    State.IDLE: {
        Cause.LEASED: State.BUSY,
        # Arming anew is a lease of no length: BUSY, and on to RECYCLING in the same breath.
        Cause.REARMED: State.BUSY,
        Cause.RETIRED: State.SHUTDOWN,
        Cause.LOST: State.SHUTDOWN,
    },
    State.BUSY: {
        Cause.ENDED: State.RECYCLING,
        Cause.REARMED: State.RECYCLING,
        Cause.RETIRED: State.SHUTDOWN,
        Cause.LOST: State.SHUTDOWN,
    },
    State.RECYCLING: {
        Cause.READY: State.IDLE,
        Cause.RETIRED: State.SHUTDOWN,
        Cause.LOST: State.SHUTDOWN,
    },
    State.SHUTDOWN: {},
}


class IllegalMove(LocalProtocolError):
    """A move that is not in the table; the message tells the worker's story."""


class Worker:
    """One worker process, from its first Ready until it is reaped."""

    __slots__ = (
        "execution",
        "executions",
        "host",
        "language",
        "leased_at",
        "overdue_at",
        "peer",
        "retiring",
        "since",
        "state",
        "stopped",
        "story",
        "worker_id",
    )

    def __init__(self, worker_id: str, host: Host, peer: Peer, language: str, now: float) -> None:
        self.worker_id = worker_id
        self.host = host
        #: Its connection. None once it said Goodbye or was lost.
        self.peer: Peer | None = peer
        #: Changed only by WorkerPool.move().
        self.state = State.IDLE
        #: What it is armed for (IDLE), runs (BUSY) or will be armed for (RECYCLING).
        self.language = language
        #: What it runs. Not None exactly when state is BUSY.
        self.execution: Execution | None = None
        #: When it entered its state. Changed only by WorkerPool.move().
        self.since = now
        #: When its last lease began; 0 when its time since then is accounted for.
        self.leased_at = 0.0
        #: When it must have moved on, else it is lost. Meaningless while IDLE.
        self.overdue_at = 0.0
        #: It is to leave as soon as it no longer runs anything.
        self.retiring = False
        #: Its host was told to stop it.
        self.stopped = False
        #: Leases it has ended.
        self.executions = 0
        #: Its last moves, oldest first.
        self.story: deque[tuple[float, State, State, Cause]] = deque(maxlen=STORY_MOVES)

    def __repr__(self) -> str:
        return f"<worker {self.worker_id} {self.state.name} {self.language}>"

    def told_story(self, now: float) -> tuple[str, ...]:
        """The last moves for people: "IDLE>BUSY leased 1.204s ago"."""
        return tuple(
            f"{old.name}>{new.name} {cause.name.lower()} {now - at:.3f}s ago"
            for at, old, new, cause in self.story
        )


class Shelf:
    """The idle workers of one language. Hosts take turns, and each gives the worker it armed last:
    what that arming touched is still in the processor's caches."""

    __slots__ = ("_hosts", "_size")

    def __init__(self) -> None:
        #: By host, the next to give one first; a host's workers in the order of their arming.
        #: No empty entries.
        self._hosts: OrderedDict[Host, dict[str, Worker]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __contains__(self, worker: Worker) -> bool:
        return worker.worker_id in self._hosts.get(worker.host, ())

    def __iter__(self) -> Iterator[Worker]:
        """A host's workers from the one that is idle for longest."""
        for workers in self._hosts.values():
            yield from workers.values()

    def next(self) -> Worker:
        """The one to lease; the shelf may not be empty."""
        return next(reversed(next(iter(self._hosts.values())).values()))

    def add(self, worker: Worker) -> None:
        """Put a worker on it."""
        self._hosts.setdefault(worker.host, {})[worker.worker_id] = worker
        self._size += 1

    def remove(self, worker: Worker) -> None:
        """Take a worker off, which ends its host's turn; nothing when it is not there."""
        workers = self._hosts.get(worker.host)
        if workers is None or workers.pop(worker.worker_id, None) is None:
            return
        self._size -= 1
        if workers:
            self._hosts.move_to_end(worker.host)
        else:
            del self._hosts[worker.host]


class WorkerPool:
    """The workers, and indices that make every question about them O(1)."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}
        #: Exactly the IDLE workers that are not retiring, by armed language. No empty entries.
        self.idle: dict[str, Shelf] = {}
        #: Exactly the RECYCLING workers by id, the one that has been so for longest first.
        self._recycling: dict[str, Worker] = {}
        #: How many workers are in each state.
        self.counts: dict[State, int] = dict.fromkeys(State, 0)

    def __len__(self) -> int:
        return len(self._workers)

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers.values())

    def get(self, worker_id: str) -> Worker | None:
        """The worker of this id, if it is known."""
        return self._workers.get(worker_id)

    def add(self, worker: Worker) -> None:
        """(new) to IDLE."""
        if worker.worker_id in self._workers:
            raise LocalProtocolError(f"a second worker {worker.worker_id}")
        self._workers[worker.worker_id] = worker
        self.counts[State.IDLE] += 1
        self._index(worker)

    def move(self, worker: Worker, cause: Cause, now: float) -> None:
        """The only writer of a worker's state."""
        old = worker.state
        new = TRANSITIONS[old].get(cause)
        if new is None:
            raise IllegalMove(
                f"{worker.worker_id}: no move from {old.name} when {cause.name}; "
                f"before: {'; '.join(worker.told_story(now))}"
            )
        if old is State.IDLE:
            self._unindex(worker)
        elif old is State.RECYCLING:
            del self._recycling[worker.worker_id]
        worker.state = new
        worker.since = now
        worker.story.append((now, old, new, cause))
        self.counts[old] -= 1
        self.counts[new] += 1
        if new is State.IDLE and not worker.retiring:
            self._index(worker)
        elif new is State.RECYCLING:
            self._recycling[worker.worker_id] = worker

    def remove(self, worker: Worker) -> None:
        """SHUTDOWN to (gone)."""
        if worker.state is not State.SHUTDOWN:
            raise IllegalMove(f"{worker.worker_id}: gone while {worker.state.name}")
        del self._workers[worker.worker_id]
        self.counts[State.SHUTDOWN] -= 1

    def arming(self, language: str, since: float) -> int:
        """How many workers arm for this language that began then or later."""
        count = 0
        for worker in reversed(self._recycling.values()):
            if worker.since < since:
                break
            count += worker.language == language and not worker.retiring
        return count

    def live(self) -> int:
        """Workers that are not SHUTDOWN."""
        return len(self._workers) - self.counts[State.SHUTDOWN]

    def check(self) -> None:
        """Assert what must always hold."""
        for state in State:
            assert self.counts[state] == sum(worker.state is state for worker in self)
        for worker in self:
            running = worker.execution is not None
            assert running == (worker.state is State.BUSY), worker
            indexed = worker in self.idle.get(worker.language, ())
            assert indexed == (worker.state is State.IDLE and not worker.retiring), worker
            assert worker.peer is not None or worker.state is State.SHUTDOWN, worker
            assert (worker.worker_id in self._recycling) == (worker.state is State.RECYCLING)
        assert all(self.idle.values())
        begun = [worker.since for worker in self._recycling.values()]
        assert begun == sorted(begun)
        assert sum(map(len, self.idle.values())) <= self.counts[State.IDLE]

    def _index(self, worker: Worker) -> None:
        shelf = self.idle.get(worker.language)
        if shelf is None:
            shelf = self.idle[worker.language] = Shelf()
        shelf.add(worker)

    def _unindex(self, worker: Worker) -> None:
        shelf = self.idle.get(worker.language)
        if shelf is None:
            return
        shelf.remove(worker)
        if not shelf:
            del self.idle[worker.language]
