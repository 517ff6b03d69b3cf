"""The farm's newest snapshot, for everyone who watches; asked for only while somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from dcodex_gateway import replies
from dcodex_shared.errors import Reason, Rejected, RemoteProtocolError
from dcodex_shared.farm import FarmView, unpack_farm
from dcodex_shared.messages import Payload

#: A person reads no faster, and a dashboard need not.
MIN_INTERVAL_S = 0.1
#: How long the first snapshot may take.
FIRST_S = 1.0
#: After the last watcher the coordinator goes on for this long, for those who ask in a loop.
IDLE_S = 5.0


class FarmFeed:
    """Fan-out of FarmState."""

    def __init__(self, watch: Callable[[bool], object]) -> None:
        """watch: tells the coordinator to begin or to stop sending."""
        self._watch = watch
        #: The newest; None while nothing is known of the farm as it is now.
        self._view: FarmView | None = None
        #: Moves with every change of `_view`.
        self._version = 0
        self._changed: asyncio.Event = asyncio.Event()
        self._watchers = 0
        #: Whether the coordinator was told to send.
        self._on = False
        self._off_timer: asyncio.TimerHandle | None = None
        self._closed = False

    # --- from the coordinator ----------------------------------------------------------------

    def receive(self, payload: Payload) -> None:
        """A snapshot came; raises RemoteProtocolError where it is none."""
        view = unpack_farm(payload)
        try:
            replies.farm_snapshot(view, "")
            replies.system_metrics(view)
        except (TypeError, ValueError) as error:
            raise RemoteProtocolError(f"a field of the wrong type: {error}") from None
        self._view = view
        self._wake()

    def resume(self) -> None:
        """A coordinator is there."""
        if self._on:
            self._watch(True)

    def lost(self) -> None:
        """The coordinator is gone, and what it said is no longer true."""
        self._view = None
        # Watchers wait FIRST_S for a successor's first word, and then give up.
        self._wake()

    def close(self) -> None:
        """End all watches: the gateway goes down."""
        self._closed = True
        self._wake()

    # --- for services ------------------------------------------------------------------------

    async def newest(self) -> FarmView:
        """The farm now, with all that its callers were told before they asked.

        Rejected where nobody can say. What is here may be MIN_INTERVAL_S old, so the
        coordinator is asked anew; the link keeps order, so what it answers is newer than
        every end of an execution that has passed here.
        """
        with self._watching():
            seen = self._version
            self._watch(True)
            try:
                async with asyncio.timeout(FIRST_S):
                    await self._change(seen)
            except TimeoutError:
                raise Rejected(Reason.UNAVAILABLE, "the coordinator does not answer", 1.0) from None
            return await self._next()

    async def views(self) -> AsyncIterator[FarmView]:
        """The farm now and after every change, the newest at most every MIN_INTERVAL_S."""
        with self._watching():
            seen = 0
            while not self._closed:
                view = await self._next()
                seen = self._version
                sent_at = monotonic()
                yield view
                await asyncio.sleep(max(0.0, sent_at + MIN_INTERVAL_S - monotonic()))
                await self._change(seen)

    async def _next(self) -> FarmView:
        try:
            async with asyncio.timeout(FIRST_S):
                while (view := self._view) is None:
                    if self._closed:
                        raise Rejected(Reason.UNAVAILABLE, "this gateway is going down", 1.0)
                    await self._changed.wait()
        except TimeoutError:
            raise Rejected(Reason.UNAVAILABLE, "the coordinator does not answer", 1.0) from None
        return view

    async def _change(self, seen: int) -> None:
        while self._version == seen and not self._closed:
            await self._changed.wait()

    def _wake(self) -> None:
        self._version += 1
        # Whoever waits holds the old event; whoever comes next waits on the new one.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    @contextmanager
    def _watching(self) -> Iterator[None]:
        self._watchers += 1
        if self._off_timer is not None:
            self._off_timer.cancel()
            self._off_timer = None
        if not self._on:
            self._on = True
            self._watch(True)
        try:
            yield
        finally:
            self._watchers -= 1
            if self._watchers == 0:
                self._off_timer = asyncio.get_running_loop().call_later(IDLE_S, self._off)

    def _off(self) -> None:
        self._off_timer = None
        self._on = False
        self._view = None
        self._watch(False)
