"""Results that can be told again: recorded while a program runs, kept within bounds.

The keeping is cachetools': least recently used and past its time goes first. Time is the
machine's, so that a simulation replays exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from cachetools import TTLCache

from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.limits import MIB
from dcodex_shared.messages import Finished, Payload
from dcodex_shared.program import pack_records, unpack_records

#: A result beyond this is not worth its room: it would push out dozens of the usual ones.
MAX_RESULT_BYTES = 1 * MIB
#: What all running recordings may hold together; beyond it new output is not recorded.
MAX_RECORDING_BYTES = 64 * MIB
#: An entry's own cost: its key, its objects, its place in the cache's tables.
ENTRY_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Result:
    """How an execution ended and what it wrote, in order."""

    finished: Finished
    #: (Stream, bytes) in the order in which the worker sent them.
    records: tuple[tuple[int, bytes], ...]
    size_bytes: int
    #: Digest of the program, where a caller's own id must not mean two programs.
    digest: bytes

    def payload(self) -> bytes:
        """All records as the payload of one Finished."""
        return pack_records(self.records)


class Recording:
    """The output of one running execution, as long as it stays worth keeping."""

    __slots__ = ("budget", "records", "size_bytes", "whole")

    def __init__(self, budget: RecordingBudget) -> None:
        self.budget = budget
        self.records: list[tuple[int, bytes]] = []
        #: Bytes in records; counted in the budget as well.
        self.size_bytes = 0
        #: False: something was left out, so there will be no result.
        self.whole = True

    def add(self, stream: int, data: Payload) -> None:
        """Record a piece of output."""
        if not self.whole:
            return
        size = len(data) + 64
        if self.size_bytes + size > MAX_RESULT_BYTES or not self.budget.take(size):
            self.drop()
            return
        self.size_bytes += size
        self.records.append((stream, bytes(data)))

    def drop(self) -> None:
        """Give the memory back; there will be no result."""
        self.budget.held_bytes -= self.size_bytes
        self.size_bytes = 0
        self.records = []
        self.whole = False

    def finish(self, finished: Finished, payload: Payload, digest: bytes) -> Result | None:
        """The result, if everything is there; the recording is over either way."""
        result = None
        if self.whole and self.size_bytes + len(payload) <= MAX_RESULT_BYTES:
            try:
                records = (*self.records, *unpack_records(payload))
            except RemoteProtocolError:
                # The gateway will find it unreadable too, and say so to its caller.
                records = None
            if records is not None:
                size = sum(len(data) for _, data in records)
                result = Result(finished, records, size, digest)
        self.drop()
        return result


class RecordingBudget:
    """What all recordings hold together."""

    __slots__ = ("held_bytes",)

    def __init__(self) -> None:
        #: Never above MAX_RECORDING_BYTES.
        self.held_bytes = 0

    def take(self, size: int) -> bool:
        """Count more in, if there is room."""
        if self.held_bytes + size > MAX_RECORDING_BYTES:
            return False
        self.held_bytes += size
        return True


class ResultStore:
    """Results by key, within a number of entries, a number of bytes and a time."""

    def __init__(
        self, entries: int, size_bytes: int, ttl_s: float, clock: Callable[[], float]
    ) -> None:
        # Each entry weighs at least its share of the room, so that bytes bound the number too.
        self._least = max(1, size_bytes // entries) if entries else 1
        self._cache: TTLCache[Hashable, Result] | None = (
            TTLCache(size_bytes, ttl_s, timer=clock, getsizeof=self._weigh)
            if entries and size_bytes and ttl_s
            else None
        )

    def __len__(self) -> int:
        return 0 if self._cache is None else len(self._cache)

    @property
    def size_bytes(self) -> int:
        """Bytes held."""
        return 0 if self._cache is None else int(self._cache.currsize)

    @property
    def is_on(self) -> bool:
        """Whether anything can be kept at all."""
        return self._cache is not None

    def get(self, key: Hashable) -> Result | None:
        """The result of this key, if it is still good."""
        return None if self._cache is None else self._cache.get(key)

    def put(self, key: Hashable, result: Result) -> None:
        """Keep a result, if it fits at all."""
        if self._cache is not None and self._weigh(result) <= self._cache.maxsize:
            self._cache[key] = result

    def _weigh(self, result: Result) -> int:
        return max(self._least, result.size_bytes + ENTRY_BYTES)
