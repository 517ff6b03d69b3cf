"""A bound on a sandbox's sockets: the kernel's memory behind them counts to no group.

Theory of operation
-------------------
Messages that wait in a netlink socket, copies in an error queue, and the first packet of every
TCP connection are charged to nobody, on either version of control groups; each socket holds as
much as its receive buffer allows. So the filter (seccomp.py) has the keeper asked before a
socket of these families is made, and before a receive buffer is changed. The keeper lives in
the sandbox's network namespace and counts what is alive there at that moment. What it answers
depends on numbers in registers and on that count alone, so nothing that the program changes in
its memory meanwhile matters.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from dcodex_worker.sandbox import syscalls

#: Sockets alive in one sandbox, local ones and connections that nobody has accepted included.
#: Twice what one process may have open unless it asks for more; 100 MB with usual buffers.
MOST_SOCKETS = 512
#: Who has more than this many alive keeps the usual receive buffers. Few sockets may have the
#: largest that the machine allows (net.core.rmem_max), which since Linux 6.17 is 8 MB.
MOST_LARGE = 16

#: struct seccomp_notif: id, pid, flags, number, architecture, instruction, six arguments.
_NOTIFICATION = struct.Struct("<QIIiIQ6Q")
#: struct seccomp_notif_resp: id, value, error, flags.
_RESPONSE = struct.Struct("<QqiI")
_RECEIVE = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
_SEND = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
#: SECCOMP_USER_NOTIF_FLAG_CONTINUE (Linux 5.5): the kernel does what was asked for.
_CONTINUE = 1

#: Says how many sockets there are in the network namespace of init, which outlives all others.
_FIGURES = "/proc/1/net/sockstat"
_FIGURES_BYTES = 512


def decide(number: int, alive: int) -> int | None:
    """The errno that a call is answered with; 0: as if it was done; None: the kernel shall do it.

    number: of a system call that is watched (syscalls.py); alive: sockets that there are.
    """
    if number == syscalls.SOCKET:
        return None if alive < MOST_SOCKETS else errno.ENFILE
    return None if alive <= MOST_LARGE else 0


def answer(listener: int) -> None:
    """Answer one question, if it is still asked; in the keeper."""
    question = bytearray(_NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, question, True)
        key, _, _, number, *_ = _NOTIFICATION.unpack(question)
        code = decide(number, _alive())
        flags = _CONTINUE if code is None else 0
        fcntl.ioctl(listener, _SEND, _RESPONSE.pack(key, 0, -(code or 0), flags))
    except OSError as error:
        # Who asked is dead, or was interrupted and will ask again.
        if error.errno not in (errno.ENOENT, errno.EINTR, errno.EINPROGRESS):
            raise


def _alive() -> int:
    """Sockets in this sandbox; more than are allowed where that cannot be told."""
    try:
        fd = os.open(_FIGURES, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(fd, _FIGURES_BYTES)
        finally:
            os.close(fd)
        return int(text.split(None, 3)[2])  # "sockets: used 4"
    except (OSError, IndexError, ValueError):
        return MOST_SOCKETS
