"""What must be true of everything the coordinator says, kept apart from its own bookkeeping."""

from __future__ import annotations

from dcodex_coordinator.outbox import Send, Side
from dcodex_shared.messages import (
    Arm,
    Credit,
    Finished,
    Lease,
    Message,
    Output,
    Queued,
    Ready,
    Refused,
    Started,
    StdinCredit,
    Submit,
)


class Broken(AssertionError):
    """An invariant does not hold."""


class Ledger:
    """One coordinator's life, as seen from its sockets."""

    def __init__(self) -> None:
        #: Executions taken in and not ended, with their gateway's routing id.
        self._open: dict[str, bytes] = {}
        self._window: dict[str, int] = {}
        #: By how much credit may widen it.
        self._wider: dict[str, int] = {}
        #: Output sent to a gateway and not given back by what the coordinator has heard; below 0
        #: where the window is wider by now.
        self.unacknowledged: dict[str, int] = {}
        self._ended: set[str] = set()
        self._leased: set[str] = set()
        #: What each worker may be busy with.
        self._busy: dict[bytes, str] = {}
        #: Workers whose Ready was heard and that were not given anything since.
        self._idle: set[bytes] = set()
        #: What waits in each line, in order of arrival: requests that share no answer only,
        #: since those that follow another join the line late or never.
        self._lines: dict[tuple[str, str, int], dict[str, None]] = {}
        self._line_of: dict[str, tuple[str, str, int]] = {}
        self.submitted = 0
        self.leases = 0
        self.finished = 0
        self.refused = 0

    def heard(self, side: Side, peer: bytes, message: Message) -> None:
        """Before the coordinator receives a message."""
        match message:
            case Submit() if side is Side.GATEWAYS:
                known = message.execution_id in self._open or message.execution_id in self._ended
                if not known:
                    self.submitted += 1
                    self._open[message.execution_id] = peer
                    self._window[message.execution_id] = message.window_bytes
                    widest = max(message.window_bytes, message.widest_window_bytes)
                    self._wider[message.execution_id] = widest - message.window_bytes
                    self.unacknowledged[message.execution_id] = 0
                    if not message.cache_key and not message.client_key:
                        line = (message.language, message.tenant, message.priority)
                        self._lines.setdefault(line, {})[message.execution_id] = None
                        self._line_of[message.execution_id] = line
            case Credit() if self._open.get(message.execution_id) == peer:
                left = self.unacknowledged[message.execution_id]
                most = left + self._wider[message.execution_id]
                self.unacknowledged[message.execution_id] = left - min(max(0, message.count), most)
            case Ready():
                self._idle.add(peer)
            case Finished() if self._busy.get(peer) == message.execution_id:
                del self._busy[peer]

    def said(self, send: Send) -> None:
        """Each message that the coordinator sends."""
        message = send.message
        if send.side is Side.WORKERS:
            match message:
                case Lease():
                    self._check(message.execution_id not in self._leased, "leased twice", send)
                    self._check(message.execution_id in self._open, "leased after its end", send)
                    self._check(send.peer in self._idle, "leased a worker that is not idle", send)
                    self._check(send.peer not in self._busy, "leased a busy worker", send)
                    line = self._lines.get(self._line_of.get(message.execution_id, ("", "", 0)))
                    first = next(iter(line)) if line else message.execution_id
                    self._check(first == message.execution_id, "leased out of order", send)
                    self._leave_line(message.execution_id)
                    self._leased.add(message.execution_id)
                    self._busy[send.peer] = message.execution_id
                    self._idle.discard(send.peer)
                    self.leases += 1
                case Arm():
                    self._check(send.peer in self._idle, "armed a worker that is not idle", send)
                    self._idle.discard(send.peer)
            return
        match message:
            case Queued() | Started() | Output() | StdinCredit() | Finished() | Refused():
                owner = self._open.get(message.execution_id)
                self._check(owner == send.peer, "spoke to a gateway out of turn", send)
        match message:
            case Output():
                under_way = self.unacknowledged[message.execution_id] + len(send.payload)
                self.unacknowledged[message.execution_id] = under_way
                within = under_way <= self._window[message.execution_id]
                self._check(within, "sent beyond the window", send)
            case Finished():
                self.finished += 1
                self._end(message.execution_id)
            case Refused():
                self.refused += 1
                self._end(message.execution_id)

    def gateway_gone(self, peer: bytes) -> None:
        """The coordinator knows that a gateway is gone: silence is an end."""
        for execution_id in [one for one, owner in self._open.items() if owner == peer]:
            self._end(execution_id)

    def worker_gone(self, peer: bytes) -> None:
        """A worker's connection will never be used again."""
        self._busy.pop(peer, None)
        self._idle.discard(peer)

    def peers(self, side: Side) -> set[bytes]:
        """Who there is an account of."""
        if side is Side.GATEWAYS:
            return set(self._open.values())
        return self._idle | set(self._busy)

    def open(self) -> set[str]:
        """Executions that still await their end."""
        return set(self._open)

    def _leave_line(self, execution_id: str) -> None:
        line = self._line_of.pop(execution_id, None)
        if line is not None:
            del self._lines[line][execution_id]

    def _end(self, execution_id: str) -> None:
        self._leave_line(execution_id)
        del self._open[execution_id]
        del self._window[execution_id]
        del self._wider[execution_id]
        del self.unacknowledged[execution_id]
        self._ended.add(execution_id)

    @staticmethod
    def _check(holds: bool, what: str, send: Send) -> None:
        if not holds:
            raise Broken(f"{what}: {send}")
