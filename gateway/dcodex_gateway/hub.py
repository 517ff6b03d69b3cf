"""Who awaits what from the coordinator: executions by id, the languages, the farm's snapshot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from dcodex_gateway.complaints import Complaints
from dcodex_gateway.farm_feed import FarmFeed
from dcodex_gateway.figures import Figures
from dcodex_gateway.link import Link
from dcodex_gateway.translate import Order
from dcodex_shared.errors import Reason, Rejected, RemoteProtocolError
from dcodex_shared.limits import MIB
from dcodex_shared.messages import (
    Cancel,
    FarmState,
    Finished,
    LanguageList,
    Message,
    Output,
    Queued,
    Refused,
    Started,
    StdinCredit,
    WatchFarm,
)

log = logging.getLogger(__name__)

#: As many as the coordinator queues by default, and then no memory is left for nobody.
MAX_EXECUTIONS = 20_000
#: Programs of all executions under way together: they wait in the socket when nobody reads it.
MAX_PROGRAM_BYTES = 512 * MIB
#: A short pause for whoever found this gateway full or without a coordinator.
RETRY_AFTER_S = 1.0


class Receiver(Protocol):
    """One execution's side towards its caller."""

    def receive(self, message: Message, payload: bytes) -> None:
        """A message about it came."""

    def lost(self, why: Rejected) -> None:
        """No message about it will come any more."""


class Hub:
    """The gateway's one place towards the coordinator."""

    def __init__(
        self, endpoint: str, name: str, figures: Figures, on_change: Callable[[], None]
    ) -> None:
        """on_change: called when `serving` may have changed."""
        self.figures = figures
        self.complaints = Complaints(log)
        self._on_change = on_change
        self.link = Link(endpoint, name, self._dispatch, self._up, self._lost)
        self.feed = FarmFeed(lambda on: self.link.send(WatchFarm(on)))
        #: (canonical name, version) pairs; empty while there is no coordinator.
        self.offered: tuple[tuple[str, str], ...] = ()
        #: No new execution is taken in.
        self.draining = False
        #: Every execution under way, with the size of its program.
        self._receivers: dict[str, tuple[Receiver, int]] = {}
        #: The sum of those sizes.
        self._program_bytes = 0
        #: Set while nothing is under way and somebody awaits that.
        self._idle: asyncio.Event | None = None

    @property
    def serving(self) -> bool:
        """Whether a program sent now could run."""
        return self.link.up and bool(self.offered) and not self.draining

    @property
    def executions(self) -> int:
        """How many are under way."""
        return len(self._receivers)

    def check(self) -> None:
        """Raise Rejected while no program can be taken in."""
        if self.draining:
            raise Rejected(Reason.UNAVAILABLE, "this gateway is going down", RETRY_AFTER_S)
        if not self.link.up:
            raise Rejected(Reason.UNAVAILABLE, f"no coordinator: {self.link.reason}", RETRY_AFTER_S)

    def submit(self, order: Order, receiver: Receiver) -> None:
        """Send a program on its way; from here to forget() the receiver gets its messages."""
        self.check()
        size = len(order.payload)
        if len(self._receivers) >= MAX_EXECUTIONS or self._program_bytes + size > MAX_PROGRAM_BYTES:
            raise Rejected(Reason.RESOURCE_EXHAUSTED, "this gateway is full", RETRY_AFTER_S)
        if not self.link.send(order.submit, order.payload):
            raise Rejected(
                Reason.UNAVAILABLE, "the coordinator takes no programs now", RETRY_AFTER_S
            )
        self._receivers[order.submit.execution_id] = (receiver, size)
        self._program_bytes += size

    def send(self, message: Message, payload: bytes = b"") -> None:
        """Say something about an execution; without a coordinator nobody needs to hear it."""
        self.link.send(message, payload)

    def cancel(self, execution_id: str, reason: str) -> None:
        """The caller is gone: stop its program, unless it has ended."""
        if execution_id in self._receivers:
            self.link.send(Cancel(execution_id, reason))
            self.forget(execution_id)

    def forget(self, execution_id: str) -> None:
        """Nobody awaits this execution any more."""
        entry = self._receivers.pop(execution_id, None)
        if entry is not None:
            self._program_bytes -= entry[1]
            self._tell_idle()

    async def idle(self) -> None:
        """Return when nothing is under way."""
        self._idle = asyncio.Event()
        self._tell_idle()
        await self._idle.wait()

    def drain(self) -> None:
        """Take in nothing new; watchers of the farm are let go."""
        self.draining = True
        self.feed.close()
        self._on_change()

    def abandon(self) -> None:
        """Stop every program under way: the grace of a drain is over."""
        for execution_id, (receiver, _) in list(self._receivers.items()):
            self.cancel(execution_id, "the gateway goes down")
            receiver.lost(Rejected(Reason.UNAVAILABLE, "this gateway went down", RETRY_AFTER_S))

    def _tell_idle(self) -> None:
        if self._idle is not None and not self._receivers:
            self._idle.set()

    def _dispatch(self, message: Message, payload: bytes) -> None:
        match message:
            case Output() | Finished() | Started() | StdinCredit() | Queued() | Refused():
                entry = self._receivers.get(message.execution_id)
                # An execution that nobody awaits: late, not wrong.
                if entry is None:
                    return
                if isinstance(message, (Finished, Refused)):
                    self.forget(message.execution_id)
                entry[0].receive(message, payload)
            case LanguageList(languages=languages):
                if languages != self.offered:
                    log.info("languages=%s", ",".join(f"{n}:{v}" for n, v in languages) or "none")
                self.offered = languages
                self._on_change()
            case FarmState():
                try:
                    self.feed.receive(payload)
                except RemoteProtocolError as error:
                    self.figures.senseless += 1
                    self.complaints.warn("dropped a farm snapshot error=%s", error)
            case _:
                # Heartbeat and the like, which the link has dealt with.
                pass

    def _up(self) -> None:
        self.feed.resume()
        self._on_change()

    def _lost(self, reason: str) -> None:
        """Nothing is known any more of what was under way: it may have run, or not."""
        self.offered = ()
        self.feed.lost()
        receivers, self._receivers = self._receivers, {}
        self._program_bytes = 0
        for receiver, _ in receivers.values():
            receiver.lost(Rejected(Reason.UNAVAILABLE, f"lost the coordinator: {reason}"))
        self._tell_idle()
        self._on_change()
