"""What worker and keeper say to each other: marshalled tuples with descriptors beside them.

Theory of operation
-------------------
The worker and its keeper share a SOCK_SEQPACKET pair; the worker and each armed program share
a SOCK_STREAM pair, the channel, which the program's process closes before it runs any code
that is not ours.

    worker -> keeper   JOIN, init_id                      + one cgroup.procs descriptor a controller
    worker -> keeper   ARM, host_id, tmpfs, collect       + stdin, stdout, stderr, channel, gate
                       and the gate's other end, which the keeper keeps
    keeper -> worker   ARMING                             + pidfds of init and program
    program -> worker  (channel) ARMED, or FAILED, step, errno
    worker -> program  (channel) 8 bytes of length, marshalled bench to start   at most once
                       + a pipe, which is closed when all of it waits
    worker -> program  (channel) 8 bytes of length, marshalled Launch fields   [+ executable]
    keeper -> worker   EXITED, wait status, maxrss bytes  [+ collected file]
    keeper -> worker   FAILED, step, errno                instead of ARMING

Both sides are ours and run no code of others, so that marshal, which is not safe against an
enemy, is. Its version is pinned because the two may run different Pythons.
"""

from __future__ import annotations

import array
import ctypes
import marshal
import socket
import struct
from typing import Any

MARSHAL_VERSION = 2

JOIN = "join"
ARM = "arm"
ARMING = "arming"
ARMED = "armed"
EXITED = "exited"
FAILED = "failed"

#: What a program's process ends with when it fails before its program began.
FAILED_STATUS = 127

#: No message between worker and keeper is longer.
MAX_MESSAGE_BYTES = 4096
#: stdin, stdout, stderr, channel, both ends of the gate; or the cgroup controllers.
MAX_DESCRIPTORS = 8
#: The first piece that a program's process takes of its launch.
MAX_FIRST_BYTES = 1 << 16

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


class Incoming:
    """Room for one message, in memory that recvmsg(2) can be pointed to."""

    def __init__(self) -> None:
        self._data = ctypes.create_string_buffer(MAX_FIRST_BYTES)
        self._ancillary = ctypes.create_string_buffer(_ANCILLARY_BYTES)
        where, ancillary = map(ctypes.addressof, (self._data, self._ancillary))
        self._vector = ctypes.create_string_buffer(struct.pack("=QQ", where, MAX_FIRST_BYTES))
        #: struct msghdr.
        self._header = ctypes.create_string_buffer(
            _HEADER.pack(0, 0, ctypes.addressof(self._vector), 1, ancillary, _ANCILLARY_BYTES, 0)
        )

        self._view = memoryview(self._data)
        #: Its msg_controllen, which the kernel sets.
        self._used = ctypes.c_uint64.from_buffer(self._header, _USED_OFFSET)
        #: The address to give to recvmsg(2).
        self.header = ctypes.addressof(self._header)

    def take(self, size: int) -> tuple[bytes, list[int]]:
        """What has come, when recvmsg(2) returned this size, and its descriptors."""
        data = self._view[:size].tobytes()
        if not self._used.value:
            return data, []
        # One control message, of SCM_RIGHTS: the other side is ours.
        end = struct.unpack_from("=Q", self._ancillary)[0]
        return data, array.array("i", self._ancillary.raw[_ANCILLARY_HEAD_BYTES:end]).tolist()
