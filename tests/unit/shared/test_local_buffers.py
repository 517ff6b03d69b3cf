"""Room in local sockets."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from dcodex_shared.local_buffers import SEND_BYTES, enlarge


def _room(sock: socket.socket) -> int:
    """As the kernel counts it, which doubles what is asked for."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2


def test_a_local_socket_gets_room_and_stays_open() -> None:
    one, other = socket.socketpair()
    with one, other:
        before = _room(one)
        enlarge(one.fileno())
        most = int(Path("/proc/sys/net/core/wmem_max").read_text())
        assert _room(one) >= min(SEND_BYTES, most) > before
        one.sendall(b"x")
        assert other.recv(1) == b"x"


def test_what_is_no_local_socket_is_left_alone() -> None:
    with socket.socket() as tcp:
        before = _room(tcp)
        enlarge(tcp.fileno())
        assert _room(tcp) == before
    read_end, write_end = os.pipe()
    opened = os.listdir("/proc/self/fd")
    enlarge(read_end)
    assert len(os.listdir("/proc/self/fd")) == len(opened)
    os.close(read_end)
    os.close(write_end)
    enlarge(read_end)
