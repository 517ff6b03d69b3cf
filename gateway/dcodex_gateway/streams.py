"""The life of a stream, whichever API it belongs to: admitted, opened, ended."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from dcodex_gateway.calls import StreamCall
from dcodex_gateway.door import Door, Visitor
from dcodex_gateway.exchange import Exchange
from dcodex_gateway.hub import Hub
from dcodex_gateway.methods import Context
from dcodex_gateway.telemetry import NOT_TRACED, NotTraced, Telemetry, Traced
from dcodex_gateway.translate import Order, Terms
from dcodex_gateway.windows import Windows
from dcodex_shared.errors import Reason, Rejected
from dcodex_shared.limits import OUTPUT_WINDOW_BYTES


@dataclass(frozen=True, slots=True)
class Admission:
    """A caller that may have a program run now."""

    visitor: Visitor
    terms: Terms
    #: Of the execution to come.
    execution_id: str


class Streams:
    """Where the calls of both APIs come in, and all of a gateway's streams."""

    def __init__(self, hub: Hub, door: Door, telemetry: Telemetry | None) -> None:
        self.hub = hub
        self.door = door
        self._telemetry = telemetry
        self._windows = Windows()
        #: Those that are open, by tenant and the name that the caller knows: oldest first, where
        #: several callers attached to one execution.
        self._open: dict[tuple[str, str], list[StreamCall]] = {}

    async def admit(self, context: Context) -> Admission:
        """Let a caller in that wants a program run; Rejected where it is not to be."""
        hub = self.hub
        visitor = self.door.admit(context)
        await hub.ready()
        hub.check()
        return Admission(visitor, visitor.terms(hub.offered), uuid.uuid4().hex)

    def traced(
        self, name: str, received: float, order: Order, visitor: Visitor
    ) -> Traced | NotTraced:
        """To be put around a call; received: when it came in."""
        if visitor.parent is None or self._telemetry is None:
            return NOT_TRACED
        who = (order.public_id, visitor.tenant, order.submit.language)
        return Traced(self._telemetry, name, received, visitor.parent, who)

    @contextmanager
    def open(self, order: Order, visitor: Visitor) -> Iterator[StreamCall]:
        """Submit an order; its program is stopped at the end, unless it has ended."""
        window = self._windows.open()
        try:
            if window.first != OUTPUT_WINDOW_BYTES:
                order = replace(order, submit=replace(order.submit, window_bytes=window.first))
            execution_id = order.submit.execution_id
            widen = partial(self._windows.widen, window)
            exchange = Exchange(execution_id, window.first, order.stdin_complete, widen)
            call = StreamCall(self.hub, exchange)
            self.hub.submit(order, call, visitor.account)
            name = (visitor.tenant, order.public_id)
            self._open.setdefault(name, []).append(call)
            try:
                yield call
            finally:
                self._forget(name, call)
                exchange.cancel("the caller is gone")
                call.flush()
                self.hub.forget(execution_id)
        finally:
            self._windows.close(window)

    def signal(self, tenant: str, public_id: str, number: int) -> None:
        """Send a tenant's program a signal; Rejected(NOT_FOUND) where it does not run here."""
        for call in self._open.get((tenant, public_id), ()):
            if not call.exchange.ended:
                call.exchange.signal(number)
                call.flush()
                return
        raise Rejected(Reason.NOT_FOUND, "no execution of yours has this name here")

    def _forget(self, name: tuple[str, str], call: StreamCall) -> None:
        calls = self._open[name]
        calls.remove(call)
        if not calls:
            del self._open[name]
