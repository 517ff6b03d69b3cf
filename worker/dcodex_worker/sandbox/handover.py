"""What a worker sends into an armed sandbox to have a program begin: values in, bytes out.

Theory of operation
-------------------
The program's process waits in a list of system calls (plan.py) for a head: the address of the
entry to go on with, and where the rest of the message is to be put. There are two ways on.

*Direct*: the rest is a list itself, which writes the program's files and sets its limits. The
interpreter behind it then goes on without having executed any Python, each line of which writes
reference counts into pages that the fork shares with its template. It is for what a template's
program usually is: main.py alone, no arguments, the usual environment.

*Spelled*: Python reads a marshalled message and does what it says.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from dcodex_worker.sandbox import kernel, rlimits
from dcodex_worker.sandbox.errand import (
    END,
    ENTRY_BYTES,
    Failed,
    Number,
    number_at,
    pack_call,
    result_at,
)

#: What a template's interpreter was started with: it opens the file of this name, unless told of
#: another one (template/entry.py).
MAIN = "main.py"
#: The entry to go on with; the address and the size of what follows (a struct iovec).
HEAD = struct.Struct("=3Q")
#: What of a head the iovec is.
HEAD_VECTOR = 8
#: Of a marshalled message, before it.
SIZE_BYTES = 8
#: Room for a list with the files that it writes; larger programs are spelled.
LIST_BYTES = 1 << 16
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
#: What a program's umask takes from a file's mode.
_UMASK = 0o022


@dataclass(frozen=True, slots=True)
class Doors:
    """Addresses in a keeper, and hence in the processes of its programs."""

    #: Lists of the keeper's that arm a sandbox: with a new network, and with the last one's.
    first: int
    later: int
    #: Entries of the program's process: to receive a list and go on in it, and to read a message.
    direct: int
    spelled: int
    #: Where a list is received.
    room: int
    #: The environment that a program has without more ado; None: none begins without Python.
    environment: tuple[tuple[str, str], ...] | None
    #: Whether a warm program's file may have any name; MAIN otherwise.
    any_name: bool


def spelled(doors: Doors, body: bytes) -> bytes:
    """A head, and a marshalled message behind its size."""
    return HEAD.pack(doors.spelled, 0, 0) + sized(body)


def sized(body: bytes) -> bytes:
    """A marshalled message behind its size, for a process that has had a head."""
    return len(body).to_bytes(SIZE_BYTES, "little") + body


def direct(
    doors: Doors,
    files: Sequence[tuple[str, int, bytes]],
    limits: Sequence[rlimits.Limit],
    fd: int,
    channel: int,
) -> bytes | None:
    """A head and a list that writes these files and sets these limits; None: to be spelled.

    files: (path, mode, content), without folders. fd: the lowest descriptor that is free in the
    program's process. channel: closed at last; -1: left open.
    """
    calls: list[bytes] = []
    # What calls point to lies behind them.
    texts = bytearray()
    begin = doors.room + (3 * len(files) + len(limits) + 2) * ENTRY_BYTES
    for path, mode, content in files:
        if "/" in path or mode & 0o777 != mode & ~_UMASK & 0o777 or mode > 0o777:
            return None
        where = begin + len(texts)
        texts += path.encode() + b"\0"
        calls.append(pack_call(Number.OPENAT, kernel.AT_FDCWD, where, _WRITE, mode, result=fd))
        where, size = begin + len(texts), len(content)
        texts += content
        calls.append(pack_call(Number.WRITE, fd, where, size, result=size))
        calls.append(pack_call(Number.CLOSE, fd))
    for which, value in limits:
        calls.append(pack_call(Number.PRLIMIT64, 0, which, begin + len(texts), 0))
        texts += value
    calls.append(pack_call(Number.CLOSE, channel) if channel >= 0 else END)
    body = b"".join((*calls, END, texts))
    if len(body) > LIST_BYTES:
        return None
    return HEAD.pack(doors.direct, doors.room, len(body)) + body


def failure(stop: int) -> Failed:
    """What failed in a list that was received, where its calls ended at this address."""
    step = "limits" if number_at(stop) == Number.PRLIMIT64 else "files"
    return Failed(step, max(0, -result_at(stop)))
