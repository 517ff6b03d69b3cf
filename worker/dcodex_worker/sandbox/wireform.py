"""What worker, keeper and program's process say to each other, and descriptors beside it.

Theory of operation
-------------------
The worker and its keeper share a SOCK_SEQPACKET pair; the worker and each armed program share
a SOCK_STREAM pair, the channel, which the program's process closes before it runs any code
that is not ours.

    worker -> keeper   JOIN, identities, tmpfs     + a pipe that the keeper dies with, and one
                       cgroup.procs a controller
    keeper -> worker   JOINED, Doors (handover.py) + the keeper's directory in the host's /proc
    worker -> keeper   8 bytes: the list to make   + stdin, stdout, stderr, channel
    keeper -> worker   ARMING                      + pidfds of init and program
    program -> worker  (channel) ARMED             + its filter's listener; or FAILED, step, errno
    worker -> program  (channel) a head, and a list or a marshalled message (handover.py)
                       + an executable; or a bench to start first, + a pipe that is closed when
                       all of it waits, and then the message without a head
    keeper -> worker   REPORT                      how the program ended
    keeper -> worker   FAILED, step, errno         in place of JOINED or ARMING, and it ends

A template's fork may be told, instead of to join, to answer what programs ask (answerer.py):

    worker -> answerer ANSWER                      + the keeper's directory, and one cgroup.procs
                       a controller
    worker -> answerer any byte                    + a filter's listener

All sides are ours and run no code of others, so that marshal, which is not safe against an
enemy, is. Its version is pinned because the two may run different Pythons.
"""

from __future__ import annotations

import array
import ctypes
import marshal
import os
import socket
import struct
from typing import Any

from dcodex_worker.sandbox.errand import Errand

MARSHAL_VERSION = 2

JOIN = "join"
JOINED = "joined"
ANSWER = "answer"
ARMING = "arming"
ARMED = "armed"
FAILED = "failed"

#: What a program's process ends with when it fails before its program began.
FAILED_STATUS = 127

#: No message between worker and keeper is longer.
MAX_MESSAGE_BYTES = 4096
#: Of a JOIN: one, and one for each controller of version 1.
MAX_DESCRIPTORS = 8
#: The pieces that a program's process takes of a message.
MAX_PIECE_BYTES = 1 << 20

#: siginfo_t, of which si_code and si_status; and struct rusage, of which ru_maxrss.
SIGINFO_BYTES = 128
REPORT = struct.Struct(f"=8xi12xi{SIGINFO_BYTES - 28}x32xq104x")
#: si_code of a process that ended by itself, and of one that also left a core.
_CLD_EXITED = 1
_CLD_DUMPED = 3
_CORE_BIT = 0x80

#: struct msghdr with its padding, and the head of struct cmsghdr.
_HEADER = struct.Struct("=QI4xQQQQi4x")
_USED_OFFSET = 40
_ANCILLARY_HEAD_BYTES = 16
_ANCILLARY_BYTES = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)


def pack(*fields: Any) -> bytes:
    """A message."""
    return marshal.dumps(fields, MARSHAL_VERSION)


def unpack(data: bytes) -> tuple[Any, ...]:
    """The fields of a message."""
    fields: tuple[Any, ...] = marshal.loads(data)
    return fields


def send(sock: socket.socket, message: bytes, descriptors: tuple[int, ...] = ()) -> None:
    """Send a message with descriptors."""
    sock.sendmsg([message], rights(descriptors))


def rights(descriptors: tuple[int, ...]) -> list[Any]:
    """The ancillary data that carries descriptors."""
    if not descriptors:
        return []
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]


def receive(sock: socket.socket, size: int = MAX_MESSAGE_BYTES) -> tuple[bytes, list[int]]:
    """The next message (empty at the end) and its descriptors, which are close-on-exec."""
    space = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
    data, ancillary, _, _ = sock.recvmsg(size, space, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            usable = len(content) - len(content) % descriptors.itemsize
            descriptors.frombytes(content[:usable])
    return data, list(descriptors)


def status(report: bytes) -> tuple[int, int]:
    """A REPORT's raw wait status, and the most memory that one process had, in bytes."""
    code, number, kilobytes = REPORT.unpack(report)
    if code == _CLD_EXITED:
        return number << 8, kilobytes << 10
    return number | (_CORE_BIT if code == _CLD_DUMPED else 0), kilobytes << 10


def read(fd: int, size: int) -> bytes:
    """So many bytes of a stream; fewer at its end."""
    parts = []
    while size > 0 and (part := os.read(fd, min(size, MAX_PIECE_BYTES))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Incoming:
    """Room for one message of this size, in memory that recvmsg(2) can be pointed to."""

    def __init__(self, size: int) -> None:
        self._data = ctypes.create_string_buffer(size)
        self._ancillary = ctypes.create_string_buffer(_ANCILLARY_BYTES)
        #: Where it comes to.
        self.data = ctypes.addressof(self._data)
        self._vector = ctypes.create_string_buffer(struct.pack("=QQ", self.data, size))
        vector, ancillary = map(ctypes.addressof, (self._vector, self._ancillary))
        self._header = ctypes.create_string_buffer(
            _HEADER.pack(0, 0, vector, 1, ancillary, _ANCILLARY_BYTES, 0)
        )
        #: Its msg_controllen, which the kernel sets.
        self._used = ctypes.c_uint64.from_buffer(self._header, _USED_OFFSET)
        #: The address to give to recvmsg(2).
        self.header = ctypes.addressof(self._header)

    def plan_again(self, errand: Errand) -> None:
        """Note what comes before each recvmsg(2) but the first."""
        errand.store(self.header + _USED_OFFSET, _ANCILLARY_BYTES)

    def descriptors(self) -> list[int]:
        """Those of the last message."""
        if not self._used.value:
            return []
        # One control message, of SCM_RIGHTS: the other side is ours.
        end = struct.unpack_from("=Q", self._ancillary)[0]
        return array.array("i", self._ancillary.raw[_ANCILLARY_HEAD_BYTES:end]).tolist()


def header(errand: Errand, vector: int, ancillary: bytes = b"") -> int:
    """The address of a struct msghdr for an iovec at this address."""
    where = errand.pointer(ancillary) if ancillary else 0
    return errand.pointer(_HEADER.pack(0, 0, vector, 1, where, len(ancillary), 0))


def outgoing(errand: Errand, message: bytes, descriptors: tuple[int, ...] = ()) -> int:
    """The same for a message to send, with descriptors."""
    vector = errand.pointer(struct.pack("=QQ", errand.pointer(message), len(message)))
    if not descriptors:
        return header(errand, vector)
    content = array.array("i", descriptors).tobytes()
    size = _ANCILLARY_HEAD_BYTES + len(content)
    rights = struct.pack("=QII", size, socket.SOL_SOCKET, socket.SCM_RIGHTS) + content
    return header(errand, vector, rights.ljust(socket.CMSG_SPACE(len(content)), b"\0"))
