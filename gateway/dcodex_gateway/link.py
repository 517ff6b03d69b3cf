"""The ZeroMQ connection to the coordinator, run by the gateway's event loop without a thread.

Theory of operation
-------------------
A DEALER whose descriptor the loop watches. ZeroMQ's descriptor is edge-triggered: it becomes
readable when something *may* have changed, and any call on the socket, a send too, can use
that edge up. So every wake drains the socket, and every send looks whether something came
meanwhile. zmq.asyncio does the same with futures, tasks and a poll for each message; here a
message costs one callback.

A socket lives as long as one connection: when it breaks, a fresh one is opened, so that nothing
meant for one coordinator reaches its successor. What to do when is session.py's to say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

import zmq
from zmq.utils.monitor import recv_monitor_message

from dcodex_gateway.complaints import Complaints
from dcodex_gateway.session import Session, State, Step
from dcodex_shared import frames
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.keys import ClientKeys, use_as_client
from dcodex_shared.messages import HEARTBEAT_S, Goodbye, Heartbeat, Hello, Message, Payload, Role
from dcodex_shared.wire import MAX_PAYLOAD_BYTES, decode_header, encode

log = logging.getLogger(__name__)

#: Messages taken in before the loop gets to do something else.
RECEIVE_MOST = 128
#: Messages that may wait to be sent: some for each of MAX_EXECUTIONS executions.
HIGH_WATER_MARK = 100_000
#: Messages that wait for us: the loop takes in as many in some turns, and beyond it the
#: coordinator's own sends wait.
RECEIVE_HIGH_WATER = 1_000
RECONNECT_MS = 50
RECONNECT_MOST_MS = 1000
#: A coordinator that refuses us does so every second until somebody mends it: one line in this
#: time, in seconds, reminds of it.
REFUSAL_EVERY_S = 60.0
#: A timer that fires so much too late means that this process was stopped itself.
STOPPED_S = 2 * HEARTBEAT_S
#: What came in the meantime has this long to get through ZeroMQ's own thread, in seconds.
CATCH_UP_S = 1.0
#: How long the last words may take when the gateway ends.
LINGER_MS = 500

_REFUSED = frozenset(
    (
        zmq.Event.HANDSHAKE_FAILED_AUTH,
        zmq.Event.HANDSHAKE_FAILED_PROTOCOL,
        zmq.Event.HANDSHAKE_FAILED_NO_DETAIL,
    )
)
_EVENTS = int(zmq.Event.HANDSHAKE_SUCCEEDED | zmq.Event.DISCONNECTED) | sum(map(int, _REFUSED))
_POLLIN = int(zmq.POLLIN)
_NOBLOCK = int(zmq.NOBLOCK)


class Link:
    """The one connection of this gateway."""

    def __init__(
        self,
        endpoint: str,
        name: str,
        keys: ClientKeys | None,
        on_message: Callable[[Message, Payload], None],
        on_up: Callable[[], None],
        on_lost: Callable[[str, bool], None],
    ) -> None:
        """on_lost: gets the reason, and whether what has no answer is known not to have arrived."""
        self._endpoint = endpoint
        self._keys = keys
        self._hello = Hello(Role.GATEWAY, name)
        self._on_message = on_message
        self._on_up = on_up
        self._on_lost = on_lost
        self._session = Session()
        self._complaints = Complaints(log)
        #: About connections that never stood; a fresh one whenever the coordinator was met.
        self._refusals = Complaints(log, REFUSAL_EVERY_S)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        #: None exactly while the session is DOWN, and before start() and after close().
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        #: When that timer should fire.
        self._due = 0.0
        #: Whether the message that is being dealt with is a Goodbye which leaves nothing open.
        self._settled = False
        #: A drain is due in the next turn of the loop.
        self._drain_due = False
        #: Frames that were no message.
        self.malformed = 0
        self.bytes_sent = 0
        self.bytes_received = 0

    @property
    def up(self) -> bool:
        """Whether the coordinator knows us."""
        return self._session.state is State.UP

    @property
    def boot_id(self) -> str:
        """Of the coordinator met last; empty before."""
        return self._session.boot_id

    @property
    def reason(self) -> str:
        """Why it is not up."""
        return self._session.reason

    def start(self) -> None:
        """Connect, now or as soon as there is somebody; the loop must be running."""
        self._loop = asyncio.get_running_loop()
        self._try_to_open()

    def send(self, message: Message, payload: bytes = b"") -> bool:
        """Send to the coordinator; False: it is not there, and the message is gone."""
        if self._session.state is not State.UP:
            return False
        return self._send(message, payload)

    def close(self) -> None:
        """Say goodbye and end."""
        if self._session.state in (State.GREETING, State.UP):
            self._send(Goodbye("the gateway ends"), b"")
        if self._timer is not None:
            self._timer.cancel()
        self._shut(LINGER_MS)
        # Waits until the last words are out, LINGER_MS at most.
        self._context.term()

    # --- the socket's life -------------------------------------------------------------------

    def _try_to_open(self) -> None:
        try:
            self._open()
        except zmq.ZMQError as error:
            # Descriptors have run out, say; it passes.
            why = f"no connection can be tried: {error.strerror}"
            self._do(self._session.unable(why, monotonic()))

    def _open(self) -> None:
        socket = self._context.socket(zmq.DEALER)
        try:
            self._prepare(socket)
        except zmq.ZMQError:
            socket.close(linger=0)
            raise

    def _prepare(self, socket: zmq.Socket[bytes]) -> None:
        socket.setsockopt(zmq.LINGER, 0)
        # Only to a standing connection: what waits for a new one is for another coordinator.
        socket.setsockopt(zmq.IMMEDIATE, 1)
        socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MOST_MS)
        socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        socket.setsockopt(zmq.RCVHWM, RECEIVE_HIGH_WATER)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_PAYLOAD_BYTES)
        if self._keys is not None:
            use_as_client(socket, self._keys)
        monitor = socket.get_monitor_socket(_EVENTS)
        socket.connect(self._endpoint)
        self._socket, self._monitor = socket, monitor
        self._loop.add_reader(int(socket.getsockopt(zmq.FD)), self._drain)
        self._loop.add_reader(int(monitor.getsockopt(zmq.FD)), self._watch)
        # Edges from before add_reader() are gone: look once.
        self._loop.call_soon(self._watch)

    def _shut(self, linger_ms: int) -> None:
        if self._socket is None or self._monitor is None:
            return
        self._loop.remove_reader(int(self._socket.getsockopt(zmq.FD)))
        self._loop.remove_reader(int(self._monitor.getsockopt(zmq.FD)))
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close(linger=linger_ms)
        self._socket = self._monitor = None

    def _watch(self) -> None:
        """Take in what the monitor tells of the transport."""
        while (monitor := self._monitor) is not None and _readable(monitor):
            event = recv_monitor_message(monitor)["event"]
            now = monotonic()
            if event == zmq.Event.DISCONNECTED:
                self._drain()
                self._do(self._session.disconnected(now))
            elif event in _REFUSED:
                # It is tried again: the operator may yet add our key to the list.
                self._do(self._session.refused(now))
            else:
                self._do(self._session.connected(now))

    def _tick(self) -> None:
        self._timer = None
        now = monotonic()
        if now > self._due + STOPPED_S:
            # It may have said enough meanwhile to show that it lives; nobody heard it yet.
            self._wake_at(now + CATCH_UP_S)
            return
        self._drain()
        self._do(self._session.expire(monotonic()))

    def _wake_at(self, due: float) -> None:
        self._due = due
        self._timer = self._loop.call_later(max(due - monotonic(), 0.0), self._tick)

    def _do(self, step: Step | None) -> None:
        match step:
            case None:
                pass
            case Step.GREET:
                self._send(self._hello, b"")
            case Step.BEAT:
                self._send(Heartbeat(), b"")
            case Step.UP:
                log.info("met the coordinator boot_id=%s", self._session.boot_id)
                self._refusals = Complaints(log, REFUSAL_EVERY_S)
                self._on_up()
            case Step.LOST:
                if self._session.stood:
                    log.warning("lost the coordinator reason=%r", self._session.reason)
                else:
                    self._refusals.warn("no coordinator reason=%r", self._session.reason)
                self._shut(0)
                self._on_lost(self._session.reason, self._settled)
                self._settled = False
            case Step.REOPEN:
                self._try_to_open()
        if self._timer is None and (deadline := self._session.next_deadline()) is not None:
            # A timer is never moved when a message comes: it fires, looks and is set anew.
            self._wake_at(max(deadline, monotonic()))

    # --- messages ----------------------------------------------------------------------------

    def _send(self, message: Message, payload: bytes) -> bool:
        socket = self._socket
        if socket is None:
            return False
        header, payload = encode(message, payload)
        try:
            frames.put(socket, header, frames.FIRST)
            # Not to wait here either: the connection may break between the two.
            frames.put(socket, payload, _NOBLOCK)
        except zmq.Again:
            # Not from within the caller's own doing: it holds what a loss would end.
            self._loop.call_soon(self._stuck)
            return False
        self.bytes_sent += len(header) + len(payload)
        self._session.sent(monotonic())
        if not self._drain_due and _readable(socket):
            self._drain_due = True
            self._loop.call_soon(self._drain)
        return True

    def _stuck(self) -> None:
        self._do(self._session.stuck(monotonic()))

    def _drain(self) -> None:
        """Take in what has come."""
        self._drain_due = False
        now = monotonic()
        for taken in range(RECEIVE_MOST):
            # A message may have closed the socket. What wakes us is one message, as a rule, and to
            # ask for a second costs less than to be refused it.
            socket = self._socket
            if socket is None or (taken and not _readable(socket)):
                return
            try:
                header, payload = frames.receive(socket, _NOBLOCK)
                message = decode_header(header, len(payload))
            except zmq.Again:
                return
            except RemoteProtocolError as error:
                self.malformed += 1
                self._complaints.warn("dropped a message from the coordinator error=%s", error)
                continue
            self.bytes_received += len(header) + len(payload)
            self._settled = type(message) is Goodbye and message.settled
            step = self._session.receive(message, now)
            if step is not None:
                self._do(step)
            elif self._session.state is State.UP:
                self._on_message(message, payload)
        if not self._drain_due:
            self._drain_due = True
            self._loop.call_soon(self._drain)


def _readable(socket: zmq.Socket[bytes]) -> bool:
    return bool(int(socket.getsockopt(zmq.EVENTS)) & _POLLIN)
