"""Requests that want the same answer: one runs, the others wait for what comes of it."""

from __future__ import annotations

from collections import OrderedDict

from dcodex_coordinator.execution import Execution

Key = tuple[object, ...]


class _Flight:
    __slots__ = ("followers", "leader")

    def __init__(self, leader: Execution) -> None:
        self.leader = leader
        #: By execution id, in order of arrival.
        self.followers: OrderedDict[str, Execution] = OrderedDict()


class Flights:
    """Who leads and who follows, by what they have in common."""

    def __init__(self) -> None:
        self._flights: dict[Key, _Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def leader(self, key: Key) -> Execution | None:
        """Who runs, or waits to run, for this key."""
        flight = self._flights.get(key)
        return None if flight is None else flight.leader

    def lead(self, key: Key, execution: Execution) -> None:
        """Start a flight: nobody flies for this key."""
        assert key not in self._flights
        self._flights[key] = _Flight(execution)

    def follow(self, key: Key, execution: Execution) -> None:
        """Join a flight."""
        self._flights[key].followers[execution.submit.execution_id] = execution

    def leave(self, key: Key, execution: Execution) -> None:
        """Stop following."""
        del self._flights[key].followers[execution.submit.execution_id]

    def land(self, key: Key) -> list[Execution]:
        """End a flight with an answer; returns those that wait for it."""
        return list(self._flights.pop(key).followers.values())

    def succeed(self, key: Key) -> Execution | None:
        """The leader ended without an answer: the first follower leads now; None if nobody is."""
        flight = self._flights[key]
        if not flight.followers:
            del self._flights[key]
            return None
        flight.leader = flight.followers.popitem(last=False)[1]
        return flight.leader

    def check(self) -> None:
        """Assert what must always hold."""
        for key, flight in self._flights.items():
            for member in (flight.leader, *flight.followers.values()):
                assert member.flight == key, member
