"""One execution's shell: between its messages, its exchange and the coroutine that serves it."""

from __future__ import annotations

import asyncio

from dcodex_gateway.exchange import Event, Exchange, refusal
from dcodex_gateway.hub import Hub
from dcodex_gateway.replies import check_finished
from dcodex_shared.errors import Reason, Rejected, RemoteProtocolError
from dcodex_shared.messages import Finished, Message, Refused, Stream
from dcodex_shared.program import unpack_records

#: What a caller hears when a worker's answer is none; the log has the rest.
SENSELESS = "the answer of the worker made no sense"

Outcome = tuple[Finished, list[tuple[Stream, bytes]]]


class UnaryCall:
    """An execution of which only the end is awaited: a future and nothing else."""

    __slots__ = ("_hub", "outcome")

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def receive(self, message: Message, payload: bytes) -> None:
        """Take in a message about it."""
        if self.outcome.done():
            return
        match message:
            case Finished():
                try:
                    check_finished(message)
                    records = unpack_records(payload)
                except RemoteProtocolError as error:
                    self._hub.figures.senseless += 1
                    self._hub.complaints.warn(
                        "dropped an answer execution_id=%s error=%s", message.execution_id, error
                    )
                    self.lost(Rejected(Reason.UNAVAILABLE, SENSELESS))
                else:
                    self.outcome.set_result((message, records))
            case Refused():
                self.lost(refusal(message))
            case _:
                # Its place in the queue and the like, which Run does not tell.
                pass

    def lost(self, why: Rejected) -> None:
        """It will not end."""
        if not self.outcome.done():
            self.outcome.set_exception(why)


class StreamCall:
    """An execution with live output and stdin."""

    __slots__ = ("_event_due", "_hub", "_room_due", "exchange")

    def __init__(self, hub: Hub, exchange: Exchange) -> None:
        self._hub = hub
        self.exchange = exchange
        #: Set when next_event() may have something; None while nobody waits for it.
        self._event_due: asyncio.Future[None] | None = None
        #: Set when stdin may be unblocked; None while nobody waits for it.
        self._room_due: asyncio.Future[None] | None = None

    def receive(self, message: Message, payload: bytes) -> None:
        """Take in a message about it."""
        try:
            self.exchange.receive(message, payload)
        except RemoteProtocolError as error:
            self._hub.figures.senseless += 1
            self._hub.complaints.warn(
                "ended an execution for a senseless message execution_id=%s error=%s",
                self.exchange.execution_id,
                error,
            )
            self.exchange.fail(Rejected(Reason.UNAVAILABLE, SENSELESS))
        self.flush()

    def lost(self, why: Rejected) -> None:
        """It will not end."""
        self.exchange.lost(why)
        self.flush()

    def flush(self) -> None:
        """Send what the exchange wants sent, and wake whoever can go on."""
        for message, payload in self.exchange.take_commands():
            self._hub.send(message, payload)
        if self._event_due is not None and not self._event_due.done():
            self._event_due.set_result(None)
        if self._room_due is not None and not self._room_due.done():
            self._room_due.set_result(None)

    async def next_event(self) -> Event:
        """The next thing for the caller."""
        while (event := self.exchange.next_event()) is None:
            self._event_due = asyncio.get_running_loop().create_future()
            await self._event_due
            self._event_due = None
        return event

    def took(self, count: int) -> None:
        """The caller has taken this many bytes of output."""
        self._hub.figures.output_bytes += count
        self.exchange.took(count)
        for message, payload in self.exchange.take_commands():
            self._hub.send(message, payload)

    async def push_stdin(self, data: bytes) -> None:
        """Pass stdin on; returns when more may be read from the caller."""
        self._hub.figures.stdin_bytes += len(data)
        self.exchange.push_stdin(data)
        self.flush()
        while self.exchange.stdin_blocked:
            self._room_due = asyncio.get_running_loop().create_future()
            await self._room_due
            self._room_due = None
