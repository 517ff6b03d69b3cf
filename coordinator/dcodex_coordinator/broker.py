"""The coordinator's sockets: receive, decode, ask the machine, send, repeat.

A plain blocking loop over two ROUTERs in one thread. Time is read once a turn. What cannot be
read is dropped and counted; who cannot be reached is reported to the machine; nothing that a
peer does ends the loop. Over TCP, with keys, the loop also answers who may connect: until then
nothing of a peer reaches a ROUTER.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from types import TracebackType
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from dcodex_coordinator.local_doors import LOOK_S, LocalDoors
from dcodex_coordinator.machine import Machine
from dcodex_coordinator.outbox import Send, Side
from dcodex_coordinator.readiness import Readiness, is_readable
from dcodex_shared import frames
from dcodex_shared.endpoints import remove_socket
from dcodex_shared.errors import RemoteProtocolError
from dcodex_shared.gatekeeper import Gatekeeper, use_as_server
from dcodex_shared.keys import GATEWAYS, HOSTS, ServerKeys, is_tcp
from dcodex_shared.local_buffers import enlarge
from dcodex_shared.messages import LOST_S, Message
from dcodex_shared.wire import MAX_PAYLOAD_BYTES, decode_header, encode

log = logging.getLogger(__name__)

#: Messages that may wait for one peer. Windows bound the bytes; this bounds the number where a
#: program writes one byte at a time to a stalled reader. A peer beyond it is taken for dead.
SEND_HIGH_WATER = 100_000
#: Messages from one peer that wait for us; beyond it the peer's own sends wait.
RECEIVE_HIGH_WATER = 1_000
#: Messages taken from one socket before the other, and the timers, have their turn.
MESSAGES_A_TURN = 256
#: What is still to be sent at the end has this long, in milliseconds.
LINGER_MS = 500
#: Commands that follow from unreachable peers, one round each, before the turn ends anyway: each
#: round removes at least one peer.
MAX_ROUNDS = 10_000

#: Whose keys open which socket.
_AWAITED = {Side.GATEWAYS: GATEWAYS, Side.WORKERS: HOSTS}

_DONTWAIT = int(zmq.DONTWAIT)


class Broker:
    """The loop and its two sockets."""

    def __init__(
        self,
        machine: Machine,
        gateway_endpoint: str,
        worker_endpoint: str,
        keys: ServerKeys | None = None,
    ) -> None:
        """keys: those of the endpoints that are TCP; local ones use none."""
        self._machine = machine
        self._keys = keys
        #: Not None exactly between entering and close(), where there are keys.
        self._gatekeeper: Gatekeeper | None = None
        self._endpoints = {Side.GATEWAYS: gateway_endpoint, Side.WORKERS: worker_endpoint}
        self._doors = LocalDoors(self._endpoints.values())
        self._look_at = 0.0
        #: Held while the machine is in use: a scrape reads it from another thread.
        self.lock = threading.Lock()
        self._context = zmq.Context()
        self._sockets: dict[Side, zmq.Socket[bytes]] = {}
        #: Of the sockets, the monitors and the gatekeeper's.
        self._readiness = Readiness()
        #: They tell of connections that end.
        self._monitors: list[zmq.Socket[bytes]] = []
        #: stop() writes, the loop reads: it works from a signal handler and from any thread.
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping = False
        #: Before this time no dropped message is logged.
        self._quiet_until = 0.0
        #: Endpoints as bound: with the port that the system chose for tcp://…:*.
        self.bound: dict[Side, str] = {}

    def __enter__(self) -> Broker:
        try:
            # First, for libzmq looks for it when a socket binds.
            if self._keys is not None:
                self._gatekeeper = Gatekeeper(self._context, self._keys.allowed.read)
            for side in Side:
                self._sockets[side] = self._bind(side)
        except zmq.ZMQError:
            self.close()
            raise
        for socket in (*self._sockets.values(), *self._monitors):
            self._readiness.watch(socket)
        if self._gatekeeper is not None:
            self._readiness.watch(self._gatekeeper.socket)
        self._readiness.watch(self._wake_read)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _bind(self, side: Side) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.ROUTER)
        options: dict[int, Any] = {
            # An unreachable peer is an error that we handle, not silence …
            zmq.ROUTER_MANDATORY: 1,
            # … and nobody may take a connected peer's place.
            zmq.ROUTER_HANDOVER: 0,
            zmq.SNDHWM: SEND_HIGH_WATER,
            zmq.RCVHWM: RECEIVE_HIGH_WATER,
            zmq.LINGER: LINGER_MS,
            zmq.MAXMSGSIZE: MAX_PAYLOAD_BYTES,
            # Half-open TCP connections end in the time that our own heartbeats allow. It is the
            # kernel that looks after them: ZeroMQ's own heartbeats (to 4.3.5) end the process
            # when one is due to a peer that went while as many of its messages waited as may.
            zmq.TCP_KEEPALIVE: 1,
            zmq.TCP_KEEPALIVE_IDLE: int(LOST_S / 3),
            zmq.TCP_KEEPALIVE_INTVL: int(LOST_S / 3),
            zmq.TCP_KEEPALIVE_CNT: 2,
            # A peer that connects and then says nothing holds a descriptor no longer than this.
            zmq.HANDSHAKE_IVL: int(LOST_S * 1000),
        }
        for option, value in options.items():
            socket.setsockopt(option, value)
        if self._keys is not None and is_tcp(self._endpoints[side]):
            use_as_server(socket, self._keys.own, _AWAITED[side])
        # Local sockets are made by bind(), with the mode that the umask leaves.
        mask = os.umask(0o077)
        try:
            socket.bind(self._endpoints[side])
        except zmq.ZMQError:
            # Left open it would keep the context, and with it this process, from ending.
            socket.close()
            raise
        finally:
            os.umask(mask)
        news = int(zmq.Event.ACCEPTED | zmq.Event.DISCONNECTED)
        self._monitors.append(socket.get_monitor_socket(news))
        self.bound[side] = socket.getsockopt_string(zmq.LAST_ENDPOINT)
        return socket

    def stop(self) -> None:
        """Make run() return; safe in a signal handler."""
        # Before the flag: a loop that is awake and sees the flag finds the wake-up to take away.
        # When the pipe is full it holds wake-ups enough.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"x")
        self._stopping = True

    def run(self, until: float | None = None) -> None:
        """Serve until stop() is called or, in seconds of time.monotonic(), `until` has come."""
        sides = {socket: side for side, socket in self._sockets.items()}
        machine, lock = self._machine, self.lock
        while not self._stopping:
            now = time.monotonic()
            if until is not None and (now >= until or machine.is_quiet()):
                return
            if now >= self._look_at:
                self._look_at = now + LOOK_S
                self._doors.look()
            due = machine.next_deadline()
            if until is not None:
                due = min(due, until)
            # One millisecond more than the remainder: waking early would spin.
            ready = self._readiness.wait(max(0.0, due - now) + 0.001)
            now = time.monotonic()
            with lock:
                for socket in ready:
                    if socket in sides:
                        self._receive_all(socket, sides[socket], now)
                    elif socket in self._monitors:
                        if self._take_news(socket):
                            machine.shaken(now)
                    else:
                        self._let_in()
                if now >= due:
                    self._perform(machine.expire(now), now)
        os.read(self._wake_read, 4096)
        self._stopping = False

    def perform(self, sends: list[Send]) -> None:
        """Send what the machine wants sent outside of run()."""
        with self.lock:
            self._perform(sends, time.monotonic())

    def close(self) -> None:
        """Send what can still be sent, close the sockets, remove their files."""
        self._doors.show()
        self._readiness.close()
        for side, socket in self._sockets.items():
            socket.disable_monitor()
            socket.close()
            remove_socket(self._endpoints[side])
        self._sockets = {}
        for monitor in self._monitors:
            monitor.close()
        self._monitors = []
        if self._gatekeeper is not None:
            self._gatekeeper.close()
            self._gatekeeper = None
        self._context.term()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _take_news(self, monitor: zmq.Socket[bytes]) -> bool:
        """Whether a connection or more have ended; whose, a monitor does not tell."""
        ended = False
        with contextlib.suppress(zmq.Again):
            while True:
                news = recv_monitor_message(monitor, _DONTWAIT)
                if news["event"] == zmq.Event.ACCEPTED:
                    enlarge(news["value"])
                else:
                    ended = True
        return ended

    def _let_in(self) -> None:
        """Answer who may connect."""
        gatekeeper = self._gatekeeper
        assert gatekeeper is not None
        gatekeeper.answer()
        self._readiness.touch(gatekeeper.socket)
        self._machine.figures.connections_refused = gatekeeper.refused

    def _receive_all(self, socket: zmq.Socket[bytes], side: Side, now: float) -> None:
        machine = self._machine
        receive, perform = machine.receive, self._perform
        for taken in range(MESSAGES_A_TURN):
            # Most turns have one message, and to ask costs less than to be refused the second.
            if taken == 1 and not is_readable(socket):
                break
            try:
                peer = socket.recv(_DONTWAIT)
            except zmq.Again:
                break
            try:
                header, payload = frames.receive(socket)
                message = decode_header(header, len(payload))
            except RemoteProtocolError as error:
                machine.count_dropped("unreadable")
                self._log_dropped(peer, error, now)
                continue
            try:
                sends = receive(side, peer, message, payload, now)
            except Exception:
                # A bug of ours. Ending would cost every running program; whoever sent this
                # starts anew, and what the turn left unsent is sent with the next.
                log.exception("a message could not be handled kind=%s", type(message).__name__)
                machine.count_dropped("bug")
                sends = machine.disconnected(side, peer, now)
            if sends:
                perform(sends, now, message, header)
        else:
            self._readiness.touch(socket)
            return
        self._readiness.drained(socket)

    def _log_dropped(self, peer: bytes, error: RemoteProtocolError, now: float) -> None:
        """One line a second: whoever sends garbage does not get to fill the disk as well."""
        if now >= self._quiet_until:
            self._quiet_until = now + 1.0
            log.warning("dropped a message peer=%s error=%s", peer.hex(), error)

    def _perform(
        self, sends: list[Send], now: float, received: Message | None = None, header: bytes = b""
    ) -> None:
        """Send; a message that is passed on as it came keeps its header frame."""
        put, touch = frames.put, self._readiness.touch
        for _ in range(MAX_ROUNDS):
            unreachable: list[Send] = []
            for send in sends:
                message = send.message
                frame = header if message is received else encode(message)[0]
                socket = self._sockets[send.side]
                touch(socket)
                try:
                    # Only the first frame can fail: it names the peer.
                    put(socket, send.peer, frames.FIRST)
                    put(socket, frame, frames.MORE)
                    put(socket, frames.whole(send.payload))
                except zmq.ZMQError as error:
                    # EHOSTUNREACH: it is gone. EAGAIN: it takes nothing any more.
                    if error.errno not in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                        raise
                    unreachable.append(send)
            if not unreachable:
                return
            sends = []
            for send in unreachable:
                self._machine.count_dropped("unsendable")
                sends += self._machine.disconnected(send.side, send.peer, now)
