"""A network of its own, with a loopback interface that works and nothing else."""

from __future__ import annotations

import socket
import struct

from dcodex_worker.sandbox.errand import Errand, Number

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1


def plan(errand: Errand, fd: int) -> None:
    """Bring `lo` up; in a fresh network namespace, as its root.

    fd: the lowest free descriptor.
    """
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    errand.call(Number.SOCKET, socket.AF_INET, kind, 0, result=fd)
    errand.call(Number.IOCTL, fd, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    errand.call(Number.CLOSE, fd)
