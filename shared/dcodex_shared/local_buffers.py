"""Room in the local sockets between processes, which ZeroMQ leaves as the system has it.

A local socket takes 208 KiB by default: less than one piece of output, so that its two ends wake
each other several times for each.
"""

from __future__ import annotations

import contextlib
import socket

from dcodex_shared.limits import MAX_OUTPUT_BYTES

#: Two of the largest pieces: one is read while the next is written.
SEND_BYTES = 2 * MAX_OUTPUT_BYTES
#: As SO_SNDBUF, beyond the system's own most (net.core.wmem_max) for who may; from socket(7).
_SO_SNDBUFFORCE = 32


def enlarge(descriptor: int) -> None:
    """Give the socket of a connection more room, if it is a local one: TCP finds its own size.

    descriptor: as ZeroMQ's monitor tells it; the connection may have ended since.
    """
    # Not a copy of the descriptor: a socket that cannot be made of one would not close it.
    with contextlib.suppress(OSError):
        sock = socket.socket(fileno=descriptor)
        try:
            if sock.family is socket.AF_UNIX:
                for option in (socket.SO_SNDBUF, _SO_SNDBUFFORCE):
                    with contextlib.suppress(PermissionError):
                        sock.setsockopt(socket.SOL_SOCKET, option, SEND_BYTES)
        finally:
            sock.detach()
