"""One execution's shell: between its messages, its exchange and the coroutine that serves it."""

from __future__ import annotations

import asyncio

from dcodex_gateway.exchange import Event, Exchange, refusal, stream_of
from dcodex_gateway.hub import Hub
from dcodex_gateway.replies import check_finished
from dcodex_shared.errors import Reason, Rejected, RemoteProtocolError
from dcodex_shared.limits import OUTPUT_WINDOW_BYTES
from dcodex_shared.messages import Credit, Finished, Message, Output, Payload, Refused, Stream
from dcodex_shared.program import unpack_records
from dcodex_shared.wire import MAX_PAYLOAD_BYTES

#: What a caller hears when a worker's answer is none; the log has the rest.
SENSELESS = "the answer of the worker made no sense"

Outcome = tuple[Finished, list[tuple[Stream, Payload]]]


class UnaryCall:
    """An execution of which only the end is awaited: a future, and what came before the end."""

    __slots__ = ("_held", "_hub", "_records", "_taken", "outcome")

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        #: Output that came before the end, in order, and its size: at most MAX_PAYLOAD_BYTES.
        self._records: list[tuple[Stream, Payload]] = []
        self._held = 0
        #: Of that, what was not given back yet.
        self._taken = 0
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def receive(self, message: Message, payload: Payload) -> None:
        """Take in a message about it."""
        if self.outcome.done():
            return
        match message:
            case Finished() | Output():
                try:
                    self._take(message, payload)
                except RemoteProtocolError as error:
                    self._hub.figures.senseless += 1
                    self._hub.complaints.warn(
                        "dropped an answer execution_id=%s error=%s", message.execution_id, error
                    )
                    self._hub.cancel(message.execution_id, SENSELESS)
                    self.lost(Rejected(Reason.UNAVAILABLE, SENSELESS))
            case Refused():
                self.lost(refusal(message))
            case _:
                # Its place in the queue and the like, which Run does not tell.
                pass

    def _take(self, message: Finished | Output, payload: Payload) -> None:
        if isinstance(message, Finished):
            check_finished(message)
            self._records += unpack_records(payload)
            self.outcome.set_result((message, self._records))
            return
        self._records.append((stream_of(message), payload))
        self._held += len(payload)
        if self._held > MAX_PAYLOAD_BYTES:
            raise RemoteProtocolError(f"{self._held} bytes of output for one answer")
        self._taken += len(payload)
        if self._taken * 2 >= OUTPUT_WINDOW_BYTES:
            self._hub.send(Credit(message.execution_id, self._taken))
            self._taken = 0

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

    def receive(self, message: Message, payload: Payload) -> None:
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
