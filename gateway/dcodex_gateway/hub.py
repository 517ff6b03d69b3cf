"""Who awaits what from the coordinator: executions by id, the languages, the farm's snapshot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Protocol

from dcodex_gateway.complaints import Complaints
from dcodex_gateway.farm_feed import FarmFeed
from dcodex_gateway.figures import Figures
from dcodex_gateway.link import Link
from dcodex_gateway.quota import Account
from dcodex_gateway.translate import Order
from dcodex_shared.errors import Reason, Rejected, RemoteProtocolError
from dcodex_shared.keys import ClientKeys
from dcodex_shared.limits import MIB
from dcodex_shared.messages import (
    Cancel,
    FarmState,
    Finished,
    LanguageList,
    Message,
    Output,
    Payload,
    Queued,
    Refused,
    Signal,
    Started,
    Stdin,
    StdinClose,
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
#: The retry window: after the farm was lost, callers wait so long for it to come back. A host
#: with large templates takes this long on a busy machine; longer absences should be told of.
WINDOW_S = 20.0
#: Who calls a gateway that has just started waits so long for it to meet the coordinator.
MEETING_S = 3.0
#: What a coordinator that drains gave back waits so long for its successor: as long as what
#: runs there may go on, by default, and the window.
HELD_MOST_S = 30.0 + WINDOW_S
#: What a caller may say before the start and still have sent again.
SAID_MOST = 64


class Receiver(Protocol):
    """One execution's side towards its caller."""

    def receive(self, message: Message, payload: Payload) -> None:
        """A message about it came."""

    def lost(self, why: Rejected) -> None:
        """No message about it will come any more."""


@dataclass(slots=True)
class _Entry:
    """One execution under way."""

    receiver: Receiver
    #: Its program's, which counts against MAX_PROGRAM_BYTES.
    size: int
    #: Whose quota it counts against.
    account: Account | None
    submitted_at: float
    #: The most that it can have cost where nobody tells what it did.
    most_s: float
    #: What to send again where it cannot have started; None: it may have, or was sent again.
    order: Order | None
    #: What the caller said beyond it so far; for as long as `order` is kept.
    said: list[tuple[Message, bytes]] = field(default_factory=list)
    #: The coordinator gave it back unstarted: it waits to be sent again, until this timer.
    held: asyncio.TimerHandle | None = None
    #: ... to any coordinator but this one, which goes; empty: to this one as well, which has
    #: nobody who runs its language just now.
    held_by: str = ""


class Hub:
    """The gateway's one place towards the coordinator."""

    def __init__(
        self,
        endpoint: str,
        name: str,
        keys: ClientKeys | None,
        figures: Figures,
        on_change: Callable[[], None],
    ) -> None:
        """on_change: called when `serving` may have changed."""
        self.figures = figures
        self.complaints = Complaints(log)
        self._on_change = on_change
        self.link = Link(endpoint, name, keys, self._dispatch, self._up, self._lost)
        self.feed = FarmFeed(lambda on: self.link.send(WatchFarm(on)))
        #: (canonical name, version) pairs; empty while there is no coordinator.
        self.offered: tuple[tuple[str, str], ...] = ()
        #: Callers are to go elsewhere; those who still come are served.
        self.leaving = False
        #: No new execution is taken in.
        self.draining = False
        #: When a program was last asked for, or ended: its caller may ask for the next.
        self.stirred_at = 0.0
        #: Every execution under way.
        self._receivers: dict[str, _Entry] = {}
        #: The sum of those sizes.
        self._program_bytes = 0
        #: Set while nothing is under way and somebody awaits that.
        self._idle: asyncio.Event | None = None
        #: Until when callers wait for the farm to come back, or to be met at all.
        self._window_end = monotonic() + MEETING_S
        #: Callers that wait in ready().
        self._waiting = 0
        #: Whether a program could be run when it was last looked at.
        self._could_run = False
        #: Set while the farm is there, or waiting for it is no use.
        self._settled = asyncio.Event()

    @property
    def serving(self) -> bool:
        """Whether a program sent now could run, and should be sent here."""
        return self._can_run() and not self.leaving

    def _can_run(self) -> bool:
        return self.link.up and bool(self.offered) and not self.draining

    @property
    def executions(self) -> int:
        """How many are under way."""
        return len(self._receivers)

    async def ready(self) -> None:
        """Wait while the farm is being restarted; check() tells what came of it."""
        self.stirred_at = now = monotonic()
        if self._can_run() or self.draining:
            return
        left_s = self._window_end - now
        if left_s > 0 and len(self._receivers) + self._waiting < MAX_EXECUTIONS:
            self._waiting += 1
            try:
                async with asyncio.timeout(left_s):
                    await self._settled.wait()
            except TimeoutError:
                pass
            finally:
                self._waiting -= 1
                self._tell_idle()

    def check(self) -> None:
        """Raise Rejected while no program can be taken in."""
        if self.draining:
            raise Rejected(Reason.UNAVAILABLE, "this gateway is going down", RETRY_AFTER_S)
        if not self.link.up:
            raise Rejected(Reason.UNAVAILABLE, f"no coordinator: {self.link.reason}", RETRY_AFTER_S)

    def submit(self, order: Order, receiver: Receiver, account: Account | None) -> None:
        """Send a program on its way; from here to forget() the receiver gets its messages."""
        self.check()
        size = len(order.payload)
        if len(self._receivers) >= MAX_EXECUTIONS or self._program_bytes + size > MAX_PROGRAM_BYTES:
            raise Rejected(Reason.RESOURCE_EXHAUSTED, "this gateway is full", RETRY_AFTER_S)
        now = monotonic()
        if account is not None:
            account.enter(now)
        if not self.link.send(order.submit, order.payload):
            if account is not None:
                account.leave(0.0, now)
            raise Rejected(
                Reason.UNAVAILABLE, "the coordinator takes no programs now", RETRY_AFTER_S
            )
        self._receivers[order.submit.execution_id] = _Entry(
            receiver, size, account, now, order.submit.wall_limit_s, order
        )
        self._program_bytes += size

    def send(self, message: Message, payload: bytes = b"") -> None:
        """Say something about an execution; without a coordinator nobody needs to hear it."""
        if isinstance(message, Stdin | StdinClose | Signal):
            entry = self._receivers.get(message.execution_id)
            if entry is not None and entry.order is not None:
                entry.said.append((message, payload))
                if len(entry.said) > SAID_MOST:
                    _settle(entry)
        self.link.send(message, payload)

    def cancel(self, execution_id: str, reason: str) -> None:
        """The caller is gone: stop its program, unless it has ended."""
        if execution_id in self._receivers:
            self.link.send(Cancel(execution_id, reason))
            self.forget(execution_id)

    def forget(self, execution_id: str, used_s: float | None = None) -> None:
        """Nobody awaits this execution any more.

        used_s: what it cost; None where nobody has told: the time since it was submitted, then,
        so that cancelling is no way around a quota.
        """
        entry = self._receivers.pop(execution_id, None)
        if entry is not None:
            self._release(entry, used_s)
            self._tell_idle()

    def _release(self, entry: _Entry, used_s: float | None) -> None:
        if entry.held is not None:
            entry.held.cancel()
        self._program_bytes -= entry.size
        if entry.account is not None:
            now = monotonic()
            if used_s is None:
                used_s = min(now - entry.submitted_at, entry.most_s)
            entry.account.leave(used_s, now)

    async def idle(self) -> None:
        """Return when nothing is under way and nobody waits for the farm."""
        if self._receivers or self._waiting:
            self._idle = asyncio.Event()
            await self._idle.wait()

    def leave(self) -> None:
        """Tell whoever asks for our health to go elsewhere."""
        self.leaving = True
        self._change()

    def drain(self) -> None:
        """Take in nothing new; watchers of the farm are let go."""
        self.draining = True
        self.feed.close()
        self._change()

    def abandon(self) -> None:
        """Stop every program under way: the grace of a drain is over."""
        for execution_id, entry in list(self._receivers.items()):
            self.cancel(execution_id, "the gateway goes down")
            entry.receiver.lost(
                Rejected(Reason.UNAVAILABLE, "this gateway went down", RETRY_AFTER_S)
            )

    def _tell_idle(self) -> None:
        if self._receivers or self._waiting:
            return
        self.stirred_at = monotonic()
        if self._idle is not None:
            self._idle.set()

    def _dispatch(self, message: Message, payload: Payload) -> None:
        match message:
            case Output() | Finished() | Started() | StdinCredit() | Queued() | Refused():
                entry = self._receivers.get(message.execution_id)
                # An execution that nobody awaits: late, not wrong.
                if entry is None:
                    return
                if isinstance(message, Finished):
                    self.forget(message.execution_id, _cost_s(message))
                elif isinstance(message, Refused):
                    if self._hold(entry, message):
                        return
                    self.forget(message.execution_id, 0.0)
                elif not isinstance(message, Queued):
                    _settle(entry)
                entry.receiver.receive(message, payload)
            case LanguageList(languages=languages):
                if languages != self.offered:
                    log.info("languages=%s", ",".join(f"{n}:{v}" for n, v in languages) or "none")
                self.offered = languages
                self._change()
                if languages:
                    self._send_again()
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
        self._change()

    def _change(self) -> None:
        """`serving` may have changed."""
        if self._can_run():
            self._window_end = 0.0
            self._settled.set()
            self._could_run = True
        elif self.draining:
            self._settled.set()
        elif self._could_run:
            self._could_run = False
            self._window_end = monotonic() + WINDOW_S
            self._settled.clear()
        self._on_change()

    def _hold(self, entry: _Entry, refused: Refused) -> bool:
        """Keep what was given back for a coordinator that can have it run; False: tell the caller.

        `retry_after_s` says that it was not started; see messages.Refused.
        """
        if (
            entry.order is None
            or entry.held is not None
            or self.draining
            or refused.reason != Reason.UNAVAILABLE
            or refused.retry_after_s <= 0
        ):
            return False
        # A coordinator tells what it has before it refuses what it has not.
        lacks = self.link.up and not self._offers(entry.order)
        entry.held_by = "" if lacks else self.link.boot_id
        loop = asyncio.get_running_loop()
        entry.held = loop.call_later(WINDOW_S if lacks else HELD_MOST_S, self._give_up, refused)
        return True

    def _offers(self, order: Order) -> bool:
        return any(name == order.submit.language for name, _ in self.offered)

    def _give_up(self, refused: Refused) -> None:
        """Nobody came in time."""
        entry = self._receivers.get(refused.execution_id)
        if entry is not None and entry.held is not None:
            self.forget(refused.execution_id, 0.0)
            entry.receiver.receive(refused, b"")

    def _send_again(self) -> None:
        """A coordinator with workers is there: give it, once, what was given back."""
        for entry in self._receivers.values():
            if entry.held is None or entry.order is None or not self._offers(entry.order):
                continue
            if entry.held_by == self.link.boot_id:
                # It goes, and may know this id as ended.
                continue
            entry.held.cancel()
            entry.held = None
            submit, payload = entry.order.submit, entry.order.payload
            if submit.deadline_s > 0:
                left_s = submit.deadline_s - (monotonic() - entry.submitted_at)
                submit = replace(submit, deadline_s=max(left_s, 0.001))
            self.link.send(submit, payload)
            for message, data in entry.said:
                self.link.send(message, data)
            _settle(entry)
            self.figures.sent_again += 1

    def _lost(self, reason: str, settled: bool) -> None:
        """Nothing is known any more of what was under way: it may have run, or not.

        settled: it has not; it was still on its way.
        """
        words = f"lost the coordinator: {reason}"
        if settled:
            for execution_id, entry in self._receivers.items():
                self._hold(entry, _unstarted(execution_id, words))
        self.offered = ()
        self.feed.lost()
        entries = self._receivers
        self._receivers = {name: entry for name, entry in entries.items() if entry.held}
        for entry in entries.values():
            if entry.held:
                continue
            self._release(entry, None)
            entry.receiver.lost(Rejected(Reason.UNAVAILABLE, words))
        self._tell_idle()
        self._change()


def _unstarted(execution_id: str, words: str) -> Refused:
    """What a coordinator would have said of a program that it did not get."""
    return Refused(execution_id, int(Reason.UNAVAILABLE), words, RETRY_AFTER_S)


def _settle(entry: _Entry) -> None:
    """From now on it is not sent again."""
    entry.order = None
    entry.said.clear()


def _cost_s(message: Finished) -> float:
    """How long an execution kept a worker busy; nothing where it was answered from a cache."""
    return 0.0 if message.cache_hit else max(message.wall_s, 0.0) + max(message.compile_s, 0.0)
