"""Which of several ZeroMQ sockets have something to read: what the broker's loop sleeps on.

Theory of operation
-------------------
Each socket has a descriptor that is readable while there is news which the socket has not looked
at. Any call on the socket may look, a send too, and then what came is told by nothing but the
socket itself. So a socket that was touched is asked before the next sleep; of all others the
descriptor tells. zmq.Poller asks every socket twice a turn instead, which takes longer than what
most turns are for.
"""

from __future__ import annotations

import select

import zmq

_EVENTS = int(zmq.EVENTS)
_POLLIN = int(zmq.POLLIN)

Socket = zmq.Socket[bytes]


def is_readable(socket: Socket) -> bool:
    """Whether a message waits in the socket."""
    events: int = socket.getsockopt(_EVENTS)  # type: ignore[assignment] # it is for this option
    return bool(events & _POLLIN)


class Readiness:
    """Some sockets, and descriptors beside them."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        #: What is watched, by descriptor; None for a descriptor that is no socket's.
        self._watched: dict[int, Socket | None] = {}
        #: Those that may hold something of which their descriptor tells nothing.
        self._touched: set[Socket] = set()

    def watch(self, one: Socket | int) -> None:
        """Wait for this socket, or this descriptor, as well."""
        descriptor = one if isinstance(one, int) else int(one.getsockopt(zmq.FD))
        self._watched[descriptor] = None if isinstance(one, int) else one
        self._epoll.register(descriptor, select.EPOLLIN)
        if not isinstance(one, int):
            self.touch(one)

    def touch(self, socket: Socket) -> None:
        """Something was done with it, or left in it."""
        self._touched.add(socket)

    def drained(self, socket: Socket) -> None:
        """Nothing is left in it, as it said itself just now."""
        self._touched.discard(socket)

    def wait(self, timeout_s: float) -> list[Socket]:
        """The sockets that may have something to read; none where a descriptor, or time, woke it.

        Whoever reads one to its end says so with drained(), or else with touch() that it did not.
        """
        ready = [socket for socket in self._touched if is_readable(socket)]
        self._touched.clear()
        for descriptor, _ in self._epoll.poll(0.0 if ready else timeout_s):
            socket = self._watched[descriptor]
            if socket is not None and socket not in ready:
                ready.append(socket)
        return ready

    def close(self) -> None:
        """Watch nothing any more."""
        self._epoll.close()
