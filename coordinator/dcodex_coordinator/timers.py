"""Deadlines by key: set, clear and expire in O(log n) amortized, one deadline a key."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

#: Below this many stale entries, tidying the heap costs more than it saves.
SLACK = 64


class Timers(Generic[K]):
    """A heap whose overtaken entries are skipped, and swept out before they outnumber the rest."""

    def __init__(self) -> None:
        #: The one deadline of each key, with the number of its heap entry.
        self._due: dict[K, tuple[float, int]] = {}
        #: Every key in _due has exactly one entry that equals its value; the rest are stale.
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._due)

    def entries(self) -> int:
        """Heap entries, stale ones included."""
        return len(self._heap)

    def set(self, key: K, due: float) -> None:
        """Set or move the deadline of a key."""
        self._count += 1
        self._due[key] = (due, self._count)
        heapq.heappush(self._heap, (due, self._count, key))
        if len(self._heap) > 2 * len(self._due) + SLACK:
            self._heap = [(at, number, key) for key, (at, number) in self._due.items()]
            heapq.heapify(self._heap)

    def clear(self, key: K) -> None:
        """Forget the key's deadline, if it has one."""
        self._due.pop(key, None)

    def next_deadline(self) -> float | None:
        """The earliest deadline."""
        while self._heap:
            due, number, key = self._heap[0]
            if self._due.get(key) == (due, number):
                return due
            heapq.heappop(self._heap)
        return None

    def expire(self, now: float) -> list[K]:
        """The keys whose deadline is not after `now`, earliest first; they are forgotten."""
        expired = []
        while (due := self.next_deadline()) is not None and due <= now:
            key = heapq.heappop(self._heap)[2]
            del self._due[key]
            expired.append(key)
        return expired
