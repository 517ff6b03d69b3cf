"""A network that fails: connections with delay, loss, duplication, reordering, stalls and cuts.

A message is bytes on the way, as between real processes: what one side does to its objects the
other never sees.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from dcodex_coordinator.outbox import Side
from dcodex_shared.messages import Message
from dcodex_shared.wire import decode, encode

Event = Callable[[], None]


class Clock:
    """Simulated time: events in order, ties in order of their making."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._events: list[tuple[float, int, Event]] = []
        self._count = 0

    def at(self, when: float, event: Event) -> None:
        """Have something happen."""
        self._count += 1
        heapq.heappush(self._events, (max(when, self.now), self._count, event))

    def after(self, delay_s: float, event: Event) -> None:
        """Have something happen later."""
        self.at(self.now + delay_s, event)

    def step(self) -> bool:
        """Let the next thing happen; False: there is none."""
        if not self._events:
            return False
        self.now, _, event = heapq.heappop(self._events)
        event()
        return True


@dataclass(slots=True)
class Faults:
    """How bad the network is; probabilities for each message."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0


class Connection:
    """Between one peer and the coordinator it first reached. ZeroMQ would not lose messages."""

    def __init__(
        self,
        clock: Clock,
        random: Random,
        faults: Faults,
        side: Side,
        routing_id: bytes,
        to_coordinator: Callable[[Connection, Message, bytes], None],
        to_peer: Callable[[Message, bytes], None],
        broken: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._random = random
        self._faults = faults
        self.side = side
        self.routing_id = routing_id
        self._to_coordinator = to_coordinator
        self._to_peer = to_peer
        self._broken = broken
        self.open = True
        #: Nothing arrives before this time.
        self._stalled_until = 0.0
        #: When the last message of each direction arrives: the next one not before.
        self._last = [0.0, 0.0]

    def send_up(self, message: Message, payload: bytes = b"") -> None:
        """From the peer."""
        self._carry(0, message, payload)

    def send_down(self, message: Message, payload: bytes) -> None:
        """From the coordinator."""
        self._carry(1, message, payload)

    def stall(self, seconds: float) -> None:
        """Hold everything back for a while."""
        self._stalled_until = self._clock.now + seconds

    def cut(self) -> None:
        """End it: what is on its way is lost; the peer hears of it, the coordinator does not."""
        if self.open:
            self.open = False
            self._clock.after(0.001, self._broken)

    def _carry(self, way: int, message: Message, payload: bytes) -> None:
        if not self.open or self._random.random() < self._faults.drop:
            return
        frames = encode(message, payload)
        copies = 2 if self._random.random() < self._faults.duplicate else 1
        for _ in range(copies):
            arrival = self._clock.now + 0.0001 + self._random.expovariate(2000.0)
            if self._random.random() < self._faults.reorder:
                arrival += self._random.random() * 0.05
            else:
                arrival = self._last[way] = max(arrival, self._last[way], self._stalled_until)
            self._clock.at(arrival, lambda: self._arrive(way, frames))

    def _arrive(self, way: int, frames: list[bytes]) -> None:
        if not self.open:
            return
        if self._clock.now < self._stalled_until:
            self._clock.at(self._stalled_until, lambda: self._arrive(way, frames))
            return
        message, payload = decode(frames)
        if way == 0:
            self._to_coordinator(self, message, payload)
        else:
            self._to_peer(message, payload)
