"""The TCP sockets under the gRPC server, and how a port is left to others without refusing anybody.

gRPC keeps its sockets to itself and has one way to stop listening: to shut the whole server
down, which ends every call that comes in the same moment. So they are found among this process's
descriptors. A listening socket that is closed has the kernel reset every connection which nobody
accepted yet; so it is first made deaf to new ones (their callers' kernels try again within a
second, and then reach whoever else listens on the port), and closed when its queue is empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

#: Handshakes that had begun when a socket was made deaf have this long to end: round trips
#: around the world. Whoever knocks meanwhile waits a second for the next try, so not for longer.
HANDSHAKES_S = 0.2
#: What was accepted by the kernel is taken up by gRPC's threads at once, however busy they are.
TAKEN_UP_S = 2.0
#: The kernel does not tell when the queue is empty, so it is looked at so many times meanwhile.
LOOKS = 200

#: From the kernel's headers; Python's socket module lacks them.
_SO_ATTACH_FILTER = 26
_TCP_INFO_BYTES = 104
#: Where struct tcp_info of a listening socket has the length of its queue.
_TCP_INFO_QUEUED = 24
#: State of a listening socket in /proc/net/tcp.
_LISTENING = "0A"
#: A classic BPF program over the TCP header: drop what has the SYN flag, let the rest through.
_NO_SYN = (
    (0x30, 0, 0, 13),  # load the byte of the flags
    (0x45, 0, 1, 0x02),  # is SYN among them?
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
)


def has_connections(port: int) -> bool:
    """Whether any caller is connected to this process on that port."""
    with _sockets(port) as found:
        return any(not _listens(one) for one in found)


def others_listen(port: int) -> bool:
    """Whether another process listens on that port too."""
    with _sockets(port) as found:
        ours = {os.fstat(one.fileno()).st_ino for one in found if _listens(one)}
    return any(inode not in ours for inode in _listening_inodes(port))


async def stop_listening(port: int) -> None:
    """Take no more connections; those that stand are none the worse for it."""
    with _sockets(port) as found:
        listening = [one for one in found if _listens(one)]
        for one in listening:
            _make_deaf(one)
        await asyncio.sleep(HANDSHAKES_S)
        for _ in range(LOOKS):
            if not any(map(_queued, listening)):
                break
            await asyncio.sleep(TAKEN_UP_S / LOOKS)
        for one in listening:
            # Where two descriptors are one socket the second finds it closed.
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _sockets(port: int) -> Iterator[list[socket.socket]]:
    """Descriptors of our own for this process's TCP sockets with that local port."""
    with contextlib.ExitStack() as stack:
        found = []
        for name in os.listdir("/proc/self/fd"):
            try:
                copy = os.dup(int(name))
            except OSError:
                continue  # closed by another thread since
            try:
                one = socket.socket(fileno=copy)
            except OSError:
                os.close(copy)
                continue  # no socket
            stack.enter_context(one)
            if one.family in (socket.AF_INET, socket.AF_INET6) and one.type == socket.SOCK_STREAM:
                with contextlib.suppress(OSError):
                    if one.getsockname()[1] == port:
                        found.append(one)
        yield found


def _listens(one: socket.socket) -> bool:
    return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _listening_inodes(port: int) -> Iterator[int]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == _LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                    yield int(words[9])


def _make_deaf(one: socket.socket) -> None:
    code = b"".join(struct.pack("HBBI", *step) for step in _NO_SYN)
    memory = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(_NO_SYN), ctypes.addressof(memory))
    one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _queued(one: socket.socket) -> int:
    """Connections that the kernel has accepted and nobody has taken up."""
    info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    (count,) = struct.unpack_from("I", info, _TCP_INFO_QUEUED)
    return int(count)
