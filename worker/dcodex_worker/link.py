"""One connection to the coordinator: a ZeroMQ DEALER, its frames and its presence.

Both ends of a connection forget each other when it breaks (the coordinator's ROUTER makes up
a new routing id for every connection), so a socket monitor tells of that at once: a worker
whose link is lost ends, a host opens a new one and starts over.

The sockets' descriptors are edge-triggered: whoever waits on them must first have called
receive() until it gave nothing, with no send() in between.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterator

import zmq
from zmq.utils.monitor import recv_monitor_message

from dcodex_shared import frames
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.keys import ClientKeys, is_tcp, use_as_client
from dcodex_shared.local_buffers import enlarge
from dcodex_shared.messages import HEARTBEAT_S, Goodbye, Heartbeat, Hello, Message, Payload
from dcodex_shared.wire import MAX_PAYLOAD_BYTES, decode_header, encode
from dcodex_worker.presence import Presence, State

log = logging.getLogger(__name__)

#: First and longest pause between two attempts to connect.
RECONNECT_MS = 50
RECONNECT_MOST_MS = 1000
#: At a socket, where descriptors are short: together a fraction of what others call silence.
ATTEMPTS = 50
ATTEMPT_PAUSE_S = 0.02
#: How long a closed link may take to hand over what was sent last.
LINGER_MS = 1000
#: It is tended at least with every beat: so much later means that this process was stopped.
STOPPED_S = 2 * HEARTBEAT_S
#: Messages taken in per turn, so that a flood cannot starve the program's own pipes.
RECEIVE_MOST = 64

_REFUSED = frozenset(
    (
        zmq.Event.HANDSHAKE_FAILED_AUTH,
        zmq.Event.HANDSHAKE_FAILED_PROTOCOL,
        zmq.Event.HANDSHAKE_FAILED_NO_DETAIL,
    )
)
_EVENTS = int(zmq.Event.CONNECTED | zmq.Event.HANDSHAKE_SUCCEEDED | zmq.Event.DISCONNECTED) | sum(
    map(int, _REFUSED)
)
_POLLIN = int(zmq.POLLIN)
_NOBLOCK = int(zmq.NOBLOCK)
_NOBLOCK_MORE = int(zmq.NOBLOCK | zmq.SNDMORE)


def _readable(socket: zmq.Socket[bytes]) -> bool:
    return bool(int(socket.getsockopt(zmq.EVENTS)) & _POLLIN)


def _patiently(make: Callable[[], zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
    """Make a socket; where descriptors are short, those of the last one come free in a moment."""
    for _ in range(ATTEMPTS):
        try:
            return make()
        except zmq.ZMQError as error:
            if error.errno != errno.EMFILE:
                raise
            # ZeroMQ's own thread gives them back, and tells nobody.
            time.sleep(ATTEMPT_PAUSE_S)
    return make()


class Link:
    """The link of one host or worker."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        hello: Hello,
        keys: ClientKeys | None = None,
    ) -> None:
        """keys: for an endpoint that is TCP; a local one uses none."""
        self._context = context
        self._endpoint = endpoint
        self._hello = hello
        self._keys = keys
        #: A refusal was logged since a connection last stood: it is tried again and again.
        self._complained = False
        #: Frames from the coordinator that were no message.
        self.malformed = 0
        #: Whether the socket was used since it was last known to be empty: its descriptor may
        #: then stay silent about what has arrived.
        self._used = True

    def open(self, now: float) -> None:
        """Connect, now or as soon as there is somebody."""
        self._used = True
        #: When tend() was called last.
        self._tended_at = now
        self.presence = Presence(now)
        self._socket = _patiently(lambda: self._context.socket(zmq.DEALER))
        self._socket.setsockopt(zmq.LINGER, LINGER_MS)
        # Only to a standing connection: what waits for a new one is for another coordinator.
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MOST_MS)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_PAYLOAD_BYTES)
        if self._keys is not None:
            use_as_client(self._socket, self._keys)
        self._monitor = _patiently(lambda: self._socket.get_monitor_socket(_EVENTS))
        # Asked once in vain, its descriptor tells of the first event too.
        _readable(self._monitor)
        self._socket.connect(self._endpoint)
        self.fd = int(self._socket.getsockopt(zmq.FD))
        self.monitor_fd = int(self._monitor.getsockopt(zmq.FD))

    def reopen(self, now: float) -> None:
        """Forget the old connection and everything on it."""
        self.close(linger_ms=0)
        self.open(now)

    def close(self, linger_ms: int = LINGER_MS) -> None:
        """Drop the connection."""
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close(linger=linger_ms)

    @property
    def lost(self) -> bool:
        """Whether the acquaintance is over."""
        return self.presence.state is State.LOST

    def watch(self, now: float) -> None:
        """Take in what the monitor tells: call when `monitor_fd` is readable."""
        while _readable(self._monitor):
            news = recv_monitor_message(self._monitor)
            event = news["event"]
            if event == zmq.Event.CONNECTED:
                enlarge(news["value"])
            elif event == zmq.Event.DISCONNECTED:
                self.presence.disconnected()
            elif event in _REFUSED:
                self.presence.refused(now)
                self._complain()
            elif self.presence.connected(now):
                self._complained = False
                self.send(self._hello, b"", now)

    def _complain(self) -> None:
        """Say once that the keys are wrong."""
        if is_tcp(self._endpoint) and not self._complained:
            self._complained = True
            log.warning(
                "the coordinator's end refuses the handshake: check the keys endpoint=%s",
                self._endpoint,
            )

    def receive(self, now: float) -> Iterator[tuple[Message, Payload]]:
        """What has arrived; what is no message is dropped, counted and logged."""
        self._used = True
        for _ in range(RECEIVE_MOST):
            try:
                header, payload = frames.receive(self._socket, _NOBLOCK)
                message = decode_header(header, len(payload))
            except zmq.Again:
                self._used = False
                return
            except RemoteProtocolError as error:
                self.malformed += 1
                log.warning("dropped a message from the coordinator error=%s", error)
                continue
            self.presence.heard(message, now)
            yield message, payload
            # To ask costs less than to receive in vain, and nearly always this was the only one.
            if not _readable(self._socket):
                self._used = False
                return

    def pending(self) -> bool:
        """Whether more has arrived than receive() took; True: do not wait, but receive()."""
        self._used = self._used and _readable(self._socket)
        return self._used

    def send(self, message: Message, payload: bytes, now: float) -> None:
        """Send, or lose the link: a coordinator that does not take messages is gone."""
        self._used = True
        try:
            # Not send_multipart(), which looks at what is given to it for longer than this takes.
            header, body = encode(message, payload)
            self._socket.send(header, _NOBLOCK_MORE)
            self._socket.send(body, _NOBLOCK)
        except zmq.Again:
            self.presence.lose("it takes no messages")
            return
        self.presence.sent(now)

    def tend(self, now: float) -> None:
        """Beat, expire and try anew: once a turn, after receive()."""
        if now > self._tended_at + STOPPED_S:
            self.presence.resumed(now)
        self._tended_at = now
        if now < self.presence.next_deadline():
            return
        if self.presence.wants_retry(now):
            self.reopen(now)
        self.presence.expire(now)
        if self.presence.wants_beat(now):
            self.send(Heartbeat(), b"", now)

    def leave(self, reason: str, now: float) -> None:
        """Say goodbye where somebody listens."""
        if self.presence.state in (State.GREETED, State.MET):
            self.send(Goodbye(reason), b"", now)
